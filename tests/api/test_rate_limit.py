"""Rate limits: http-api.md §0.8, checklist item 7. The Redis in these tests is a real one."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import monotonic
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from slowapi import Limiter
from starlette.types import ASGIApp

from sentinel.api import rate_limit
from sentinel.api.middleware import wrap
from sentinel.api.middleware.cors import Origins
from sentinel.api.rate_limit import RateLimited, RateLimits, limit, limit_default, rate_limited_handler
from sentinel.core import logging
from sentinel.core.clock import Clock, ManualClock
from sentinel.core.counters import Window, Windows
from sentinel.core.redis import connect, ping
from sentinel.settings import Settings
from tests import servers

pytestmark = pytest.mark.anyio

NAMES = [
    "default",
    "aggregate",
    "auth",
    "auth-admin",
    "resolve",
    "read",
    "admin-write",
    "sensitive",
    "service",
]
NAMES += ["failed-auth"]
STRICT = ["auth", "auth-admin", "resolve", "admin-write", "sensitive", "failed-auth"]
BUFFERED = ["default", "aggregate", "read", "service"]
ORIGIN = "https://app.example.com"


@pytest.fixture(autouse=True)
def closed_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "STRICT", True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def settings(rate: str = "", **given: Any) -> Settings:
    """Settings with ``rate`` for every limit."""
    variables = {name: f"rate_limit_{name.replace('-', '_')}" for name in NAMES}
    variables["resolve"] = "rate_limit_authz_resolve"
    rates = dict.fromkeys(variables.values(), rate) if rate else {}
    return Settings(**{"allowed_hosts": ["*"], **rates, **given})


async def admitted(limits: RateLimits, name: str, *key: str, tries: int) -> int:
    """How many of ``tries`` hits pass."""
    passed = 0
    for _ in range(tries):
        try:
            await limits.hit(name, *key)
        except RateLimited:
            continue
        passed += 1
    return passed


async def poll(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until ``condition()`` or its awaited outcome is true."""
    with anyio.fail_after(seconds):
        while True:
            outcome = condition()
            if await outcome if hasattr(outcome, "__await__") else outcome:
                return
            await anyio.sleep(0.005)


# --- in process memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_limit_is_exact_and_the_window_ends(clock: ManualClock, name: str) -> None:
    limits = RateLimits(settings("7/minute"), clock)
    for _ in range(2):
        assert await admitted(limits, name, "k", tries=12) == 7
        clock.advance(59.9)
        assert await admitted(limits, name, "k", tries=1) == 0
        clock.advance(0.2)


@pytest.mark.parametrize(("per", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
async def test_retry_after_is_the_whole_window(clock: ManualClock, per: str, seconds: int) -> None:
    limits = RateLimits(settings(f"1/{per}"), clock)
    await limits.hit("auth", "k")
    clock.advance(0.75)
    with pytest.raises(RateLimited) as refused:
        await limits.hit("auth", "k")
    assert (refused.value.limit, refused.value.retry_after) == ("auth", seconds)
    clock.advance(seconds)
    await limits.hit("auth", "k")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("default", 120),
        ("aggregate", 300),
        ("auth", 10),
        ("auth-admin", 5),
        ("resolve", 60),
        ("read", 60),
        ("admin-write", 10),
        ("sensitive", 5),
        ("service", 6000),
        ("failed-auth", 30),
        ("resolve-ceiling", 1200),
    ],
)
async def test_limits_have_the_values_of_the_contract(clock: ManualClock, name: str, count: int) -> None:
    assert await admitted(RateLimits(settings(), clock), name, "k", tries=count + 1) == count


async def test_limits_can_be_switched_off(clock: ManualClock) -> None:
    off = RateLimits(settings("1/minute", rate_limit_enabled=False), clock)
    for name in NAMES:
        assert await admitted(off, name, "k", tries=5) == 5
    off.check_failed_auth("192.0.2.1")


async def test_an_empty_limit_is_off(clock: ManualClock) -> None:
    limits = RateLimits(settings("1/minute", rate_limit_default="", rate_limit_aggregate=""), clock)
    assert await admitted(limits, "default", "k", tries=5) == 5
    assert await admitted(limits, "aggregate", "k", tries=5) == 5
    assert await admitted(limits, "auth", "k", tries=5) == 1


