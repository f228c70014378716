"""The GitHub login for browsers in authz mode (``http-api.md`` Z2, Z3): GitHub knows no implicit flow, so Sentinel
fetches the token and hands it to the application in the fragment of its own address.
"""

from urllib.parse import quote, urlsplit

from sentinel.apps.addresses import origin_of
from sentinel.apps.service_apps import active_origins
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import Invalid, UpstreamFailed
from sentinel.core.logging import security_event
from sentinel.login.state import Flow, new_secret
from sentinel.providers import AUTHZ_SCOPE, GitHub, ProviderNotConfigured, Providers

KIND = "authz"
PROVIDER = "github"


class GitHubLogin:
    """Starts and finishes the login; what is on its way is in the browser's signed cookie."""

    def __init__(self, database: Database, providers: Providers, *, base_url: str, clock: Clock) -> None:
        self._database = database
        self._providers = providers
        self._callback = f"{base_url}/authz/idp/{PROVIDER}/callback"
        self._clock = clock

    async def start(self, provider_name: str, redirect_uri: str, nonce: str) -> tuple[str, Flow]:
        """Where to send the browser, and what it has to bring back (Z2).

        Raises :class:`Invalid` for another provider, or an address whose origin no active service app has (RO-7).
        """
        github = self._github(provider_name)
        await self._require_origin(redirect_uri, event="authz.idp.redirect_rejected")
        flow = Flow(
            kind=KIND,
            provider=PROVIDER,
            state=new_secret(),
            started_at=self._clock.timestamp(),
            nonce=nonce,
            redirect_uri=redirect_uri,
        )
        url = await github.authorization_url(redirect_uri=self._callback, state=flow.state, scope=AUTHZ_SCOPE)
        return url, flow

    async def finish(
        self, provider_name: str, flow: Flow | None, *, code: str | None, provider_error: str | None
    ) -> str:
        """The application's address with the token in its fragment (Z3). ``flow`` is what the cookie holds for the
        ``state`` that came back.

        Raises :class:`Invalid`, and :class:`UpstreamFailed` when GitHub does not hand a token out.
        """
        github = self._github(provider_name)
        if flow is None or flow.redirect_uri is None or flow.nonce is None:
            raise self._rejected(
                "This login has expired or was not started in this browser", "state_mismatch"
            )
        await self._require_origin(flow.redirect_uri, event="authz.idp.callback_rejected")
        if provider_error is not None or not code:
            raise self._rejected("GitHub did not complete the login", "provider_error")
        try:
            token = await github.exchange_token(code=code, redirect_uri=self._callback)
        except UpstreamFailed as error:
            security_event(
                "auth.idp.exchange_failed", outcome="failure", reason=error.reason, provider=PROVIDER
            )
            raise
        return f"{flow.redirect_uri}#id_token={quote(token, safe='')}&nonce={quote(flow.nonce, safe='')}"

    def _github(self, provider_name: str) -> GitHub:
        if provider_name == PROVIDER:
            try:
                found = self._providers.get(PROVIDER)
            except ProviderNotConfigured:
                found = None
            if isinstance(found, GitHub):
                return found
        raise self._rejected("Only a configured GitHub can be used here", "provider_not_configured")

    async def _require_origin(self, redirect_uri: str, *, event: str) -> None:
        try:
            parts = urlsplit(redirect_uri)
            origin = origin_of(redirect_uri)
            usable = "#" not in redirect_uri and "@" not in parts.netloc and "\\" not in redirect_uri
        except ValueError:
            usable, origin = False, ""
        if usable:
            async with self._database.reading() as session:
                if origin in await active_origins(session):
                    return
        security_event(event, outcome="denied", reason="origin_not_registered")
        raise Invalid(
            "The redirect address must be http(s), without fragment, on an origin of an active service app",
            reason="origin_not_registered",
        )

    @staticmethod
    def _rejected(detail: str, reason: str) -> Invalid:
        security_event("authz.idp.callback_rejected", outcome="denied", reason=reason)
        return Invalid(detail, reason=reason)
