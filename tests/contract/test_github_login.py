"""The GitHub login for browsers in authz mode (``http-api.md`` Z2, Z3), GitHub played at the HTTP boundary."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sentinel.apps import service_apps
from sentinel.apps.models import ServiceApp
from tests.stage import BASE_URL, Service, Stage

pytestmark = pytest.mark.anyio
ORIGIN = "https://notes.example.com"
REDIRECT = f"{ORIGIN}/signed-in?from=a&b=1"
TOKEN = "gho_a/b+c="


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    return {"github_client_id": "gh-client", "github_client_secret": "gh-secret"}


def _play_github(stage: Stage, *, token_answer: dict[str, Any] | None = None) -> list[str]:
    """GitHub's documented endpoints, at the HTTP boundary; the paths that were asked for are kept."""
    seen: list[str] = []
    answers: dict[str, Any] = {
        "/login/oauth/access_token": token_answer or {"access_token": TOKEN, "token_type": "bearer"},
        "/applications/gh-client/token": {"app": {"client_id": "gh-client"}},
        "/user": {"id": 4711, "login": "ada", "name": "Ada", "email": "public@example.com"},
        "/user/emails": [{"email": "Ada@Example.com", "primary": True, "verified": True}],
    }

    async def github(request: Request) -> JSONResponse:
        seen.append(request.url.path)
        return JSONResponse(answers[request.url.path])

    app = Starlette(routes=[Route("/{path:path}", github, methods=["GET", "POST"])])
    for host in ("github.com", "api.github.com"):
        stage.network.hosts[host] = httpx.ASGITransport(app)
    return seen


async def _start(
    stage: Stage, redirect_uri: str = REDIRECT, nonce: str = "n &1", provider: str = "github"
) -> httpx.Response:
    return await stage.client.get(
        f"/authz/idp/{provider}/login", params={"redirect_uri": redirect_uri, "nonce": nonce}
    )


async def _back(
    stage: Stage, state: str | None, *, http: httpx.AsyncClient | None = None, **query: str
) -> httpx.Response:
    asked = query if state is None else {"state": state, **query}
    return await (http or stage.client).get("/authz/idp/github/callback", params=asked)


def _state(started: httpx.Response) -> str:
    return parse_qs(urlsplit(started.headers["location"]).query)["state"][0]


async def test_Z2_and_Z3_the_token_arrives_in_the_fragment_of_the_applications_address(stage: Stage) -> None:
    _play_github(stage)
    service: Service = await stage.service(allowed_origins=[ORIGIN])
    started = await _start(stage)
    assert started.status_code == 302
    asked = urlsplit(started.headers["location"])
    query = parse_qs(asked.query)
    assert (asked.scheme, asked.netloc, asked.path) == ("https", "github.com", "/login/oauth/authorize")
    assert query["client_id"] == ["gh-client"]
    assert query["redirect_uri"] == [f"{BASE_URL}/authz/idp/github/callback"]
    assert query["scope"] == ["read:user user:email"]
    cookie = started.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    back = await _back(stage, _state(started), code="c-1")
    assert back.status_code == 302
    assert back.headers["location"] == f"{REDIRECT}#id_token=gho_a%2Fb%2Bc%3D&nonce=n%20%261"
    # The flow is over: the same answer a second time finds nothing in the session.
    assert (await _back(stage, _state(started), code="c-1")).status_code == 400
    # And the token resolves (EV-9, ID-7): the bare number is the account, the claim has the prefix.
    resolved = await stage.client.post(
        "/authz/resolve", headers=service.headers, json={"idp_token": TOKEN, "provider": "github"}
    )
    assert resolved.json()["user"]["email"] == "ada@example.com"


