"""Reads of one statement on the driver itself, for the calls that sit in the path of every request of others.

The statement is built with SQLAlchemy like any other and compiled once. What is left out is all that a lone SELECT
has no use for: session, unit of work, transaction. ``docs/performance.md`` tells what that is worth.
"""

import asyncio
from collections import deque, namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa

if TYPE_CHECKING:
    import sqlite3

CONNECTIONS = 8
"""Connections to PostgreSQL that these calls of one worker hold at most: as many as it can keep busy when each is back
within a millisecond. More of them only take each other's place in the caches of the server.
"""
HEAVY = 5
"""Those of them that may be busy with heavy statements. A worker has no more of these ready for sending, and whoever
asks for little finds a connection that is soon free.
"""


class Query:
    """A SELECT whose values are given by name when it is run.

    ``texts`` maps the name of a database (``postgresql``, ``sqlite``) to the statement for it. A ``heavy`` one costs
    the database several times what the look-up of a few rows does.
    """

    def __init__(self, *, heavy: bool = False, **texts: sa.Select[*tuple[Any, ...]]) -> None:
        self.heavy = heavy
        self._texts = texts
        self._compiled: dict[str, Compiled] = {}

    def statement(self, dialect: sa.Dialect) -> sa.Select[*tuple[Any, ...]]:
        """The statement for one kind of database."""
        return self._texts[dialect.name]

    def compiled(self, dialect: sa.Dialect) -> "Compiled":
        """The statement as the driver takes it."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self.statement(dialect), dialect)
        return found


class Plain(sa.types.UserDefinedType[Any]):
    """A type of PostgreSQL by its name, whose values the driver gives and takes as they are: nobody looks at them."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


class Compiled:
    """The text of a statement, and the way from values to arguments and from the driver's rows to ours."""

    def __init__(self, statement: sa.Select[*tuple[Any, ...]], dialect: sa.Dialect) -> None:
        if dialect.name == "sqlite":
            # By name, a value that the text has in several places is made and handed over once.
            dialect = type(dialect)(paramstyle="named")  # type: ignore[call-arg]
        compiled: Any = statement.compile(dialect=dialect)
        if compiled.post_compile_params:
            raise ValueError("IN needs its text made anew for every list; write it as a row of comparisons")
        self.text: str = compiled.string
        given = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        names: list[str] = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._names = None if compiled.positional else names
        # Literals of the statement have one value; of the others the name is kept.
        processors = dict(compiled._bind_processors)
        if dialect.name == "sqlite":
            processors |= {
                name: bind.type.sqlite_text
                for name, bind in compiled.binds.items()
                if hasattr(bind.type, "sqlite_text")
            }
        self._arguments = [
            (
                None if name in given else name,
                _processed(given[name], processors.get(name)) if name in given else None,
                processors.get(name),
            )
            for name in names
        ]
        columns = compiled._result_columns
        row: Any = namedtuple("Row", [column.keyname for column in columns])  # type: ignore[misc]
        self._row: Callable[[Any], Any] = row._make
        self._processors = [
            (place, process)
            for place, column in enumerate(columns)
            if (process := _processor(column.type, dialect)) is not None
        ]

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """``values`` as the driver takes them: in the order in which the text names them, or by name."""
        arguments = [
            literal if name is None else process(values[name]) if process else values[name]
            for name, literal, process in self._arguments
        ]
        return arguments if self._names is None else dict(zip(self._names, arguments, strict=True))

    def rows(self, records: Sequence[Any]) -> list[Any]:
        """The driver's rows with our types, columns as attributes."""
        if not self._processors:
            return [self._row(record) for record in records]
        rows = []
        for record in records:
            cells = None
            for place, process in self._processors:
                cell = record[place]
                if cell is not None:
                    cells = cells or list(record)
                    cells[place] = process(cell)
            rows.append(self._row(cells or record))
        return rows


