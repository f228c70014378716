"""Serving until the last request is answered: one process or several, an orderly end, keys read again on SIGHUP.

uvicorn on its own loses what is on its way when a process ends: connections that wait to be accepted, and requests that
were sent on a connection just before it is closed.
"""

import asyncio
import json
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from sentinel.api.middleware.express import IN_ONE_GO
from sentinel.api.middleware.headers import ALWAYS, HSTS, JSON_CSP
from sentinel.app import Application, reload_keys
from sentinel.cli.seats import PATIENCE, PAUSE, Counted, Seat, seats
from sentinel.core.logging import app_event

LINGER = 1.0
"""Seconds that a connection without a request stays open when the process ends, for one that is on its way."""

BREATH = 1.0
"""Seconds until connections are accepted again after one could not be."""

STARTING = 120.0
"""Seconds after its start in which a worker need not answer the parent; that it runs is enough."""


class Protocol(HttpToolsProtocol):
    """HTTP whose refusals look like those of the application, and whose answers leave together.

    Whoever waits for answers is woken with each that is written, which takes the kernel longer than the writing. So
    those that are ready in one turn of the loop are written one right after the other, at the beginning of the next.
    """

    _unsent = b""

    def eof_received(self) -> None:
        # Who sends no more may still read; the transport closes when this returns.
        self._send()
        super().eof_received()

    def _send_soon(self, answer: bytes) -> None:
        if not self._unsent:
            # Before any task that begins from here on, so before the answer to a request that was sent ahead.
            self.loop.call_soon(self._send)
        self._unsent += answer

    def _send(self) -> None:
        answer, self._unsent = self._unsent, b""
        if answer and not self.transport.is_closing():
            self.transport.write(answer)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP reaches no middleware; the answer has the form and the headers of every other all the same
        (``http-api.md`` §0.2, §0.3).
        """
        body = json.dumps({"detail": msg.rstrip(".")}).encode()
        application = self.config.loaded_app
        secure = isinstance(application, Application) and application.state.settings.cookie_secure
        headers = [
            *(ALWAYS if not secure else (*ALWAYS, HSTS)),
            (b"content-security-policy", JSON_CSP),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", secrets.token_hex(16).encode()),
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 400 Bad Request", *(b": ".join(header) for header in headers), b"", body]
        self._send()
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # The task that answers exists by now and has not begun.
        scope: Any = self.scope
        scope[IN_ONE_GO] = self._write_whole

    def _write_whole(self, scope: Scope, lines: bytes, body: bytes) -> bool:
        """:data:`~sentinel.api.middleware.express.IN_ONE_GO`: what ``send`` does with the two messages of an answer,
        without a look at each header.
        """
        cycle = self.cycle
        # With requests that were sent ahead, the cycle at hand is that of the last one.
        if cycle.scope is not scope or cycle.response_started or cycle.flow.write_paused:
            return False
        if not cycle.disconnected:
            cycle.response_started = cycle.response_complete = True
            end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
            default = [b"%b: %b\r\n" % header for header in cycle.default_headers]
            self._send_soon(b"".join([STATUS_LINE[200], *default, lines, end, body]))
            cycle.message_event.set()
            if not cycle.keep_alive:
                self._send()
                cycle.transport.close()
            cycle.on_response()
        return True


class Connection(Protocol):
    """A connection that, at the end of the process, takes one more request and closes after its answer."""

    _last = False

    def shutdown(self) -> None:
        self._last = True
        self._send()
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LINGER, self._leave)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._last and self.cycle is not None:
            self.cycle.keep_alive = False

    def _leave(self) -> None:
        self._send()
        if not self.transport.is_closing():
            super().shutdown()


class Server(uvicorn.Server):
    """uvicorn's server, with an end that loses nothing and a beginning that listens for SIGHUP (K-11)."""

    def __init__(self, config: uvicorn.Config, seat: Seat | None = None) -> None:
        super().__init__(config)
        self._seat = seat
        self._counted = None if seat is None else Counted(seat)
        self._listeners: list[socket.socket] = []
        self._arriving: set[asyncio.Task[None]] = set()
        self._left_to_others = 0
        if self._counted is not None:
            self.server_state.connections = self._counted

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Sockets that are given are those that all workers listen on.
        await super().startup(sockets and [])
        loop = asyncio.get_running_loop()
        application = self.config.loaded_app
        if isinstance(application, Application):
            loop.add_signal_handler(signal.SIGHUP, reload_keys, application.state)
        for listener in sockets or ():
            listener.setblocking(False)
            listener.listen(self.config.backlog)
            self._listeners.append(listener)
            self._listen(listener)
        if self._counted is not None:
            self._counted.begin()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before anybody can see that this is the end, so that every answer from then on says so.
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._take_in(sockets or [])
        await super().shutdown(sockets)

    def _listen(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener, self._welcome, listener)

    def _welcome(self, listener: socket.socket) -> None:
        """Accept one of those who wait, unless another worker should. The loop's own way would take them all."""
        loop = asyncio.get_running_loop()
        if self._seat and self._left_to_others < PATIENCE and self._seat.has_more_than_others():
            self._left_to_others += 1
            loop.remove_reader(listener)
            loop.call_later(PAUSE, self._listen, listener)
            return
        self._left_to_others = 0
        try:
            connection = _accept(listener)
        except OSError as error:
            # No file descriptors are left, as a rule. What waits would be told again at once, so we wait as well.
            loop.remove_reader(listener)
            loop.call_later(BREATH, self._listen, listener)
            app_event(
                "app.log",
                outcome="error",
                reason="accept_failed",
                level="error",
                message="A connection cannot be accepted now.",
                error=error.strerror,
            )
            return
        if connection is not None:
            connection.setblocking(False)
            task = loop.create_task(self._greet(connection))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _greet(self, connection: socket.socket) -> None:
        # One that has gone away already is nobody's loss.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    async def _take_in(self, sockets: list[socket.socket]) -> None:
        """Stop listening, and take in those whose connection the kernel has made already."""
        loop = asyncio.get_running_loop()
        if self._counted is not None:
            self._counted.end()
        for listener in self._listeners:
            loop.remove_reader(listener)
        listening = [*self._listeners, *(listener for server in self.servers for listener in server.sockets)]
        self._listeners.clear()
        kept = [socket.socket(fileno=os.dup(listener.fileno())) for listener in listening]
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        waiting = []
        for listener in kept:
            # Nothing is awaited between the last look and the close: what comes in between would be turned away.
            with listener:
                listener.setblocking(False)
                while (connection := _accept(listener)) is not None:
                    waiting.append(connection)
        for connection in waiting:
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._protocol, connection)
        if self._arriving:
            await asyncio.wait(self._arriving)

    def _protocol(self) -> asyncio.Protocol:
        return Connection(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


class Workers(Multiprocess):
    """The parent of several worker processes: replaces those that die, and hands signals on to them."""

    def init_processes(self) -> None:
        self._seats = seats(self.processes_num)
        self.processes = [self._begin(place) for place in range(self.processes_num)]

    def terminate_all(self) -> None:
        # The last who lets go of the socket turns away who is waiting there. That must be a worker, which looks.
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if self._is_well(worker):
                continue
            self._seats[place].vacate()
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                # Another one would fail in the same way.
                self.should_exit.set()
                return
            app_event(
                "app.log",
                outcome="error",
                reason="worker_died",
                level="error",
                message="A worker process has died; another one takes its place.",
                exit_status=worker.exitcode,
            )
            self.processes[place] = self._begin(place)

    def handle_hup(self) -> None:
        for worker in self.processes:
            # One that is still starting is reading the keys anyway, and does not know the signal yet.
            if worker.process.is_alive() and worker.is_ready(timeout=1) and worker.pid is not None:
                os.kill(worker.pid, signal.SIGHUP)

    def handle_ttin(self) -> None:
        """The number of workers is WEB_CONCURRENCY."""

    handle_ttou = handle_ttin

    def _is_well(self, worker: Process) -> bool:
        if isinstance(worker, _Worker) and worker.is_young:
            # It cannot answer yet. On a busy machine its modules alone may take longer to load than an answer may.
            return worker.process.is_alive()
        return worker.is_alive(timeout=self.config.timeout_worker_healthcheck)

    def _begin(self, place: int) -> "_Worker":
        worker = _Worker(self.config, self.sockets, self._seats[place])
        worker.start()
        return worker


class _Worker(Process):
    _began = 0.0

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], seat: Seat) -> None:
        self._seat = seat
        super().__init__(config, sockets)

    @property
    def is_young(self) -> bool:
        return time.monotonic() - self._began < STARTING

    def start(self) -> None:
        self._began = time.monotonic()
        super().start()

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config, self._seat)
        return self._server


def serve(config: uvicorn.Config) -> int:
    """Serve until a signal ends it, with ``config.workers`` processes; the exit status."""
    # Until there is a handler, the signal that means 'read the keys again' must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if config.workers > 1:
        Workers(config, sockets=[config.bind_socket()]).run()
        return 0
    server = Server(config)
    server.run()
    return 0 if server.started else STARTUP_FAILURE


def _accept(listener: socket.socket) -> socket.socket | None:
    while True:
        try:
            return listener.accept()[0]
        except BlockingIOError:
            return None
        except ConnectionAbortedError:
            # This one went away while it waited; there may be others.
            continue


SERVING: dict[str, Any] = {
    "http": Connection,
    # Longer than proxies keep an idle connection (nginx 60 s, Caddy 120 s). Whoever closes first may meet a request
    # that is on its way, and a proxy does not send a POST twice.
    "timeout_keep_alive": 130,
    # A worker on a busy machine may be slow to say that it is well; killing it would make the machine busier.
    "timeout_worker_healthcheck": 30,
}
