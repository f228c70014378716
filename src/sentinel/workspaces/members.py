"""Members of a workspace (``http-api.md`` §5, W6 to W9; ``authorization.md`` §2, §8).

What takes a :class:`Member` asks whether he may. What takes ``workspace_id`` and ``actor_id`` does the same deed for
whoever wishes it; the panel calls it for its administrators, who act with the power of an owner (§2 rule 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member
from sentinel.audit import activity
from sentinel.core.database import upsert
from sentinel.core.errors import Conflict, Forbidden, Invalid, NotFound
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.permissions.resources import purge_grantee
from sentinel.roles.models import Role, UserRole
from sentinel.tokens.revocation import revoke_users
from sentinel.workspaces import gates
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole

MAX_LISTED = 50
CANNOT_ADD = "User cannot be added: no such user, or already a member"
"""One text for both cases, so that it does not tell which addresses have an account (W7)."""
NOT_PERMITTED = "The user's organization is not permitted in this workspace"


class LastOwner(Conflict):
    """A workspace keeps an owner (``authorization.md`` §2 rule 4). The endpoints for members say 403 to this."""

    def __init__(self) -> None:
        super().__init__("The last owner cannot be removed or demoted", reason="last_owner")


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member as the directory shows him."""

    user_id: UUID
    email: str
    name: str
    avatar_url: str | None
    role: str
    joined_at: datetime


_ENTRY = sa.select(
    User.id, User.email, User.name, User.avatar_url, Membership.role, Membership.joined_at
).join(User, User.id == Membership.user_id)


async def list_members(
    session: AsyncSession, actor: Member, *, query: str | None = None, limit: int | None = None
) -> list[MemberEntry]:
    """Members by the time they joined (W6).

    ``query`` is a case-insensitive part of name or address; ``limit`` is brought into 1 to 50, None lists all.
    """
    statement = _of(actor.workspace_id)
    if query:
        statement = statement.where(users.matching(query))
    if limit is not None:
        statement = statement.limit(max(1, min(limit, MAX_LISTED)))
    return [MemberEntry(*row) for row in await session.execute(statement)]


async def list_all(session: AsyncSession, workspace_id: UUID) -> list[MemberEntry]:
    """Every member by the time he joined, for whoever wishes it. Raises :class:`NotFound` without the workspace."""
    found = [MemberEntry(*row) for row in await session.execute(_of(workspace_id))]
    if not found and await session.get(Workspace, workspace_id) is None:
        raise _no_workspace()
    return found


def _of(workspace_id: UUID) -> "sa.Select[UUID, str, str, str | None, str, datetime]":
    return _ENTRY.where(Membership.workspace_id == workspace_id).order_by(Membership.joined_at, Membership.id)


async def add(
    session: AsyncSession, actor: Member, *, email: str, role: WorkspaceRole, self_serve: bool, now: datetime
) -> MemberEntry:
    """Make an existing user a member (W7).

    ``self_serve`` is the installation's ``SELF_SERVE_ENABLED``, which closes this way. Raises :class:`Forbidden`
    below admin, :class:`Invalid` for an unknown or already present person, a closed organization gate, or when
    somebody who is not an owner grants ``owner``.
    """
    actor.require("admin")
    if self_serve:
        raise Forbidden("Members join by invitation here", reason="self_serve_enabled")
    if role is WorkspaceRole.OWNER and not actor.has("owner"):
        raise Invalid("Only owners may grant the owner role", reason="owner_grant")
    return await add_by_email(session, actor.workspace_id, email, role, actor_id=actor.user_id, now=now)