async def test_an_unknown_limit_is_a_mistake(clock: ManualClock) -> None:
    with pytest.raises(KeyError):
        await RateLimits(settings(), clock).hit("auht", "k")


async def test_keys_and_limits_do_not_run_into_each_other(clock: ManualClock) -> None:
    limits = RateLimits(settings("1/minute"), clock)
    keys = [
        ("a", "b"),
        ("a/b",),
        ("a%2Fb",),
        ("a", "b", ""),
        ("", "a", "b"),
        ("a",),
        ("x" * 300,),
        ("x" * 301,),
        ("\ud800",),
    ]
    for name in ("auth", "read"):
        for key in keys:
            assert await admitted(limits, name, *key, tries=2) == 1


async def test_a_refused_hit_does_not_count_in_the_next_limit(clock: ManualClock) -> None:
    limits = RateLimits(settings("4/minute", rate_limit_aggregate="6/minute"), clock)
    for _ in range(4):
        await limits.hit_all(("default", "ip", "route"), ("aggregate", "ip"))
    for _ in range(16):
        with pytest.raises(RateLimited):
            await limits.hit_all(("default", "ip", "route"), ("aggregate", "ip"))
    assert await admitted(limits, "aggregate", "ip", tries=5) == 2


async def test_L32_a_limit_follows_the_credential_through_every_route(clock: ManualClock) -> None:
    limits = RateLimits(settings("3/minute"), clock)
    passed = 0
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"):
        limits.check_failed_auth(address)
        passed += await admitted(limits, "auth", "family-1", tries=1)
    assert passed == 3


async def test_resolve_has_a_ceiling_for_the_whole_service(clock: ManualClock) -> None:
    limits = RateLimits(settings(rate_limit_authz_resolve="2/minute"), clock)
    for person in range(40):
        await limits.hit_all(("resolve", "docs", f"digest-{person}"), ("resolve-ceiling", "docs"))
    with pytest.raises(RateLimited) as refused:
        await limits.hit_all(("resolve", "docs", "digest-40"), ("resolve-ceiling", "docs"))
    assert refused.value.limit == "resolve-ceiling"
    await limits.hit_all(("resolve", "other", "digest-0"), ("resolve-ceiling", "other"))


async def test_failed_auth_is_checked_before_and_counted_after(clock: ManualClock) -> None:
    limits = RateLimits(settings("3/minute"), clock)
    for _ in range(3):
        limits.check_failed_auth("192.0.2.1")
        await limits.record_failed_auth("192.0.2.1")
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            limits.check_failed_auth("192.0.2.1")
        assert refused.value.retry_after == 60
    limits.check_failed_auth("192.0.2.2")
    clock.advance(61)
    limits.check_failed_auth("192.0.2.1")


