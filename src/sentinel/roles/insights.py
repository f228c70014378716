"""What of the granted actions is really used (``admin.md`` §3): by action, service and person, by day. What lies
idle is asked in :mod:`sentinel.roles.idle`.

Usage counts allowed verdicts of check-action (:mod:`sentinel.roles.usage`); denied ones are activity rows.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.days import Days, utc_day
from sentinel.audit.models import Activity
from sentinel.roles import idle
from sentinel.roles.idle import DormantGrants, UnusedRole, users
from sentinel.roles.models import ActionUsage

PERIODS = (7, 30, 90)
"""The windows in days that can be asked for."""
MOST = 20


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


@dataclass(frozen=True, slots=True)
class Glance:
    """:class:`Insights` as a page shows them: there are ``more_dormant`` grants than were counted, and ``more_unused``
    roles than are listed.
    """

    insights: Insights
    more_dormant: bool
    more_unused: bool


async def insights(
    session: AsyncSession, *, days: int, now: datetime, workspace_id: UUID | None = None
) -> Insights:
    """The use of actions in the last ``days`` days, in one workspace or in all: four statements.

    Every grant is looked at, which takes long where there are hundreds of thousands.
    """
    window = Days.until(now, days)
    return await _insights(
        session,
        window,
        workspace_id,
        await idle.dormant(session, window, workspace_id),
        await idle.unused(session, window, workspace_id),
    )


async def glance(
    session: AsyncSession, *, days: int, now: datetime, workspace_id: UUID | None = None
) -> Glance:
    """The same, with as much of what lies idle as is found in a moment: four statements."""
    window = Days.until(now, days)
    dormant, more_dormant = await idle.some_dormant(session, window, workspace_id)
    unused, more_unused = await idle.some_unused(session, window, workspace_id)
    found = await _insights(session, window, workspace_id, dormant, unused)
    return Glance(found, more_dormant, more_unused)


async def _insights(
    session: AsyncSession,
    window: Days,
    workspace_id: UUID | None,
    dormant: DormantGrants,
    unused: tuple[UnusedRole, ...],
) -> Insights:
    used, trend, data_since = await _figures(session, window, workspace_id)
    services = Counter[str]()
    for action in used:
        services[action.service_name] += action.count
    return Insights(
        days=len(window),
        since=window.first,
        data_since=data_since,
        top_actions=tuple(used[:MOST]),
        by_service=tuple(
            UsedService(*pair) for pair in sorted(services.items(), key=lambda pair: (-pair[1], pair[0]))
        ),
        top_users=await _top_users(session, window, workspace_id),
        trend=trend,
        dormant_grants=dormant,
        unused_roles=unused,
    )


async def _figures(
    session: AsyncSession, window: Days, workspace_id: UUID | None
) -> tuple[list[UsedAction], tuple[TrendDay, ...], date | None]:
    """Uses by action, most used first; verdicts by day; the oldest day known. One statement for all three."""
    none = sa.null()
    in_usage = idle.within(ActionUsage.workspace_id, workspace_id)
    in_log = idle.within(Activity.workspace_id, workspace_id)
    text, day = sa.cast(none, sa.Text), sa.cast(none, sa.Date)
    # Read once: what is left of it is small.
    uses = (
        sa.select(
            ActionUsage.service_name,
            ActionUsage.action,
            ActionUsage.day,
            sa.func.sum(ActionUsage.count).label("number"),
        )
        .where(ActionUsage.day >= window.first, in_usage)
        .group_by(ActionUsage.service_name, ActionUsage.action, ActionUsage.day)
        .cte("uses")
    )
    number = sa.cast(sa.func.sum(uses.c.number), sa.BigInteger).label("number")
    by_action = sa.select(
        sa.literal("action").label("kind"),
        uses.c.service_name.label("service_name"),
        uses.c.action.label("action"),
        sa.type_coerce(day, sa.Date).label("day"),
        number,
    ).group_by(uses.c.service_name, uses.c.action)
    allowed = sa.select(sa.literal("allowed"), text, text, uses.c.day, number).group_by(uses.c.day)
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
        .where(ActionUsage.day >= window.first, idle.within(ActionUsage.workspace_id, workspace_id))
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
