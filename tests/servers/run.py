"""A run of the tests: its directory, the lock that tells keepers it is alive, and what all servers share."""

import fcntl
import importlib.util
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PREFIX = "sentinel-test-"
"""How the directories of runs are called."""

RUN_VARIABLE = "SENTINEL_TEST_RUN"
"""Environment variable that tells the worker processes the directory of their run."""

MEMORY = Path("/dev/shm")  # noqa: S108 - the directory made below it is private
ROOM = 1 << 30
"""Free bytes that are wanted in memory before the servers' files go there; creating a database is 4 times faster."""

PORTS = range(20_000, 32_000)
"""Below the range that the kernel hands out, so that a stopped server finds its port free again."""

DEADLINE = 30.0
"""Seconds that a server may take to start or stop."""


class ServerError(RuntimeError):
    """A server did not do what it was asked to; the text ends with what it logged."""


@contextmanager
def open_run(room: Path | None = None) -> Iterator[Path]:
    """The directory of a test run; at the end every server in it is stopped and the directory removed.

    It lies in ``room``, else in memory where there is enough.
    """
    room = room or _room()
    _sweep(room)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=room))
    directory.chmod(0o711)  # the servers' user passes through to its own directory and sees no other
    with (directory / "lease").open("w") as lease:
        fcntl.flock(lease, fcntl.LOCK_SH)
        outer = os.environ.get(RUN_VARIABLE)
        os.environ[RUN_VARIABLE] = str(directory)
        try:
            yield directory
        finally:
            del os.environ[RUN_VARIABLE]
            if outer is not None:
                os.environ[RUN_VARIABLE] = outer
    with suppress(FileNotFoundError), (directory / "keepers").open() as keepers:
        fcntl.flock(keepers, fcntl.LOCK_EX)  # every keeper has ended its server
    shutil.rmtree(directory, ignore_errors=True)


def run_directory() -> Path:
    """The directory of the current run, in every process of it."""
    try:
        return Path(os.environ[RUN_VARIABLE])
    except KeyError:
        raise ServerError("no test run is open; wrap the call in tests.servers.open_run()") from None


@contextmanager
def once(name: str) -> Iterator[Path]:
    """Hold the lock ``name`` of this run and yield the file in which the first holder leaves word for the others."""
    with (run_directory() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run_directory() / f"{name}.json"


def leave(word: Path, record: Any) -> None:
    """Write what the other processes of the run will read from ``once``."""
    word.touch(0o600)
    word.write_text(json.dumps(record))


def _sweep(room: Path) -> None:
    """Remove what runs left that were killed before they had a server, and with it a keeper."""
    for directory in room.glob(f"{PREFIX}*"):
        with suppress(OSError), (directory / "lease").open() as lease:
            if time.time() - os.fstat(lease.fileno()).st_mtime > DEADLINE:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)


def _room() -> Path:
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        state = os.statvfs(MEMORY)
        if state.f_bavail * state.f_frsize >= ROOM and not state.f_flag & getattr(os, "ST_NOEXEC", 0):
            return MEMORY
    return Path(tempfile.gettempdir())


def wait(condition: Callable[[], bool], what: str, directory: Path) -> None:
    """Poll ``condition``; raises ServerError with the log when it does not come true in time."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"waited {DEADLINE:.0f} s for {what}{log(directory)}")
        time.sleep(0.005)


def log(directory: Path) -> str:
    """The end of what the servers of a run logged, as the tail of an error message."""
    file = directory / "servers.log"
    return f"; the servers logged:\n{file.read_text()[-4000:]}" if file.exists() else ""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - a port is no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def server_user() -> pwd.struct_passwd | None:
    """Whose identity PostgreSQL gets; None for the caller's own, which will do unless it is root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def keep(run: Path, ending: signal.Signals, user: pwd.struct_passwd | None, command: list[str]) -> int:
    """Start a server under a keeper; returns the server's process id."""
    ids = ["-", "-"] if user is None else [str(user.pw_uid), str(user.pw_gid)]
    keeper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
    started = subprocess.run(
        [*keeper, str(run), str(ending.value), *ids, *command], check=True, stdout=subprocess.PIPE, text=True
    )
    if not started.stdout:
        raise ServerError(f"{command[0]} cannot be started{log(run)}")
    return int(started.stdout)


def alive(pid: int) -> bool:
    """Whether the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def package(name: str) -> Path:
    """Where an installed package lies. Raises ServerError when it is not there."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(f"the package {name} is missing; 'make test' installs it")
    return Path(spec.origin).parent
