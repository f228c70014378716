"""The benchmark's own promises: the same world everywhere, answers compared with the law, figures that are right."""

import json
import os
import signal
import socketserver
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.engine import make_url

from bench import quota, report
from bench.command import end_when_told
from bench.data import TABLES, Size, World
from bench.driver import Answer, Once, Repeating, drive, percentile, request
from bench.load import NotEmpty, connect, load
from bench.run import Results
from bench.stock import Stock, contains, equals
from bench.verdict import Verdict, verdicts
from bench.wire import PostgresCounter, RedisCounter
from sentinel.core.clock import ManualClock
from sentinel.permissions.decide import Level, Record, Visibility
from tests.stage import Keys, open_stage

UNTIL = datetime(2026, 7, 1, tzinfo=UTC)
SMALL = Size(people=120, resources=400, shares=2.5, activity=50)


@pytest.fixture(scope="module")
def world() -> World:
    return World(SMALL, UNTIL)


def rows(world: World, limit: int | None = None) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table, by the names of their columns."""
    return {
        name: [dict(zip(columns, row, strict=True)) for row in islice(made, limit)]
        for name, columns, made in world.tables()
    }


# --- the world -------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    first = rows(world)
    assert rows(World(SMALL, UNTIL)) == first
    other = rows(World(Size(**(asdict(SMALL) | {"seed": 2})), UNTIL))
    same = [name for name in TABLES if first[name] == other[name]]
    assert same == []


def test_a_world_has_the_size_that_was_asked_for(world: World) -> None:
    made = rows(world)
    assert {name: len(made[name]) for name in ("users", "resource_permissions", "activity_logs")} == {
        "users": 120,
        "resource_permissions": 400,
        "activity_logs": 50,
    }
    ids = Counter(row["id"] for name in TABLES for row in made[name] if "id" in row)
    assert max(ids.values()) == 1, "no id twice"
    assert {share["grantee_type"] for share in made["resource_shares"]} == {"user", "group"}
    assert {one["visibility"] for one in made["resource_permissions"]} == {"private", "workspace"}
    times = [one["created_at"] for one in made["resource_permissions"]]
    assert times == sorted(set(times)), "the order of creation is that of the numbers"


def test_what_the_law_is_asked_is_what_stands_in_the_rows(world: World) -> None:
    """Rebuild every record from the rows alone, for some people, and compare."""
    made = rows(world)
    groups_of: dict[bytes, set[bytes]] = {}
    for seat in made["group_memberships"]:
        groups_of.setdefault(seat["user_id"], set()).add(seat["group_id"])
    seats = {(one["workspace_id"], one["user_id"]): one["role"] for one in made["workspace_memberships"]}
    shares: dict[bytes, list[dict[str, Any]]] = {}
    for share in made["resource_shares"]:
        shares.setdefault(share["resource_permission_id"], []).append(share)

    def best(levels: list[str]) -> Level | None:
        return Level(min(levels)) if levels else None  # "edit" sorts first

    for person in (0, 1, world.visitor(), world.collector(), 77, 119):
        me = made["users"][person]["id"]
        for number, resource in enumerate(made["resource_permissions"]):
            given = shares.get(resource["id"], [])
            owner = resource["owner_id"]
            assert world.record(person, number) == Record(
                workspace_id=UUID(bytes=resource["workspace_id"]),
                owner_id=UUID(bytes=owner) if owner else None,
                visibility=Visibility(resource["visibility"]),
                direct_share=best([s["permission"] for s in given if s["grantee_id"] == me]),
                group_share=best(
                    [s["permission"] for s in given if s["grantee_id"] in groups_of.get(me, set())]
                ),
            )
        for workspace, place in enumerate(made["workspaces"]):
            asker = world.asker(person, workspace)
            assert asker.role == seats.get((place["id"], me))
            assert asker.is_active is made["users"][person]["is_active"]


def test_granted_actions_are_those_of_the_rows(world: World) -> None:
    made = rows(world)
    names = {one["id"]: (one["service_name"], one["action"]) for one in made["service_actions"]}
    titles = {one["id"]: (one["workspace_id"], one["name"]) for one in made["roles"]}
    found = 0
    for person in range(0, 120, 7):
        me = made["users"][person]["id"]
        mine = {seat["group_id"] for seat in made["group_memberships"] if seat["user_id"] == me}
        held = {one["role_id"] for one in made["user_roles"] if one["user_id"] == me}
        held |= {one["role_id"] for one in made["group_roles"] if one["group_id"] in mine}
        for workspace in world.workspaces_of[person]:
            place = made["workspaces"][workspace]["id"]
            right: dict[str, set[str]] = {}
            for line in made["role_actions"]:
                scope, action = names[line["service_action_id"]]
                where, title = titles[line["role_id"]]
                if line["role_id"] in held and where == place and scope == "notes":
                    right.setdefault(action, set()).add(title)
            expected = {action: sorted(roles) for action, roles in right.items()}
            assert world.granted(person, workspace, "notes") == expected
            found += len(expected)
    assert found, "somebody may do something"


# --- loading ---------------------------------------------------------------------------------------------------

SHAPE = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid <> 0
UNION SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


async def shape(url: str) -> set[tuple[str, str]]:
    """Every constraint and index of a database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database
        with closing(sqlite3.connect(parsed.database)) as connection:
            found = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
            )
            return set(found.fetchall())
    connection = await connect(parsed)
    try:
        return {tuple(row) for row in await connection.fetch(SHAPE)}
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_a_loaded_database_answers_as_the_law_says(
    world: World, database_url: str, stage_keys: Keys
) -> None:
    """Loading leaves every constraint and index as it was, and the service agrees with the law on the world."""
    before = await shape(database_url)
    counts = await load(database_url, world)
    assert await shape(database_url) == before
    assert counts["resource_permissions"] == 400
    with pytest.raises(NotEmpty):
        await load(database_url, world)

    stock = Stock(world, (stage_keys.private, stage_keys.public))
    shots = [*stock.checks(60, 20), *stock.batches(2, 5), *stock.listings(4, 5), *stock.whole_showroom()]
    shots += [*stock.action_checks(15), *stock.action_lists(10), *stock.profiles(5), *stock.key_sets()]
    said: set[bool] = set()
    async with open_stage(database_url, stage_keys, clock=ManualClock(datetime.now(UTC))) as stage:
        for shot in shots:
            answer = await stage.client.request(shot.method, shot.path, json=shot.body, headers=shot.headers)
            assert shot.judge(answer.status_code, answer.content), (shot, answer.text)
            assert not shot.judge(500, answer.content)
            assert not shot.judge(200, b"{}")
            said |= {one["allowed"] for one in answer.json().get("results", ())}
    assert said == {True, False}, "both answers are asked for"


