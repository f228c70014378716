"""The one object that an application makes: it knows where Sentinel is, and hands out everything else."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sentinel_auth import calls
from sentinel_auth.asgi import ASGIApp, Guard
from sentinel_auth.authz import AuthzClient
from sentinel_auth.authz_middleware import AuthzMiddleware, idp_key_source
from sentinel_auth.auto_resolve import AutoResolve
from sentinel_auth.connection import Connection, Retry
from sentinel_auth.errors import SentinelError
from sentinel_auth.keys import KeysUnavailable, PublishedKeys
from sentinel_auth.m2m import system_of
from sentinel_auth.middleware import SENTINEL_TIMEOUT, JWTAuthMiddleware
from sentinel_auth.minted import MintedTokens
from sentinel_auth.permissions import PermissionClient
from sentinel_auth.roles import RoleClient
from sentinel_auth.types import AuthenticatedUser, SystemAuth
from sentinel_auth.verification import TokenRefused, Verifier

if TYPE_CHECKING:  # FastAPI is an extra
    from fastapi import APIRouter, Request

    from sentinel_auth.auth import RequestAuth

__all__ = ["Sentinel"]


class Application(Protocol):
    """An application that takes middlewares, as FastAPI and Starlette do."""

    def add_middleware(self, middleware_class: Any, /, *args: Any, **kwargs: Any) -> None: ...


class Sentinel:
    """Protects an application and answers its questions.

    ``mode`` is ``authz`` (the application signs people in at their identity provider) or ``proxy`` (Sentinel does).
    Authz mode needs ``idp_audience`` and a source of the provider's keys; ``idp_issuer`` is recommended.
    ``actions`` are registered at start-up. ``allowed_workspaces`` holds workspace ids (proxy mode). ``cache_ttl``
    keeps decisions for that many seconds.

    ``issuer`` is what Sentinel's own tokens must name as theirs. ``auto_resolve`` lets a request come with only the
    IdP token and ``X-Workspace-Id``: the authz token is minted here, for which ``idp_provider`` names the provider
    as Sentinel knows it. ``transport`` carries every request, and ``clock`` gives seconds since the epoch.

    Raises ValueError for arguments that would leave the application open.
    """

    def __init__(
        self,
        base_url: str,
        service_name: str,
        service_key: str,
        mode: Literal["authz", "proxy"] = "authz",
        idp_public_key: str | None = None,
        idp_jwks_url: str | None = None,
        idp_audience: str | Sequence[str] | None = None,
        idp_issuer: str | None = None,
        actions: Sequence[Mapping[str, Any]] | None = None,
        allowed_workspaces: Collection[str] | None = None,
        cache_ttl: float = 0,
        *,
        issuer: str | None = None,
        auto_resolve: bool = False,
        idp_provider: str | None = None,
        idp_algorithm: str = "RS256",
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not service_key:
            raise ValueError("service_key is needed")
        if mode not in ("authz", "proxy"):
            raise ValueError(f"mode must be 'authz' or 'proxy', not {mode!r}")
        if mode == "authz":
            if not (idp_public_key or idp_jwks_url):
                raise ValueError("authz mode needs idp_public_key or idp_jwks_url")
            if not idp_audience:
                raise ValueError("authz mode needs idp_audience")
        if auto_resolve and (mode != "authz" or not idp_provider):
            raise ValueError("auto_resolve needs authz mode and idp_provider")
        self.base_url = base_url.rstrip("/")
        self.service_name = service_name
        self.mode = mode
        self.actions = [dict(one) for one in actions or ()]
        self.allowed_workspaces = None if allowed_workspaces is None else frozenset(allowed_workspaces)
        self.cache_ttl = cache_ttl
        self.idp_audience = idp_audience
        self.idp_issuer = idp_issuer
        self.idp_algorithm = idp_algorithm
        self.issuer = issuer
        self._transport = transport
        self._clock = clock
        self._slow = Connection(base_url, service_key, timeout=10.0, retry=retry, transport=transport)
        self._fast = Connection(
            base_url, service_key, timeout=5.0, retry=retry, transport=transport, warn=False
        )
        # Requests wait for it, and keys that are at hand serve when it fails: so it is not tried twice.
        key_line = Connection(
            base_url,
            service_key,
            timeout=SENTINEL_TIMEOUT,
            retry=Retry(attempts=1),
            transport=transport,
            warn=False,
        )
        self._lines = [self._slow, self._fast, key_line]
        """Every connection that was opened in this object's name."""
        self._service_key = service_key
        self._realm: dict[str, Any] | None = None
        self._scope: str | None = None
        self._public_key: str | None = None
        self.keys = PublishedKeys(lambda: key_line.send(calls.jwks()), clock=clock)
        self._idp_keys = (
            idp_key_source(idp_public_key, idp_jwks_url, idp_algorithm, lambda: self._transport, clock)
            if mode == "authz"
            else None
        )
        self._minted = MintedTokens(clock=clock)
        self._m2m = Verifier(self.keys, audience="sentinel:m2m", issuer=issuer, type="m2m", clock=clock)
        self._auto_resolve = (
            AutoResolve(lambda: self.authz, idp_provider, clock=clock)
            if auto_resolve and idp_provider
            else None
        )

    def __repr__(self) -> str:
        return f"Sentinel({self.base_url!r}, {self.service_name!r}, mode={self.mode!r})"

    # --- what is known -----------------------------------------------------------------------------------------

    @property
    def effective_scope(self) -> str:
        """What permissions, actions and authz tokens are bound to: the realm's slug, else the service's name."""
        return self._scope or self.service_name

    @property
    def realm(self) -> dict[str, Any] | None:
        """``{"slug", "name"}`` of the realm, None outside of one or before it was discovered."""
        return self._realm

    @property
    def sentinel_public_key(self) -> str | None:
        """The signing key as it was at start-up, as PEM. Verification uses ``keys``, which follow rotation."""
        return self._public_key

    # --- clients -----------------------------------------------------------------------------------------------

    @cached_property
    def permissions(self) -> PermissionClient:
        """The client of the entity ACL."""
        return PermissionClient(
            self.base_url, self.effective_scope, cache_ttl=self.cache_ttl, connection=self._fast
        )

    @cached_property
    def roles(self) -> RoleClient:
        """The client of RBAC."""
        return RoleClient(self.base_url, self.effective_scope, connection=self._fast)

    @cached_property
    def authz(self) -> AuthzClient:
        """The client that exchanges identity-provider tokens."""
        return AuthzClient(self.base_url, self._service_key, connection=self._slow)

    async def close(self) -> None:
        """Let what is under way finish, then close all connections."""
        if "permissions" in self.__dict__:
            await self.permissions.close()
        for line in self._lines:
            await line.close()

    def divert(self, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncBaseTransport | None:
        """Send what follows through another transport, None being the network; forget keys, tokens and decisions.

        Returns the transport until now. For tests: ``sentinel_auth.testing`` takes Sentinel's place with it.
        """
        before, self._transport = self._transport, transport
        for line in self._lines:
            line.divert(transport)
        if "permissions" in self.__dict__:
            self.permissions.decisions.clear()
        self.keys.forget()
        if isinstance(self._idp_keys, PublishedKeys):
            self._idp_keys.forget()
        self._minted.forget()
        if self._auto_resolve is not None:
            self._auto_resolve.forget()
        return before

    # --- the application ---------------------------------------------------------------------------------------

    def protect(self, app: Application, exclude_paths: Iterable[str] | None = None) -> None:
        """Add the middleware of the mode to FastAPI or Starlette. It may be called before start-up."""
        guard, options = self._guard(exclude_paths)
        app.add_middleware(guard, **options)

    def wrap(self, app: ASGIApp, exclude_paths: Iterable[str] | None = None) -> ASGIApp:
        """The same for any ASGI application: returns one that is protected."""
        guard, options = self._guard(exclude_paths)
        return guard(app, **options)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Start and end with the application: ``FastAPI(lifespan=sentinel.lifespan)``.

        In authz mode the application does not start without Sentinel's key; it never starts when its actions cannot
        be registered.
        """
        try:
            if self.mode == "authz":
                await self.fetch_sentinel_public_key()
            await self.fetch_whoami()
            if self.actions:
                await self.roles.register_actions(self.actions)
            yield
        finally:
            await self.close()

    def _guard(self, exclude_paths: Iterable[str] | None) -> tuple[Callable[..., Guard], dict[str, Any]]:
        options: dict[str, Any] = {
            "exclude_paths": exclude_paths,
            "issuer": self.issuer,
            "clock": self._clock,
        }
        if self.mode == "proxy":
            return JWTAuthMiddleware, options | {
                "keys": self.keys,
                "allowed_workspaces": self.allowed_workspaces,
            }
        return AuthzMiddleware, options | {
            "service_name": self.service_name,
            "idp_audience": self.idp_audience,
            "idp_issuer": self.idp_issuer,
            "idp_algorithm": self.idp_algorithm,
            "idp_keys": self._idp_keys,
            "sentinel_instance": self,
            "auto_resolve": self._auto_resolve,
        }

    # --- start-up ----------------------------------------------------------------------------------------------

    async def fetch_sentinel_public_key(self) -> str:
        """Fetch Sentinel's keys; returns the signing key as PEM.

        Raises RuntimeError when the set is empty, and otherwise what the clients raise.
        """
        try:
            published = self.keys.take(await self._slow.send(calls.jwks()))
            self._public_key = RSAKey.import_key(published[0]).as_pem(private=False).decode()
        except (KeysUnavailable, IndexError, JoseError, ValueError, TypeError, KeyError):
            raise RuntimeError("Sentinel publishes no signing key") from None
        return self._public_key

    async def fetch_whoami(self) -> dict[str, Any] | None:
        """Ask who the key belongs to, and take on the scope of its realm; None and standalone without an answer."""
        try:
            answer = await self._slow.send(calls.whoami())
        except (SentinelError, httpx.HTTPError):
            answer = None
        known = answer if isinstance(answer, dict) else {}
        scope, realm = known.get("effective_scope"), known.get("realm")
        self._realm = realm if isinstance(realm, dict) else None
        self._scope = scope if isinstance(scope, str) and scope else None
        for client in ("permissions", "roles"):
            if client in self.__dict__:
                getattr(self, client).service_name = self.effective_scope
        return known or None

    # --- between services --------------------------------------------------------------------------------------

    async def mint_m2m_token(self) -> str:
        """A token that tells other services of the realm who calls, kept for 80 % of its life.

        Raises SentinelError: 403 when the service belongs to no active realm.
        """

        async def mint() -> tuple[str, float]:
            answer = calls.record(await self._slow.send(calls.m2m_token()))
            token, life = answer.get("token"), answer.get("expires_in")
            if not isinstance(token, str) or not isinstance(life, int | float):
                raise SentinelError("Sentinel's answer holds no token")
            return token, life

        return await self._minted.get("m2m", mint)

    def verify_m2m_token(self, token: str) -> SystemAuth:
        """The service behind a token, by the keys that are known already; :meth:`averify_m2m_token` looks for others.

        Raises SentinelError: 503 when no key is known yet, 401 for a token that is not accepted, 403 for one of
        another realm or for another service.
        """
        if not self.keys:
            raise SentinelError("Sentinel's keys are not known yet", 503)
        try:
            claims = self._m2m.verify_with_known_keys(token)
        except TokenRefused as refused:
            raise _refused(refused) from None
        return system_of(claims, effective_scope=self.effective_scope, service_name=self.service_name)

    async def averify_m2m_token(self, token: str) -> SystemAuth:
        """As :meth:`verify_m2m_token`; a key that is not known is looked up, so rotation is followed."""
        try:
            claims = await self._m2m.verify(token)
        except TokenRefused as refused:
            raise _refused(refused) from None
        except KeysUnavailable:
            raise SentinelError("Sentinel's keys cannot be fetched", 503) from None
        return system_of(claims, effective_scope=self.effective_scope, service_name=self.service_name)

    # --- FastAPI -----------------------------------------------------------------------------------------------

    @property
    def require_user(self) -> "Callable[[Request], AuthenticatedUser]":
        """Dependency: the person behind the request."""
        from sentinel_auth.dependencies import get_current_user

        return get_current_user

    @cached_property
    def get_auth(self) -> "Callable[[Request], RequestAuth]":
        """Dependency: the caller with the clients that answer for him."""
        from sentinel_auth.dependencies import get_request_auth_factory

        return get_request_auth_factory(self.permissions, self.roles)

    def require_action(self, action: str) -> Callable[..., Any]:
        """Dependency: the caller, who may do ``action``; 403 otherwise."""
        from sentinel_auth.dependencies import require_action

        return require_action(self.roles, action)

    @cached_property
    def require_system(self) -> Callable[..., Any]:
        """Dependency: the service behind the request. Its route must be in ``exclude_paths``."""
        from sentinel_auth.dependencies import get_system_factory

        return get_system_factory(self.averify_m2m_token)

    def proxy_router(self, timeout: float = 10.0) -> "APIRouter":
        """Routes through which a browser reaches Sentinel. They must be in ``exclude_paths``."""
        from sentinel_auth.proxy import create_proxy_router

        line = Connection(self.base_url, timeout=timeout, transport=self._transport, warn=False)
        self._lines.append(line)
        return create_proxy_router(self.base_url, self._service_key, timeout, connection=line)


def _refused(refused: TokenRefused) -> SentinelError:
    return SentinelError("m2m token has expired" if refused.expired else "Invalid m2m token", 401)
