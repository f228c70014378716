"""Fills a migrated, empty database with a world, by bulk copy; ends with fresh statistics.

Indexes and foreign keys of the filled tables are taken away and made again afterwards, in the same transaction:
building an index once is several times faster than growing it row by row.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa
from asyncpg.pgproto import pgproto  # type: ignore[import-untyped]
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url

from bench.data import World
from sentinel.core.database import UtcDateTime
from sentinel.migrations import upgrade
from sentinel.migrations.tables import METADATA
from sentinel.permissions.models import ShareCount

Convert = Callable[[Any], Any]
Progress = Callable[[str, int], None]


class NotEmpty(Exception):
    """The database holds people already; nothing has been changed."""


async def load(url: str, world: World, progress: Progress = lambda _table, _rows: None) -> dict[str, int]:
    """Migrate the database at ``url`` and fill it; rows by table. Raises :class:`NotEmpty`."""
    await upgrade(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database
        return await asyncio.to_thread(_load_sqlite, parsed.database, world, progress)
    return await _load_postgresql(parsed, world, progress)


async def connect(url: URL) -> Any:
    """A bare connection of the driver."""
    return await asyncpg.connect(
        host=url.host,
        port=url.port or 5432,
        user=url.username,
        password=url.password,
        database=url.database,
        ssl=False if url.host in ("127.0.0.1", "localhost") else None,
    )


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────

_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""
_CONSTRAINTS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition, contype FROM pg_constraint
WHERE conrelid = $1::regclass AND contype IN ('f', 'u', 'p') ORDER BY contype = 'f', contype = 'u'
"""


async def _load_postgresql(url: URL, world: World, progress: Progress) -> dict[str, int]:
    connection = await connect(url)
    counts: dict[str, int] = {}
    try:
        if await connection.fetchval("SELECT EXISTS (SELECT FROM users)"):
            raise NotEmpty
        async with connection.transaction():
            await connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
            later, foreign = await _take_away(connection)
            for name, columns, rows in world.tables():
                converters = _converters(name, columns, "postgresql")
                counted = _Counter(_converted(rows, converters))
                await connection.copy_records_to_table(name, records=counted, columns=columns)
                counts[name] = counted.rows
                progress(name, counted.rows)
            for statement in later + foreign:
                await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return counts


async def _take_away(connection: Any) -> tuple[list[str], list[str]]:
    """Drop keys and indexes of every table; the statements that make them again, foreign keys apart."""
    later: list[str] = []
    foreign: list[str] = []
    drops: list[tuple[bool, str]] = []
    # Kept by triggers while the others are filled, for which it needs its key.
    for table in METADATA.tables.keys() - {ShareCount.__tablename__}:
        for name, definition, kind in await connection.fetch(_CONSTRAINTS, table):
            again = foreign if kind == b"f" else later
            again.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
            drops.append((kind != b"f", f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"'))
        for name, definition in await connection.fetch(_INDEXES, table):
            later.append(definition)
            drops.append((True, f'DROP INDEX "{name}"'))
    for _, statement in sorted(drops, key=lambda drop: drop[0]):  # keys that others refer to go last
        await connection.execute(statement)
    return later, foreign


# ── SQLite ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _load_sqlite(path: str, world: World, progress: Progress) -> dict[str, int]:
    counts: dict[str, int] = {}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if connection.execute("SELECT EXISTS (SELECT 1 FROM users)").fetchone()[0]:
            raise NotEmpty
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        for name, columns, rows in world.tables():
            counted = _Counter(_converted(rows, _converters(name, columns, "sqlite")))
            marks = ", ".join("?" * len(columns))
            # Names of tables and columns are ours, from bench/data.py.
            connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", counted)  # noqa: S608
            counts[name] = counted.rows
            progress(name, counted.rows)
        for _, definition in indexes:
            connection.execute(definition)
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        assert broken is None, broken
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Counter:
    """Counts rows as they go by."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self.rows = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.rows += 1
            yield row


def _converted(
    rows: Iterator[tuple[Any, ...]], converters: list[Convert | None]
) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple(
            value if value is None or convert is None else convert(value)
            for value, convert in zip(row, converters, strict=True)
        )


def _converters(table: str, columns: tuple[str, ...], dialect: str) -> list[Convert | None]:
    """How each value of a row is written, by the type of its column."""
    defined = METADATA.tables[table].columns
    return [_converter(defined[column].type, dialect) for column in columns]


def _converter(kind: sa.types.TypeEngine[Any], dialect: str) -> Convert | None:
    sqlite = dialect == "sqlite"
    if isinstance(kind, sa.Uuid):
        return bytes.hex if sqlite else pgproto.UUID
    if isinstance(kind, UtcDateTime):
        return _sqlite_time if sqlite else None
    if isinstance(kind, sa.Date):
        return str if sqlite else None
    if isinstance(kind, sa.JSON):
        is_array = not sqlite and isinstance(kind.dialect_impl(_POSTGRESQL), sa.ARRAY)
        return None if is_array else json.dumps
    return None


_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def _sqlite_time(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
