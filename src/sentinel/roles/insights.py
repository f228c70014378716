"""What of the granted actions is really used (``admin.md`` §3): by action, service and person, by day, and what lies
idle.

Usage counts allowed verdicts of check-action (:mod:`sentinel.roles.usage`); denied ones are activity rows.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.days import Days, utc_day
from sentinel.audit.models import Activity
from sentinel.roles.grants import group_memberships, groups
from sentinel.roles.models import ActionUsage, GroupRole, Role, RoleAction, ServiceAction, UserRole

PERIODS = (7, 30, 90)
"""The windows in days that can be asked for."""
MOST = 20
MOST_DORMANT = 50
MOST_UNUSED = 500
"""The contract sets no bound; beyond this nobody reads a list."""

# Tables of other rooms; only the columns that people know things by are named.
users = sa.table(
    "users", sa.column("id", sa.Uuid()), sa.column("email", sa.Text()), sa.column("name", sa.Text())
)
workspaces = sa.table("workspaces", sa.column("id", sa.Uuid()), sa.column("name", sa.Text()))


@dataclass(frozen=True, slots=True)
class UsedAction:
    service_name: str
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class UsedService:
    service_name: str
    count: int


@dataclass(frozen=True, slots=True)
class ActiveUser:
    user_id: UUID
    email: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class TrendDay:
    """The verdicts of one day (UTC)."""

    day: date
    allowed: int
    denied: int


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
class Insights:
    """What the last ``days`` days tell. ``since`` is the first of them; ``data_since`` the oldest day of which
    anything is known, None when nothing was ever used.
    """

    days: int
    since: date
    data_since: date | None
    top_actions: tuple[UsedAction, ...]
    by_service: tuple[UsedService, ...]
    top_users: tuple[ActiveUser, ...]
    trend: tuple[TrendDay, ...]
    dormant_grants: DormantGrants
    unused_roles: tuple[UnusedRole, ...]


async def insights(
    session: AsyncSession, *, days: int, now: datetime, workspace_id: UUID | None = None
) -> Insights:
    """The use of actions in the last ``days`` days, in one workspace or in all: four statements."""
    window = Days.until(now, days)
    used, trend, data_since = await _figures(session, window, workspace_id)
    services = Counter[str]()
    for action in used:
        services[action.service_name] += action.count
    return Insights(
        days=days,
        since=window.first,
        data_since=data_since,
        top_actions=tuple(used[:MOST]),
        by_service=tuple(
            UsedService(*pair) for pair in sorted(services.items(), key=lambda pair: (-pair[1], pair[0]))
        ),
        top_users=await _top_users(session, window, workspace_id),
        trend=trend,
        dormant_grants=await _dormant(session, window, workspace_id),
        unused_roles=await _unused(session, window, workspace_id),
    )


async def _figures(
    session: AsyncSession, window: Days, workspace_id: UUID | None
) -> tuple[list[UsedAction], tuple[TrendDay, ...], date | None]:
    """Uses by action, most used first; verdicts by day; the oldest day known. One statement for all three."""
    none = sa.null()
    in_usage = _in(ActionUsage.workspace_id, workspace_id)
    in_log = _in(Activity.workspace_id, workspace_id)
    recent = sa.and_(ActionUsage.day >= window.first, in_usage)
    number = sa.cast(sa.func.sum(ActionUsage.count), sa.BigInteger).label("number")
    text, day = sa.cast(none, sa.Text), sa.cast(none, sa.Date)
    by_action = (
        sa.select(
            sa.literal("action").label("kind"),
            ActionUsage.service_name.label("service_name"),
            ActionUsage.action.label("action"),
            sa.type_coerce(day, sa.Date).label("day"),
            number,
        )
        .where(recent)
        .group_by(ActionUsage.service_name, ActionUsage.action)
    )
    allowed = (
        sa.select(sa.literal("allowed"), text, text, ActionUsage.day, number)
        .where(recent)
        .group_by(ActionUsage.day)
    )
    denials = sa.func.coalesce(Activity.detail["count"].as_integer(), 1)
    denied_day = utc_day(Activity.created_at)
    denied = (
        sa.select(
            sa.literal("denied"),
            text,
            text,
            denied_day,
            sa.cast(sa.func.sum(denials), sa.BigInteger),
        )
        .where(Activity.action == "action_denied", Activity.created_at >= window.since, in_log)
        .group_by(denied_day)
    )
    oldest = sa.select(
        sa.literal("oldest"), text, text, sa.func.min(ActionUsage.day), sa.cast(sa.literal(0), sa.BigInteger)
    ).where(in_usage)
    used: list[UsedAction] = []
    verdicts: dict[tuple[str, date], int] = {}
    data_since: date | None = None
    for row in await session.execute(sa.union_all(by_action, allowed, denied, oldest)):
        if row.kind == "action":
            used.append(UsedAction(row.service_name, row.action, row.number))
        elif row.kind == "oldest":
            data_since = row.day
        else:
            verdicts[row.kind, row.day] = row.number
    used.sort(key=lambda action: (-action.count, action.service_name, action.action))
    trend = tuple(
        TrendDay(one, verdicts.get(("allowed", one), 0), verdicts.get(("denied", one), 0)) for one in window
    )
    return used, trend, data_since


async def _top_users(
    session: AsyncSession, window: Days, workspace_id: UUID | None
) -> tuple[ActiveUser, ...]:
    uses = sa.cast(sa.func.sum(ActionUsage.count), sa.BigInteger).label("uses")
    most = (
        sa.select(ActionUsage.user_id, uses)
        .where(ActionUsage.day >= window.first, _in(ActionUsage.workspace_id, workspace_id))
        .group_by(ActionUsage.user_id)
        .order_by(uses.desc(), ActionUsage.user_id)
        .limit(MOST)
        .subquery("most")
    )
    rows = await session.execute(
        sa.select(users.c.id, users.c.email, users.c.name, most.c.uses)
        .select_from(most.join(users, users.c.id == most.c.user_id))
        .order_by(most.c.uses.desc(), users.c.id)
    )
    return tuple(ActiveUser(*row) for row in rows)


def _holders(workspace_id: UUID | None) -> sa.CTE:
    """Who holds which role: directly, or through a group of the role's workspace."""
    in_workspace = _in(Role.workspace_id, workspace_id)
    directly = (
        sa.select(Role.id.label("role_id"), UserRole.user_id.label("user_id"))
        .join(UserRole, UserRole.role_id == Role.id)
        .where(in_workspace)
    )
    through_groups = (
        sa.select(Role.id, group_memberships.c.user_id)
        .join(GroupRole, GroupRole.role_id == Role.id)
        .join(groups, sa.and_(groups.c.id == GroupRole.group_id, groups.c.workspace_id == Role.workspace_id))
        .join(group_memberships, group_memberships.c.group_id == groups.c.id)
        .where(in_workspace)
    )
    return sa.union(directly, through_groups).cte("holders")


