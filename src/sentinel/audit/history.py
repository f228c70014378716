"""Reading the activity log: what happened, newest first, in words that people understand (``admin.md`` §3).

A row keeps ids alone. What they stand for now is read with the row, in one statement whatever the number of rows; of
things that are gone no label is left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.days import Days, utc_day
from sentinel.audit.models import Activity

LAST_ROW = 2**31
"""The log is not looked into beyond this row; a page after it is empty."""


def _named(table: str, *columns: str) -> sa.TableClause:
    return sa.table(table, sa.column("id", sa.Uuid()), *(sa.column(column, sa.Text()) for column in columns))


# Tables of rooms above; only the columns that people know things by are named.
users = _named("users", "name", "email")
workspaces = _named("workspaces", "name")
resources = sa.table(
    "resource_permissions",
    sa.column("id", sa.Uuid()),
    sa.column("service_name", sa.Text()),
    sa.column("resource_type", sa.Text()),
    sa.column("resource_id", sa.Uuid()),
)
service_actions = _named("service_actions", "service_name", "action")
NAMED = ("user", "workspace", "group", "role", "realm", "organization", "client_app", "service_app")
"""Target types whose rows have a name, each in the table called like it in the plural."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; None is everything. ``since`` is the first moment, ``until`` the first one after the last."""

    action: str | None = None
    target_type: str | None = None
    workspace_id: UUID | None = None
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. Names are those of now; None for what is unknown or gone."""

    id: UUID
    action: str
    actor_id: UUID | None
    actor_name: str | None
    actor_email: str | None
    target_type: str
    target_id: UUID
    target_label: str | None
    workspace_id: UUID | None
    workspace_name: str | None
    detail: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of the log; ``total`` counts all pages, and with ``has_more`` there are more than that."""

    items: tuple[Entry, ...]
    total: int
    page: int
    page_size: int
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often an action was recorded on a day (UTC)."""

    day: date
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class Names:
    """What a workspace and a person are called; None for what was not asked for or is not there."""

    workspace: str | None = None
    actor: str | None = None


async def search(
    session: AsyncSession, filters: Filters, *, page: int, page_size: int, count_to: int | None = None
) -> EntryPage:
    """One page of what fits, newest first, with the number of all, in one statement.

    ``page`` counts from 1; ``page_size`` is a number of rows. The number is counted anew each time, over an index
    whatever the filter: some tens of milliseconds for a million rows. More than ``count_to`` are not counted.
    """
    shown = _shown(filters, page_size, (page - 1) * page_size)
    every = sa.select(sa.literal(1)).select_from(Activity).where(*_wanted(filters))
    if count_to is not None:
        every = every.limit(count_to + 1)
    found = sa.select(sa.func.count().label("found")).select_from(every.subquery("every")).subquery("total")
    rows = await _read(session, shown, [found.c.found], found.outerjoin(shown, sa.true()))
    total: int = rows[0].found
    has_more = count_to is not None and total > count_to
    items = tuple(_entry(row) for row in rows if row.id is not None)
    return EntryPage(
        items, count_to if count_to is not None and has_more else total, page, page_size, has_more
    )


async def recent(session: AsyncSession, filters: Filters | None = None, *, amount: int) -> tuple[Entry, ...]:
    """The newest ``amount`` rows that fit, without counting the others: one statement."""
    shown = _shown(filters or Filters(), amount, 0)
    return tuple(_entry(row) for row in await _read(session, shown, [], shown))


async def about_user(session: AsyncSession, user_id: UUID, *, amount: int) -> tuple[Entry, ...]:
    """The newest ``amount`` rows of what a person did and what was done to him: one statement."""
    by_him = _wanted_ids([Activity.actor_id == user_id], amount)
    to_him = _wanted_ids([Activity.target_type == "user", Activity.target_id == user_id], amount)
    either = sa.union(by_him, to_him).subquery("either")
    shown = _columns().join(either, either.c.id == Activity.id)
    newest = shown.order_by(Activity.created_at.desc(), Activity.id.desc()).limit(amount).subquery("shown")
    return tuple(_entry(row) for row in await _read(session, newest, [], newest))


async def summary(session: AsyncSession, *, days: int, now: datetime) -> list[DayCount]:
    """How often each action was recorded on each of the last ``days`` days; what did not happen is left out."""
    day = utc_day(Activity.created_at).label("day")
    rows = await session.execute(
        sa.select(day, Activity.action, sa.func.count())
        .where(Activity.created_at >= Days.until(now, days).since)
        .group_by(day, Activity.action)
        .order_by(day, Activity.action)
    )
    return [DayCount(*row) for row in rows]


async def names(session: AsyncSession, filters: Filters) -> Names:
    """What the workspace and the actor of ``filters`` are called: one statement, none when neither is given."""
    wanted: list[Any] = []
    for table, wanted_id, label in (
        (workspaces, filters.workspace_id, "workspace"),
        (users, filters.actor_id, "actor"),
    ):
        if wanted_id is not None:
            wanted.append(
                sa.select(table.c.name).where(table.c.id == wanted_id).scalar_subquery().label(label)
            )
    if not wanted:
        return Names()
    return Names(**(await session.execute(sa.select(*wanted))).one()._asdict())


# ── inside ──


def _wanted(filters: Filters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.action is not None:
        found.append(Activity.action == filters.action)
    if filters.target_type is not None:
        found.append(Activity.target_type == filters.target_type)
    if filters.workspace_id is not None:
        found.append(Activity.workspace_id == filters.workspace_id)
    if filters.actor_id is not None:
        found.append(Activity.actor_id == filters.actor_id)
    if filters.since is not None:
        found.append(Activity.created_at >= filters.since)
    if filters.until is not None:
        found.append(Activity.created_at < filters.until)
    return found


def _columns() -> sa.Select[Any]:
    return sa.select(*Activity.__table__.columns)


def _wanted_ids(wanted: Iterable[sa.ColumnElement[bool]], amount: int) -> sa.Select[Any]:
    """The ids of the newest rows. A select of its own, because SQLite takes no LIMIT inside a union otherwise."""
    newest = (
        sa.select(Activity.id)
        .where(*wanted)
        .order_by(Activity.created_at.desc(), Activity.id.desc())
        .limit(amount)
        .subquery()
    )
    return sa.select(newest.c.id)


def _shown(filters: Filters, limit: int, offset: int) -> sa.Subquery:
    # Ids first: a far page then walks an index and fetches its own rows only.
    ids = (
        sa.select(Activity.id)
        .where(*_wanted(filters))
        .order_by(Activity.created_at.desc(), Activity.id.desc())
        .limit(limit)
        .offset(min(offset, LAST_ROW))
        .subquery("ids")
    )
    return _columns().join(ids, ids.c.id == Activity.id).subquery("shown")


async def _read(
    session: AsyncSession, shown: sa.Subquery, more: list[Any], source: sa.FromClause
) -> list[Any]:
    """``shown`` beside the names of whatever its rows speak of, newest first."""
    row = shown.c
    actor, tenant = users.alias("actor"), workspaces.alias("tenant")
    source = source.outerjoin(actor, actor.c.id == row.actor_id)
    source = source.outerjoin(tenant, tenant.c.id == row.workspace_id)
    labels: list[tuple[sa.ColumnElement[bool], Any]] = []
    for kind in NAMED:
        table = (users if kind == "user" else _named(f"{kind}s", "name")).alias(f"the_{kind}")
        is_it = row.target_type == kind
        source = source.outerjoin(table, sa.and_(is_it, table.c.id == row.target_id))
        labels.append((is_it, table.c.name))
    action, resource = service_actions.alias("the_action"), resources.alias("the_resource")
    for kind, table, label in (
        ("service_action", action, action.c.service_name + ": " + action.c.action),
        ("resource_permission", resource, resource.c.service_name + " " + resource.c.resource_type),
    ):
        is_it = row.target_type == kind
        source = source.outerjoin(table, sa.and_(is_it, table.c.id == row.target_id))
        labels.append((is_it, label))
    statement = (
        sa.select(
            *more,
            *row,
            actor.c.name.label("actor_name"),
            actor.c.email.label("actor_email"),
            tenant.c.name.label("workspace_name"),
            sa.case(*labels).label("label"),
            resource.c.resource_id.label("label_id"),
        )
        .select_from(source)
        .order_by(row.created_at.desc(), row.id.desc())
    )
    return list((await session.execute(statement)).all())


def _entry(row: Any) -> Entry:
    label = row.label
    if label is None and row.target_type == "service" and row.detail:
        # Nothing but its name makes a service a target, and the row has that.
        label = row.detail.get("service_name")
    elif row.label_id is not None:
        label = f"{label} {row.label_id}"
    return Entry(
        id=row.id,
        action=row.action,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        actor_email=row.actor_email,
        target_type=row.target_type,
        target_id=row.target_id,
        target_label=label,
        workspace_id=row.workspace_id,
        workspace_name=row.workspace_name,
        detail=row.detail,
        created_at=row.created_at,
    )
