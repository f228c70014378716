"""Backup and restore: one portable file for both databases, so that a backup of one can be restored into the other.

The file is gzip over lines of JSON. The first line is the header: who made it and when, the revision of the schema,
and every table with its columns and its number of rows. Then, table by table, a line that names the table and one line
(a list of values) a row. The last line holds the SHA-256 of everything before it, so a file that was cut off, or in
which a bit has turned, is never taken for a whole one. It is a checksum and no signature: it does not tell who wrote
it.

Tables are read from the database and not from the models: a backup of an older schema can be made, and restored, by a
newer program.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from sentinel import __version__
from sentinel.core.database import Database, UtcDateTime
from sentinel.core.errors import Conflict, Invalid
from sentinel.migrations import current_revision, newest, one_at_a_time, revisions, upgrade_on

FORMAT = "sentinel-backup"
FORMAT_VERSION = 1
NO_BACKUP = "This is not a backup made by 'sentinel db backup'."
VERSION_TABLE = "alembic_version"
DERIVED = {"resource_share_counts"}
"""Tables that triggers fill while others are restored; a backup has nothing of them."""
BATCH = 500
"""Rows that are in memory at a time."""

_SNAPSHOT: dict[str, Any] = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
    "postgresql_deferrable": False,
}


class NotRestorable(Conflict):
    """The database is not one that a backup may be restored into."""

    default_reason = "not_restorable"


class BadBackup(Invalid):
    """The file is no backup, is damaged, or is one that this program cannot read."""

    default_reason = "bad_backup"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself; ``rows`` is how many each table has."""

    revision: str
    version: str
    made_at: datetime
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


async def back_up(database: Database, out: IO[bytes], *, now: datetime) -> Contents:
    """Write everything that the database holds to ``out``, as it stood at one moment, and say what was written.

    Requests go on meanwhile: nobody waits for the backup, and nothing that they write is in it.
    Raises :class:`NotRestorable` for a database without tables, or of a newer version than this program.
    """
    options = {"sqlite_begin": "DEFERRED"} if database.is_sqlite else _SNAPSHOT
    async with database.engine.execution_options(**options).connect() as connection, connection.begin():
        return await connection.run_sync(partial(_back_up, out=out, now=now))


async def restore(url: str, source: IO[bytes]) -> Contents:
    """Fill the empty database at ``url`` with a backup and bring it to the newest revision, all or nothing.

    The database has no tables, or those of the backup's revision with nothing in them but what the migrations put
    there. Everything happens in one transaction, which is committed only when counts, checksum and foreign keys are
    right. Raises :class:`BadBackup` and :class:`NotRestorable`.
    """
    database = Database(url)
    try:
        async with one_at_a_time(database, url), database.engine.begin() as connection:
            return await connection.run_sync(partial(_restore, source=source))
    finally:
        await database.close()


# ── writing ──


def _back_up(connection: sa.Connection, *, out: IO[bytes], now: datetime) -> Contents:
    revision = current_revision(connection)
    if revision is None:
        raise NotRestorable("The database has no tables, so there is nothing to back up.")
    if revision not in revisions():
        raise NotRestorable(
            f"The database is at revision {revision}, which this program does not know: it was made by a newer "
            "version. Make the backup with the program of that version."
        )
    tables = _tables(connection)
    rows = {table.name: _count(connection, table) for table in tables}
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "made_at": now.astimezone(UTC).isoformat(),
        "made_by": f"sentinel {__version__}",
        "revision": revision,
        "tables": [
            {"name": table.name, "columns": table.columns.keys(), "rows": rows[table.name]}
            for table in tables
        ],
    }
    digest = hashlib.sha256()
    # Without a name and a time of its own, so that equal databases differ in the header alone.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0) as packed:

        def line(value: Any) -> None:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
            digest.update(text + b"\n")
            packed.write(text + b"\n")

        line(header)
        for table in tables:
            line({"table": table.name})
            for row in _stream(connection, table):
                line(list(row))
        packed.write(json.dumps({"sha256": digest.hexdigest()}).encode() + b"\n")
    return _contents(header)


