"""The short way to the hot calls: those that other services make on every request of theirs.

Such a call is a route like any other, with its schema and its place in the API documentation. When it comes in the
plain form that clients send, its endpoint is called right here, without a walk through all routes and the machinery
that gathers arguments; anything else goes on to the ordinary way, which knows how to tell what is wrong with it.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.types import Message, Receive, Scope, Send

JSON = (b"content-type", b"application/json")
CONTENT_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8"})


class HotCall:
    """A route that has a short way. ``question`` is the type of what it is asked: of the body of a POST, which the
    endpoint takes as ``body``, or of the query of a GET, whose parameters the endpoint takes by their names.

    ``endpoint`` takes request and state besides, and returns what becomes JSON as it is, or JSON; it is the route's own
    unless another one takes a plainer form of the question or gives a plainer form of the answer.
    """

    def __init__(
        self, route: APIRoute, question: Any, endpoint: Callable[..., Awaitable[Any]] | None = None
    ) -> None:
        self.route = route
        self.endpoint: Callable[..., Awaitable[Any]] = endpoint or route.endpoint
        self._validator = TypeAdapter(question).validator
        methods: set[str] = route.methods or set()
        [self.method] = methods

    def arguments(self, scope: Scope, body: bytes) -> dict[str, Any] | None:
        """What the endpoint is to be called with; None unless the question is plain and makes sense."""
        try:
            if self.method == "GET":
                pairs = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True)
                asked = dict(pairs)
                if len(asked) < len(pairs):
                    return None
                return dict(self._validator.validate_strings(asked))
            types = [value for name, value in scope["headers"] if name == b"content-type"]
            if len(types) != 1 or types[0].lower() not in CONTENT_TYPES:
                return None
            return {"body": self._validator.validate_json(body)}
        except (ValidationError, UnicodeDecodeError):
            return None


class HotCalls:
    """Answers the plain ones of ``calls`` and leaves everything else to ``api``, whose handlers of errors are used."""

    def __init__(self, api: FastAPI, calls: Iterable[HotCall]) -> None:
        self.api = api
        self.state = api.state.sentinel
        self.calls = {(call.method, call.route.path): call for call in calls}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self.calls.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if call is None:
            await self.api(scope, receive, send)
            return
        body = await _whole(receive) if call.method != "GET" else b""
        if body is None:
            return
        arguments = call.arguments(scope, body)
        if arguments is None:
            told: Message = {"type": "http.request", "body": body, "more_body": False}
            await self.api(scope, again(told, receive), send)
            return
        try:
            answer = await self.ask(call, scope, arguments)
        except Exception as error:
            await self.refuse(error, scope, receive, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [JSON, (b"content-length", str(len(answer)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    async def ask(self, call: HotCall, scope: Scope, arguments: dict[str, Any]) -> bytes:
        """The answer of ``call``, as JSON. Raises what its endpoint raises."""
        scope["app"], scope["route"] = self.api, call.route
        answer = await call.endpoint(Request(scope), self.state, **arguments)
        return answer if type(answer) is bytes else to_json(answer)

    async def refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``error`` as the application does; raise it when it has no answer for it."""
        handlers: dict[Any, Any] = self.api.exception_handlers
        for kind in type(error).__mro__:
            if kind in handlers:
                response = await handlers[kind](Request(scope, receive, send), error)
                await response(scope, receive, send)
                return
        raise error


async def _whole(receive: Receive) -> bytes | None:
    """The body; None when the client goes away before it is whole."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        return whole
    parts = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
    return None


def again(first: Message, receive: Receive) -> Receive:
    """A ``receive`` that begins with a message that has been taken from it already."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return first

    return replay


def hot_route(routes: Iterable[Any], path: str) -> APIRoute:
    """The route of ``path`` among ``routes``. Raises :class:`LookupError`."""
    for route in routes:
        if isinstance(route, APIRoute) and route.path == path:
            return route
    raise LookupError(path)
