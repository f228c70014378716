"""Actions that services register (``http-api.md`` R1, ``authorization.md`` §3), and what the panel does with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import ServiceCaller
from sentinel.audit import activity
from sentinel.core.database import contains_folded, upsert
from sentinel.core.errors import NotFound
from sentinel.roles.models import RoleAction, ServiceAction


@dataclass(frozen=True, slots=True)
class ActionWish:
    """An action as a service declares it; ``description`` None leaves a stored one as it is."""

    name: str
    description: str | None = None


async def register(
    session: AsyncSession,
    caller: ServiceCaller,
    service_name: str,
    wishes: Sequence[ActionWish],
    *,
    now: datetime,
) -> list[ServiceAction]:
    """Register actions of a scope, in one statement; returns them sorted by name (R1).

    Of several wishes for one action the last counts. Actions that are not named stay. Raises :class:`Forbidden`
    out of scope.
    """
    caller.require_scope(service_name)
    latest = {wish.name: wish.description for wish in wishes}
    if not latest:
        return []
    # Sorted, so that two services that register at once take the rows in one order.
    rows = [
        {
            "id": uuid4(),
            "service_name": service_name,
            "action": name,
            "description": latest[name],
            "created_at": now,
        }
        for name in sorted(latest)
    ]
    insert = upsert(session, ServiceAction).values(rows)
    stored = await session.execute(
        insert.on_conflict_do_update(
            index_elements=["service_name", "action"],
            set_={"description": sa.func.coalesce(insert.excluded.description, ServiceAction.description)},
        ).returning(ServiceAction)
    )
    return sorted(stored.scalars(), key=lambda action: action.action)


async def list_all(session: AsyncSession, *, service_name: str | None = None) -> list[ServiceAction]:
    """Every registered action by scope and name; ``service_name`` keeps those of one scope (``admin.md`` §6)."""
    statement = sa.select(ServiceAction)
    if service_name is not None:
        statement = statement.where(ServiceAction.service_name == service_name)
    return by_name((await session.execute(statement)).scalars())


def by_name(actions: Iterable[ServiceAction]) -> list[ServiceAction]:
    """``actions`` by scope and name; sorted here, because databases disagree on the order of punctuation."""
    return sorted(actions, key=lambda action: (action.service_name, action.action))


async def delete(session: AsyncSession, action_id: UUID, *, actor_id: UUID | None, now: datetime) -> None:
    """Forget an action; every role loses it (``authorization.md`` §3 rule 9). Raises :class:`NotFound`."""
    action = (
        await session.execute(
            sa.select(ServiceAction)
            .where(ServiceAction.id == action_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if action is None:
        raise NotFound("Service action not found", reason="service_action_not_found")
    links = await session.execute(
        sa.delete(RoleAction).where(RoleAction.service_action_id == action.id).returning(RoleAction.role_id)
    )
    roles = len(links.all())
    await session.execute(sa.delete(ServiceAction).where(ServiceAction.id == action.id))
    await activity.record(
        session,
        "service_action_deleted",
        target_type="service_action",
        target_id=action.id,
        actor_id=actor_id,
        detail={"service_name": action.service_name, "action": action.action, "roles": roles},
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """An action in the panel's list, and how many roles hold it."""

    action: ServiceAction
    role_count: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how many actions fit in all."""

    items: list[Entry]
    total: int
    page: int
    page_size: int


async def browse(
    session: AsyncSession,
    *,
    service_name: str | None = None,
    text: str | None = None,
    page: int = 1,
    page_size: int = 50,
) -> Page:
    """Registered actions by scope and name, page by page; ``text`` is a part of name or description."""
    which: list[sa.ColumnElement[bool]] = []
    if service_name:
        which.append(sa.false() if "\x00" in service_name else ServiceAction.service_name == service_name)
    if text:
        searched = (ServiceAction.action, ServiceAction.description)
        which.append(sa.or_(*(contains_folded(column, text) for column in searched)))
    total = await session.scalar(sa.select(sa.func.count()).select_from(ServiceAction).where(*which)) or 0
    if (page - 1) * page_size >= total:
        return Page([], total, page, page_size)
    roles = (
        sa.select(sa.func.count())
        .where(RoleAction.service_action_id == ServiceAction.id)
        .correlate(ServiceAction)
        .scalar_subquery()
    )
    rows = await session.execute(
        sa.select(ServiceAction, roles)
        .where(*which)
        .order_by(ServiceAction.service_name, ServiceAction.action, ServiceAction.id)
        .limit(page_size)
        .offset((page - 1) * page_size)
    )
    return Page([Entry(*row) for row in rows], total, page, page_size)


async def services(session: AsyncSession) -> list[str]:
    """The scopes that have actions, by name."""
    return sorted((await session.execute(sa.select(ServiceAction.service_name).distinct())).scalars())