# --- the driver ------------------------------------------------------------------------------------------------


@contextmanager
def server(reply: Callable[[bytes, Callable[[bytes], object]], bool]) -> Iterator[int]:
    """A server in threads, which gives each request line and a way to send to ``reply``; its port. A connection ends
    when ``reply`` says so.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                if reply(line, self.request.sendall):
                    break

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made.server_address[1]
        made.shutdown()
        thread.join()


def test_the_driver_reads_answers_that_come_in_pieces_and_keeps_them_apart() -> None:
    def reply(line: bytes, send: Callable[[bytes], object]) -> bool:
        number = line.split()[1].strip(b"/")
        for piece in (b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 4\r\nX: y\r\n\r\n", number, b"."):
            send(piece)
            time.sleep(0.001)
        return False

    wires = [request("GET", f"/{number:03}") for number in range(12)]
    with server(reply) as port:
        measured = drive(port, Once(wires), connections=3, seconds=20)
        few = drive(port, Repeating(wires), connections=2, seconds=20, most=5)
    assert sorted(measured.answers) == [(number, 200, b"%03d." % number) for number in range(12)]
    assert (measured.count, measured.broken) == (12, 0)
    assert min(measured.times) > 0.003, "until the last piece"
    assert few.count == 5
    assert few.rate == pytest.approx(5 / few.seconds)


def test_the_driver_tells_of_connections_that_break() -> None:
    with server(lambda _line, _send: True) as port:
        measured = drive(port, Repeating([request("GET", "/")]), connections=2, seconds=20)
    assert (measured.count, measured.broken) == (0, 2)


def test_an_order_to_end_that_comes_while_an_answer_is_read_ends_the_driver() -> None:
    orders: list[Answer] = []

    class Ordering(Repeating):
        def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
            if previous is not None and not orders:
                orders.append(previous)
                os.kill(os.getpid(), signal.SIGTERM)
            return super().next(previous)

    def reply(_line: bytes, send: Callable[[bytes], object]) -> bool:
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return False

    before = {which: signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a script
    end_when_told()
    try:
        with server(reply) as port, pytest.raises(KeyboardInterrupt):
            drive(port, Ordering([request("GET", "/")]), connections=2, seconds=20)
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


@pytest.mark.parametrize(
    ("values", "percent", "right"),
    [
        ([5.0], 99, 5.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        (list(range(1, 201)), 99, 198),
        (list(range(1, 201)), 95, 190),
    ],
)
def test_percentiles_are_those_of_the_nearest_rank(values: list[float], percent: float, right: float) -> None:
    assert percentile(values, percent) == right


def test_judges() -> None:
    assert equals({"a": [1]})(200, b'{ "a": [1] }')
    assert not equals({"a": [1]})(200, b'{"a":[1],"b":2}')
    assert not equals({"a": [1]})(500, b'{"a":[1]}')
    assert contains({"a": 1})(200, b'{"a":1,"b":2}')
    assert not contains({"a": 1})(200, b'{"a":2}')


# --- counting on the wire --------------------------------------------------------------------------------------


def message(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4, "big") + content


def test_statements_are_counted_off_the_wire() -> None:
    wish_for_tls = (8).to_bytes(4, "big") + (80_877_103).to_bytes(4, "big")
    startup = (17).to_bytes(4, "big") + (196_608).to_bytes(4, "big") + b"user\0ada\0"
    talk = wish_for_tls + startup
    talk += message(b"Q", b"BEGIN;\0") + message(b"P", b"s1\0SELECT 1\0\0\0") + message(b"S", b"")
    talk += (message(b"B", b"\0s1\0\0\0\0\0\0\0") + message(b"E", b"\0\0\0\0\0")) * 2
    talk += message(b"Q", b"SHOW x\0") + message(b"Q", b"COMMIT\0")
    for size in (1, 7, len(talk)):
        seen: list[str] = []
        counter = PostgresCounter(seen.append)
        for at in range(0, len(talk), size):
            counter.feed(talk[at : at + size])
        assert seen == ["SELECT 1", "SELECT 1", "SHOW x"]


def test_commands_are_counted_off_the_wire() -> None:
    talk = b"*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n"
    for size in (1, 5, len(talk)):
        seen: list[str] = []
        counter = RedisCounter(seen.append)
        for at in range(0, len(talk), size):
            counter.feed(talk[at : at + size])
        assert len(seen) == 2


def test_a_process_gets_its_part_of_a_core() -> None:
    if not quota.available():
        pytest.skip("control groups cannot be made here")
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            before = Path(f"/proc/{process.pid}/cgroup").read_text()
            with quota.part_of_a_core([process.pid], 0.5) as [group]:
                assert str(process.pid) in (group / "cgroup.procs").read_text().split()
                limits = [group / name for name in ("cpu.max", "cpu.cfs_quota_us") if (group / name).exists()]
                assert [limit.read_text().split()[0] for limit in limits] == [str(quota.PERIOD // 2)]
            assert Path(f"/proc/{process.pid}/cgroup").read_text() == before
            assert not group.exists()
        finally:
            process.kill()


# --- verdicts and pages ----------------------------------------------------------------------------------------


def row(scenario: str, ratio: float, connections: int = 16, **more: Any) -> dict[str, Any]:
    """A slot as a run writes it."""
    figures = {"rate": 1000.0 * ratio, "p50": 1.0, "p95": 2.0, "p99": 3.0, "cpu_us": 100.0}
    known = {"setup": "postgresql-1", "scenario": scenario, "connections": connections, "ratio": ratio}
    known |= {"ratio_cpu": ratio, "ratio_p99": 2.0, "errors": 0, "wrong": 0, "memory": 100.0, "steal": 0.0}
    known |= {"driver_busy": 0.1, "ceiling": {"kind": "verified", **figures}}
    return known | figures | more


def results() -> Results:
    made = Results()
    made.rows = [row("check", ratio) for ratio in (0.5, 0.8, 0.9)] + [row("check", 0.1, 1)]
    made.rows += [row("check-fresh", ratio) for ratio in (0.5, 0.6)] + [row("batch", 0.3)]
    made.rows += [row("batch", 0.03, 1), row("resolve", 0.1, memory=125.0)]
    made.pairs = [
        {"pair": "postgresql-2 to postgresql-1, 64 connections", "rate": 0.9, "p50": 1.2, "wrong": 0},
        {"pair": "half cores, 16 connections", "rate": 1.5, "p50": 0.6, "wrong": 0},
        {"pair": "half cores, 64 connections", "rate": 1.8, "p50": 0.6, "wrong": 0},
        {"pair": "sqlite-1 to postgresql-1", "rate": 0.9, "p50": 1.2, "wrong": 0},
    ]
    made.facts = {
        "size": {"people": 10, "resources": 20},
        "driver": {"rate": 20_000.0},
        "machine_cores": 2,
        "cores": {"postgresql-1": "server 0, database 1, driver 1"},
        "memory": {"postgresql-1": [125.0]},
        "start_seconds": [1.0, 1.6, 1.4],
        "start_cpu": [1.0, 1.0, 1.0],
        "sdk": {"overhead": 0.3},
        "panel": [
            {"page": "users", "median_ms": 50.0},
            {"page": "usage", "median_ms": 60.0},
            {"page": "API: users", "median_ms": 40.0},
        ],
        "export": {"rows": 10, "megabytes": 5.0, "seconds": 1.0, "grown": 1.0},
        "counts": {"check": {"statements": 1, "redis": 0}, "share": {"statements": 5, "redis": 0}},
    }
    return made


def test_each_target_is_judged_by_medians() -> None:
    words = {one.target: one.word for one in verdicts(results())}
    assert words["single check, tokens repeat"] == "met", (
        "the median at a concurrency that keeps the server busy"
    )
    assert words["single check, a new token each time"] == "met"
    assert words["batch of 100"] == "missed"
    assert words["batch of 100, its price for a busy server"] == "met"
    assert words["batch of 100, its price for one caller"] == "missed"
    assert words["two workers, a core for each"] == "not judged", "two cores are too few"
    assert words["two workers, half a core for each"] == "met"
    assert words["SQLite, single check"] == "missed"
    assert words["start to first answer"] == "met"
    assert words["can() of the SDK"] == "missed"
    assert words["memory of a worker that is asked for decisions"] == "met"
    assert words["memory of a worker that has done everything"] == "missed"
    assert words["memory over time"] == words["check-action"] == "not judged"
    assert words["statements of check"] == "met"
    assert words["statements of share"] == "missed"
    assert words["list pages of the panel"] == "met"
    assert words["reports and JSON API of the panel"] == "for information"
    assert words["export of all people"] == "met"
    assert words["answers"] == "met"


def test_two_workers_are_judged_where_there_is_enough_to_do() -> None:
    made = results()
    found = {one.target: one for one in verdicts(made)}["two workers, half a core for each"]
    assert found.found == "1.50 times with 16, 1.80 times with 64 connections (judged with 64)"
    made.pairs[2]["rate"] = 1.6
    words = {one.target: one.word for one in verdicts(made)}
    assert words["two workers, half a core for each"] == "missed"
    made.facts["machine_cores"] = 4
    words = {one.target: one.word for one in verdicts(made)}
    assert words["two workers, a core for each"] == "missed"


def test_one_slow_list_or_a_file_that_is_kept_is_a_miss() -> None:
    made = results()
    made.facts["panel"].append({"page": "groups", "median_ms": 51.0})
    made.facts["export"]["grown"] = 5.0
    words = {one.target: one.word for one in verdicts(made)}
    assert words["list pages of the panel"] == words["export of all people"] == "missed"


def test_one_wrong_answer_is_too_many() -> None:
    made = results()
    made.rows.append(row("check", 0.9, wrong=1))
    assert {one.target: one.word for one in verdicts(made)}["answers"] == "missed"


def test_a_saved_run_is_written_between_the_markers(tmp_path: Path) -> None:
    made = results()
    saved = tmp_path / "run.json"
    saved.write_text(json.dumps(report.record(made, verdicts(made), "python -m bench run")))
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    other.write_text("no markers\n")
    assert report.render(saved, [page, other]) == [page]
    text = page.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\nMeasured ")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    assert (
        "| single check, tokens repeat | at least 0.75 of the ceiling | 0.80 with 16 connections | met |"
        in text
    )
    assert report.render(saved, [page]) == [page]
    assert page.read_text() == text
    assert other.read_text() == "no markers\n"
    assert isinstance(report.load_record(saved)[2][0], Verdict)
