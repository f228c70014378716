"""Redirects, origins and the login session: RO-1 to RO-5, RO-9, RO-11, and what others have paid for."""

import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeSerializer
from pydantic import SecretStr

from sentinel.apps import login_apps
from sentinel.apps.models import LoginApp
from sentinel.core.errors import Unprocessable
from sentinel.identity.models import User
from sentinel.login.state import MAX_COOKIE_LENGTH, Flow, LoginCookie
from sentinel.tokens.models import AuthorizationCode
from tests.stage import BASE_URL, REDIRECT_URI, Keys, Pkce, Stage, open_stage

pytestmark = pytest.mark.anyio

COOKIE = "sentinel_login"
OTHER_KEY = "another-session-key-of-more-than-32-letters"
PUBLIC_URL = "https://auth.example.com/sentinel"
FORGED = {
    "X-Forwarded-Host": "evil.example.net",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8080",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "https://evil.example.net/auth",
    "Forwarded": "host=evil.example.net;proto=http",
}


def back_from(started: Any, provider: str = "corp") -> str:
    """A callback with the right state and a code that the provider never gave."""
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    return f"/auth/callback/{provider}?code=forged&state={state}"


# ── RO-1, RO-4, RO-11: where a sign-in ends ──


async def test_RO_1_the_uri_must_be_registered_on_exactly_that_app(stage: Stage) -> None:
    first = await stage.login_app("https://one.example.com/cb", "https://one.example.com/cb2")
    second = await stage.login_app("https://two.example.com/cb")
    for app, uri, status in (
        (first, "https://one.example.com/cb", 302),
        (first, "https://one.example.com/cb2", 302),
        (second, "https://two.example.com/cb", 302),
        (first, "https://two.example.com/cb", 400),
        (second, "https://one.example.com/cb", 400),
        (first, "https://one.example.com/cb3", 400),
        (first, "https://one.example.com/c", 400),
    ):
        answer = await stage.start(app, Pkce(), redirect_uri=uri)
        assert answer.status_code == status, (app.id, uri)


async def test_RO_1_and_RO_11_registered_uris_are_used_as_they_are(stage: Stage) -> None:
    person = stage.person("ada@example.com")
    uris = (
        "http://localhost:8080/cb",
        "http://127.0.0.1:5000",
        "https://[::1]:8443/cb",
        "https://notes.example.com",
        "https://notes.example.com/",
        "https://notes.example.com/a%20b/%c3%a4",
        "https://notes.example.com/~user/(a)/$;v=1,2/'!+@:=&/-._",
        "https://xn--bcher-kva.example/cb",
        "https://notes.example.com/" + "long/" * 400,
    )
    app = await stage.login_app(*uris)
    for uri in uris:
        answer = await stage.sign_in(person, app, Pkce(), redirect_uri=uri, state="s")
        location = answer.headers["location"]
        assert location.startswith(f"{uri}?code="), location
        assert parse_qs(urlsplit(location).query).keys() == {"code", "state"}


async def test_RO_11_a_uri_with_a_query_from_before_keeps_it(stage: Stage) -> None:
    uri = "https://old.example.com/cb?tenant=7"
    now = stage.clock.now()
    app = LoginApp(
        id=uuid4(), name="Old", redirect_uris=[uri], is_active=True, created_at=now, updated_at=now
    )
    await stage.add(app)
    answer = await stage.sign_in(stage.person("ada@example.com"), app, Pkce(), state="s")
    location = answer.headers["location"]
    assert location.startswith(f"{uri}&code=")
    assert parse_qs(urlsplit(location).query).keys() == {"tenant", "code", "state"}


