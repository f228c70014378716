"""Deleting what has expired (``authorization.md`` §10). Nothing here decides anything: expired rows are already
refused by every statement that reads them.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.tokens.models import AuthorizationCode, RefreshFamily, RefreshToken, RevokedToken

LOCK_KEY = 0x53574550  # "SWEP"


async def sweep(session: AsyncSession, *, refresh_lifetime: timedelta, now: datetime) -> int:
    """Delete expired codes, denylist entries, refresh tokens and the families left empty; returns the row count.

    On PostgreSQL one process sweeps at a time: another that tries meanwhile returns 0 at once.
    """
    if session.get_bind().dialect.name == "postgresql":
        locked = await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK_KEY)))
        if not locked:
            return 0
    statements = [
        sa.delete(AuthorizationCode).where(AuthorizationCode.expires_at <= now),
        sa.delete(RevokedToken).where(RevokedToken.expires_at <= now),
        sa.delete(RefreshToken).where(RefreshToken.expires_at <= now),
        # A family is kept as long as one of its tokens could still be shown, so that reuse is recognised.
        sa.delete(RefreshFamily).where(
            RefreshFamily.created_at <= now - refresh_lifetime,
            ~sa.exists().where(RefreshToken.family_id == RefreshFamily.id),
            sa.or_(RefreshFamily.revoked_at.is_(None), RefreshFamily.revoked_at <= now - refresh_lifetime),
        ),
    ]
    deleted = 0
    for statement in statements:
        result = await session.execute(statement)
        deleted += result.rowcount  # type: ignore[attr-defined]
    return deleted
