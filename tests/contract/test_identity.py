"""Identities and the people behind them: ID-1 to ID-10, through the proxy-mode sign-in."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from starlette.responses import JSONResponse

from sentinel.apps.models import LoginApp
from sentinel.devmode.provider import Person
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, SocialAccount, User
from sentinel.login.sign_in import EmailConflict, SignedIn, sign_in
from sentinel.providers import Identity
from sentinel.tokens.models import AuthorizationCode
from tests.stage import Pkce, Stage

pytestmark = pytest.mark.anyio

ADMINS = ("Root@Example.com", "second@example.com")


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    return {
        "providers": ("corp", "other"),
        "admin_emails": ADMINS,
        "github_client_id": "gh-id",
        "github_client_secret": SecretStr("gh-secret"),
    }


def identity(subject: str = "1", email: str = "ada@example.com", **fields: Any) -> Identity:
    """What a provider says of somebody."""
    known: dict[str, Any] = {
        "provider": "corp",
        "idp_sub": subject,
        "name": "Ada",
        "avatar_url": None,
        "profile": {},
    }
    return Identity(subject=subject, email=email, **(known | fields))


async def admit(stage: Stage, who: Identity) -> SignedIn:
    """Sign an identity in, in a transaction of its own."""
    async with stage.state.database.transaction() as session:
        return await sign_in(
            session, who, admin_emails=frozenset({"root@example.com"}), now=stage.clock.now()
        )


async def only_user(stage: Stage) -> User:
    (user,) = await stage.all(User)
    assert isinstance(user, User)
    return user


# ── ID-1 to ID-5: whose identity is it ──


async def test_ID_1_and_L14_the_address_never_identifies(stage: Stage) -> None:
    """Rules: ID-1, ID-3"""
    app = await stage.login_app()
    ada = stage.person("ada@example.com", sub="1")
    assert (await stage.sign_in(ada, app, Pkce())).status_code == 302
    user = await only_user(stage)
    # The same person under another address is the same user …
    renamed = stage.person("ada.new@example.com", sub="1")
    assert (await stage.sign_in(renamed, app, Pkce())).status_code == 302
    assert (await only_user(stage)).id == user.id
    # … the freed address belongs to whoever shows it first, the kept one to nobody else.
    assert (await stage.sign_in(stage.person("ada.new@example.com", sub="2"), app, Pkce())).status_code == 302
    assert (await stage.sign_in(stage.person("ada@example.com", sub="3"), app, Pkce())).status_code == 409
    # The same subject at another provider is somebody else.
    stage.person("eve@example.com", sub="1")
    answer = await stage.sign_in(stage.idp.people["1"], app, Pkce(), provider="other")
    assert answer.status_code == 302
    accounts = {(row.provider, row.provider_user_id): row.user_id for row in await stage.all(SocialAccount)}
    assert accounts.keys() == {("corp", "1"), ("corp", "2"), ("other", "1")}
    assert len(set(accounts.values())) == 3
    assert accounts["corp", "1"] == user.id


async def test_ID_1_subjects_are_compared_to_the_letter(stage: Stage) -> None:
    """L24: the same on both databases."""
    subjects = ("abc", "ABC", "abc ", "äbc", "a\u0308bc", "0", "00", "%", "_")
    for number, subject in enumerate(subjects):
        await admit(stage, identity(subject, f"{number}@example.com"))
    assert await stage.count(User) == await stage.count(SocialAccount) == len(subjects)
    for number, subject in enumerate(subjects):
        signed_in = await admit(stage, identity(subject, f"{number}@example.com"))
        assert (signed_in.user.email, signed_in.first_time) == (f"{number}@example.com", False)


async def test_ID_2_known_people_are_refreshed(stage: Stage) -> None:
    acme = await stage.organization("acme.example.net")
    first = await admit(
        stage, identity(name="Ada", avatar_url="https://example.com/1.png", profile={"locale": "de"})
    )
    assert first.first_time
    stage.clock.advance(60)
    again = await admit(
        stage,
        identity(
            email="ada@acme.example.net",
            name=" <b>Ada</b>\x07 &lt;i&gt;King&lt;/i&gt; ",
            avatar_url="http://example.com/2.png",
            profile={"locale": "en", "given_name": "Ada"},
        ),
    )
    assert not again.first_time
    user = await only_user(stage)
    assert (user.id, user.name) == (first.user.id, "Ada King")
    assert user.avatar_url == "http://example.com/2.png"
    assert user.email == "ada@example.com", "sign-in never changes the stored address"
    assert user.organization_id == acme.id
    assert user.updated_at == stage.clock.now()
    (account,) = await stage.all(SocialAccount)
    assert account.provider_data == {"locale": "en", "given_name": "Ada"}
    for bad in (
        "javascript:alert(1)",
        "data:image/png,x",
        "ftp://example.com/x",
        "https://",
        "x" * 9000,
        None,
    ):
        await admit(stage, identity(avatar_url=bad))
        assert (await only_user(stage)).avatar_url == "http://example.com/2.png", bad
    await admit(stage, identity(name="<script></script>"))
    assert (await only_user(stage)).name == "ada", "a name of which nothing is left"


async def test_ID_2_a_differing_address_is_noted(stage: Stage) -> None:
    app = await stage.login_app()
    await stage.sign_in(stage.person("ada@example.com", sub="1"), app, Pkce())
    stage.clock.advance(1)
    await stage.sign_in(stage.person("ADA@example.com", sub="1"), app, Pkce())
    stage.clock.advance(1)
    await stage.sign_in(stage.person("Married@Example.com", sub="1"), app, Pkce())
    details = [row.detail or {} for row in await stage.activities("user_login")]
    assert [detail.get("provider_email") for detail in details] == [None, None, "married@example.com"]
    assert (await only_user(stage)).email == "ada@example.com"


async def test_ID_2_no_organization_never_overwrites_one(stage: Stage) -> None:
    """Somebody whose organization no longer admits him is refused, and keeps what is stored of him."""
    acme = await stage.organization("acme.example.net")
    app, person = await stage.login_app(), stage.person("ada@acme.example.net")
    assert (await stage.sign_in(person, app, Pkce())).status_code == 302
    before = await stage.snapshot("activity_logs")
    for email in ("ada@acme.example.net.", "ada@localhost"):
        stage.person(email, sub=person.sub)
        answer = await stage.sign_in(stage.idp.people[person.sub], app, Pkce())
        assert answer.status_code == 403
    assert (await only_user(stage)).organization_id == acme.id
    assert await stage.snapshot("activity_logs") == before


async def test_ID_3_new_people_get_a_user_and_an_account(stage: Stage) -> None:
    signed_in = await admit(
        stage,
        identity(
            "sub-9",
            name="Ada",
            avatar_url="https://example.com/1.png",
            profile={"locale": "de"},
        ),
    )
    assert signed_in.first_time
    user = await only_user(stage)
    assert (user.name, user.avatar_url) == ("Ada", "https://example.com/1.png")
    assert (user.is_active, user.is_admin, user.token_epoch) == (True, False, 0)
    assert user.organization_id == PUBLIC_ORGANIZATION_ID
    assert user.created_at == user.updated_at == stage.clock.now()
    (account,) = await stage.all(SocialAccount)
    assert (account.user_id, account.provider, account.provider_user_id) == (user.id, "corp", "sub-9")
    assert account.provider_data == {"locale": "de"}


async def test_ID_4_a_linked_address_is_a_conflict(stage: Stage) -> None:
    """Rules: ID-4"""
    user = await stage.user(email="ada@example.com")
    await stage.link(user, provider="other", subject="1")
    before = await stage.snapshot()
    for who in (
        identity("1"),
        identity("2", provider="other"),
        identity("1", provider="github"),
        identity("1", email="ada@example.com", profile={"x": "y"}, name="Eve"),
    ):
        with pytest.raises(EmailConflict):
            await admit(stage, who)
    assert await stage.snapshot() == before
    # A second account of the same person changes nothing.
    await stage.link(user, provider="github", subject="7")
    with pytest.raises(EmailConflict):
        await admit(stage, identity("1"))
    assert not (await admit(stage, identity("7", provider="github"))).first_time


async def test_ID_5_a_prepared_user_is_linked(stage: Stage) -> None:
    app = await stage.login_app()
    acme = await stage.organization("acme.example.net")
    prepared = await stage.user("Prepared", email="ada@acme.example.net", organization_id=None)
    workspace = await stage.workspace(prepared)
    answer = await stage.sign_in(stage.person("Ada@ACME.example.net", name="Ada"), app, Pkce())
    assert answer.status_code == 302
    user = await only_user(stage)
    assert (user.id, user.name, user.organization_id) == (prepared.id, "Ada", acme.id)
    assert user.created_at == prepared.created_at
    (account,) = await stage.all(SocialAccount)
    assert account.user_id == prepared.id
    assert workspace.created_by == prepared.id
    # Linked once, the address is taken.
    assert (
        await stage.sign_in(stage.person("ada@acme.example.net", sub="2"), app, Pkce())
    ).status_code == 409


async def test_ID_6_addresses_are_kept_in_lower_case(stage: Stage) -> None:
    app = await stage.login_app()
    await stage.sign_in(stage.person("  ÄDA@Example.COM ", sub="1"), app, Pkce())
    assert (await only_user(stage)).email == "äda@example.com"
    for email in ("äda@EXAMPLE.com", "ÄDA@example.com"):
        answer = await stage.sign_in(stage.person(email, sub="2"), app, Pkce())
        assert answer.status_code == 409, email
    for email in ("äda@example.com", "äda@EXAMPLE.COM"):
        with pytest.raises(IntegrityError):
            await stage.user(email=email)
    assert await stage.count(User) == 1


# ── ID-7: GitHub ──


class _GitHub(httpx.AsyncBaseTransport):
    """github.com and api.github.com for one person."""

    def __init__(self) -> None:
        self.token: str | None = "gho_1"
        self.email = {"email": "Octo@Example.com", "primary": True, "verified": True}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answers: dict[str, Any] = {
            "/login/oauth/access_token": {"access_token": self.token, "token_type": "bearer"},
            "/user": {"id": 583231, "login": "octo", "name": "Octo", "email": "public@profile.example"},
            "/user/emails": [self.email],
        }
        answer = JSONResponse(answers[request.url.path])
        return await httpx.ASGITransport(answer).handle_async_request(request)


async def test_ID_7_github_accounts_bear_the_bare_number(stage: Stage) -> None:
    hub = _GitHub()
    stage.network.hosts |= {"github.com": hub, "api.github.com": hub}
    app = await stage.login_app()

    async def back() -> httpx.Response:
        started = await stage.start(app, Pkce(), provider="github")
        state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
        return await stage.client.get(f"/auth/callback/github?code=good&state={state}")

    for _ in range(2):
        assert (await back()).status_code == 302
    (account,) = await stage.all(SocialAccount)
    assert (account.provider, account.provider_user_id) == ("github", "583231")
    assert account.provider_data == {"login": "octo"}
    assert (await only_user(stage)).email == "octo@example.com"
    before = await stage.snapshot("activity_logs")
    hub.email["verified"] = False
    assert (await back()).status_code == 403
    hub.email["primary"] = False
    assert (await back()).status_code == 403
    hub.token = None
    assert (await back()).status_code == 500
    del stage.network.hosts["github.com"]
    assert (await back()).status_code == 500
    assert await stage.snapshot("activity_logs") == before
    reasons = Counter((row.detail or {})["reason"] for row in await stage.activities("login_failed"))
    assert reasons == {"email_not_verified": 1, "no_email_claim": 1, "callback_error": 2}


# ── ID-8: many at once ──


async def callbacks(
    stage: Stage, app: LoginApp, people: list[tuple[str, Person]]
) -> list[tuple[httpx.AsyncClient, str]]:
    """Browsers that stand before the last step of their sign-in, each with the URL to call."""
    ready = []
    for provider, person in people:
        browser = stage.browser()
        started = await stage.start(app, Pkce(), http=browser, provider=provider)
        ready.append((browser, await stage.at_provider(started, person)))
    return ready


async def finish(ready: list[tuple[httpx.AsyncClient, str]]) -> Counter[int]:
    answers = await asyncio.gather(*(browser.get(url) for browser, url in ready))
    for browser, _ in ready:
        await browser.aclose()
    return Counter(answer.status_code for answer in answers)


async def test_ID_8_fifty_first_sign_ins_make_one_user(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    ready = await callbacks(stage, app, [("corp", person)] * 50)
    assert await finish(ready) == {302: 50}
    user = await only_user(stage)
    (account,) = await stage.all(SocialAccount)
    assert account.user_id == user.id
    assert await stage.count(AuthorizationCode) == 50
    assert len(await stage.activities("user_login")) == 50


@pytest.mark.parametrize("prepared", [False, True], ids=["new", "prepared"])
async def test_ID_8_two_providers_with_one_address(stage: Stage, prepared: bool) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    if prepared:
        await stage.user(email="ada@example.com")
    ready = await callbacks(stage, app, [("corp", person), ("other", person)] * 25)
    assert await finish(ready) == {302: 25, 409: 25}
    user = await only_user(stage)
    (account,) = await stage.all(SocialAccount)
    assert account.user_id == user.id
    failed = [row.detail or {} for row in await stage.activities("login_failed")]
    loser = "other" if account.provider == "corp" else "corp"
    assert {(detail["provider"], detail["reason"]) for detail in failed} == {
        (loser, "cross_provider_conflict")
    }
    assert len(failed) == 25


async def test_ID_8_one_identity_under_two_addresses(stage: Stage) -> None:
    """One subject whose address changes in this moment: whoever comes first is the user, nothing stays behind."""
    results = await asyncio.gather(
        *(admit(stage, identity("1", f"{number % 5}@example.com")) for number in range(50))
    )
    user = await only_user(stage)
    assert {result.user.id for result in results} == {user.id}
    assert sum(result.first_time for result in results) == 1
    assert await stage.count(SocialAccount) == 1


# ── ID-9, ID-10 ──


async def test_ID_9_administrators_are_promoted_once(stage: Stage) -> None:
    app = await stage.login_app()
    root = stage.person("ROOT@example.com")
    assert (await stage.sign_in(root, app, Pkce())).status_code == 302
    user = await only_user(stage)
    assert user.is_admin
    await stage.execute(sa.update(User).values(is_admin=False))
    assert (await stage.sign_in(root, app, Pkce())).status_code == 302
    assert not (await only_user(stage)).is_admin, "a demotion sticks"
    # Prepared by an administrator: promoted when the identity is linked.
    await stage.user(email="second@example.com")
    assert (await stage.sign_in(stage.person("Second@example.com"), app, Pkce())).status_code == 302
    admins = {row.email for row in await stage.all(User, User.is_admin)}
    assert admins == {"second@example.com"}


async def test_ID_9_only_a_verified_address_of_ones_own_promotes(stage: Stage) -> None:
    app = await stage.login_app()
    unverified = stage.person("root@example.com", sub="1", email_verified=False)
    assert (await stage.sign_in(unverified, app, Pkce())).status_code == 403
    # Somebody who is known already does not become one by taking the address on.
    assert (await stage.sign_in(stage.person("eve@example.com", sub="2"), app, Pkce())).status_code == 302
    assert (await stage.sign_in(stage.person("root@example.com", sub="2"), app, Pkce())).status_code == 302
    for near in ("root@example.com.evil.example.net", "xroot@example.com", "root@sub.example.com"):
        assert (await stage.sign_in(stage.person(near), app, Pkce())).status_code == 302
    assert not await stage.all(User, User.is_admin)


async def test_ID_9_and_L15_nothing_in_a_request_promotes(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    extra: dict[str, Any] = {
        "is_admin": "true",
        "email": "root@example.com",
        "email_verified": "true",
        "user_id": "1",
    }
    started = await stage.start(app, Pkce(), **extra)
    url = await stage.at_provider(started, person)
    query = "&".join(f"{name}={value}" for name, value in extra.items())
    assert (await stage.client.get(f"{url}&{query}")).status_code == 302
    user = await only_user(stage)
    assert (user.email, user.is_admin) == ("ada@example.com", False)


async def test_ID_10_deactivated_people_do_not_get_in(stage: Stage) -> None:
    app, person = await stage.login_app(), stage.person("ada@example.com")
    pkce = Pkce()
    code = await stage.code(person, app, pkce)
    user = await only_user(stage)
    workspace = await stage.workspace(user)
    url = await stage.at_provider(await stage.start(app, Pkce()), person)
    await stage.execute(sa.update(User).values(is_active=False))
    assert (await stage.client.get(url)).status_code == 403
    assert (await stage.sign_in(person, app, Pkce())).status_code == 403
    assert await stage.count(AuthorizationCode) == 1, "no further code"
    proof = {"code": code, "code_verifier": pkce.verifier}
    assert (await stage.client.post("/auth/workspaces", json=proof)).status_code == 404
    exchange = proof | {"workspace_id": str(workspace.id)}
    assert (await stage.client.post("/auth/token", json=exchange)).status_code == 404
    reasons = {(row.detail or {})["reason"] for row in await stage.activities("login_failed")}
    assert reasons == {"inactive_user"}
    await stage.execute(sa.update(User).values(is_active=True))
    assert (await stage.sign_in(person, app, Pkce())).status_code == 302
