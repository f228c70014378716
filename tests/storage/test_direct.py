"""Reads on the driver itself: what they see, what they hold, and how they fail (``docs/decisions/hot-calls.md``)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import anyio.lowlevel
import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from sentinel.core.database import Database, UtcDateTime
from sentinel.core.direct import PostgresReads, Query, SessionReads, SqliteReads
from sentinel.core.errors import Unavailable
from sentinel.identity.models import User
from tests.storage.test_database import NOW

pytestmark = pytest.mark.anyio

WHO = sa.bindparam("who", type_=sa.Uuid())
AT = sa.bindparam("at", type_=UtcDateTime)
_one = sa.select(
    User.id, User.email, User.is_active, User.created_at, sa.literal("fixed").label("word")
).where(User.id == WHO, User.created_at <= AT)
ONE = Query(postgresql=_one, sqlite=_one)
_slow = sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float)).label("slept"))
SLOW = Query(postgresql=_slow)
HEAVY = Query(heavy=True, postgresql=_slow)


@pytest.fixture
async def database(anyio_backend: Any, database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def add(database: Database, email: str = "ada@example.com") -> UUID:
    user = User(id=uuid4(), email=email, name="Ada", created_at=NOW, updated_at=NOW)
    async with database.transaction() as session:
        session.add(user)
    return user.id


async def test_rows_have_the_types_of_the_models_and_are_what_was_committed_last(database: Database) -> None:
    values = {"who": await add(database), "at": NOW}
    for long in (False, True):
        [row] = await database.fetch(ONE, values, long=long)
        assert (row.id, row.email, row.word) == (values["who"], "ada@example.com", "fixed")
        assert row.is_active is True
        assert row.created_at == NOW
        assert row.created_at.tzinfo is not None
    for turn in range(5):
        async with database.transaction() as session:
            await session.execute(sa.update(User).values(email=f"{turn}@example.com"))
            [before] = await database.fetch(ONE, values)
            assert before.email != f"{turn}@example.com", "nothing is seen before it is committed"
        [row] = await database.fetch(ONE, values)
        assert row.email == f"{turn}@example.com"
    assert await database.fetch(ONE, {"who": uuid4(), "at": NOW}) == []


async def test_a_list_of_varying_length_is_refused_when_it_is_written(database: Database) -> None:
    listed = sa.select(User.id).where(User.email.in_(["a", "b"]))
    with pytest.raises(ValueError, match="row of comparisons"):
        await database.fetch(Query(postgresql=listed, sqlite=listed), {})


async def test_an_address_with_options_is_read_the_ordinary_way(anyio_backend: Any, sqlite_url: str) -> None:
    database = Database(f"{sqlite_url}?timeout=3")
    assert isinstance(database.direct, SessionReads)
    values = {"who": await add(database), "at": NOW}
    [row] = await database.fetch(ONE, values)
    assert (row.id, row.word) == (values["who"], "fixed")
    await database.close()


async def test_a_busy_file_is_read_the_slow_way(anyio_backend: Any, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    who = await add(database)
    direct: Any = database.direct
    assert isinstance(direct, SqliteReads)
    connect = direct._connect

    def busy() -> sqlite3.Connection:
        raise sqlite3.OperationalError("database is locked")

    direct._connect = busy
    [row] = await database.fetch(ONE, {"who": who, "at": NOW})
    assert row.id == who
    direct._connect = connect
    [row] = await database.fetch(ONE, {"who": who, "at": NOW})
    assert row.id == who
    assert direct._connection
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        direct._connection.execute("DELETE FROM users")
    await database.close()


async def test_a_writer_keeps_no_reader_waiting(anyio_backend: Any, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    who = await add(database)
    path = make_url(sqlite_url).database
    assert path
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE users SET email = 'new@example.com'")
    [row] = await database.fetch(ONE, {"who": who, "at": NOW})
    assert row.email == "ada@example.com"
    writer.execute("COMMIT")
    writer.close()
    [row] = await database.fetch(ONE, {"who": who, "at": NOW})
    assert row.email == "new@example.com"
    await database.close()


class Postgres:
    """Reads of a size of our choice on a real server."""

    def __init__(self, url: str, *, size: int = 2, heavy: int = 1, patience: float = 5.0) -> None:
        self.database = Database(url)
        self.opened = 0
        self.reads = PostgresReads(
            self.database.engine.dialect, self._connect, size=size, heavy=heavy, patience=patience
        )
        self.database.direct = self.reads

    async def _connect(self) -> asyncpg.Connection:
        self.opened += 1
        return await self.database._connect_postgres()


async def test_connections_are_kept_and_never_more_than_their_number(
    anyio_backend: Any, postgresql_url: str
) -> None:
    it = Postgres(postgresql_url, size=2)
    who = await add(it.database)
    answers = await asyncio.gather(*(it.database.fetch(ONE, {"who": who, "at": NOW}) for _ in range(50)))
    assert all(answer[0].id == who for answer in answers)
    assert it.opened == 2
    assert it.reads.in_use == 0
    await it.database.close()


async def test_who_waits_too_long_is_told_so(anyio_backend: Any, postgresql_url: str) -> None:
    it = Postgres(postgresql_url, size=1, patience=0.01)
    sleeping = asyncio.create_task(it.database.fetch(SLOW, {"seconds": 30.0}))
    while not it.reads.in_use:
        await anyio.lowlevel.checkpoint()
    with pytest.raises(Unavailable):
        await it.database.fetch(SLOW, {"seconds": 0.0})
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    # The place is free again, and what was under way on the old connection troubles nobody.
    assert await it.database.fetch(SLOW, {"seconds": 0.0})
    assert it.opened == 2
    await it.database.close()


async def test_who_goes_away_in_the_queue_keeps_nobody_waiting(
    anyio_backend: Any, postgresql_url: str
) -> None:
    """Whether his turn has not come yet, or has come a moment before he goes."""
    it = Postgres(postgresql_url, size=1, patience=0.2)
    places = it.reads._places
    await places.take()
    waiting = [asyncio.create_task(it.database.fetch(SLOW, {"seconds": 0.0})) for _ in range(4)]
    await anyio.lowlevel.checkpoint()
    waiting[0].cancel()
    await anyio.lowlevel.checkpoint()
    places.give_back()
    # The first one that still wants it has the place now, and goes before it gets to know.
    waiting[1].cancel()
    gone = await asyncio.gather(*waiting[:2], return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in gone)
    assert all(await asyncio.gather(*waiting[2:]))
    assert it.reads.in_use == 0
    # Each waits as long as the first of a queue did: the alarm goes on to the next.
    slow = asyncio.create_task(it.database.fetch(SLOW, {"seconds": 30.0}))
    while not it.reads.in_use:
        await anyio.lowlevel.checkpoint()
    refused = await asyncio.gather(
        *(it.database.fetch(SLOW, {"seconds": 0.0}) for _ in range(3)), return_exceptions=True
    )
    assert [type(each) for each in refused] == [Unavailable] * 3
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert it.reads.in_use == 0
    await it.database.close()


async def test_heavy_statements_leave_connections_to_the_others(
    anyio_backend: Any, postgresql_url: str
) -> None:
    it = Postgres(postgresql_url, size=4, heavy=2, patience=60)
    who = await add(it.database)
    heavy = [asyncio.create_task(it.database.fetch(HEAVY, {"seconds": 30.0})) for _ in range(2)]
    while it.reads.in_use < 2:
        await anyio.lowlevel.checkpoint()
    third = asyncio.create_task(it.database.fetch(HEAVY, {"seconds": 30.0}))
    fourth = asyncio.create_task(it.database.fetch(HEAVY, {"seconds": 0.0}))
    light = await asyncio.gather(*(it.database.fetch(ONE, {"who": who, "at": NOW}) for _ in range(20)))
    assert all(answer[0].id == who for answer in light)
    assert it.reads.in_use == 2, "the others wait their turn"
    # Nobody has to wait behind one that has gone away, nor for ever.
    third.cancel()
    heavy[0].cancel()
    assert await fourth
    assert it.reads.in_use == 1
    heavy[1].cancel()
    await asyncio.gather(*heavy, third, return_exceptions=True)
    assert it.reads.in_use == 0
    assert await it.database.fetch(HEAVY, {"seconds": 0.0}), "all places are free again"
    await it.database.close()


async def test_who_waits_too_long_for_a_heavy_statement_is_told_so(
    anyio_backend: Any, postgresql_url: str
) -> None:
    it = Postgres(postgresql_url, size=4, heavy=1, patience=0.01)
    busy = asyncio.create_task(it.database.fetch(HEAVY, {"seconds": 30.0}))
    while not it.reads.in_use:
        await anyio.lowlevel.checkpoint()
    with pytest.raises(Unavailable):
        await it.database.fetch(HEAVY, {"seconds": 0.0})
    assert it.reads.in_use == 1
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    assert await it.database.fetch(HEAVY, {"seconds": 0.0}), "its place is free again"
    await it.database.close()


async def test_a_complaint_of_the_server_costs_no_connection_and_a_cut_one_is_replaced(
    anyio_backend: Any, postgresql_url: str
) -> None:
    it = Postgres(postgresql_url)
    nowhere = Query(postgresql=sa.select(sa.literal_column("nowhere").label("x")))
    for _ in range(3):
        with pytest.raises(asyncpg.UndefinedColumnError):
            await it.database.fetch(nowhere, {})
    assert it.opened == 1
    [connection] = it.reads._idle
    connection._transport.abort()
    with pytest.raises(Unavailable):
        await it.database.fetch(SLOW, {"seconds": 0.0})
    assert await it.database.fetch(SLOW, {"seconds": 0.0})
    assert it.opened == 2
    await it.database.close()
    assert it.reads._idle == []