def _stream(connection: sa.Connection, table: sa.Table) -> Iterator[sa.Row[Any]]:
    """Every row, in the order of the key, a batch in memory at a time."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    yield from connection.execute(query, execution_options={"yield_per": BATCH})


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID | date):
        return str(value)
    raise TypeError(f"no form for {type(value).__name__}")


# ── reading ──


def _restore(connection: sa.Connection, *, source: IO[bytes]) -> Contents:
    backup = _Reader(source)
    contents = backup.contents
    if contents.revision not in revisions():
        raise BadBackup(
            f"The backup is of revision {contents.revision}, made by {contents.version}, which is newer than this "
            "program. Restore it with the program of that version."
        )
    _prepare(connection, contents.revision)
    tables = {table.name: table for table in _tables(connection)}
    if {name: tuple(table.columns.keys()) for name, table in tables.items()} != backup.columns:
        raise BadBackup(
            f"The tables of the backup are not those of revision {contents.revision}: it is of another program."
        )
    with _foreign_keys_at_the_end(connection, tables):
        _require_empty(connection, tables)
        for name, rows in backup.tables():
            insert, typed = sa.insert(tables[name]), _typed(tables[name])
            while batch := [backup.within(typed, row) for row in islice(rows, BATCH)]:
                connection.execute(insert, batch)
        for name, table in tables.items():
            if (found := _count(connection, table)) != contents.rows[name]:
                raise BadBackup(
                    f"The backup says that it has {contents.rows[name]} rows of {name}, and has {found}."
                )
    if contents.revision != newest():
        upgrade_on(connection)
    return contents


def _prepare(connection: sa.Connection, revision: str) -> None:
    """See that the tables of ``revision`` are there."""
    current = current_revision(connection)
    if current is None:
        if sa.inspect(connection).get_table_names():
            raise NotRestorable(
                "The database holds tables of something else. Restore into one that is empty, or does not exist yet."
            )
        upgrade_on(connection, revision)
    elif current != revision:
        raise NotRestorable(
            f"The backup is of revision {revision} and the database has the tables of {current}. Restore into a "
            "database without tables: they are made as the backup needs them, and then brought up to date."
        )


def _require_empty(connection: sa.Connection, tables: dict[str, sa.Table]) -> None:
    """Refuse a database that somebody has worked with; take out what the migrations themselves put in."""
    for name, table in tables.items():
        # The public organization, which every backup has too.
        theirs = table.c.is_public.is_not(True) if name == "organizations" else sa.true()
        if connection.execute(sa.select(sa.exists().where(theirs).select_from(table))).scalar():
            raise NotRestorable(
                f"The database is not empty: there are rows in {name}. A backup is restored into an empty database "
                "and never over another one."
            )
    connection.execute(sa.delete(tables["organizations"]))


@contextmanager
def _foreign_keys_at_the_end(connection: sa.Connection, tables: dict[str, sa.Table]) -> Iterator[None]:
    """Let rows refer to rows that come later; at the end of the block every reference has to be right."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise BadBackup("The backup refers to rows that are not in it.")
        return
    quote = connection.dialect.identifier_preparer.quote
    found = sa.inspect(connection).get_multi_foreign_keys(filter_names=list(tables))
    keys = [(name, str(key["name"])) for (_, name), listed in found.items() for key in listed]

    def make(what: str) -> None:
        for table, key in keys:
            connection.exec_driver_sql(f"ALTER TABLE {quote(table)} ALTER CONSTRAINT {quote(key)} {what}")

    # This also keeps everybody else from writing until the transaction is over.
    make("DEFERRABLE INITIALLY DEFERRED")
    yield
    try:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        raise BadBackup("The backup refers to rows that are not in it.") from error
    make("NOT DEFERRABLE")


