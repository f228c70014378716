"""The database: engines, transactions, portable column types. PostgreSQL and SQLite behave alike behind this file."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import GenericFunction

from sentinel.core.direct import PostgresReads, Query, Reads, SessionReads, SqliteReads
from sentinel.core.errors import DomainError, Unavailable

if TYPE_CHECKING:  # where PostgreSQL is used, it stays out of memory
    import sqlite3

POOL_SIZE = 8
POOL_OVERFLOW = 4
WAIT_SECONDS = 5
"""How long a request waits for a connection before it is answered 503."""
MAPPED = 2**31 - 2**16
"""Bytes of a SQLite file that reads in the event loop's thread see without copying them; it maps no more."""

_inside: ContextVar[bool] = ContextVar("inside_a_session", default=False)
"""Whether there is a session already, inside which this runs."""

# Class 08 connection, 53 resources, 57 operator intervention; 40001 and 40P01 ask for the same transaction again.
TRANSIENT_SQLSTATES = ("08", "53", "57", "40001", "40P01")


class Base(DeclarativeBase):
    """The one metadata of all tables; names of constraints are fixed so that migrations can address them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """``timestamptz``. SQLite has no time zones, so there the value is stored as UTC and comes back aware."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True
    ready_from = "postgresql"
    """The database whose driver returns values that need no more work."""

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    @staticmethod
    def sqlite_text(value: datetime | None) -> str | None:
        """What SQLite stores, made in a third of the time that SQLAlchemy takes."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonDocument = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TextArray = sa.JSON(none_as_null=True).with_variant(postgresql.ARRAY(sa.Text()), "postgresql")


class folded(GenericFunction[str]):  # noqa: N801 - named like the SQL function it is
    """A text in the form that a case-insensitive search compares: lower case of all Unicode, on both databases."""

    type = sa.Text()
    inherit_cache = True
    name = "folded"


@compiles(folded, "postgresql")
def _folded_on_postgresql(element: folded, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"translate(lower(translate({text}, 'İ', 'i')), 'ς', 'σ')"


class like_ascii(GenericFunction[bool]):  # noqa: N801 - named like the SQL function it would be
    """A text is like a pattern of small ASCII letters, whatever the case of ASCII; ``/`` escapes in it."""

    type = sa.Boolean()
    inherit_cache = True
    name = "like_ascii"


@compiles(like_ascii, "postgresql")
def _like_ascii_on_postgresql(element: like_ascii, compiler: Any, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    # Under this collation only ASCII has capitals, which takes a third of the time.
    return f"(lower(({text}) COLLATE \"C\") LIKE {pattern} ESCAPE '/')"


@compiles(like_ascii, "sqlite")
def _like_ascii_on_sqlite(element: like_ascii, compiler: Any, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    # LIKE there knows the capitals of ASCII and no others.
    return f"({text} LIKE {pattern} ESCAPE '/')"


class unindexed(GenericFunction[Any]):  # noqa: N801 - reads as what it says in a condition
    """A column by which SQLite is not to look rows up, because another index has them in the order that is wanted.
    PostgreSQL knows how many rows fit and chooses for itself.
    """

    inherit_cache = True
    name = "unindexed"


@compiles(unindexed, "postgresql")
def _unindexed_on_postgresql(element: unindexed, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(unindexed, "sqlite")
def _unindexed_on_sqlite(element: unindexed, compiler: Any, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


class has_more_than_ascii(GenericFunction[bool]):  # noqa: N801 - named like the SQL function it would be
    """A text has letters beyond ASCII: then it is longer in bytes than in letters."""

    type = sa.Boolean()
    inherit_cache = True
    name = "has_more_than_ascii"


@compiles(has_more_than_ascii, "postgresql")
def _has_more_on_postgresql(element: has_more_than_ascii, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"(octet_length({text}) > length({text}))"


@compiles(has_more_than_ascii, "sqlite")
def _has_more_on_sqlite(element: has_more_than_ascii, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"(length(CAST({text} AS BLOB)) > length({text}))"


def contains_folded(column: Any, needle: str) -> sa.ColumnElement[bool]:
    """``column`` contains ``needle``, whatever the case; ``%`` and ``_`` in the needle are literal.

    Folding a text costs more than all the rest of a search, so it is done only where something cheaper cannot know.
    """
    if "\x00" in needle:
        # No stored text has one, and PostgreSQL takes none even to compare with.
        return sa.false()
    wanted = fold(needle)
    by_folding = folded(column).contains(wanted, autoescape=True)
    if not wanted.isascii():
        return sa.and_(has_more_than_ascii(column), by_folding)
    escaped = wanted.replace("/", "//").replace("%", "/%").replace("_", "/_")
    plainly: sa.ColumnElement[bool] = like_ascii(column, f"%{escaped}%")
    # The only letters beyond ASCII that are folded into it.
    strangers = [letter for letter, plain in (("İ", "i"), ("\u212a", "k")) if plain in wanted]
    return sa.or_(plainly, *(sa.and_(column.contains(letter), by_folding) for letter in strangers))


def fold(text: str) -> str:
    """Lower case, with the two letters brought to one form whose lower case depends on place or locale: the dotted
    capital I and the final sigma.
    """
    return text.replace("İ", "i").lower().replace("ς", "σ")


class Database:
    """One engine, three ways to use it.

    ``transaction()`` is for use cases that write: one transaction, committed at the end. ``reading()`` is for
    reads: every statement stands alone, so that a call of one statement is one round trip. ``fetch()`` is for the one
    statement of a hot call, which takes a connection of the driver's own.

    ``url`` is an SQLAlchemy URL with an async driver.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {
            # Values of statements never reach an error text, and so never a log.
            "hide_parameters": True,
            "pool_size": POOL_SIZE,
            "max_overflow": POOL_OVERFLOW,
            "pool_timeout": WAIT_SECONDS,
        }
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            # Transactions are begun by the listener below; the driver's own guess would begin them too late.
            options["connect_args"] = {"isolation_level": None, "timeout": 15}
        else:
            options["connect_args"] = {"timeout": WAIT_SECONDS}
        self.engine: AsyncEngine = create_async_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
            self._reader = self.engine.execution_options(sqlite_begin=None)
        else:
            self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.direct: Reads = self._direct(parsed)
        self._places = asyncio.Semaphore(POOL_SIZE + POOL_OVERFLOW)

    def _direct(self, url: sa.URL) -> Reads:
        dialect = self.engine.dialect
        if not self.is_sqlite:
            return PostgresReads(dialect, self._connect_postgres, patience=WAIT_SECONDS)
        path = url.database or ""
        if not path or path.startswith("file:") or url.query:
            return SessionReads(dialect, self._read)
        return SqliteReads(dialect, lambda: _connect_sqlite(path), self._read)

    async def _connect_postgres(self) -> asyncpg.Connection:
        _, options = self.engine.dialect.create_connect_args(self.engine.url)
        # These two are SQLAlchemy's own.
        for name in ("prepared_statement_cache_size", "prepared_statement_name_func"):
            options.pop(name, None)
        try:
            connection = await asyncpg.connect(**options, timeout=WAIT_SECONDS)
        except asyncpg.PostgresError as refusal:
            # Whatever the server's reason, there is no connection.
            raise ConnectionError("PostgreSQL refuses the connection") from refusal
        # The few statements that it will run are the same for everybody, and planning one takes longer than running it.
        try:
            await connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _read(self, statement: sa.Select[*tuple[Any, ...]], values: Mapping[str, Any]) -> list[Any]:
        async with self.reading() as session:
            return list((await session.execute(statement, values)).all())

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        """The rows of one statement, which sees everything committed before it; columns are attributes.

        ``long`` is for a statement that may look at thousands of rows. Raises :class:`Unavailable` when the database
        cannot be reached.
        """
        with _unavailable_when_down():
            return await self.direct.fetch(query, values, long=long)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end, or undone when an error escapes.

        A :class:`DomainError` with ``commit`` keeps what was written before it. Callables given to
        :func:`after_commit` run once the commit has succeeded. Raises :class:`Unavailable` when the database
        cannot be reached.
        """
        with _unavailable_when_down():
            async with (
                self._room(),
                AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session,
            ):
                try:
                    yield session
                except DomainError as refusal:
                    if refusal.commit:
                        await session.commit()
                        _run_after_commit(session)
                    raise
                await session.commit()
                _run_after_commit(session)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads only; each statement sees everything committed before it."""
        with _unavailable_when_down():
            async with (
                self._room(),
                AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session,
            ):
                yield session

    @asynccontextmanager
    async def _room(self) -> AsyncIterator[None]:
        # There is one connection for each session. Who waits for it waits here, and not in the pool, where he would
        # have made all that a session needs already. A session inside another one waits in the pool: its turn must not
        # depend on others who wait for theirs in the same way and hold no connection.
        if _inside.get():
            yield
            return
        async with asyncio.timeout(WAIT_SECONDS):
            await self._places.acquire()
        _inside.set(True)
        try:
            yield
        finally:
            _inside.set(False)
            self._places.release()

    async def close(self) -> None:
        """Close every connection."""
        await self.direct.close()
        await self.engine.dispose()


