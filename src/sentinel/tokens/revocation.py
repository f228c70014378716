"""Ending tokens before their time (``tokens.md`` §7). Every function is one part of its caller's transaction, so a
revocation commits together with its cause or not at all (DL-11).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.database import UtcDateTime, after_commit, upsert
from sentinel.core.logging import security_event
from sentinel.tokens.models import RefreshFamily, RefreshToken, RevokedToken

users = sa.table("users", sa.column("id", sa.Uuid()), sa.column("token_epoch", sa.Integer()))
client_apps = sa.table("client_apps", sa.column("id", sa.Uuid()), sa.column("is_active", sa.Boolean()))
"""Just the columns that are needed here: the tables themselves belong to a room above."""


async def revoke_users(session: AsyncSession, who: Any, *, reason: str, now: datetime) -> int:
    """End every session and every token of some people (``http-api.md`` §0.9 "revoke user").

    ``who`` is anything that SQL's IN takes: a list of user ids, or a SELECT of them. All their refresh families are
    revoked, the access tokens of these denylisted, and the token epoch raised, which ends authz and admin tokens.
    Returns how many refresh tokens that were still usable have been removed (DL-4).
    """
    # The users first, and in one order: whoever holds these rows orders all that follows, so two revocations
    # cannot wait for each other.
    held = sa.select(users.c.id).where(users.c.id.in_(who)).order_by(users.c.id)
    await session.execute(
        sa.update(users)
        .where(users.c.id.in_(held.with_for_update(key_share=True)))
        .values(token_epoch=users.c.token_epoch + 1)
    )
    return await _revoke_families(session, RefreshFamily.user_id.in_(who), reason=reason, now=now)


async def revoke_family(session: AsyncSession, family_id: UUID, *, reason: str, now: datetime) -> int:
    """Revoke one family: all its refresh records go, all its access tokens are denylisted (RF-8)."""
    return await _revoke_families(session, RefreshFamily.id == family_id, reason=reason, now=now)


async def revoke_login_app(session: AsyncSession, app_id: UUID, *, reason: str, now: datetime) -> int:
    """Revoke every family that was opened through a login app (DL-9).

    Holds the app until the transaction ends: an exchange of this moment either is over or finds the app as it will
    be then.
    """
    await session.execute(sa.select(client_apps.c.id).where(client_apps.c.id == app_id).with_for_update())
    return await _revoke_families(session, RefreshFamily.client_app_id == app_id, reason=reason, now=now)


async def deny(session: AsyncSession, jti: UUID, expires_at: datetime, *, now: datetime) -> None:
    """Put one token on the denylist for the rest of its life; an expired one is not stored (DL-1)."""
    if expires_at <= now:
        return
    held = sa.select(sa.literal(jti, sa.Uuid()), sa.literal(expires_at, UtcDateTime()))
    await _insert_denied(session, held)


async def _revoke_families(
    session: AsyncSession, which: sa.ColumnElement[bool], *, reason: str, now: datetime
) -> int:
    held = (
        sa.select(RefreshFamily.id)
        .where(which, RefreshFamily.revoked_at.is_(None))
        .order_by(RefreshFamily.id)
        .with_for_update()
    )
    await session.execute(
        sa.update(RefreshFamily)
        .where(RefreshFamily.id.in_(held))
        .values(revoked_at=now, revoke_reason=reason[:200])
    )
    families = sa.select(RefreshFamily.id).where(which)
    await _insert_denied(
        session,
        sa.select(RefreshToken.access_jti, RefreshToken.access_expires_at).where(
            RefreshToken.family_id.in_(families), RefreshToken.access_expires_at > now
        ),
    )
    removed = await session.execute(
        sa.delete(RefreshToken)
        .where(RefreshToken.family_id.in_(families))
        .returning(RefreshToken.family_id, RefreshToken.consumed_at, RefreshToken.expires_at)
    )
    rows = removed.all()
    for family_id in sorted({str(row.family_id) for row in rows}):
        after_commit(
            session,
            lambda family_id=family_id: security_event(  # type: ignore[misc]
                "auth.token.family_revoked", outcome="success", reason=reason, family_id=family_id
            ),
        )
    return sum(1 for row in rows if row.consumed_at is None and row.expires_at > now)


async def _insert_denied(session: AsyncSession, held: sa.Select[UUID, datetime]) -> None:
    # "WHERE true" because SQLite reads the ON of ON CONFLICT as a join's when the SELECT has no WHERE.
    await session.execute(
        upsert(session, RevokedToken)
        .from_select(["jti", "expires_at"], held.where(sa.true()))
        .on_conflict_do_nothing()
    )