class _Reader:
    """Reads a backup line by line; whatever is not as it should be is a :class:`BadBackup`."""

    def __init__(self, source: IO[bytes]) -> None:
        self._packed = gzip.GzipFile(fileobj=source, mode="rb")
        self._digest = hashlib.sha256()
        self._number = 0
        self._next: Any = None
        header = self._line()
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise BadBackup(NO_BACKUP)
        if header.get("format_version") != FORMAT_VERSION:
            raise BadBackup("The backup has a form that this program does not know; take a newer one.")
        self.contents: Contents = self.within(_contents, header)
        self.columns = {table["name"]: tuple(table["columns"]) for table in header["tables"]}

    def tables(self) -> Iterator[tuple[str, Iterator[list[Any]]]]:
        """Each table with its rows, which are read before the next table is asked for. The end has been checked
        when this is through.
        """
        before = self._digest.hexdigest()
        line = self._line()
        while isinstance(line, dict) and line.get("table") in self.columns:
            yield line["table"], self._rows()
            before, line = self._before, self._next
        if not isinstance(line, dict) or line.get("sha256") != before:
            raise self._damaged("its checksum is not that of its contents")
        if self._read():
            raise self._damaged("something follows its end")

    def within(self, work: Callable[[Any], Any], value: Any) -> Any:
        """``work(value)``, whose failure is the fault of the file."""
        try:
            return work(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._damaged("it holds a value that is none") from error

    def _rows(self) -> Iterator[list[Any]]:
        while True:
            before = self._digest.hexdigest()
            line = self._line()
            if not isinstance(line, list):
                self._before, self._next = before, line
                return
            yield line

    def _line(self) -> Any:
        text = self._read()
        if not text.endswith(b"\n"):
            raise self._damaged("it ends too early")
        self._digest.update(text)
        return self.within(json.loads, text)

    def _read(self) -> bytes:
        self._number += 1
        try:
            text = self._packed.readline()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            if self._number == 1:
                raise BadBackup(NO_BACKUP) from error
            raise self._damaged("it is cut off, or bits of it have turned") from error
        if self._number == 1 and not text:
            raise BadBackup(NO_BACKUP)
        return text

    def _damaged(self, how: str) -> BadBackup:
        return BadBackup(f"The backup is damaged at line {self._number}: {how}. Nothing was restored.")


def _contents(header: dict[str, Any]) -> Contents:
    return Contents(
        revision=str(header["revision"]),
        version=str(header["made_by"]),
        made_at=datetime.fromisoformat(header["made_at"]),
        rows={str(table["name"]): int(table["rows"]) for table in header["tables"]},
    )


# ── tables as the database has them ──


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """Every table of the schema, by name, but for those that follow from the others."""
    inspector = sa.inspect(connection)
    metadata = sa.MetaData()
    keys = {
        name: key["constrained_columns"] for (_, name), key in inspector.get_multi_pk_constraint().items()
    }
    return [
        sa.Table(
            name,
            metadata,
            *(
                sa.Column(column["name"], _portable(column["type"]), primary_key=column["name"] in keys[name])
                for column in columns
            ),
        )
        for (_, name), columns in sorted(inspector.get_multi_columns().items(), key=lambda item: item[0][1])
        if name != VERSION_TABLE and name not in DERIVED
    ]


def _portable(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """The type whose values are the same in Python whatever the database: SQLite knows fewer than PostgreSQL."""
    match kind:
        case sa.DateTime():
            return UtcDateTime()
        case sa.CHAR(length=32):
            # How SQLite keeps a UUID; no other column has that type.
            return sa.Uuid()
        case postgresql.JSONB():
            return postgresql.JSONB(none_as_null=True)
        case sa.JSON():
            return sa.JSON(none_as_null=True)
    return kind


def _typed(table: sa.Table) -> Callable[[list[Any]], dict[str, Any]]:
    """What makes a row of the file into values for the columns of ``table``."""
    readers: list[tuple[str, Callable[[Any], Any]]] = []
    for column in table.columns:
        match column.type:
            case UtcDateTime():
                readers.append((column.name, datetime.fromisoformat))
            case sa.Date():
                readers.append((column.name, date.fromisoformat))
            case sa.Uuid():
                readers.append((column.name, UUID))
            case _:
                readers.append((column.name, lambda value: value))

    def typed(row: list[Any]) -> dict[str, Any]:
        return {
            name: None if value is None else read(value)
            for (name, read), value in zip(readers, row, strict=True)
        }

    return typed


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
