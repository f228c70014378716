"""Deleting what has expired (``authorization.md`` §10). Nothing here decides anything: expired rows are already
refused by every statement that reads them.
"""

from datetime import datetime, timedelta
from typing import Any

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
    families = sa.and_(
        # A family is kept as long as one of its tokens could still be shown, so that reuse is recognised.
        RefreshFamily.created_at <= now - refresh_lifetime,
        ~sa.exists().where(RefreshToken.family_id == RefreshFamily.id),
        sa.or_(RefreshFamily.revoked_at.is_(None), RefreshFamily.revoked_at <= now - refresh_lifetime),
    )
    statements = [
        _delete(AuthorizationCode.code_hash, AuthorizationCode.expires_at <= now),
        _delete(RevokedToken.jti, RevokedToken.expires_at <= now),
        _delete(RefreshToken.jti, RefreshToken.expires_at <= now),
        _delete(RefreshFamily.id, families),
    ]
    deleted = 0
    for statement in statements:
        result = await session.execute(statement)
        deleted += result.rowcount  # type: ignore[attr-defined]
    return deleted


def _delete(key: Any, expired: sa.ColumnElement[bool]) -> sa.Delete:
    # What somebody holds in this moment is left for the next time: sweeping waits for nobody, so that nobody who
    # waits for it can be waiting in a circle.
    rows = sa.select(key).where(expired).with_for_update(skip_locked=True)
    return sa.delete(key.class_).where(key.in_(rows))
