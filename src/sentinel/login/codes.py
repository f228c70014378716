"""Authorization codes of proxy mode (``tokens.md`` §5)."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Invalid
from sentinel.tokens.models import AuthorizationCode

LIFETIME = timedelta(seconds=300)
METHOD = "S256"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """What a code stands for (AC-2)."""

    user_id: UUID
    client_app_id: UUID
    provider: str
    code_challenge: str | None
    code_challenge_method: str | None


class CodeRefused(Invalid):
    """A code that is unknown, used or expired, or whose PKCE proof is wrong. Whatever was consumed stays so (AC-8).

    ``guessed`` is true for what an honest client does not do, which counts against the failed-auth limit.
    """

    def __init__(self, detail: str, *, reason: str, guessed: bool = True) -> None:
        super().__init__(detail, reason=reason, commit=True)
        self.guessed = guessed


async def issue_code(
    session: AsyncSession,
    *,
    user_id: UUID,
    client_app_id: UUID,
    provider: str,
    code_challenge: str,
    now: datetime,
) -> str:
    """A fresh code of 32 random bytes; only its hash is stored (AC-1)."""
    code = secrets.token_urlsafe(32)
    await session.execute(
        sa.insert(AuthorizationCode).values(
            code_hash=_hash(code),
            user_id=user_id,
            client_app_id=client_app_id,
            provider=provider,
            code_challenge=code_challenge,
            code_challenge_method=METHOD,
            expires_at=now + LIFETIME,
        )
    )
    return code


async def read_code(session: AsyncSession, code: str, code_verifier: str, *, now: datetime) -> CodeGrant:
    """What a code stands for, without using it up; the PKCE proof is demanded all the same (AC-5).

    Raises :class:`CodeRefused`.
    """
    found = await session.execute(
        sa.select(*_COLUMNS).where(
            AuthorizationCode.code_hash == _hash(code), AuthorizationCode.expires_at > now
        )
    )
    return _proven(found.one_or_none(), code_verifier)


async def consume_code(session: AsyncSession, code: str, code_verifier: str, *, now: datetime) -> CodeGrant:
    """Use a code up and return what it stood for: of parallel exchanges exactly one gets it (AC-4).

    Raises :class:`CodeRefused`; the code is gone even then (AC-8).
    """
    taken = await session.execute(
        sa.delete(AuthorizationCode)
        .where(AuthorizationCode.code_hash == _hash(code), AuthorizationCode.expires_at > now)
        .returning(*_COLUMNS)
    )
    return _proven(taken.one_or_none(), code_verifier)


async def discard_code(session: AsyncSession, code: str) -> None:
    """Make sure that a code cannot be used (any more), whatever it stood for."""
    await session.execute(sa.delete(AuthorizationCode).where(AuthorizationCode.code_hash == _hash(code)))


_COLUMNS = (
    AuthorizationCode.user_id,
    AuthorizationCode.client_app_id,
    AuthorizationCode.provider,
    AuthorizationCode.code_challenge,
    AuthorizationCode.code_challenge_method,
)


def _proven(row: sa.Row[UUID, UUID, str, str | None, str | None] | None, code_verifier: str) -> CodeGrant:
    if row is None:
        raise CodeRefused("Invalid or expired code", reason="unknown_code")
    grant = CodeGrant(*row)
    if not grant.code_challenge or grant.code_challenge_method != METHOD:
        raise CodeRefused("Code was issued without PKCE", reason="no_challenge", guessed=False)
    digest = hashlib.sha256(code_verifier.encode("utf-8", "replace")).digest()
    computed = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if not hmac.compare_digest(computed, grant.code_challenge.encode()):
        raise CodeRefused("Invalid code verifier", reason="pkce_mismatch")
    return grant


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
