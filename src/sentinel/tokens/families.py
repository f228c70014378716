"""Refresh families: rotation, reuse detection, limits of age (``tokens.md`` §6).

What this file does not decide is whether the person may still have a session: the caller reads user, membership
and organization in the same transaction and revokes the family when the answer is no (RF-7).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sentinel.core.database import UtcDateTime
from sentinel.tokens.claims import IssuedToken, RefreshClaims, TokenSubject
from sentinel.tokens.issue import Issuer
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.tokens.revocation import client_apps, deny

USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ClientContext:
    """Where a request came from; remembered per family (RF-11)."""

    ip: str | None
    user_agent: str | None

    @classmethod
    def of(cls, ip: str | None, user_agent: str | None) -> "ClientContext":
        return cls(ip, user_agent[:USER_AGENT_LENGTH] if user_agent else None)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the refresh token that stands beside it."""

    access: IssuedToken
    refresh: IssuedToken


@dataclass(frozen=True, slots=True)
class Consumed:
    """A refresh token that has just been used up, with what is known of its family."""

    family_id: UUID
    user_id: UUID
    workspace_id: UUID
    family_created_at: datetime
    consumed_at: datetime
    context: ClientContext


class AppClosed(Exception):
    """The login app is not active, or gone, in the moment in which a family would be opened (AC-9)."""


class Reused(Exception):
    """The token was consumed before, or is unknown although its signature is right (RF-5)."""

    def __init__(self, family_id: UUID | None) -> None:
        super().__init__("refresh token reused")
        self.family_id = family_id


async def open_family(
    session: AsyncSession,
    issuer: Issuer,
    subject: TokenSubject,
    *,
    client_app_id: UUID,
    context: ClientContext,
    now: datetime,
) -> TokenPair:
    """Start a family for one token exchange and issue its first pair (RF-1, RF-2). Raises :class:`AppClosed`."""
    family_id = uuid4()
    values = {
        "id": sa.literal(family_id, sa.Uuid()),
        "user_id": sa.literal(subject.user_id, sa.Uuid()),
        "workspace_id": sa.literal(subject.workspace_id, sa.Uuid()),
        "client_app_id": client_apps.c.id,
        "created_at": sa.literal(now, UtcDateTime()),
        "last_ip": sa.literal(context.ip, sa.Text()),
        "last_user_agent": sa.literal(context.user_agent, sa.Text()),
    }
    # The app's row is held: whoever ends the sessions of the app holds it too, so none can slip through (DL-9).
    active = sa.select(*values.values()).where(client_apps.c.id == client_app_id, client_apps.c.is_active)
    opened = await session.execute(
        sa.insert(RefreshFamily)
        .from_select(list(values), active.with_for_update(read=True))
        .returning(RefreshFamily.id)
    )
    if opened.scalar_one_or_none() is None:
        raise AppClosed
    return await issue_pair(session, issuer, subject, family_id=family_id, issued_at=now)


async def issue_pair(
    session: AsyncSession, issuer: Issuer, subject: TokenSubject, *, family_id: UUID, issued_at: datetime
) -> TokenPair:
    """Issue the next pair of a family and record its refresh token.

    ``issued_at`` is when its predecessor was used up, for the first pair when the family was opened.
    """
    access = issuer.access(subject)
    refresh = issuer.refresh(user_id=subject.user_id, family_id=family_id, epoch=subject.epoch)
    await session.execute(
        sa.insert(RefreshToken).values(
            jti=refresh.jti,
            family_id=family_id,
            access_jti=access.jti,
            access_expires_at=access.expires_at,
            issued_at=issued_at,
            expires_at=refresh.expires_at,
        )
    )
    return TokenPair(access, refresh)


async def consume(
    session: AsyncSession,
    claims: RefreshClaims,
    *,
    context: ClientContext,
    grace: timedelta,
    now: datetime,
) -> Consumed:
    """Use up a refresh token: of any number of parallel calls with one token, one returns (RF-3).

    ``grace`` above zero lets the client that lost an answer repeat its call while the successor is unused (RF-6).
    Raises :class:`Reused` for every other repetition.
    """
    # The family row is taken first: revocation takes it first as well, so neither can wait for the other.
    family = (
        await session.execute(
            sa.select(RefreshFamily).where(RefreshFamily.id == claims.family_id).with_for_update()
        )
    ).scalar_one_or_none()
    if family is None or family.user_id != claims.user_id:
        raise Reused(None)
    if family.revoked_at is not None:
        raise Reused(family.id)
    used_up = await session.execute(
        sa.update(RefreshToken)
        .where(
            RefreshToken.jti == claims.jti,
            RefreshToken.family_id == family.id,
            RefreshToken.consumed_at.is_(None),
        )
        .values(consumed_at=now)
        .returning(RefreshToken.consumed_at)
    )
    consumed_at = used_up.scalar_one_or_none()
    remembered = ClientContext(family.last_ip, family.last_user_agent)
    if consumed_at is None and grace and context == remembered:
        consumed_at = await _take_back_successor(session, claims.jti, family.id, grace=grace, now=now)
    if consumed_at is None:
        raise Reused(family.id)
    return Consumed(
        family_id=family.id,
        user_id=family.user_id,
        workspace_id=family.workspace_id,
        family_created_at=family.created_at,
        consumed_at=consumed_at,
        context=remembered,
    )


async def remember_context(session: AsyncSession, family_id: UUID, context: ClientContext) -> None:
    """Note where the family was last used from."""
    await session.execute(
        sa.update(RefreshFamily)
        .where(RefreshFamily.id == family_id)
        .values(last_ip=context.ip, last_user_agent=context.user_agent)
    )


async def _take_back_successor(
    session: AsyncSession, jti: UUID, family_id: UUID, *, grace: timedelta, now: datetime
) -> datetime | None:
    """Take back the unused successor of a token consumed within ``grace``; returns when that was, else None.

    A successor is issued in the instant in which its predecessor was consumed, also one that replaces another:
    the equal times link the two, and the window is counted from the first use whatever happens in it.
    """
    used = aliased(RefreshToken)
    later = aliased(RefreshToken)
    taken_back = (
        await session.execute(
            sa.delete(RefreshToken)
            .where(
                RefreshToken.family_id == family_id,
                RefreshToken.consumed_at.is_(None),
                sa.exists().where(
                    used.jti == jti,
                    used.family_id == family_id,
                    used.consumed_at == RefreshToken.issued_at,
                    used.consumed_at > now - grace,
                    # Of two tokens used up in one instant nobody can say which the successor belongs to.
                    ~sa.exists().where(
                        later.family_id == family_id,
                        later.jti != jti,
                        later.consumed_at >= used.consumed_at,
                    ),
                ),
            )
            .returning(RefreshToken.access_jti, RefreshToken.access_expires_at, RefreshToken.issued_at)
        )
    ).one_or_none()
    if taken_back is None:
        return None
    await deny(session, taken_back.access_jti, taken_back.access_expires_at, now=now)
    issued_at: datetime = taken_back.issued_at
    return issued_at
