"""What most commands stand on: the settings, the database that they name, and one transaction in it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

import sentinel.migrations.tables  # noqa: F401 - a write to one table needs to know those that it refers to
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import DomainError, Unavailable
from sentinel.core.logging import configure_logging
from sentinel.migrations import Status, newest, status
from sentinel.settings import Settings

Result = TypeVar("Result")
Work = Callable[[AsyncSession, datetime], Awaitable[Result]]

VIA = "command line"
"""How the activity log names these commands, which know no person behind them."""


class DatabaseProblem(DomainError):
    """The database of the settings cannot be worked with."""

    default_reason = "database_unavailable"


def load_settings() -> Settings:
    """The settings of the environment and of ``.env``. Log lines below warning are dropped from here on: the
    activity log in the database has them, and stdout belongs to the command.

    Raises :class:`~sentinel.settings.SettingsError`.
    """
    configure_logging(level="WARNING")
    return Settings.load()


def write(settings: Settings, work: Work[Result]) -> Result:
    """Do ``work`` in one transaction and return its result once it is committed. Raises :class:`DatabaseProblem`."""

    async def inside(database: Database) -> Result:
        await _require_current(settings, database)
        async with database.transaction() as session:
            return await work(session, Clock().now())

    return asyncio.run(_with_database(settings, inside))


def read(settings: Settings, work: Work[Result]) -> Result:
    """Do ``work``, which only reads, without a transaction. Raises :class:`DatabaseProblem`."""

    async def inside(database: Database) -> Result:
        await _require_current(settings, database)
        async with database.reading() as session:
            return await work(session, Clock().now())

    return asyncio.run(_with_database(settings, inside))


def standing(settings: Settings) -> Status:
    """Which revision the database has; looking does not create one. Raises :class:`DatabaseProblem`."""
    if _missing_file(settings):
        return Status(current=None, head=newest())

    async def inside(database: Database) -> Status:
        return await _status(settings, database)

    return asyncio.run(_with_database(settings, inside))


def out_of_reach(settings: Settings, error: BaseException) -> DatabaseProblem:
    """``error``, met while talking to the database, in one line that names the database and no secret."""
    cause = error.__cause__ if isinstance(error, Unavailable) and error.__cause__ else error
    text = (str(cause) or type(cause).__name__).partition("\n")[0]
    return DatabaseProblem(f"The database {place(settings)} cannot be used: {text}. Check DATABASE_URL.")


def place(settings: Settings) -> str:
    """The address of the database, without user and password."""
    url = make_url(settings.database_url.get_secret_value())
    if settings.is_sqlite:
        return url.database or ":memory:"
    return f"{url.database} on {url.host}:{url.port or 5432}"


async def _with_database(settings: Settings, inside: Callable[[Database], Awaitable[Result]]) -> Result:
    if _missing_file(settings):
        raise DatabaseProblem(
            f"There is no database at {place(settings)} yet; 'sentinel db upgrade' makes it."
        )
    database = Database(settings.database_url.get_secret_value())
    try:
        return await inside(database)
    except Unavailable as error:
        raise out_of_reach(settings, error) from error
    finally:
        await database.close()


def _missing_file(settings: Settings) -> bool:
    """Whether the SQLite file is not there: opening it would create it, in whatever directory this happens to be."""
    return settings.is_sqlite and not Path(place(settings)).is_file()


async def _status(settings: Settings, database: Database) -> Status:
    try:
        return await status(database)
    except Exception as error:
        # Whatever the first statement meets (a wrong password, a missing database, a damaged file) is about the
        # database as a whole.
        raise out_of_reach(settings, error) from error


async def _require_current(settings: Settings, database: Database) -> None:
    """Without this, a missing table would look like an outage on one database and like a fault on the other."""
    found = await _status(settings, database)
    if found.up_to_date:
        return
    if found.current is None:
        raise DatabaseProblem(
            f"The database {place(settings)} is empty; 'sentinel db upgrade' makes its tables."
        )
    raise DatabaseProblem(
        f"The database {place(settings)} is at revision {found.current}, this program works with {found.head}; "
        "run 'sentinel db upgrade', or use the program of that revision."
    )
