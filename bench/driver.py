"""The load driver: keep-alive connections with one request in flight each, on bare sockets of uvloop.

Requests are bytes that were put together before, answers are kept and judged after the clock has stopped; so a request
costs the driver a few hundredths of a millisecond. :func:`capacity` measures that beside every run, and every row says
how busy the driver was.
"""

import asyncio
import gc
import json
import os
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import uvloop

Answer = tuple[int, int, bytes]
"""The number of the request, the status and the body."""
PATIENCE = 20.0
"""Seconds after which a slot ends even if not every connection has had an answer."""
CLOCK_TICK = os.sysconf("SC_CLK_TCK")


class Feed(Protocol):
    """Where requests come from. ``previous`` is the last answer on the same connection."""

    def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
        """The next request with its number; None when there is no other."""
        ...


class Repeating:
    """The same requests over and over."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = requests
        self._at = 0

    def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
        """See :class:`Feed`."""
        at = self._at
        self._at = at + 1 if at + 1 < len(self._requests) else 0
        return at, self._requests[at]


class Once:
    """Each request a single time; a second round goes on where the first has stopped."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = requests
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._requests) - self._at

    def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
        """See :class:`Feed`."""
        at = self._at
        if at == len(self._requests):
            return None
        self._at = at + 1
        return at, self._requests[at]


def request(method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP/1.1 request as it goes over the wire."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Measured:
    """What came of one slot of load."""

    seconds: float
    times: "array[float]"
    answers: list[Answer]
    broken: int
    """Connections that ended before their answer."""
    driver_busy: float
    """How much of its core the driver has used."""
    steal: float
    """How much of the machine's time somebody else's machine had."""
    server_cpu: float
    """Seconds of processor time that the server's processes used."""

    @property
    def count(self) -> int:
        return len(self.times)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Seconds of the server's processor time for one answer."""
        return self.server_cpu / max(1, self.count)

    def at(self, percent: float) -> float:
        """The time in seconds within which ``percent`` of the answers came."""
        return percentile(self.times, percent)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of the values do not exceed (nearest rank); nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def drive(
    port: int,
    feed: Feed,
    *,
    connections: int,
    seconds: float,
    server: Sequence[int] = (),
    most: int | None = None,
) -> Measured:
    """Put load on ``port`` for ``seconds``, or until ``feed`` is empty or ``most`` answers have come. A slot in which
    fewer answers came than there are connections goes on until they have.
    """
    gc.collect()
    gc.disable()
    try:
        return uvloop.run(_drive(port, feed, connections, seconds, server, most))
    finally:
        gc.enable()


async def _drive(
    port: int, feed: Feed, connections: int, seconds: float, server: Sequence[int], most: int | None
) -> Measured:
    loop = asyncio.get_running_loop()
    slot = _Slot(feed, loop.create_future(), connections, most)
    lines = [_Line(slot) for _ in range(connections)]
    try:
        return await _slot(slot, lines, port, seconds, server)
    finally:
        for line in lines:
            line.close()
        await asyncio.sleep(0)


async def _slot(
    slot: "_Slot", lines: Sequence["_Line"], port: int, seconds: float, server: Sequence[int]
) -> Measured:
    loop, connections = asyncio.get_running_loop(), len(lines)
    for line in lines:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
    before, own, used = machine_times(), time.process_time(), cpu_seconds(server)
    began = time.perf_counter()
    timer: asyncio.TimerHandle

    def stop() -> None:
        nonlocal timer
        if len(slot.times) < connections and time.perf_counter() - began < PATIENCE:
            timer = loop.call_later(seconds / 4, stop)  # too slow for so short a slot
        else:
            slot.stop()

    timer = loop.call_later(seconds, stop)
    for line in lines:
        line.send(None)
    await slot.over
    timer.cancel()
    elapsed = (slot.stopped_at or time.perf_counter()) - began
    after = machine_times()
    return Measured(
        seconds=elapsed,
        times=slot.times,
        answers=slot.answers,
        broken=slot.broken,
        driver_busy=(time.process_time() - own) / elapsed,
        steal=(after[1] - before[1]) / max(1, after[0] - before[0]),
        server_cpu=cpu_seconds(server) - used,
    )


@dataclass
class _Slot:
    feed: Feed
    over: "asyncio.Future[None]"
    running: int
    most: int | None
    times: "array[float]" = field(default_factory=lambda: array("d"))
    answers: list[Answer] = field(default_factory=list)
    broken: int = 0
    stopped_at: float | None = None

    def stop(self) -> None:
        """No other request is sent and no other answer counted."""
        if self.stopped_at is None:
            self.stopped_at = time.perf_counter()

    def ended(self) -> None:
        """One connection has nothing in flight any more."""
        self.running -= 1
        if not self.running and not self.over.done():
            self.stop()
            self.over.set_result(None)


class _Line(asyncio.Protocol):
    """One connection. Answers carry a Content-Length; all of ours do."""

    def __init__(self, slot: _Slot) -> None:
        self._slot = slot
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._whole = 0
        self._number = 0
        self._sent = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def send(self, previous: Answer | None) -> None:
        """Send the next request, or be done."""
        slot = self._slot
        if slot.stopped_at is None and (following := slot.feed.next(previous)) is not None:
            self._number, content = following
            self._waiting = True
            self._sent = time.perf_counter()
            assert self._transport is not None
            self._transport.write(content)
        else:
            slot.ended()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._whole:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            self._whole = end + 4 + _content_length(buffer, end)
        if len(buffer) < self._whole:
            self._buffer = buffer
            return
        now = time.perf_counter()
        body = buffer[buffer.find(b"\r\n\r\n") + 4 : self._whole]
        answer = (self._number, int(buffer[9:12]), body)
        self._buffer, self._whole, self._waiting = b"", 0, False
        slot = self._slot
        if slot.stopped_at is None:
            slot.times.append(now - self._sent)
        # An answer that came too late to be counted is judged all the same.
        slot.answers.append(answer)
        if slot.most is not None and len(slot.times) >= slot.most:
            slot.stop()
        self.send(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._waiting = False
            self._slot.broken += 1
            self._slot.ended()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _content_length(buffer: bytes, end: int) -> int:
    head = buffer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    value = head[at + 17 :]
    return int(value.split(b"\r\n", 1)[0])


# ── the machine ───────────────────────────────────────────────────────────────────────────────────────────────────


def machine_times() -> tuple[int, int]:
    """All ticks of all processors, and those of them that were stolen, since the machine was started."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[7]


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time that processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICK


def resident(pids: Sequence[int], what: str = "VmRSS") -> float:
    """Resident memory of processes in MiB; with ``VmHWM`` the most that each has held."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                total += int(line.split()[1])
    return total / 1024


# ── the driver against a responder that does nothing ──────────────────────────────────────────────────────────────


class _Echo(asyncio.Protocol):
    """Answers every piece of data with the same bytes. Good for requests that arrive in one piece."""

    REPLY = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
        b'{"results":[{"ok":true}]'
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(self.REPLY)


async def respond(port: int) -> None:
    """Serve :class:`_Echo` until the process ends."""
    server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", port)
    await server.serve_forever()


def capacity(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> float:
    """Requests a second that the driver manages when answers cost nothing: what it is able to do at least."""
    return drive(port, Repeating(requests), connections=connections, seconds=seconds).rate
