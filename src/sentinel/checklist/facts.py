"""What the checks judge: the settings, and what their files and servers look like at this moment."""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.engine import make_url

from sentinel.apps.models import ServiceApp
from sentinel.checklist.hosts import in_url
from sentinel.core.database import Database
from sentinel.core.redis import connect
from sentinel.identity.models import User
from sentinel.settings import Settings
from sentinel.tokens.keyring import KeyProblem, is_development_key, load_material, readable_by_others

PROBE_SECONDS = 5.0
"""How long the database, and Redis, may take to answer before they count as down."""
CLOSE_SECONDS = 1.0

_SQLSTATES = {
    "28": "the server refuses the user or the password",
    "3D": "the server has no database of that name",
    "53": "the server has no connection or memory left",
    "57": "the server is starting up or shutting down",
}


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The files of the signing keys: the ``problem`` that makes them unusable, or else what is odd about them."""

    problem: str | None = None
    development: str | None = None
    retired_development: str | None = None
    readable_by_others: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Whether the database answers and what it holds; None where that is not known."""

    problem: str | None = None
    migrated: bool = False
    active_service_app: bool | None = None
    active_admin: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the checks look at, gathered once."""

    settings: Settings
    keys: KeyFiles
    database: DatabaseState
    redis_problem: str | None


async def gather(
    settings: Settings, *, database: Database | None = None, redis: Redis | None = None
) -> Facts:
    """Look at key files, database and Redis, each at most ``PROBE_SECONDS``. Never raises for what is broken.

    ``database`` and ``redis`` are the open ones of a running service; without them this opens its own.
    """
    keys, state, redis_problem = await asyncio.gather(
        asyncio.to_thread(read_keys, settings), _database(settings, database), _redis(settings, redis)
    )
    return Facts(settings, keys, state, redis_problem)


# ── keys ──


def read_keys(settings: Settings) -> KeyFiles:
    """The state of the key files that ``settings`` names."""
    private, previous = settings.jwt_private_key_path, list(settings.jwt_previous_public_key_paths)
    try:
        others = private.is_file() and readable_by_others(private)
    except (OSError, ValueError):
        others = False
    try:
        material = load_material(private, settings.jwt_public_key_path, previous)
    except KeyProblem as problem:
        return KeyFiles(str(problem), readable_by_others=others)
    except Exception as error:
        # A curve or a format that the library does not know, a path that is none.
        return KeyFiles(
            f"a key file cannot be understood ({type(error).__name__})", readable_by_others=others
        )
    development = _development([private, private.resolve()], [material.kid])
    retired = None if development else _development([private, *previous], list(material.order[1:]))
    return KeyFiles(None, development, retired, others)


def _development(paths: list[Path], kids: list[str]) -> str | None:
    for path in paths:
        for kid in kids:
            try:
                if is_development_key(path, kid):
                    return f"key {kid} was made by the development set-up"
            except (OSError, ValueError):
                return f"the list of development keys beside {path} cannot be read, so key {kid} may be one"
    return None


# ── database ──


def database_options(settings: Settings) -> dict[str, Any] | None:
    """What the driver of PostgreSQL makes of ``DATABASE_URL``: user, password, host, port, database, ssl.

    Options in the query of the URL override its other parts, so the URL itself is not the truth. None when the
    driver cannot use it.
    """
    url = make_url(settings.database_url.get_secret_value())
    try:
        return dict(url.get_dialect()().create_connect_args(url)[1])
    except Exception:
        return None


def database_hosts(settings: Settings) -> list[str]:
    """The hosts that the driver will try; an empty text stands for this machine."""
    found = (database_options(settings) or {}).get("host")
    hosts = found if isinstance(found, list) else [found or ""]
    # Of a password with an @ that is not percent-encoded the end counts as host, and must not be shown.
    return [str(host).rpartition("@")[2] for host in hosts]


def database_address(settings: Settings) -> str:
    """The database as people name it: the path of SQLite, or host and port; no secret."""
    if settings.is_sqlite:
        return make_url(settings.database_url.get_secret_value()).database or "in memory"
    ports = (database_options(settings) or {}).get("port")
    pairs = zip(database_hosts(settings), ports if isinstance(ports, list) else [ports], strict=True)
    return ",".join(f"{in_url(host) or 'localhost'}:{port or 5432}" for host, port in pairs)


async def _database(settings: Settings, given: Database | None) -> DatabaseState:
    own = None
    try:
        if given is None and settings.is_sqlite and (state := _without_file(settings)):
            return state
        given = given or (own := Database(settings.database_url.get_secret_value()))
        async with asyncio.timeout(PROBE_SECONDS):
            return await _contents(given)
    except Exception as error:
        return DatabaseState(problem=_trouble(error))
    finally:
        if own is not None:
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await own.close()


def _without_file(settings: Settings) -> DatabaseState | None:
    """The state of an SQLite database whose file is not there; None when it is. A check makes no file."""
    name = make_url(settings.database_url.get_secret_value()).database
    if not name or name.startswith((":", "file:")):
        return None
    path = Path(name)
    if os.path.exists(path):
        return None if os.access(path, os.W_OK) else DatabaseState(problem="the file is not writable")
    folder = next((parent for parent in path.absolute().parents if os.path.exists(parent)), Path("/"))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return DatabaseState(problem=f"the file does not exist and {folder} is not a writable folder")
    return DatabaseState(active_service_app=False, active_admin=False)


async def _contents(database: Database) -> DatabaseState:
    async with database.reading() as session:
        tables = await (await session.connection()).run_sync(lambda sync: sa.inspect(sync).get_table_names())
        if not {ServiceApp.__tablename__, User.__tablename__} <= set(tables):
            return DatabaseState(active_service_app=False, active_admin=False)
        app = sa.exists().where(ServiceApp.is_active)
        admin = sa.exists().where(User.is_admin, User.is_active)
        row = (await session.execute(sa.select(app, admin))).one()
    return DatabaseState(migrated=True, active_service_app=bool(row[0]), active_admin=bool(row[1]))


def _trouble(error: BaseException) -> str:
    """What went wrong, in words of our own: the text of a driver may quote what it was given."""
    cause: BaseException | None = error
    while cause is not None:
        state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
        if state[:2] in _SQLSTATES:
            return _SQLSTATES[state[:2]]
        if isinstance(cause, TimeoutError):
            return f"no answer within {PROBE_SECONDS:g} s"
        if isinstance(cause, OSError):
            return f"no connection ({type(cause).__name__})"
        error, cause = cause, cause.__cause__
    return f"it cannot be used ({type(error).__name__})"


# ── Redis ──


async def _redis(settings: Settings, given: Redis | None) -> str | None:
    """What is wrong with Redis; None when it answers or is not used."""
    if not settings.redis_url.get_secret_value():
        return None
    own = None
    try:
        client = given or (own := connect(settings))
        assert client is not None
        async with asyncio.timeout(PROBE_SECONDS):
            await _ping(client)
    except (AuthenticationError, NoPermissionError):
        return "it refuses the user or the password"
    except BusyLoadingError:
        return "it is still loading its data"
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except Exception as error:
        return f"no connection ({type(error).__name__})"
    finally:
        if own is not None:
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await own.aclose()
    return None


async def _ping(client: Redis) -> None:
    # The client gives up after half a second, for the sake of requests. A start on a busy machine may take longer.
    while True:
        with suppress(RedisTimeoutError):
            await client.ping()
            return
