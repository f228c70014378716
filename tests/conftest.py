"""What every test can ask for: a database of its own on either system, Redis, and a network without an outside."""

import gc
import ipaddress
import json
import os
import secrets
import shutil
import socket
import sqlite3
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests import compiled, hung, logged, servers

pytest_plugins = ["tests.stage"]

DATABASES = ["sqlite", "postgresql"]


class OutboundBlocked(RuntimeError):
    """A test tried to reach another machine."""


# --- the run ---------------------------------------------------------------------------------------------------


WHOLE = "SENTINEL_TESTS_WHOLE"
"""Set in the environment, so that workers know it, when everything is run."""


def pytest_configure(config: pytest.Config) -> None:
    """Open the run in the process that starts it; its workers find it through the environment."""
    gc.disable()  # until everything is collected
    if getattr(config.option, "maxworkerrestart", "") is None:
        # One that comes in the place of a process that died may wait for more to do for ever.
        config.option.maxworkerrestart = "0"
    if not hasattr(config, "workerinput"):
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            os.environ[WHOLE] = "1"
        run = ExitStack()
        run.enter_context(servers.open_run())
        config.add_cleanup(run.close)
    logged.begin(servers.run_directory())
    compiled.begin()


LONGER = float(os.environ.get("SENTINEL_SOAK_SECONDS", "0"))
"""Seconds that whoever starts the long form of a test has added to it."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """No test stands still for ever, nor does what is set up for it or taken down after it."""
    with hung.watched(item.nodeid, servers.run_directory(), hung.PATIENCE + LONGER):
        return (yield)


LEAKS = pytest.StashKey[list[logged.Leak]]()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The run fails when a line that it logged holds a secret or an address (L27)."""
    logged.end()
    if not hasattr(session.config, "workerinput"):
        _, leaks = logged.judge(servers.run_directory())
        session.config.stash[LEAKS] = leaks
        if leaks and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what tests have counted (``record_property("summary", …)``), and what stands in the log."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
    for word in hung.words(servers.run_directory()):
        terminalreporter.section("a test that stood still", red=True)
        terminalreporter.write_line(word)
    if leaks := config.stash.get(LEAKS, []):
        terminalreporter.section("leaks", red=True)
        terminalreporter.write_line(logged.report(leaks))


