"""Servers that fail under load: nothing is answered wrongly, nothing acknowledged is lost, nothing revoked returns.

In short form every fault happens once. ``make test-long`` sets ``SENTINEL_SOAK_SECONDS`` to 600, and for so long random
faults hit a larger deployment.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa

from sentinel.core.database import Database
from sentinel.migrations import status, upgrade
from tests import servers
from tests.faults.life import Life, Record
from tests.faults.load import Load
from tests.served import Served, World, environment, furnish, serving, starting, wait_until
from tests.stage import Keys

SOAK = float(os.environ.get("SENTINEL_SOAK_SECONDS", "0"))
"""Seconds of the long form; 0 means the short one."""


def test_several_at_once_on_an_empty_database(
    empty_postgresql_url: str, redis_url: str, stage_keys: Keys, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        started = [
            stack.enter_context(starting(environment(empty_postgresql_url, stage_keys, redis_url), tmp_path))
            for _ in range(3)
        ]
        for served in started:
            wait_until(served.ready, "all to be ready", served.log)

    async def stands() -> tuple[bool, int]:
        database = Database(empty_postgresql_url)
        try:
            async with database.reading() as session:
                rows = await session.scalar(sa.text("SELECT count(*) FROM alembic_version"))
            return (await status(database)).up_to_date, rows
        finally:
            await database.close()

    assert anyio.run(stands) == (True, 1)
    for served in started:
        assert served.events("app.error.unhandled") == []


def test_T7_two_processes_share_a_limit_and_a_restart_forgets_nothing(
    postgresql_url: str, redis_url: str, stage_keys: Keys, tmp_path: Path
) -> None:
    limit = {"RATE_LIMIT_AUTH": "6/hour"}

    def tries(served: Served, count: int) -> list[int]:
        wish = {"refresh_token": "nonsense"}
        return [served.ask("POST", "/auth/refresh", wish)[0] for _ in range(count)]

    one = environment(postgresql_url, stage_keys, redis_url, **limit)
    two = environment(postgresql_url, stage_keys, redis_url, **limit)
    with serving(two, tmp_path) as second:
        with serving(one, tmp_path) as first:
            assert tries(first, 4) == [401] * 4
            assert tries(second, 3) == [401, 401, 429]
            assert tries(first, 1) == [429]
        with serving(one, tmp_path) as first:
            assert tries(first, 1) == [429]
        assert tries(second, 1) == [429]


class Deployment:
    """Instances of the service on a database and a Redis of their own, under load, and the faults that hit them."""

    def __init__(
        self,
        running: list[Served],
        load: Load,
        postgres: servers.PrivatePostgres,
        redis: servers.PrivateRedis,
    ) -> None:
        self.running = running
        self.load = load
        self.postgres = postgres
        self.redis = redis

    def more(self, count: int) -> None:
        """Let the load go on for that many requests."""
        goal = self.load.summary.requests + count
        wait_until(lambda: self.load.answered(goal), f"{count} more requests", self.running[0].log)

    def redis_dies(self) -> None:
        """Redis is killed and comes back empty: no request may notice."""
        told = self._said("Redis is back")
        unavailable = self.load.summary.unavailable
        self.redis.stop()
        wait_until(lambda: self._said("cannot be reached") > told, "Redis to be missed")
        self.more(100)
        self.redis.start()
        wait_until(
            lambda: self._said("Redis is back") >= self._said("cannot be reached"), "Redis to be found"
        )
        self.more(100)
        assert self.load.summary.unavailable == unavailable

    def postgres_restarts(self) -> None:
        """PostgreSQL goes and comes back: 503 meanwhile, and right answers soon after."""
        before = self.load.summary.unavailable
        self.postgres.stop()
        wait_until(lambda: self.load.summary.unavailable > before, "a 503")
        self.postgres.start()
        for served in self.running:
            wait_until(served.ready, "the service to be well again", served.log)
        fine = self.load.summary.statuses[200]
        wait_until(lambda: self.load.summary.statuses[200] > fine + 100, "right answers")

    def a_worker_is_killed(self) -> None:
        """SIGKILL for one worker: another takes its place. What it was about to answer is cut off."""
        served = next(one for one in self.running if one.workers())
        before, began = served.workers(), len(served.events("app.startup"))
        self.load.killing = True
        os.kill(random.choice(before), signal.SIGKILL)  # noqa: S311 - any of them
        wait_until(lambda: len(served.events("app.startup")) > began, "another worker", served.log)
        self.more(50)
        self.load.killing = False

    def keys_are_read_again(self) -> None:
        """SIGHUP for all."""
        for served in self.running:
            served.process.send_signal(signal.SIGHUP)
        self.more(50)

    def _said(self, words: str) -> int:
        return min(
            sum(words in str(line.get("message")) for line in served.events("app.log"))
            for served in self.running
        )


def run_through(
    folder: Path,
    keys: Keys,
    workers: list[int],
    faults: Callable[[Deployment], None],
    *,
    sessions: int,
    told: Callable[[str, object], None],
) -> tuple[Load, Record]:
    """Put a deployment with that many workers in each instance under load, let ``faults`` happen, and judge. ``told``
    is pytest's ``record_property``: the summary stands at the end of the run, however the tests are run.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.start_private_postgres())
        redis = stack.enter_context(servers.start_private_redis())
        url = postgres.url_for(postgres.create_database())
        anyio.run(upgrade, url)
        world: World = furnish(url, keys, sessions=sessions)
        running = [
            stack.enter_context(
                serving(environment(url, keys, redis.url(), WEB_CONCURRENCY=str(count)), folder)
            )
            for count in workers
        ]
        with Load(running, world) as load, Life(load, world) as life:
            deployment = Deployment(running, load, postgres, redis)
            deployment.more(100)
            faults(deployment)
        for served in running:
            wait_until(served.ready, "the service to be well", served.log)
        record = life.judge(running)
    told("summary", f"{load.summary}, {record}")
    assert load.summary.failures == []
    assert load.summary.wrong_answers == []
    assert record.lost_writes == 0 and record.resurrected == 0
    assert record.written and record.spent
    return load, record


def test_VR_14_redis_postgresql_and_a_worker_die_under_load(
    stage_keys: Keys, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Rules: T7b."""

    def faults(deployment: Deployment) -> None:
        deployment.redis_dies()
        deployment.postgres_restarts()
        deployment.a_worker_is_killed()

    load, record = run_through(tmp_path, stage_keys, [2], faults, sessions=20, told=record_property)
    assert load.summary.unavailable > 0
    assert record.ended_access


@pytest.mark.skipif(not SOAK, reason="the long form: make test-long")
def test_random_faults_for_a_long_time(
    stage_keys: Keys, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Rules: VR-14, T7b."""

    def faults(deployment: Deployment) -> None:
        end = time.monotonic() + SOAK
        kinds = [
            deployment.redis_dies,
            deployment.postgres_restarts,
            deployment.a_worker_is_killed,
            deployment.keys_are_read_again,
        ]
        while time.monotonic() < end:
            random.choice(kinds)()  # noqa: S311 - any of them
            deployment.more(random.randrange(100, 400))  # noqa: S311

    run_through(tmp_path, stage_keys, [2, 2], faults, sessions=400, told=record_property)
