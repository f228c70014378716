"""People as the panel sees them, with what they have in workspaces: find, look at, add, delete (``admin.md`` §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.errors import Conflict, Invalid, NotFound
from sentinel.core.listing import Listing
from sentinel.identity import administrators, users
from sentinel.identity.models import Organization, SocialAccount, User
from sentinel.permissions.resources import purge_grantee
from sentinel.tokens.revocation import revoke_users
from sentinel.workspaces import enrolment, members
from sentinel.workspaces.members import MemberEntry
from sentinel.workspaces.models import Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole

ORGANIZATION_PAGE = 200
"""How many people of an organization a page may have."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person in a list."""

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    is_active: bool
    is_admin: bool
    created_at: datetime
    workspace_count: int


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An identity of a person at a provider."""

    id: UUID
    provider: str
    provider_user_id: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """One workspace of a person."""

    workspace_id: UUID
    workspace_name: str
    workspace_slug: str
    role: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """All that the panel shows of one person. ``organization`` is the stored one."""

    user: User
    organization: Organization | None
    social_accounts: tuple[LinkedAccount, ...]
    memberships: tuple[Belonging, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A person without the list of workspaces, which may be long. ``organization`` is the stored one."""

    user: User
    organization: Organization | None
    social_accounts: tuple[LinkedAccount, ...]
    membership_count: int


Standing = Literal["active", "inactive", "administrators"]
_STANDINGS: dict[Standing, Any] = {
    "active": User.is_active,
    "inactive": sa.not_(User.is_active),
    "administrators": User.is_admin,
}


async def search(
    session: AsyncSession,
    text: str | None,
    *,
    standing: Standing | None = None,
    page: int,
    page_size: int,
) -> Listing[Account]:
    """People whose name or address contains ``text`` whatever the case, newest first; all without a text.

    ``%`` and ``_`` are literal; ``standing`` keeps those who are so. Raises :class:`Unprocessable` for a page below 1
    or a size that is not 1 to 100.
    """
    base = _ACCOUNTS.where(users.matching(text)) if text else _ACCOUNTS
    if standing is not None:
        base = base.where(_STANDINGS[standing])
    return await listing.read(
        session,
        Account,
        base,
        lambda row: (row.created_at.desc(), row.id.desc()),
        page=page,
        page_size=page_size,
        beside=_workspace_count,
        searched=bool(text),
    )


async def newest(session: AsyncSession, *, amount: int) -> tuple[Account, ...]:
    """The newest people, without counting the others: one statement."""
    shown = _ACCOUNTS.order_by(User.created_at.desc(), User.id.desc()).limit(amount).subquery("shown")
    rows = await session.execute(
        sa.select(shown, *_workspace_count(shown)).order_by(shown.c.created_at.desc(), shown.c.id.desc())
    )
    return tuple(Account(*row) for row in rows)


async def of_organization(
    session: AsyncSession, organization_id: UUID, text: str | None = None, *, page: int, page_size: int
) -> Listing[Account]:
    """People whose stored organization this is and whose name or address contains ``text``, by address.

    Raises :class:`NotFound`, and :class:`Unprocessable` for a page below 1 or a size that is not 1 to 200.
    """
    base = _ACCOUNTS.where(User.organization_id == organization_id)
    found = await listing.read(
        session,
        Account,
        base.where(users.matching(text)) if text else base,
        lambda row: (row.email,),
        page=page,
        page_size=page_size,
        largest=ORGANIZATION_PAGE,
        beside=_workspace_count,
        searched=bool(text),
    )
    if not found.total and not text and await session.get(Organization, organization_id) is None:
        raise NotFound("Organization not found", reason="organization_not_found")
    return found


async def detail(session: AsyncSession, user_id: UUID) -> Person:
    """One person with linked accounts, organization, and workspaces by name. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(User, Organization, SocialAccount, Workspace, Membership)
            .outerjoin(Organization, Organization.id == User.organization_id)
            .outerjoin(SocialAccount, SocialAccount.user_id == User.id)
            .outerjoin(Membership, Membership.user_id == User.id)
            .outerjoin(Workspace, Workspace.id == Membership.workspace_id)
            .where(User.id == user_id)
            .order_by(SocialAccount.provider, SocialAccount.id, Workspace.name, Workspace.id)
            .execution_options(populate_existing=True)
        )
    ).all()
    if not rows:
        raise _unknown()
    # Each account stands beside each workspace; few have more than one account.
    linked = {row[2].id: row[2] for row in rows if row[2] is not None}
    joined = {row[3].id: (row[3], row[4]) for row in rows if row[3] is not None}
    return Person(
        user=rows[0][0],
        organization=rows[0][1],
        social_accounts=tuple(
            LinkedAccount(account.id, account.provider, account.provider_user_id)
            for account in linked.values()
        ),
        memberships=tuple(
            Belonging(workspace.id, workspace.name, workspace.slug, membership.role, membership.joined_at)
            for workspace, membership in joined.values()
        ),
    )


async def profile(session: AsyncSession, user_id: UUID) -> Profile:
    """One person with linked accounts and organization, in one statement. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(
                User,
                Organization,
                listing.counted(Membership, Membership.user_id == User.id, of=User),
                SocialAccount,
            )
            .outerjoin(Organization, Organization.id == User.organization_id)
            .outerjoin(SocialAccount, SocialAccount.user_id == User.id)
            .where(User.id == user_id)
            .order_by(SocialAccount.provider, SocialAccount.id)
            .execution_options(populate_existing=True)
        )
    ).all()
    if not rows:
        raise _unknown()
    user, organization, membership_count, _ = rows[0]
    linked = tuple(
        LinkedAccount(account.id, account.provider, account.provider_user_id)
        for *_, account in rows
        if account is not None
    )
    return Profile(user, organization, linked, membership_count)


