"""The end of a sign-in: A3, in every cell of its table."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from starlette.responses import JSONResponse, RedirectResponse, Response

from sentinel.apps.models import LoginApp
from sentinel.audit.activity import SYSTEM_TARGET
from sentinel.audit.models import Activity
from sentinel.devmode.provider import Person
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, SocialAccount, User
from sentinel.tokens.models import AuthorizationCode
from tests.stage import IDP_URL, REDIRECT_URI, Keys, Pkce, Stage, open_stage

pytestmark = pytest.mark.anyio

COOKIE = "sentinel_login"
IDP_HOST = urlsplit(IDP_URL).netloc
LEAKS = ("Traceback", "sqlalchemy", "asyncpg", "the stage forbids it", "localhost:9103", "idp-secret")


class Meanwhile(httpx.AsyncBaseTransport):
    """The provider, and what happens while it answers at its token endpoint."""

    def __init__(self, stage: Stage, happens: Callable[[], Awaitable[Any]]) -> None:
        self.inner = stage.network.hosts[IDP_HOST]
        self.happens = happens
        stage.network.hosts[IDP_HOST] = self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if request.url.path.endswith("/token"):
            await self.happens()
        return answer


class Says(httpx.AsyncBaseTransport):
    """The provider, with an answer of the test's own at its token endpoint."""

    def __init__(self, stage: Stage, answer: Response) -> None:
        self.inner = stage.network.hosts[IDP_HOST]
        self.answer = httpx.ASGITransport(answer)
        stage.network.hosts[IDP_HOST] = self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return await self.answer.handle_async_request(request)
        return await self.inner.handle_async_request(request)


def ended(answer: httpx.Response) -> dict[str, list[str]]:
    """The query that the application gets."""
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query, keep_blank_values=True)


async def cancelled(stage: Stage, started: httpx.Response) -> str:
    """The callback URL of somebody who changes his mind at the provider."""
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    async with httpx.AsyncClient(transport=stage.network, base_url=IDP_URL) as http:
        answer = await http.post("/authorize", data={**asked, "cancel": "1"})
    location: str = answer.headers["location"]
    return location


