"""``sentinel db backup`` and ``sentinel db restore``: the database in one file, the same for SQLite and PostgreSQL."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from sentinel.cli.console import remark, stop
from sentinel.cli.context import load_settings, out_of_reach, place, standing
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.migrations import backup as backups
from sentinel.migrations import newest
from sentinel.settings import Settings

STREAM = "-"


def register(commands: typer.Typer) -> None:
    """Add ``sentinel db backup`` and ``sentinel db restore``."""
    commands.command()(backup)
    commands.command()(restore)


def backup(
    file: Annotated[
        str, typer.Argument(help="File to make, or - for stdout. An existing one is never replaced.")
    ],
) -> None:
    """Write everything that the database holds into one file, as it stands at this moment.

    The service may go on meanwhile. The file holds what the database holds: people, roles, shares, the log, and hashes
    of keys and tokens. It does not hold the signing keys and the environment file: keep those too. Encrypt it on its
    way: sentinel db backup - | age -r RECIPIENT > sentinel.backup.age
    """
    settings = load_settings()
    if standing(settings).current is None:
        stop(
            f"There is no database at {place(settings)}, or it has no tables, so there is nothing to back up."
        )

    async def work(out: IO[bytes]) -> backups.Contents:
        database = Database(settings.database_url.get_secret_value())
        try:
            return await backups.back_up(database, out, now=Clock().now())
        finally:
            await database.close()

    with _new_file(file) as out, _reachable(settings):
        made = asyncio.run(work(out))
    remark(
        f"Backed up {made.total} rows of {len(made.rows)} tables of {place(settings)}, revision {made.revision}, "
        f"to {_name(file, 'stdout')}."
    )


def restore(
    file: Annotated[str, typer.Argument(help="File that 'sentinel db backup' made, or - for stdin.")],
) -> None:
    """Fill an empty database from a backup, whichever kind of database it was made from.

    The database has no tables yet, or is as 'sentinel db upgrade' leaves a new one. All of the backup is restored or
    nothing. One of an older version is brought up to the newest revision. Stop the service meanwhile.
    """
    settings = load_settings()
    standing(settings)  # says what is wrong when the database cannot be reached at all
    with _existing_file(file) as source, _reachable(settings):
        done = asyncio.run(backups.restore(settings.database_url.get_secret_value(), source))
    remark(
        f"Restored {done.total} rows of {len(done.rows)} tables into {place(settings)}, from a backup that "
        f"{done.version} made on {done.made_at:%Y-%m-%d at %H:%M} UTC. It is at revision {newest()}"
        + ("." if done.revision == newest() else f", brought up from {done.revision}.")
    )


@contextmanager
def _new_file(name: str) -> Iterator[IO[bytes]]:
    """A file that only its owner may read, or stdout; a file that was not finished is taken away again."""
    if name == STREAM:
        if sys.stdout.isatty():
            stop("A backup is no text for a terminal: give a file, or a pipe to another program.")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        stop(f"{path} is there already and is not replaced; give another name.")
    try:
        with open(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _existing_file(name: str) -> Iterator[IO[bytes]]:
    if name == STREAM:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as source:
        yield source


@contextmanager
def _reachable(settings: Settings) -> Iterator[None]:
    """What goes wrong with the database itself, in one line that names it."""
    try:
        yield
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        raise out_of_reach(settings, error) from error


def _name(file: str, stream: str) -> str:
    return stream if file == STREAM else file
