"""Schema migrations: one Alembic history for PostgreSQL and SQLite, safe to run from many processes at once."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from sentinel.core.database import Database

HERE = Path(__file__).parent
LOCK_KEY = 0x53454E54  # "SENT": the advisory lock that one migrating process holds


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands: ``current`` and ``head`` are revision ids; ``current`` is None when it is empty."""

    current: str | None
    head: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


async def upgrade(url: str) -> Status:
    """Bring the database at ``url`` to the newest revision and return where it stood before.

    Processes that start together wait for one another: the first migrates, the others find nothing to do.
    Existing logging configuration is left alone (``authorization.md`` §9, Migrations 2).
    """
    database = Database(url)
    try:
        async with _one_at_a_time(database, url):
            before = await status(database)
            if not before.up_to_date:
                async with database.engine.begin() as connection:
                    await connection.run_sync(_upgrade)
            return before
    finally:
        await database.close()


async def status(database: Database) -> Status:
    """The revision of an open database beside the newest one known to this program."""

    def current(connection: sa.Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.reading() as session:
        connection = await session.connection()
        return Status(current=await connection.run_sync(current), head=_head())


@cache
def _head() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@asynccontextmanager
async def _one_at_a_time(database: Database, url: str) -> AsyncIterator[None]:
    if database.is_sqlite:
        path = make_url(url).database
        assert path
        # A file lock and not only BEGIN IMMEDIATE: switching a new file to WAL does not wait for other processes.
        lock = await asyncio.to_thread(_lock_file, Path(f"{path}.lock"))
        try:
            yield
        finally:
            lock.close()
        return
    async with database.engine.connect() as connection:
        await connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        await connection.commit()
        try:
            yield
        finally:
            await connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
            await connection.commit()


def _lock_file(path: Path) -> IO[str]:
    """Wait for the lock on ``path``; closing the file gives it back."""
    lock = path.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
