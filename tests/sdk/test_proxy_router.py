"""The browser's way to Sentinel through the application (``python-sdk.md`` §7, ``http-api.md`` §12)."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from tests.sdk.furniture import World, bearer, browser
from tests.stage import PROVIDER, Keys

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(world.authz_sentinel().proxy_router(), prefix="/sentinel")
    async with app.router.lifespan_context(app), browser(app) as client:
        yield client


async def test_resolve_gets_the_key_and_none_of_the_callers_headers(
    world: World, http: httpx.AsyncClient, stage_keys: Keys
) -> None:
    await world.stage.link(world.viewer, subject="sub-viewer@example.com")
    body = {
        "idp_token": world.id_token(stage_keys),
        "provider": PROVIDER,
        "workspace_id": str(world.workspace.id),
    }
    headers = bearer("mine") | {
        "X-Authz-Token": "mine", "X-Service-Key": "mine", "Cookie": "a=b", "Origin": "https://evil.example",
        "User-Agent": "Browser/1.0", "X-Forwarded-For": "203.0.113.7",
    }  # fmt: skip
    answer = await http.post("/sentinel/authz/resolve", json=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["workspace"]["slug"] == "acme"
    sent = world.line.requests[0].headers
    assert sent["x-service-key"] == world.service.key
    assert (sent["user-agent"], sent["x-forwarded-for"]) == ("Browser/1.0", "203.0.113.7")
    assert {"authorization", "x-authz-token", "cookie", "origin"} & set(sent) == set()


async def test_the_directory_gets_the_callers_tokens_and_no_key(
    world: World, http: httpx.AsyncClient, stage_keys: Keys
) -> None:
    authz = await world.stage.authz_token(world.viewer, world.workspace, "notes")
    headers = bearer(world.id_token(stage_keys)) | {"X-Authz-Token": authz, "X-Service-Key": "mine"}
    workspace = f"/sentinel/workspaces/{world.workspace.id}"
    members = await http.get(f"{workspace}/members?q=ED&limit=1", headers=headers)
    assert [one["name"] for one in members.json()] == ["Edda Editor"]
    assert [one["name"] for one in (await http.get(f"{workspace}/groups", headers=headers)).json()] == [
        "readers"
    ]
    group = await http.get(f"{workspace}/groups/{world.group.id}/members", headers=headers)
    assert [one["name"] for one in group.json()] == ["Otto Other"]
    assert (await http.get("/sentinel/users/me", headers=headers)).json()["email"] == "viewer@example.com"
    for request in world.line.requests:
        assert "x-service-key" not in request.headers
        assert request.headers["x-authz-token"] == authz
    assert world.line.requests[0].url.query == b"q=ED&limit=1"


async def test_refusals_pass_unchanged_and_nothing_else_is_forwarded(
    world: World, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/sentinel/users/me")).status_code == 401
    world.line.answers = [
        httpx.Response(418, content=b"teapot", headers={"Content-Type": "text/plain", "X-Secret": "1"})
    ]
    answer = await http.get("/sentinel/users/me")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (418, "teapot", "text/plain")
    assert "x-secret" not in answer.headers
    world.line.requests.clear()
    for path in ("workspaces/acme/members", f"workspaces/{world.workspace.id}/groups/x/members"):
        assert (await http.get(f"/sentinel/{path}")).status_code == 422
    for method, path in (
        ("PATCH", "users/me"),
        ("GET", f"workspaces/{uuid4()}"),
        ("POST", f"workspaces/{uuid4()}/members/invite"),
        ("POST", "permissions/check"),
        ("GET", "realm/whoami"),
    ):
        assert (await http.request(method, f"/sentinel/{path}")).status_code in (404, 405)
    assert world.line.requests == []


async def test_out_of_reach_is_502(world: World, http: httpx.AsyncClient) -> None:
    world.line.cut = True
    for answer in (await http.get("/sentinel/users/me"), await http.post("/sentinel/authz/resolve", json={})):
        assert (answer.status_code, answer.json()) == (502, {"detail": "Sentinel is unreachable"})


async def test_a_cookie_of_one_answer_goes_along_with_no_other_request(
    world: World, http: httpx.AsyncClient
) -> None:
    for _ in range(2):
        world.line.answers = [httpx.Response(200, json={}, headers={"Set-Cookie": "session=hers; Path=/"})]
        assert "set-cookie" not in (await http.get("/sentinel/users/me")).headers
    assert ["cookie" in request.headers for request in world.line.requests] == [False, False]


async def test_the_router_ends_with_the_sentinel_object(world: World) -> None:
    sentinel = world.authz_sentinel()
    app = FastAPI()
    app.include_router(sentinel.proxy_router())
    async with browser(app) as client:
        assert (await client.get("/users/me")).status_code == 401
    pools = [line.http for line in sentinel._lines]
    assert len(world.line.requests) == 1 and len(pools) == 4
    await sentinel.close()
    assert all(pool.is_closed for pool in pools)
