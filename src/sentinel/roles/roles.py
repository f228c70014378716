"""Roles of a workspace and the actions they hold (``authorization.md`` §3, ``admin.md`` §6).

Only the panel defines roles. Who holds one stands in :mod:`sentinel.roles.bindings`. A change takes effect on the next
check (rule 11), so nobody has to be revoked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded, upsert
from sentinel.core.errors import Conflict, NotFound, Unprocessable
from sentinel.core.listing import Listing
from sentinel.identity.text import label, plain_text
from sentinel.roles.actions import by_name
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole

MAX_ACTIONS = 1000
"""How many actions one call adds to a role."""
CHOICES = 100
"""Actions on a page of the role editor."""

# Belongs to a room above; a role needs to know only that its workspace is there.
workspaces = sa.table("workspaces", sa.column("id", sa.Uuid()))


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """A role, and how many actions, people and groups are bound to it."""

    role: Role
    action_count: int
    member_count: int
    group_count: int


async def list_roles(session: AsyncSession, workspace_id: UUID) -> list[RoleEntry]:
    """The roles of a workspace, newest first, in one statement. Raises :class:`NotFound` without the workspace."""
    rows = (
        await session.execute(
            sa.select(Role, *_counts())
            .select_from(workspaces)
            .outerjoin(Role, Role.workspace_id == workspaces.c.id)
            .where(workspaces.c.id == workspace_id)
            .order_by(Role.created_at.desc(), Role.id)
        )
    ).all()
    if not rows:
        raise _no_workspace()
    return [RoleEntry(*row) for row in rows if row[0] is not None]


async def browse(
    session: AsyncSession, workspace_id: UUID, text: str | None = None, *, page: int = 1
) -> Listing[RoleEntry]:
    """A page of the roles of a workspace whose name or description contains ``text``, newest first. None when the
    workspace does not exist.
    """
    statement = (
        sa.select(Role, *_counts())
        .where(Role.workspace_id == workspace_id)
        .order_by(Role.created_at.desc(), Role.id)
    )
    if text:
        fits = [contains_folded(column, text) for column in (Role.name, Role.description)]
        statement = statement.where(sa.or_(*fits))
    return await listing.objects(session, RoleEntry, statement, page=page)


async def get(session: AsyncSession, role_id: UUID) -> Role:
    """The role of that id. Raises :class:`NotFound`."""
    return _existing(await session.get(Role, role_id))


async def entry(session: AsyncSession, role_id: UUID) -> RoleEntry:
    """One role as the list shows it, in one statement. Raises :class:`NotFound`."""
    row = (await session.execute(sa.select(Role, *_counts()).where(Role.id == role_id))).one_or_none()
    if row is None:
        raise _no_role()
    return RoleEntry(*row)


def _counts() -> list[Any]:
    return [
        sa.select(sa.func.count()).where(bound.role_id == Role.id).correlate(Role).scalar_subquery()
        for bound in (RoleAction, UserRole, GroupRole)
    ]


async def create(
    session: AsyncSession,
    workspace_id: UUID,
    *,
    name: str,
    description: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Role:
    """Make a role without actions.

    ``name`` has 1 to 255 characters besides markup. Raises :class:`NotFound` without the workspace,
    :class:`Conflict` when the name is taken there, :class:`Unprocessable`.
    """
    role = Role(
        id=uuid4(),
        workspace_id=workspace_id,
        name=label(name),
        description=plain_text(description) if description is not None else None,
        created_by=actor_id,
        created_at=now,
    )
    held = await session.execute(
        sa.select(workspaces.c.id)
        .where(workspaces.c.id == workspace_id)
        .with_for_update(read=True, key_share=True)
    )
    if held.scalar_one_or_none() is None:
        raise _no_workspace()
    session.add(role)
    await _flush(session)
    await record(session, "role_created", role, actor_id, now)
    return role


async def change(
    session: AsyncSession,
    role_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Role:
    """Rename or describe a role; None leaves a field as it is.

    Raises :class:`NotFound`, :class:`Conflict` when the name is taken, :class:`Unprocessable`.
    """
    plain = label(name) if name is not None else None
    role = await locked(session, role_id, "change")
    changed: list[str] = []
    if plain is not None and plain != role.name:
        role.name = plain
        changed.append("name")
    if description is not None and (text := plain_text(description)) != role.description:
        role.description = text
        changed.append("description")
    if changed:
        await _flush(session)
        await record(session, "role_updated", role, actor_id, now, fields=changed)
    return role


async def delete(session: AsyncSession, role_id: UUID, *, actor_id: UUID | None, now: datetime) -> None:
    """Delete a role with its action links and all its bindings (rule 9). Raises :class:`NotFound`."""
    role = await locked(session, role_id, "change")
    await session.execute(sa.delete(Role).where(Role.id == role.id))
    await record(session, "role_deleted", role, actor_id, now)


# ── actions of a role ──


async def list_actions(session: AsyncSession, role_id: UUID) -> list[ServiceAction]:
    """The actions of a role by service and name, in one statement. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Role.id, ServiceAction)
            .outerjoin(RoleAction, RoleAction.role_id == Role.id)
            .outerjoin(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
            .where(Role.id == role_id)
        )
    ).all()
    if not rows:
        raise _no_role()
    return by_name(action for _, action in rows if action is not None)


