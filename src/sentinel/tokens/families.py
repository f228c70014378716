"""Refresh families: rotation, reuse detection, limits of age (``tokens.md`` §6).

What this file does not decide is whether the person may still have a session: the caller reads user, membership
and organization in the same transaction and revokes the family when the answer is no (RF-7).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.tokens.claims import IssuedToken, RefreshClaims, TokenSubject
from sentinel.tokens.issue import Issuer
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.tokens.revocation import deny

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
    context: ClientContext


class Reused(Exception):
    """The token was consumed before, or is unknown although its signature is right (RF-5)."""

    def __init__(self, family_id: UUID | None, user_id: UUID | None) -> None:
        super().__init__("refresh token reused")
        self.family_id = family_id
        self.user_id = user_id


async def open_family(
    session: AsyncSession,
    issuer: Issuer,
    subject: TokenSubject,
    *,
    client_app_id: UUID,
    context: ClientContext,
    now: datetime,
) -> TokenPair:
    """Start a family for one token exchange and issue its first pair (RF-1, RF-2)."""
    family_id = uuid4()
    await session.execute(
        sa.insert(RefreshFamily).values(
            id=family_id,
            user_id=subject.user_id,
            workspace_id=subject.workspace_id,
            client_app_id=client_app_id,
            created_at=now,
            last_ip=context.ip,
            last_user_agent=context.user_agent,
        )
    )
    return await issue_pair(session, issuer, subject, family_id=family_id, now=now)


async def issue_pair(
    session: AsyncSession, issuer: Issuer, subject: TokenSubject, *, family_id: UUID, now: datetime
) -> TokenPair:
    """Issue the next pair of a family and record its refresh token."""
    access = issuer.access(subject)
    refresh = issuer.refresh(user_id=subject.user_id, family_id=family_id, epoch=subject.epoch)
    await session.execute(
        sa.insert(RefreshToken).values(
            jti=refresh.jti,
            family_id=family_id,
            access_jti=access.jti,
            access_expires_at=access.expires_at,
            issued_at=now,
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
        raise Reused(None, None)
    if family.revoked_at is not None:
        raise Reused(family.id, family.user_id)
    used_up = await session.execute(
        sa.update(RefreshToken)
        .where(
            RefreshToken.jti == claims.jti,
            RefreshToken.family_id == family.id,
            RefreshToken.consumed_at.is_(None),
        )
        .values(consumed_at=now)
        .returning(RefreshToken.jti)
    )
    remembered = ClientContext(family.last_ip, family.last_user_agent)
    if used_up.scalar_one_or_none() is None and not (
        grace
        and context == remembered
        and await _replace_unused_successor(session, claims.jti, family.id, grace=grace, now=now)
    ):
        raise Reused(family.id, family.user_id)
    return Consumed(
        family_id=family.id,
        user_id=family.user_id,
        workspace_id=family.workspace_id,
        family_created_at=family.created_at,
        context=remembered,
    )


async def remember_context(session: AsyncSession, family_id: UUID, context: ClientContext) -> None:
    """Note where the family was last used from."""
    await session.execute(
        sa.update(RefreshFamily)
        .where(RefreshFamily.id == family_id)
        .values(last_ip=context.ip, last_user_agent=context.user_agent)
    )


async def _replace_unused_successor(
    session: AsyncSession, jti: UUID, family_id: UUID, *, grace: timedelta, now: datetime
) -> bool:
    """Take back the successor of a token consumed within ``grace``, if nobody has used it.

    A successor is issued in the instant in which its predecessor is consumed, so the equal times link the two.
    """
    consumed = sa.select(RefreshToken.consumed_at).where(
        RefreshToken.jti == jti,
        RefreshToken.family_id == family_id,
        RefreshToken.consumed_at > now - grace,
    )
    taken_back = (
        await session.execute(
            sa.delete(RefreshToken)
            .where(
                RefreshToken.family_id == family_id,
                RefreshToken.issued_at == consumed.scalar_subquery(),
                RefreshToken.consumed_at.is_(None),
            )
            .returning(RefreshToken.access_jti, RefreshToken.access_expires_at)
        )
    ).one_or_none()
    if taken_back is None:
        return False
    await deny(session, taken_back.access_jti, taken_back.access_expires_at, now=now)
    # The predecessor now stands for its new successor, issued in this instant.
    await session.execute(sa.update(RefreshToken).where(RefreshToken.jti == jti).values(consumed_at=now))
    return True
