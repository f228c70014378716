"""Groups of a workspace (``http-api.md`` §6).

What takes a :class:`Member` asks whether he may. What takes ``workspace_id`` and ``actor_id`` does the same deed for
whoever wishes it, and is what the panel calls for its administrators. A group of another workspace does not exist
for either.
"""

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
from sentinel.core.errors import Conflict, Invalid, NotFound
from sentinel.identity.models import User
from sentinel.identity.text import label, plain_text
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
    return await make(
        session, actor.workspace_id, name=name, description=description, actor_id=actor.user_id, now=now
    )


async def make(
    session: AsyncSession,
    workspace_id: UUID,
    *,
    name: str,
    description: str | None,
    actor_id: UUID | None,
    now: datetime,
) -> Group:
    """Make a group in a workspace that exists, whoever wishes it.

    Raises :class:`Conflict` when the name is taken, :class:`Unprocessable`.
    """
    group = Group(
        id=uuid4(),
        workspace_id=workspace_id,
        name=label(name),
        description=plain_text(description) if description is not None else None,
        created_by=actor_id,
        created_at=now,
    )
    session.add(group)
    await _flush(session)
    await _record(session, "group_created", group, actor_id, now, name=group.name)
    return group


async def list_groups(session: AsyncSession, actor: Member) -> Sequence[Group]:
    """The groups of the workspace, by creation (G2)."""
    return await list_all(session, actor.workspace_id)


async def list_all(session: AsyncSession, workspace_id: UUID) -> Sequence[Group]:
    """The groups of a workspace, by creation, for whoever wishes it."""
    found = await session.execute(
        sa.select(Group).where(Group.workspace_id == workspace_id).order_by(Group.created_at, Group.id)
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
    return await edit(
        session,
        actor.workspace_id,
        group_id,
        name=name,
        description=description,
        actor_id=actor.user_id,
        now=now,
    )


async def edit(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    *,
    name: str | None,
    description: str | None,
    actor_id: UUID | None,
    now: datetime,
) -> Group:
    """Rename or describe a group, whoever wishes it; None leaves a field as it is.

    Raises :class:`NotFound`, :class:`Conflict` when the name is taken, :class:`Unprocessable`.
    """
    group = await _get(session, workspace_id, group_id, lock="change")
    changed: list[str] = []
    if name is not None and (plain := label(name)) != group.name:
        group.name = plain
        changed.append("name")
    if description is not None and (text := plain_text(description)) != group.description:
        group.description = text
        changed.append("description")
    if changed:
        await _flush(session)
        await _record(session, "group_updated", group, actor_id, now, fields=changed)
    return group


async def delete(session: AsyncSession, actor: Member, group_id: UUID, *, now: datetime) -> None:
    """Delete a group with its memberships, role bindings and shares; every former member is revoked (G4, DL-8).

    Raises :class:`Forbidden`, :class:`NotFound`.
    """
    actor.require("admin")
    await destroy(session, actor.workspace_id, group_id, actor_id=actor.user_id, now=now)


async def destroy(
    session: AsyncSession, workspace_id: UUID, group_id: UUID, *, actor_id: UUID | None, now: datetime
) -> Group:
    """Delete a group with all that was given to it, whoever wishes it; every former member is revoked.

    Returns what it was. Raises :class:`NotFound`.
    """
    group = await _get(session, workspace_id, group_id)
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
    await _record(session, "group_deleted", group, actor_id, now, name=group.name)
    return group


async def list_group_members(session: AsyncSession, actor: Member, group_id: UUID) -> list[GroupMember]:
    """The members of a group by the time they were added (G5). Raises :class:`NotFound`."""
    return await members_of(session, actor.workspace_id, group_id)


async def members_of(session: AsyncSession, workspace_id: UUID, group_id: UUID) -> list[GroupMember]:
    """The members of a group by the time they were added, for whoever wishes it. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Group.id, User.id, User.email, User.name, GroupMembership.added_at)
            .outerjoin(GroupMembership, GroupMembership.group_id == Group.id)
            .outerjoin(User, User.id == GroupMembership.user_id)
            .where(Group.id == group_id, Group.workspace_id == workspace_id)
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
    await put_in(session, actor.workspace_id, group_id, user_id, actor_id=actor.user_id, now=now)


async def put_in(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    user_id: UUID,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Put a member of the workspace into a group, whoever wishes it.

    Raises :class:`NotFound` for the group, :class:`Invalid` for somebody who is not a member of the workspace or is
    in the group already; nothing is written then.
    """
    group = await _get(session, workspace_id, group_id, lock="hold")
    membership = await session.execute(
        sa.select(Membership.id)
        .where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
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
    await _record(
        session,
        "group_member_added",
        group,
        actor_id,
        now,
        target=("user", user_id),
        group_id=str(group.id),
    )


async def remove_member(
    session: AsyncSession, actor: Member, group_id: UUID, user_id: UUID, *, now: datetime
) -> None:
    """Take somebody out of a group; he is revoked (G7, DL-8). Raises :class:`Forbidden`, :class:`NotFound`."""
    actor.require("admin")
    await take_out(session, actor.workspace_id, group_id, user_id, actor_id=actor.user_id, now=now)


async def take_out(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    user_id: UUID,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> int:
    """Take somebody out of a group, whoever wishes it; he is revoked. Returns how many sessions have ended.

    Raises :class:`NotFound`.
    """
    group = await _get(session, workspace_id, group_id)
    # Revoked first, as wherever a group loses members, so that two such changes cannot wait for each other.
    ended = await revoke_users(session, [user_id], reason="removed_from_group", now=now)
    removed = await session.execute(
        sa.delete(GroupMembership)
        .where(GroupMembership.group_id == group.id, GroupMembership.user_id == user_id)
        .returning(GroupMembership.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("User is not in this group", reason="group_member_not_found")
    await _record(
        session,
        "group_member_removed",
        group,
        actor_id,
        now,
        target=("user", user_id),
        group_id=str(group.id),
    )
    return ended


async def workspace_of(session: AsyncSession, group_id: UUID) -> UUID:
    """The workspace that a group belongs to, which it never leaves. Raises :class:`NotFound`."""
    workspace_id = await session.scalar(sa.select(Group.workspace_id).where(Group.id == group_id))
    if workspace_id is None:
        raise _unknown()
    return workspace_id


async def _get(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    *,
    lock: Literal["change", "hold"] | None = None,
) -> Group:
    """A group of the workspace; one of another does not exist here.

    ``lock`` keeps the row until the transaction ends: ``change`` from everybody, ``hold`` from being deleted.
    """
    found = sa.select(Group).where(Group.id == group_id, Group.workspace_id == workspace_id)
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


async def _record(
    session: AsyncSession,
    action: str,
    group: Group,
    actor_id: UUID | None,
    now: datetime,
    *,
    target: tuple[activity.TargetType, UUID] | None = None,
    **detail: object,
) -> None:
    target_type, target_id = target or ("group", group.id)
    await activity.record(
        session,
        action,
        target_type=target_type,
        target_id=target_id,
        actor_id=actor_id,
        workspace_id=group.workspace_id,
        detail=detail,
        now=now,
    )
