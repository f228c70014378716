"""How signing in through an identity provider can fail. Details are for people; reasons are for logs."""

from sentinel.core.errors import Invalid, Unavailable, UpstreamFailed


class ProviderNotConfigured(Invalid):
    """No such provider in this deployment, or one that cannot do what is asked."""

    default_reason = "provider_not_configured"


class IdentityRefused(Invalid):
    """The person is known to the provider, but has no address we may rely on (EV-1 to EV-5).

    ``reason`` is ``email_not_verified`` or ``no_email_claim``. An authz call answers 400 (Z1), a login page 403 (A3).
    """

    default_reason = "email_not_verified"
    email: str | None = None
    """The address that was refused, where there is one, for whoever counts failures; never for a log."""


class TokenRejected(Invalid):
    """A token handed to us is not one that the provider issued for the caller, now (EV-6 to EV-10)."""

    default_reason = "token_rejected"


class ExchangeFailed(UpstreamFailed):
    """The provider did not give usable tokens for an authorization code."""

    default_reason = "exchange_failed"


class ProviderUnavailable(Unavailable):
    """The provider, or something it must publish, cannot be reached or used at the moment. Never a pass."""

    default_reason = "provider_unavailable"


def exchange_failed(reason: str) -> ExchangeFailed:
    """One text for all; the reason is for the log."""
    return ExchangeFailed("The identity provider did not complete the sign-in; start again", reason=reason)
