"""Signing in, attacked (L11 to L14, L16, L32): whose browser, whose address, how often."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import httpx
import pytest

from sentinel.identity.models import SocialAccount, User
from sentinel.tokens.models import RefreshFamily
from tests.security.conftest import Town
from tests.stage import REDIRECT_URI, Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def test_L11_a_callback_in_another_browser_fails(town: Town) -> None:
    """Login CSRF: the attacker begins, the victim's browser is sent to the end."""
    stage, app, pkce = town.stage, await town.stage.login_app(), Pkce()
    mallory = stage.person("mallory@example.com")
    async with stage.browser() as attacker, stage.browser() as victim:
        url = await stage.at_provider(await stage.start(app, pkce, http=attacker), mallory)
        assert (await victim.get(url)).status_code == 400
        # Nor when the victim is in the middle of a login of his own.
        own = await stage.at_provider(
            await stage.start(app, Pkce(), http=victim), stage.person("ada@example.com")
        )
        assert (await victim.get(url)).status_code == 400
        # Nor with the attacker's state on the victim's code, or the other way round.
        codes = [parse_qs(urlsplit(one).query) for one in (url, own)]
        for code, state in ((codes[0]["code"], codes[1]["state"]), (codes[1]["code"], codes[0]["state"])):
            crossed = f"/auth/callback/corp?code={quote(code[0])}&state={quote(state[0])}"
            answer = await victim.get(crossed)
            assert answer.status_code in (400, 500) and "location" not in answer.headers
        assert not await stage.all(User, User.email == "mallory@example.com")


async def test_L12_a_session_that_was_there_before_is_not_the_session_after(town: Town) -> None:
    stage, app = town.stage, await town.stage.login_app()
    admin = await stage.user(email="adam@example.com", is_admin=True)
    person = stage.person("adam@example.com")
    await stage.link(admin, subject=person.sub)
    async with stage.browser() as http:
        for planted in ("planted", (await _admin_cookie(town, admin))):
            http.cookies.set("admin_token", planted, domain="localhost.local", path="/")
            started = await http.get("/auth/admin/login/corp")
            before = dict(http.cookies)
            answer = await http.get(await stage.at_provider(started, person))
            fresh = re.search(r"admin_token=([^;]+)", answer.headers["set-cookie"])
            assert answer.is_redirect and fresh is not None
            assert fresh[1] != planted and fresh[1] not in before.values()
        # The same for applications: a login that ends leaves nothing that another could go on with.
        codes = set()
        for _ in range(2):
            url = await stage.at_provider(await stage.start(app, Pkce(), http=http), person)
            codes.add(parse_qs(urlsplit((await http.get(url)).headers["location"]).query)["code"][0])
            assert (await http.get(url)).status_code == 400
        assert len(codes) == 2


async def _admin_cookie(town: Town, admin: User) -> str:
    token: str = town.stage.state.issuer.admin(
        user_id=admin.id, email=admin.email, name=admin.name, epoch=admin.token_epoch
    ).token
    return token


EVIL = "https://evil.example"


async def test_L13_no_answer_sends_anybody_to_an_address_that_is_not_registered(town: Town) -> None:
    stage, pkce = town.stage, Pkce()
    app = await stage.login_app("https://notes.example.com/callback", "http://localhost:8080/callback")
    base = f"/auth/login/corp?client_id={app.id}&code_challenge={pkce.challenge}&code_challenge_method=S256"
    good = quote(REDIRECT_URI, safe="")

    async def goes_nowhere(query: str) -> None:
        for accept in ("text/html", "application/json"):
            answer = await stage.client.get(query, headers={"Accept": accept})
            assert answer.status_code in (400, 404, 422), query
            assert "location" not in answer.headers
            assert "http-equiv" not in answer.text.lower() and "window.location" not in answer.text

    for address in (
        EVIL,
        f"{REDIRECT_URI}.evil.example",
        f"{REDIRECT_URI}/../evil",
        f"{REDIRECT_URI}?next={EVIL}",
        f"{REDIRECT_URI}#@evil.example",
        f"{REDIRECT_URI}/",
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("https", "http"),
        REDIRECT_URI.replace("notes.", "notes.example.com@evil."),
        REDIRECT_URI.replace("example.com/", "example.com:443/"),
        REDIRECT_URI.replace("notes", "NOTES"),
        f" {REDIRECT_URI}",
        f"{REDIRECT_URI}\n",
        f"{REDIRECT_URI}%0d%0aLocation:{EVIL}",
        "http://localhost:80@evil.example/callback",
        "http://localhost:8080@evil.example/callback",
        "http://localhost:8081/callback",
        "//evil.example/callback",
        "javascript:alert(1)",
        "",
    ):
        await goes_nowhere(f"{base}&redirect_uri={quote(address, safe='')}")
    for doubled in (
        f"{base}&redirect_uri={good}&redirect_uri={quote(EVIL, safe='')}",
        f"{base}&redirect_uri={quote(EVIL, safe='')}&redirect_uri={good}",
        f"{base}&redirect_uri={good}&client_id={app.id}",
        f"{base}&redirect_uri={good}&state=a&state=b",
        f"{base}&redirect_uri[]={good}",
        f"{base}&redirect_uri={good}&code_challenge_method=plain",
        base,
    ):
        await goes_nowhere(doubled)
    # An error of the provider is told on a page, whatever its address asks for.
    await goes_nowhere(f"/auth/callback/corp?error=access_denied&state=x&redirect_uri={quote(EVIL, safe='')}")
    assert (await stage.client.get(f"{base}&redirect_uri={good}")).status_code == 302