async def refused(
    stage: Stage,
    url: str,
    status: int,
    reason: str,
    *,
    event: str = "auth.login.failed",
    provider: str = "corp",
    http: httpx.AsyncClient | None = None,
    logged: str | None = None,
) -> httpx.Response:
    """Call the callback and require the whole of a refusal: page, one audit row, one security event."""
    with stage.events() as lines:
        answer = await (http or stage.client).get(url)
    assert answer.status_code == status, (url, answer.status_code, answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "location" not in answer.headers
    assert f"Error {status}" in answer.text
    assert not [leak for leak in LEAKS if leak in answer.text]
    (seen,) = [line for line in lines if line["event"].startswith("auth.login.")]
    assert (seen["event"], seen["category"], seen["reason"]) == (event, "security", reason)
    assert logged is None or logged in {line["event"] for line in lines}
    (row,) = await stage.activities("login_failed")
    assert (row.target_type, row.target_id, row.actor_id) == ("system", SYSTEM_TARGET, None)
    assert row.detail == {
        "reason": reason,
        "provider": provider,
        "ip": "127.0.0.1",
        "user_agent": "stage/1.0",
        "flow": "user",
    }
    await stage.execute(sa.delete(Activity).where(Activity.id == row.id))
    return answer


@asynccontextmanager
async def nothing_written(stage: Stage) -> AsyncIterator[None]:
    """Within this block no row is written but those of the activity log."""
    before = await stage.snapshot("activity_logs")
    yield
    assert await stage.snapshot("activity_logs") == before
    assert not await stage.activities("user_login")


async def rejected(stage: Stage, url: str, reason: str, **options: Any) -> httpx.Response:
    """The 400 of a login that cannot go on."""
    return await refused(stage, url, 400, reason, event="auth.login.rejected", **options)


# ── success ──


async def test_A3_ends_at_the_application_with_a_code(stage: Stage) -> None:
    app, pkce = await stage.login_app(), Pkce()
    person = stage.person("Ada@Example.com", name="Ada <b>Example</b>")
    started = await stage.start(app, pkce, state="my state")
    agent = "b" * 300
    with stage.events() as lines:
        url = await stage.at_provider(started, person)
        answer = await stage.client.get(url, headers={"User-Agent": agent})
    query = ended(answer)
    assert query.keys() == {"code", "state"}
    assert query["state"] == ["my state"]
    assert answer.headers["location"] == f"{REDIRECT_URI}?code={query['code'][0]}&state=my%20state"
    assert answer.headers["cache-control"] == "no-store"
    assert COOKIE not in stage.client.cookies
    (user,) = await stage.all(User)
    (account,) = await stage.all(SocialAccount)
    assert (user.email, user.name, user.is_active, user.is_admin) == (
        "ada@example.com",
        "Ada Example",
        True,
        False,
    )
    assert user.organization_id == PUBLIC_ORGANIZATION_ID
    assert (account.user_id, account.provider, account.provider_user_id) == (user.id, "corp", person.sub)
    (row,) = await stage.activities("user_login")
    assert (row.actor_id, row.target_type, row.target_id) == (user.id, "user", user.id)
    assert row.detail == {"provider": "corp", "ip": "127.0.0.1", "user_agent": agent[:200], "flow": "user"}
    (event,) = [line for line in lines if line["event"].startswith("auth.login")]
    assert (event["event"], event["outcome"], event["actor"]) == (
        *("auth.login.succeeded", "success"),
        str(user.id),
    )
    (stored,) = await stage.all(AuthorizationCode)
    code = query["code"][0]
    assert len(code) >= 43
    assert stored.code_hash == hashlib.sha256(code.encode()).hexdigest()
    assert code not in repr(await stage.snapshot())
    assert (stored.user_id, stored.client_app_id, stored.provider) == (user.id, app.id, "corp")
    assert (stored.code_challenge, stored.code_challenge_method) == (pkce.challenge, "S256")
    assert stored.expires_at == stage.clock.now() + timedelta(seconds=300)


async def test_A3_and_L12_every_login_is_a_new_session(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    codes, cookies = set(), set()
    for _ in range(3):
        started = await stage.start(app, Pkce())
        cookies.add(stage.client.cookies[COOKIE])
        answer = await stage.client.get(await stage.at_provider(started, person))
        assert COOKIE not in stage.client.cookies
        codes.add(ended(answer)["code"][0])
    assert len(codes) == len(cookies) == 3
    assert await stage.count(User) == 1
    assert len(await stage.activities("user_login")) == 3


# ── 400 ──


async def test_A3_without_a_flow_of_its_own_is_400(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    await rejected(stage, "/auth/callback/corp?code=x&state=y", "state_mismatch")
    started = await stage.start(app, Pkce())
    cookie = stage.client.cookies[COOKIE]
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    for query in (
        "",
        "?code=x",
        f"?code=x&state={state[:-1]}",
        f"?code=x&state={state}x",
        f"?code=x&state={state.swapcase()}",
        "?code=x&state=",
        "?code=x&state=%00",
        "?code=x&state=%ff",
        f"?code=x&state={'s' * 5000}",
        f"?code=x&state={state}&state={state}",
        "?error=access_denied&state=other",
    ):
        answer = await rejected(stage, f"/auth/callback/corp{query}", "state_mismatch")
        assert "set-cookie" not in answer.headers
    unknown = f"/auth/callback/nobody?code=x&state={state}"
    await rejected(stage, unknown, "provider_not_configured", provider="nobody")
    assert stage.client.cookies[COOKIE] == cookie
    for table in (User, SocialAccount, AuthorizationCode):
        assert await stage.count(table) == 0
    assert ended(await stage.client.get(await stage.at_provider(started, person)))["code"]


async def test_L11_the_state_of_another_browser_is_refused(stage: Stage) -> None:
    app = await stage.login_app()
    async with stage.browser() as attacker:
        started = await stage.start(app, Pkce(), http=attacker)
        url = await stage.at_provider(started, stage.person("mallory@example.com"))
        await rejected(stage, url, "state_mismatch")
        await stage.start(app, Pkce())
        await rejected(stage, url, "state_mismatch")
        assert ended(await attacker.get(url))["code"], "nothing was used up by the attempt"


async def test_A3_the_flow_ends_after_ten_minutes(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    for seconds, status in ((599, 302), (600, 400)):
        started = await stage.start(app, Pkce())
        stage.clock.advance(seconds)
        url = await stage.at_provider(started, person)
        if status == 400:
            await rejected(stage, url, "state_mismatch")
        else:
            assert (await stage.client.get(url)).status_code == 302


async def test_A3_a_flow_belongs_to_its_provider(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, providers=("corp", "other")) as stage:
        app, person = await stage.login_app(), stage.person("ada@example.com")
        started = await stage.start(app, Pkce())
        url = await stage.at_provider(started, person)
        crossed = url.replace("/callback/corp", "/callback/other")
        await rejected(stage, crossed, "state_mismatch", provider="other")
        assert (await stage.client.get(url)).status_code == 302


async def test_RO_2_app_or_uri_gone_since_the_start_is_400(stage: Stage) -> None:
    person = stage.person("ada@example.com")
    calls: list[int] = []

    async def note() -> None:
        calls.append(1)

    Meanwhile(stage, note)
    for change in ({"is_active": False}, {"redirect_uris": ["https://notes.example.com/other"]}, None):
        app = await stage.login_app()
        url = await stage.at_provider(await stage.start(app, Pkce()), person)
        statement: Any = sa.delete(LoginApp) if change is None else sa.update(LoginApp).values(**change)
        await stage.execute(statement.where(LoginApp.id == app.id))
        await rejected(stage, url, "redirect_uri_not_allowed")
    assert not calls, "the provider was not even asked"


async def test_AC_3_the_pair_is_checked_again_when_the_code_is_issued(stage: Stage) -> None:
    """What was written for the sign-in is undone when it comes to nothing."""
    app, person = await stage.login_app(), stage.person("ada@example.com")

    async def disable() -> None:
        await stage.execute(sa.update(LoginApp).values(is_active=False))

    url = await stage.at_provider(await stage.start(app, Pkce()), person)
    Meanwhile(stage, disable)
    with stage.events() as lines:
        answer = await stage.client.get(url)
    assert answer.status_code == 400
    assert [line["reason"] for line in lines if line["event"] == "auth.login.rejected"] == [
        "redirect_uri_not_allowed"
    ]
    for table in (User, SocialAccount, AuthorizationCode):
        assert await stage.count(table) == 0
    assert not await stage.activities("user_login")
    (row,) = await stage.activities("login_failed")
    assert (row.detail or {})["reason"] == "redirect_uri_not_allowed"


# ── 403 and 409 ──


async def test_A3_identities_that_may_not_sign_in(stage: Stage) -> None:
    app = await stage.login_app()
    await stage.organization("closed.example.net", enabled=False)
    linked = await stage.user(email="linked@example.com")
    await stage.link(linked, provider="other", subject="1")
    same_provider = await stage.user(email="same@example.com")
    await stage.link(same_provider, subject="another subject")
    dormant = await stage.user(email="dormant@example.com", is_active=False)
    await stage.link(dormant, subject="dormant")
    await stage.user(email="provisioned@example.com", is_active=False)
    cases: list[tuple[Person, int, str]] = [
        (stage.person("new@example.com", email_verified=False), 403, "email_not_verified"),
        (stage.person("", sub="nobody"), 403, "no_email_claim"),
        (stage.person("two@at@example.com", sub="two"), 403, "no_email_claim"),
        (stage.person("x@closed.example.net"), 403, "org_not_permitted"),
        (stage.person("linked@example.com"), 409, "cross_provider_conflict"),
        (stage.person("LINKED@example.com"), 409, "cross_provider_conflict"),
        (stage.person("same@example.com"), 409, "cross_provider_conflict"),
        (stage.person("dormant@example.com", sub="dormant"), 403, "inactive_user"),
        (stage.person("elsewhere@example.com", sub="dormant"), 403, "inactive_user"),
        (stage.person("provisioned@example.com"), 403, "inactive_user"),
    ]
    async with nothing_written(stage):
        for person, status, reason in cases:
            url = await stage.at_provider(await stage.start(app, Pkce()), person)
            answer = await refused(stage, url, status, reason)
            assert not person.email or person.email not in answer.text
            assert COOKIE not in stage.client.cookies, "the flow is over"
    await stage.execute(sa.update(Organization).where(Organization.is_public).values(enabled=False))
    url = await stage.at_provider(await stage.start(app, Pkce()), stage.person("new@example.com"))
    await refused(stage, url, 403, "org_not_permitted")
    assert await stage.count(AuthorizationCode) == 0


async def test_A3_the_public_switch_holds_for_known_people_too(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    assert (await stage.sign_in(person, app, Pkce())).status_code == 302
    await stage.execute(sa.update(Organization).where(Organization.is_public).values(enabled=False))
    url = await stage.at_provider(await stage.start(app, Pkce()), person)
    await refused(stage, url, 403, "org_not_permitted")


# ── 500 and 503 ──


async def test_A3_whatever_the_provider_does_wrong_is_500(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")

    async def back() -> str:
        return await stage.at_provider(await stage.start(app, Pkce()), person)

    await refused(stage, await cancelled(stage, await stage.start(app, Pkce())), 500, "callback_error")
    for tail in (
        "",
        "code=forged",
        "code=",
        "code=a&code=b",
        "error=server_error",
        "error=%3Cscript%3E&code=a",
    ):
        state = parse_qs(urlsplit(await back()).query)["state"][0]
        answer = await refused(stage, f"/auth/callback/corp?{tail}&state={state}", 500, "callback_error")
        assert "<script" not in answer.text
    await refused(stage, f"{await back()}&error=access_denied", 500, "callback_error")
    for reply, cause in (
        (JSONResponse({"access_token": "a"}), "no_id_token"),
        (JSONResponse({"id_token": "a.b.c"}), "token_malformed"),
        (JSONResponse(["id_token"]), "token_answer_malformed"),
        (Response(b"\xff\xfe not json"), "token_answer_malformed"),
        (JSONResponse({"error": "invalid_grant", "x": "idp-secret"}, 400), "provider_invalid_grant"),
        (JSONResponse({"error": "idp-secret"}, 503), "provider_status_503"),
        (RedirectResponse("https://evil.example.net"), "outbound_redirect"),
    ):
        url = await back()
        inner = stage.network.hosts[IDP_HOST]
        Says(stage, reply)
        with stage.events() as lines:
            answer = await stage.client.get(url)
        assert answer.status_code == 500
        (failed,) = [line for line in lines if line["event"] == "auth.idp.exchange_failed"]
        assert failed["reason"] == cause
        stage.network.hosts[IDP_HOST] = inner
    await stage.execute(sa.delete(Activity))
    url = await back()
    del stage.network.hosts[IDP_HOST]
    await refused(stage, url, 500, "callback_error")
    assert not await stage.activities("user_login")


async def test_A3_a_replayed_callback_gives_no_second_code(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    started = await stage.start(app, Pkce())
    cookie = stage.client.cookies[COOKIE]
    url = await stage.at_provider(started, person)
    assert (await stage.client.get(url)).status_code == 302
    await rejected(stage, url, "state_mismatch")
    # Even whoever kept the cookie gets nowhere: the provider's code is used up.
    async with stage.browser() as thief:
        thief.cookies.set(COOKIE, cookie, domain="localhost.local", path="/")
        await refused(stage, url, 500, "callback_error", http=thief)
    assert await stage.count(AuthorizationCode) == 1


async def test_A3_an_unexpected_error_is_told_to_the_log_alone(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    url = await stage.at_provider(await stage.start(app, Pkce()), person)
    await stage.forbid_inserts("authorization_codes")
    async with nothing_written(stage):
        await refused(stage, url, 500, "callback_error", logged="app.error.unhandled")


async def test_A3_without_database_is_503(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    for when in ("before", "while the provider answers"):
        url = await stage.at_provider(await stage.start(app, Pkce()), person)
        async with AsyncExitStack() as outage:

            async def begin(outage: AsyncExitStack = outage) -> None:
                await outage.enter_async_context(stage.without_database())

            if when == "before":
                await begin()
            else:
                Meanwhile(stage, begin)
            answer = await stage.client.get(url)
        assert answer.status_code == 503, when
        assert answer.headers["content-type"].startswith("text/html")
        assert int(answer.headers["retry-after"]) > 0
        assert "location" not in answer.headers
        assert not [leak for leak in LEAKS if leak in answer.text]
    for table in (User, AuthorizationCode):
        assert await stage.count(table) == 0


# ── several tabs ──


async def test_A3_one_tab_ends_and_the_others_go_on(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    tabs = [await stage.start(app, Pkce(), state=f"tab {number}") for number in range(4)]
    urls = [await stage.at_provider(tab, person) for tab in tabs]
    failing = f"{await cancelled(stage, tabs[2])}"
    assert ended(await stage.client.get(urls[1]))["state"] == ["tab 1"]
    await rejected(stage, urls[1], "state_mismatch")
    await refused(stage, failing, 500, "callback_error")
    await rejected(stage, urls[2], "state_mismatch")
    await rejected(stage, "/auth/callback/corp?code=x&state=unknown", "state_mismatch")
    assert ended(await stage.client.get(urls[3]))["state"] == ["tab 3"]
    assert ended(await stage.client.get(urls[0]))["state"] == ["tab 0"]
    assert COOKIE not in stage.client.cookies


async def test_A3_other_tabs_do_not_live_longer(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    first = await stage.start(app, Pkce())
    stage.clock.advance(500)
    second = await stage.at_provider(await stage.start(app, Pkce()), person)
    assert (await stage.client.get(second)).status_code == 302
    stage.clock.advance(100)
    await rejected(stage, await stage.at_provider(first, person), "state_mismatch")


async def test_A3_with_more_tabs_than_a_cookie_holds_the_oldest_give_way(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    tabs = [await stage.start(app, Pkce(), state=secrets.token_urlsafe(300)) for _ in range(12)]
    assert len(stage.client.cookies[COOKIE]) <= 3800
    assert (await stage.client.get(await stage.at_provider(tabs[-1], person))).status_code == 302
    assert (await stage.client.get(await stage.at_provider(tabs[-2], person))).status_code == 302
    await rejected(stage, await stage.at_provider(tabs[0], person), "state_mismatch")


async def test_A3_is_limited_per_address(sqlite_url: str, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_auth": "2/minute"}
    async with open_stage(sqlite_url, stage_keys, **options) as stage:
        answers = [await stage.client.get(f"/auth/callback/{name}") for name in ("a", "b", "c")]
        assert [answer.status_code for answer in answers] == [400, 400, 429]
        assert answers[2].json() == {"detail": "Too many requests"}
        assert len(await stage.activities("login_failed")) == 2
