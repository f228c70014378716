"""A load of requests from threads, each answer compared with the right one, and nothing retried in secret."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.served import Served, World, ask

Shot = Callable[["Caller"], None]


@dataclass
class Summary:
    """What came of a load."""

    requests: int = 0
    refused_connections: int = 0
    unavailable: int = 0
    cut_off: int = 0
    """Answers that never came because the process that made them was killed."""
    failures: list[str] = field(default_factory=list)
    wrong_answers: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"requests {self.requests}, failures {len(self.failures)}, wrong answers {len(self.wrong_answers)}, "
            f"answered 503 {self.unavailable}, cut off by a kill {self.cut_off}, "
            f"connections refused {self.refused_connections}"
        )


class Load:
    """``callers`` threads that ask whether the owner may view (yes) and the viewer may (no), over and over.

    Half of them keep their connection, half open one for each request. A connection that is refused was never
    accepted: the caller goes on to the next of ``servers``, as a proxy does. Whatever else goes wrong is a failure.
    """

    def __init__(self, servers: Sequence[Served], world: World, *, callers: int = 8) -> None:
        self.servers = list(servers)
        self.world = world
        self.summary = Summary()
        self.killing = False
        """Whether a process is being killed just now, so that connections may break."""
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=Caller(self, number).run) for number in range(callers)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def answered(self, count: int) -> bool:
        """Whether that many requests have been answered by now."""
        return self.summary.requests >= count

    def note(self, kind: str, detail: str = "", status: int = 0) -> None:
        with self._turn:
            summary = self.summary
            if kind == "refused":
                summary.refused_connections += 1
                return
            summary.requests += 1
            if kind == "broken" and self.killing:
                summary.cut_off += 1
            elif kind in ("failed", "broken"):
                summary.failures.append(detail)
            elif kind == "wrong":
                summary.wrong_answers.append(detail)
            if status:
                summary.statuses[status] += 1
                summary.unavailable += status == 503


class Caller:
    """One thread of a load."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self._keeps = number % 2 == 0
        self._server = number
        self._turns = number
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while not self._load.is_over:
            connection = self._connection or self._connect()
            if connection is None:
                time.sleep(0.02)
                continue
            self._connection = connection
            self._shoot(connection)
            if not self._keeps or connection.sock is None:
                self._close()
        self._close()

    def _connect(self) -> http.client.HTTPConnection | None:
        servers = self._load.servers
        served = servers[self._server % len(servers)]
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        try:
            connection.connect()
        except ConnectionRefusedError:
            self._load.note("refused")
            self._server += 1
            return None
        return connection

    def _shoot(self, connection: http.client.HTTPConnection) -> None:
        self._turns += 1
        world, allowed = self._load.world, self._turns % 3 != 0
        headers = world.owner if allowed else world.viewer
        try:
            status, body = ask(connection, "POST", "/permissions/check", world.question(), headers)
        except (OSError, http.client.HTTPException) as error:
            self._load.note("broken", f"{type(error).__name__}: {error} (kept: {self._keeps})")
            self._close()
            return
        if status == 200:
            answer = json.loads(body)["results"][0]["allowed"]
            self._load.note("fine" if answer is allowed else "wrong", f"{allowed} became {answer}", 200)
        elif status == 503 and "unavailable" in body.decode():
            self._load.note("unavailable", status=503)
        else:
            self._load.note("failed", f"{status} {body[:200]!r}", status)

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None