@dataclass(frozen=True, slots=True)
class Choice:
    """An action in the editor of a role, and whether the role holds it."""

    action: ServiceAction
    held: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the actions of a service a role holds."""

    held: int
    all: int


async def choices(
    session: AsyncSession, role_id: UUID, text: str | None = None, *, page: int = 1
) -> Listing[Choice]:
    """A page of all registered actions by service and name; ``text`` is a part of ``service:action`` or of the
    description.
    """
    statement = (
        sa.select(ServiceAction, RoleAction.id.is_not(None))
        .outerjoin(RoleAction, _holds(role_id))
        .order_by(ServiceAction.service_name, ServiceAction.action, ServiceAction.id)
    )
    if text:
        named = ServiceAction.service_name + ":" + ServiceAction.action
        fits = [contains_folded(column, text) for column in (named, ServiceAction.description)]
        statement = statement.where(sa.or_(*fits))
    return await listing.objects(session, Choice, statement, page=page, page_size=CHOICES)


async def shares(session: AsyncSession, role_id: UUID, services: Collection[str]) -> dict[str, Share]:
    """What a role holds of each of ``services``: one statement, none when there are none."""
    if not services:
        return {}
    rows = await session.execute(
        sa.select(ServiceAction.service_name, sa.func.count(RoleAction.id), sa.func.count())
        .outerjoin(RoleAction, _holds(role_id))
        .where(ServiceAction.service_name.in_(services))
        .group_by(ServiceAction.service_name)
    )
    return {name: Share(held, every) for name, held, every in rows}


def _holds(role_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(RoleAction.service_action_id == ServiceAction.id, RoleAction.role_id == role_id)


async def add_actions(
    session: AsyncSession,
    role_id: UUID,
    action_ids: Sequence[UUID],
    *,
    actor_id: UUID | None,
    now: datetime,
) -> int:
    """Add actions to a role, all or none; those that it holds already are ignored. Returns how many are new.

    At most :data:`MAX_ACTIONS` at once. Raises :class:`NotFound` for the role or any of the actions,
    :class:`Unprocessable` for too many.
    """
    wanted = sorted(set(action_ids))
    if len(wanted) > MAX_ACTIONS:
        raise Unprocessable(f"Add at most {MAX_ACTIONS} actions at once", field="service_action_ids")
    role = await locked(session, role_id, "hold")
    if not wanted:
        return 0
    # Held until the end: an action that is being deleted is either gone now, or takes the new link along.
    found = await session.execute(
        sa.select(ServiceAction.id, ServiceAction.service_name, ServiceAction.action)
        .where(ServiceAction.id.in_(wanted))
        .order_by(ServiceAction.id)
        .with_for_update(read=True, key_share=True)
    )
    names = {row.id: f"{row.service_name}:{row.action}" for row in found}
    if len(names) < len(wanted):
        raise NotFound("Service action not found", reason="service_action_not_found")
    # Sorted, so that two calls for one role take the rows in one order.
    links = [{"id": uuid4(), "role_id": role.id, "service_action_id": action_id} for action_id in wanted]
    added = (
        (
            await session.execute(
                upsert(session, RoleAction)
                .values(links)
                .on_conflict_do_nothing(index_elements=["role_id", "service_action_id"])
                .returning(RoleAction.service_action_id)
            )
        )
        .scalars()
        .all()
    )
    if added:
        new = sorted(names[action_id] for action_id in added)
        await record(session, "role_action_added", role, actor_id, now, actions=new)
    return len(added)


async def remove_action(
    session: AsyncSession, role_id: UUID, action_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Take an action from a role. Raises :class:`NotFound` for the role, or when it does not hold the action."""
    role = await locked(session, role_id, "hold")
    removed = await session.execute(
        sa.delete(RoleAction)
        .where(RoleAction.role_id == role.id, RoleAction.service_action_id == action_id)
        .returning(RoleAction.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("The role does not hold this action", reason="role_action_not_found")
    name = await session.scalar(
        sa.select(ServiceAction.service_name + ":" + ServiceAction.action).where(
            ServiceAction.id == action_id
        )
    )
    await record(session, "role_action_removed", role, actor_id, now, actions=[name])


# ── for the bindings, too ──


async def locked(session: AsyncSession, role_id: UUID, lock: Literal["change", "hold"]) -> Role:
    """The role as it is now, kept until the transaction ends: with ``change`` from everybody, with ``hold`` from being
    deleted. Raises :class:`NotFound`.
    """
    holding = lock == "hold"
    # The workspace comes before what is in it, as where it is deleted: two changes cannot wait for each other. A
    # change also queues with the changes of members, which take bindings along.
    await session.execute(
        sa.select(workspaces.c.id)
        .where(workspaces.c.id == sa.select(Role.workspace_id).where(Role.id == role_id).scalar_subquery())
        .with_for_update(read=holding, key_share=True)
    )
    role = await session.execute(
        sa.select(Role)
        .where(Role.id == role_id)
        .with_for_update(read=holding, key_share=holding)
        .execution_options(populate_existing=True)
    )
    return _existing(role.scalar_one_or_none())


async def record(
    session: AsyncSession,
    action: str,
    role: Role,
    actor_id: UUID | None,
    now: datetime,
    *,
    target: tuple[activity.TargetType, UUID] | None = None,
    **detail: object,
) -> None:
    """Write an activity of a role down in its workspace; ``target`` is whom it concerns if not the role itself."""
    target_type, target_id = target or ("role", role.id)
    await activity.record(
        session,
        action,
        target_type=target_type,
        target_id=target_id,
        actor_id=actor_id,
        workspace_id=role.workspace_id,
        detail={"role_id": str(role.id), "name": role.name, **detail},
        now=now,
    )


async def _flush(session: AsyncSession) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise Conflict("Role name is already taken in this workspace", reason="name_taken") from error


def _existing(role: Role | None) -> Role:
    if role is None:
        raise _no_role()
    return role


def _no_role() -> NotFound:
    return NotFound("Role not found", reason="role_not_found")


def _no_workspace() -> NotFound:
    return NotFound("Workspace not found", reason="workspace_not_found")
