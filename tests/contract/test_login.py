"""Starting a sign-in: A1 and A2."""

import base64
import hashlib
import json
import zlib
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from sentinel.apps.models import LoginApp
from sentinel.audit.activity import SYSTEM_TARGET
from sentinel.audit.models import Activity
from tests.stage import BASE_URL, IDP_URL, REDIRECT_URI, Keys, Pkce, Stage, open_stage

pytestmark = pytest.mark.anyio

COOKIE = "sentinel_login"
GITHUB: dict[str, Any] = {"github_client_id": "gh-id", "github_client_secret": SecretStr("gh-secret")}
GOOGLE: dict[str, Any] = {"google_client_id": "g-id", "google_client_secret": SecretStr("g-secret")}
ENTRA: dict[str, Any] = {
    "entra_client_id": "e-id",
    "entra_client_secret": SecretStr("e-secret"),
    "entra_tenant_id": "11111111-2222-3333-4444-555555555555",
}
UNKNOWN_APP = "00000000-0000-4000-8000-000000000000"


def asked(answer: httpx.Response) -> dict[str, str]:
    """The query of the redirect to the provider; every parameter stands there once."""
    values = parse_qs(urlsplit(answer.headers["location"]).query, keep_blank_values=True)
    assert all(len(value) == 1 for value in values.values())
    return {name: value[0] for name, value in values.items()}


def sealed(cookie: str) -> Any:
    """What a login cookie says to whoever reads it: it is signed, not encrypted."""
    payload = cookie.removeprefix(".").split(".")[0]
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return json.loads(zlib.decompress(raw) if cookie.startswith(".") else raw)


