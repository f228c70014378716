"""Signing in to the panel: AL1, AL2 and the rules of who may (``admin.md`` §1)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from starlette.responses import JSONResponse, Response

from sentinel.audit.activity import SYSTEM_TARGET
from sentinel.audit.models import Activity
from sentinel.devmode.provider import Person
from sentinel.identity import users
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, SocialAccount, User
from tests.races import in_a_row
from tests.stage import BASE_URL, IDP_URL, PROVIDER, Keys, Pkce, Stage, open_stage

pytestmark = pytest.mark.anyio

PANEL = f"{BASE_URL}/admin"
LOGIN_COOKIE = "sentinel_login"
IDP_HOST = urlsplit(IDP_URL).netloc
BOSS = "boss@example.com"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15"


class AtProvider(httpx.AsyncBaseTransport):
    """The provider; at its token endpoint something happens first, or another answer is given."""

    def __init__(
        self, stage: Stage, happens: Callable[[], Awaitable[Any]] | None = None, says: Response | None = None
    ) -> None:
        self.inner = stage.network.hosts[IDP_HOST]
        self.happens, self.says = happens, says
        stage.network.hosts[IDP_HOST] = self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/token"):
            return await self.inner.handle_async_request(request)
        if self.happens:
            await self.happens()
        inner = httpx.ASGITransport(self.says) if self.says else self.inner
        return await inner.handle_async_request(request)


async def start(stage: Stage, http: httpx.AsyncClient | None = None, **query: str) -> httpx.Response:
    """AL1, which succeeds."""
    answer = await (http or stage.client).get(f"/auth/admin/login/{PROVIDER}", params=query)
    assert answer.status_code == 302, answer.text
    return answer


async def sign_in(
    stage: Stage, person: Person, http: httpx.AsyncClient | None = None, **query: str
) -> httpx.Response:
    """AL1, the provider, AL2."""
    started = await start(stage, http, **query)
    return await (http or stage.client).get(await stage.at_provider(started, person))


def admitted(answer: httpx.Response, where: str = f"{PANEL}/") -> str:
    """Require the success of AL2; the token in the cookie."""
    assert (answer.status_code, answer.headers.get("location")) == (302, where), answer.text
    token = answer.cookies["admin_token"]
    assert token.count(".") == 2
    return token


async def refused(stage: Stage, answer: httpx.Response, code: str, reason: str) -> None:
    """Require the whole of a refusal: the login page with its code, no cookie, and one audit row (AD-9)."""
    assert (answer.status_code, answer.headers.get("location")) == (302, f"{PANEL}/login?error={code}")
    assert "admin_token" not in answer.headers.get("set-cookie", "")
    await failed(stage, reason)


async def failed(stage: Stage, reason: str, provider: str = PROVIDER) -> None:
    (row,) = await stage.activities("admin_login_failed")
    assert (row.target_type, row.target_id, row.actor_id) == ("system", SYSTEM_TARGET, None)
    assert row.detail == {
        "reason": reason,
        "provider": provider,
        "ip": "127.0.0.1",
        "user_agent": "stage/1.0",
        "flow": "admin",
    }
    await stage.execute(sa.delete(Activity).where(Activity.id == row.id))


@asynccontextmanager
async def nothing_written(stage: Stage) -> AsyncIterator[None]:
    before = await stage.snapshot("activity_logs")
    yield
    assert await stage.snapshot("activity_logs") == before
    assert not await stage.activities("admin_login")


async def admin(stage: Stage, email: str = BOSS, **options: Any) -> tuple[User, Person]:
    """An administrator with an identity at the provider."""
    user = await stage.user(email=email, is_admin=True, **options)
    person = stage.person(email)
    await stage.link(user, subject=person.sub)
    return user, person


async def demote(stage: Stage, user: User) -> None:
    """Take the flag away; another administrator is there to stay."""
    async with stage.state.database.transaction() as session:
        await users.set_admin(session, user.id, False, actor_id=None, now=stage.clock.now())


# ── AL1 ──


async def test_AL1_sends_the_browser_to_the_provider(stage: Stage) -> None:
    """Rules: RO-3, RO-9."""
    answer = await start(stage)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert answer.headers["location"].startswith(f"{IDP_URL}/authorize?")
    assert asked["redirect_uri"] == f"{BASE_URL}/auth/admin/callback/corp"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{LOGIN_COOKIE}=") and "httponly" in cookie and "samesite=lax" in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert await stage.count(Activity) == 0


@pytest.mark.parametrize("name", ["nobody", "google", "CORP", "test_oidc", "x" * 300])
async def test_AL1_unknown_provider_is_400_in_json(stage: Stage, name: str) -> None:
    with stage.events() as lines:
        answer = await stage.client.get(f"/auth/admin/login/{name}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert answer.json() == {"detail": "This sign-in provider is not configured"}
    assert "set-cookie" not in answer.headers
    (seen,) = [line for line in lines if line["event"].startswith("auth.login")]
    assert (seen["event"], seen["reason"]) == ("auth.login.rejected", "provider_not_configured")
    await failed(stage, "provider_not_configured", name[:64])


# ── AL2: success ──


async def test_AL2_and_AD_9_ends_in_the_panel(stage: Stage) -> None:
    user, person = await admin(stage)
    with stage.events() as lines:
        token = admitted(await sign_in(stage, person))
    claims = stage.state.verifier.admin(token)
    assert (claims.user_id, claims.epoch) == (user.id, 0)
    assert LOGIN_COOKIE not in stage.client.cookies
    me = await stage.client.get("/auth/admin/me")
    assert me.json() == {"id": str(user.id), "email": BOSS, "name": "Ada Example"}
    (row,) = await stage.activities()
    assert (row.action, row.actor_id, row.target_type, row.target_id) == (
        *("admin_login", user.id),
        *("user", user.id),
    )
    assert row.detail == {
        "provider": PROVIDER,
        "ip": "127.0.0.1",
        "user_agent": "stage/1.0",
        "flow": "admin",
    }
    (seen,) = [line for line in lines if line["event"].startswith("auth.login")]
    assert (seen["event"], seen["outcome"], seen["actor"]) == (
        *("auth.login.succeeded", "success"),
        str(user.id),
    )
    assert not [line for line in lines if token in str(line) or BOSS in str(line)]


async def test_AD_9_signals_look_at_administrators_too(stage: Stage) -> None:
    """Rules: SG-3."""
    user, person = await admin(stage)
    for agent in ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", MAC):
        stage.client.headers["user-agent"] = agent
        admitted(await sign_in(stage, person))
    (row,) = await stage.activities("login_new_device")
    assert row.target_id == user.id


async def test_AL2_and_L12_every_sign_in_is_a_new_session(stage: Stage) -> None:
    _, person = await admin(stage)
    stage.client.cookies.set("admin_token", "planted")
    first = admitted(await sign_in(stage, person))
    second = admitted(await sign_in(stage, person))
    jtis = {stage.state.verifier.admin(token).jti for token in (first, second)}
    assert len(jtis) == 2


async def test_AL2_costs_few_statements(stage: Stage) -> None:
    _, person = await admin(stage)
    admitted(await sign_in(stage, person))
    started = await start(stage)
    url = await stage.at_provider(started, person)
    with stage.statements() as seen:
        admitted(await stage.client.get(url))
    assert len(seen) <= 5, seen.texts


async def test_AL2_comes_back_to_the_page_that_was_asked_for(stage: Stage) -> None:
    """Rules: AD-11, RO-11."""
    _, person = await admin(stage)
    asked = "/admin/activity?action=user_login&page=2"
    admitted(await sign_in(stage, person, next=asked), f"{BASE_URL}{asked}")
    for foreign in (
        "https://evil.example/admin",
        "//evil.example",
        "/auth/admin/me",
        "/admin/../docs",
        "\\evil",
    ):
        admitted(await sign_in(stage, person, next=foreign))


# ── AL2: refusals ──


async def test_AL2_without_a_flow_of_its_own_is_expired(stage: Stage) -> None:
    """Rules: RO-3, L11."""
    _, person = await admin(stage)
    callback = "/auth/admin/callback/corp"
    await refused(stage, await stage.client.get(f"{callback}?code=x&state=y"), "expired", "state_mismatch")
    started = await start(stage)
    cookie = stage.client.cookies[LOGIN_COOKIE]
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    for query in (
        "",
        "?code=x",
        f"?code=x&state={state[:-1]}",
        f"?code=x&state={state.swapcase()}",
        f"?code=x&state={state}&state={state}",
        "?code=x&state=%00",
        "?error=access_denied&state=other",
    ):
        answer = await stage.client.get(f"{callback}{query}")
        await refused(stage, answer, "expired", "state_mismatch")
        assert "set-cookie" not in answer.headers
    async with stage.browser() as other:
        answer = await other.get(await stage.at_provider(started, person))
        await refused(stage, answer, "expired", "state_mismatch")
    answer = await stage.client.get(f"/auth/admin/callback/nobody?code=x&state={state}")
    assert answer.headers["location"] == f"{PANEL}/login?error=expired"
    await failed(stage, "provider_not_configured", "nobody")
    assert stage.client.cookies[LOGIN_COOKIE] == cookie
    admitted(await stage.client.get(await stage.at_provider(started, person)))


async def test_AL2_a_flow_ends_after_ten_minutes(stage: Stage) -> None:
    _, person = await admin(stage)
    url = await stage.at_provider(await start(stage), person)
    stage.clock.advance(601)
    await refused(stage, await stage.client.get(url), "expired", "state_mismatch")


async def test_AL2_the_flow_of_an_application_is_of_no_use(stage: Stage) -> None:
    """Rules: RO-2, RO-3."""
    _, person = await admin(stage)
    app = await stage.login_app()
    url = await stage.at_provider(await stage.start(app, Pkce()), person)
    crossed = await stage.client.get(url.replace("/auth/callback/", "/auth/admin/callback/"))
    await refused(stage, crossed, "expired", "state_mismatch")
    assert (await stage.client.get(url)).status_code == 302, "the application's own callback still works"


async def test_A3_the_flow_of_the_panel_is_of_no_use_to_an_application(stage: Stage) -> None:
    _, person = await admin(stage)
    await stage.login_app()
    url = await stage.at_provider(await start(stage), person)
    crossed = await stage.client.get(url.replace("/auth/admin/callback/", "/auth/callback/"))
    assert crossed.status_code == 400
    assert "location" not in crossed.headers
    admitted(await stage.client.get(url))


async def test_AL2_an_address_that_is_not_verified(stage: Stage) -> None:
    """Rules: EV-1."""
    user = await stage.user(email=BOSS, is_admin=True)
    person = stage.person(BOSS, email_verified=False)
    async with nothing_written(stage):
        await refused(stage, await sign_in(stage, person), "email_not_verified", "email_not_verified")
    assert user.id


async def test_AL2_no_address_at_all(stage: Stage) -> None:
    """Rules: EV-4."""
    person = stage.person("no-address", sub="s1")
    async with nothing_written(stage):
        await refused(stage, await sign_in(stage, person), "no_email_claim", "no_email_claim")


async def test_AL2_an_address_of_another_providers_account(stage: Stage) -> None:
    """Rules: ID-4."""
    user = await stage.user(email=BOSS, is_admin=True)
    await stage.link(user, provider="google", subject="g1")
    async with nothing_written(stage):
        answer = await sign_in(stage, stage.person(BOSS))
        await refused(stage, answer, "email_conflict", "cross_provider_conflict")


@pytest.mark.parametrize("linked", [True, False])
async def test_AL2_and_ID_10_a_deactivated_administrator(stage: Stage, linked: bool) -> None:
    user = await stage.user(email=BOSS, is_admin=True, is_active=False)
    person = stage.person(BOSS)
    if linked:
        await stage.link(user, subject=person.sub)
    async with nothing_written(stage):
        await refused(stage, await sign_in(stage, person), "inactive", "inactive_user")


async def test_AL2_what_else_goes_wrong_is_500_in_json(stage: Stage) -> None:
    _, person = await admin(stage)
    started = await start(stage)
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    async with httpx.AsyncClient(transport=stage.network, base_url=IDP_URL) as http:
        cancelled = (await http.post("/authorize", data={**asked, "cancel": "1"})).headers["location"]
    answers = [await stage.client.get(cancelled)]
    await failed(stage, "callback_error")
    url = await stage.at_provider(await start(stage), person)
    AtProvider(stage, says=JSONResponse({"error": "idp-secret"}, 400))
    with stage.events() as lines:
        answers.append(await stage.client.get(url))
    assert "auth.idp.exchange_failed" in {line["event"] for line in lines}
    await failed(stage, "callback_error")
    for answer in answers:
        assert (answer.status_code, answer.json()) == (500, {"detail": "Authentication failed"})
        assert "admin_token" not in answer.headers["set-cookie"]
    assert LOGIN_COOKIE not in stage.client.cookies


async def test_AL2_a_failure_of_ours_undoes_everything(stage: Stage) -> None:
    user = await stage.user(email=BOSS, is_admin=True)
    url = await stage.at_provider(await start(stage), stage.person(BOSS))
    await stage.forbid_inserts("social_accounts")
    with stage.events() as lines:
        answer = await stage.client.get(url)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Authentication failed"})
    assert "app.error.unhandled" in {line["event"] for line in lines}
    await failed(stage, "callback_error")
    assert await stage.count(SocialAccount) == 0
    assert user.id


async def test_AL2_without_the_database_is_503(stage: Stage) -> None:
    _, person = await admin(stage)
    url = await stage.at_provider(await start(stage), person)
    async with stage.without_database():
        answer = await stage.client.get(url)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "Service temporarily unavailable"}
    assert "admin_token" not in answer.headers.get("set-cookie", "")


# ── who may ──


async def test_AD_1_a_stranger_leaves_no_trace(stage: Stage) -> None:
    async with nothing_written(stage):
        await refused(stage, await sign_in(stage, stage.person("eve@example.com")), "not_admin", "not_admin")


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("linked", [True, False])
async def test_AD_1_an_ordinary_person_is_not_even_refreshed(
    stage: Stage, linked: bool, active: bool
) -> None:
    user = await stage.user("Old Name", email="ed@example.com", is_active=active)
    person = stage.person("ed@example.com", name="New Name")
    if linked:
        await stage.link(user, subject=person.sub)
    async with nothing_written(stage):
        await refused(stage, await sign_in(stage, person), "not_admin", "not_admin")


async def test_AD_1_the_identity_counts_and_not_the_address(stage: Stage) -> None:
    """Rules: ID-1, ID-2."""
    boss, person = await admin(stage)
    user = await stage.user(email="ed@example.com")
    await stage.link(user, subject="sub-ed")
    async with nothing_written(stage):
        impostor = stage.person(BOSS, sub="sub-ed")
        await refused(stage, await sign_in(stage, impostor), "not_admin", "not_admin")
    renamed = stage.person("ed@example.com", sub=person.sub)
    claims = stage.state.verifier.admin(admitted(await sign_in(stage, renamed)))
    assert claims.user_id == boss.id
    (row,) = await stage.activities("admin_login")
    assert row.detail is not None and row.detail["provider_email"] == "ed@example.com"
    assert {one.email for one in await stage.all(User)} == {BOSS, "ed@example.com"}


async def test_AD_12_and_ID_5_the_first_administrator_is_linked_at_the_first_sign_in(stage: Stage) -> None:
    async with stage.state.database.transaction() as session:
        user, _ = await users.create_admin(session, "Boss@Example.com", actor_id=None, now=stage.clock.now())
    person = stage.person("BOSS@example.com")
    assert stage.state.verifier.admin(admitted(await sign_in(stage, person))).user_id == user.id
    (account,) = await stage.all(SocialAccount)
    assert (account.user_id, account.provider_user_id) == (user.id, person.sub)


async def test_AD_7_a_role_in_a_workspace_is_no_way_in(stage: Stage) -> None:
    owner = await stage.user(email="owner@example.com")
    person = stage.person("owner@example.com")
    await stage.link(owner, subject=person.sub)
    await stage.join(await stage.workspace(owner), await stage.user(), "admin")
    await refused(stage, await sign_in(stage, person), "not_admin", "not_admin")
    _, boss = await admin(stage)  # a member of nothing
    admitted(await sign_in(stage, boss))


class TestAdminEmails:
    """``ADMIN_EMAILS`` counts once."""

    @pytest.fixture
    def stage_settings(self) -> dict[str, Any]:
        return {"admin_emails": (BOSS,)}

    async def test_AD_1_and_ID_9_a_listed_address_is_created_as_administrator(self, stage: Stage) -> None:
        claims = stage.state.verifier.admin(admitted(await sign_in(stage, stage.person("Boss@Example.com"))))
        (user,) = await stage.all(User)
        assert (user.id, user.email, user.is_admin) == (claims.user_id, BOSS, True)
        assert user.organization_id == PUBLIC_ORGANIZATION_ID

    async def test_AD_2_a_listed_person_who_was_pre_provisioned_is_promoted_when_linked(
        self, stage: Stage
    ) -> None:
        user = await stage.user(email=BOSS)
        claims = stage.state.verifier.admin(admitted(await sign_in(stage, stage.person(BOSS))))
        assert claims.user_id == user.id

    async def test_AD_2_a_listed_person_with_an_account_stays_what_he_is(self, stage: Stage) -> None:
        user = await stage.user(email=BOSS)
        person = stage.person(BOSS)
        await stage.link(user, subject=person.sub)
        async with nothing_written(stage):
            await refused(stage, await sign_in(stage, person), "not_admin", "not_admin")

    async def test_AD_2_a_demotion_sticks(self, stage: Stage) -> None:
        person = stage.person(BOSS)
        admitted(await sign_in(stage, person))
        (user,) = await stage.all(User)
        await stage.user(is_admin=True)
        await demote(stage, user)
        assert (await stage.client.get("/auth/admin/me")).status_code == 401
        await refused(stage, await sign_in(stage, person), "not_admin", "not_admin")

    async def test_AD_2_a_listed_address_does_not_promote_another_persons_identity(
        self, stage: Stage
    ) -> None:
        user = await stage.user(email="ed@example.com")
        await stage.link(user, subject="sub-ed")
        await refused(stage, await sign_in(stage, stage.person(BOSS, sub="sub-ed")), "not_admin", "not_admin")

    async def test_AD_2_and_ID_4_a_listed_address_of_another_providers_account(self, stage: Stage) -> None:
        await stage.link(await stage.user(email=BOSS), provider="google", subject="g1")
        async with nothing_written(stage):
            answer = await sign_in(stage, stage.person(BOSS))
            await refused(stage, answer, "email_conflict", "cross_provider_conflict")

    async def test_ID_8_first_sign_ins_at_once_make_one_administrator(self, stage: Stage) -> None:
        person = stage.person(BOSS)
        urls = [await stage.at_provider(await start(stage), person) for _ in range(8)]
        cookie = {"Cookie": f"{LOGIN_COOKIE}={stage.client.cookies[LOGIN_COOKIE]}"}
        async with stage.browser() as http:

            async def finish(url: str) -> httpx.Response:
                answer = await http.get(url, headers=cookie)
                return answer if answer.status_code != 503 else await finish(url)

            # Only what the cookie still holds: the oldest flows give way when it grows too long.
            answers = await asyncio.gather(*(finish(url) for url in urls[-5:]))
        tokens = {admitted(answer) for answer in answers}
        assert len({stage.state.verifier.admin(token).user_id for token in tokens}) == 1
        (user,) = await stage.all(User)
        assert user.is_admin
        assert await stage.count(SocialAccount) == 1


async def test_AD_3_no_organization_keeps_an_administrator_out(stage: Stage) -> None:
    """Rules: ID-2, authorization-7.12."""
    acme = await stage.organization("acme.example")
    await stage.execute(
        sa.update(Organization).where(Organization.id == PUBLIC_ORGANIZATION_ID).values(enabled=False)
    )
    nobody, person = await admin(stage, organization_id=acme.id)
    fresh = await stage.user(email="fresh@example.com", is_admin=True, organization_id=None)
    theirs, at_acme = await admin(stage, "ada@acme.example", organization_id=None)
    for somebody in (person, stage.person("fresh@example.com"), at_acme):
        admitted(await sign_in(stage, somebody))
    stored = {user.id: user.organization_id for user in await stage.all(User)}
    assert stored[nobody.id] == acme.id, "none never overwrites"
    assert stored[fresh.id] is None
    assert stored[theirs.id] == acme.id, "a resolved one is stored"


# ── races ──


async def test_AL2_and_L16_one_state_makes_one_session(stage: Stage) -> None:
    _, person = await admin(stage)
    url = await stage.at_provider(await start(stage), person)
    cookie = {"Cookie": f"{LOGIN_COOKIE}={stage.client.cookies[LOGIN_COOKIE]}"}
    async with stage.browser() as http:
        answers = await asyncio.gather(*(http.get(url, headers=cookie) for _ in range(50)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [302, *[500] * 49]
    assert len([answer for answer in answers if "admin_token" in answer.headers.get("set-cookie", "")]) == 1
    assert len(await stage.activities("admin_login")) == 1


async def test_AD_1_and_DL_7_a_demotion_on_the_way_wins(stage: Stage) -> None:
    user, person = await admin(stage)
    await stage.user(is_admin=True)
    url = await stage.at_provider(await start(stage), person)
    AtProvider(stage, happens=lambda: demote(stage, user))
    await refused(stage, await stage.client.get(url), "not_admin", "not_admin")


async def test_AD_1_is_judged_again_when_the_row_is_held(
    anyio_backend: Any, postgresql_url: str, stage_keys: Keys
) -> None:
    """Between the first look and the linking another transaction takes the flag away: PostgreSQL lets both run."""
    async with open_stage(postgresql_url, stage_keys) as stage:
        user = await stage.user(email=BOSS, is_admin=True)
        await stage.user(is_admin=True)
        url = await stage.at_provider(await start(stage), stage.person(BOSS))
        _, answer = await in_a_row(
            stage,
            lambda session: users.set_admin(session, user.id, False, actor_id=None, now=stage.clock.now()),
            stage.client.get(url),
        )
        await refused(stage, answer, "not_admin", "not_admin")
        assert await stage.count(SocialAccount) == 0
        assert not await stage.activities("admin_login")


async def test_AD_5_and_DL_7_no_session_survives_a_demotion_that_meets_it(stage: Stage) -> None:
    user, person = await admin(stage)
    async with stage.browser() as http:
        tokens = [admitted(await sign_in(stage, person, http))]
        assert (await http.get("/auth/admin/me")).status_code == 200
    urls = [await stage.at_provider(await start(stage), person) for _ in range(4)]
    cookie = {"Cookie": f"{LOGIN_COOKIE}={stage.client.cookies[LOGIN_COOKIE]}"}
    await stage.user(is_admin=True)
    async with stage.browser() as http:
        *answers, _ = await asyncio.gather(
            *(http.get(url, headers=cookie) for url in urls), demote(stage, user)
        )
        for answer in answers:
            assert isinstance(answer, httpx.Response)
            # Too late for this one; or a busy SQLite, on which nothing has happened then.
            if (
                answer.headers.get("location") != f"{PANEL}/login?error=not_admin"
                and answer.status_code != 503
            ):
                tokens.append(admitted(answer))
        for token in tokens:
            me = await http.get("/auth/admin/me", headers={"Cookie": f"admin_token={token}"})
            assert me.status_code == 401
    assert await stage.count(User, User.is_admin, User.id == user.id) == 0


# ── limits and listeners ──


class TestLimits:
    @pytest.fixture
    def stage_settings(self) -> dict[str, Any]:
        return {"rate_limit_enabled": True}

    async def test_AL1_and_AL2_are_limited_per_address(self, stage: Stage) -> None:
        for path in ("/auth/admin/login/corp", "/auth/admin/callback/corp"):
            answers = [await stage.client.get(path) for _ in range(6)]
            assert [answer.status_code for answer in answers] == [302] * 5 + [429], path
            assert answers[-1].json() == {"detail": "Too many requests"}
            assert answers[-1].headers["retry-after"] == "60"


@pytest.mark.parametrize(("tier", "served"), [("public", True), ("internal", False)])
async def test_AL1_to_AL4_are_not_on_the_internal_listener(
    database_url: str, stage_keys: Keys, tier: str, served: bool
) -> None:
    async with open_stage(database_url, stage_keys, tier=tier) as stage:
        calls = [
            ("GET", "/auth/admin/login/corp", 302),
            ("GET", "/auth/admin/callback/corp", 302),
            ("GET", "/auth/admin/me", 401),
            ("POST", "/auth/admin/logout", 401),
        ]
        for method, path, status in calls:
            answer = await stage.client.request(method, path)
            assert answer.status_code == (status if served else 404), path
