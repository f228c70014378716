"""Which providers this deployment has."""

from sentinel.core.clock import Clock
from sentinel.core.outbound import NotAllowed, Outbound
from sentinel.providers.entra import Entra
from sentinel.providers.errors import ProviderNotConfigured
from sentinel.providers.github import GitHub
from sentinel.providers.google import Google
from sentinel.providers.oidc import OidcProvider
from sentinel.providers.provider import Provider
from sentinel.providers.static_key import StaticKey
from sentinel.settings import Settings


class Providers:
    """The configured providers; one object per process.

    A provider is configured when all of its variables are set (A1): its addresses, client id and secret come together
    from one configuration and are never changed one by one (L35). Raises ValueError for values that cannot be right.
    """

    def __init__(self, settings: Settings, outbound: Outbound, clock: Clock) -> None:
        self._providers: dict[str, Provider] = {}
        if settings.google_client_id and settings.google_client_secret.get_secret_value():
            self._add(
                Google(
                    client_id=settings.google_client_id,
                    client_secret=settings.google_client_secret,
                    outbound=outbound,
                    clock=clock,
                )
            )
        if settings.github_client_id and settings.github_client_secret.get_secret_value():
            self._add(
                GitHub(
                    client_id=settings.github_client_id,
                    client_secret=settings.github_client_secret,
                    outbound=outbound,
                )
            )
        if (
            settings.entra_client_id
            and settings.entra_client_secret.get_secret_value()
            and settings.entra_tenant_id
        ):
            self._add(
                Entra(
                    client_id=settings.entra_client_id,
                    client_secret=settings.entra_client_secret,
                    tenant_id=settings.entra_tenant_id,
                    outbound=outbound,
                    clock=clock,
                )
            )
        for issuer in settings.oidc:
            try:
                provider = OidcProvider(
                    name=issuer.name,
                    label=issuer.label or issuer.name,
                    client_id=issuer.client_id,
                    client_secret=issuer.client_secret,
                    metadata_url=issuer.metadata_url,
                    outbound=outbound,
                    clock=clock,
                )
            except NotAllowed as error:
                variable = f"OIDC_{issuer.name.upper()}_METADATA_URL"
                raise ValueError(f"{variable}: {error.detail}; give an https URL") from error
            self._add(provider)
        self._names = list(self._providers)
        # Never outside development, whatever the start-up checks let through (EV-13, C-19).
        if settings.debug and settings.test_trusted_issuer_pubkey:
            self._add(
                StaticKey(
                    public_key=settings.test_trusted_issuer_pubkey,
                    issuer=settings.test_trusted_issuer,
                    audience=settings.test_trusted_audience,
                    clock=clock,
                )
            )

    def names(self) -> list[str]:
        """The providers one can sign in through, in the order of A1. ``test_oidc`` is not one of them."""
        return list(self._names)

    def get(self, name: str) -> Provider:
        """The provider called ``name``; raises :class:`ProviderNotConfigured`."""
        try:
            return self._providers[name]
        except KeyError:
            raise ProviderNotConfigured(
                "This identity provider is not configured; GET /auth/providers lists those that are"
            ) from None

    def _add(self, provider: Provider) -> None:
        if provider.name in self._providers:
            raise ValueError(f"OIDC_PROVIDERS names {provider.name}, which exists already")
        self._providers[provider.name] = provider
