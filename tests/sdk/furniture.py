"""What the tests of the client library share: the way from it to the real application, and one furnished world."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel.identity.models import User
from sentinel.workspaces.models import Group, Workspace
from sentinel_auth import PermissionClient, RequestAuth, RoleClient, Sentinel
from tests.stage import IDP_URL, PROVIDER, Keys, Service, Stage, bearer

JWKS_URL = f"{IDP_URL}/jwks.json"


class Line(httpx.AsyncBaseTransport):
    """Leads requests to the application and the identity provider of a stage, counts them, and can be cut."""

    def __init__(self, stage: Stage) -> None:
        self.requests: list[httpx.Request] = []
        self.cut = False
        self.answers: list[httpx.Response | Exception] = []
        """What comes instead of the next answers, as a proxy in between or a broken line would have it."""
        self.meanwhile: Callable[[httpx.Request], Awaitable[None]] | None = None
        """What happens while a request is on its way."""
        self._application = httpx.ASGITransport(stage.app)
        self._stage = stage

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.meanwhile is not None:
            await self.meanwhile(request)
        if self.cut:
            raise httpx.ConnectError("the line is cut", request=request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.url.netloc.decode() == urlsplit(self._stage.settings.base_url).netloc:
            return await self._application.handle_async_request(request)
        return await self._stage.network.handle_async_request(request)


@dataclass
class World:
    """A workspace of four people with a group, and a service with a key."""

    stage: Stage
    line: Line
    service: Service
    workspace: Workspace
    owner: User
    editor: User
    viewer: User
    other: User
    group: Group
    tokens: dict[UUID, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.stage.settings.base_url

    def token(self, user: User) -> str:
        return self.tokens[user.id]

    def permissions(self, **options: Any) -> PermissionClient:
        """A client of the service."""
        return PermissionClient(
            self.url, self.service.app.service_name, self.service.key, transport=self.line, **options
        )

    def roles(self, **options: Any) -> RoleClient:
        return RoleClient(
            self.url, self.service.app.service_name, self.service.key, transport=self.line, **options
        )

    def sentinel(self, **options: Any) -> Sentinel:
        """A Sentinel object in proxy mode, unless ``mode`` says otherwise."""
        chosen: dict[str, Any] = {"mode": "proxy", "transport": self.line, "clock": self.seconds} | options
        return Sentinel(self.url, self.service.app.service_name, self.service.key, **chosen)

    def authz_sentinel(self, **options: Any) -> Sentinel:
        return self.sentinel(
            **{
                "mode": "authz",
                "idp_jwks_url": JWKS_URL,
                "idp_audience": "sentinel",
                "idp_issuer": IDP_URL,
                "idp_provider": PROVIDER,
            }
            | options
        )

    def seconds(self) -> float:
        """The clock of the stage."""
        return self.stage.clock.now().timestamp()

    def id_token(self, keys: Keys, email: str = "viewer@example.com", **claims: Any) -> str:
        """A token as the provider signs it; ``claims`` override, None removes."""
        now = self.stage.clock.timestamp()
        full = {
            "iss": IDP_URL,
            "sub": f"sub-{email}",
            "aud": "sentinel",
            "iat": now,
            "exp": now + 600,
            "email": email,
            "email_verified": True,
            "name": "Vera Viewer",
        } | claims
        return signed(keys.idp, {name: value for name, value in full.items() if value is not None})


def signed(key: RSAKey, claims: dict[str, Any], **header: Any) -> str:
    """A token over ``claims``."""
    return jwt.encode({"alg": "RS256", "kid": key.thumbprint()} | header, claims, key)


async def furnish(stage: Stage) -> World:
    """A furnished world."""
    service = await stage.service("notes")
    owner = await stage.user("Olga Owner", email="owner@example.com")
    workspace = await stage.workspace(owner, slug="acme")
    editor = await stage.member(workspace, "editor", name="Edda Editor", email="editor@example.com")
    viewer = await stage.member(workspace, "viewer", name="Vera Viewer", email="viewer@example.com")
    other = await stage.member(workspace, "viewer", name="Otto Other", email="other@example.com")
    group = await stage.group(workspace, other, name="readers")
    world = World(stage, Line(stage), service, workspace, owner, editor, viewer, other, group)
    for user in (owner, editor, viewer, other):
        world.tokens[user.id] = await stage.access_token(user, workspace)
    return world


def application(sentinel: Sentinel, **options: Any) -> FastAPI:
    """An application of a few routes that a Sentinel object protects."""
    app = FastAPI(lifespan=sentinel.lifespan)

    @app.get("/me")
    async def me(auth: RequestAuth = Depends(sentinel.get_auth)) -> dict[str, Any]:
        return {
            "id": str(auth.user_id),
            "email": auth.email,
            "name": auth.name,
            "role": auth.workspace_role,
            "workspace": str(auth.workspace_id),
        }

    @app.get("/may/{resource_id}")
    async def may(resource_id: UUID, auth: RequestAuth = Depends(sentinel.get_auth)) -> bool:
        return await auth.can("document", resource_id, "view")

    @app.get("/reports", dependencies=[Depends(sentinel.require_action("reports:export"))])
    async def reports() -> str:
        return "ok"

    @app.get("/health")
    async def health() -> str:
        return "ok"

    sentinel.protect(app, **options)
    return app


def browser(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.example")


__all__ = [
    "JWKS_URL",
    "Line",
    "World",
    "application",
    "bearer",
    "browser",
    "furnish",
    "signed",
]
