"""The discovery document of an OIDC issuer: OpenID Connect Discovery 1.0, with the checks of §4.3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentinel.core.clock import Clock
from sentinel.core.outbound import NotAllowed, Outbound, check_url, is_loopback
from sentinel.providers.cache import Cached
from sentinel.providers.upstream import get_document, unavailable

WELL_KNOWN = "/.well-known/openid-configuration"

DEFAULT_ALGORITHMS = frozenset({"RS256"})
ALLOWED_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""EV-6: asymmetric ones only. What a document lists beside them does not count, least of all HS256 or none."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of a discovery document that are used, checked."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    """Signature algorithms of ID tokens that are accepted."""
    auth_methods: tuple[str, ...]
    """How the client may authenticate at the token endpoint, as far as we know how; never empty."""


class Discovery:
    """The metadata behind ``url``, cached.

    ``url`` implies the issuer: what stands before ``/.well-known/openid-configuration``, to the letter; a final slash
    is the one thing that the suffix hides (§4.1), so an issuer may have it. Another form of ``url`` implies nothing;
    then the first document's issuer is taken. Either way it may not change while the process lives.
    """

    def __init__(self, *, name: str, url: str, outbound: Outbound, clock: Clock) -> None:
        self._owner = f"provider:{name}"
        self._url = url
        self._outbound = outbound
        self._issuer: str | None = None
        self._cached: Cached[Metadata] = Cached(self._fetch, clock)
        outbound.allow(self._owner, [url])

    async def metadata(self) -> Metadata:
        """The checked document; raises :class:`ProviderUnavailable`."""
        return await self._cached.get()

    async def _fetch(self) -> Metadata:
        document = await get_document(self._outbound, self._url)
        issuer = self._check_issuer(document.get("issuer"))
        algorithms = _texts(document, "id_token_signing_alg_values_supported") & ALLOWED_ALGORITHMS
        methods = _texts(document, "token_endpoint_auth_methods_supported")
        metadata = Metadata(
            issuer=issuer,
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            userinfo_endpoint=(
                self._endpoint(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else None
            ),
            algorithms=algorithms or DEFAULT_ALGORITHMS,
            auth_methods=tuple(
                method for method in ("client_secret_basic", "client_secret_post") if method in methods
            )
            or ("client_secret_basic",),
        )
        called = [self._url, metadata.token_endpoint, metadata.jwks_uri, metadata.userinfo_endpoint]
        self._outbound.allow(self._owner, [url for url in called if url])
        self._issuer = issuer
        return metadata

    def _check_issuer(self, issuer: object) -> str:
        if not isinstance(issuer, str) or not issuer:
            raise unavailable("metadata_malformed")
        if self._issuer is not None:
            accepted = [self._issuer]
        elif self._url.endswith(WELL_KNOWN):
            base = self._url.removesuffix(WELL_KNOWN)
            accepted = [base, f"{base}/"]
        else:
            accepted = [issuer]
        if issuer not in accepted:
            raise unavailable("metadata_issuer_mismatch")
        return issuer

    def _endpoint(self, document: Mapping[str, Any], key: str) -> str:
        url = document.get(key)
        if not isinstance(url, str):
            raise unavailable("metadata_malformed")
        try:
            # A document from elsewhere may not point into this machine.
            if "#" in url or (is_loopback(url) and not is_loopback(self._url)):
                raise unavailable("metadata_endpoint_refused")
            check_url(url)
        except NotAllowed as error:
            raise unavailable("metadata_endpoint_refused") from error
        return url


def _texts(document: Mapping[str, Any], key: str) -> frozenset[str]:
    values = document.get(key)
    return (
        frozenset(value for value in values if isinstance(value, str))
        if isinstance(values, list)
        else frozenset()
    )
