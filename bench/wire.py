"""Counts what really goes to PostgreSQL and to Redis: a relay in between that reads the client's side of the talk."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

CONTROL = (b"BEGIN", b"COMMIT", b"ROLLBACK", b"SAVEPOINT", b"RELEASE", b"DEALLOCATE")
STARTUP_CODE = 196_608
"""Protocol 3.0; other messages without a type, such as the wish for TLS, come before it."""


class PostgresCounter:
    """Reads one client's messages: each Execute and each simple query that is no transaction control is one."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._buffer = b""
        self._started = False
        self._prepared: dict[bytes, bytes] = {}
        self._bound: dict[bytes, bytes] = {}

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the client."""
        self._buffer += data
        while True:
            head = 5 if self._started else 4
            if len(self._buffer) < max(head, 8 if not self._started else 5):
                return
            length = int.from_bytes(self._buffer[head - 4 : head], "big") + head - 4
            if len(self._buffer) < length:
                return
            message, self._buffer = self._buffer[:length], self._buffer[length:]
            if not self._started:
                self._started = int.from_bytes(message[4:8], "big") == STARTUP_CODE
            else:
                self._read(message[:1], message[5:])

    def _read(self, kind: bytes, content: bytes) -> None:
        names = content.split(b"\0", 2)
        if kind == b"P":
            self._prepared[names[0]] = names[1]
        elif kind == b"B":
            self._bound[names[0]] = self._prepared.get(names[1], b"")
        elif kind in (b"E", b"Q"):
            text = names[0] if kind == b"Q" else self._bound.get(names[0], b"")
            if not text.lstrip().upper().startswith(CONTROL):
                self._count(text.decode(errors="replace"))


class RedisCounter:
    """Reads one client's commands (RESP arrays of bulk strings)."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._buffer = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the client."""
        self._buffer += data
        while (end := self._whole()) is not None:
            self._count(self._buffer[:end].decode(errors="replace"))
            self._buffer = self._buffer[end:]

    def _whole(self) -> int | None:
        line = self._buffer.find(b"\r\n")
        if line < 0:
            return None
        at = line + 2
        for _ in range(int(self._buffer[1:line])):
            line = self._buffer.find(b"\r\n", at)
            if line < 0:
                return None
            at = line + 2 + int(self._buffer[at + 1 : line]) + 2
        return at if at <= len(self._buffer) else None


class Tap:
    """A relay to ``port``. ``texts`` is what all clients have sent so far."""

    def __init__(self, port: int, counter: type[PostgresCounter] | type[RedisCounter]) -> None:
        self._target = port
        self._counter = counter
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self.texts: list[str] = []

    @contextmanager
    def open(self) -> Iterator["Tap"]:
        """Relay from a thread."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self._run(self._start())
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    @property
    def count(self) -> int:
        return len(self.texts)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        counter = self._counter(self.texts.append)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, watch: bool) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    if watch:
                        counter.feed(data)
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, far_writer, True), pump(far_reader, writer, False))