async def test_L14_an_address_joins_nobody(town: Town) -> None:
    """Unverified, missing, in another spelling, or already somebody's at another provider."""
    stage, app = town.stage, await town.stage.login_app()
    victim = await stage.user(email="victim@example.com")
    await stage.link(victim, provider="google", subject="google-1")
    for number, (email, verified, status) in enumerate(
        (
            ("victim@example.com", False, 403),
            ("victim@example.com", True, 409),
            ("VICTIM@Example.com", True, 409),
            ("", True, 403),
            ("victim", True, 403),
        )
    ):
        person = stage.person(email, sub=f"mallory-{number}", email_verified=verified)
        async with stage.browser() as http:
            answer = await stage.sign_in(person, app, Pkce(), http=http)
        assert answer.status_code == status, (email, verified)
        assert "location" not in answer.headers
    assert await stage.count(SocialAccount, SocialAccount.user_id == victim.id) == 1
    # A subject that is known stays who it is, whatever address it comes with.
    ada = stage.person("ada-14@example.com", sub="ada-14")
    assert (await stage.sign_in(ada, app, Pkce())).status_code == 302
    renamed = stage.person("victim@example.com", sub="ada-14")
    answer = await stage.sign_in(renamed, app, Pkce())
    (account,) = await stage.all(SocialAccount, SocialAccount.provider_user_id == "ada-14")
    assert account.user_id != victim.id
    (still,) = await stage.all(User, User.id == victim.id)
    assert still.email == "victim@example.com"


Try = Callable[[], Awaitable[httpx.Response]]


async def _all(tries: Iterable[Try]) -> Counter[int]:
    """The statuses of many tries at once; 503 of a busy machine means that nothing has happened, and is repeated."""

    async def patiently(one: Try) -> int:
        while (answer := await one()).status_code == 503:
            pass
        return answer.status_code

    return Counter(await asyncio.gather(*(patiently(one) for one in tries)))


async def test_L16_of_fifty_parallel_tries_one_wins(place: Town, database_url: str, stage_keys: Keys) -> None:
    """Over two instances on one database: codes, refresh tokens, states of the provider."""
    stage, app, pkce = place.stage, await place.stage.login_app(), Pkce()
    person = stage.person("ada@example.com")
    async with open_stage(database_url, stage_keys, clock=stage.clock) as other:
        doors = [stage.client, other.client]
        code = await stage.code(person, app, pkce)
        (ada,) = await stage.all(User, User.email == "ada@example.com")
        await stage.join(place.workspace, ada)
        wish = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(place.workspace.id)}
        pairs: list[dict[str, Any]] = []

        async def exchange(door: httpx.AsyncClient) -> httpx.Response:
            answer = await door.post("/auth/token", json=wish)
            if answer.status_code == 200:
                pairs.append(answer.json())
            return answer

        assert await _all(partial(exchange, doors[n % 2]) for n in range(50)) == {200: 1, 400: 49}
        # A refresh token that is used twice was stolen: one gets the new pair, and then the family is over.
        again = {"refresh_token": pairs[0]["refresh_token"]}
        stage.clock.advance(1)
        tries = [partial(doors[n % 2].post, "/auth/refresh", json=again) for n in range(50)]
        assert await _all(tries) == {200: 1, 401: 49}
        (family,) = await stage.all(RefreshFamily)
        assert family.revoked_at is not None
        me = await stage.client.get("/users/me", headers=bearer(pairs[0]["access_token"]))
        assert me.status_code == 401
        # One way back from the provider makes one code, however often it is taken.
        url = await stage.at_provider(await stage.start(app, pkce), person)
        cookies = dict(stage.client.cookies)
        seen = await _all(partial(_get, stage, url, cookies) for _ in range(50))
        assert seen[302] == 1 and seen[302] + seen[400] + seen[500] == 50


async def _get(stage: Stage, url: str, cookies: dict[str, str]) -> httpx.Response:
    async with stage.browser() as http:
        http.cookies.update(cookies)
        return await http.get(url)


async def test_L32_the_same_secret_is_counted_on_whatever_route_it_is_tried(
    sqlite_url: str, stage_keys: Keys
) -> None:
    async with open_stage(
        sqlite_url,
        stage_keys,
        rate_limit_enabled=True,
        rate_limit_failed_auth="6/minute",
        rate_limit_auth="3/minute",
        behind_proxy=True,
    ) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        pair = await stage.session(user, workspace)

        async def knock(number: int, address: str) -> int:
            guess = {"X-Service-Key": f"sk_guess_{number}", "X-Forwarded-For": address}
            routes: list[tuple[str, str, dict[str, Any]]] = [
                ("GET", "/realm/whoami", {}),
                ("GET", f"/permissions/resource/notes/document/{uuid4()}", {}),
                ("GET", "/organizations", {}),
                ("POST", "/realm/m2m-token", {"json": {}}),
            ]
            method, path, more = routes[number % len(routes)]
            answer = await stage.client.request(method, path, headers=guess, **more)
            return answer.status_code

        # Guesses at service keys are one count for one address, whichever route they are made on.
        assert [await knock(n, "198.51.100.1") for n in range(8)] == [401] * 6 + [429] * 2
        assert await knock(0, "198.51.100.2") == 401
        # The limit of a session follows the session through addresses, as a thief would change them.
        statuses, token = [], pair.refresh.token
        for number in range(4):
            stage.clock.advance(1)
            answer = await stage.client.post(
                "/auth/refresh",
                json={"refresh_token": token},
                headers={"X-Forwarded-For": f"192.0.2.{number}"},
            )
            statuses.append(answer.status_code)
            token = answer.json().get("refresh_token", token)
        assert statuses == [200, 200, 200, 429]
        # To be slowed down is no offence: the session goes on.
        assert not (await stage.all(RefreshFamily))[0].revoked_at
