"""Who holds a role: people directly, or through a group (``authorization.md`` §3 rules 3 and 6, ``admin.md`` §6).

Only the panel binds roles; who is in a bound group is managed inside the workspace (rule 10).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import memberships
from sentinel.core import listing
from sentinel.core.database import contains_folded, upsert
from sentinel.core.errors import Conflict, Invalid, NotFound
from sentinel.core.listing import Listing, counted
from sentinel.identity.models import User
from sentinel.roles import roles
from sentinel.roles.grants import group_memberships
from sentinel.roles.models import GroupRole, Role, UserRole

# Belongs to a room above; only the columns that are shown or compared are named.
groups = sa.table(
    "groups",
    sa.column("id", sa.Uuid()),
    sa.column("workspace_id", sa.Uuid()),
    sa.column("name", sa.Text()),
    sa.column("description", sa.Text()),
)
_GROUP = (
    groups.c.id,
    groups.c.name,
    groups.c.description,
    counted(group_memberships, group_memberships.c.group_id == groups.c.id, of=groups),
    GroupRole.assigned_at,
    GroupRole.assigned_by,
)
"""What is told of a bound group, in the order of :class:`RoleGroup`."""


@dataclass(frozen=True, slots=True)
class RoleMember:
    """A person who is bound to a role directly."""

    user_id: UUID
    email: str
    name: str
    assigned_at: datetime
    assigned_by: UUID | None


@dataclass(frozen=True, slots=True)
class RoleGroup:
    """A group that is bound to a role, with the number of people in it now."""

    group_id: UUID
    name: str
    description: str | None
    member_count: int
    assigned_at: datetime
    assigned_by: UUID | None


async def list_members(session: AsyncSession, role_id: UUID) -> list[RoleMember]:
    """The people bound to a role, newest binding first, in one statement. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Role.id, User.id, User.email, User.name, UserRole.assigned_at, UserRole.assigned_by)
            .outerjoin(UserRole, UserRole.role_id == Role.id)
            .outerjoin(User, User.id == UserRole.user_id)
            .where(Role.id == role_id)
            .order_by(UserRole.assigned_at.desc(), UserRole.id)
        )
    ).all()
    if not rows:
        raise NotFound("Role not found", reason="role_not_found")
    return [RoleMember(*row[1:]) for row in rows if row[1] is not None]


async def bind_member(
    session: AsyncSession, role_id: UUID, user_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Bind a member of the role's workspace to the role (rule 6).

    Raises :class:`NotFound` for the role, :class:`Invalid` for anybody who is not a member of the workspace now,
    :class:`Conflict` when he is bound already.
    """
    role = await roles.locked(session, role_id, "hold")
    # The person's own row before his membership, as where either is deleted. Both are held: a removal and its purge
    # come wholly before this binding, which then is refused, or wholly after it, and take it away.
    await session.execute(
        sa.select(User.id).where(User.id == user_id).with_for_update(read=True, key_share=True)
    )
    membership = await session.execute(
        sa.select(memberships.c.user_id)
        .where(memberships.c.workspace_id == role.workspace_id, memberships.c.user_id == user_id)
        .with_for_update(read=True, key_share=True)
    )
    if membership.scalar_one_or_none() is None:
        raise Invalid("User is not a member of this workspace", reason="not_a_member")
    bound = await session.execute(
        upsert(session, UserRole)
        .values(id=uuid4(), user_id=user_id, role_id=role.id, assigned_by=actor_id, assigned_at=now)
        .on_conflict_do_nothing(index_elements=["user_id", "role_id"])
        .returning(UserRole.id)
    )
    if bound.scalar_one_or_none() is None:
        raise Conflict("User has this role already", reason="already_bound")
    await roles.record(session, "role_member_added", role, actor_id, now, target=("user", user_id))


async def unbind_member(
    session: AsyncSession, role_id: UUID, user_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Take a role from a person; what he holds through groups stays. Raises :class:`NotFound`."""
    role = await roles.locked(session, role_id, "hold")
    removed = await session.execute(
        sa.delete(UserRole)
        .where(UserRole.role_id == role.id, UserRole.user_id == user_id)
        .returning(UserRole.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("User does not have this role", reason="role_member_not_found")
    await roles.record(session, "role_member_removed", role, actor_id, now, target=("user", user_id))


async def list_groups(session: AsyncSession, role_id: UUID) -> list[RoleGroup]:
    """The groups bound to a role, newest binding first, in one statement. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Role.id, *_GROUP)
            .outerjoin(GroupRole, GroupRole.role_id == Role.id)
            .outerjoin(groups, groups.c.id == GroupRole.group_id)
            .where(Role.id == role_id)
            .order_by(GroupRole.assigned_at.desc(), GroupRole.id)
        )
    ).all()
    if not rows:
        raise NotFound("Role not found", reason="role_not_found")
    return [RoleGroup(*row[1:]) for row in rows if row[1] is not None]


async def browse_groups(
    session: AsyncSession, role_id: UUID, text: str | None = None, *, page: int = 1
) -> Listing[RoleGroup]:
    """A page of the groups bound to a role whose name contains ``text``, newest binding first. None without the
    role.
    """
    statement = (
        sa.select(*_GROUP)
        .select_from(groups)
        .join(GroupRole, GroupRole.group_id == groups.c.id)
        .where(GroupRole.role_id == role_id)
        .order_by(GroupRole.assigned_at.desc(), GroupRole.id)
    )
    if text:
        statement = statement.where(contains_folded(groups.c.name, text))
    return await listing.objects(session, RoleGroup, statement, page=page)


async def bind_group(
    session: AsyncSession, role_id: UUID, group_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Bind a group of the role's workspace to the role (rule 6).

    Raises :class:`NotFound` for the role or the group, :class:`Invalid` when they are of different workspaces,
    :class:`Conflict` when the group is bound already.
    """
    role = await roles.locked(session, role_id, "hold")
    group = (
        await session.execute(
            sa.select(groups.c.id, groups.c.workspace_id)
            .where(groups.c.id == group_id)
            .with_for_update(read=True, key_share=True)
        )
    ).one_or_none()
    if group is None:
        raise NotFound("Group not found", reason="group_not_found")
    if group.workspace_id != role.workspace_id:
        raise Invalid("Group and role belong to different workspaces", reason="other_workspace")
    bound = await session.execute(
        upsert(session, GroupRole)
        .values(id=uuid4(), group_id=group.id, role_id=role.id, assigned_by=actor_id, assigned_at=now)
        .on_conflict_do_nothing(index_elements=["group_id", "role_id"])
        .returning(GroupRole.id)
    )
    if bound.scalar_one_or_none() is None:
        raise Conflict("Group has this role already", reason="already_bound")
    await roles.record(session, "role_group_added", role, actor_id, now, target=("group", group_id))


async def unbind_group(
    session: AsyncSession, role_id: UUID, group_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Take a role from a group. Raises :class:`NotFound` for the role, or when the group does not have it."""
    role = await roles.locked(session, role_id, "hold")
    removed = await session.execute(
        sa.delete(GroupRole)
        .where(GroupRole.role_id == role.id, GroupRole.group_id == group_id)
        .returning(GroupRole.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("Group does not have this role", reason="role_group_not_found")
    await roles.record(session, "role_group_removed", role, actor_id, now, target=("group", group_id))
