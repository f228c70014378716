"""Answers that leave together lose nothing and keep their order (``cli/drain.py``)."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sentinel.api.middleware.express import IN_ONE_GO
from sentinel.cli.drain import Connection

pytestmark = pytest.mark.anyio

REQUEST = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"


async def answered(requests: bytes, meanwhile: Callable[[Connection], object], last: bytes = b"") -> bytes:
    """All that comes back until the end, which ``last`` is if given. Answers are written whole where that can be, but
    not those to ``/1``; ``meanwhile`` happens after the one to ``/0`` was given, before it has left.
    """
    made: list[Connection] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = scope["path"].encode()
        length = b"content-length: %d\r\n" % len(body)
        if body == b"/1" or not scope[IN_ONE_GO](scope, length, body):
            headers = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        if body == b"/0":
            meanwhile(made[0])

    def protocol() -> Connection:
        made.append(Connection(config, ServerState(), {}))
        return made[0]

    config = uvicorn.Config(app, lifespan="off", log_config=None, date_header=False, server_header=False)
    config.load()
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    transport, _ = await loop.connect_accepted_socket(protocol, near)
    with far:
        far.setblocking(False)
        await loop.sock_sendall(far, requests)
        whole = b""
        async with asyncio.timeout(20):
            while part := await loop.sock_recv(far, 65536):
                whole += part
                if last and whole.endswith(last):
                    transport.close()
    return whole


async def test_answers_keep_the_order_of_their_requests_however_they_are_written() -> None:
    def more(connection: Connection) -> None:
        connection.data_received(REQUEST % 1 + REQUEST % 2)

    whole = await answered(REQUEST % 0, more, last=b"/2")
    assert [part[-2:] for part in whole.split(b"HTTP/1.1 200 OK\r\n")[1:]] == [b"/0", b"/1", b"/2"]


async def test_requests_that_are_sent_ahead_are_answered_in_their_order() -> None:
    ahead = b"".join(REQUEST % number for number in (3, 1, 4, 1, 5))
    whole = await answered(ahead, lambda _: None, last=b"/5")
    assert [part[-2:] for part in whole.split(b"HTTP/1.1 200 OK\r\n")[1:]] == [
        b"/3",
        b"/1",
        b"/4",
        b"/1",
        b"/5",
    ]


def hangs_up(connection: Connection) -> None:
    """What the loop does when the other side sends no more."""
    connection.eof_received()
    connection.transport.close()


def ends(connection: Connection) -> None:
    """What the end of the process does, and what it does a second later."""
    connection.shutdown()
    connection._leave()


@pytest.mark.parametrize(
    "meanwhile",
    [hangs_up, ends, lambda connection: connection.send_400_response("x"), lambda c: c._leave()],
    ids=["the other side sends no more", "the process ends", "what comes next is no HTTP", "it has ended"],
)
async def test_an_answer_that_was_given_leaves_whatever_happens(
    meanwhile: Callable[[Connection], None],
) -> None:
    whole = await answered(REQUEST % 0, meanwhile)
    assert whole.startswith(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/0")


async def test_the_last_answer_leaves_before_the_connection_does() -> None:
    whole = await answered(b"GET /0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", lambda _: None)
    assert whole == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/0"
