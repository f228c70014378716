"""The middlewares in front of and inside Litestar, which is neither Starlette nor FastAPI."""

from typing import Any

import pytest
from litestar import Litestar, Request, WebSocket, get, websocket
from litestar.middleware import DefineMiddleware

from sentinel_auth import AuthenticatedUser, JWTAuthMiddleware, RequestAuth, Sentinel
from tests.sdk.furniture import World, bearer, browser
from tests.stage import PROVIDER, Keys

pytestmark = pytest.mark.anyio


def application(sentinel: Sentinel, **options: Any) -> Litestar:
    @get("/me")
    async def me(request: Request[Any, Any, Any]) -> dict[str, str]:
        user: AuthenticatedUser = request.state.user
        return {"name": user.name, "role": user.workspace_role}

    @get("/may/{resource:uuid}")
    async def may(request: Request[Any, Any, Any]) -> bool:
        auth = RequestAuth(request.state.user, request.state.token, sentinel.permissions, sentinel.roles)
        return await auth.can("document", request.path_params["resource"], "edit")

    @get("/health")
    async def health() -> str:
        return "ok"

    @websocket("/live")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        raise AssertionError("nobody may get here")

    return Litestar([me, may, health, live], lifespan=[sentinel.lifespan], openapi_config=None, **options)


@pytest.mark.parametrize("place", ["around", "inside"])
async def test_proxy_mode_serves_litestar(world: World, place: str) -> None:
    document = (await world.stage.resource(world.workspace, world.editor, visibility="private")).resource_id
    sentinel = world.sentinel()
    guard = DefineMiddleware(JWTAuthMiddleware, keys=sentinel.keys, clock=world.seconds)  # type: ignore[arg-type]
    inner = application(sentinel, middleware=[guard] if place == "inside" else [])
    app = sentinel.wrap(inner) if place == "around" else inner  # type: ignore[arg-type]
    async with inner.lifespan(), browser(app) as http:
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/me", headers=bearer("nonsense"))).status_code == 401
        editor, viewer = bearer(world.token(world.editor)), bearer(world.token(world.viewer))
        assert (await http.get("/me", headers=editor)).json() == {"name": "Edda Editor", "role": "editor"}
        assert (await http.get(f"/may/{document}", headers=editor)).json() is True
        assert (await http.get(f"/may/{document}", headers=viewer)).json() is False
    assert await closed(app) == 1008


async def test_authz_mode_serves_litestar(world: World, stage_keys: Keys) -> None:
    sentinel = world.authz_sentinel()
    inner = application(sentinel)
    app = sentinel.wrap(inner)  # type: ignore[arg-type]
    async with inner.lifespan(), browser(app) as http:
        idp_token = world.id_token(stage_keys)
        resolved = await sentinel.authz.resolve(idp_token, PROVIDER, world.workspace.id)
        both = bearer(idp_token) | {"X-Authz-Token": resolved["authz_token"]}
        assert (await http.get("/me", headers=both)).json() == {"name": "Vera Viewer", "role": "viewer"}
        assert (await http.get("/me", headers=bearer(idp_token))).status_code == 401


async def closed(app: Any) -> int:
    """The code with which a WebSocket of nobody is closed."""
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/live", "raw_path": b"/live", "headers": [], "query_string": b""}
    await app(scope | {"subprotocols": [], "root_path": "", "scheme": "ws"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    code: int = sent[0]["code"]
    return code
