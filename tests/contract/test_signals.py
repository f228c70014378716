"""Anomaly signals: what they see, and that they never stand in anybody's way (``tokens.md`` §15)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.app import _sweep
from sentinel.apps.models import LoginApp
from sentinel.audit.activity import SYSTEM_TARGET
from sentinel.audit.devices import MAX_LENGTH, device_of
from sentinel.audit.geo import BundledCountries, Country, distance_km
from sentinel.audit.models import Activity, SignInMemory
from sentinel.audit.signals import SEVERITIES, Signals
from sentinel.audit.stuffing import CONFIGURATION, MAX_ADDRESSES, StuffingPolicy, StuffingWatch
from sentinel.core.clock import ManualClock
from sentinel.core.redis import connect
from sentinel.devmode.provider import Person
from sentinel.identity.models import User
from sentinel.tokens.models import AuthorizationCode
from tests.races import in_a_row
from tests.servers import start_private_redis
from tests.stage import Keys, Pkce, Stage, open_stage, settings_for

pytestmark = pytest.mark.anyio

# Addresses of institutions that have held them since before the web.
ZURICH, KYOTO, VIRGINIA = "129.132.1.1", "130.54.1.1", "8.8.8.8"
ZURICH_TWO = "129.132.200.7"
PRIVATE = ("10.1.2.3", "192.168.0.9", "127.0.0.1", "169.254.1.1", "fd00::1", "100.64.0.1", "203.0.113.9")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
FIREFOX_LATER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36"
)
SIGNALS = tuple(SEVERITIES)
STUFFING = "credential_stuffing_suspected"
TRAVEL = "login_impossible_travel"
DAY = 86_400


@dataclass
class World:
    """People who sign in from anywhere."""

    stage: Stage
    app: LoginApp
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str, **options: Any) -> Person:
        if name not in self.people:
            self.people[name] = self.stage.person(f"{name}@example.com", **options)
        return self.people[name]

    async def comes(
        self, name: str = "ada", ip: str = ZURICH, agent: str = FIREFOX, **options: Any
    ) -> httpx.Response:
        """One sign-in from an address, in a browser of its own."""
        headers = {"X-Forwarded-For": ip, "User-Agent": agent}
        async with self.stage.browser() as http:
            http.headers.update(headers)
            return await self.stage.sign_in(self.person(name, **options), self.app, Pkce(), http=http)

    async def signs_in(self, *args: Any, **options: Any) -> None:
        answer = await self.comes(*args, **options)
        assert answer.status_code == 302, answer.text
        assert "code=" in answer.headers["location"]

    async def fails(self, name: str, ip: str = ZURICH) -> None:
        """Somebody whose address is not verified."""
        assert (await self.comes(name, ip, email_verified=False)).status_code == 403

    async def raised(self) -> list[str]:
        """The signals so far, oldest first."""
        return [row.action for row in await self.signals()]

    async def signals(self) -> list[Activity]:
        return [row for row in await self.stage.activities() if row.action in SIGNALS]

    async def memory(self, kind: str) -> set[str]:
        return {row.value for row in await self.stage.all(SignInMemory, SignInMemory.kind == kind)}


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    return {"behind_proxy": True}


@pytest.fixture
async def world(stage: Stage) -> World:
    return World(stage, await stage.login_app())


# ── SG-1 ──


async def test_SG_1_a_signal_that_cannot_be_stored_changes_nothing(world: World) -> None:
    await world.signs_in()
    world.stage.clock.advance(60)
    await world.stage.forbid_inserts("sign_in_memory")
    with world.stage.events() as lines:
        await world.signs_in(ip=KYOTO, agent=CHROME)
    assert len(await world.stage.activities("user_login")) == 2
    assert await world.stage.count(AuthorizationCode) == 2
    assert await world.raised() == []
    assert await world.memory("country") == {"CH"}
    (line,) = [line for line in lines if line["event"] == "signal.evaluate_failed"]
    assert (line["category"], line["outcome"], line["reason"]) == ("app", "error", "unexpected_error")
    # Nothing is reported that was undone.
    told = [line["action"] for line in lines if line["event"] == "audit.activity"]
    assert told == ["user_login"]
    assert not [line for line in lines if line["event"].startswith("auth.signal")]


async def test_SG_1_an_error_in_a_rule_changes_nothing(world: World) -> None:
    class Broken(BundledCountries):
        def find(self, ip: str | None) -> Country | None:
            raise RuntimeError("no table")

    world.stage.state.signals._countries = Broken()
    with world.stage.events() as lines:
        await world.signs_in()
    assert [line["event"] for line in lines].count("signal.evaluate_failed") == 1
    assert await world.stage.count(SignInMemory) == 0


async def test_SG_1_a_stuffing_signal_that_cannot_be_stored_is_tried_again(world: World) -> None:
    for number in range(9):
        await world.fails(f"p{number}")
    await world.stage.forbid_inserts("activity_logs")
    with world.stage.events() as lines:
        await _fail(world.stage, 9)
    assert "signal.evaluate_failed" in {line["event"] for line in lines}
    on = "" if world.stage.state.database.is_sqlite else " ON activity_logs"
    await world.stage.execute(sa.text(f"DROP TRIGGER forbidden_activity_logs{on}"))
    await world.fails("p9")
    assert await world.raised() == [STUFFING]


async def test_SG_1_switched_off_nothing_is_kept_or_raised(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, behind_proxy=True, signals_enabled=False) as stage:
        world = World(stage, await stage.login_app())
        await world.signs_in()
        await world.signs_in(ip=KYOTO, agent=CHROME)
        for number in range(12):
            await world.fails(f"p{number}")
        assert await world.raised() == []
        assert await stage.count(SignInMemory) == 0


async def test_SG_1_a_known_person_costs_two_statements_more(database_url: str, stage_keys: Keys) -> None:
    costs = {}
    for enabled in (True, False):
        async with open_stage(database_url, stage_keys, behind_proxy=True, signals_enabled=enabled) as stage:
            world = World(stage, await stage.login_app())
            await world.signs_in()
            async with stage.browser() as http:
                http.headers.update({"X-Forwarded-For": ZURICH, "User-Agent": FIREFOX})
                started = await stage.start(world.app, Pkce(), http=http)
                url = await stage.at_provider(started, world.person("ada"))
                with stage.statements() as seen:
                    assert (await http.get(url)).status_code == 302
            costs[enabled] = len(seen)
    assert costs[True] == costs[False] + 2


# ── SG-2 ──


async def test_SG_2_the_impossible_journey(world: World) -> None:
    await world.signs_in()
    world.stage.clock.advance(2 * 3600)
    await world.signs_in(ip=KYOTO)
    (row,) = await world.stage.activities(TRAVEL)
    (user,) = await world.stage.all(User)
    countries = BundledCountries()
    swiss, japan = countries.country("CH"), countries.country("JP")
    assert swiss is not None
    assert japan is not None
    km = distance_km(swiss, japan)
    assert row.detail is not None
    assert row.detail == {
        "signal": TRAVEL,
        "severity": "high",
        "ip": KYOTO,
        "user_agent": FIREFOX,
        "prev_country": "CH",
        "country": "JP",
        "km": round(km),
        "minutes": 120,
        "kmh": round(km / 2),
    }
    assert 9_000 < row.detail["km"] < 10_000
    assert (row.actor_id, row.target_type, row.target_id) == (user.id, "user", user.id)


@pytest.mark.parametrize(("slack", "signal"), [(-60, True), (60, False)])
async def test_SG_2_the_speed_decides(world: World, slack: int, signal: bool) -> None:
    swiss, japan = BundledCountries().country("CH"), BundledCountries().country("JP")
    assert swiss is not None
    assert japan is not None
    await world.signs_in()
    world.stage.clock.advance(distance_km(swiss, japan) / 900 * 3600 + slack)
    await world.signs_in(ip=KYOTO)
    assert (TRAVEL in await world.raised()) is signal


@pytest.mark.parametrize(("kmh", "signal"), [(560_000, True), (580_000, False)])
async def test_SG_2_no_journey_takes_less_than_a_minute(
    database_url: str, stage_keys: Keys, kmh: int, signal: bool
) -> None:
    """9400 km in the 60 seconds that are the least give 564,000 km/h, whatever the clock says."""
    swiss, japan = BundledCountries().country("CH"), BundledCountries().country("JP")
    assert swiss is not None
    assert japan is not None
    assert 560_000 < distance_km(swiss, japan) * 60 < 580_000
    options: dict[str, Any] = {"behind_proxy": True, "signal_impossible_travel_kmh": kmh}
    async with open_stage(database_url, stage_keys, **options) as stage:
        world = World(stage, await stage.login_app())
        await world.signs_in()
        stage.clock.advance(1)
        await world.signs_in(ip=KYOTO)
        assert (TRAVEL in await world.raised()) is signal


async def test_SG_2_the_last_country_is_remembered_for_90_days(world: World) -> None:
    await world.signs_in("ada")
    await world.signs_in("bob")
    # A speed that nobody reaches in 90 days is not needed: the limit is set so low that every journey is too fast.
    world.stage.state.signals._travel_kmh = 1
    world.stage.clock.advance(90 * DAY - 60)
    await world.signs_in("ada", ip=KYOTO)
    assert (await world.raised()).count(TRAVEL) == 1
    world.stage.clock.advance(60)
    await world.signs_in("bob", ip=KYOTO)
    assert (await world.raised()).count(TRAVEL) == 1


async def test_SG_2_once_per_pair_and_person_in_six_hours(world: World) -> None:
    await world.signs_in()
    for ip in (KYOTO, ZURICH, KYOTO):
        world.stage.clock.advance(600)
        await world.signs_in(ip=ip)
    assert (await world.raised()).count(TRAVEL) == 1
    # Another pair, and another person, are signals of their own.
    world.stage.clock.advance(600)
    await world.signs_in(ip=VIRGINIA)
    assert (await world.raised()).count(TRAVEL) == 2
    await world.signs_in("bob")
    world.stage.clock.advance(60)
    await world.signs_in("bob", ip=KYOTO)
    assert (await world.raised()).count(TRAVEL) == 3
    world.stage.clock.advance(6 * 3600)
    await world.signs_in(ip=VIRGINIA)
    await world.signs_in("bob", ip=KYOTO)
    world.stage.clock.advance(600)
    await world.signs_in("bob", ip=ZURICH)
    assert (await world.raised()).count(TRAVEL) == 4


async def test_SG_2_two_sign_ins_at_once_give_one_signal(world: World) -> None:
    await world.signs_in()
    world.stage.clock.advance(600)
    answers = await asyncio.gather(*(world.comes(ip=KYOTO, agent=CHROME) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert sorted(await world.raised()) == [TRAVEL, "login_new_country", "login_new_device"]
    # A country that is known already is no different.
    world.stage.clock.advance(7 * 3600)
    await asyncio.gather(*(world.comes(ip=ZURICH, agent=CHROME) for _ in range(2)))
    assert (await world.raised()).count(TRAVEL) == 2


@pytest.mark.parametrize("known", [False, True])
async def test_SG_2_sign_ins_that_overlap_give_one_signal(
    postgresql_url: str, stage_keys: Keys, known: bool
) -> None:
    """The second compares while the first is not committed, and writes when it is."""
    async with open_stage(postgresql_url, stage_keys, behind_proxy=True) as stage:
        world = World(stage, await stage.login_app())
        if known:
            await world.signs_in(ip=KYOTO, agent=CHROME)
            stage.clock.advance(90 * DAY)
        await world.signs_in()
        stage.clock.advance(600)
        before = await world.raised()
        (user,) = await stage.all(User)

        async def observe(session: AsyncSession, now: datetime) -> None:
            await stage.state.signals.observe_sign_in(
                session, user_id=user.id, ip=KYOTO, user_agent=CHROME, now=now
            )

        async def second() -> None:
            async with stage.state.database.transaction() as session:
                await observe(session, stage.clock.now() + timedelta(seconds=1))

        _, refusal = await in_a_row(stage, lambda session: observe(session, stage.clock.now()), second())
        assert refusal is None
        new = (await world.raised())[len(before) :]
        expected = [TRAVEL] if known else [TRAVEL, "login_new_country", "login_new_device"]
        assert sorted(new) == expected


async def test_SG_2_a_refresh_from_elsewhere_is_a_journey(world: World) -> None:
    """Rules: RF-11."""
    stage = world.stage
    await world.signs_in()
    (user,) = await stage.all(User)
    workspace = await stage.workspace(user)
    pair = await stage.session(user, workspace, world.app)

    async def refresh(token: str, ip: str, agent: str) -> str:
        headers = {"X-Forwarded-For": ip, "User-Agent": agent}
        answer = await stage.client.post("/auth/refresh", json={"refresh_token": token}, headers=headers)
        assert answer.status_code == 200
        fresh: str = answer.json()["refresh_token"]
        return fresh

    token = await refresh(pair.refresh.token, ZURICH, FIREFOX)
    assert await world.raised() == []
    stage.clock.advance(600)
    token = await refresh(token, KYOTO, CHROME)
    # The journey only: a refresh is no sign-in on a new device.
    assert await world.raised() == [TRAVEL]
    assert len(await stage.activities("refresh_context_changed")) == 2
    # From where it was refreshed the next journey begins.
    stage.clock.advance(600)
    await world.signs_in(ip=KYOTO)
    assert await world.raised() == [TRAVEL]
    stage.clock.advance(7 * 3600)
    await stage.forbid_inserts("activity_logs")
    with stage.events() as lines:
        await refresh(token, VIRGINIA, FIREFOX)
    assert "signal.evaluate_failed" in {line["event"] for line in lines}


async def test_SG_2_a_refresh_from_the_same_place_costs_nothing_more(world: World) -> None:
    """Rules: RF-11."""
    stage = world.stage
    user = await stage.user()
    pair = await stage.session(user, await stage.workspace(user), world.app)
    headers = {"X-Forwarded-For": ZURICH, "User-Agent": FIREFOX}
    body = {"refresh_token": pair.refresh.token}
    first = await stage.client.post("/auth/refresh", json=body, headers=headers)
    body = {"refresh_token": first.json()["refresh_token"]}
    with stage.statements() as seen:
        assert (await stage.client.post("/auth/refresh", json=body, headers=headers)).status_code == 200
    assert len(seen) <= 6
    assert not [text for text in seen.texts if "sign_in_memory" in text]


# ── SG-3 ──


async def test_SG_3_new_country_and_new_device(world: World) -> None:
    await world.signs_in()
    assert await world.raised() == [], "the very first sign-in seeds silently"
    world.stage.clock.advance(30 * DAY)
    await world.signs_in(ip=ZURICH_TWO, agent=FIREFOX_LATER)
    assert await world.raised() == [], "another address of the country, another version of the browser"
    world.stage.clock.advance(30 * DAY)
    await world.signs_in(ip=KYOTO)
    world.stage.clock.advance(30 * DAY)
    await world.signs_in(agent=CHROME)
    country, device = await world.signals()
    assert country.detail == {
        "signal": "login_new_country",
        "severity": "medium",
        "ip": KYOTO,
        "user_agent": FIREFOX,
        "country": "JP",
    }
    assert device.detail == {
        "signal": "login_new_device",
        "severity": "low",
        "ip": ZURICH,
        "user_agent": CHROME,
        "browser": "Chrome",
        "os": "Windows",
    }
    world.stage.clock.advance(30 * DAY)
    await world.signs_in(ip=KYOTO, agent=CHROME)
    await world.signs_in("bob", ip=KYOTO, agent=CHROME)
    assert len(await world.signals()) == 2


async def test_SG_3_values_are_kept_for_365_days_after_they_were_seen(world: World) -> None:
    stage = world.stage
    await world.signs_in()
    await world.signs_in(agent=CHROME)
    stage.clock.advance(365 * DAY - 60)
    await world.signs_in()
    await _sweep(stage.state)
    assert await world.memory("device") == {"Firefox / Linux", "Chrome / Windows"}
    assert (await world.raised()).count("login_new_device") == 1
    stage.clock.advance(120)
    # Past its time, swept or not, a value is new again.
    await world.signs_in(agent=CHROME)
    assert (await world.raised()).count("login_new_device") == 2
    await _sweep(stage.state)
    assert await world.memory("device") == {"Firefox / Linux", "Chrome / Windows"}
    stage.clock.advance(365 * DAY)
    await _sweep(stage.state)
    assert await stage.count(SignInMemory) == 0
    await world.signs_in(ip=KYOTO)
    assert (await world.raised()).count("login_new_device") == 2, "with nothing remembered it seeds again"


async def test_SG_3_odd_clients_are_one_device(world: World) -> None:
    await world.signs_in(agent="curious/1.0")
    for agent in ("x" * 5000, "", "(" * 400, "curious/2.0 " + FIREFOX.ljust(9000, "z")):
        await world.signs_in(agent=agent)
    assert await world.memory("device") <= {"Other / Other", "Firefox / Linux"}
    assert device_of(None) == device_of("") == device_of("nothing known")
    assert device_of("\xff\ud800\x00") == device_of(None)
    assert device_of("z" * MAX_LENGTH + FIREFOX) == device_of(None)


async def test_SG_3_memory_goes_with_the_person(world: World) -> None:
    await world.signs_in()
    assert await world.stage.count(SignInMemory) == 2
    await world.stage.execute(sa.delete(User))
    assert await world.stage.count(SignInMemory) == 0


# ── SG-4 ──


async def test_SG_4_many_failures_for_many_people_from_one_address(world: World) -> None:
    for number in range(9):
        await world.fails(f"p{number % 5}")
    assert await world.raised() == []
    await world.fails("p0")
    (row,) = await world.signals()
    assert row.detail == {
        "signal": STUFFING,
        "severity": "high",
        "ip": ZURICH,
        "user_agent": FIREFOX,
        "failures": 10,
        "distinct_emails": 5,
        "window_minutes": 15,
    }
    assert (row.action, row.target_type, row.target_id) == (STUFFING, "system", SYSTEM_TARGET)
    assert row.actor_id is None
    for number in range(15):
        await world.fails(f"q{number}")
    assert len(await world.signals()) == 1, "once per window"
    world.stage.clock.advance(15 * 60)
    for number in range(10):
        await world.fails(f"p{number}")
    assert len(await world.signals()) == 2


async def test_SG_4_few_people_other_addresses_and_later_windows_are_none(world: World) -> None:
    for number in range(20):
        await world.fails(f"p{number % 4}", KYOTO)
    for number in range(20):
        await world.fails(f"p{number}", f"129.132.1.{number // 4}")
    for number in range(9):
        await world.fails(f"p{number}", VIRGINIA)
    world.stage.clock.advance(15 * 60)
    await world.fails("p9", VIRGINIA)
    assert await world.raised() == []


async def test_SG_4_refusals_of_our_own_count_with_the_address_that_tried(world: World) -> None:
    await world.signs_in("seed")
    await world.stage.execute(sa.update(User).values(is_active=False))
    organization = await world.stage.organization("closed.example", enabled=False)
    assert organization.enabled is False
    for number in range(10):
        person = world.stage.person(f"p{number}@example.com")
        await world.stage.user(email=person.email, is_active=False)
        world.people[f"p{number}"] = person
        assert (await world.comes(f"p{number}")).status_code == 403
    assert await world.raised() == [STUFFING]


async def test_SG_4_rejections_of_the_configuration_do_not_count(world: World) -> None:
    stage = world.stage
    query = {
        "client_id": str(world.app.id),
        "redirect_uri": world.app.redirect_uris[0],
        "code_challenge": Pkce().challenge,
        "code_challenge_method": "S256",
    }
    wrong: tuple[tuple[str, dict[str, str]], ...] = (
        ("nobody", {}),
        ("corp", {"code_challenge_method": "plain"}),
        ("corp", {"redirect_uri": "https://elsewhere.example.com/"}),
    )
    headers = {"X-Forwarded-For": ZURICH}
    for provider, change in wrong * 5:
        answer = await stage.client.get(f"/auth/login/{provider}", params=query | change, headers=headers)
        assert answer.status_code == 400
    reasons = {row.detail["reason"] for row in await stage.activities("login_failed") if row.detail}
    assert reasons == CONFIGURATION
    for number in range(9):
        await world.fails(f"p{number}")
    assert await world.raised() == []
    await world.fails("p9")
    assert await world.raised() == [STUFFING]


async def test_SG_4_fifty_failures_at_once_give_one_row(world: World) -> None:
    await asyncio.gather(*(_fail(world.stage, number) for number in range(50)))
    (row,) = await world.signals()
    assert row.detail is not None
    assert row.detail["failures"] == 10


async def _fail(stage: Stage, number: int, ip: str = ZURICH) -> None:
    await stage.state.signals.observe_failure(
        reason="email_not_verified", ip=ip, user_agent=FIREFOX, email=f"p{number}@example.com"
    )


@pytest.fixture
async def two_workers(
    anyio_backend: Any, postgresql_url: str, stage_keys: Keys, redis_url: str
) -> AsyncIterator[tuple[Stage, Stage]]:
    async with (
        open_stage(postgresql_url, stage_keys, redis_url=redis_url) as one,
        open_stage(postgresql_url, stage_keys, redis_url=redis_url) as other,
    ):
        yield one, other


async def test_SG_4_workers_share_the_counters(two_workers: tuple[Stage, Stage]) -> None:
    for number in range(9):
        await _fail(two_workers[number % 2], number)
    assert await two_workers[0].activities(STUFFING) == []
    await asyncio.gather(*(_fail(two_workers[number % 2], number) for number in range(9, 60)))
    (row,) = await two_workers[0].activities(STUFFING)
    assert row.detail is not None
    assert (row.detail["failures"], row.detail["distinct_emails"]) == (10, 10)


async def test_SG_4_windows_in_redis_end(stage_keys: Keys, sqlite_url: str, redis_url: str) -> None:
    settings = settings_for(sqlite_url, stage_keys, redis_url=redis_url)
    redis = connect(settings)
    assert redis is not None
    policy = StuffingPolicy(failures=3, distinct_emails=2, window=timedelta(minutes=15))
    watch = StuffingWatch(policy, ManualClock(), secret="s" * 32, redis=redis)
    for number in range(3):
        found = await watch.count(ZURICH, f"p{number}@example.com", "callback_error")
    assert found == {"failures": 3, "distinct_emails": 3, "window_minutes": 15}
    keys = sorted([key async for key in redis.scan_iter("sentinel:stuffing:*")])
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.pttl(key) <= 900_000
    assert await watch.count(ZURICH, "p9@example.com", "callback_error") is None
    await watch.release(ZURICH)
    assert await watch.count(ZURICH, None, "callback_error") == {
        "failures": 5,
        "distinct_emails": 3,
        "window_minutes": 15,
    }
    await watch.aclose()


async def test_SG_4_without_redis_each_worker_counts_alone(stage_keys: Keys, sqlite_url: str) -> None:
    with start_private_redis() as private:
        async with open_stage(sqlite_url, stage_keys, redis_url=private.url(0)) as stage:
            for number in range(5):
                await _fail(stage, number)
            private.stop()
            for number in range(10):
                await _fail(stage, number)
            assert len(await stage.activities(STUFFING)) == 1


async def test_SG_4_the_windows_in_memory_are_bounded() -> None:
    clock = ManualClock()
    watch = _watch(clock)
    for number in range(MAX_ADDRESSES + 50):
        await watch.count(f"192.0.2.{number}", None, "callback_error")
    assert len(watch._windows) == MAX_ADDRESSES
    clock.advance(901)
    await watch.count(ZURICH, None, "callback_error")
    assert len(watch._windows) == 1
    assert await watch.count(None, "a@example.com", "callback_error") is None


# ── SG-5 ──


async def test_SG_5_each_signal_is_a_row_and_an_event_after_the_commit(world: World) -> None:
    await world.signs_in()
    world.stage.clock.advance(600)
    with world.stage.events() as lines:
        await world.signs_in(ip=KYOTO, agent=CHROME)
        for number in range(10):
            await world.fails(f"p{number}")
    rows = {row.action: row.detail for row in await world.signals()}
    events = {line["event"]: line for line in lines if line["event"].startswith("auth.signal.")}
    assert rows.keys() == set(SIGNALS)
    assert events.keys() == {f"auth.signal.{name}" for name in SIGNALS}
    for name, severity in SEVERITIES.items():
        detail, event = rows[name], events[f"auth.signal.{name}"]
        assert detail is not None
        assert (detail["signal"], detail["severity"]) == (name, severity)
        assert (event["category"], event["outcome"]) == ("security", "anomaly")
        assert event["severity"] == severity
        assert event["log_level"] == ("warning" if severity == "high" else "info")
        assert event["source_ip"] == detail["ip"]
    assert "@example.com" not in repr(list(events.values()))
    mirrored = [line["action"] for line in lines if line["event"] == "audit.activity"]
    assert set(SIGNALS) <= set(mirrored)
    # The rows are part of the sign-in, so nothing was told before it was certain.
    order = [line["event"] for line in lines]
    assert order.index("auth.signal.login_impossible_travel") > order.index("audit.activity")


async def test_SG_5_a_sign_in_that_is_undone_raises_nothing(world: World) -> None:
    stage = world.stage
    await world.signs_in()
    stage.clock.advance(600)
    await stage.forbid_inserts("authorization_codes")
    with stage.events() as lines:
        assert (await world.comes(ip=KYOTO, agent=CHROME)).status_code == 500
    assert await world.raised() == []
    assert await world.memory("country") == {"CH"}
    assert not [line for line in lines if line["event"].startswith("auth.signal")]


# ── SG-6 ──


async def test_SG_6_private_and_unknown_addresses_are_skipped(world: World) -> None:
    await world.signs_in()
    for ip in PRIVATE:
        await world.signs_in(ip=ip)
        assert BundledCountries().find(ip) is None
    assert await world.raised() == []
    assert await world.memory("country") == {"CH"}
    world.stage.clock.advance(600)
    await world.signs_in(ip=KYOTO)
    assert TRAVEL in await world.raised(), "from Switzerland, whatever lay between"


def test_SG_6_the_bundled_countries() -> None:
    countries = BundledCountries()
    found = {ip: countries.find(ip) for ip in (ZURICH, KYOTO, VIRGINIA, "2001:67c:2e8:22::c100:68b")}
    assert [country.code if country else None for country in found.values()] == ["CH", "JP", "US", "NL"]
    assert countries.find(f"::ffff:{KYOTO}") == found[KYOTO]
    for nothing in (None, "", "unknown", "testclient", "8.8.8", "8.8.8.8, 1.1.1.1", "\x00", "fe80::1%eth0"):
        assert countries.find(nothing) is None
    for code in ("EU", "AP", "ZZ", "", "ch"):
        assert countries.country(code) is None


def test_SG_6_distances_follow_the_great_circle() -> None:
    berlin, sydney = Country("DE", 52.52, 13.405), Country("AU", -33.8688, 151.2093)
    assert distance_km(berlin, sydney) == pytest.approx(16_090, rel=0.01)
    assert distance_km(sydney, berlin) == pytest.approx(distance_km(berlin, sydney))
    assert distance_km(berlin, berlin) == 0
    # Across the date line it is a short way.
    assert distance_km(Country("FJ", -18, 178), Country("TO", -20, -175)) < 1000
    assert distance_km(Country("XX", 90, 0), Country("YY", -90, 0)) == pytest.approx(20_015, rel=0.001)


async def test_SG_6_any_lookup_will_do(stage: Stage) -> None:
    """The rules know countries through one interface; a table of two is a world."""

    class TwoCountries:
        table: Mapping[str, Country] = {
            "192.0.2.1": Country("AA", 0, 0),
            "192.0.2.2": Country("BB", 0, 90),
        }

        def find(self, ip: str | None) -> Country | None:
            return self.table.get(ip or "")

        def country(self, code: str) -> Country | None:
            return next((country for country in self.table.values() if country.code == code), None)

    user = await stage.user()
    watch = _watch(stage.clock)
    signals = Signals(stage.state.database, stage.clock, TwoCountries(), watch, travel_kmh=900)
    for ip in ("192.0.2.1", "192.0.2.2"):
        async with stage.state.database.transaction() as session:
            await signals.observe_sign_in(
                session, user_id=user.id, ip=ip, user_agent=FIREFOX, now=stage.clock.now()
            )
        stage.clock.advance(3600)
    (row,) = await stage.activities(TRAVEL)
    assert row.detail is not None
    assert (row.detail["prev_country"], row.detail["country"], row.detail["km"]) == ("AA", "BB", 10_008)


# ── SG-7 ──


async def test_SG_7_addresses_are_kept_as_keyed_hashes(
    stage_keys: Keys, sqlite_url: str, redis_url: str
) -> None:
    settings = settings_for(sqlite_url, stage_keys, redis_url=redis_url)
    redis = connect(settings)
    assert redis is not None
    here, shared = _watch(ManualClock()), _watch(ManualClock(), redis=redis)
    for watch in (here, shared):
        for spelling in ("Ada@Example.com", " ada@example.com", "ADA@EXAMPLE.COM "):
            await watch.count(ZURICH, spelling, "email_not_verified")
    kept = {member.decode() async for member in redis.sscan_iter(f"sentinel:stuffing:{{{ZURICH}}}:emails")}
    assert kept == here._windows[ZURICH].emails
    assert len(kept) == 1
    assert all(len(digest) == 64 for digest in kept)
    other = _watch(ManualClock(), secret="another secret of this installation")
    await other.count(ZURICH, "ada@example.com", "email_not_verified")
    assert other._windows[ZURICH].emails != kept, "without the key nobody can try addresses"
    await shared.aclose()


def _watch(clock: ManualClock, *, secret: str = "s" * 40, redis: Any = None) -> StuffingWatch:
    policy = StuffingPolicy(failures=10, distinct_emails=5, window=timedelta(minutes=15))
    return StuffingWatch(policy, clock, secret=secret, redis=redis)
