"""Lists that hold only what the caller may see: ``accessible`` as a condition of SQLAlchemy.

The condition always binds the workspace too: "everything" means everything of the caller's workspace, and a
condition that said nothing about it would show other tenants' rows.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import String

from sentinel_auth.auth import RequestAuth

__all__ = ["accessible_where", "where_accessible"]

Column = ColumnElement[Any] | InstrumentedAttribute[Any]


async def accessible_where(
    auth: RequestAuth,
    resource_type: str,
    action: str = "view",
    *,
    id: Column,
    workspace: Column,
    limit: int | None = None,
) -> ColumnElement[bool]:
    """The condition under which a row is the caller's to ``view`` or ``edit``.

    ``id`` and ``workspace`` are the columns with the resource's and the workspace's id, of a UUID or a text type.
    ``limit`` asks Sentinel for at most so many ids. Raises what ``auth.accessible`` raises::

        query = select(Note).where(await accessible_where(auth, "note", id=Note.id, workspace=Note.workspace_id))
    """
    ids, everything = await auth.accessible(resource_type, action, limit)
    return where_accessible(ids, everything, auth.workspace_id, id=id, workspace=workspace)


def where_accessible(
    ids: Collection[UUID], everything: bool, workspace_id: UUID, *, id: Column, workspace: Column
) -> ColumnElement[bool]:
    """The same condition out of an answer of ``accessible`` that is there already."""
    mine = workspace == _as(workspace, workspace_id)
    if everything:
        return and_(mine, true())
    return and_(mine, id.in_([_as(id, one) for one in ids]))


def _as(column: Column, value: UUID) -> UUID | str:
    return str(value) if isinstance(column.type, String) else value
