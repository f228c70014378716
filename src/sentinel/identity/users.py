"""People (``http-api.md`` §4): reading and changing the user row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.database import contains_folded, upsert
from sentinel.core.errors import Conflict, NotFound, Unprocessable
from sentinel.identity import administrators, organizations
from sentinel.identity.models import User
from sentinel.identity.text import display_name, label, web_url
from sentinel.providers import IdentityRefused
from sentinel.providers.claims import plain_email
from sentinel.tokens.revocation import revoke_users


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a person wishes to change of his own profile; None leaves a field as it is."""

    name: str | None = None
    avatar_url: str | None = None


async def get(session: AsyncSession, user_id: UUID) -> User:
    """The user of that id. Raises :class:`NotFound`."""
    return _existing(await session.get(User, user_id))


async def find_by_email(session: AsyncSession, email: str) -> User | None:
    """The user with that address, compared in lower case (ID-6)."""
    return (
        await session.execute(sa.select(User).where(User.email == email.strip().lower()))
    ).scalar_one_or_none()


def matching(text: str) -> sa.ColumnElement[bool]:
    """The condition that name or address of a person contains ``text``, whatever the case; ``%`` and ``_`` are
    literal.
    """
    return sa.or_(contains_folded(User.name, text), contains_folded(User.email, text))


async def change_profile(
    session: AsyncSession, user_id: UUID, change: ProfileChange, *, now: datetime
) -> User:
    """Change name or avatar of a person by his own wish (U2).

    Raises :class:`NotFound`, and :class:`Unprocessable` for a name of which nothing is left without markup.
    """
    return await edit(session, user_id, change, actor_id=user_id, now=now)


async def edit(
    session: AsyncSession, user_id: UUID, change: ProfileChange, *, actor_id: UUID | None, now: datetime
) -> User:
    """:func:`change_profile` by the wish of ``actor_id``."""
    values: dict[str, str] = {}
    if change.name is not None:
        values["name"] = label(change.name)
    if (avatar_url := web_url(change.avatar_url)) is not None:
        values["avatar_url"] = avatar_url
    user = await _locked(session, user_id)
    changed = {key: value for key, value in values.items() if getattr(user, key) != value}
    if not changed:
        return user
    for key, value in changed.items():
        setattr(user, key, value)
    user.updated_at = now
    await session.flush()
    await activity.record(
        session,
        "user_updated",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        detail={"fields": sorted(changed)},
        now=now,
    )
    return user


async def set_active(
    session: AsyncSession, user_id: UUID, active: bool, *, actor_id: UUID | None, now: datetime
) -> int:
    """Activate or deactivate a person; deactivating ends every session and token at once (DL-5, DL-6).

    Returns how many refresh tokens were removed. Raises :class:`NotFound`, and :class:`Conflict` when ``actor_id``
    would deactivate himself or nobody could administer any more (AD-8).
    """
    held = await administrators.hold(session, [] if active else [user_id])
    user = await _locked(session, user_id)
    if user.is_active == active:
        return 0
    if not active:
        administrators.require_rest(held, [user.id], actor_id=actor_id)
    user.is_active, user.updated_at = active, now
    await session.flush()
    revoked = 0
    if not active:
        revoked = await revoke_users(session, [user.id], reason="user_deactivated", now=now)
    await activity.record(
        session,
        "user_activated" if active else "user_deactivated",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        now=now,
    )
    return revoked


async def set_admin(
    session: AsyncSession, user_id: UUID, admin: bool, *, actor_id: UUID | None, now: datetime
) -> int:
    """Promote or demote a panel administrator; demotion revokes the person (DL-7).

    Returns how many refresh tokens were removed. Raises :class:`NotFound`, and :class:`Conflict` when ``actor_id``
    would demote himself or nobody could administer any more (AD-8).
    """
    held = await administrators.hold(session, [] if admin else [user_id])
    user = await _locked(session, user_id)
    if user.is_admin == admin:
        return 0
    if not admin:
        administrators.require_rest(held, [user.id], actor_id=actor_id)
    user.is_admin, user.updated_at = admin, now
    await session.flush()
    revoked = 0
    if not admin:
        revoked = await revoke_users(session, [user.id], reason="admin_demoted", now=now)
    await activity.record(
        session,
        "user_promoted_admin" if admin else "user_demoted_admin",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        now=now,
    )
    return revoked


async def create_admin(
    session: AsyncSession,
    email: str,
    *,
    name: str | None = None,
    actor_id: UUID | None,
    via: str | None = None,
    now: datetime,
) -> tuple[User, Literal["created", "promoted", "unchanged"]]:
    """Make the person with that address an administrator, whether he has ever signed in or not (AD-12).

    A new person has no account at any provider; the first one that vouches for the address is linked at sign-in
    (ID-5). ``name`` is for a new person only; ``via`` goes into the activity. Raises :class:`Unprocessable` for
    what is no address or name, :class:`Conflict` for somebody who is deactivated and could not sign in.
    """
    try:
        address = plain_email(email)
    except IdentityRefused as error:
        raise Unprocessable(
            "That is not one e-mail address, such as ada@example.com", field="email"
        ) from error
    shown = display_name("", address) if name is None else label(name)
    inserted = await session.execute(
        upsert(session, User)
        .values(
            id=uuid4(),
            email=address,
            name=shown,
            organization_id=await organizations.resolve(session, address),
            is_active=True,
            is_admin=False,
            token_epoch=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(User.id)
    )
    created = inserted.scalar_one_or_none() is not None
    user = (
        await session.execute(sa.select(User).where(User.email == address).with_for_update())
    ).scalar_one()
    if not user.is_active:
        raise Conflict(
            f"{address} is deactivated and could not sign in; activate the account first",
            reason="inactive_user",
        )
    if user.is_admin:
        return user, "unchanged"
    user.is_admin, user.updated_at = True, now
    await session.flush()
    await activity.record(
        session,
        "user_promoted_admin",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        detail={"created": created} | ({"via": via} if via else {}),
        now=now,
    )
    return user, "created" if created else "promoted"


async def revoke(session: AsyncSession, user_id: UUID, *, actor_id: UUID | None, now: datetime) -> int:
    """End every session of a person by an administrator's wish (DL-4); returns the refresh tokens removed."""
    user = await get(session, user_id)
    revoked = await revoke_users(session, [user.id], reason="revoked_by_admin", now=now)
    await activity.record(
        session,
        "tokens_revoked",
        target_type="user",
        target_id=user.id,
        actor_id=actor_id,
        detail={"tokens_revoked": revoked},
        now=now,
    )
    return revoked


async def _locked(session: AsyncSession, user_id: UUID) -> User:
    # Two changes of one person queue here; whoever comes second sees what the first has done.
    return _existing(await session.get(User, user_id, with_for_update={"key_share": True}))


def _existing(user: User | None) -> User:
    if user is None:
        raise NotFound("User not found", reason="user_not_found")
    return user
