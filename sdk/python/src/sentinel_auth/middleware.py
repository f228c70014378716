"""Proxy mode at the edge: one access token of Sentinel, verified offline."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import httpx

from sentinel_auth.asgi import ASGIApp, Guard, Refusal, Scope, bearer_token
from sentinel_auth.connection import warn_of_plain_http
from sentinel_auth.keys import PAUSE_SECONDS, KeySource, KeysUnavailable, PublishedKeys, loader, pinned
from sentinel_auth.users import user_of_access_token
from sentinel_auth.verification import TokenRefused, Verifier

__all__ = ["JWTAuthMiddleware"]

SENTINEL_TIMEOUT = 5.0


class JWTAuthMiddleware(Guard):
    """Sets ``request.state.token`` and ``request.state.user`` from ``Authorization: Bearer <access token>``.

    Keys come from ``{base_url}/.well-known/jwks.json`` or ``jwks_url`` and follow rotation; ``public_key`` (PEM)
    pins one. ``allowed_workspaces`` holds workspace ids. Answers 401 for a token that is missing or not accepted,
    403 for another workspace, 503 while the keys cannot be fetched. Revocation is not checked: see
    ``verification.py``. Raises ValueError without a source of keys.
    """

    def __init__(
        self,
        app: ASGIApp,
        base_url: str | None = None,
        public_key: str | None = None,
        jwks_url: str | None = None,
        algorithm: str = "RS256",
        audience: str = "sentinel:access",
        exclude_paths: Iterable[str] | None = None,
        allowed_workspaces: Collection[str] | None = None,
        *,
        issuer: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        keys: KeySource | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, exclude_paths)
        if keys is None:
            if public_key:
                keys = pinned(public_key, algorithm)
            elif jwks_url or base_url:
                url = jwks_url or f"{(base_url or '').rstrip('/')}/.well-known/jwks.json"
                warn_of_plain_http(url)
                keys = PublishedKeys(
                    loader(url, timeout=SENTINEL_TIMEOUT, transport=lambda: transport), clock=clock
                )
            else:
                raise ValueError("base_url, jwks_url or public_key is needed to verify tokens")
        self._verifier = Verifier(
            keys, audience=audience, algorithm=algorithm, issuer=issuer, type="access", clock=clock
        )
        self._allowed = (
            None if allowed_workspaces is None else {str(one).lower() for one in allowed_workspaces}
        )

    async def authenticate(self, scope: Scope) -> dict[str, Any]:
        token = bearer_token(scope)
        if token is None:
            raise Refusal(401, "Missing or invalid Authorization header")
        try:
            user = user_of_access_token(await self._verifier.verify(token))
        except TokenRefused as refused:
            raise Refusal(401, "Token has expired" if refused.expired else "Invalid token") from None
        except KeysUnavailable:
            raise Refusal(503, "Signing keys are unavailable", retry_after=PAUSE_SECONDS) from None
        if self._allowed is not None and str(user.workspace_id) not in self._allowed:
            raise Refusal(403, "Workspace is not allowed")
        return {"token": token, "user": user}
