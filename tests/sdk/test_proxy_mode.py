"""JWTAuthMiddleware and the dependencies behind it, against the real server (``python-sdk.md`` §2, §3, §6)."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi import Depends, FastAPI, Request
from joserfc.jwk import RSAKey

from sentinel_auth import AuthenticatedUser, JWTAuthMiddleware, WorkspaceContext, get_token
from sentinel_auth.asgi import is_excluded
from sentinel_auth.dependencies import (
    get_current_user,
    get_request_auth_factory,
    get_workspace_context,
    get_workspace_id,
    require_action,
    require_role,
)
from tests.sdk.furniture import World, application, bearer, browser, signed
from tests.stage import Keys

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(application(world.sentinel())) as client:
        yield client


def private_key(keys: Keys) -> RSAKey:
    return RSAKey.import_key(keys.private.read_bytes())


def claims_of(world: World, **changes: Any) -> dict[str, Any]:
    now = world.stage.clock.timestamp()
    claims = {
        "iss": world.url,
        "aud": "sentinel:access",
        "type": "access",
        "sub": str(world.viewer.id),
        "wid": str(world.workspace.id),
        "wslug": "acme",
        "wrole": "viewer",
        "email": "viewer@example.com",
        "name": "Vera",
        "iat": now,
        "exp": now + 900,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that libraries refuse to make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


async def test_a_person_signed_in_at_sentinel_is_known(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers=bearer(world.token(world.viewer)))
    assert answer.json() == {
        "id": str(world.viewer.id),
        "email": "viewer@example.com",
        "name": "Vera Viewer",
        "role": "viewer",
        "workspace": str(world.workspace.id),
    }
    document = await world.stage.resource(world.workspace, world.owner)
    path = f"/may/{document.resource_id}"
    assert (await http.get(path, headers=bearer(world.token(world.viewer)))).json() is True


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer " + "x" * 8193},
        [("Authorization", "Bearer x"), ("Authorization", "Bearer y")],
    ],
)
async def test_nobody_is_401(world: World, http: httpx.AsyncClient, headers: Any) -> None:
    answer = await http.get("/me", headers=headers)
    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "sentinel:authz"},
        {"aud": None},
        {"type": "authz"},
        {"type": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"sub": None},
        {"sub": "ada"},
        {"wid": 7},
        {"wslug": None},
        {"wrole": None},
        {"email": None},
        {"name": None},
        {"groups": "none"},
        {"groups": ["x"]},
        {"iss": "http://localhost:9003.evil.example"},
    ],
)
async def test_claims_that_cannot_be_used_are_401(
    world: World, stage_keys: Keys, changes: dict[str, Any]
) -> None:
    key = private_key(stage_keys)
    async with browser(application(world.sentinel(issuer=world.url))) as http:
        good = await http.get("/me", headers=bearer(signed(key, claims_of(world))))
        assert good.status_code == 200
        bad = await http.get("/me", headers=bearer(signed(key, claims_of(world, **changes))))
        assert bad.status_code == 401, bad.text


async def test_L06_and_L07_and_L08_forged_headers_are_refused(
    world: World, http: httpx.AsyncClient, stage_keys: Keys
) -> None:
    key, foreign = private_key(stage_keys), RSAKey.generate_key(2048)
    kid = key.thumbprint()
    public = foreign.as_dict(private=False)
    private = serialization.load_pem_private_key(stage_keys.private.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)

    def rs256(message: bytes) -> bytes:
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    claims = claims_of(world)
    good = by_hand({"alg": "RS256", "kid": kid}, claims, rs256)
    assert (await http.get("/me", headers=bearer(good))).status_code == 200
    forged = [
        signed(foreign, claims),
        signed(foreign, claims, kid=kid),
        signed(foreign, claims, kid=kid, jwk=public),
        signed(foreign, claims, kid="../keys", jku="https://evil.example/jwks.json"),
        by_hand({"alg": "RS256"}, claims, rs256),
        by_hand({"alg": "RS256", "kid": None}, claims, rs256),
        by_hand({"alg": "RS256", "kid": kid, "crit": ["exp"], "exp": 1}, claims, rs256),
        by_hand({"alg": "RS256", "kid": kid, "crit": []}, claims, rs256),
        by_hand({"alg": "RS512", "kid": kid}, claims, rs256),
        by_hand(
            {"alg": "HS256", "kid": kid},
            claims,
            lambda message: hmac.digest(stage_keys.public.read_bytes(), message, "sha256"),
        ),
        by_hand({"alg": "none", "kid": kid}, claims, lambda _: b""),
    ]
    for token in forged:
        assert (await http.get("/me", headers=bearer(token))).status_code == 401
    assert [path for path in world.line.asked if "jwks" in path] == ["GET /.well-known/jwks.json"] * 2


async def test_only_listed_workspaces_may_enter(world: World) -> None:
    token = bearer(world.token(world.viewer))
    for allowed, status in (({str(world.workspace.id)}, 200), ({str(uuid4())}, 403), (set(), 403)):
        async with browser(application(world.sentinel(allowed_workspaces=allowed))) as http:
            assert (await http.get("/me", headers=token)).status_code == status


async def test_excluded_paths_and_preflights_pass_and_no_look_alikes(
    world: World, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/health")).status_code == 200
    assert (await http.get("/health/deep")).status_code == 404
    assert (await http.options("/me")).status_code == 405
    for path in ("/healthy", "/HEALTH", "/me"):
        assert (await http.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("path", "excluded"),
    [
        ("/health", True), ("/health/", True), ("/health/a/b", True), ("/healthy", False),
        ("/health/../me", False), ("/health/./me", False), ("/health/..", False), ("//health", False),
        ("/health//me", False), ("/health/..\\me", False), ("/health\\..\\me", False), ("health", False),
        ("", False), ("/", False),
    ],
)  # fmt: skip
async def test_L31_paths_that_may_be_read_in_two_ways_are_never_excluded(path: str, excluded: bool) -> None:
    assert is_excluded(path, ("/health",)) is excluded


async def test_everything_can_be_excluded_but_the_root_is_only_itself(world: World) -> None:
    app = application(world.sentinel(), exclude_paths=["/", "/open/"])
    async with browser(app) as http:
        assert (await http.get("/")).status_code == 404
        assert (await http.get("/open/door")).status_code == 404
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/health")).status_code == 401


async def test_a_websocket_is_held_to_the_same_rule(world: World) -> None:
    reached = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["state"]["user"].email)

    guarded = world.sentinel().wrap(app)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope: dict[str, Any] = {"type": "websocket", "path": "/live", "headers": []}
    await guarded(scope, receive, send)
    assert (reached, [message["type"] for message in sent]) == ([], ["websocket.close"])
    token = world.token(world.viewer).encode()
    await guarded(scope | {"headers": [(b"authorization", b"Bearer " + token)]}, receive, send)
    assert reached == ["viewer@example.com"]


async def test_keys_out_of_reach_are_503_and_come_back(world: World, http: httpx.AsyncClient) -> None:
    world.line.cut = True
    answer = await http.get("/me", headers=bearer(world.token(world.viewer)))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    world.line.cut = False
    world.stage.clock.advance(5)
    assert (await http.get("/me", headers=bearer(world.token(world.viewer)))).status_code == 200


async def test_the_middleware_alone_with_an_address_or_a_pinned_key(world: World, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"transport": world.line, "clock": world.seconds}
    sources: list[dict[str, Any]] = [
        {"base_url": world.url + "/"},
        {"jwks_url": f"{world.url}/.well-known/jwks.json"},
        {"public_key": stage_keys.public.read_text()},
    ]
    for source in sources:
        app = FastAPI()

        @app.get("/who")
        async def who(request: Request) -> str:
            assert request.state.token == get_token(request)
            return str(request.state.user.email)

        app.add_middleware(JWTAuthMiddleware, **source, **options)
        world.line.requests.clear()
        async with browser(app) as http:
            assert (await http.get("/who", headers=bearer(world.token(world.viewer)))).json() == (
                "viewer@example.com"
            )
            assert (await http.get("/who")).status_code == 401
        assert len(world.line.requests) == (0 if "public_key" in source else 1)


async def test_dependencies(world: World) -> None:
    app = FastAPI()
    world.sentinel().protect(app, exclude_paths=["/open"])
    may_export = require_action(world.roles(), "reports:export")
    at_least_editor = require_role("editor")
    get_auth = get_request_auth_factory(world.permissions())

    @app.get("/workspace")
    async def workspace(
        id: Any = Depends(get_workspace_id), context: WorkspaceContext = Depends(get_workspace_context)
    ) -> list[str]:
        assert id == context.workspace_id
        return [context.workspace_slug, context.role, str(context.user_id)]

    @app.get("/edit")
    async def edit(user: AuthenticatedUser = Depends(at_least_editor)) -> str:
        return user.name

    @app.get("/export")
    async def export(user: AuthenticatedUser = Depends(may_export)) -> str:
        return user.name

    @app.get("/auth")
    async def auth(auth: Any = Depends(get_auth)) -> list[bool]:
        return [auth.is_admin, auth.is_editor, auth.has_role("viewer"), auth.has_role("emperor")]

    @app.get("/open")
    async def open_(request: Request) -> str:
        return get_token(request)

    @app.get("/open/user", dependencies=[Depends(get_current_user)])
    async def user_() -> None: ...

    async with browser(app) as http:
        viewer, owner = bearer(world.token(world.viewer)), bearer(world.token(world.owner))
        assert (await http.get("/workspace", headers=viewer)).json() == [
            "acme",
            "viewer",
            str(world.viewer.id),
        ]
        assert (await http.get("/edit", headers=viewer)).status_code == 403
        assert (await http.get("/edit", headers=owner)).json() == "Olga Owner"
        assert (await http.get("/auth", headers=owner)).json() == [True, True, True, False]
        assert (await http.get("/open", headers={"Authorization": "Bearer abc"})).json() == "abc"
        assert (await http.get("/open")).status_code == 401
        twice = [("Authorization", "Bearer abc"), ("Authorization", "Bearer def")]
        assert (await http.get("/open", headers=twice)).status_code == 401
        assert (await http.get("/open/user", headers=viewer)).status_code == 401
        assert (await http.get("/export", headers=viewer)).status_code == 403
        world.line.cut = True
        assert (await http.get("/export", headers=viewer)).status_code == 503
        world.line.cut = False
        refusals = [(httpx.Response(429, headers={"Retry-After": "7"}), 429), (httpx.Response(204), 502)]
        for answer, status in refusals:
            world.line.answers = [answer]
            seen = await http.get("/export", headers=viewer)
            assert seen.status_code == status
            assert seen.headers.get("retry-after") == answer.headers.get("retry-after")


async def test_start_up_registers_actions_and_needs_no_key_in_proxy_mode(world: World) -> None:
    sentinel = world.sentinel(actions=[{"action": "reports:export", "description": "Export"}])
    async with sentinel.lifespan(None):
        assert world.line.asked == ["GET /realm/whoami", "POST /roles/actions/register"]
        assert (sentinel.effective_scope, sentinel.realm, sentinel.sentinel_public_key) == (
            "notes",
            None,
            None,
        )
        known = await sentinel.fetch_whoami()
        assert known == {"service_name": "notes", "effective_scope": "notes", "realm": None}
