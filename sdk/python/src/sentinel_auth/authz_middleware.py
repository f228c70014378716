"""Authz mode at the edge: the identity provider's token says who, Sentinel's authz token says what; both offline."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

import httpx

from sentinel_auth.asgi import ASGIApp, Guard, Refusal, Scope, bearer_token, header
from sentinel_auth.auto_resolve import AutoResolve
from sentinel_auth.connection import warn_of_plain_http
from sentinel_auth.errors import SentinelError
from sentinel_auth.keys import (
    PAUSE_SECONDS,
    Key,
    KeySource,
    KeysUnavailable,
    PinnedKey,
    PublishedKeys,
    loader,
    pinned,
)
from sentinel_auth.users import text, user_of_authz_token
from sentinel_auth.verification import TokenRefused, Verifier

__all__ = ["AuthzMiddleware"]

IDP_TIMEOUT = 10.0


class Instance(Protocol):
    """What the middleware reads from a Sentinel object, at every request: it may start later."""

    @property
    def effective_scope(self) -> str: ...
    @property
    def sentinel_public_key(self) -> str | None: ...


class AuthzMiddleware(Guard):
    """Sets ``request.state.user``, ``request.state.token`` (the authz token) and ``request.state.idp_token``.

    Reads ``Authorization: Bearer <IdP token>`` and ``X-Authz-Token``. Sentinel's keys come from
    ``sentinel_instance``, which follows rotation, or from the pinned PEM ``sentinel_public_key``; the provider's
    from ``idp_jwks_url`` or the pinned PEM ``idp_public_key``. ``service_name`` is what the authz token must be bound
    to, unless the instance knows a realm. Tokens of GitHub are opaque and cannot be verified here.

    Answers 401 for tokens that are missing, not accepted or of two different people, 403 for a token bound to
    another service, 503 while keys cannot be fetched. Revocation is not checked. Raises ValueError when
    ``service_name``, ``idp_audience`` or one of the two sources of keys is missing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        service_name: str,
        idp_audience: str | Sequence[str],
        idp_public_key: str | None = None,
        idp_jwks_url: str | None = None,
        idp_issuer: str | None = None,
        sentinel_public_key: str | None = None,
        sentinel_instance: Instance | None = None,
        idp_algorithm: str = "RS256",
        sentinel_algorithm: str = "RS256",
        sentinel_audience: str = "sentinel:authz",
        exclude_paths: Iterable[str] | None = None,
        issuer: str | None = None,
        idp_keys: KeySource | None = None,
        auto_resolve: AutoResolve | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, exclude_paths)
        if not service_name:
            raise ValueError("service_name is needed: authz tokens are bound to a service")
        if not idp_audience:
            raise ValueError("idp_audience is needed: without it, tokens for other applications would pass")
        self._service_name = service_name
        self._instance = sentinel_instance
        self._auto_resolve = auto_resolve
        self._idp = Verifier(
            idp_keys
            if idp_keys is not None
            else idp_key_source(idp_public_key, idp_jwks_url, idp_algorithm, lambda: transport, clock),
            audience=idp_audience,
            algorithm=idp_algorithm,
            issuer=idp_issuer,
            clock=clock,
        )
        self._authz = Verifier(
            _sentinel_keys(sentinel_public_key, sentinel_instance, sentinel_algorithm),
            audience=sentinel_audience,
            algorithm=sentinel_algorithm,
            issuer=issuer,
            type="authz",
            clock=clock,
        )

    @property
    def scope_name(self) -> str:
        """What an authz token must be bound to: the service, or the realm that it belongs to."""
        return self._instance.effective_scope if self._instance is not None else self._service_name

    async def authenticate(self, scope: Scope) -> dict[str, Any]:
        idp_token = bearer_token(scope)
        if idp_token is None:
            raise Refusal(401, "Missing or invalid Authorization header")
        authz_token = header(scope, "X-Authz-Token")
        workspace = None if authz_token else self._workspace_to_resolve(scope)
        if not authz_token and workspace is None:
            raise Refusal(401, "Missing X-Authz-Token header")
        idp_claims = await _verify(self._idp, idp_token, "IdP token")
        if workspace is not None and self._auto_resolve is not None:
            authz_token = await _resolve(self._auto_resolve, idp_token, idp_claims, workspace)
        claims = await _verify(self._authz, authz_token or "", "Authz token")
        subject = idp_claims.get("sub")
        if not isinstance(subject, str) or not subject or claims.get("idp_sub") != subject:
            raise Refusal(401, "Tokens belong to different people")
        if claims.get("svc") != self.scope_name:
            raise Refusal(403, "Authz token is bound to another service")
        try:
            user = user_of_authz_token(claims, idp_claims)
        except TokenRefused:
            raise Refusal(401, "Authz token is invalid") from None
        return {"token": authz_token, "idp_token": idp_token, "user": user}

    def _workspace_to_resolve(self, scope: Scope) -> UUID | None:
        if self._auto_resolve is None:
            return None
        try:
            return UUID(header(scope, "X-Workspace-Id") or "")
        except ValueError:
            return None


