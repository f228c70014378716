"""The test provider ``test_oidc``: ID tokens verified with one key from the configuration (EV-13)."""

from collections.abc import Sequence
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.jwk import Key, RSAKey

from sentinel.core.clock import Clock
from sentinel.providers.claims import oidc_identity, require_verified
from sentinel.providers.errors import ProviderNotConfigured
from sentinel.providers.id_token import verify
from sentinel.providers.keys import MIN_RSA_BITS
from sentinel.providers.metadata import DEFAULT_ALGORITHMS
from sentinel.providers.provider import Identity


class StaticKey:
    """Checks tokens as every OIDC provider does, but has no pages and no endpoints: nobody signs in *through* it."""

    name = "test_oidc"
    label = "Test issuer"
    uses_nonce = True
    uses_pkce = True

    def __init__(self, *, public_key: str, issuer: str, audience: str, clock: Clock) -> None:
        if not issuer or not audience:
            raise ValueError("test_oidc needs TEST_TRUSTED_ISSUER and TEST_TRUSTED_AUDIENCE to compare with")
        self._key = _load(public_key)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    async def identify(
        self, token: str, *, audiences: Sequence[str] | None = None, nonce: str | None = None
    ) -> Identity:
        """See :class:`Provider`."""
        claims = await verify(
            token,
            self,
            self._clock,
            algorithms=DEFAULT_ALGORITHMS,
            issuer=self._issuer,
            audiences=audiences or [self._audience],
            nonce=nonce,
        )
        identity = oidc_identity(self.name, claims)
        require_verified(claims)
        return identity

    async def find(self, kid: str | None, algorithm: str) -> Key:
        """The one key, whatever the token calls it: a PEM has no name."""
        return self._key

    async def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str | None,
        code_verifier: str | None,
        prompt: str | None = None,
    ) -> NoReturn:
        """Always :class:`ProviderNotConfigured`."""
        raise _no_sign_in()

    async def exchange(
        self, *, code: str, redirect_uri: str, nonce: str | None, code_verifier: str | None
    ) -> NoReturn:
        """Always :class:`ProviderNotConfigured`."""
        raise _no_sign_in()


def _load(pem: str) -> RSAKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise ValueError(
            "TEST_TRUSTED_ISSUER_PUBKEY must be an RSA key of 2048 bits or more: tokens are RS256"
        )
    return RSAKey.import_key(key)


def _no_sign_in() -> ProviderNotConfigured:
    return ProviderNotConfigured("test_oidc only verifies tokens; sign in through another provider")
