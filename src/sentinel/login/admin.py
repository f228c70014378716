"""Signing in to the panel: to the provider and back with an admin token (``admin.md`` §1, AL1, AL2).

A flow of this kind is of no use at the callback of applications, and theirs is of none here: both kinds stand in one
cookie, and each callback looks for its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.signals import Signals
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import DomainError, Forbidden
from sentinel.core.logging import app_event, security_event
from sentinel.identity.models import SocialAccount, User
from sentinel.login.round_trip import (
    LoginRejected,
    Started,
    attempted_email,
    begin,
    identify,
    lost,
    provider_for,
)
from sentinel.login.sign_in import SignedIn, SignInRefused, failure_reason, sign_in
from sentinel.login.state import Flow
from sentinel.login.trail import Trail
from sentinel.providers import ExchangeFailed, Identity, Providers, ProviderUnavailable
from sentinel.tokens.claims import IssuedToken
from sentinel.tokens.families import ClientContext
from sentinel.tokens.issue import Issuer

KIND: Literal["admin"] = "admin"

CODES = {
    "not_admin": "not_admin",
    "email_not_verified": "email_not_verified",
    "no_email_claim": "no_email_claim",
    "cross_provider_conflict": "email_conflict",
    "inactive_user": "inactive",
    "state_mismatch": "expired",
    "provider_not_configured": "expired",
}
"""The code that the login page explains, by the reason that stands in the activity log."""


class AdminLoginRefused(Forbidden):
    """A refusal that the login page explains: ``code`` is one of AL2."""

    def __init__(self, reason: str) -> None:
        super().__init__("This sign-in to the panel was refused", reason=reason)
        self.code = CODES[reason]


@dataclass(frozen=True, slots=True)
class AdminSignedIn:
    """The panel's token, and the page that was asked for before the sign-in, if any."""

    token: IssuedToken
    return_path: str | None


class AdminLogin:
    """The panel's sign-in of one installation."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        issuer: Issuer,
        *,
        base_url: str,
        admin_emails: Collection[str],
        signals: Signals,
        clock: Clock,
    ) -> None:
        self._database = database
        self._providers = providers
        self._issuer = issuer
        self._base_url = base_url
        self._admin_emails = frozenset(admin_emails)
        self._trail = Trail(KIND, database, signals, clock)
        self._clock = clock

    async def start(
        self, provider_name: str, context: ClientContext, *, return_path: str | None = None
    ) -> Started:
        """Prepare the way to the provider (AL1).

        ``return_path`` is a page of the panel that the caller has validated; it comes back at the end. Raises
        :class:`~sentinel.login.round_trip.LoginRejected` for a provider that is not configured, which is in the
        activity log then, and :class:`~sentinel.providers.ProviderUnavailable`.
        """
        try:
            provider = provider_for(self._providers, provider_name)
        except LoginRejected as refusal:
            await self._trail.failed(_log_failure(refusal, provider_name), provider_name, context)
            raise
        try:
            return await begin(
                provider,
                kind=KIND,
                callback=self._callback(provider.name),
                clock=self._clock,
                return_path=return_path,
            )
        except Exception as error:
            _log_failure(error, provider_name)
            raise

    async def finish(
        self,
        provider_name: str,
        flow: Flow | None,
        *,
        code: str | None,
        provider_error: str | None,
        context: ClientContext,
    ) -> AdminSignedIn:
        """Complete a sign-in (AL2). ``flow`` is what the browser's cookie holds for the ``state`` that came back.

        Raises :class:`AdminLoginRefused` for what the login page explains, and whatever else went wrong as it is.
        Each failure is in the activity log then (AD-9), and nothing else has been written.
        """
        identity: Identity | None = None
        try:
            provider = provider_for(self._providers, provider_name)
            if flow is None or flow.kind != KIND:
                raise lost()
            identity = await identify(
                provider,
                flow,
                callback=self._callback(flow.provider),
                code=code,
                provider_error=provider_error,
            )
            signed_in = await self._sign_in(identity, context)
        except Exception as error:
            reason = _log_failure(error, provider_name)
            await self._trail.failed(reason, provider_name, context, attempted_email(error, identity))
            if isinstance(error, DomainError) and error.reason in CODES:
                raise AdminLoginRefused(error.reason) from error
            raise
        user = signed_in.user
        security_event(
            "auth.login.succeeded",
            outcome="success",
            actor=str(user.id),
            provider=identity.provider,
            first_time=signed_in.first_time,
            flow=KIND,
        )
        token = self._issuer.admin(user_id=user.id, email=user.email, name=user.name, epoch=user.token_epoch)
        return AdminSignedIn(token, flow.return_path)

    async def _sign_in(self, identity: Identity, context: ClientContext) -> SignedIn:
        async with self._database.transaction() as session:
            await _require_eligible(session, identity, self._admin_emails)
            signed_in = await sign_in(
                session,
                identity,
                admin_emails=self._admin_emails,
                organization_required=False,
                now=self._clock.now(),
            )
            # Once more: the person may have been demoted, or created by another sign-in, since the look above.
            # What sign_in has written is undone then.
            if not signed_in.user.is_admin:
                raise _not_admin()
            await self._trail.succeeded(session, signed_in, identity, context)
        return signed_in

    def _callback(self, provider_name: str) -> str:
        return f"{self._base_url}/auth/admin/callback/{provider_name}"


async def _require_eligible(session: AsyncSession, identity: Identity, admin_emails: frozenset[str]) -> None:
    """AD-1: whether the panel is open to this person, before anything is written: one statement.

    A known identity counts by its user alone, whatever address the provider gives now (AD-2). Raises
    :class:`~sentinel.login.sign_in.SignInRefused`.
    """
    known = (
        sa.select(SocialAccount.user_id)
        .where(
            SocialAccount.provider == identity.provider,
            SocialAccount.provider_user_id == identity.subject,
        )
        .scalar_subquery()
    )
    rows = (
        await session.execute(
            sa.select(User.is_admin, (User.id == known).label("known")).where(
                sa.or_(User.id == known, User.email == identity.email)
            )
        )
    ).all()
    if by_identity := [row.is_admin for row in rows if row.known]:
        eligible = any(by_identity)
    else:
        eligible = identity.email in admin_emails or any(row.is_admin for row in rows)
    if not eligible:
        raise _not_admin()


def _not_admin() -> SignInRefused:
    return SignInRefused("This account is not an administrator", reason="not_admin")


def _log_failure(error: Exception, provider: str) -> str:
    """Log a failure; returns its reason in the closed list of ``admin.md`` §9."""
    reason = error.reason if isinstance(error, DomainError) and error.reason in CODES else None
    event: dict[str, Any] = {"provider": provider[:64], "flow": KIND}
    if isinstance(error, LoginRejected):
        security_event("auth.login.rejected", outcome="denied", reason=error.reason, **event)
        return error.reason
    if isinstance(error, ExchangeFailed | ProviderUnavailable):
        security_event("auth.idp.exchange_failed", outcome="error", reason=error.reason, **event)
    if not isinstance(error, DomainError):
        app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)
    reason = reason or failure_reason(error)
    security_event("auth.login.failed", outcome="failure", reason=reason, **event)
    return reason
