"""C-3 to C-6, C-9 and C-10 of ``configuration.md`` §3: Redis and the database."""

import asyncio
import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sentinel import checklist
from sentinel.checklist.storage import DEV_REDIS_PASSWORDS
from sentinel.core.database import Database
from sentinel.core.redis import connect
from sentinel.settings import Settings
from tests import servers

from .conftest import found, judged, load, reasons

pytestmark = pytest.mark.anyio

Variables = Mapping[str, str]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


async def test_C_3_workers_without_redis(production: Variables) -> None:
    assert await reasons(production, REDIS_URL="", WEB_CONCURRENCY="2") == [
        ("C-3", "redis_missing", "refuse")
    ]
    assert await found(production, REDIS_URL="", WEB_CONCURRENCY="1") == []
    assert await found(production, WEB_CONCURRENCY="2") == []


async def test_C_3_redis_that_is_away(production: Variables) -> None:
    with servers.start_private_redis() as private:
        assert await found(production, REDIS_URL=private.url()) == []
        await anyio.to_thread.run_sync(private.stop)
        [one] = await found(production, REDIS_URL=private.url())
    assert (one.id, one.reason, one.verdict) == ("C-3", "redis_down", "refuse")
    assert f"127.0.0.1:{private.port}" in one.seen


async def test_C_3_redis_that_refuses_the_password(
    production: Variables, redis_server: servers.Redis
) -> None:
    [one] = await found(production, REDIS_URL=f"redis://:wr0ng-one@127.0.0.1:{redis_server.port}/0")
    assert (one.reason, one.seen.partition(": ")[2]) == ("redis_down", "it refuses the user or the password")


async def test_C_3_redis_that_says_nothing(
    production: Variables, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.checklist.facts.PROBE_SECONDS", 0.2)
    findings = await found(production, REDIS_URL=f"redis://:s3cret-one@127.0.0.1:{silent_port}")
    [one] = [one for one in findings if one.id == "C-3"]
    assert (one.reason, one.seen.partition(": ")[2]) == ("redis_down", "no answer within 0.2 s")


async def test_C_3_redis_of_a_running_service_is_asked_and_left_open(production: Variables) -> None:
    config = load(production)
    redis = connect(config)
    assert redis is not None
    assert await checklist.run(config, redis=redis) == []
    assert await redis.ping()
    await redis.aclose()


@pytest.mark.parametrize("credentials", ["", "user@", "user:@", ":@"])
async def test_C_4_redis_without_password(
    production: Variables, redis_server: servers.Redis, credentials: str
) -> None:
    one = next(
        one
        for one in await found(production, REDIS_URL=f"redis://{credentials}127.0.0.1:{redis_server.port}/0")
        if one.id == "C-4"
    )
    assert (one.reason, one.verdict, one.published) == ("redis_no_auth", "refuse", False)


@pytest.mark.parametrize("password", [*sorted(DEV_REDIS_PASSWORDS), "Password", "sentinel%5Fdev"])
async def test_C_4_development_password_of_redis(
    production: Variables, redis_server: servers.Redis, password: str
) -> None:
    url = f"redis://:{password}@127.0.0.1:{redis_server.port}/0"
    one = next(one for one in await found(production, REDIS_URL=url) if one.id == "C-4")
    assert (one.reason, one.verdict, one.published) == ("redis_no_auth", "refuse", True)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("redis://:p4ssw0rd-of-ours@cache.example.com", True),
        ("redis://:p4ssw0rd-of-ours@redis:6379", True),
        ("redis://:p4ssw0rd-of-ours@10.0.0.1", True),
        ("rediss://:p4ssw0rd-of-ours@cache.example.com", False),
        ("redis://:p4ssw0rd-of-ours@localhost", False),
        ("redis://:p4ssw0rd-of-ours@127.0.0.1", False),
        ("redis://:p4ssw0rd-of-ours@[::1]", False),
    ],
)
def test_C_5_redis_without_tls(url: str, warned: bool) -> None:
    findings = [one for one in judged(Settings(redis_url=url)) if one.id == "C-5"]
    assert [(one.reason, one.verdict) for one in findings] == [("redis_no_tls", "warn")] * warned