async def add_by_email(
    session: AsyncSession,
    workspace_id: UUID,
    email: str,
    role: WorkspaceRole,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry:
    """Make the user of that address a member, whoever wishes it.

    Does not ask whether the actor may grant ``role``, nor whether the workspace exists. Raises :class:`Invalid` for
    an unknown or already present person, or a closed organization gate.
    """
    user = await users.find_by_email(session, email)
    if user is None:
        raise Invalid(CANNOT_ADD, reason="cannot_add")
    entry = await enrol(session, user, workspace_id, role, actor_id=actor_id, now=now)
    if entry is None:
        raise Invalid(CANNOT_ADD, reason="cannot_add")
    return entry


async def enrol(
    session: AsyncSession,
    user: User,
    workspace_id: UUID,
    role: WorkspaceRole,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry | None:
    """Make ``user`` a member, whoever wishes it; None when he is one already.

    Does not ask whether the actor may grant ``role``. Raises :class:`Invalid` when the gate of the user's
    organization is closed (``authorization.md`` §7 rule 9).
    """
    if not await gates.admits(session, user, workspace_id):
        raise Invalid(NOT_PERMITTED, reason="org_not_permitted")
    return await join(session, user, workspace_id, role, actor_id=actor_id, now=now)


async def join(
    session: AsyncSession,
    user: User,
    workspace_id: UUID,
    role: WorkspaceRole,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry | None:
    """The last step of :func:`enrol`, for callers that have asked the gates already."""
    added = await session.execute(
        upsert(session, Membership)
        .values(id=uuid4(), workspace_id=workspace_id, user_id=user.id, role=role.value, joined_at=now)
        .on_conflict_do_nothing(index_elements=["workspace_id", "user_id"])
        .returning(Membership.id)
    )
    if added.scalar_one_or_none() is None:
        return None
    await activity.record(
        session,
        "member_invited",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        workspace_id=workspace_id,
        detail={"email": user.email, "role": role.value},
        now=now,
    )
    return MemberEntry(user.id, user.email, user.name, user.avatar_url, role.value, now)


async def join_all(
    session: AsyncSession,
    wishes: Sequence[tuple[User, UUID, WorkspaceRole]],
    *,
    actor_id: UUID | None,
    now: datetime,
) -> int:
    """:func:`join` for many in a few statements. ``wishes`` are users, workspaces and roles, each pair once.

    Returns how many have joined. When it is fewer than wished, for some were members already, no activity is recorded
    and the caller has to undo everything.
    """
    added = await session.execute(
        upsert(session, Membership.__table__)
        .on_conflict_do_nothing(index_elements=["workspace_id", "user_id"])
        .returning(Membership.__table__.c.id),
        [
            {
                "id": uuid4(),
                "workspace_id": workspace_id,
                "user_id": user.id,
                "role": role.value,
                "joined_at": now,
            }
            for user, workspace_id, role in wishes
        ],
    )
    joined = len(added.all())
    if joined < len(wishes):
        return joined
    await activity.record_all(
        session,
        "member_invited",
        target_type="user",
        targets=[
            (user.id, workspace_id, {"email": user.email, "role": role.value})
            for user, workspace_id, role in wishes
        ],
        actor_id=actor_id,
        now=now,
    )
    return joined


async def change_role(
    session: AsyncSession, actor: Member, user_id: UUID, role: WorkspaceRole, *, now: datetime
) -> MemberEntry:
    """Give a member another role; a real change revokes him (W8, DL-8).

    Raises :class:`Forbidden` below admin, for a change of or to ``owner`` by anybody but an owner, and for the
    last owner; :class:`NotFound` for somebody who is not a member.
    """
    actor.require("admin")
    try:
        return await set_role(
            session,
            actor.workspace_id,
            user_id,
            role,
            as_owner=actor.has("owner"),
            actor_id=actor.user_id,
            now=now,
        )
    except LastOwner as refusal:
        raise _forbidden(refusal) from refusal


async def set_role(
    session: AsyncSession,
    workspace_id: UUID,
    user_id: UUID,
    role: WorkspaceRole,
    *,
    as_owner: bool,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry:
    """Give a member another role, whoever wishes it; a real change revokes him.

    ``as_owner`` is whether the actor has the power of an owner here; without it a change of or to ``owner`` raises
    :class:`Forbidden`. Raises :class:`NotFound` for somebody who is not a member, :class:`LastOwner`.
    """
    await _lock_workspace(session, workspace_id)
    current = await _role_of(session, workspace_id, user_id)
    if role is WorkspaceRole.OWNER and current != "owner" and not as_owner:
        raise Forbidden("Only owners may grant the owner role", reason="owner_grant")
    if current == "owner" and role is not WorkspaceRole.OWNER:
        if not as_owner:
            raise Forbidden("Only owners may change an owner", reason="owner_change")
        await _require_another_owner(session, workspace_id, user_id)
    if current != role.value:
        # The person's own row comes before what belongs to it, here and below, as in every revocation.
        await revoke_users(session, [user_id], reason="role_changed", now=now)
        changed = await session.execute(
            sa.update(Membership)
            .where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
            .values(role=role.value)
            .returning(Membership.id)
        )
        if changed.scalar_one_or_none() is None:
            # His account has just been deleted: that does not wait for the workspace, only for his own row.
            raise _no_member()
        await activity.record(
            session,
            "member_role_changed",
            target_type="user",
            target_id=user_id,
            actor_id=actor_id,
            workspace_id=workspace_id,
            detail={"old_role": current, "new_role": role.value},
            now=now,
        )
    row = (
        await session.execute(
            _ENTRY.where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
        )
    ).one_or_none()
    if row is None:
        raise _no_member()
    return MemberEntry(*row)


async def remove(session: AsyncSession, actor: Member, user_id: UUID, *, now: datetime) -> None:
    """Remove a member with everything that was given to him here (W9). A member may remove himself.

    Raises :class:`Forbidden` below admin, for an owner removed by anybody but an owner, and for the last owner;
    :class:`NotFound`.
    """
    if user_id != actor.user_id:
        actor.require("admin")
    try:
        await expel(
            session,
            actor.workspace_id,
            user_id,
            as_owner=actor.has("owner"),
            actor_id=actor.user_id,
            now=now,
        )
    except LastOwner as refusal:
        raise _forbidden(refusal) from refusal


async def expel(
    session: AsyncSession,
    workspace_id: UUID,
    user_id: UUID,
    *,
    as_owner: bool,
    actor_id: UUID | None,
    now: datetime,
) -> int:
    """Remove a member with everything that was given to him here, whoever wishes it; he is revoked.

    ``as_owner`` is whether the actor has the power of an owner here; without it an owner stays and
    :class:`Forbidden` is raised. Returns how many sessions have ended. Raises :class:`NotFound` for somebody who is
    not a member, :class:`LastOwner`.
    """
    await _lock_workspace(session, workspace_id)
    current = await _role_of(session, workspace_id, user_id)
    if current == "owner":
        if not as_owner:
            raise Forbidden("Only owners may remove an owner", reason="owner_change")
        await _require_another_owner(session, workspace_id, user_id)
    ended = await revoke_users(session, [user_id], reason="member_removed", now=now)
    if not await purge(session, workspace_id, user_id):
        raise _no_member()
    await activity.record(
        session,
        "member_removed",
        target_type="user",
        target_id=user_id,
        actor_id=actor_id,
        workspace_id=workspace_id,
        detail={"role": current},
        now=now,
    )
    return ended


async def purge(session: AsyncSession, workspace_id: UUID, user_id: UUID) -> bool:
    """Take membership, group memberships, role bindings and direct shares of one workspace from a person
    (``authorization.md`` §8). What he owns stays his, out of his reach. Returns whether he was a member.
    """
    # The membership goes first: whoever adds him to a group or shares with him at this moment holds that row, so
    # what he adds is either here to be purged or not added at all.
    removed = await session.execute(
        sa.delete(Membership)
        .where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
        .returning(Membership.id)
    )
    was_member = removed.scalar_one_or_none() is not None
    await session.execute(
        sa.delete(GroupMembership).where(
            GroupMembership.user_id == user_id,
            GroupMembership.group_id.in_(sa.select(Group.id).where(Group.workspace_id == workspace_id)),
        )
    )
    await session.execute(
        sa.delete(UserRole).where(
            UserRole.user_id == user_id,
            UserRole.role_id.in_(sa.select(Role.id).where(Role.workspace_id == workspace_id)),
        )
    )
    await purge_grantee(session, "user", user_id, workspace_id=workspace_id)
    return was_member


async def _lock_workspace(session: AsyncSession, workspace_id: UUID) -> None:
    # Every change of roles in a workspace queues here, so that counting owners and changing one are one step.
    await session.execute(
        sa.select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    )


async def _role_of(session: AsyncSession, workspace_id: UUID, user_id: UUID) -> str:
    role = await session.scalar(
        sa.select(Membership.role).where(
            Membership.workspace_id == workspace_id, Membership.user_id == user_id
        )
    )
    if role is None:
        raise _no_member()
    return role


async def _require_another_owner(session: AsyncSession, workspace_id: UUID, user_id: UUID) -> None:
    others = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Membership)
        .where(
            Membership.workspace_id == workspace_id,
            Membership.role == "owner",
            Membership.user_id != user_id,
        )
    )
    if not others:
        raise LastOwner


def _forbidden(refusal: LastOwner) -> Forbidden:
    return Forbidden(refusal.detail, reason=refusal.reason)


def _no_member() -> NotFound:
    return NotFound("Member not found", reason="member_not_found")


def _no_workspace() -> NotFound:
    return NotFound("Workspace not found", reason="workspace_not_found")
