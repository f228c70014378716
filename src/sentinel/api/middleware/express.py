"""One step in place of all layers, for hot calls whose head is plain.

Eleven layers around a call that is one look-up cost more than the look-up. Most requests of services give them nothing
to do: no foreign origin, a known path, each header once. For such a request this layer does in one go what the others
would do one after the other, with the very functions that they use; every other request goes on to them untouched.
"""

from collections.abc import Iterable
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.hot import JSON, HotCall, HotCalls, again
from sentinel.api.middleware.access_log import CLIENT_CLOSED, write_access
from sentinel.api.middleware.body_size import MAX_BODY
from sentinel.api.middleware.client import client_address
from sentinel.api.middleware.cors import Cors
from sentinel.api.middleware.guard import Guard
from sentinel.api.middleware.headers import NO_STORE_PATHS, Header, SecurityHeaders
from sentinel.api.middleware.host import AllowedHosts
from sentinel.api.middleware.request_id import request_id_of, sending_id
from sentinel.api.middleware.route import is_below_any, route_template
from sentinel.core import metrics
from sentinel.core.logging import bind_request, clear_request

IN_ONE_GO = "sentinel.in_one_go"
"""A key of the scope: a function that takes the scope, the header lines of a 200 and its body, and writes both
at once. It returns False when it cannot, and has written nothing then. A server that does not know it is sent messages.
"""
MAX_HOSTS = 100
"""How many spellings of allowed hosts are remembered."""
_DIGITS = len(str(MAX_BODY)) - 1
_HOPS = frozenset({b"keep-alive", b"Keep-Alive", b"close"})
"""Values of ``Connection`` that name no header of ours."""
# What gives some layer work, or could be understood in two ways.
_INVOLVED = frozenset({b"origin", b"transfer-encoding", b"expect", b"upgrade"})


class Places(NamedTuple):
    """Where a plain head has what is looked at, as an index; None for what is not there."""

    host: int
    connection: int | None
    content_length: int | None
    request_id: int | None


class Express:
    """Answers the plain ones among the hot calls of ``hot``; ``app`` is the same application inside all its layers.

    ``cors`` is missing on the internal tier. ``security``, ``hosts`` and ``cors`` are the layers of ``app`` or equal to
    them; the other arguments are those of :class:`~sentinel.api.middleware.client.ClientAddress`.
    """

    def __init__(
        self,
        app: ASGIApp,
        hot: HotCalls,
        *,
        hosts: AllowedHosts,
        cors: Cors | None,
        security: SecurityHeaders,
        behind_proxy: bool,
        trusted_proxy_count: int,
    ) -> None:
        self.app = app
        self.hot = hot
        self.hosts = hosts
        self.cors = cors
        self.security = security
        self.behind_proxy = behind_proxy
        self.trusted_proxy_count = trusted_proxy_count
        self._good_hosts: set[bytes] = set()
        self._heads: dict[str, tuple[list[Header], bytes]] = {}
        # A refusal is rare, so it takes the way through the layers that have a say in it.
        refused: ASGIApp = Guard(self._refuse)
        if cors is not None:
            refused = Cors(refused, origins=cors.origins)
        self._refusal = SecurityHeaders(refused, hsts=security.hsts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = self.hot.calls.get((scope["method"], scope["path"]))
        given = None if call is None else self._plain(scope)
        if call is None or given is None:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        body = b""
        if call.method != "GET":
            message = await receive()
            body = message.get("body", b"")
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            if not whole or len(body) > MAX_BODY:
                await self.app(scope, again(message, receive), send)
                return
        arguments = call.arguments(scope, body)
        if arguments is None:
            if call.method != "GET":
                receive = again(message, receive)
            await self.app(scope, receive, send)
            return
        await self._answer(call, arguments, request_id_of(given), started, scope, receive, send)

    async def _answer(
        self,
        call: HotCall,
        arguments: dict[str, object],
        request_id: str,
        started: float,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        address = client_address(scope, self.behind_proxy, self.trusted_proxy_count)
        known = scope.setdefault("state", {})
        known["client_ip"], known["request_id"] = address, request_id
        bind_request(request_id=request_id, source_ip=address)
        status, sent = CLIENT_CLOSED, 0
        try:
            try:
                answer = await self.hot.ask(call, scope, arguments)
            except Exception as error:

                async def counting_send(message: Message) -> None:
                    nonlocal status, sent
                    if message["type"] == "http.response.start":
                        status = message["status"]
                    else:
                        sent += len(message.get("body", b""))
                    await send(message)

                scope["sentinel.refused"] = error
                await self._refusal(scope, receive, sending_id(request_id, counting_send))
            else:
                status, sent = 200, len(answer)
                headers, lines = self._head(scope["path"])
                in_one_go = scope.get(IN_ONE_GO)
                own = b"content-length: %d\r\nx-request-id: %b\r\n" % (sent, request_id.encode())
                if in_one_go is None or not in_one_go(scope, lines + own, answer):
                    headers = [*headers, *_headers(own)]
                    start = {"type": "http.response.start", "status": 200, "headers": headers}
                    await send(start)
                    await send({"type": "http.response.body", "body": answer})
        finally:
            seconds = perf_counter() - started
            metrics.request_answered(call.method, route_template(scope), status, seconds)
            write_access(scope, status, sent, seconds)
            clear_request()

    def _plain(self, scope: Scope) -> list[bytes] | None:
        """The values of ``X-Request-ID`` when the head gives no layer anything else to do; None when it does."""
        headers = scope["headers"]
        places = _places(tuple([name for name, _ in headers]))
        if places is None or scope.get("raw_path", None) not in (None, scope["path"].encode()):
            return None
        host, connection, length, request_id = places
        if headers[host][1] not in self._good_hosts and not self._is_good(headers[host][1]):
            return None
        if connection is not None and headers[connection][1] not in _HOPS:
            return None
        if length is not None:
            digits = headers[length][1]
            if len(digits) > _DIGITS or not digits.isdigit():
                return None
        return [] if request_id is None else [headers[request_id][1]]

    def _is_good(self, host: bytes) -> bool:
        if self.hosts.problem([host]):
            return False
        if len(self._good_hosts) < MAX_HOSTS:
            self._good_hosts.add(host)
        return True

    def _head(self, path: str) -> tuple[list[Header], bytes]:
        """The headers that all good answers to ``path`` have, and how they are written."""
        known = self._heads.get(path)
        if known is None:
            head = [JSON]
            if self.cors is not None:
                head = self.cors.complete(head, None)
            head = self.security.complete(head, is_below_any(path, NO_STORE_PATHS))
            known = self._heads[path] = (head, _lines(head))
        return known

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.hot.refuse(scope["sentinel.refused"], scope, receive, send)


def _lines(headers: Iterable[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def _headers(lines: bytes) -> list[Header]:
    pairs = (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in pairs]


@lru_cache(maxsize=1024)
def _places(names: tuple[bytes, ...]) -> Places | None:
    """Where things are in a head of these names; None unless every name comes once, plainly, and no layer minds it."""
    found = {name: place for place, name in enumerate(names)}
    plain = len(found) == len(names) and not any(b"_" in name or name != name.lower() for name in names)
    if not plain or b"host" not in found or found.keys() & _INVOLVED:
        return None
    return Places(
        found[b"host"],
        found.get(b"connection"),
        found.get(b"content-length"),
        found.get(b"x-request-id"),
    )
