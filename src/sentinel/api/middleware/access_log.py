"""The access log: http-api.md §13 rules 1 and 3."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.route import is_below_any, route_template
from sentinel.core.logging import Level, Outcome, access_event, is_logged

SILENT = ("/health", "/docs", "/redoc", "/openapi.json", "/.well-known/jwks.json")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_USER_AGENT = 256  # characters
CLIENT_CLOSED = 499  # No answer was begun because the client went away; nginx uses the same number.


class AccessLog:
    """Writes one ``http.access`` line a request, when it is over."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_below_any(scope["path"], SILENT):
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = CLIENT_CLOSED
        sent = 0

        async def counting_send(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counting_send)
        finally:
            write_access(scope, status, sent, perf_counter() - started)


def write_access(scope: Scope, status: int, sent: int, seconds: float) -> None:
    """The line about an answered request: ``sent`` bytes of body after ``seconds``."""
    level: Level = "info" if status < 400 else "warning" if status < 500 else "error"
    if not is_logged(level):
        return
    state = scope.get("state", {})
    known = {
        "actor": state.get("actor"),
        "workspace_id": state.get("workspace_id"),
        "caller_service": state.get("caller_service"),
    }
    access_event(
        level=level,
        outcome=_outcome(status),
        method=scope["method"] if scope["method"] in METHODS else "(other)",
        route=route_template(scope),
        status=status,
        duration_ms=round(seconds * 1000, 2),
        resp_bytes=sent,
        source_ip=state.get("client_ip"),
        user_agent=_user_agent(scope),
        **{key: str(value) for key, value in known.items() if value is not None},
    )


def _outcome(status: int) -> Outcome:
    if status in (401, 403, 429):
        return "denied"
    return "success" if status < 400 else "failure" if status < 500 else "error"


def _user_agent(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name == b"user-agent"]
    return values[0].decode("latin-1")[:MAX_USER_AGENT] if values else ""
