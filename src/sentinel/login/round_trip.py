"""To a provider and back: what the sign-in of applications and that of the panel do alike."""

from dataclasses import dataclass
from typing import Any

from sentinel.core.clock import Clock
from sentinel.core.errors import DomainError, Invalid
from sentinel.login.state import Flow, new_secret
from sentinel.providers import Identity, IdentityRefused, Provider, Providers


class LoginRejected(Invalid):
    """A login that cannot be started or continued as it was asked for; nothing about the person is known yet."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and what it has to bring back."""

    authorization_url: str
    flow: Flow


def provider_for(providers: Providers, name: str) -> Provider:
    """The provider that one can sign in through under ``name``. Raises :class:`LoginRejected`."""
    # By the names of A1: a provider that only verifies tokens has no sign-in.
    if name not in providers.names():
        raise LoginRejected("This sign-in provider is not configured", reason="provider_not_configured")
    return providers.get(name)


async def begin(provider: Provider, *, kind: str, callback: str, clock: Clock, **kept: Any) -> Started:
    """Prepare the way to ``provider``, which sends the browser back to ``callback``.

    ``kind`` tells the flows of one cookie apart; ``kept`` are further fields of :class:`Flow`.
    """
    flow = Flow(
        kind=kind,
        provider=provider.name,
        state=new_secret(),
        started_at=clock.timestamp(),
        nonce=new_secret() if provider.uses_nonce else None,
        code_verifier=new_secret() if provider.uses_pkce else None,
        **kept,
    )
    url = await provider.authorization_url(
        redirect_uri=callback, state=flow.state, nonce=flow.nonce, code_verifier=flow.code_verifier
    )
    return Started(url, flow)


def lost() -> LoginRejected:
    """The refusal of a callback whose flow this browser does not have (RO-3)."""
    return LoginRejected(
        "This sign-in has expired or was not started in this browser", reason="state_mismatch"
    )


async def identify(
    provider: Provider, flow: Flow, *, callback: str, code: str | None, provider_error: str | None
) -> Identity:
    """Who came back: the provider's ``code`` exchanged and verified. Raises :class:`DomainError` without one, and
    what the provider raises.
    """
    if provider_error is not None or not code:
        raise DomainError("The provider did not complete the sign-in", reason="callback_error")
    return await provider.exchange(
        code=code, redirect_uri=callback, nonce=flow.nonce, code_verifier=flow.code_verifier
    )


def attempted_email(error: Exception, identity: Identity | None) -> str | None:
    """The address behind a failed sign-in, as far as the provider has told it."""
    if identity is not None:
        return identity.email
    return error.email if isinstance(error, IdentityRefused) else None