def upsert(session: AsyncSession, table: Any) -> Any:
    """An INSERT into ``table`` that has ``on_conflict_do_nothing`` and ``on_conflict_do_update``, in the dialect
    of the session's database.
    """
    insert: Any = postgresql.insert
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        insert = sqlite.insert
    return insert(table)


def after_commit(session: AsyncSession, action: Callable[[], None]) -> None:
    """Run ``action`` once the transaction of ``session`` has been committed; never when it is undone."""
    session.info.setdefault("after_commit", []).append(action)


@asynccontextmanager
async def savepoint(session: AsyncSession) -> AsyncIterator[None]:
    """A part of a transaction that can fail alone: an error undoes this part, with what it gave to
    :func:`after_commit`, and goes on to the caller, whose transaction stays usable.
    """
    waiting = len(session.info.get("after_commit", ()))
    try:
        async with session.begin_nested():
            yield
    except BaseException:
        del session.info.get("after_commit", [])[waiting:]
        raise


def _run_after_commit(session: AsyncSession) -> None:
    for action in session.info.pop("after_commit", []):
        action()


class _unavailable_when_down:  # noqa: N801 - reads as the phrase it is in a with statement
    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if error is not None and is_outage(error):
            raise Unavailable(reason="database_unavailable") from error


def is_outage(error: BaseException) -> bool:
    """Whether ``error`` says that the database is out of reach or too busy, rather than that we asked wrongly."""
    if isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError | socket.gaierror):
        return True
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(TRANSIENT_SQLSTATES)
    # The driver's own words for a connection whose end came in the middle of a statement.
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    # Without a statement it was the connection itself that failed, or the commit: whatever the server's reason,
    # there is nothing that another request of the caller's would mend.
    if error.connection_invalidated or error.statement is None:
        return True
    sqlstate = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if sqlstate:
        return str(sqlstate).startswith(TRANSIENT_SQLSTATES)
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return (sqlite_code & 0xFF) in _transient_sqlite()
    return isinstance(error, OperationalError | InterfaceError)


@cache
def _transient_sqlite() -> frozenset[int]:
    """Primary result codes that speak of the file, not of the statement."""
    import sqlite3

    return frozenset(
        {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_NOTADB,
        }
    )


def _fold(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


def _connect_sqlite(path: str) -> "sqlite3.Connection":
    """A connection for reads in the event loop's thread: it waits for nobody."""
    import sqlite3

    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    _prepare_sqlite(connection, None)
    connection.execute("PRAGMA query_only=ON")
    # Pages are read where they lie. What another connection writes does not throw them away, as it does a cache.
    connection.execute(f"PRAGMA mmap_size={MAPPED}")
    return connection


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.create_function("folded", 1, _fold, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later would otherwise
    # fail instead of waiting when another one wrote in between.
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    if mode is not None:
        connection.exec_driver_sql(f"BEGIN {mode}")
