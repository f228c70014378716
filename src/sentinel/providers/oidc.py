"""Any OpenID Connect issuer (OpenID Connect Core 1.0): Keycloak, Okta, Auth0, Dex and their like."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from sentinel.core.clock import Clock
from sentinel.core.errors import UpstreamFailed
from sentinel.core.outbound import Outbound
from sentinel.providers.claims import PROFILE_CLAIMS, oidc_identity, require_verified, subject_of
from sentinel.providers.errors import ExchangeFailed, IdentityRefused, TokenRejected, exchange_failed
from sentinel.providers.id_token import verify
from sentinel.providers.keys import PublishedKeys
from sentinel.providers.metadata import Discovery, Metadata
from sentinel.providers.provider import Identity
from sentinel.providers.upstream import call, parse_json

if TYPE_CHECKING:
    from sentinel.providers.oauth import OAuthClient

SCOPE = "openid email profile"


class OidcProvider:
    """One issuer. What subclasses change: whose address counts, and which profile claims are kept."""

    uses_nonce = True
    uses_pkce = True
    profile_claims: ClassVar[tuple[str, ...]] = PROFILE_CLAIMS
    asks_userinfo: ClassVar[bool] = True

    def __init__(
        self,
        *,
        name: str,
        label: str,
        client_id: str,
        client_secret: SecretStr,
        metadata_url: str,
        outbound: Outbound,
        clock: Clock,
    ) -> None:
        if not client_id:
            raise ValueError(f"The provider {name} has no client id, so no audience to compare with (EV-7)")
        self.name = name
        self.label = label
        self._client_id = client_id
        self._client_secret = client_secret
        self._outbound = outbound
        self._clock = clock
        self._discovery = Discovery(name=name, url=metadata_url, outbound=outbound, clock=clock)
        self._keys = PublishedKeys(self._jwks_uri, outbound, clock)
        self._auth_method: str | None = None

    async def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str | None,
        code_verifier: str | None,
        prompt: str | None = None,
    ) -> str:
        """See :class:`Provider`."""
        _require(nonce, code_verifier)
        metadata = await self._discovery.metadata()
        client = self._client(redirect_uri, "client_secret_basic")
        return client.authorization_url(
            metadata.authorization_endpoint,
            state=state,
            code_verifier=code_verifier,
            nonce=nonce,
            prompt=prompt,
        )

    async def exchange(
        self, *, code: str, redirect_uri: str, nonce: str | None, code_verifier: str | None
    ) -> Identity:
        """See :class:`Provider`. Without an ``email`` in the ID token the userinfo endpoint is asked."""
        _require(nonce, code_verifier)
        metadata = await self._discovery.metadata()
        tokens = await self._redeem(metadata, code, redirect_uri, code_verifier)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise exchange_failed("no_id_token")
        try:
            claims = await self._verified(metadata, id_token, [self._client_id], nonce)
            if self.asks_userinfo and metadata.userinfo_endpoint and not claims.get("email"):
                found = await self._userinfo(metadata.userinfo_endpoint, tokens.get("access_token"), claims)
                claims = _merged(claims, found)
            return self._identity(claims)
        except TokenRejected as error:
            raise exchange_failed(error.reason) from error

    async def identify(
        self, token: str, *, audiences: Sequence[str] | None = None, nonce: str | None = None
    ) -> Identity:
        """See :class:`Provider`."""
        metadata = await self._discovery.metadata()
        claims = await self._verified(metadata, token, audiences or [self._client_id], nonce)
        return self._identity(claims)

    def _require_verified(self, claims: Mapping[str, Any]) -> None:
        """Raise :class:`IdentityRefused` unless the issuer vouches for the address."""
        require_verified(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        identity = oidc_identity(self.name, claims, profile_claims=self.profile_claims)
        try:
            self._require_verified(claims)
        except IdentityRefused as refusal:
            refusal.email = identity.email
            raise
        return identity

    async def _verified(
        self, metadata: Metadata, token: str, audiences: Sequence[str], nonce: str | None
    ) -> dict[str, Any]:
        return await verify(
            token,
            self._keys,
            self._clock,
            algorithms=metadata.algorithms,
            issuer=metadata.issuer,
            audiences=audiences,
            nonce=nonce,
        )

    async def _jwks_uri(self) -> str:
        return (await self._discovery.metadata()).jwks_uri

    def _client(self, redirect_uri: str, auth_method: str) -> "OAuthClient":
        from sentinel.providers.oauth import OAuthClient

        return OAuthClient(
            self._outbound,
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=redirect_uri,
            scope=SCOPE,
            auth_method=auth_method,
        )

    async def _redeem(
        self, metadata: Metadata, code: str, redirect_uri: str, code_verifier: str | None
    ) -> dict[str, Any]:
        """The token answer, with the client authentication that the issuer wants.

        A document lists what the issuer knows, not what this client is registered for. So a refusal of the client
        (which comes before the code is looked at) makes the other method be tried, and what works is remembered.
        """
        methods = sorted(metadata.auth_methods, key=lambda method: method != self._auth_method)
        for method in methods:
            try:
                tokens = await self._client(redirect_uri, method).redeem(
                    metadata.token_endpoint, code=code, code_verifier=code_verifier
                )
            except ExchangeFailed as error:
                if error.reason != "provider_invalid_client" or method == methods[-1]:
                    raise
            else:
                self._auth_method = method
                return tokens
        raise AssertionError("unreachable: auth_methods is never empty")

    async def _userinfo(
        self, endpoint: str, access_token: object, claims: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The userinfo claims (§5.3); raises :class:`ExchangeFailed` unless they are about the same ``sub``."""
        if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
            raise exchange_failed("no_access_token")
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        try:
            response = await call(self._outbound, "GET", endpoint, headers=headers)
        except UpstreamFailed as error:
            raise exchange_failed(error.reason) from error
        found = parse_json(response) if response.status_code == 200 else None
        if not isinstance(found, dict):
            raise exchange_failed("userinfo_malformed")
        if found.get("sub") != subject_of(claims):
            raise exchange_failed("userinfo_other_subject")
        return found


def _require(nonce: str | None, code_verifier: str | None) -> None:
    if not nonce or not code_verifier:
        raise ValueError("an OpenID Connect sign-in needs a nonce and a PKCE verifier (A2)")


def _merged(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """``userinfo`` below the signed claims; an address and what vouches for it come from the same side."""
    signed = {key: value for key, value in claims.items() if key not in ("email", "email_verified")}
    return {**userinfo, **signed} if userinfo.get("email") else dict(claims)
