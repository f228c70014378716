"""Puts every request into a span of its own. Present only while traces are sent (``core/tracing.py``)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.access_log import CLIENT_CLOSED
from sentinel.api.middleware.route import route_template
from sentinel.core import tracing

HEADERS = (b"traceparent", b"tracestate")


class Trace:
    """Names a span after the route that was matched, never after the path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not tracing.enabled():
            await self.app(scope, receive, send)
            return
        status = CLIENT_CLOSED

        async def watching_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {
            name.decode("ascii"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in HEADERS
        }
        with tracing.request(scope["method"], headers, scope["state"]["request_id"]) as request:
            try:
                await self.app(scope, receive, watching_send)
            finally:
                request.answered(route_template(scope), status)