async def test_RO_4_the_applications_state_comes_back_as_it_was(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    for state in (
        "plain",
        "two words + plus",
        "a&code=stolen&b=c#d?e;f=%41%zz",
        "\"'<script>alert(1)</script>\\",
        "Grüße, 日本語, \U0001f980",
        "line\r\nSet-Cookie: a=b\ttab",
        "\x01\x7f\ufeff\u202e",
        "s" * 512,
        "".join(chr(0x1F000 + secrets.randbelow(2000)) for _ in range(512)),
        "".join(chr(33 + secrets.randbelow(94)) for _ in range(512)),
        "",
    ):
        answer = await stage.sign_in(person, app, Pkce(), state=state)
        location = answer.headers["location"]
        base, _, query = location.partition("?")
        assert base == REDIRECT_URI
        assert parse_qs(query, keep_blank_values=True)["state"] == [state]
        assert len(query.split("&")) == 2
        assert query.isascii()
        assert not set(query.partition("&state=")[2]) & set("\"'<>\\ #?&;=+\r\n")
    answer = await stage.sign_in(person, app, Pkce())
    assert "state" not in answer.headers["location"]


async def test_RO_2_the_uri_of_the_start_is_the_one_at_the_end(stage: Stage) -> None:
    """Two URIs on one app: each tab ends where it started, and one that was taken away ends nowhere."""
    first, second = "https://notes.example.com/one", "https://notes.example.com/two"
    app, person = await stage.login_app(first, second), stage.person("ada@example.com")
    tabs = [await stage.start(app, Pkce(), redirect_uri=uri) for uri in (first, second)]
    urls = [await stage.at_provider(tab, person) for tab in tabs]
    await stage.execute(sa.update(LoginApp).where(LoginApp.id == app.id).values(redirect_uris=[second]))
    answers = [await stage.client.get(url) for url in urls]
    assert [answer.status_code for answer in answers] == [400, 302]
    assert answers[1].headers["location"].startswith(f"{second}?code=")
    assert await stage.count(AuthorizationCode) == 1


async def test_RO_3_the_state_is_checked_before_the_provider_is_asked(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    started = await stage.start(app, Pkce())
    url = await stage.at_provider(started, person)
    state = parse_qs(urlsplit(url).query)["state"][0]
    assert len(state) >= 43
    stage.network.hosts.clear()
    for wrong in (state[::-1], "", state.upper()):
        answer = await stage.client.get(url.replace(state, wrong))
        assert answer.status_code == 400, "asking the provider would have been 500"
    assert (await stage.client.get(url)).status_code == 500


# ── RO-5: what may be registered ──


async def test_RO_5_malformed_redirect_uris_are_refused(stage: Stage) -> None:
    database = stage.state.database
    refused: tuple[list[str], ...] = (
        [],
        [REDIRECT_URI] * 51,
        [""],
        ["null"],
        ["*"],
        ["https://*.example.com/cb"],
        ["https://notes.example.com/*"],
        ["https://notes.example.com/cb?"],
        ["https://notes.example.com/cb?a=b"],
        ["https://notes.example.com/cb#"],
        ["https://notes.example.com/cb#f"],
        ["https://user@notes.example.com/cb"],
        ["https://user:pw@notes.example.com/cb"],
        ["https://@notes.example.com/cb"],
        ["http://localhost:80@evil.example.net/cb"],
        ["http://notes.example.com/cb"],
        ["http://localhost.evil.example.net/cb"],
        ["http://127.0.0.1.evil.example.net/cb"],
        ["HTTPS://notes.example.com/cb"],
        ["https:notes.example.com/cb"],
        ["https:///cb"],
        ["https://:443/cb"],
        ["//notes.example.com/cb"],
        ["/cb"],
        ["ftp://notes.example.com/cb"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["com.example.app:/cb"],
        ["https://notes.example.com:99999/cb"],
        ["https://notes.example.com:x/cb"],
        ["https://notes.example.com:/cb"],
        [" https://notes.example.com/cb"],
        ["https://notes.example.com/c b"],
        ["https://notes.example.com/cb\n"],
        ["https://notes.example.com/c\x00b"],
        ["https://notes.example.com\\@evil.example.net/cb"],
        ["https://notes.example.com/../cb"],
        ["https://bücher.example/cb"],
        ["https://notes.example.com/" + "x" * 2048],
        [REDIRECT_URI, "https://notes.example.com/cb#f"],
    )
    before = await stage.snapshot()
    for uris in refused:
        with pytest.raises(Unprocessable) as refusal:
            async with database.transaction() as session:
                await login_apps.create(
                    session,
                    name="Notes",
                    redirect_uris=uris,
                    allow_plain_http=False,
                    actor_id=None,
                    now=stage.clock.now(),
                )
        assert refusal.value.field == "redirect_uris", uris
    assert await stage.snapshot() == before
    app = await stage.login_app(*[f"https://notes.example.com/{number}" for number in range(50)])
    with pytest.raises(Unprocessable):
        async with database.transaction() as session:
            await login_apps.change(
                session,
                app.id,
                redirect_uris=["https://notes.example.com/cb#f"],
                allow_plain_http=False,
                actor_id=None,
                now=stage.clock.now(),
            )
    (kept,) = await stage.all(LoginApp)
    assert len(kept.redirect_uris) == 50


# ── RO-9: the session cookie ──


async def test_T1b_a_cookie_signed_with_another_key_is_ignored(stage: Stage) -> None:
    app = await stage.login_app()
    started = await stage.start(app, Pkce())
    genuine = stage.client.cookies[COOKIE]
    content, _, signature = genuine.rpartition(".")
    (flow,) = stage.state.login_cookie.flows(genuine)
    forged = LoginCookie([OTHER_KEY], stage.clock).with_flow(None, flow)
    other_salt = URLSafeSerializer(stage.settings.session_secret_key.get_secret_value(), salt="elsewhere")
    entry = {"kind": "proxy", "provider": "corp", "state": flow.state, "started_at": flow.started_at}
    for value in (
        forged,
        str(other_salt.dumps([entry])),
        f"{content}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "X" + genuine[1:],
        content,
        f"{genuine}.{genuine}",
        genuine + "A" * (MAX_COOKIE_LENGTH + 1),
        "A" * 100_000,
        "....",
        "%00%ff",
        "e30." + signature,
        '"' + json.dumps(entry).replace('"', "'") + '"',
        "",
    ):
        async with stage.browser() as http:
            answer = await http.get(back_from(started), headers={"Cookie": f"{COOKIE}={value}"})
        assert answer.status_code == 400, value[:80]
        assert "set-cookie" not in answer.headers
    answer = await stage.client.get(back_from(started))
    assert answer.status_code == 500, "the genuine cookie gets as far as the provider"


async def test_L05_a_malformed_cookie_does_not_keep_a_login_from_starting(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    for value in ("garbage", "A" * 5000, "a.b.c", "=;=", "\x01"):
        async with stage.browser() as http:
            http.headers["Cookie"] = f"{COOKIE}={value}"
            started = await stage.start(app, Pkce())
            assert started.status_code == 302
            del http.headers["Cookie"]
            assert (await http.get("/auth/providers", headers={"Cookie": f"{COOKIE}={value}"})).is_success
        assert (await stage.client.get(await stage.at_provider(started, person))).status_code == 302


async def test_RO_9_what_we_signed_but_cannot_read_counts_as_nothing(stage: Stage) -> None:
    """Cookies of another release of ours, say."""
    key = stage.settings.session_secret_key.get_secret_value()
    cookie = LoginCookie([key], stage.clock)
    whole = Flow("proxy", "corp", "s" * 43, stage.clock.timestamp(), client_id=uuid4(), app_state="x")
    assert cookie.flows(cookie.with_flow(None, whole)) == [whole]
    known: dict[str, Any] = {"kind": "proxy", "provider": "corp", "state": "s", "started_at": 1}
    unreadable: tuple[Any, ...] = (
        *({}, "text", 7, None),
        *([7], [None], [{}], [[]], [{"kind": "proxy"}]),
        *([known | {"started_at": "now"}], [known | {"surprise": 1}], [known | {"client_id": "no uuid"}]),
    )
    for content in unreadable:
        sealed = str(cookie._serializer.dumps(content))
        assert cookie.flows(sealed) == [], content
        assert cookie.find(sealed, kind="proxy", provider="corp", state="s") is None


async def test_RO_9_while_keys_rotate_logins_go_on(sqlite_url: str, stage_keys: Keys) -> None:
    old, new = SecretStr(OTHER_KEY), SecretStr("the-next-session-key-of-more-than-32-letters")
    rotations: tuple[Mapping[str, Any], ...] = (
        {"session_secret_key": old},
        {"session_secret_key": new, "session_secret_key_previous": (old,)},
        {"session_secret_key": new},
    )
    async with open_stage(sqlite_url, stage_keys, **rotations[0]) as stage:
        started = await stage.start(await stage.login_app(), Pkce())
        cookie = {"Cookie": f"{COOKIE}={stage.client.cookies[COOKIE]}"}
    for settings, status in zip(rotations[1:], (500, 400), strict=True):
        async with open_stage(sqlite_url, stage_keys, **settings) as stage:
            answer = await stage.client.get(back_from(started), headers=cookie)
            assert answer.status_code == status


# ── lessons ──


async def test_L02_every_address_comes_from_the_base_url(sqlite_url: str, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"base_url": PUBLIC_URL, "cookie_secure": True, "allowed_hosts": ("*",)}
    async with open_stage(sqlite_url, stage_keys, **options) as stage:
        app, pkce = await stage.login_app(), Pkce()
        headers = FORGED | {"Host": "evil.example.net"}
        stage.client.headers.update(headers)
        started = await stage.start(app, pkce)
        callback = parse_qs(urlsplit(started.headers["location"]).query)["redirect_uri"]
        assert callback == [f"{PUBLIC_URL}/auth/callback/corp"]
        # The cookie jar goes by the host that we pretend, so the cookie is carried by hand.
        jar = {"Cookie": started.headers["set-cookie"].partition(";")[0]}
        answer = await stage.client.get(
            await stage.at_provider(started, stage.person("ada@example.com")), headers=jar
        )
        assert answer.headers["location"].startswith(f"{REDIRECT_URI}?code=")
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        (user,) = await stage.all(User)
        workspace = await stage.workspace(user)
        body = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(workspace.id)}
        tokens = (await stage.client.post("/auth/token", json=body)).json()
        for name in ("access_token", "refresh_token"):
            assert claims_of(tokens[name])["iss"] == PUBLIC_URL
        for path in ("/auth/login/nobody", "/auth/callback/corp", "/nowhere", "/.well-known/jwks.json"):
            told = await stage.client.get(path, headers={"Accept": "text/html"})
            assert "evil" not in told.text + repr(told.headers), path


def claims_of(token: str) -> Any:
    """The claims of a token, unverified."""
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


async def test_L13_no_error_sends_the_browser_anywhere(stage: Stage) -> None:
    app = await stage.login_app()
    evil = "https://evil.example.net/"
    started = await stage.start(app, Pkce())
    query = f"client_id={app.id}&code_challenge={Pkce().challenge}"
    for path in (
        f"/auth/login/corp?{query}&redirect_uri={evil}",
        f"/auth/login/corp?{query}&redirect_uri={REDIRECT_URI}&redirect_uri={evil}",
        f"/auth/login/corp?{query}&redirect_uri={evil}&redirect_uri={REDIRECT_URI}",
        f"/auth/login/corp?{query}&redirect_uri[]={REDIRECT_URI}",
        f"/auth/login/nobody?{query}&redirect_uri={REDIRECT_URI}",
        f"/auth/login/corp?{query}&redirect_uri={REDIRECT_URI}&code_challenge_method=plain",
        f"/auth/login/corp?{query}&redirect_uri=http://localhost:80@evil.example.net/",
        f"/auth/login/corp?{query}&redirect_uri={REDIRECT_URI}.evil.example.net",
        f"/auth/callback/corp?error=access_denied&redirect_uri={evil}&state=x",
        f"{back_from(started)}&redirect_uri={evil}&next={evil}",
        f"/auth/callback/corp?code=x&state=x&redirect_uri={evil}",
        "//evil.example.net/auth/login/corp",
    ):
        answer = await stage.client.get(path)
        assert answer.status_code in (400, 404, 422, 500), path
        assert "location" not in answer.headers, path
        assert "evil.example.net" not in answer.text, path
    assert BASE_URL not in answer.text
