"""All people and all workspaces as CSV (``admin.md`` §4), a page of rows at a time, however many there are."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.identity.models import User
from sentinel.workspaces.models import Membership, Workspace

Export = Literal["users", "workspaces"]
PAGE = 1000
"""Rows that are read by one statement."""
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula."""

_WORKSPACE_COUNT = (
    sa.select(sa.func.count())
    .select_from(Membership)
    .where(Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)
_MEMBER_COUNT = (
    sa.select(sa.func.count())
    .select_from(Membership)
    .where(Membership.workspace_id == Workspace.id)
    .correlate(Workspace)
    .scalar_subquery()
)
_COLUMNS: dict[Export, dict[str, Any]] = {
    "users": {
        "id": User.id,
        "email": User.email,
        "name": User.name,
        "is_active": User.is_active,
        "is_admin": User.is_admin,
        "created_at": User.created_at,
        "workspace_count": _WORKSPACE_COUNT,
    },
    "workspaces": {
        "id": Workspace.id,
        "slug": Workspace.slug,
        "name": Workspace.name,
        "description": Workspace.description,
        "created_by": Workspace.created_by,
        "created_at": Workspace.created_at,
        "member_count": _MEMBER_COUNT,
    },
}


async def note(session: AsyncSession, export: Export, *, actor_id: UUID | None, now: datetime) -> None:
    """Record that somebody takes the list away."""
    await activity.record(
        session, f"export_{export}", target_type="export", target_id=uuid4(), actor_id=actor_id, now=now
    )


async def lines(session: AsyncSession, export: Export) -> AsyncIterator[str]:
    """The file in pieces: the header, then the rows in the order of their ids.

    Each page is read on its own, so a slow reader holds no transaction open: a row that comes or goes meanwhile may
    be in the file or not, every other one is in it once.
    """
    columns = _COLUMNS[export]
    identity = columns["id"]
    yield _text([list(columns)])
    last: UUID | None = None
    while True:
        statement = sa.select(*columns.values()).order_by(identity).limit(PAGE)
        if last is not None:
            statement = statement.where(identity > last)
        rows = (await session.execute(statement)).all()
        if rows:
            yield _text([[_cell(value) for value in row] for row in rows])
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _text(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
