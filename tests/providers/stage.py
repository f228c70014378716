"""A real HTTP server on loopback whose answers a test decides, and the transport that leads to it."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import uvicorn

from sentinel.core.outbound import PinnedTransport


@dataclass
class Seen:
    """One request that reached the server."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The form in the body, one value a field."""
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Reply:
    """An answer. ``then`` is what follows the body: "end", "hang" (nothing, ever) or "more" (4 MiB in pieces)."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    then: str = "end"

    def octets(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


SILENCE = Reply(then="silence")
"""No answer at all: the request is read, and then nothing."""

Handler = Callable[[Seen], Reply]


class Stage:
    """What the server answers, by host, method and path; and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.calls: list[Seen] = []
        self._handlers: dict[tuple[str, str, str], Handler] = {}

    @property
    def url(self) -> str:
        """The server itself, as a loopback URL."""
        return f"http://127.0.0.1:{self.port}"

    def on(self, url: str, answer: Handler | Reply | Any, method: str = "GET") -> None:
        """Answer requests to ``url`` with a reply, a JSON value, or what a handler says."""
        parsed = httpx.URL(url)
        key = (parsed.netloc.decode(), method, parsed.path)
        if isinstance(answer, Reply):
            self._handlers[key] = lambda _: answer
        elif callable(answer):
            self._handlers[key] = answer
        else:
            self._handlers[key] = lambda _: Reply(body=answer)

    def asked(self, path: str) -> list[Seen]:
        """The requests whose path ends in ``path``."""
        return [seen for seen in self.calls if seen.path.endswith(path)]

    def answer(self, seen: Seen) -> Reply:
        self.calls.append(seen)
        handler = self._handlers.get((seen.host, seen.method, seen.path))
        return handler(seen) if handler else Reply(404, {"message": "Not Found"})


class Server:
    """uvicorn in a thread. Each test puts its own stage on it."""

    def __init__(self) -> None:
        # Listening before the thread starts: whoever connects waits in the backlog, nobody has to poll.
        # The protocol is spelled out because asyncio switches Nagle's algorithm off only where it reads TCP.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port: int = self._socket.getsockname()[1]
        self.stage = Stage(self.port)
        config = uvicorn.Config(
            self._app, lifespan="off", log_level="critical", ws="none", interface="asgi3", loop="asyncio"
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [self._socket]})

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()
        self._socket.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        reply = self.stage.answer(
            Seen(
                scope["method"], headers["host"], scope["path"], scope["query_string"].decode(), headers, body
            )
        )
        if reply.then != "silence":
            lines = {"content-type": "application/json", **reply.headers}
            start = [(key.encode(), value.encode()) for key, value in lines.items()]
            await send({"type": "http.response.start", "status": reply.status, "headers": start})
            await send(
                {"type": "http.response.body", "body": reply.octets(), "more_body": reply.then != "end"}
            )
        if reply.then == "more":
            for _ in range(64):
                await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif reply.then != "end":
            while (await receive())["type"] != "http.disconnect":
                pass


class MappedTransport(httpx.AsyncBaseTransport):
    """Leads every host to the server on loopback; the server sees the host that was meant."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = PinnedTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                content=request.content,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()