class _InstanceKeys:
    """The keys of a Sentinel object: its key set, or the one PEM of an object that has no more."""

    def __init__(self, instance: Instance, algorithm: str) -> None:
        self._instance = instance
        self._algorithm = algorithm

    async def find(self, kid: str | None) -> Key | None:
        published: KeySource | None = getattr(self._instance, "keys", None)
        return await published.find(kid) if published is not None else self.known(kid)

    def known(self, kid: str | None) -> Key | None:
        pem = self._instance.sentinel_public_key
        if pem is None:
            raise KeysUnavailable("the key of Sentinel has not been fetched")
        return pinned(pem, self._algorithm).known(kid)


def _sentinel_keys(pem: str | None, instance: Instance | None, algorithm: str) -> KeySource:
    if pem:
        return pinned(pem, algorithm)
    if instance is not None:
        return _InstanceKeys(instance, algorithm)
    raise ValueError("sentinel_public_key or sentinel_instance is needed to verify authz tokens")


def idp_key_source(
    pem: str | None,
    url: str | None,
    algorithm: str,
    transport: Callable[[], httpx.AsyncBaseTransport | None],
    clock: Callable[[], float],
) -> PinnedKey | PublishedKeys:
    """The provider's keys. Raises ValueError when neither is given."""
    if pem:
        return pinned(pem, algorithm)
    if url:
        warn_of_plain_http(url)
        return PublishedKeys(loader(url, timeout=IDP_TIMEOUT, transport=transport), clock=clock)
    raise ValueError("idp_public_key or idp_jwks_url is needed to verify IdP tokens")


async def _verify(verifier: Verifier, token: str, what: str) -> dict[str, Any]:
    try:
        return await verifier.verify(token)
    except TokenRefused as refused:
        detail = f"{what} has expired" if refused.expired else f"{what} is invalid"
        raise Refusal(401, detail) from None
    except KeysUnavailable:
        raise Refusal(503, "Signing keys are unavailable", retry_after=PAUSE_SECONDS) from None


async def _resolve(resolver: AutoResolve, token: str, claims: dict[str, Any], workspace: UUID) -> str:
    try:
        return await resolver.authz_token(token, text(claims, "sub"), workspace)
    except TokenRefused:
        raise Refusal(401, "IdP token is invalid") from None
    except SentinelError as error:
        if error.status_code == 400:
            raise Refusal(401, "IdP token is invalid") from None
        if error.status_code in (403, 409):
            raise Refusal(error.status_code, str(error.detail or "Not permitted")) from None
        raise Refusal(503, "Sentinel is unavailable", retry_after=error.retry_after) from None
    except httpx.TransportError:
        raise Refusal(503, "Sentinel is unavailable", retry_after=PAUSE_SECONDS) from None