async def belongings(
    session: AsyncSession, user_id: UUID, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[Belonging]:
    """A page of the workspaces of a person whose name or slug contains ``text``, by name. None for nobody."""
    base = (
        sa.select(Workspace.id, Workspace.name, Workspace.slug, Membership.role, Membership.joined_at)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id)
    )
    if text:
        base = base.where(
            sa.or_(contains_folded(Workspace.name, text), contains_folded(Workspace.slug, text))
        )
    return await listing.read(
        session,
        Belonging,
        base,
        lambda row: (row.name, row.id),
        page=page,
        page_size=page_size,
        searched=bool(text),
    )


async def add_to_workspace(
    session: AsyncSession,
    user_id: UUID,
    workspace_id: UUID,
    role: WorkspaceRole = WorkspaceRole.VIEWER,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry:
    """Make a person a member of any workspace by an administrator's wish, who may grant every role.

    Raises :class:`NotFound` for the workspace, :class:`Invalid` for an unknown person or one whose organization is
    not permitted there, :class:`Conflict` for a member.
    """
    # Both are held from being deleted, so that the membership cannot refer to something that has just gone.
    await enrolment.hold(session, workspace_id)
    user = (
        await session.execute(
            sa.select(User)
            .where(User.id == user_id)
            .with_for_update(read=True, key_share=True)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if user is None:
        raise Invalid("There is no such user", reason="unknown_user")
    entry = await members.enrol(session, user, workspace_id, role, actor_id=actor_id, now=now)
    if entry is None:
        raise Conflict("User is already a member of this workspace", reason="already_member")
    return entry


async def delete(session: AsyncSession, user_id: UUID, *, actor_id: UUID | None, now: datetime) -> int:
    """Delete a person with all that was given to him (``authorization.md`` §8); what he made or owns stays,
    without his name.

    His tokens are revoked first and stay dead; should he sign in again, he is somebody new. Returns the refresh
    tokens removed. Raises :class:`NotFound`, and :class:`Conflict` for the last owner of a workspace, the last active
    administrator, and ``actor_id`` himself.
    """
    owned = sa.select(Membership.workspace_id).where(
        Membership.user_id == user_id, Membership.role == "owner"
    )
    # Workspaces before people, as wherever members change.
    held_workspaces = await session.execute(
        sa.select(Workspace.id)
        .where(Workspace.id.in_(owned))
        .order_by(Workspace.id)
        .with_for_update(key_share=True)
    )
    settled = set(held_workspaces.scalars())
    held = await administrators.hold(session, [user_id])
    user = next((user for user in held if user.id == user_id), None)
    if user is None:
        raise _unknown()
    administrators.require_rest(held, [user.id], actor_id=actor_id)
    await _require_other_owners(session, user.id, settled)
    revoked = await revoke_users(session, [user.id], reason="user_deleted", now=now)
    # Memberships first: whoever shares with him, or binds him to a group or role at this moment, holds his
    # membership and needs his row for a moment yet.
    his = Membership.user_id == user.id
    await session.execute(sa.delete(Membership).where(his))
    # From here on nothing new can refer to him; whoever would add something waits, and finds nobody.
    await session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    if await session.scalar(sa.select(sa.exists().where(his))):
        raise _just_changed()
    await purge_grantee(session, "user", user.id)
    await session.execute(sa.delete(User).where(User.id == user.id))
    await activity.record(
        session,
        "user_deleted",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        detail={"email": user.email, "tokens_revoked": revoked},
        now=now,
    )
    return revoked


async def _require_other_owners(session: AsyncSession, user_id: UUID, settled: set[UUID]) -> None:
    """Every workspace that he owns has another owner. ``settled`` are the workspaces whose roles cannot change now."""
    other = aliased(Membership)
    rows = (
        await session.execute(
            sa.select(
                Workspace.id,
                Workspace.name,
                sa.exists().where(
                    other.workspace_id == Workspace.id, other.role == "owner", other.user_id != user_id
                ),
            )
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(Membership.user_id == user_id, Membership.role == "owner")
            .order_by(Workspace.name, Workspace.id)
        )
    ).all()
    alone = [name for _, name, shared in rows if not shared]
    if alone:
        more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
        raise Conflict(
            f"The last owner of a workspace cannot be deleted: {alone[0]}{more}", reason="last_owner"
        )
    if any(workspace_id not in settled for workspace_id, _, _ in rows):
        # He became an owner after we looked: whether the other owner stays cannot be known now.
        raise _just_changed()


_ACCOUNTS = sa.select(
    User.id, User.email, User.name, User.avatar_url, User.is_active, User.is_admin, User.created_at
)


def _workspace_count(shown: Any) -> Sequence[Any]:
    return (listing.counted(Membership, Membership.user_id == shown.c.id, of=shown),)


def _just_changed() -> Conflict:
    return Conflict("The user's workspaces have just changed; try again", reason="concurrent_change")


def _unknown() -> NotFound:
    return NotFound("User not found", reason="user_not_found")
