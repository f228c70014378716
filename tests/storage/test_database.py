"""Transactions, constraints and outages: the same behaviour on SQLite and PostgreSQL."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest
import sqlalchemy as sa

from sentinel.core.database import (
    POOL_OVERFLOW,
    POOL_SIZE,
    WAIT_SECONDS,
    Database,
    UtcDateTime,
    after_commit,
    contains_folded,
    savepoint,
)
from sentinel.core.errors import Conflict, Unavailable
from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

PLACES = POOL_SIZE + POOL_OVERFLOW


@pytest.fixture
async def database(anyio_backend: Any, database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def _user(email: str = "ada@example.com", **values: Any) -> User:
    return User(id=uuid4(), email=email, name="Ada", created_at=NOW, updated_at=NOW, **values)


async def _count(database: Database, model: type[Any]) -> int:
    async with database.reading() as session:
        return await session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


async def test_a_transaction_is_undone_when_an_error_escapes(database: Database) -> None:
    done: list[str] = []
    with pytest.raises(LookupError):
        async with database.transaction() as session:
            session.add(_user())
            await session.flush()
            after_commit(session, lambda: done.append("ran"))
            raise LookupError
    assert await _count(database, User) == 0
    assert done == []


async def test_a_refusal_keeps_what_was_written_only_when_it_says_so(database: Database) -> None:
    done: list[bool] = []
    for commit in (False, True):
        with pytest.raises(Conflict):
            async with database.transaction() as session:
                session.add(_user(f"{commit}@example.com"))
                await session.flush()
                after_commit(session, partial(done.append, commit))
                raise Conflict("no", commit=commit)
    assert await _count(database, User) == 1
    assert done == [True]


async def test_a_savepoint_fails_alone_and_reports_nothing(database: Database) -> None:
    told: list[str] = []
    async with database.transaction() as session:
        session.add(User(email="kept@example.com", name="Kept"))
        await session.flush()
        after_commit(session, lambda: told.append("before"))
        with pytest.raises(sa.exc.IntegrityError):
            async with savepoint(session):
                after_commit(session, lambda: told.append("undone"))
                await session.execute(sa.insert(User).values(email="gone@example.com", name="Gone"))
                await session.execute(sa.insert(User).values(email="kept@example.com", name="Twice"))
        async with savepoint(session):
            after_commit(session, lambda: told.append("inside"))
            await session.execute(sa.insert(User).values(email="also@example.com", name="Also"))
    assert told == ["before", "inside"]
    assert await _count(database, User) == 2


async def test_what_a_transaction_wrote_is_seen_by_the_next_read(database: Database) -> None:
    for number in range(20):
        async with database.transaction() as session:
            session.add(_user(f"{number}@example.com"))
        assert await _count(database, User) == number + 1


async def test_transactions_that_read_before_they_write_wait_for_one_another(database: Database) -> None:
    """On SQLite a transaction that turns into a writer late fails at once; ours are writers from the start."""
    async with database.transaction() as session:
        session.add(_user())

    async def raise_epoch() -> None:
        async with database.transaction() as session:
            user = (await session.execute(sa.select(User).with_for_update())).scalar_one()
            user.token_epoch += 1

    await asyncio.gather(*(raise_epoch() for _ in range(20)))
    async with database.reading() as session:
        assert await session.scalar(sa.select(User.token_epoch)) == 20


async def test_constraints_hold_on_both_databases(database: Database) -> None:
    user, other = _user(), _user("eve@example.com")
    workspace = Workspace(id=uuid4(), slug="acme", name="Acme", created_at=NOW)
    async with database.transaction() as session:
        session.add_all([user, other, workspace])
    wrong: list[Any] = [
        _user("ada@example.com"),
        # Unique in lower case (authorization.md §9), whatever wrote the row.
        _user("ADA@example.com"),
        _user("x@example.com", organization_id=uuid4()),
        Membership(id=uuid4(), workspace_id=workspace.id, user_id=user.id, role="king", joined_at=NOW),
        Membership(id=uuid4(), workspace_id=workspace.id, user_id=uuid4(), role="viewer", joined_at=NOW),
        Resource(
            id=uuid4(),
            service_name="s",
            resource_type="t",
            resource_id=uuid4(),
            workspace_id=workspace.id,
            visibility="public",
            created_at=NOW,
        ),
    ]
    for row in wrong:
        with pytest.raises(sa.exc.IntegrityError):
            async with database.transaction() as session:
                session.add(row)
    assert await _count(database, User) == 2


async def test_deleting_a_row_cascades_or_nulls_as_the_model_says(database: Database) -> None:
    user = _user()
    workspace = Workspace(id=uuid4(), slug="acme", name="Acme", created_by=user.id, created_at=NOW)
    async with database.transaction() as session:
        session.add(user)
        await session.flush()
        session.add(workspace)
        await session.flush()
        session.add(
            Membership(id=uuid4(), workspace_id=workspace.id, user_id=user.id, role="owner", joined_at=NOW)
        )
    async with database.transaction() as session:
        await session.execute(sa.delete(User))
    async with database.reading() as session:
        assert await session.scalar(sa.select(Workspace.created_by)) is None
    assert await _count(database, Membership) == 0


async def test_times_come_back_aware_and_exact(database: Database) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    user = _user()
    user.created_at = elsewhere
    async with database.transaction() as session:
        session.add(user)
    async with database.reading() as session:
        stored = await session.scalar(sa.select(User.created_at))
        assert stored == NOW
        assert stored is not None
        assert stored.utcoffset() == timedelta()
        assert await session.scalar(sa.select(sa.literal(NOW, UtcDateTime()) == User.created_at))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), sa.create_engine("sqlite://").dialect)  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime.sqlite_text(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "value",
    [
        None,
        NOW,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_the_quick_way_makes_the_text_that_sqlite_stores(value: datetime | None) -> None:
    dialect = sa.create_engine("sqlite://").dialect
    ordinary = UtcDateTime()._cached_bind_processor(dialect)
    assert ordinary is not None and UtcDateTime.sqlite_text(value) == ordinary(value)


async def test_search_ignores_case_of_all_letters_and_takes_wildcards_literally(database: Database) -> None:
    names = [
        "Ångström",
        "ÅNGSTRÖM 2",
        "100%",
        "100 percent",
        "a_b",
        "axb",
        "back\\slash",
        "a/b",
        "İzmir",
        "\u212aelvin",
    ]
    async with database.transaction() as session:
        session.add_all(
            User(id=uuid4(), email=f"{n}@e.example", name=name, created_at=NOW, updated_at=NOW)
            for n, name in enumerate(names)
        )

    async def find(needle: str) -> set[str]:
        async with database.reading() as session:
            return set(
                (
                    await session.execute(sa.select(User.name).where(contains_folded(User.name, needle)))
                ).scalars()
            )

    assert await find("ångström") == {"Ångström", "ÅNGSTRÖM 2"}
    assert await find("100%") == {"100%"}
    assert await find("A_B") == {"a_b"}
    assert await find("K\\S") == {"back\\slash"}
    assert await find("A/") == {"a/b"}
    # The two letters beyond ASCII that are folded into it, and a text of ASCII beside a needle of more.
    assert await find("iz") == await find("İZMİR") == {"İzmir"}
    assert await find("KELV") == {"\u212aelvin"}
    assert await find("é") == await find("a\x00") == set()


async def test_sqlite_runs_with_wal_and_foreign_keys(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    async with database.reading() as session:
        assert await session.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert await session.scalar(sa.text("PRAGMA foreign_keys")) == 1
    await database.close()


async def test_an_unreachable_database_is_unavailable(tmp_path: Path, free_tcp_port: int) -> None:
    urls = [
        f"postgresql+asyncpg://nobody:nothing@127.0.0.1:{free_tcp_port}/none",
        # A folder where the file should be.
        f"sqlite+aiosqlite:///{tmp_path}",
    ]
    for url in urls:
        database = Database(url)
        for opened in (database.reading, database.transaction):
            with pytest.raises(Unavailable) as refusal:
                async with opened() as session:
                    await session.execute(sa.text("SELECT 1"))
            assert refusal.value.reason == "database_unavailable"
        await database.close()
    # The driver's thread reports once more to the loop that it failed to open the file; the loop must still run.
    with anyio.fail_after(10):
        while any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):
            await anyio.lowlevel.checkpoint()


async def test_an_error_of_a_statement_never_holds_its_values(database: Database) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError) as error:
        async with database.transaction() as session:
            await session.execute(
                sa.text("SELECT no_such_column WHERE 'a' = :value"), {"value": "top-secret"}
            )
    assert "top-secret" not in str(error.value)


@asynccontextmanager
async def _held(database: Database, number: int) -> AsyncIterator[list[int]]:
    """So many tasks, each of which holds a session meanwhile or waits for one; the numbers of those that hold one."""
    holding, full, go = list[int](), asyncio.Event(), asyncio.Event()

    async def hold(own: int) -> None:
        async with database.reading() as session:
            holding.append(own)
            assert await session.scalar(sa.text("SELECT 1")) == 1
            if len(holding) >= min(number, PLACES):
                full.set()
            await go.wait()

    async with asyncio.TaskGroup() as group:
        for own in range(number):
            group.create_task(hold(own))
        await full.wait()
        try:
            yield holding
        finally:
            go.set()


async def test_there_are_as_many_sessions_as_connections_and_the_rest_waits_its_turn(
    database: Database,
) -> None:
    async with _held(database, PLACES + 3) as holding:
        await asyncio.sleep(0.05)
        assert holding == list(range(PLACES))
    assert holding == list(range(PLACES + 3))


@pytest.mark.parametrize("way", ["transaction", "reading"])
async def test_who_waits_too_long_for_a_connection_is_told_so_and_keeps_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    opened = getattr(database, way)

    async def get_in() -> None:
        async with opened():
            pytest.fail("there is no connection left")

    async with _held(database, PLACES):
        monkeypatch.setattr("sentinel.core.database.WAIT_SECONDS", 0.05)
        with pytest.raises(Unavailable) as refusal:
            await get_in()
        assert refusal.value.reason == "database_unavailable"
        monkeypatch.undo()
        waiting = asyncio.create_task(get_in())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
    async with _held(database, PLACES) as holding:
        assert len(holding) == PLACES


async def test_a_session_inside_another_waits_for_nobody_who_waits_like_it(database: Database) -> None:
    """What is asked for once a session has been closed early, as a download does; and the place is free afterwards."""

    async def inside() -> None:
        async with database.reading() as outer:
            assert await outer.scalar(sa.text("SELECT 1")) == 1
            await outer.close()
            await all_are_in.wait()
            async with database.transaction() as inner:
                assert await inner.scalar(sa.text("SELECT 1")) == 1

    all_are_in = anyio.Event()
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(PLACES):
            group.create_task(inside())
        await asyncio.sleep(0.2)
        all_are_in.set()
    async with _held(database, PLACES + 1) as holding:
        assert len(holding) == PLACES