async def test_Z2_refuses_addresses_that_no_active_service_registered(stage: Stage) -> None:
    """Rules: RO-7, RO-11."""
    _play_github(stage)
    service = await stage.service(allowed_origins=[ORIGIN])
    bad = [
        "https://evil.example/",
        f"{ORIGIN}.evil.example/",
        f"{ORIGIN}:8443/",
        "http://notes.example.com/",
        f"{ORIGIN}/#fragment",
        "https://notes.example.com@evil.example/",
        "https://evil.example\\@notes.example.com/",
        "javascript:alert(1)",
        "//notes.example.com/",
        "https://[::1",
        "notes.example.com",
        "",
    ]
    for redirect_uri in bad:
        with stage.events() as events:
            answer = await _start(stage, redirect_uri)
        assert answer.status_code == 400, redirect_uri
        assert "authz.idp.redirect_rejected" in [event["event"] for event in events], redirect_uri
        assert "set-cookie" not in answer.headers
    assert (await _start(stage)).status_code == 302
    async with stage.state.database.transaction() as session:
        await service_apps.set_active(session, service.app.id, False, actor_id=None, now=stage.clock.now())
    assert (await _start(stage)).status_code == 400


async def test_Z2_is_for_github_only_and_needs_its_parameters(stage: Stage) -> None:
    await stage.service(allowed_origins=[ORIGIN])
    for provider in ("corp", "google", "nobody"):
        assert (await _start(stage, provider=provider)).status_code == 400
    for query in ({}, {"nonce": "n"}, {"redirect_uri": REDIRECT}):
        answer = await stage.client.get("/authz/idp/github/login", params=query)
        assert answer.status_code == 422


async def test_Z3_the_state_is_checked_before_anything_else(stage: Stage) -> None:
    """Rules: RO-3, L11."""
    asked = _play_github(stage)
    await stage.service(allowed_origins=[ORIGIN])
    state = _state(await _start(stage))
    async with stage.browser() as other:
        assert (await _back(stage, state, http=other, code="c-1")).status_code == 400
    for wrong in (None, "", state + "x", state[:-1]):
        assert (await _back(stage, wrong, code="c-1")).status_code == 400, wrong
    assert asked == []
    assert (await _back(stage, state)).status_code == 422
    assert (await _back(stage, state, error="access_denied")).status_code == 400
    stage.clock.advance(601)
    assert (await _back(stage, state, code="c-1")).status_code == 400
    assert asked == []


async def test_Z3_an_origin_that_was_unregistered_meanwhile_gets_no_token(stage: Stage) -> None:
    asked = _play_github(stage)
    await stage.service(allowed_origins=[ORIGIN])
    state = _state(await _start(stage))
    await stage.execute(sa.update(ServiceApp).values(is_active=False))
    with stage.events() as events:
        assert (await _back(stage, state, code="c-1")).status_code == 400
    assert "authz.idp.callback_rejected" in [event["event"] for event in events]
    assert asked == []


async def test_Z3_a_failed_exchange_is_502_and_leaks_nothing(stage: Stage) -> None:
    await stage.service(allowed_origins=[ORIGIN])
    _play_github(stage, token_answer={"error": "bad_verification_code", "error_description": "secret detail"})
    state = _state(await _start(stage))
    with stage.events() as events:
        answer = await _back(stage, state, code="c-1")
    assert answer.status_code == 502
    assert "secret detail" not in answer.text
    assert "auth.idp.exchange_failed" in [event["event"] for event in events]


async def test_EV_8_and_ID_7_github_in_authz_mode(stage: Stage) -> None:
    _play_github(stage)
    bound = await stage.service("bound", allowed_idp_audiences=["spa"])
    refused = await stage.client.post(
        "/authz/resolve", headers=bound.headers, json={"idp_token": TOKEN, "provider": "github"}
    )
    assert refused.status_code == 400
    service = await stage.service("notes")
    user = await stage.user(email="ada@example.com")
    await stage.link(user, provider="github", subject="4711")
    found = await stage.client.post(
        "/authz/resolve", headers=service.headers, json={"idp_token": TOKEN, "provider": "github"}
    )
    assert found.json()["user"]["id"] == str(user.id)
