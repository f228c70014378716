"""From a code to tokens, from tokens to fresh tokens, and the end of it all (``http-api.md`` A4 to A7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import UserCaller
from sentinel.audit import activity
from sentinel.audit.signals import Signals
from sentinel.core.clock import Clock
from sentinel.core.database import Database, after_commit, is_outage
from sentinel.core.errors import DomainError, Forbidden, NotFound, Unauthenticated, Unavailable
from sentinel.core.logging import app_event, security_event
from sentinel.identity.models import User
from sentinel.login import codes, subjects
from sentinel.login.codes import CodeGrant
from sentinel.tokens import families, revocation
from sentinel.tokens.claims import RefreshClaims
from sentinel.tokens.families import AppClosed, ClientContext, Consumed, Reused, TokenPair
from sentinel.tokens.issue import Issuer
from sentinel.tokens.verify import TokenRefused, Verifier
from sentinel.workspaces import gates
from sentinel.workspaces.gates import WorkspaceChoice

CANNOT_ISSUE = "Cannot issue tokens for this workspace"


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """``grace`` of RF-6, zero when strict; ``family_age`` of RF-12, None when unlimited."""

    grace: timedelta
    family_age: timedelta | None


class RefreshRefused(Unauthenticated):
    """Every failure of a refresh looks the same to the client (RF-13)."""

    def __init__(self, reason: str) -> None:
        super().__init__("Invalid refresh token", reason=reason, commit=True)


async def list_choices(
    session: AsyncSession, code: str, code_verifier: str, *, clock: Clock
) -> list[WorkspaceChoice]:
    """The workspaces behind a code, which is not used up (A4).

    Raises :class:`~sentinel.login.codes.CodeRefused`, and :class:`NotFound` when the person is gone or inactive.
    """
    try:
        grant = await codes.read_code(session, code, code_verifier, now=clock.now())
    except codes.CodeRefused as refusal:
        _note_rejected(refusal.reason)
        raise
    user = await session.get(User, grant.user_id)
    if user is None or not user.is_active:
        _refuse(NotFound("User not found", reason="inactive_user"))
    return await gates.choices(session, user)


async def exchange(
    session: AsyncSession,
    issuer: Issuer,
    code: str,
    code_verifier: str,
    workspace_id: UUID,
    *,
    configured: Collection[str],
    context: ClientContext,
    clock: Clock,
) -> TokenPair:
    """Exchange a code for a token pair of one workspace (A5). The code is used up first, whatever follows (AC-8).

    ``configured`` are the names of the providers in force. Raises :class:`~sentinel.login.codes.CodeRefused`,
    :class:`NotFound`, :class:`Forbidden`.
    """
    now = clock.now()
    try:
        grant = await codes.consume_code(session, code, code_verifier, now=now)
        if grant.provider not in configured:
            raise codes.CodeRefused(
                "The sign-in provider is no longer configured",
                reason="provider_not_configured",
                guessed=False,
            )
    except codes.CodeRefused as refusal:
        _note_rejected(refusal.reason)
        raise
    try:
        return await _open_session(session, issuer, grant, workspace_id, context, now)
    except DomainError:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        # Undone is what has failed, and with it the use of the code: it is used up once more (AC-8).
        await session.rollback()
        await codes.discard_code(session, code)
        if isinstance(error, sa.exc.IntegrityError):
            # The person, the workspace or the app was deleted in this moment.
            _refuse(Forbidden(CANNOT_ISSUE, reason="vanished", commit=True))
        app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)
        raise DomainError("Internal server error", reason="unexpected_error", commit=True) from error


async def refresh(
    database: Database,
    issuer: Issuer,
    verifier: Verifier,
    token: str,
    *,
    policy: RefreshPolicy,
    context: ClientContext,
    signals: Signals,
    clock: Clock,
) -> TokenPair:
    """Rotate a refresh token (A6, ``tokens.md`` §6).

    Raises :class:`RefreshRefused` for every failure but an unreachable database, which is
    :class:`~sentinel.core.errors.Unavailable` and leaves the token as it was.
    """
    try:
        claims = verifier.refresh(token)
    except TokenRefused as refusal:
        security_event("auth.token.refresh_rejected", outcome="denied", reason=refusal.reason)
        raise RefreshRefused(refusal.reason) from refusal
    try:
        async with database.transaction() as session:
            return await _rotate(session, issuer, claims, policy, context, signals, clock)
    except (RefreshRefused, Unavailable):
        raise
    except Exception as error:
        app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)
        async with database.transaction() as session:
            await _end_family(session, claims.family_id, claims.user_id, "unexpected_error", clock)
        raise RefreshRefused("unexpected_error") from error


async def logout(session: AsyncSession, caller: UserCaller, *, clock: Clock) -> None:
    """End every session of the caller and this access token at once (A7, DL-2)."""
    now = clock.now()
    await revocation.revoke_users(session, [caller.user_id], reason="logout", now=now)
    await revocation.deny(session, caller.jti, caller.expires_at, now=now)
    await _note(session, "user_logout", caller.user_id, now=now)
    after_commit(
        session,
        lambda: security_event(
            "auth.token.revoked", outcome="success", reason="logout", actor=str(caller.user_id)
        ),
    )


async def _open_session(
    session: AsyncSession,
    issuer: Issuer,
    grant: CodeGrant,
    workspace_id: UUID,
    context: ClientContext,
    now: datetime,
) -> TokenPair:
    """The gates of AC-9, and a family when all are open."""
    candidate = await subjects.load(session, grant.user_id, workspace_id, client_app_id=grant.client_app_id)
    reason = candidate.refusal
    if reason in ("unknown_user", "inactive_user"):
        _refuse(NotFound("User not found", reason=reason, commit=True))
    if not candidate.app_active:
        _refuse(_app_inactive())
    if reason == "unknown_workspace":
        _refuse(NotFound("Workspace not found", reason=reason, commit=True))
    if reason is not None or candidate.subject is None:
        _refuse(Forbidden(CANNOT_ISSUE, reason=reason, commit=True))
    try:
        pair = await families.open_family(
            session, issuer, candidate.subject, client_app_id=grant.client_app_id, context=context, now=now
        )
    except AppClosed:
        _refuse(_app_inactive())
    after_commit(
        session,
        lambda: security_event(
            "auth.token.issued",
            outcome="success",
            actor=str(grant.user_id),
            workspace_id=str(workspace_id),
        ),
    )
    return pair


def _app_inactive() -> codes.CodeRefused:
    return codes.CodeRefused("Invalid or expired code", reason="app_inactive", guessed=False)


async def _rotate(
    session: AsyncSession,
    issuer: Issuer,
    claims: RefreshClaims,
    policy: RefreshPolicy,
    context: ClientContext,
    signals: Signals,
    clock: Clock,
) -> TokenPair:
    now = clock.now()
    try:
        consumed = await families.consume(session, claims, context=context, grace=policy.grace, now=now)
    except Reused as reuse:
        await _note_reuse(session, claims, reuse, context, clock)
        raise RefreshRefused("reused") from reuse
    candidate = await subjects.load(session, consumed.user_id, consumed.workspace_id)
    reason = candidate.refusal
    if reason is None and policy.family_age and now - consumed.family_created_at > policy.family_age:
        reason = "family_too_old"
    # A family opened in the very moment of a revocation escaped it; its epoch tells (VR-9).
    if reason is None and candidate.user is not None and claims.epoch < candidate.user.token_epoch:
        reason = "outdated_epoch"
    if reason is not None or candidate.subject is None:
        await _end_family(session, consumed.family_id, consumed.user_id, reason or "not_a_member", clock)
        raise RefreshRefused(reason or "not_a_member")
    pair = await families.issue_pair(
        session, issuer, candidate.subject, family_id=consumed.family_id, issued_at=consumed.consumed_at
    )
    if context != consumed.context:
        await _note_context_change(session, consumed, context, clock)
        await signals.observe_context_change(
            session, user_id=consumed.user_id, ip=context.ip, user_agent=context.user_agent, now=now
        )
    after_commit(
        session,
        lambda: security_event(
            "auth.token.refreshed",
            outcome="success",
            actor=str(consumed.user_id),
            workspace_id=str(consumed.workspace_id),
        ),
    )
    return pair


async def _note_reuse(
    session: AsyncSession, claims: RefreshClaims, reuse: Reused, context: ClientContext, clock: Clock
) -> None:
    now = clock.now()
    if reuse.family_id is not None:
        await revocation.revoke_family(session, reuse.family_id, reason="refresh_reuse", now=now)
    detail = {"family_id": str(claims.family_id), "ip": context.ip, "user_agent": context.user_agent}
    await _note(session, "refresh_reuse_detected", claims.user_id, detail=detail, now=now)
    security_event(
        "auth.token.reuse_detected",
        outcome="anomaly",
        level="warning",
        actor=str(claims.user_id),
        family_id=str(claims.family_id),
    )


async def _end_family(
    session: AsyncSession, family_id: UUID, user_id: UUID, reason: str, clock: Clock
) -> None:
    now = clock.now()
    await revocation.revoke_family(session, family_id, reason=reason, now=now)
    detail = {"family_id": str(family_id), "reason": reason[:200]}
    await _note(session, "token_family_revoked", user_id, detail=detail, now=now)


async def _note(
    session: AsyncSession,
    action: str,
    user_id: UUID,
    *,
    detail: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    """The activity row of a revocation, with the person as its actor and target, unless nobody has the id any more.

    The revocation stands even when the row cannot be written (DL-11).
    """
    try:
        async with session.begin_nested():
            await activity.record(
                session,
                action,
                target_type="user",
                target_id=user_id,
                actor_id=await session.scalar(sa.select(User.id).where(User.id == user_id)),
                detail=detail,
                now=now,
            )
    except sa.exc.SQLAlchemyError:
        security_event("audit.write_failed", outcome="error", level="error", reason=action)


async def _note_context_change(
    session: AsyncSession, consumed: Consumed, context: ClientContext, clock: Clock
) -> None:
    try:
        async with session.begin_nested():
            await families.remember_context(session, consumed.family_id, context)
            await activity.record(
                session,
                "refresh_context_changed",
                target_type="user",
                target_id=consumed.user_id,
                actor_id=consumed.user_id,
                workspace_id=consumed.workspace_id,
                detail={
                    "family_id": str(consumed.family_id),
                    "old_ip": consumed.context.ip,
                    "old_user_agent": consumed.context.user_agent,
                    "ip": context.ip,
                    "user_agent": context.user_agent,
                },
                now=clock.now(),
            )
    except sa.exc.SQLAlchemyError:
        security_event("audit.write_failed", outcome="error", level="error", reason="refresh_context_changed")


def _refuse(refusal: DomainError) -> NoReturn:
    _note_rejected(refusal.reason)
    raise refusal


def _note_rejected(reason: str) -> None:
    security_event("auth.token.rejected", outcome="denied", reason=reason)