@pytest.mark.parametrize(
    ("url", "verify", "refused"),
    [
        ("rediss://:p4ss@cache.example.com", "none", True),
        ("rediss://:p4ss@127.0.0.1", "none", True),
        ("rediss://:p4ss@cache.example.com", "required", False),
        ("redis://:p4ss@127.0.0.1", "none", False),
    ],
)
def test_C_6_certificate_of_redis(url: str, verify: str, refused: bool) -> None:
    config = Settings(redis_url=url, redis_tls_verify=verify)
    findings = [one for one in judged(config) if one.id == "C-6"]
    assert [(one.reason, one.verdict) for one in findings] == [("redis_no_cert_verify", "refuse")] * refused


async def test_C_3_tls_against_a_server_without_it_is_down(
    production: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.checklist.facts.PROBE_SECONDS", 1.0)
    url = production["REDIS_URL"].replace("redis://", "rediss://")
    assert await reasons(production, REDIS_URL=url, REDIS_TLS_VERIFY="required") == [
        ("C-3", "redis_down", "refuse")
    ]


# ── the database ──


def credentials(url: str) -> list[tuple[str, str, bool]]:
    findings = [one for one in judged(Settings(database_url=url)) if one.id == "C-9"]
    return [(one.reason, one.verdict, one.published) for one in findings]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://identity:identity_dev@db/identity",
        "postgres://identity:identity%5Fdev@db/identity",
        "postgresql://identity_prod:identity_dev@db/identity",
        # What the driver uses: options of the query come before the other parts.
        "postgresql://identity:str0ng-one@db/identity?password=identity_dev",
    ],
)
def test_C_9_development_pair(url: str) -> None:
    assert credentials(url) == [("default_db_credentials", "refuse", True)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://identity_prod@db/x",
        "postgresql://identity_prod:@db/x",
        "postgresql://",
        "postgresql:///x",
    ],
)
def test_C_9_empty_password(url: str) -> None:
    assert credentials(url) == [("default_db_credentials", "refuse", False)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://identity:str0ng-one@db/identity",
        "postgresql://db/identity?user=identity_prod&password=str0ng-one",
        "sqlite+aiosqlite:///sentinel.db",
        "",
    ],
)
def test_C_9_other_credentials_pass(url: str) -> None:
    assert credentials(url) == []


@pytest.mark.parametrize(
    ("rest", "warned"),
    [
        ("db.example.com/x", True),
        ("8.8.8.8/x", True),
        ("db.example.com/x?ssl=prefer", True),
        ("db.example.com/x?ssl=disable", True),
        ("/x?host=db:5432&host=db.example.com:5432", True),
        ("db/x?host=db.example.com", True),
        ("db.example.com/x?ssl=require", False),
        ("db.example.com/x?sslmode=verify-full", False),
        ("db/x", False),
        ("db.data.svc.cluster.local/x", False),
        ("10.0.0.7/x", False),
        ("[fd00::7]/x", False),
        ("127.0.0.1/x", False),
        ("/x?host=/var/run/postgresql", False),
        ("/x", False),
    ],
)
def test_C_10_no_tls(rest: str, warned: bool) -> None:
    findings = judged(Settings(database_url=f"postgresql://identity_prod:str0ng-one@{rest}"))
    shown = [(one.reason, one.verdict) for one in findings if one.id == "C-10"]
    assert shown == [("db_no_tls", "warn")] * warned


async def test_C_10_sqlite_is_one_machine_and_one_worker(production: Variables, sqlite_url: str) -> None:
    warning = ("C-10", "db_sqlite", "warn")
    empty = [("C-18", "no_active_service_app", "warn"), ("C-23", "no_admin", "warn")]
    assert await reasons(production, DATABASE_URL=sqlite_url) == [warning, *empty]
    refused = ("C-10", "db_sqlite_workers", "refuse")
    assert await reasons(production, DATABASE_URL=sqlite_url, WEB_CONCURRENCY="2") == [
        refused,
        warning,
        *empty,
    ]


