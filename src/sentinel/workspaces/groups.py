"""Groups of a workspace (``http-api.md`` §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member
from sentinel.audit import activity
from sentinel.core.database import upsert
from sentinel.core.errors import Conflict, Invalid, NotFound, Unprocessable
from sentinel.identity.models import User
from sentinel.identity.text import NAME_LENGTH, plain_text
from sentinel.permissions.resources import purge_grantee
from sentinel.tokens.revocation import revoke_users
from sentinel.workspaces.models import Group, GroupMembership, Membership


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a group as the directory shows him."""

    user_id: UUID
    email: str
    name: str
    added_at: datetime


async def create(
    session: AsyncSession, actor: Member, *, name: str, description: str | None, now: datetime
) -> Group:
    """Make a group (G1). Raises :class:`Forbidden` below admin, :class:`Conflict` when the name is taken."""
    actor.require("admin")
    group = Group(
        id=uuid4(),
        workspace_id=actor.workspace_id,
        name=_name(name),
        description=plain_text(description) if description is not None else None,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(group)
    await _flush(session)
    await _record(session, "group_created", actor, group.id, now, name=group.name)
    return group


async def list_groups(session: AsyncSession, actor: Member) -> Sequence[Group]:
    """The groups of the workspace, by creation (G2)."""
    found = await session.execute(
        sa.select(Group).where(Group.workspace_id == actor.workspace_id).order_by(Group.created_at, Group.id)
    )
    return found.scalars().all()


async def change(
    session: AsyncSession,
    actor: Member,
    group_id: UUID,
    *,
    name: str | None,
    description: str | None,
    now: datetime,
) -> Group:
    """Rename or describe a group (G3). Raises :class:`Forbidden`, :class:`NotFound`, :class:`Conflict`."""
    actor.require("admin")
    group = await _get(session, actor, group_id, lock="change")
    changed: list[str] = []
    if name is not None and (plain := _name(name)) != group.name:
        group.name = plain
        changed.append("name")
    if description is not None and (text := plain_text(description)) != group.description:
        group.description = text
        changed.append("description")
    if changed:
        await _flush(session)
        await _record(session, "group_updated", actor, group.id, now, fields=changed)
    return group


async def delete(session: AsyncSession, actor: Member, group_id: UUID, *, now: datetime) -> None:
    """Delete a group with its memberships, role bindings and shares; every former member is revoked (G4, DL-8).

    Raises :class:`Forbidden`, :class:`NotFound`.
    """
    actor.require("admin")
    group = await _get(session, actor, group_id)
    await revoke_users(
        session,
        sa.select(GroupMembership.user_id).where(GroupMembership.group_id == group.id),
        reason="group_deleted",
        now=now,
    )
    # The group goes before its shares: whoever shares with it at this moment holds its row.
    deleted = await session.execute(sa.delete(Group).where(Group.id == group.id).returning(Group.id))
    if deleted.scalar_one_or_none() is None:
        raise _unknown()
    await purge_grantee(session, "group", group.id)
    await _record(session, "group_deleted", actor, group.id, now, name=group.name)


async def list_group_members(session: AsyncSession, actor: Member, group_id: UUID) -> list[GroupMember]:
    """The members of a group by the time they were added (G5). Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Group.id, User.id, User.email, User.name, GroupMembership.added_at)
            .outerjoin(GroupMembership, GroupMembership.group_id == Group.id)
            .outerjoin(User, User.id == GroupMembership.user_id)
            .where(Group.id == group_id, Group.workspace_id == actor.workspace_id)
            .order_by(GroupMembership.added_at, GroupMembership.id)
        )
    ).all()
    if not rows:
        raise _unknown()
    return [GroupMember(*row[1:]) for row in rows if row[1] is not None]


async def add_member(
    session: AsyncSession, actor: Member, group_id: UUID, user_id: UUID, *, now: datetime
) -> None:
    """Put a member of the workspace into a group (G6).

    Raises :class:`Forbidden`, :class:`NotFound` for the group, :class:`Invalid` for somebody who is not a member
    of the workspace or is in the group already.
    """
    actor.require("admin")
    group = await _get(session, actor, group_id, lock="hold")
    membership = await session.execute(
        sa.select(Membership.id)
        .where(Membership.workspace_id == actor.workspace_id, Membership.user_id == user_id)
        .with_for_update(read=True, key_share=True)
    )
    if membership.scalar_one_or_none() is None:
        raise Invalid("User is not a member of this workspace", reason="not_a_member")
    added = await session.execute(
        upsert(session, GroupMembership)
        .values(id=uuid4(), group_id=group.id, user_id=user_id, added_at=now)
        .on_conflict_do_nothing(index_elements=["group_id", "user_id"])
        .returning(GroupMembership.id)
    )
    if added.scalar_one_or_none() is None:
        raise Invalid("User is already in this group", reason="already_in_group")
    await _record(session, "group_member_added", actor, user_id, now, target="user", group_id=str(group.id))


async def remove_member(
    session: AsyncSession, actor: Member, group_id: UUID, user_id: UUID, *, now: datetime
) -> None:
    """Take somebody out of a group; he is revoked (G7, DL-8). Raises :class:`Forbidden`, :class:`NotFound`."""
    actor.require("admin")
    group = await _get(session, actor, group_id)
    # Revoked first, as wherever a group loses members, so that two such changes cannot wait for each other.
    await revoke_users(session, [user_id], reason="removed_from_group", now=now)
    removed = await session.execute(
        sa.delete(GroupMembership)
        .where(GroupMembership.group_id == group.id, GroupMembership.user_id == user_id)
        .returning(GroupMembership.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("User is not in this group", reason="group_member_not_found")
    await _record(session, "group_member_removed", actor, user_id, now, target="user", group_id=str(group.id))


async def _get(
    session: AsyncSession, actor: Member, group_id: UUID, *, lock: Literal["change", "hold"] | None = None
) -> Group:
    """A group of the actor's workspace; one of another workspace does not exist for him.

    ``lock`` keeps the row until the transaction ends: ``change`` from everybody, ``hold`` from being deleted.
    """
    found = sa.select(Group).where(Group.id == group_id, Group.workspace_id == actor.workspace_id)
    if lock is not None:
        found = found.with_for_update(read=lock == "hold", key_share=lock == "hold")
    group = (await session.execute(found)).scalar_one_or_none()
    if group is None:
        raise _unknown()
    return group


async def _flush(session: AsyncSession) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise Conflict("Group name is already taken in this workspace", reason="name_taken") from error


def _unknown() -> NotFound:
    return NotFound("Group not found", reason="group_not_found")


def _name(value: str) -> str:
    name = plain_text(value)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Unprocessable(f"Name must have 1 to {NAME_LENGTH} characters besides markup", field="name")
    return name


async def _record(
    session: AsyncSession,
    action: str,
    actor: Member,
    target_id: UUID,
    now: datetime,
    *,
    target: activity.TargetType = "group",
    **detail: object,
) -> None:
    await activity.record(
        session,
        action,
        target_type=target,
        target_id=target_id,
        actor_id=actor.user_id,
        workspace_id=actor.workspace_id,
        detail=detail,
        now=now,
    )