SHARED_BY_MODULE = ("browser", "deploy", "dev", "demo", "docs", "examples", "faults", "security")
"""Folders whose modules start servers once for all their tests: one worker takes a whole module."""
LONG_ONES = ("test_stateful_world", "test_every_page", "test_random_worlds", "test_container", "test_moments")
HANDFULS = 6
"""Into so many parts the tests of any other module are dealt out."""


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never among what the program and the tests are made of."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left with it at the end. In a run of everything, the pages of
    the panel are asked for on PostgreSQL alone: the browser tests open every one of them on SQLite.
    """
    if WHOLE in os.environ:
        spared = {
            item for item in items if item.path.stem.startswith("test_panel_") and "[sqlite" in item.name
        }
        config.hook.pytest_deselected(items=list(spared))
        items[:] = [item for item in items if item not in spared]

    def rank(item: pytest.Item) -> int:
        if item.path.stem in LONG_ONES:
            return LONG_ONES.index(item.path.stem)
        return len(LONG_ONES) + (item.path.parent.name not in SHARED_BY_MODULE)

    items.sort(key=rank)


class Dealing(LoadScopeScheduling):  # type: ignore[misc]
    """Deals whole modules where servers are shared, and handfuls of tests everywhere else.

    When a process dies the test that it was at has failed; the library's own way would let another process die of it.
    """

    def remove_node(self, node: Any) -> str | None:
        parts = self.assigned_work[node]
        waiting = [(scope, test) for scope, part in parts.items() for test, done in part.items() if not done]
        if waiting:
            scope, test = waiting[0]
            parts[scope][test] = True
        for scope in [scope for scope, part in parts.items() if all(part.values())]:
            del parts[scope]
        super().remove_node(node)
        return waiting[0][1] if waiting else None

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        if path.split("/")[-2] in SHARED_BY_MODULE:
            return path
        return f"{path}:{zlib.crc32(name.encode()) % HANDFULS}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealing:
    """How the tests are shared among the workers."""
    config.option.loadscopereorder = False
    return Dealing(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """asyncio's own loop: the one whose sockets the guard below can see."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Refuse every connection and every name look-up that leaves this machine."""
    real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def guarded(name: str) -> Any:
        def call(self: socket.socket, *arguments: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                _refuse_outside(arguments[-1][0])
            return real[name](self, *arguments)

        return call

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None:
            _refuse_outside(host.decode() if isinstance(host, bytes) else host)
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(socket.socket, name, guarded(name))
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _refuse_outside(host: str) -> None:
    if host in ("", "localhost", "0.0.0.0", "::"):  # noqa: S104 - the caller's own machine, spelled otherwise
        return
    try:
        outside = not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        outside = True
    if outside:
        raise OutboundBlocked(f"a test tried to reach {host}; tests may only talk to this machine")


# --- servers ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """The PostgreSQL of this run. A test that stops or kills one uses ``servers.start_private_postgres()``."""
    server = servers.shared_postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_server() -> servers.Redis:
    """The Redis of this run. A test that kills one uses ``servers.start_private_redis()``."""
    return servers.shared_redis()


@pytest.fixture
def redis_url(redis_server: servers.Redis, worker_id: str) -> str:
    """The URL of an empty logical database that no other worker process uses (channels are shared by all)."""
    number = 1 + int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    redis_server.flush(number)
    return redis_server.url(number)


# --- databases -------------------------------------------------------------------------------------------------


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own; the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """As ``database_url``, without any table."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture(params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgresql``, for a test that runs once on each and gets its database from elsewhere."""
    kind: str = request.param
    return kind


@pytest.fixture
def copy_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Makes databases of the test's own: the URL of a copy of one that nobody is connected to."""
    with ExitStack() as stack:

        def copy(url: str) -> str:
            if url.startswith("sqlite"):
                made = stack.enter_context(_empty_sqlite())
                shutil.copyfile(_path(url), _path(made))
                return made
            postgres: servers.Postgres = request.getfixturevalue("postgres")
            name = postgres.create_database(url.rpartition("/")[2])
            stack.callback(postgres.drop, name)
            return postgres.url_for(name)

        yield copy


@pytest.fixture
def sqlite_url(empty_sqlite_url: str, sqlite_template: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copyfile(sqlite_template, _path(empty_sqlite_url))
    return empty_sqlite_url


@pytest.fixture
def empty_sqlite_url() -> Iterator[str]:
    """The URL of an SQLite file that does not exist yet."""
    with _empty_sqlite() as url:
        yield url


@pytest.fixture
def postgresql_url(postgres: servers.Postgres, postgresql_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    name = postgres.create_database(postgresql_template)
    yield postgres.url_for(name)
    postgres.drop(name)


@pytest.fixture
def empty_postgresql_url(postgres: servers.Postgres) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    name = postgres.create_database()
    yield postgres.url_for(name)
    postgres.drop(name)


@pytest.fixture
def lasting(request: pytest.FixtureRequest, database_kind: str) -> Callable[[], str]:
    """Makes migrated databases that stay until the run is over, for others to be copies of; returns the URL."""

    def make() -> str:
        if database_kind == "sqlite":
            path = servers.run_directory() / f"lasting-{secrets.token_hex(8)}.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite+aiosqlite:///{path}"
        postgres: servers.Postgres = request.getfixturevalue("postgres")
        return postgres.url_for(postgres.create_database(request.getfixturevalue("postgresql_template")))

    return make


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A migrated SQLite file, made once per run and copied for each test."""
    with servers.once("sqlite-template") as word:
        if not word.exists():
            path = servers.run_directory() / "template.db"
            servers.migrate(f"sqlite+aiosqlite:///{path}")
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            servers.leave(word, str(path))
        return Path(json.loads(word.read_text()))


@pytest.fixture(scope="session")
def postgresql_template(postgres: servers.Postgres) -> str:
    """The name of a migrated PostgreSQL database, made once per run and copied for each test."""
    with servers.once("postgresql-template") as word:
        if not word.exists():
            name = postgres.create_database()
            servers.migrate(postgres.url_for(name))
            servers.leave(word, name)
        return str(json.loads(word.read_text()))


@contextmanager
def _empty_sqlite() -> Iterator[str]:
    directory = servers.run_directory() / f"sqlite-{secrets.token_hex(8)}"
    directory.mkdir(mode=0o700)
    yield f"sqlite+aiosqlite:///{directory / 'sentinel.db'}"
    shutil.rmtree(directory, ignore_errors=True)


def _path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
