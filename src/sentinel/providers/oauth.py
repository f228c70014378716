"""The OAuth 2.0 client side: Authlib's protocol logic over our own outbound HTTP.

Authlib's ready-made httpx client is not used: it would bring a second way out beside ``core/outbound.py``, and the
module prefers another HTTP library as soon as that is installed. This module is loaded with the first sign-in, because
workers that sign nobody in have no use for all that it brings.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]
from pydantic import SecretStr

from sentinel.core.errors import UpstreamFailed
from sentinel.core.outbound import Outbound
from sentinel.providers.errors import exchange_failed
from sentinel.providers.upstream import basic_credentials, call

_KNOWN_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "bad_verification_code",  # these three are GitHub's
        "incorrect_client_credentials",
        "redirect_uri_mismatch",
    }
)


class _TokenError(Exception):
    """The ``error`` of a token endpoint (RFC 6749 §5.2). The description is free text of theirs: not kept."""

    def __init__(self, error: object, description: object = None) -> None:
        self.error = error if isinstance(error, str) and error in _KNOWN_ERRORS else "unknown"
        super().__init__(self.error)


class OAuthClient(OAuth2Client):  # type: ignore[misc]
    """One authorization-code flow with one provider; made for each use, cheap. PKCE is S256 or nothing."""

    oauth_error_class = _TokenError

    def __init__(
        self,
        outbound: Outbound,
        *,
        client_id: str,
        client_secret: SecretStr,
        redirect_uri: str,
        scope: str | None = None,
        auth_method: str = "client_secret_basic",
    ) -> None:
        super().__init__(
            session=None,
            client_id=client_id,
            client_secret=client_secret.get_secret_value(),
            token_endpoint_auth_method=auth_method,
            redirect_uri=redirect_uri,
            scope=scope,
            code_challenge_method="S256",
        )
        self._outbound = outbound
        self.register_client_auth_method(("client_secret_basic", _basic))

    def authorization_url(
        self, endpoint: str, *, state: str, code_verifier: str | None = None, **extra: str | None
    ) -> str:
        """The provider's consent page (RFC 6749 §4.1.1, RFC 7636 §4.3); None among ``extra`` is left out."""
        if not state:
            raise ValueError("state must not be empty: it is what binds the answer to this browser (RO-3)")
        url, _ = self.create_authorization_url(endpoint, state=state, code_verifier=code_verifier, **extra)
        return str(url)

    async def redeem(self, endpoint: str, *, code: str, code_verifier: str | None = None) -> dict[str, Any]:
        """The token answer for an authorization code (RFC 6749 §4.1.3).

        Raises :class:`ExchangeFailed` (reason ``provider_invalid_grant`` and the like) and
        :class:`ProviderUnavailable`.
        """
        if not code:
            raise exchange_failed("code_missing")
        try:
            tokens = await self.fetch_token(
                endpoint, grant_type="authorization_code", code=code, code_verifier=code_verifier
            )
        except _TokenError as error:
            raise exchange_failed(f"provider_{error.error}") from error
        except (ValueError, TypeError, ArithmeticError, RecursionError, httpx.HTTPError) as error:
            raise exchange_failed("token_answer_malformed") from error
        except UpstreamFailed as error:
            raise exchange_failed(error.reason) from error
        return dict(tokens)

    async def _fetch_token(
        self,
        url: str,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        method: str = "POST",
    ) -> dict[str, Any]:
        """What the base class calls to send the token request it has put together."""
        url, sent_headers, body = auth.prepare(method, url, dict(headers or {}), body)
        response = await call(self._outbound, method, url, headers=sent_headers, content=body)
        tokens: dict[str, Any] = self.parse_response_token(response)
        response.raise_for_status()
        return tokens


def _basic(
    client: Any, method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    headers["Authorization"] = basic_credentials(client.client_id, client.client_secret)
    return uri, headers, body
