"""From a verified identity to a user: find, link or create (``tokens.md`` §10)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.database import upsert
from sentinel.core.errors import Conflict, DomainError, Forbidden, Unavailable
from sentinel.identity import organizations
from sentinel.identity.models import SocialAccount, User
from sentinel.identity.text import display_name, web_url
from sentinel.providers import Identity

ATTEMPTS = 5


class SignInRefused(Forbidden):
    """The identity is real, but may not sign in here; ``reason`` is one of ``http-api.md`` A3."""


class EmailConflict(Conflict):
    """The address belongs to an account of another provider (ID-4)."""

    def __init__(self) -> None:
        super().__init__(
            "This email address is already linked to another sign-in provider",
            reason="cross_provider_conflict",
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user behind an identity. ``first_time`` is true when the identity was created or linked just now."""

    user: User
    first_time: bool


async def sign_in(
    session: AsyncSession,
    identity: Identity,
    *,
    admin_emails: frozenset[str],
    organization_required: bool = True,
    now: datetime,
) -> SignedIn:
    """Find the user of an identity, or link or create one, and refresh what the provider says of him.

    ``admin_emails`` are promoted at this first moment only (ID-9). Without ``organization_required`` a person whom
    no organization admits signs in as well, and keeps the one that is stored (AD-3). Any number of first sign-ins
    of one person at once makes one user (ID-8). Raises :class:`SignInRefused` (``org_not_permitted``,
    ``inactive_user``) and :class:`EmailConflict`; nothing is written then.
    """
    for _ in range(ATTEMPTS):
        organization_id, user, account = await _look(session, identity)
        if organization_id is None and organization_required:
            raise SignInRefused(
                "Your email domain is not permitted to sign in here", reason="org_not_permitted"
            )
        if user is not None and account is not None:
            _require_active(user)
            await _refresh(session, user, account, identity, organization_id, now)
            return SignedIn(user, first_time=False)
        user = await _claim_user(session, identity, organization_id, admin_emails, now)
        if user is not None:
            return SignedIn(user, first_time=True)
        # Somebody else created the same person in this moment: look again.
    raise Unavailable(reason="sign_in_contention")


async def _look(
    session: AsyncSession, identity: Identity
) -> tuple[UUID | None, User | None, SocialAccount | None]:
    """The organization that admits the identity, and its user if it is known: one statement."""
    statement = (
        organizations.select_rules(identity.email, User, SocialAccount)
        .outerjoin(
            SocialAccount,
            sa.and_(
                SocialAccount.provider == identity.provider,
                SocialAccount.provider_user_id == identity.subject,
            ),
        )
        .outerjoin(User, User.id == SocialAccount.user_id)
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(statement)).all()
    return organizations.choose_for(identity.email, rows), rows[0][-2], rows[0][-1]


async def _claim_user(
    session: AsyncSession,
    identity: Identity,
    organization_id: UUID | None,
    admin_emails: frozenset[str],
    now: datetime,
) -> User | None:
    """Link the identity to a pre-provisioned user or to a new one; None when another sign-in was faster."""
    created_id = uuid4()
    inserted = await session.execute(
        upsert(session, User)
        .values(
            id=created_id,
            email=identity.email,
            name=display_name(identity.name, identity.email),
            avatar_url=web_url(identity.avatar_url),
            is_active=True,
            is_admin=False,
            token_epoch=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(User.id)
    )
    is_new = inserted.scalar_one_or_none() is not None
    # Locked: of two providers that claim one pre-provisioned address at once, the second finds the first's account.
    user = (
        await session.execute(
            sa.select(User)
            .where(User.email == identity.email)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if user is None:
        return None
    if not is_new:
        accounts = (
            await session.execute(sa.select(SocialAccount).where(SocialAccount.user_id == user.id))
        ).scalars()
        for account in accounts:
            if (account.provider, account.provider_user_id) == (identity.provider, identity.subject):
                return None
            raise EmailConflict
        _require_active(user)
    linked = await session.execute(
        upsert(session, SocialAccount)
        .values(
            id=uuid4(),
            user_id=user.id,
            provider=identity.provider,
            provider_user_id=identity.subject,
            provider_data=dict(identity.profile),
        )
        .on_conflict_do_nothing()
        .returning(SocialAccount.id)
    )
    if linked.scalar_one_or_none() is None:
        # The identity was linked elsewhere meanwhile; a user made for it here must not stay behind.
        if is_new:
            await session.execute(sa.delete(User).where(User.id == created_id))
            session.expunge(user)
        return None
    # A resolved organization is never overwritten by "none" (ID-2).
    user.organization_id = organization_id or user.organization_id
    user.is_admin = user.is_admin or identity.email in admin_emails
    user.name = display_name(identity.name, identity.email)
    user.avatar_url = web_url(identity.avatar_url) or user.avatar_url
    user.updated_at = now
    await session.flush()
    return user


async def _refresh(
    session: AsyncSession,
    user: User,
    account: SocialAccount,
    identity: Identity,
    organization_id: UUID | None,
    now: datetime,
) -> None:
    """Take over name, avatar, profile and organization where they differ; the stored address stays (ID-2)."""
    fresh = {
        "name": display_name(identity.name, user.email),
        "avatar_url": web_url(identity.avatar_url) or user.avatar_url,
        "organization_id": organization_id or user.organization_id,
    }
    changed = {key: value for key, value in fresh.items() if getattr(user, key) != value}
    for key, value in changed.items():
        setattr(user, key, value)
    if changed:
        user.updated_at = now
    if account.provider_data != identity.profile:
        account.provider_data = dict(identity.profile)
    await session.flush()


def _require_active(user: User) -> None:
    if not user.is_active:
        raise SignInRefused("This account has been deactivated", reason="inactive_user")


def failure_reason(error: Exception) -> str:
    """The ``reason`` of a failed sign-in in the closed list of ``http-api.md`` A3."""
    known = {
        "email_not_verified",
        "no_email_claim",
        "org_not_permitted",
        "cross_provider_conflict",
        "inactive_user",
    }
    if isinstance(error, DomainError) and error.reason in known:
        return error.reason
    return "callback_error"
