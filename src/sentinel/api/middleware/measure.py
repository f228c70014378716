"""Counts every answered request, with its time, for ``/metrics``. Present only when ``METRICS_PORT`` is set."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.access_log import CLIENT_CLOSED
from sentinel.api.middleware.route import route_template
from sentinel.core import metrics


class Measure:
    """Health checks and key sets are counted like any other request: they are part of the load."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = CLIENT_CLOSED

        async def watching_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watching_send)
        finally:
            seconds = perf_counter() - started
            metrics.request_answered(scope["method"], route_template(scope), status, seconds)