def _was_used(holders: sa.CTE, window: Days) -> sa.Exists:
    """Whether the holder in the row used the action in the row, in the workspace of the role."""
    return sa.exists().where(
        ActionUsage.workspace_id == Role.workspace_id,
        ActionUsage.user_id == holders.c.user_id,
        ActionUsage.service_name == ServiceAction.service_name,
        ActionUsage.action == ServiceAction.action,
        ActionUsage.day >= window.first,
    )


async def _dormant(session: AsyncSession, window: Days, workspace_id: UUID | None) -> DormantGrants:
    holders = _holders(workspace_id)
    dormant = (
        sa.select(
            holders.c.user_id,
            Role.workspace_id,
            ServiceAction.service_name,
            ServiceAction.action,
            sa.func.min(Role.name).label("role_name"),
        )
        .select_from(holders)
        .join(Role, Role.id == holders.c.role_id)
        .join(RoleAction, RoleAction.role_id == Role.id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .where(~_was_used(holders, window))
        .group_by(holders.c.user_id, Role.workspace_id, ServiceAction.service_name, ServiceAction.action)
        .cte("dormant")
    )
    total = sa.select(sa.func.count()).select_from(dormant).scalar_subquery()
    rows = await session.execute(
        sa.select(
            total.label("total"),
            dormant.c.user_id,
            users.c.email,
            users.c.name,
            dormant.c.service_name,
            dormant.c.action,
            dormant.c.role_name,
            dormant.c.workspace_id,
            workspaces.c.name.label("workspace_name"),
        )
        .select_from(dormant)
        .join(users, users.c.id == dormant.c.user_id)
        .join(workspaces, workspaces.c.id == dormant.c.workspace_id)
        .order_by(
            workspaces.c.name,
            dormant.c.workspace_id,
            users.c.email,
            dormant.c.service_name,
            dormant.c.action,
        )
        .limit(MOST_DORMANT)
    )
    found = rows.all()
    return DormantGrants(found[0].total if found else 0, tuple(DormantGrant(*row[1:]) for row in found))


async def _unused(session: AsyncSession, window: Days, workspace_id: UUID | None) -> tuple[UnusedRole, ...]:
    holders = _holders(workspace_id)
    used = (
        sa.select(holders.c.role_id)
        .join(RoleAction, RoleAction.role_id == holders.c.role_id)
        .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
        .where(holders.c.role_id == Role.id, _was_used(holders, window))
        .correlate(Role)
        .exists()
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
        .where(_in(Role.workspace_id, workspace_id), ~used)
        .order_by(assignees.desc(), workspaces.c.name, Role.name, Role.id)
        .limit(MOST_UNUSED)
    )
    return tuple(
        UnusedRole(role_id, name, place_id, place_name, number, no_assignees=not number)
        for role_id, name, place_id, place_name, number in rows
    )


def _in(column: Any, workspace_id: UUID | None) -> sa.ColumnElement[bool]:
    return sa.true() if workspace_id is None else column == workspace_id
