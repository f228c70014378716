"""What both middlewares share, in plain ASGI: any framework that speaks it can be protected."""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

EXCLUDED = ("/health", "/docs", "/openapi.json")


class Refusal(Exception):
    """An answer in place of the application's."""

    def __init__(self, status: int, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class Guard:
    """A middleware that lets a request through once somebody stands behind it.

    Preflight requests (``OPTIONS``) and excluded paths pass unseen. A WebSocket is held to the same rule as a
    request, and closed before it is accepted.
    """

    def __init__(self, app: ASGIApp, exclude_paths: Iterable[str] | None) -> None:
        self.app = app
        self.exclude_paths = tuple(EXCLUDED if exclude_paths is None else exclude_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._passes(scope):
            try:
                state = await self.authenticate(scope)
            except Refusal as refusal:
                await refuse(refusal, scope, send)
                return
            scope.setdefault("state", {}).update(state)
        await self.app(scope, receive, send)

    async def authenticate(self, scope: Scope) -> dict[str, Any]:
        """What goes to ``request.state``. Raises Refusal."""
        raise NotImplementedError

    def _passes(self, scope: Scope) -> bool:
        return scope.get("method") == "OPTIONS" or is_excluded(scope["path"], self.exclude_paths)


def is_excluded(path: str, excluded: Iterable[str]) -> bool:
    """Whether a path equals an excluded one, or continues it with ``/``.

    A path that somebody behind us might read differently (``/health/../notes``, ``//``) is never excluded.
    """
    segments = path.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1] or "\\" in path:
        return False
    return any(
        path == one or (one != "/" and path.startswith(one.rstrip("/") + "/")) for one in excluded if one
    )


def header(scope: Scope, name: str) -> str | None:
    """The value of a request header; None when it is absent or was sent more than once."""
    wanted = name.lower().encode()
    values = [value for key, value in scope["headers"] if key.lower() == wanted]
    return values[0].decode("latin-1").strip() if len(values) == 1 else None


def bearer_token(scope: Scope) -> str | None:
    """The token of ``Authorization: Bearer``, or None."""
    scheme, _, token = (header(scope, "Authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Answer with JSON; close a WebSocket that is not open yet."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
        return
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(max(1, round(refusal.retry_after))).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
