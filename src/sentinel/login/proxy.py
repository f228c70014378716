"""Proxy mode: from the application to the provider and back with an authorization code (``http-api.md`` A2, A3)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from sentinel.apps import login_apps
from sentinel.apps.models import LoginApp
from sentinel.audit.signals import Signals
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import DomainError
from sentinel.core.logging import app_event, security_event
from sentinel.login import codes
from sentinel.login.round_trip import (
    LoginRejected,
    Started,
    attempted_email,
    begin,
    identify,
    lost,
    provider_for,
)
from sentinel.login.sign_in import failure_reason, sign_in
from sentinel.login.state import Flow, redirect_digest
from sentinel.login.trail import Trail
from sentinel.providers import ExchangeFailed, Identity, Providers, ProviderUnavailable
from sentinel.tokens.families import ClientContext

KIND = "proxy"


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What an application asks for at A2."""

    client_id: UUID
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str
    app_state: str | None


class ProxyLogin:
    """The proxy-mode sign-in of one installation: its providers, its database, its own address."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        *,
        base_url: str,
        admin_emails: Sequence[str],
        signals: Signals,
        clock: Clock,
    ) -> None:
        self._database = database
        self._providers = providers
        self._base_url = base_url
        self._admin_emails = frozenset(admin_emails)
        self._trail = Trail("user", database, signals, clock)
        self._clock = clock

    async def start(self, provider_name: str, request: LoginRequest, context: ClientContext) -> Started:
        """Check an application's request and prepare the way to the provider (RO-1, RO-2).

        Raises :class:`LoginRejected`; the refusal is in the activity log then. What else goes wrong, such as a
        provider that cannot be reached, is in the log.
        """
        try:
            provider = provider_for(self._providers, provider_name)
            if request.code_challenge_method != codes.METHOD:
                raise LoginRejected("Only the PKCE method S256 is supported", reason="pkce_method_rejected")
            async with self._database.reading() as session:
                if not await login_apps.redirect_allowed(session, request.client_id, request.redirect_uri):
                    raise _redirect_refused()
            return await begin(
                provider,
                kind=KIND,
                callback=self._callback(provider.name),
                clock=self._clock,
                client_id=request.client_id,
                redirect_digest=redirect_digest(request.redirect_uri),
                code_challenge=request.code_challenge,
                app_state=request.app_state,
            )
        except LoginRejected as refusal:
            await self._note_rejection(refusal, provider_name, context)
            raise
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
    ) -> str:
        """Complete a sign-in and return where the browser goes: the application's redirect URI with a code.

        ``flow`` is what the browser's cookie holds for the ``state`` that came back, None when it holds nothing.
        Raises :class:`LoginRejected`, the refusals of :mod:`~sentinel.login.sign_in` and of the providers; each is
        in the activity log then, and nothing else has been written.
        """
        identity: Identity | None = None
        try:
            provider = provider_for(self._providers, provider_name)
            if flow is None or flow.client_id is None or flow.code_challenge is None:
                raise lost()
            await self._registered_redirect(flow)
            identity = await identify(
                provider,
                flow,
                callback=self._callback(flow.provider),
                code=code,
                provider_error=provider_error,
            )
            return await self._complete(flow, flow.client_id, flow.code_challenge, identity, context)
        except LoginRejected as refusal:
            await self._note_rejection(refusal, provider_name, context)
            raise
        except Exception as error:
            await self._note_failure(error, provider_name, context, attempted_email(error, identity))
            raise

    async def _complete(
        self, flow: Flow, client_id: UUID, code_challenge: str, identity: Identity, context: ClientContext
    ) -> str:
        now = self._clock.now()
        async with self._database.transaction() as session:
            signed_in = await sign_in(session, identity, admin_emails=self._admin_emails, now=now)
            # Once more, in the transaction that issues the code (AC-3): the app may have changed meanwhile.
            redirect_uri = _find_redirect(await session.get(LoginApp, client_id), flow)
            await self._trail.succeeded(session, signed_in, identity, context)
            code = await codes.issue_code(
                session,
                user_id=signed_in.user.id,
                client_app_id=client_id,
                provider=flow.provider,
                code_challenge=code_challenge,
                now=now,
            )
        security_event(
            "auth.login.succeeded",
            outcome="success",
            actor=str(signed_in.user.id),
            provider=flow.provider,
            first_time=signed_in.first_time,
        )
        return final_redirect(redirect_uri, code, flow.app_state)

    async def _registered_redirect(self, flow: Flow) -> str:
        async with self._database.reading() as session:
            app = await session.get(LoginApp, flow.client_id)
        return _find_redirect(app, flow)

    def _callback(self, provider_name: str) -> str:
        return f"{self._base_url}/auth/callback/{provider_name}"

    async def _note_rejection(self, refusal: DomainError, provider: str, context: ClientContext) -> None:
        security_event("auth.login.rejected", outcome="denied", reason=refusal.reason, provider=provider[:64])
        await self._trail.failed(refusal.reason, provider, context)

    async def _note_failure(
        self, error: Exception, provider: str, context: ClientContext, email: str | None
    ) -> None:
        _log_failure(error, provider)
        await self._trail.failed(failure_reason(error), provider, context, email)


def final_redirect(redirect_uri: str, code: str, app_state: str | None) -> str:
    """The application's URI with ``code`` and, if it gave one, its own ``state``, every value percent-encoded."""
    joint = "&" if "?" in redirect_uri else "?"
    url = f"{redirect_uri}{joint}code={quote(code, safe='')}"
    return url if app_state is None else f"{url}&state={quote(app_state, safe='')}"


def _log_failure(error: Exception, provider: str) -> None:
    if isinstance(error, ExchangeFailed | ProviderUnavailable):
        security_event(
            "auth.idp.exchange_failed", outcome="error", reason=error.reason, provider=provider[:64]
        )
    if not isinstance(error, DomainError):
        app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)
    reason = failure_reason(error)
    security_event("auth.login.failed", outcome="failure", reason=reason, provider=provider[:64])


def _find_redirect(app: LoginApp | None, flow: Flow) -> str:
    """The URI of the flow among those that are registered on its app now (RO-2)."""
    if app is not None and app.is_active:
        for uri in app.redirect_uris:
            if hmac.compare_digest(redirect_digest(uri), flow.redirect_digest or ""):
                return uri
    raise _redirect_refused()


def _redirect_refused() -> LoginRejected:
    return LoginRejected(
        "The application is unknown or inactive, or the redirect URI is not registered for it",
        reason="redirect_uri_not_allowed",
    )
