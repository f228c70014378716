"""The session of an administrator in the panel: the live half of the ADMIN tier (AD-5), and its end (AL4)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.database import after_commit
from sentinel.core.errors import Unauthenticated
from sentinel.core.logging import security_event
from sentinel.identity.models import User
from sentinel.tokens import revocation
from sentinel.tokens.claims import AdminClaims
from sentinel.tokens.models import RevokedToken


@dataclass(frozen=True, slots=True)
class AdminCaller:
    """An administrator whose session has passed every check. Address and name are those of the row, not the token's.

    Only :func:`require_admin` makes one, so a use case that asks for an ``AdminCaller`` cannot be called without it.
    """

    user_id: UUID
    email: str
    name: str
    jti: UUID
    expires_at: datetime


_STATEMENT = sa.select(
    User.email,
    User.name,
    User.is_active,
    User.is_admin,
    User.token_epoch,
    sa.exists().where(RevokedToken.jti == sa.bindparam("auth_jti", type_=sa.Uuid())).label("revoked"),
).where(User.id == sa.bindparam("auth_sub", type_=sa.Uuid()))


async def require_admin(session: AsyncSession, claims: AdminClaims) -> AdminCaller:
    """The administrator behind a verified token, if nothing live speaks against it: one statement (VR-7 to VR-9).

    Raises :class:`Unauthenticated`, one text for every reason.
    """
    parameters = {"auth_jti": claims.jti, "auth_sub": claims.user_id}
    row = (await session.execute(_STATEMENT, parameters)).one_or_none()
    if row is None:
        raise _refused("unknown_user")
    if not row.is_active:
        raise _refused("inactive_user")
    if not row.is_admin:
        raise _refused("not_admin")
    if row.revoked:
        raise _refused("revoked")
    if claims.epoch < row.token_epoch:
        raise _refused("outdated_epoch")
    return AdminCaller(claims.user_id, row.email, row.name, claims.jti, claims.expires_at)


async def end_session(session: AsyncSession, caller: AdminCaller, *, now: datetime) -> None:
    """End this one session of the caller: its token is denylisted (AL4, DL-3). Others of his stay."""
    await revocation.deny(session, caller.jti, caller.expires_at, now=now)
    await activity.record(
        session,
        "admin_logout",
        target_type="user",
        target_id=caller.user_id,
        actor_id=caller.user_id,
        now=now,
    )
    after_commit(
        session,
        lambda: security_event(
            "auth.token.revoked", outcome="success", reason="admin_logout", actor=str(caller.user_id)
        ),
    )


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated("Invalid or expired session", reason=reason)