async def test_C_10_postgresql_that_is_away(production: Variables) -> None:
    with await anyio.to_thread.run_sync(servers.start_private_postgres) as private:
        url = private.url_for(await anyio.to_thread.run_sync(private.create_database))
        assert "C-10" not in {one.id for one in await found(production, DATABASE_URL=url)}
        await anyio.to_thread.run_sync(private.stop)
        [one] = await found(production, DATABASE_URL=url)
    assert (one.id, one.reason, one.verdict) == ("C-10", "db_down", "refuse")
    assert f"127.0.0.1:{private.port}" in one.seen


async def test_C_10_postgresql_that_refuses(production: Variables, postgres: servers.Postgres) -> None:
    [one] = await found(production, DATABASE_URL=f"postgresql://n0body:wr0ng-one@127.0.0.1:{postgres.port}/x")
    assert (one.reason, one.verdict) == ("db_down", "refuse")
    assert one.seen.endswith("the server refuses the user or the password")
    [one] = await found(production, DATABASE_URL=postgres.url_for("no_such_database"))
    assert one.seen.endswith("the server has no database of that name")


async def test_C_10_postgresql_that_says_nothing(
    production: Variables, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.checklist.facts.PROBE_SECONDS", 0.2)
    began = time.monotonic()
    findings = await found(production, DATABASE_URL=f"postgresql://u:s3cret-one@127.0.0.1:{silent_port}/x")
    [one] = [one for one in findings if one.id == "C-10"]
    assert (one.reason, one.seen.partition(": ")[2]) == ("db_down", "no answer within 0.2 s")
    assert time.monotonic() - began < 5


async def test_C_10_options_that_the_driver_does_not_know(production: Variables) -> None:
    [one] = await found(production, DATABASE_URL=f"{production['DATABASE_URL']}?no_such_option=c4nary")
    assert (one.reason, one.verdict) == ("db_down", "refuse")
    assert "c4nary" not in one.seen + one.remedy


async def test_C_10_sqlite_that_cannot_be_used(production: Variables, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("This is no database, however long one looks at it." * 50)
    for path in (file, file / "sentinel.db", tmp_path):
        findings = await found(production, DATABASE_URL=f"sqlite+aiosqlite:///{path}")
        assert [(one.reason, one.verdict) for one in findings] == [
            ("db_down", "refuse"),
            ("db_sqlite", "warn"),
        ]


async def test_C_10_looking_makes_no_file(production: Variables, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'sentinel.db'}"
    assert [one.reason for one in await found(production, DATABASE_URL=url)] == [
        "db_sqlite",
        "no_active_service_app",
        "no_admin",
    ]
    assert os.listdir(tmp_path) == []


async def test_C_10_a_locked_database_is_not_down(production: Variables, sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert "db_down" not in {one.reason for one in await found(production, DATABASE_URL=sqlite_url)}


async def test_C_10_database_of_a_running_service_is_asked_and_left_open(
    production: Variables, database_url: str
) -> None:
    database = Database(database_url)
    findings = await checklist.run(load(production, DATABASE_URL=database_url), database=database)
    assert "db_down" not in {one.reason for one in findings}
    again = await asyncio.gather(*(checklist.run(load(production), database=database) for _ in range(3)))
    assert again[0] == again[1] == again[2]
    await database.close()


@settings(deadline=None, max_examples=200)
@given(
    rest=st.text(alphabet="abc@:/?&=[]%1,", max_size=30),
    query=st.text(alphabet="hostpru=&:,/19", max_size=20),
)
def test_C_9_and_C_10_any_url_that_the_settings_take_is_judged(rest: str, query: str) -> None:
    try:
        config = Settings(database_url=f"postgresql://{rest}?host={query}", redis_url=f"redis://{rest}")
    except ValidationError:
        return
    judged(config, redis_problem="away")
