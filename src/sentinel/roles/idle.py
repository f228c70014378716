"""Grants that lie idle, and roles of which nobody uses anything (``admin.md`` §3).

Whether something lies idle is known only after a look at the uses of everybody who has it. The whole answer goes
through every grant; a page takes the first ones that are come across.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.days import Days
from sentinel.roles.grants import group_memberships, groups
from sentinel.roles.models import ActionUsage, GroupRole, Role, RoleAction, ServiceAction, UserRole

MOST_DORMANT = 50
MOST_UNUSED = 500
"""The contract sets no bound; beyond this nobody reads a list."""
SOME_DORMANT = 100
"""So many grants a page looks for of those that were given directly, and as many of those given through groups."""
SOME_UNUSED = 50
"""So many roles a page shows."""

# Tables of other rooms; only the columns that people know things by are named.
users = sa.table(
    "users", sa.column("id", sa.Uuid()), sa.column("email", sa.Text()), sa.column("name", sa.Text())
)
workspaces = sa.table("workspaces", sa.column("id", sa.Uuid()), sa.column("name", sa.Text()))


@dataclass(frozen=True, slots=True)
class DormantGrant:
    """An action that somebody may perform in a workspace, and did not; ``role_name`` is the first role by name of
    those that grant it.
    """

    user_id: UUID
    email: str
    name: str
    service_name: str
    action: str
    role_name: str
    workspace_id: UUID
    workspace_name: str


@dataclass(frozen=True, slots=True)
class DormantGrants:
    """How many there are, and the first of them by workspace and person."""

    total: int
    items: tuple[DormantGrant, ...]


@dataclass(frozen=True, slots=True)
class UnusedRole:
    """A role of whose actions none was used by any of its ``assignees`` (people, directly or through groups)."""

    id: UUID
    name: str
    workspace_id: UUID
    workspace_name: str
    assignees: int
    no_assignees: bool


@dataclass(frozen=True, slots=True)
class _Way:
    """A way in which a role is held: rows of ``source``, each of somebody and a role of a workspace."""

    name: str
    source: sa.FromClause
    user_id: Any
    role_id: Any
    # A group holds the roles of its own workspace alone.
    here: sa.ColumnElement[bool]


_WAYS = (
    _Way("directly", UserRole.__table__, UserRole.user_id, UserRole.role_id, sa.true()),
    _Way(
        "through_groups",
        sa.join(GroupRole, groups, groups.c.id == GroupRole.group_id).join(
            group_memberships, group_memberships.c.group_id == groups.c.id
        ),
        group_memberships.c.user_id,
        GroupRole.role_id,
        groups.c.workspace_id == Role.workspace_id,
    ),
)


def within(column: Any, workspace_id: UUID | None) -> sa.ColumnElement[bool]:
    """The condition that ``column`` is of the workspace; None is all of them."""
    return sa.true() if workspace_id is None else column == workspace_id


def _holders(workspace_id: UUID | None) -> sa.CTE:
    """Who holds which role of which workspace, whatever the way."""
    return sa.union(
        *(
            sa.select(
                Role.id.label("role_id"),
                Role.workspace_id.label("workspace_id"),
                way.user_id.label("user_id"),
            )
            .select_from(way.source)
            .join(Role, sa.and_(Role.id == way.role_id, way.here))
            .where(within(Role.workspace_id, workspace_id))
            for way in _WAYS
        )
    ).cte("holders")


def _uses(user_id: Any, workspace_id: Any, window: Days) -> sa.ColumnElement[bool]:
    """The condition that a use is of somebody, in a workspace, of the action in the row."""
    return sa.and_(
        ActionUsage.user_id == user_id,
        ActionUsage.workspace_id == workspace_id,
        ActionUsage.service_name == ServiceAction.service_name,
        ActionUsage.action == ServiceAction.action,
        ActionUsage.day >= window.first,
    )


def _length(rows: Any) -> "sa.ScalarSelect[int]":
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery()


async def dormant(session: AsyncSession, window: Days, workspace_id: UUID | None) -> DormantGrants:
    """All of them are counted: one statement."""
    holders = _holders(workspace_id)
    found = (
        sa.select(
            holders.c.user_id,
            holders.c.workspace_id,
            ServiceAction.service_name,
            ServiceAction.action,
            sa.func.min(Role.name).label("role_name"),
        )
        .select_from(holders)
        .join(Role, Role.id == holders.c.role_id)
        .join(RoleAction, RoleAction.role_id == Role.id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .where(~sa.exists().where(_uses(holders.c.user_id, holders.c.workspace_id, window)))
        .group_by(holders.c.user_id, holders.c.workspace_id, ServiceAction.service_name, ServiceAction.action)
        .cte("dormant")
    )
    grants, _ = await _first_dormant(session, found, sa.false())
    return grants


async def some_dormant(
    session: AsyncSession, window: Days, workspace_id: UUID | None
) -> tuple[DormantGrants, bool]:
    """Some of them, and whether there may be more: one statement. Where there are at most :data:`SOME_DORMANT`, the
    answer is that of :func:`dormant`.
    """
    parts = [_some_grants(way, window, workspace_id) for way in _WAYS]
    every = sa.union_all(*(sa.select(part) for part in parts)).subquery("every")
    key = (every.c.user_id, every.c.workspace_id, every.c.service_name, every.c.action)
    found = sa.select(*key, sa.func.min(every.c.role_name).label("role_name")).group_by(*key).cte("dormant")
    cut = sa.or_(*(_length(part) > SOME_DORMANT for part in parts))
    return await _first_dormant(session, found, cut)


def _some_grants(way: _Way, window: Days, workspace_id: UUID | None) -> sa.CTE:
    """The first grants that are come across of which there was no use."""
    use = (
        sa.select(sa.literal(1)).select_from(ActionUsage).where(_uses(way.user_id, Role.workspace_id, window))
    )
    return (
        sa.select(
            way.user_id.label("user_id"),
            Role.workspace_id.label("workspace_id"),
            ServiceAction.service_name.label("service_name"),
            ServiceAction.action.label("action"),
            Role.name.label("role_name"),
        )
        .select_from(way.source)
        .join(Role, sa.and_(Role.id == way.role_id, way.here))
        .join(RoleAction, RoleAction.role_id == Role.id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .where(within(Role.workspace_id, workspace_id), _no(use))
        .limit(SOME_DORMANT + 1)
        .cte(way.name)
    )


async def _first_dormant(
    session: AsyncSession, found: sa.CTE, cut: sa.ColumnElement[bool]
) -> tuple[DormantGrants, bool]:
    rows = (
        await session.execute(
            sa.select(
                _length(found).label("total"),
                cut.label("cut"),
                found.c.user_id,
                users.c.email,
                users.c.name,
                found.c.service_name,
                found.c.action,
                found.c.role_name,
                found.c.workspace_id,
                workspaces.c.name.label("workspace_name"),
            )
            .select_from(found)
            .join(users, users.c.id == found.c.user_id)
            .join(workspaces, workspaces.c.id == found.c.workspace_id)
            .order_by(
                workspaces.c.name, found.c.workspace_id, users.c.email, found.c.service_name, found.c.action
            )
            .limit(MOST_DORMANT)
        )
    ).all()
    if not rows:
        return DormantGrants(0, ()), False
    return DormantGrants(rows[0].total, tuple(DormantGrant(*row[2:]) for row in rows)), bool(rows[0].cut)


async def unused(session: AsyncSession, window: Days, workspace_id: UUID | None) -> tuple[UnusedRole, ...]:
    """The first :data:`MOST_UNUSED` of them, those that most people hold before the others: one statement."""
    holders = _holders(workspace_id)
    used = (
        sa.select(holders.c.role_id)
        .join(RoleAction, RoleAction.role_id == holders.c.role_id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .where(sa.exists().where(_uses(holders.c.user_id, holders.c.workspace_id, window)))
    )
    people = (
        sa.select(holders.c.role_id, sa.func.count().label("number"))
        .group_by(holders.c.role_id)
        .subquery("people")
    )
    assignees = sa.func.coalesce(people.c.number, 0).label("assignees")
    rows = await session.execute(
        sa.select(Role.id, Role.name, Role.workspace_id, workspaces.c.name, assignees)
        .join(workspaces, workspaces.c.id == Role.workspace_id)
        .outerjoin(people, people.c.role_id == Role.id)
        .where(within(Role.workspace_id, workspace_id), Role.id.not_in(used))
        .order_by(assignees.desc(), workspaces.c.name, Role.name, Role.id)
        .limit(MOST_UNUSED)
    )
    return _unused_roles(rows.all())


async def some_unused(
    session: AsyncSession, window: Days, workspace_id: UUID | None
) -> tuple[tuple[UnusedRole, ...], bool]:
    """Some of them in the same order, and whether there are more: one statement."""
    found = (
        sa.select(Role.id, Role.name, Role.workspace_id)
        .where(
            within(Role.workspace_id, workspace_id),
            *(_no(_use_of_role(way, window)) for way in _WAYS),
        )
        .limit(SOME_UNUSED + 1)
        .cte("found")
    )
    people = sa.union(
        *(
            sa.select(way.user_id)
            .select_from(way.source)
            .join(Role, sa.and_(Role.id == way.role_id, way.here))
            .where(Role.id == found.c.id)
            .correlate(found)
            for way in _WAYS
        )
    ).subquery("people")
    assignees = _length(people).label("assignees")
    rows = (
        await session.execute(
            sa.select(found.c.id, found.c.name, found.c.workspace_id, workspaces.c.name, assignees)
            .join(workspaces, workspaces.c.id == found.c.workspace_id)
            .order_by(assignees.desc(), workspaces.c.name, found.c.name, found.c.id)
        )
    ).all()
    return _unused_roles(rows[:SOME_UNUSED]), len(rows) > SOME_UNUSED


def _no(use: "sa.Select[int]") -> sa.ColumnElement[bool]:
    """The condition that ``use`` finds nothing. A number and no EXISTS, for which PostgreSQL would read every use and
    every grant first; and smaller than 1 rather than null, which it takes to be rare.
    """
    return sa.func.coalesce(use.limit(1).scalar_subquery(), 0) < 1


def _use_of_role(way: _Way, window: Days) -> "sa.Select[int]":
    """1 where a holder used an action of the role in the row."""
    return (
        sa.select(sa.literal(1))
        .select_from(way.source)
        .join(RoleAction, RoleAction.role_id == way.role_id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .join(ActionUsage, _uses(way.user_id, Role.workspace_id, window))
        .where(way.role_id == Role.id, way.here)
        .correlate(Role)
    )


def _unused_roles(rows: Sequence[Any]) -> tuple[UnusedRole, ...]:
    return tuple(
        UnusedRole(role_id, name, place_id, place_name, number, no_assignees=not number)
        for role_id, name, place_id, place_name, number in rows
    )