def require_page(answer: httpx.Response, status: int) -> None:
    """An error page that sends nobody anywhere, keeps nothing and holds nothing that a browser would run."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "<h1>" in answer.text
    assert f"Error {status}" in answer.text
    assert "<script" not in answer.text.lower()


def wish(app: LoginApp, **changes: str | None) -> dict[str, str]:
    """The query of A2, changed parameter by parameter; None takes one away."""
    query: dict[str, str | None] = {
        "client_id": str(app.id),
        "redirect_uri": app.redirect_uris[0],
        "code_challenge": Pkce("v" * 43).challenge,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (query | changes).items() if value is not None}


async def test_A1_lists_the_configured_providers_in_order(sqlite_url: str, stage_keys: Keys) -> None:
    # Each group lacks one of the variables that make a provider.
    no_secret = {name: SecretStr("") for name in ("google_client_secret", "github_client_secret")}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        (GOOGLE | GITHUB | ENTRA, ["google", "github", "entra_id", "zeta", "alpha"]),
        (GOOGLE | GITHUB | ENTRA | no_secret | {"entra_tenant_id": ""}, ["zeta", "alpha"]),
        ({}, ["zeta", "alpha"]),
    ]
    for settings, expected in cases:
        async with open_stage(sqlite_url, stage_keys, providers=("zeta", "alpha"), **settings) as stage:
            answer = await stage.client.get("/auth/providers")
            assert (answer.status_code, answer.json()) == (200, {"providers": expected})
    async with open_stage(sqlite_url, stage_keys, providers=()) as stage:
        assert (await stage.client.get("/auth/providers")).json() == {"providers": []}


async def test_A2_sends_the_browser_to_the_provider(stage: Stage) -> None:
    app, pkce = await stage.login_app(), Pkce()
    before = await stage.snapshot()
    answer = await stage.start(app, pkce, state="the application's own")
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].startswith(f"{IDP_URL}/authorize?")
    query = asked(answer)
    assert query.keys() == {
        *("client_id", "redirect_uri", "response_type", "scope"),
        *("state", "nonce", "code_challenge", "code_challenge_method"),
    }
    assert query["client_id"] == "sentinel"
    assert query["redirect_uri"] == f"{BASE_URL}/auth/callback/corp"
    assert (query["response_type"], query["scope"]) == ("code", "openid email profile")
    assert query["code_challenge_method"] == "S256"
    assert query["code_challenge"] != pkce.challenge, "our own PKCE pair, not the application's"
    assert min(len(query[name]) for name in ("state", "nonce")) >= 43
    again = asked(await stage.start(app, pkce, state="the application's own"))
    for name in ("state", "nonce", "code_challenge"):
        assert query[name] != again[name], f"{name} is fresh for every start"
    assert await stage.snapshot() == before


async def test_A2_the_method_may_be_left_out(stage: Stage) -> None:
    app = await stage.login_app()
    answer = await stage.client.get("/auth/login/corp", params=wish(app, code_challenge_method=None))
    assert answer.status_code == 302


async def test_A2_github_gets_state_only(sqlite_url: str, stage_keys: Keys) -> None:
    async with open_stage(sqlite_url, stage_keys, **GITHUB) as stage:
        app = await stage.login_app()
        answer = await stage.start(app, Pkce(), provider="github")
    assert answer.headers["location"].startswith("https://github.com/login/oauth/authorize?")
    query = asked(answer)
    assert query.pop("state")
    assert query == {
        "client_id": "gh-id",
        "redirect_uri": f"{BASE_URL}/auth/callback/github",
        "response_type": "code",
        "scope": "user:email",
    }


async def test_RO_9_the_session_cookie_is_signed_and_holds_no_secret(stage: Stage) -> None:
    app, pkce = await stage.login_app(), Pkce()
    answer = await stage.start(app, pkce, state="mine")
    (line,) = answer.headers.get_list("set-cookie")
    cookie, *attributes = line.split("; ")
    assert {attribute.lower() for attribute in attributes} == {
        *("httponly", "samesite=lax", "path=/", "max-age=600"),
    }
    name, _, value = cookie.partition("=")
    assert name == COOKIE
    (flow,) = sealed(value)
    query = asked(answer)
    own_challenge = hashlib.sha256(flow.pop("code_verifier").encode()).digest()
    assert base64.urlsafe_b64encode(own_challenge).rstrip(b"=").decode() == query["code_challenge"]
    assert flow == {
        "kind": "proxy",
        "provider": "corp",
        "state": query["state"],
        "nonce": query["nonce"],
        "started_at": stage.clock.timestamp(),
        "client_id": str(app.id),
        "redirect_digest": hashlib.sha256(REDIRECT_URI.encode()).hexdigest(),
        "code_challenge": pkce.challenge,
        "app_state": "mine",
    }


async def test_T3_the_session_cookie_is_secure_when_asked_for(sqlite_url: str, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"base_url": "https://auth.example.com", "cookie_secure": True}
    async with open_stage(sqlite_url, stage_keys, **options) as stage:
        app = await stage.login_app()
        person = stage.person("ada@example.com")
        started = await stage.start(app, Pkce())
        finished = await stage.client.get(await stage.at_provider(started, person))
        for answer in (started, finished):
            (line,) = answer.headers.get_list("set-cookie")
            attributes = {part.lower() for part in line.split("; ")[1:]}
            assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
        assert finished.status_code == 302
        assert COOKIE not in stage.client.cookies, "deleted with the attributes it was set with"


async def test_A2_refusals_are_pages_and_noted(stage: Stage) -> None:
    app = await stage.login_app(REDIRECT_URI, "https://notes.example.com/second")
    other = await stage.login_app("https://other.example.com/callback")
    inactive = await stage.login_app()
    await stage.execute(sa.update(LoginApp).where(LoginApp.id == inactive.id).values(is_active=False))
    near = (
        f"{REDIRECT_URI}/",
        f"{REDIRECT_URI}?",
        f"{REDIRECT_URI}?next=1",
        f"{REDIRECT_URI}#",
        f" {REDIRECT_URI}",
        f"{REDIRECT_URI}\n",
        REDIRECT_URI.upper(),
        REDIRECT_URI.removesuffix("k"),
        REDIRECT_URI.replace("https", "http"),
        REDIRECT_URI.replace("callback", "c%61llback"),
        REDIRECT_URI.replace("/callback", "/x/../callback"),
        "https://notes.example.com:443/callback",
        "https://notes.example.com@evil.example.net/callback",
        "https://notes.example.com.evil.example.net/callback",
        "https://evil.example.net/?https://notes.example.com/callback",
        "javascript:alert(1)",
        other.redirect_uris[0],
        "https://notes.example.com/" + "x" * 9000,
        "",
    )
    cases = [("corp", wish(app, redirect_uri=uri), "redirect_uri_not_allowed") for uri in near]
    cases += [
        ("corp", wish(app, client_id=UNKNOWN_APP), "redirect_uri_not_allowed"),
        ("corp", wish(inactive), "redirect_uri_not_allowed"),
        ("corp", wish(other, redirect_uri=REDIRECT_URI), "redirect_uri_not_allowed"),
        ("nobody", wish(app), "provider_not_configured"),
        ("CORP", wish(app), "provider_not_configured"),
        ("google", wish(app), "provider_not_configured"),
        ("test_oidc", wish(app), "provider_not_configured"),
        ("%3Cscript%3Ealert(1)", wish(app), "provider_not_configured"),
        ("p" * 3000, wish(app), "provider_not_configured"),
        *(
            ("corp", wish(app, code_challenge_method=method), "pkce_method_rejected")
            for method in ("plain", "s256", "S256 ", "", "S" * 1000)
        ),
    ]
    rest = await stage.snapshot("activity_logs")
    agent = "a" * 300
    for provider, query, reason in cases:
        with stage.events() as lines:
            answer = await stage.client.get(
                f"/auth/login/{provider}", params=query, headers={"User-Agent": agent}
            )
        require_page(answer, 400)
        (event,) = [line for line in lines if line.get("category") == "security"]
        assert (event["event"], event["outcome"], event["reason"]) == (
            "auth.login.rejected",
            "denied",
            reason,
        )
        (row,) = await stage.activities("login_failed")
        assert (row.action, row.actor_id, row.workspace_id) == ("login_failed", None, None)
        assert (row.target_type, row.target_id) == ("system", SYSTEM_TARGET)
        name = "<script>alert(1)" if "script" in provider else provider
        assert row.detail == {
            "reason": reason,
            "provider": name[:64],
            "ip": "127.0.0.1",
            "user_agent": agent[:200],
            "flow": "user",
        }
        await stage.execute(sa.delete(Activity).where(Activity.id == row.id))
    assert await stage.snapshot("activity_logs") == rest
    assert not stage.client.cookies


async def test_A2_malformed_requests_are_422(stage: Stage) -> None:
    app = await stage.login_app()
    challenge = Pkce("v" * 43).challenge
    cases: list[tuple[str, str]] = [
        *((urlencode(wish(app, **{name: None})), name) for name in ("client_id", "redirect_uri")),
        (urlencode(wish(app, code_challenge=None)), "code_challenge"),
        *((urlencode(wish(app, client_id=value)), "client_id") for value in ("", "notes", f"{app.id}x")),
        *(
            (urlencode(wish(app, code_challenge=value)), "code_challenge")
            for value in (
                "",
                challenge[:42],
                "a" * 129,
                f"{challenge}=",
                f"{challenge}\n",
                f"{challenge[:42]}+",
            )
        ),
        (urlencode(wish(app, state="s" * 513)), "state"),
        (urlencode(wish(app, state="a\x00b")), "state"),
        (urlencode(wish(app, redirect_uri=f"{REDIRECT_URI}\x00")), "redirect_uri"),
        (f"{urlencode(wish(app))}&state=%ff", "query"),
        (f"{urlencode(wish(app))}&state=%ed%a0%80", "query"),
    ]
    # L13: whichever of two values the application and its proxies would read, it is neither.
    cases += [
        (f"{urlencode(wish(app, state='s'))}&{name}={quote(value)}", name)
        for name, value in wish(app, state="s").items()
    ]
    before = await stage.snapshot()
    for query, name in cases:
        answer = await stage.client.get(f"/auth/login/corp?{query}")
        assert answer.status_code == 422, (query, answer.text)
        (problem, *_) = answer.json()["detail"]
        assert problem.keys() == {"loc", "msg", "type"}
        assert problem["loc"] == ["query", name], query
        page = await stage.client.get(f"/auth/login/corp?{query}", headers={"Accept": "text/html,*/*;q=0.8"})
        require_page(page, 422)
    assert await stage.snapshot() == before


async def test_A2_limits_of_length_are_inclusive(stage: Stage) -> None:
    app = await stage.login_app()
    for query in (
        wish(app, state="s" * 512),
        wish(app, state=""),
        wish(app, code_challenge="a" * 43),
        wish(app, code_challenge="Az09-_" * 21 + "aa"),
    ):
        assert (await stage.client.get("/auth/login/corp", params=query)).status_code == 302, query


async def test_A2_and_L15_unknown_parameters_change_nothing(stage: Stage) -> None:
    app = await stage.login_app()
    extra = {"is_admin": "true", "provider": "github", "scope": "admin", "nonce": "mine", "prompt": "none"}
    answer = await stage.client.get("/auth/login/corp", params=wish(app) | extra)
    query = asked(answer)
    assert query["scope"] == "openid email profile"
    assert query["nonce"] != "mine"
    assert "prompt" not in query


async def test_A2_provider_out_of_reach_is_500_without_details(stage: Stage) -> None:
    app = await stage.login_app()
    stage.network.hosts.clear()
    before = await stage.snapshot()
    with stage.events() as lines:
        answer = await stage.start(app, Pkce())
    require_page(answer, 500)
    for told in ("9103", "localhost", "Unreachable", "Traceback", "idp-secret"):
        assert told not in answer.text
    events = {line["event"]: line for line in lines if line.get("category") == "security"}
    assert events["auth.idp.exchange_failed"]["reason"] == "outbound_unreachable"
    assert events["auth.login.failed"]["reason"] == "callback_error"
    assert await stage.snapshot() == before


async def test_A2_without_database_is_503(stage: Stage) -> None:
    app = await stage.login_app()
    async with stage.without_database():
        answer = await stage.start(app, Pkce())
        rejected = await stage.start(app, Pkce(), provider="nobody")
    require_page(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert BASE_URL not in answer.text
    require_page(rejected, 400)
    assert not await stage.activities("login_failed")


async def test_A2_is_limited_per_address(database_url: str, stage_keys: Keys) -> None:
    limits: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_auth": "2/minute"}
    async with open_stage(database_url, stage_keys, **limits) as stage:
        app = await stage.login_app()
        assert [(await stage.start(app, Pkce())).status_code for _ in range(2)] == [302, 302]
        before = await stage.snapshot()
        for provider in ("corp", "nobody"):
            answer = await stage.start(app, Pkce(), provider=provider)
            assert (answer.status_code, answer.json()) == (429, {"detail": "Too many requests"})
            assert answer.headers["retry-after"] == "60"
        page = await stage.client.get("/auth/login/corp", headers={"Accept": "text/html"})
        require_page(page, 429)
        assert page.headers["retry-after"] == "60"
        assert await stage.snapshot() == before
        callback = await stage.client.get("/auth/callback/corp")
        assert callback.status_code == 400, "another route, another count"
        stage.clock.advance(60)
        assert (await stage.start(app, Pkce())).status_code == 302
