"""AuthzMiddleware and tokens minted on the way in, against the real server (``python-sdk.md`` §2, §3)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request
from joserfc.jwk import RSAKey

from sentinel_auth import AuthzClient, AuthzMiddleware, SentinelError
from tests.sdk.furniture import World, application, bearer, browser, signed
from tests.stage import PROVIDER, Keys

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    sentinel = world.authz_sentinel()
    async with sentinel.lifespan(None), browser(application(sentinel)) as client:
        yield client


async def minted(world: World, keys: Keys, **options: Any) -> dict[str, str]:
    """Both headers, the authz token minted by the real server."""
    token = world.id_token(keys)
    async with AuthzClient(world.url, world.service.key, transport=world.line) as client:
        answer = await client.resolve(token, PROVIDER, options.get("workspace_id", world.workspace.id))
    return bearer(token) | {"X-Authz-Token": answer["authz_token"]}


@pytest.fixture
async def linked(world: World) -> None:
    await world.stage.link(world.viewer, subject="sub-viewer@example.com")


async def test_Z1_discovery_and_mint_through_the_client(world: World, stage_keys: Keys, linked: None) -> None:
    async with AuthzClient(world.url, world.service.key, transport=world.line) as client:
        token = world.id_token(stage_keys, nonce="n-1")
        found = await client.resolve(token, PROVIDER, nonce="n-1")
        assert [one["slug"] for one in found["workspaces"]] == ["acme"]
        answer = await client.resolve(token, PROVIDER, str(world.workspace.id))
        assert answer["expires_in"] == 300
        bodies = [request.content for request in world.line.requests]
        assert (b"workspace_id" in bodies[0], b"nonce" in bodies[1]) == (False, False)
        for arguments, status in (
            ((token, PROVIDER, uuid4()), 403),
            ((token, PROVIDER, None, "n-2"), 400),
            (("x", PROVIDER), 400),
        ):
            with pytest.raises(SentinelError) as error:
                await client.resolve(*arguments)
            assert error.value.status_code == status


async def test_both_tokens_make_a_user(
    world: World, http: httpx.AsyncClient, stage_keys: Keys, linked: None
) -> None:
    answer = await http.get("/me", headers=await minted(world, stage_keys))
    assert answer.json() == {
        "id": str(world.viewer.id),
        "email": "viewer@example.com",
        "name": "Vera Viewer",
        "role": "viewer",
        "workspace": str(world.workspace.id),
    }
    document = await world.stage.resource(world.workspace, world.owner)
    may = await http.get(f"/may/{document.resource_id}", headers=await minted(world, stage_keys))
    assert may.json() is True


async def test_refusals_in_their_order(
    world: World, http: httpx.AsyncClient, stage_keys: Keys, linked: None
) -> None:
    good = await minted(world, stage_keys)
    authz = good["X-Authz-Token"]
    other_person = world.id_token(stage_keys, "other@example.com")
    elsewhere = await world.stage.authz_token(
        world.viewer, world.workspace, "billing", idp_subject="sub-viewer@example.com"
    )
    now = world.stage.clock.timestamp()
    cases: list[tuple[dict[str, str], int, str]] = [
        ({}, 401, "Missing or invalid Authorization header"),
        ({"X-Authz-Token": authz}, 401, "Missing or invalid Authorization header"),
        ({"Authorization": good["Authorization"]}, 401, "Missing X-Authz-Token header"),
        (bearer("x") | {"X-Authz-Token": "y"}, 401, "IdP token is invalid"),
        (
            bearer(world.id_token(stage_keys, exp=now - 60)) | {"X-Authz-Token": "y"},
            401,
            "IdP token has expired",
        ),
        (
            bearer(world.id_token(stage_keys, aud="other")) | {"X-Authz-Token": authz},
            401,
            "IdP token is invalid",
        ),
        (bearer(world.id_token(stage_keys, iss="x")) | {"X-Authz-Token": authz}, 401, "IdP token is invalid"),
        (good | {"X-Authz-Token": "y"}, 401, "Authz token is invalid"),
        (good | {"X-Authz-Token": world.token(world.viewer)}, 401, "Authz token is invalid"),
        (bearer(other_person) | {"X-Authz-Token": elsewhere}, 401, "Tokens belong to different people"),
        (good | {"X-Authz-Token": elsewhere}, 403, "Authz token is bound to another service"),
    ]
    for headers, status, detail in cases:
        answer = await http.get("/me", headers=headers)
        assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert (await http.get("/me", headers=good)).status_code == 200
    assert (await http.options("/me")).status_code == 405


@pytest.mark.parametrize("subject", [None, "", 7])
async def test_SE_3_both_subjects_must_be_there(
    world: World, http: httpx.AsyncClient, stage_keys: Keys, subject: Any
) -> None:
    key = RSAKey.import_key(stage_keys.private.read_bytes())
    now = world.stage.clock.timestamp()
    claims = {
        "iss": world.url, "aud": "sentinel:authz", "type": "authz", "sub": str(world.viewer.id),
        "wid": str(world.workspace.id), "wslug": "acme", "wrole": "viewer", "svc": "notes",
        "idp_sub": subject, "iat": now, "exp": now + 300,
    }  # fmt: skip
    answer = await http.get(
        "/me",
        headers=bearer(world.id_token(stage_keys, sub=subject)) | {"X-Authz-Token": signed(key, claims)},
    )
    assert answer.status_code == 401
    unusable = signed(key, claims | {"idp_sub": "s", "wid": "x"})
    answer = await http.get(
        "/me", headers=bearer(world.id_token(stage_keys, sub="s")) | {"X-Authz-Token": unusable}
    )
    assert (answer.status_code, answer.json()) == (401, {"detail": "Authz token is invalid"})


async def test_the_middleware_alone_with_pinned_keys(world: World, stage_keys: Keys, linked: None) -> None:
    app = FastAPI()

    @app.get("/state")
    async def state(request: Request) -> list[Any]:
        return [request.state.token, request.state.idp_token, request.state.user.groups]

    app.add_middleware(
        AuthzMiddleware,
        service_name="notes",
        idp_audience=["other", "sentinel"],
        idp_public_key=stage_keys.idp.as_pem(private=False).decode(),
        sentinel_public_key=stage_keys.public.read_text(),
        clock=world.seconds,
    )
    headers = await minted(world, stage_keys)
    async with browser(app) as http:
        token = headers["Authorization"].removeprefix("Bearer ")
        assert (await http.get("/state", headers=headers)).json() == [headers["X-Authz-Token"], token, []]


async def test_the_scope_is_the_realm_once_it_is_known(world: World, stage_keys: Keys) -> None:
    member = await world.stage.service("letters", realm=await world.stage.realm("suite"))
    world.service = member
    sentinel = world.authz_sentinel()
    permissions = sentinel.permissions
    assert permissions.service_name == "letters"
    async with sentinel.lifespan(None), browser(application(sentinel)) as http:
        assert (sentinel.effective_scope, sentinel.realm) == ("suite", {"slug": "suite", "name": "Suite"})
        assert sentinel.permissions is permissions
        assert (permissions.service_name, sentinel.roles.service_name) == ("suite", "suite")
        subject = "sub-viewer@example.com"
        for scope, status in (("suite", 200), ("letters", 403)):
            token = await world.stage.authz_token(world.viewer, world.workspace, scope, idp_subject=subject)
            headers = bearer(world.id_token(stage_keys)) | {"X-Authz-Token": token}
            assert (await http.get("/me", headers=headers)).status_code == status


async def test_start_up_fails_without_the_key(world: World) -> None:
    world.line.cut = True
    with pytest.raises(httpx.ConnectError):
        async with world.authz_sentinel().lifespan(None):
            pass
    world.line.cut = False
    world.line.answers = [httpx.Response(200, json={"keys": []})]
    with pytest.raises(RuntimeError):
        await world.authz_sentinel().fetch_sentinel_public_key()


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json=[1]), httpx.Response(404)]
)
async def test_M1_any_other_answer_means_standalone(world: World, answer: httpx.Response) -> None:
    sentinel = world.authz_sentinel()
    world.line.answers = [answer]
    assert await sentinel.fetch_whoami() is None
    assert (sentinel.effective_scope, sentinel.realm) == ("notes", None)
    world.line.cut = True
    assert await sentinel.fetch_whoami() is None


# --- tokens minted on the way in -------------------------------------------------------------------------------


@pytest.fixture
async def auto(world: World, linked: None) -> AsyncIterator[httpx.AsyncClient]:
    sentinel = world.authz_sentinel(auto_resolve=True)
    async with sentinel.lifespan(None), browser(application(sentinel)) as client:
        world.line.requests.clear()
        yield client


async def test_auto_resolve_mints_once_for_a_person_and_a_workspace(
    world: World, auto: httpx.AsyncClient, stage_keys: Keys
) -> None:
    headers = bearer(world.id_token(stage_keys)) | {"X-Workspace-Id": str(world.workspace.id)}
    answers = await asyncio.gather(*(auto.get("/me", headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert world.line.asked.count("POST /authz/resolve") == 1
    world.stage.clock.advance(239)
    assert (await auto.get("/me", headers=headers)).status_code == 200
    assert world.line.asked.count("POST /authz/resolve") == 1
    world.stage.clock.advance(2)
    assert (await auto.get("/me", headers=headers)).status_code == 200
    assert world.line.asked.count("POST /authz/resolve") == 2


async def test_auto_resolve_believes_nobody_before_his_token_is_verified(
    world: World, auto: httpx.AsyncClient, stage_keys: Keys
) -> None:
    workspace = {"X-Workspace-Id": str(world.workspace.id)}
    assert (await auto.get("/me", headers=bearer(world.id_token(stage_keys)) | workspace)).status_code == 200
    world.line.requests.clear()
    foreign = RSAKey.generate_key(2048)
    forged = signed(foreign, {"sub": "sub-viewer@example.com", "aud": "sentinel", "exp": 9e9})
    for headers in (
        bearer(forged) | workspace,
        bearer(world.id_token(stage_keys, aud="other")) | workspace,
        bearer(world.id_token(stage_keys)),
        bearer(world.id_token(stage_keys)) | {"X-Workspace-Id": "acme"},
        workspace,
    ):
        assert (await auto.get("/me", headers=headers)).status_code == 401
    assert "POST /authz/resolve" not in world.line.asked
    strange = bearer(world.id_token(stage_keys)) | {"X-Workspace-Id": str(uuid4())}
    assert (await auto.get("/me", headers=strange)).status_code == 403
    taken = bearer(world.id_token(stage_keys, sub="another", email="viewer@example.com")) | workspace
    assert (await auto.get("/me", headers=taken)).status_code == 409


async def test_auto_resolve_without_sentinel_is_503(
    world: World, auto: httpx.AsyncClient, stage_keys: Keys
) -> None:
    person = bearer(world.id_token(stage_keys))
    assert (await auto.get("/me", headers=person | {"X-Authz-Token": "y"})).status_code == 401
    for failure in (httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(401)):
        world.line.answers = [failure]
        answer = await auto.get("/me", headers=person | {"X-Workspace-Id": str(world.workspace.id)})
        assert (answer.status_code, answer.json()) == (503, {"detail": "Sentinel is unavailable"})
    assert world.line.asked.count("POST /authz/resolve") == 3


async def test_without_auto_resolve_the_workspace_header_means_nothing(
    world: World, http: httpx.AsyncClient, stage_keys: Keys, linked: None
) -> None:
    headers = bearer(world.id_token(stage_keys)) | {"X-Workspace-Id": str(world.workspace.id)}
    assert (await http.get("/me", headers=headers)).status_code == 401
    assert "POST /authz/resolve" not in world.line.asked


async def test_any_object_that_knows_a_key_and_a_scope_may_stand_for_sentinel(
    world: World, stage_keys: Keys, linked: None
) -> None:
    class Known:
        effective_scope = "notes"
        sentinel_public_key: str | None = None

    known, app = Known(), FastAPI()
    app.add_middleware(
        AuthzMiddleware,
        service_name="other",
        idp_audience="sentinel",
        idp_public_key=stage_keys.idp.as_pem(private=False).decode(),
        sentinel_instance=known,
        clock=world.seconds,
    )
    headers = await minted(world, stage_keys)
    async with browser(app) as http:
        assert (await http.get("/", headers=headers)).status_code == 503
        known.sentinel_public_key = stage_keys.public.read_text()
        assert (await http.get("/", headers=headers)).status_code == 404
        known.effective_scope = "suite"
        assert (await http.get("/", headers=headers)).status_code == 403
