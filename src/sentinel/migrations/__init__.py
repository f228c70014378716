"""Schema migrations: one Alembic history for PostgreSQL and SQLite, safe to run from many processes at once."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import sqlalchemy as sa
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

    @property
    def serves(self) -> bool:
        """Whether requests can be answered: with the newest revision, and with one that a newer version has made
        meanwhile, so that machines that are upgraded one after the other do not all go at once.
        """
        newer = self.current is not None and self.current not in revisions() and self.current > self.head
        return self.up_to_date or newer


async def upgrade(url: str) -> Status:
    """Bring the database at ``url`` to the newest revision and return where it stood before.

    Processes that start together wait for one another: the first migrates, the others find nothing to do.
    Existing logging configuration is left alone (``authorization.md`` §9, Migrations 2).
    """
    database = Database(url)
    try:
        async with one_at_a_time(database, url):
            before = await status(database)
            if not before.up_to_date:
                async with database.engine.begin() as connection:
                    await connection.run_sync(upgrade_on)
            return before
    finally:
        await database.close()


async def status(database: Database) -> Status:
    """The revision of an open database beside the newest one known to this program."""
    async with database.reading() as session:
        connection = await session.connection()
        return Status(current=await connection.run_sync(current_revision), head=newest())


def current_revision(connection: sa.Connection) -> str | None:
    """The revision of an open database; None when it has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def newest() -> str:
    """The newest revision that this program knows."""
    return max(revisions())


@cache
def revisions() -> frozenset[str]:
    """Every revision that this program knows."""
    return frozenset(path.name.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*_*.py"))


def upgrade_on(connection: sa.Connection, to: str = "head") -> None:
    """Bring the database of ``connection`` to a revision, within its transaction."""
    # Alembic takes a tenth of a second and ten megabytes, which a database that is up to date does not ask for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@asynccontextmanager
async def one_at_a_time(database: Database, url: str) -> AsyncIterator[None]:
    """Hold off every other process that wants to migrate, or to fill, this database."""
    if database.is_sqlite:
        path = make_url(url).database
        assert path
        # A file lock and not only BEGIN IMMEDIATE: switching a new file to WAL does not wait for other processes.
        lock = await asyncio.to_thread(_lock_file, Path(f"{path}.lock"))
        if not path.startswith(("file:", ":memory:")):
            _make(Path(path))
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
    _make(path)
    lock = path.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _make(path: Path) -> None:
    """See that a file is there. A new one is readable by its owner alone, and when root makes it, on the command line,
    it belongs to the owner of the folder: the service has to be able to open it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        folder = path.parent.stat()
        # Root in a container may not give files away.
        with suppress(PermissionError):
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    os.close(descriptor)
