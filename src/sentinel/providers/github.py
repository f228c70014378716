"""GitHub: OAuth 2.0 without OpenID Connect, so the person is read from the REST API (EV-5, EV-8, EV-9)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from sentinel.core.errors import UpstreamFailed
from sentinel.core.outbound import Outbound
from sentinel.providers.claims import avatar_url, display_name, no_email, not_verified, plain_email, profile
from sentinel.providers.errors import TokenRejected, exchange_failed
from sentinel.providers.id_token import MAX_TOKEN_LENGTH
from sentinel.providers.provider import Identity
from sentinel.providers.upstream import basic_credentials, call, parse_json, unavailable

if TYPE_CHECKING:
    from sentinel.providers.oauth import OAuthClient

WEB = "https://github.com"
API = "https://api.github.com"

LOGIN_SCOPE = "user:email"
AUTHZ_SCOPE = "read:user user:email"

_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN_LENGTH}}}")


class GitHub:
    """Sign-in with GitHub. There is no nonce to carry and the flow has ``state`` only (A2)."""

    name = "github"
    label = "GitHub"
    uses_nonce = False
    uses_pkce = False

    def __init__(self, *, client_id: str, client_secret: SecretStr, outbound: Outbound) -> None:
        if not client_id:
            raise ValueError("GitHub has no client id, so no application that a token could belong to (EV-9)")
        self._client_id = client_id
        self._client_secret = client_secret
        self._outbound = outbound
        outbound.allow("provider:github", [WEB, API])

    async def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str | None = None,
        code_verifier: str | None = None,
        prompt: str | None = None,
        scope: str = LOGIN_SCOPE,
    ) -> str:
        """See :class:`Provider`. ``scope`` is ``AUTHZ_SCOPE`` where the token goes to an application (Z2)."""
        client = self._client(redirect_uri, scope)
        return client.authorization_url(f"{WEB}/login/oauth/authorize", state=state, prompt=prompt)

    async def exchange(
        self, *, code: str, redirect_uri: str, nonce: str | None = None, code_verifier: str | None = None
    ) -> Identity:
        """See :class:`Provider`. The token is our own application's, fresh from GitHub, so it is not checked again."""
        token = await self.exchange_token(code=code, redirect_uri=redirect_uri)
        try:
            return await self._identity(token)
        except (TokenRejected, UpstreamFailed) as error:
            raise exchange_failed(error.reason) from error

    async def exchange_token(self, *, code: str, redirect_uri: str) -> str:
        """The access token for an authorization code, for the application that asked for it (Z3).

        Raises :class:`ExchangeFailed`.
        """
        tokens = await self._client(redirect_uri).redeem(f"{WEB}/login/oauth/access_token", code=code)
        token = tokens.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise exchange_failed("no_access_token")
        return token

    async def identify(
        self, token: str, *, audiences: Sequence[str] | None = None, nonce: str | None = None
    ) -> Identity:
        """See :class:`Provider`. ``nonce`` is ignored (Z1); ``audiences`` cannot be honoured, so refused (EV-8)."""
        if audiences:
            raise _rejected("github_audience_unbound")
        if not _TOKEN.fullmatch(token):
            raise _rejected("token_malformed")
        try:
            await self._check_token(token)
            return await self._identity(token)
        except UpstreamFailed as error:
            raise unavailable(error.reason) from error

    async def _check_token(self, token: str) -> None:
        """EV-9: GitHub confirms that the token was issued to our application, or :class:`TokenRejected`."""
        response = await self._call(
            "POST",
            f"/applications/{quote(self._client_id, safe='')}/token",
            basic_credentials(self._client_id, self._client_secret.get_secret_value()),
            json={"access_token": token},
        )
        if response.status_code == 401:
            raise unavailable("github_client_refused")  # our own credentials: nothing is said about the token
        if response.status_code != 200:
            raise _rejected("github_token_not_ours")
        application = _member(parse_json(response), "app")
        if _member(application, "client_id") not in (None, self._client_id):
            raise _rejected("github_token_not_ours")

    async def _identity(self, token: str) -> Identity:
        """The person behind a token that is known to be our application's."""
        user = await self._get("/user", token)
        number = _member(user, "id")
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise _rejected("bad_subject")
        email = await self._email(token)
        name = _member(user, "name")
        return Identity(
            provider=self.name,
            subject=str(number),
            idp_sub=f"github|{number}",
            email=email,
            name=display_name(name if isinstance(name, str) and name.strip() else user.get("login"), email),
            avatar_url=avatar_url(user.get("avatar_url")),
            profile=profile({key: user.get(key) for key in ("login", "html_url")}),
        )

    async def _email(self, token: str) -> str:
        """EV-5: the address that is both primary and verified."""
        entries = await self._get("/user/emails?per_page=100", token)
        primary = [
            entry
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, dict) and entry.get("primary") is True
        ]
        if not primary:
            raise no_email()
        for entry in primary:
            if entry.get("verified") is True:
                return plain_email(entry.get("email"))
        refusal = not_verified()
        email = primary[0].get("email")
        refusal.email = email if isinstance(email, str) else None
        raise refusal

    async def _get(self, path: str, token: str) -> Any:
        response = await self._call("GET", path, f"Bearer {token}")
        if response.status_code == 401:
            raise _rejected("github_token_revoked")
        if response.status_code != 200:
            return None  # a token without the scope for it
        return parse_json(response)

    async def _call(self, method: str, path: str, authorization: str, json: Any = None) -> httpx.Response:
        headers = {
            "authorization": authorization,
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        response = await call(self._outbound, method, API + path, headers=headers, json=json)
        # GitHub says "too many requests" with 403, too.
        if response.status_code == 403 and (
            "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
        ):
            raise unavailable("github_rate_limited", retry_after=response.headers.get("retry-after", ""))
        return response

    def _client(self, redirect_uri: str, scope: str | None = None) -> "OAuthClient":
        from sentinel.providers.oauth import OAuthClient

        return OAuthClient(
            self._outbound,
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=redirect_uri,
            scope=scope,
            auth_method="client_secret_post",
        )


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _rejected(reason: str) -> TokenRejected:
    return TokenRejected(
        "The GitHub token is not valid here; sign in again to obtain a new one", reason=reason
    )
