"""The read behind accessible: one statement, authentication included (``design`` budget).

A check leaves the decision to ``decide.py``. A list has to select rows, so it says the same law once more, in SQL; a
test holds the two together on random worlds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.dialects import postgresql

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials, memberships
from sentinel.core.database import Database
from sentinel.core.direct import Query
from sentinel.permissions.decide import Action
from sentinel.permissions.lookup import direct_shares, group_shares, is_here
from sentinel.permissions.models import Resource, Share

_sub = sa.bindparam("auth_sub", type_=sa.Uuid())
_wid = sa.bindparam("auth_wid", type_=sa.Uuid())


class Ids:
    """Ids of resources, in their order, as the one text that stands between the first and the last quotation mark of
    a JSON array of them: a list may have thousands, and most of them are only passed on.

    ``text`` is empty, or UUIDs in lower case with their hyphens, joined by ``BETWEEN``.
    """

    __slots__ = ("text",)
    BETWEEN = '","'
    EACH = 36 + len(BETWEEN)

    def __init__(self, text: str) -> None:
        self.text = text

    def __len__(self) -> int:
        return (len(self.text) + len(self.BETWEEN)) // self.EACH

    def __iter__(self) -> Iterator[str]:
        return iter(self.text.split(self.BETWEEN) if self.text else ())

    def first(self, number: int) -> "Ids":
        """The first ``number`` of them, at least one."""
        return Ids(self.text[: number * self.EACH - len(self.BETWEEN)])

    @property
    def last(self) -> UUID:
        """The last one. Raises :class:`ValueError` when there is none."""
        return UUID(self.text[-36:])


@dataclass(frozen=True, slots=True)
class Reached:
    """A page of what somebody reaches. ``last_record`` is the record of its last resource when the limit has cut it,
    else None; ``after_record`` that of the resource it was to begin after, None when there is none.
    """

    resource_ids: Ids
    last_record: UUID | None
    after_record: UUID | None


async def fetch_accessible(
    database: Database,
    shown: Credentials,
    *,
    service_name: str,
    resource_type: str,
    action: Action,
    limit: int | None,
    after: UUID | None,
    now: datetime,
) -> tuple[Any, Reached]:
    """The authentication row, and the ids of what the caller may do ``action`` to, by creation, then id.

    Without ``limit`` the list stays empty for administrators, who see everything (``http-api.md`` §8 rule 1). With
    ``after`` it begins behind the resource of this id, whether or not the caller reaches that one.
    """
    parameters = authentication.parameters(shown, now) | {
        "service_name": service_name,
        "resource_type": resource_type,
    }
    if limit is not None:
        # One more than asked for tells whether the limit cuts.
        parameters |= {"row_limit": limit + 1, "last_row": limit - 1}
    if after is not None:
        parameters["after"] = after
    query = _accessible_query(action is Action.EDIT, limit is not None, after is not None)
    [row] = await database.fetch(query, parameters, long=True)
    if database.is_sqlite:
        stored = (f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in from_json(row.resource_ids))
        resource_ids = Ids(Ids.BETWEEN.join(stored))
    else:
        resource_ids = Ids(row.resource_ids or "")
    cut = limit is not None and len(resource_ids) > limit
    return row, Reached(
        resource_ids.first(limit) if limit is not None and cut else resource_ids,
        last_record=row.last_record if cut else None,
        after_record=row.after_record if after is not None else None,
    )


@cache
def _accessible_query(edit: bool, limited: bool, continued: bool) -> Query:
    return Query(
        heavy=True,
        postgresql=_accessible_statement(False, edit, limited, continued),
        sqlite=_accessible_statement(True, edit, limited, continued),
    )


def _accessible_statement(is_sqlite: bool, edit: bool, limited: bool, continued: bool) -> Any:
    # A page is read twice, so it is a CTE, which cannot look at the row of the caller outside.
    membership = memberships.alias("membership")
    role = membership.c.role if limited else memberships.c.role
    full_access = sa.or_(role == "admin", role == "owner")
    enough = Share.permission == "edit"
    if not edit:
        enough = sa.or_(enough, Share.permission == "view")
    reached = sa.or_(
        Resource.owner_id == _sub,
        sa.and_(Resource.visibility == "workspace", role == "editor")
        if edit
        else Resource.visibility == "workspace",
        direct_shares().where(enough).correlate(Resource).exists(),
        group_shares(is_sqlite).where(enough).correlate(Resource).exists(),
    )
    ids = (
        sa.select(Resource.resource_id, Resource.created_at, Resource.id)
        .where(
            Resource.workspace_id == _wid,
            Resource.service_name == sa.bindparam("service_name", type_=sa.Text),
            Resource.resource_type == sa.bindparam("resource_type", type_=sa.Text),
            role.is_not(None),
            sa.or_(full_access, reached) if limited else sa.and_(sa.not_(full_access), reached),
        )
        .order_by(Resource.created_at, Resource.id)
    )
    source: Any = Resource
    columns = list(authentication.COLUMNS)
    if continued:
        before = _end_of_last_page(is_sqlite)
        later = sa.tuple_(Resource.created_at, Resource.id) > sa.tuple_(before.c.created_at, before.c.id)
        source = sa.join(before, Resource, later)
        columns.append(sa.select(before.c.id).scalar_subquery().label("after_record"))
    if limited:
        here = sa.and_(membership.c.user_id == _sub, membership.c.workspace_id == _wid)
        listed: Any = (
            ids.select_from(sa.join(membership, source, here))
            .limit(sa.bindparam("row_limit", type_=sa.Integer))
            .cte("reached")
        )
        last = (
            sa.select(listed.c.id)
            .order_by(listed.c.created_at, listed.c.id)
            .offset(sa.bindparam("last_row", type_=sa.Integer))
            .limit(1)
        )
        columns.append(last.scalar_subquery().label("last_record"))
    else:
        listed = ids.select_from(source).correlate(memberships).subquery("reached")
    if is_sqlite:
        gathered: Any = sa.func.json_group_array(sa.type_coerce(listed.c.resource_id, sa.Text()))
    else:
        between = sa.literal_column(f"'{Ids.BETWEEN}'", sa.Text)
        gathered = sa.func.string_agg(
            sa.cast(listed.c.resource_id, sa.Text),
            postgresql.aggregate_order_by(between, listed.c.created_at, listed.c.id),
        )
    resource_ids = sa.select(gathered).select_from(listed).correlate(memberships).scalar_subquery()
    return sa.select(*columns, resource_ids.label("resource_ids")).select_from(authentication.SOURCE)


def _end_of_last_page(is_sqlite: bool) -> Any:
    """The record of the resource that the cursor names, of this workspace and kind; registered once at most."""
    return (
        sa.select(Resource.id, Resource.created_at)
        .where(
            is_here(is_sqlite),
            Resource.service_name == sa.bindparam("service_name", type_=sa.Text),
            Resource.resource_type == sa.bindparam("resource_type", type_=sa.Text),
            Resource.resource_id == sa.bindparam("after", type_=sa.Uuid()),
        )
        .subquery("before")
    )
