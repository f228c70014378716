"""``/metrics``: on a port of its own, for all workers together, with labels from closed sets."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest

from sentinel.core.database import POOL_OVERFLOW, POOL_SIZE
from sentinel.core.direct import CONNECTIONS
from sentinel.core.logging import VOCABULARY
from tests.served import (
    Served,
    World,
    environment,
    free_port,
    furnish,
    scrape,
    serving,
    starting,
    wait_until,
)
from tests.stage import Keys

IN_USE = 'sentinel_database_connections_in_use{pool="direct"}'
MAX = 'sentinel_database_connections_max{{pool="{}"}}'
PLACES = POOL_SIZE + POOL_OVERFLOW
CHECK = 'sentinel_http_requests_total{method="POST",route="/permissions/check",status="200"}'


def decisions(numbers: dict[str, float]) -> dict[str, float]:
    return {
        outcome: numbers.get(f'sentinel_decisions_total{{call="check",outcome="{outcome}"}}', 0)
        for outcome in ("allowed", "denied")
    }


def test_one_process_counts_what_it_does(sqlite_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    world, port = furnish(sqlite_url, stage_keys), free_port()
    variables = environment(sqlite_url, stage_keys, METRICS_PORT=str(port), RATE_LIMIT_READ="2/minute")
    with serving(variables, tmp_path) as served:
        for _ in range(3):
            assert served.ask("POST", "/permissions/check", world.question(), world.owner)[0] == 200
        assert served.ask("POST", "/permissions/check", world.question(), world.viewer)[0] == 200
        stranger = world.owner | {"X-Service-Key": "sk_unknown"}
        assert served.ask("POST", "/permissions/check", world.question(), stranger)[0] == 401
        refresh = {"refresh_token": "nonsense"}
        assert served.ask("POST", "/auth/refresh", refresh)[0] == 401
        members = f"/workspaces/{world.workspace_id}/members"
        reader = {"Authorization": world.owner["Authorization"]}
        assert [served.ask("GET", members, None, reader)[0] for _ in range(3)] == [200, 200, 429]
        # Whatever a stranger makes up stays in one row.
        for method in ("GET", "BREW"):
            served.ask(method, f"/{uuid4()}/{uuid4()}")
        numbers = scrape(port)
        assert numbers[CHECK] == 4
        assert decisions(numbers) == {"allowed": 3, "denied": 1}
        assert numbers['sentinel_rate_limited_total{limit="read"}'] == 1
        assert numbers['sentinel_events_total{event="permission.check.denied",outcome="denied"}'] == 1
        assert (
            numbers['sentinel_http_request_duration_seconds_count{method="POST",route="/permissions/check"}']
            == 5
        )
        assert numbers['sentinel_database_connections_in_use{pool="sessions"}'] == 0
        assert numbers[MAX.format("sessions")] == PLACES and MAX.format("direct") not in numbers
        assert numbers['sentinel_checklist_findings{id="C-10",reason="db_sqlite",verdict="warn"}'] == 1
        assert numbers["sentinel_redis_away"] == 0
        labels_are_bounded(numbers, world)
        not_public(served, port)


def labels_are_bounded(numbers: dict[str, float], world: World) -> None:
    text = "\n".join(numbers)
    for secret in (world.workspace_id, world.resource_ids[0], world.service["X-Service-Key"], "nonsense"):
        assert secret not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
    assert set(re.findall(r'method="([^"]*)"', text)) <= {"GET", "POST", "(other)"}
    assert 'method="GET",route="(unmatched)",status="404"' in text
    known = {event for events in VOCABULARY.values() for event in events}
    assert set(re.findall(r'event="([^"]*)"', text)) <= known


def not_public(served: Served, port: int) -> None:
    assert served.ask("GET", "/metrics")[0] == 404
    answer = httpx.get(f"http://127.0.0.1:{port}/permissions/check", trust_env=False)
    assert answer.status_code == 404 and "python" not in answer.headers["server"].lower()
    assert answer.text == "Not Found\n"


@pytest.fixture(scope="module")
def plain(
    sqlite_template: Path, stage_keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A service that nobody has asked for metrics."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copyfile(sqlite_template, folder / "sentinel.db")
    variables = environment(f"sqlite+aiosqlite:///{folder / 'sentinel.db'}", stage_keys)
    with serving(variables, folder) as served:
        yield served


def test_off_by_default(plain: Served) -> None:
    assert plain.ask("GET", "/metrics")[0] == 404
    listening = Path(f"/proc/{plain.process.pid}/net/tcp").read_text()
    assert f":{plain.port:04X} " in listening
    own = {os.readlink(fd) for fd in Path(f"/proc/{plain.process.pid}/fd").iterdir() if fd.exists()}
    inodes = [line.split()[9] for line in listening.splitlines()[1:] if line.split()[3] == "0A"]
    assert sum(f"socket:[{inode}]" in own for inode in inodes) == 1


def test_workers_are_added_up_and_a_death_loses_no_count(
    postgresql_url: str, redis_url: str, stage_keys: Keys, tmp_path: Path
) -> None:
    world, port = furnish(postgresql_url, stage_keys), free_port()
    variables = environment(
        postgresql_url, stage_keys, redis_url, METRICS_PORT=str(port), WEB_CONCURRENCY="2"
    )
    with serving(variables, tmp_path) as served:

        def ask(times: int) -> None:
            for _ in range(times):
                assert served.ask("POST", "/permissions/check", world.question(), world.owner)[0] == 200

        ask(40)
        numbers = scrape(port)
        assert numbers[CHECK] == 40 and decisions(numbers)["allowed"] == 40
        assert numbers["sentinel_workers"] == 2
        assert (numbers[MAX.format("sessions")], numbers[MAX.format("direct")]) == (
            2 * PLACES,
            2 * CONNECTIONS,
        )
        asyncio.run(_held_up(postgresql_url, lambda: ask(1), lambda: served.ask("GET", "/health"), port))
        before = served.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(
            lambda: len(served.events("app.startup")) == 3 and before[0] not in served.workers(),
            "another worker",
            served.log,
        )
        ask(20)
        numbers = scrape(port)
        assert numbers[CHECK] == 61 and decisions(numbers)["allowed"] == 61
        # What the dead one held is not counted any more.
        assert (numbers[MAX.format("sessions")], numbers[MAX.format("direct")]) == (
            2 * PLACES,
            2 * CONNECTIONS,
        )
        assert served.ask("GET", "/metrics")[0] == 404
        assert served.stop() == 0
    with pytest.raises(httpx.ConnectError):
        scrape(port)


async def _held_up(url: str, ask: Callable[[], object], breathe: Callable[[], object], port: int) -> None:
    """A check that the database holds up is seen in the number of direct connections, and its end too."""

    async def lent(expected: int) -> None:
        while True:
            await asyncio.to_thread(breathe)
            if (await asyncio.to_thread(scrape, port))[IN_USE] == expected:
                return

    connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            async with connection.transaction():
                await connection.execute("LOCK TABLE resource_permissions IN ACCESS EXCLUSIVE MODE")
                group.create_task(asyncio.to_thread(ask))
                await lent(1)
            await lent(0)
    finally:
        await connection.close()


def test_a_port_that_is_taken_or_public_keeps_it_from_starting(
    plain: Served, sqlite_url: str, stage_keys: Keys, tmp_path: Path
) -> None:
    variables = environment(sqlite_url, stage_keys)
    for port, word in ((str(plain.port), "cannot listen"), (variables["SERVICE_PORT"], "is SERVICE_PORT")):
        with starting({**variables, "METRICS_PORT": port}, tmp_path) as served:
            assert served.process.wait(30) == 2
            said = served.log.read_text()
            assert word in said and "METRICS_PORT" in said and "Traceback" not in said