def _processor(type_: Any, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if getattr(type_, "ready_from", None) == dialect.name:
        return None
    process: Callable[[Any], Any] | None = type_._cached_result_processor(dialect, None)
    # Made anew for every cell, ids and times take longer than the search: most rows are of the same few people, places
    # and minutes.
    if process and isinstance(type_, sa.Uuid | sa.types.TypeDecorator):
        return lru_cache(maxsize=4096)(process)
    return process


def _processed(value: Any, process: Callable[[Any], Any] | None) -> Any:
    return process(value) if process else value


class Reads(Protocol):
    """Runs a :class:`Query` and sees everything that was committed before it."""

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        """The rows. ``long`` says that there may be thousands of them, or as much to look at."""

    async def close(self) -> None:
        """Let go of every connection."""


Read = Callable[[sa.Select[*tuple[Any, ...]], Mapping[str, Any]], Awaitable[list[Any]]]
"""Runs a statement through a session of SQLAlchemy."""


class SessionReads:
    """The ordinary way, for a file whose address has options that only the driver of the other way knows."""

    def __init__(self, dialect: sa.Dialect, read: Read) -> None:
        self._dialect = dialect
        self._read = read

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        return await self._read(query.statement(self._dialect), values)

    async def close(self) -> None:
        """There is nothing of its own."""


class Places:
    """``size`` of them; whoever finds all taken waits up to ``patience`` seconds, the first to come being the first."""

    def __init__(self, size: int, *, patience: float) -> None:
        self.taken = 0
        self._size = size
        self._patience = patience
        self._queue: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Return with a place. Raises :class:`TimeoutError`."""
        if self.taken < self._size:
            self.taken += 1
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append((loop.time() + self._patience, turn))
        # All are as patient, so one alarm, for the first in the queue, is enough.
        if self._alarm is None:
            self._alarm = loop.call_later(self._patience, self._ring)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give_back()
            raise

    def give_back(self) -> None:
        """Pass a place on to whoever has waited longest."""
        while self._queue:
            _, turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1

    def _ring(self) -> None:
        """Turn away those that have waited too long, and look again when the next one will have."""
        self._alarm = None
        loop = asyncio.get_running_loop()
        while self._queue:
            until, turn = self._queue[0]
            if until > loop.time():
                self._alarm = loop.call_at(until, self._ring)
                return
            self._queue.popleft()
            if not turn.done():
                turn.set_exception(TimeoutError())


class PostgresReads:
    """Idle connections wait on a stack, so that few of them are used and stay warm.

    ``connect`` opens one. Who finds all of the ``size`` taken waits up to ``patience`` seconds; then
    :class:`TimeoutError` is raised. No more than ``heavy`` of them are busy with heavy statements, for which one waits
    in the same way.
    """

    def __init__(
        self,
        dialect: sa.Dialect,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        size: int = CONNECTIONS,
        heavy: int = HEAVY,
        patience: float,
    ) -> None:
        self._dialect = dialect
        self._connect = connect
        self._places = Places(size, patience=patience)
        self._heavy_places = Places(heavy, patience=patience)
        self._idle: list[asyncpg.Connection] = []

    @property
    def in_use(self) -> int:
        """Connections that are lent just now."""
        return self._places.taken

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        if not query.heavy:
            return await self._fetch(query, values)
        await self._heavy_places.take()
        try:
            return await self._fetch(query, values)
        finally:
            self._heavy_places.give_back()

    async def _fetch(self, query: Query, values: Mapping[str, Any]) -> list[Any]:
        compiled = query.compiled(self._dialect)
        arguments = compiled.arguments(values)
        await self._places.take()
        connection: asyncpg.Connection | None = None
        try:
            connection = self._warm() or await self._connect()
            records = await connection.fetch(compiled.text, *arguments)
        except BaseException as error:
            if connection is not None and _is_complaint(error) and not connection.is_closed():
                self._idle.append(connection)
            else:
                # A statement may still be under way on this one. When the server has gone, those that wait are as dead;
                # opening new ones costs little.
                for dead in (connection, *self._idle):
                    if dead is not None:
                        dead.terminate()
                self._idle.clear()
            raise
        else:
            self._idle.append(connection)
        finally:
            self._places.give_back()
        return compiled.rows(records)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await connection.close(timeout=1)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    def _warm(self) -> asyncpg.Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None


def _is_complaint(error: BaseException) -> bool:
    """Whether the server has answered, and would answer the next statement."""
    return isinstance(error, asyncpg.PostgresError) and not str(error.sqlstate).startswith(("08", "53", "57"))


class SqliteReads:
    """One connection, used in the event loop's own thread: a look-up by index in a file that lies in memory takes less
    time than to hand it to a thread. Readers of a WAL never wait for a writer. What is ``long``, and what meets a busy
    file all the same, goes the slow way.
    """

    def __init__(self, dialect: sa.Dialect, connect: Callable[[], "sqlite3.Connection"], slow: Read) -> None:
        import sqlite3

        self._dialect = dialect
        self._connect = connect
        self._slow = slow
        self._connection: sqlite3.Connection | None = None
        self._busy = sqlite3.OperationalError

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        if long:
            return await self._slow(query.statement(self._dialect), values)
        compiled = query.compiled(self._dialect)
        try:
            if self._connection is None:
                self._connection = self._connect()
            records = self._connection.execute(compiled.text, compiled.arguments(values)).fetchall()
        except self._busy:
            await self.close()
            return await self._slow(query.statement(self._dialect), values)
        return compiled.rows(records)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