async def test_windows_are_bounded_and_forget_the_old_first() -> None:
    windows = Windows(capacity=3)
    for number in range(5):
        windows.open(f"k{number}", 60, now=number).total = 1
    assert len(windows) == 3
    assert [windows.current(f"k{number}", 5) is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    windows.open("k5", 60, now=63.5)
    assert len(windows) == 2  # k2 and k3 are over
    windows.open("day", 86400, now=64)
    assert windows.current("day", 64) is windows.open("day", 86400, 65)


async def test_window_learns_in_any_order() -> None:
    window = Window("k", 60, ends=160.0)
    window.learn(5, 30.0, at=101.0)
    assert (window.total, window.ends) == (5, 131.0)
    window.learn(3, 30.0, at=101.2)  # an answer that was overtaken
    assert window.total == 5
    window.learn(1, 59.0, at=132.0)  # the next window
    assert (window.total, window.ends) == (1, 191.0)
    window.learn(0, -0.002, at=140.0)  # no such key any more
    assert window.ends == 140.0


# --- at the door -----------------------------------------------------------------------------------------------


def make(limits: RateLimits, given: Settings) -> ASGIApp:
    app = FastAPI(redirect_slashes=False)
    app.state.limits = limits
    app.add_exception_handler(RateLimited, rate_limited_handler)
    router = APIRouter(dependencies=[Depends(limit_default)])

    @router.api_route("/things/{thing}", methods=["GET", "HEAD"])
    async def things(thing: str) -> str:
        return thing

    @router.post("/things/{thing}")
    async def change(thing: str) -> str:
        return thing

    @router.get("/others")
    async def others() -> str:
        return ""

    @app.get("/auth/providers/{provider}", dependencies=[Depends(limit("auth"))])
    async def sign_in(provider: str) -> str:
        return provider

    @app.get("/auth/callback", dependencies=[Depends(limit("auth"))])
    async def callback() -> str:
        return ""

    @app.get("/reads/{number}", dependencies=[Depends(limit("read"))])
    async def reads(number: int) -> int:
        return number

    @app.get("/more-reads", dependencies=[Depends(limit("read"))])
    async def more_reads() -> str:
        return ""

    app.include_router(router, prefix="/v")
    return wrap(app, settings=given, origins=Origins([ORIGIN]))


@asynccontextmanager
async def client(app: ASGIApp, peer: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as found:
        yield found


async def test_429_says_when_and_carries_all_headers(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    given = settings(rate_limit_auth="2/hour")
    async with client(make(RateLimits(given, clock), given)) as http:
        for provider in ("a", "b"):
            assert (await http.get(f"/auth/providers/{provider}")).status_code == 200
        capsys.readouterr()
        answer = await http.get("/auth/providers/secret", headers={"Origin": ORIGIN, "X-Request-ID": "r-1"})
    assert (answer.status_code, answer.json()) == (429, {"detail": "Too many requests"})
    assert answer.headers["Retry-After"] == "3600"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["X-Request-ID"] == "r-1"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    output = capsys.readouterr().out
    assert "secret" not in output
    event, access = map(json.loads, output.splitlines())
    assert (event["event"], event["category"], event["outcome"]) == (
        "ratelimit.exceeded",
        "security",
        "denied",
    )
    assert (event["limit"], event["route"], event["source_ip"]) == (
        "auth",
        "/auth/providers/{provider}",
        "192.0.2.1",
    )
    assert event["request_id"] == access["request_id"] == "r-1"
    assert (access["status"], access["outcome"]) == (429, "denied")


async def test_auth_is_limited_by_address_and_route(clock: ManualClock) -> None:
    given = settings(rate_limit_auth="2/minute")
    app = make(RateLimits(given, clock), given)
    async with client(app) as http, client(app, "192.0.2.2") as other:
        paths = ["/auth/providers/a", "/auth/providers/b", "/auth/providers/c", "/auth/callback"]
        assert [(await http.get(path)).status_code for path in paths] == [200, 200, 429, 200]
        assert (await other.get("/auth/providers/a")).status_code == 200


async def test_default_is_limited_by_route_and_in_aggregate(clock: ManualClock) -> None:
    given = settings(rate_limit_default="2/minute", rate_limit_aggregate="5/minute")
    async with client(make(RateLimits(given, clock), given)) as http:
        statuses = [(await http.get(f"/v/things/{number}")).status_code for number in range(2)]
        statuses.append((await http.head("/v/things/9")).status_code)  # the same route
        statuses += [(await http.post(f"/v/things/{number}")).status_code for number in range(2)]
        statuses += [(await http.get("/v/others")).status_code for _ in range(2)]
    assert statuses == [200, 200, 429, 200, 200, 200, 429]


async def test_read_is_limited_over_all_its_routes(clock: ManualClock) -> None:
    given = settings(rate_limit_read="2/minute")
    async with client(make(RateLimits(given, clock), given)) as http:
        statuses = [(await http.get(path)).status_code for path in ("/reads/1", "/more-reads", "/reads/2")]
    assert statuses == [200, 200, 429]


async def test_L04_a_forged_forwarded_address_keeps_its_bucket(clock: ManualClock) -> None:
    given = settings(rate_limit_auth="2/minute", behind_proxy=True, trusted_proxy_count=1)
    async with client(make(RateLimits(given, clock), given)) as http:
        chains = [f"6.6.6.{number}, 203.0.113.9" for number in range(3)] + ["203.0.113.10"]
        answers = [await http.get("/auth/callback", headers={"X-Forwarded-For": chain}) for chain in chains]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]


# --- shared through Redis --------------------------------------------------------------------------------------


@pytest.fixture
async def worker(redis_url: str) -> AsyncIterator[Callable[..., Any]]:
    """Makes the limits of one more worker; none flushes on its own unless it is started."""
    async with AsyncExitStack() as stack:

        def begin(rate: str = "", url: str = redis_url, **given: Any) -> RateLimits:
            limits = RateLimits(settings(rate, redis_url=url, **given), Clock())
            stack.push_async_callback(limits.aclose)
            return limits

        yield begin


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", ["3/minute", "40/hour"])
async def test_T7_the_next_request_is_refused_by_every_worker(worker: Any, name: str, rate: str) -> None:
    first, second = worker(rate), worker(rate)
    count = int(rate.partition("/")[0])
    assert await admitted(first, name, "k", tries=count) == count
    assert await admitted(second, name, "k", tries=2) == 0
    assert await admitted(first, name, "k", tries=2) == 0
    assert await admitted(second, name, "other", tries=1) == 1


@pytest.mark.parametrize("name", STRICT)
async def test_T7_strict_limits_are_exact_whoever_is_asked(worker: Any, name: str) -> None:
    workers = [worker("20/minute") for _ in range(3)]
    passed = 0
    for number in range(30):
        passed += await admitted(workers[number % 3], name, "k", tries=1)
    assert passed == 20


@pytest.mark.parametrize("name", NAMES)
async def test_T7_parallel_requests_are_counted_once_each(worker: Any, name: str) -> None:
    workers = [worker("8/minute") for _ in range(2)]
    passed: list[int] = []

    async def one(number: int) -> None:
        passed.append(await admitted(workers[number % 2], name, "k", tries=1))

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(one, number)
    assert sum(passed) == 8


PROCESS = """
import asyncio, os
from sentinel.api.rate_limit import RateLimited, RateLimits
from sentinel.core.clock import Clock
from sentinel.settings import Settings

async def main():
    limits = RateLimits(Settings(redis_url=os.environ["REDIS_URL"], rate_limit_auth="5/minute"), Clock())
    for _ in range(3):
        try:
            await limits.hit("auth", "k")
            print("passed")
        except RateLimited:
            print("refused")
    await limits.aclose()

asyncio.run(main())
"""


async def test_T7_processes_share_the_count(redis_url: str) -> None:
    environment = {**os.environ, "REDIS_URL": redis_url}
    outcomes = []
    for _ in range(2):
        done = await anyio.run_process([sys.executable, "-c", PROCESS], env=environment)
        outcomes += done.stdout.decode().split()
    assert outcomes == ["passed"] * 5 + ["refused"]


@pytest.mark.parametrize("name", NAMES)
async def test_T7_the_count_outlives_a_worker(worker: Any, name: str) -> None:
    first = worker("5/minute")
    await first.start()
    assert await admitted(first, name, "k", tries=4) == 4
    await first.aclose()
    assert await admitted(worker("5/minute"), name, "k", tries=3) == 1


@pytest.mark.parametrize("name", BUFFERED)
async def test_T7_buffered_hits_are_told_when_a_worker_ends(worker: Any, name: str) -> None:
    first = worker("100/minute")
    await first.start()
    assert await admitted(first, name, "k", tries=20) == 20
    await first.aclose()
    assert await admitted(worker("100/minute"), name, "k", tries=100) == 80


@pytest.mark.parametrize("name", BUFFERED)
async def test_T7_buffered_limits_stay_within_their_bound(worker: Any, name: str) -> None:
    workers = [worker("100/minute") for _ in range(4)]
    for one in workers:
        await one.hit(name, "k")  # from here each believes what it knows
    passed = 4
    for number in range(600):
        passed += await admitted(workers[number % 4], name, "k", tries=1)
    assert 100 <= passed <= 100 + 3 * 25


@pytest.mark.parametrize("name", BUFFERED)
async def test_T7_buffered_limits_are_exact_once_workers_have_heard(worker: Any, name: str) -> None:
    first, second = worker("100/minute"), worker("100/minute")
    await second.hit(name, "k")
    assert await admitted(first, name, "k", tries=90) == 90
    await second.flush()
    assert await admitted(second, name, "k", tries=20) == 9


async def test_T7_what_was_heard_long_ago_is_not_believed(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = worker("100/minute"), worker("100/minute")
    await second.hit("service", "docs")
    assert await admitted(first, "service", "docs", tries=99) == 99
    monkeypatch.setattr(rate_limit, "STALE_AFTER", 0.0)
    assert await admitted(second, "service", "docs", tries=1) == 0


async def test_T7_failed_auth_is_shared(worker: Any) -> None:
    first, second = worker("3/minute"), worker("3/minute")
    await first.record_failed_auth("192.0.2.1")
    await second.record_failed_auth("192.0.2.1")
    await first.record_failed_auth("192.0.2.1")
    with pytest.raises(RateLimited):
        first.check_failed_auth("192.0.2.1")
    second.check_failed_auth("192.0.2.1")  # has not heard of the third; the next failure tells it
    with pytest.raises(RateLimited):
        await second.record_failed_auth("192.0.2.1")
    with pytest.raises(RateLimited):
        second.check_failed_auth("192.0.2.1")
    second.check_failed_auth("192.0.2.2")


@pytest.mark.parametrize("name", ["auth", "service"])
async def test_windows_end_in_redis(worker: Any, name: str) -> None:
    first, second = worker("2/second"), worker("2/second")
    assert await admitted(first, name, "k", tries=3) == 2
    assert await admitted(second, name, "k", tries=1) == 0

    async def again() -> bool:
        return await admitted(second, name, "k", tries=1) == 1

    await poll(again)
    await poll(lambda: _passes(first, name))


async def _passes(limits: RateLimits, name: str) -> bool:
    return await admitted(limits, name, "k", tries=1) == 1


async def test_the_storage_is_that_of_the_library(worker: Any, redis_url: str) -> None:
    """Keys and windows are those of `limits`: its own strategy over its own storage sees the same count."""
    limits = worker("5/minute")
    shared = limits._shared
    assert isinstance(shared, Limiter)
    own: Any = shared.limiter
    await limits.hit("auth", "k")
    item = parse("5/minute")
    item.namespace = "sentinel"
    storage = RedisStorage(redis_url)
    strategy = FixedWindowRateLimiter(storage)
    assert strategy.get_window_stats(item, "auth", "k").remaining == 4
    for _ in range(4):
        assert await anyio.to_thread.run_sync(strategy.hit, item, "auth", "k")
    assert await admitted(limits, "auth", "k", tries=1) == 0
    assert not await own.hit(item, "auth", "k")
    storage.storage.close()


async def test_redis_that_forgets_everything_is_harmless(
    worker: Any, redis_server: servers.Redis, redis_url: str
) -> None:
    limits = worker("100/minute")
    database = int(redis_url.rpartition("/")[2])
    for name in NAMES:
        assert await admitted(limits, name, "k", tries=10) == 10
    redis_server.flush(database)
    await limits.flush()
    for name in NAMES:
        assert await admitted(limits, name, "k", tries=10) == 10
    assert not limits.degraded


# --- round trips -----------------------------------------------------------------------------------------------


@pytest.fixture
def private_redis() -> Iterator[servers.PrivateRedis]:
    with servers.start_private_redis() as server:
        yield server


class Meter:
    """Counts the commands that reach a Redis nobody else uses."""

    def __init__(self, url: str) -> None:
        client = connect(Settings(redis_url=url))
        assert client is not None
        self.client = client

    async def count(self) -> dict[str, int]:
        """Commands since the last call, by name."""
        found = await self.client.info("commandstats")
        await self.client.config_resetstat()
        calls = {name.removeprefix("cmdstat_"): int(stats["calls"]) for name, stats in found.items()}
        inner = {"incrby", "pttl", "expire", "get"}  # what the script does inside the server
        own = {"info", "config", "config|resetstat", "auth", "select", "client", "ping"}
        return {name: number for name, number in calls.items() if name not in inner | own}


@pytest.fixture
async def meter(private_redis: servers.PrivateRedis) -> AsyncIterator[Meter]:
    found = Meter(private_redis.url())
    yield found
    await found.client.aclose()


@pytest.mark.parametrize("name", STRICT)
async def test_budget_strict_limits_cost_one_call(
    worker: Any, meter: Meter, private_redis: Any, name: str
) -> None:
    limits = worker("20/minute", private_redis.url())
    await limits.hit(name, "k")  # loads the script
    await meter.count()
    assert await admitted(limits, name, "k", tries=10) == 10
    assert await meter.count() == {"evalsha": 10}


@pytest.mark.parametrize("name", BUFFERED)
async def test_budget_buffered_limits_cost_nothing_below_a_quarter(
    worker: Any, meter: Meter, private_redis: Any, name: str
) -> None:
    limits = worker("100/minute", private_redis.url())
    await limits.hit(name, "k")
    await meter.count()
    assert await admitted(limits, name, "k", tries=24) == 24
    assert await meter.count() == {}
    await limits.flush()
    assert await meter.count() == {"evalsha": 1}
    assert await admitted(limits, name, "k", tries=5) == 5
    assert await meter.count() == {"evalsha": 5}


async def test_budget_several_limits_cost_one_call(worker: Any, meter: Meter, private_redis: Any) -> None:
    limits = worker("100/minute", private_redis.url())
    await limits.hit("auth", "k")
    await meter.count()
    await limits.hit_all(("default", "ip", "route"), ("aggregate", "ip"))
    assert await meter.count() == {"evalsha": 1}
    await limits.hit_all(("resolve", "docs", "digest"), ("resolve-ceiling", "docs"))
    assert await meter.count() == {"evalsha": 1}


async def test_budget_many_windows_are_flushed_together(
    worker: Any, meter: Meter, private_redis: Any
) -> None:
    limits = worker("100/minute", private_redis.url())
    for _ in range(3):
        for number in range(600):
            await limits.hit("service", f"s{number}")
    await meter.count()
    await limits.flush()
    assert await meter.count() == {"evalsha": 2}
    other = worker("100/minute", private_redis.url())
    assert await admitted(other, "service", "s599", tries=100) == 97


@pytest.mark.parametrize("name", ["auth", "service", "failed-auth"])
async def test_budget_a_flood_costs_nothing(worker: Any, meter: Meter, private_redis: Any, name: str) -> None:
    limits = worker("4/minute", private_redis.url())
    assert await admitted(limits, name, "k", tries=5) == 4
    await meter.count()
    assert await admitted(limits, name, "k", tries=100) == 0
    assert await meter.count() == {}


async def test_budget_failed_auth_is_checked_without_a_call(
    worker: Any, meter: Meter, private_redis: Any
) -> None:
    limits = worker("4/minute", private_redis.url())
    await limits.record_failed_auth("192.0.2.1")
    await meter.count()
    for _ in range(20):
        limits.check_failed_auth("192.0.2.1")
    assert await meter.count() == {}


async def test_budget_idle_windows_are_left_alone(
    worker: Any, meter: Meter, private_redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = worker("100/minute", private_redis.url())
    assert await admitted(limits, "service", "docs", tries=2) == 2
    await limits.flush()
    monkeypatch.setattr(rate_limit, "WARM_FOR", -1.0)
    await limits.flush()
    await meter.count()
    await limits.flush()
    assert await meter.count() == {}


async def test_a_started_worker_flushes_by_itself(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "FLUSH_EVERY", 0.01)
    first, second = worker("100/minute"), worker("100/minute")
    await first.start()
    await second.hit("service", "docs")
    assert await admitted(first, "service", "docs", tries=24) == 24

    async def heard() -> bool:
        await second.flush()
        bucket = second._bucket("service", ["docs"])
        return bool(second._heard(bucket) == 25)

    await poll(heard)


async def test_a_worker_ends_though_its_background_call_does_not_hear_of_it(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``asyncio.wait_for`` does before Python 3.12 with a cancellation in the moment of its result."""
    monkeypatch.setattr(rate_limit, "FLUSH_EVERY", 0.01)
    limits, calling = worker("100/minute"), asyncio.Event()
    flush = limits.flush

    async def deaf() -> None:
        calling.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    monkeypatch.setattr(limits, "flush", deaf)
    await limits.start()
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "rate-limit-flush"]
    await calling.wait()
    monkeypatch.setattr(limits, "flush", flush)
    async with asyncio.timeout(20) as patience:
        await limits.aclose()
    assert task.cancelled() and not patience.expired()


# --- Redis away ------------------------------------------------------------------------------------------------


def warnings(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [
        line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["level"] == "warning"
    ]


async def test_T7b_requests_go_on_and_the_auth_limits_count_alone(
    worker: Any, private_redis: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = worker("5/minute", private_redis.url())
    await limits.hit("auth", "warm")
    private_redis.stop()
    for name in NAMES:
        guarded = name in ("auth", "auth-admin", "failed-auth")
        assert await admitted(limits, name, "k", tries=20) == (5 if guarded else 20)
    assert limits.degraded
    (warning,) = warnings(capsys)
    assert (warning["event"], warning["reason"]) == ("app.log", "redis_down")
    assert "REDIS_URL" in warning["message"]


async def test_T7b_limits_are_shared_again_when_redis_is_back(
    worker: Any, private_redis: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "FLUSH_EVERY", 0.01)
    monkeypatch.setattr(rate_limit, "RETRY_EVERY", 0.01)
    first, second = worker("5/minute", private_redis.url()), worker("5/minute", private_redis.url())
    await first.start()
    await second.start()
    for _ in range(2):
        assert await admitted(first, "auth", "before", tries=1) == 1
        private_redis.stop()
        assert await admitted(first, "service", "k", tries=50) == 50
        await poll(lambda: first.degraded and second.degraded)
        await anyio.to_thread.run_sync(private_redis.start)
        await poll(lambda: not (first.degraded or second.degraded))
    assert await admitted(first, "sensitive", "after", tries=5) == 5
    assert await admitted(second, "sensitive", "after", tries=5) == 0
    assert len(warnings(capsys)) == 4  # one for each outage and worker


async def test_T7b_who_was_refused_before_stays_refused(worker: Any, private_redis: Any) -> None:
    limits = worker("3/minute", private_redis.url())
    for name in ("auth", "failed-auth"):
        assert await admitted(limits, name, "k", tries=5) == 3
    private_redis.stop()
    await limits.hit("sensitive", "k")
    assert limits.degraded
    assert await admitted(limits, "auth", "k", tries=2) == 0
    with pytest.raises(RateLimited):
        limits.check_failed_auth("k")


async def test_T7b_redis_that_never_was_there(worker: Any, private_redis: Any) -> None:
    private_redis.stop()
    limits = worker("5/minute", private_redis.url())
    assert await admitted(limits, "auth", "k", tries=8) == 5
    assert await admitted(limits, "service", "k", tries=8) == 8
    await limits.record_failed_auth("192.0.2.1")
    limits.check_failed_auth("192.0.2.1")


async def test_T7b_redis_that_hangs_costs_one_short_wait(worker: Any, private_redis: Any) -> None:
    limits = worker("5/minute", private_redis.url())
    await limits.hit("auth", "warm")
    os.kill(private_redis.pid, signal.SIGSTOP)
    try:
        begun = monotonic()
        assert await admitted(limits, "sensitive", "k", tries=1) == 1
        assert monotonic() - begun < 3
        begun = monotonic()
        assert await admitted(limits, "sensitive", "k", tries=1000) == 1000
        assert monotonic() - begun < 1
        assert limits.degraded
    finally:
        os.kill(private_redis.pid, signal.SIGCONT)


async def test_T7b_wrong_password_is_an_outage(worker: Any, private_redis: Any) -> None:
    limits = worker("5/minute", f"redis://:wrong@127.0.0.1:{private_redis.port}/0")
    assert await admitted(limits, "auth", "k", tries=8) == 5
    assert await admitted(limits, "read", "k", tries=8) == 8
    assert limits.degraded


# --- the way to Redis ------------------------------------------------------------------------------------------


async def test_redis_ping(redis_url: str, private_redis: Any) -> None:
    assert connect(Settings()) is None
    here, away = connect(Settings(redis_url=redis_url)), connect(Settings(redis_url=private_redis.url()))
    assert here is not None
    assert away is not None
    assert await ping(here)
    private_redis.stop()
    assert not await ping(away)
    await here.aclose()
    await away.aclose()


def test_redis_tls_follows_the_variables_not_the_url() -> None:
    url = "rediss://:pass%40word@redis.example.com:6380/2?ssl_cert_reqs=none&ssl_check_hostname=false&socket_timeout=99"
    client = connect(Settings(redis_url=url, redis_tls_verify="required", redis_tls_ca_cert="/ca.pem"))
    assert client is not None
    options = client.connection_pool.connection_kwargs
    assert (options["host"], options["port"], options["db"]) == ("redis.example.com", 6380, 2)
    assert options["password"] == "pass@word"
    assert (options["ssl_cert_reqs"], options["ssl_check_hostname"], options["ssl_ca_certs"]) == (
        "required",
        True,
        "/ca.pem",
    )
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 0.5
    assert "pass@word" not in repr(client)
    lax = connect(Settings(redis_url=url))
    assert lax is not None
    assert lax.connection_pool.connection_kwargs["ssl_cert_reqs"] == "none"
