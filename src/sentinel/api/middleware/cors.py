"""Cross-origin access: http-api.md §0.5. The answer names one origin, exactly, and never ``*``."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.refusal import refuse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# X-Service-Key is missing on purpose: it must never be in a browser.
REQUEST_HEADERS = ("Content-Type", "Authorization", "X-Requested-With", "X-Authz-Token")
MAX_AGE = 600  # seconds

_ALLOWED_HEADERS = frozenset(name.lower() for name in REQUEST_HEADERS)
_PERMISSIONS = (
    (b"access-control-allow-methods", ", ".join(METHODS).encode()),
    (b"access-control-allow-headers", ", ".join(REQUEST_HEADERS).encode()),
    (b"access-control-max-age", str(MAX_AGE).encode()),
)
_VARY: tuple[tuple[bytes, bytes], ...] = ((b"vary", b"Origin"),)
_ALLOW_ORIGIN = frozenset({b"access-control-allow-origin"})
_PREFLIGHT_VARY = (b"vary", b"Access-Control-Request-Method, Access-Control-Request-Headers")


class Origins:
    """The allowed origins: those of the configuration, and those of the registered apps, which change."""

    def __init__(self, static: Iterable[str]) -> None:
        self._static = self._usable(static)
        self._dynamic: frozenset[str] = frozenset()

    def replace(self, dynamic: Iterable[str]) -> bool:
        """Take ``dynamic`` in place of the former origins of the apps; True when that changes anything."""
        before, self._dynamic = self._dynamic, self._usable(dynamic)
        return self._dynamic != before

    def allowed(self, origin: str) -> bool:
        """Whether ``origin`` is one of them, compared as a string: scheme, host and port."""
        return origin in self._static or origin in self._dynamic

    @staticmethod
    def _usable(origins: Iterable[str]) -> frozenset[str]:
        # "null" is what every sandboxed frame and local file sends.
        return frozenset(origins) - {"*", "null", ""}


class Cors:
    """Adds the CORS headers to every response, also to refusals."""

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = _single(scope, b"origin")

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self.complete(message.get("headers", ()), origin)}
            await send(message)

        await self.app(scope, receive, send_with_cors)

    def complete(self, given: Iterable[tuple[bytes, bytes]], origin: str | None) -> list[tuple[bytes, bytes]]:
        """The headers of an answer to ``origin`` that has set ``given``."""
        # A cache must keep the answers apart even when this one went to no foreign origin.
        extra, names = _VARY, _ALLOW_ORIGIN
        if origin is not None and self.origins.allowed(origin):
            extra = (
                *_VARY,
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", b"X-Request-ID"),
            )
            names = frozenset(name for name, _ in extra) - {b"vary"}
        return [*(header for header in given if header[0].lower() not in names), *extra]


class Preflight:
    """Answers preflights itself, before routing, limits and authentication. `Cors` adds the origin around it.

    Only OPTIONS with an ``Origin`` and an ``Access-Control-Request-Method`` is a preflight (Fetch standard,
    "CORS-preflight request"); any other OPTIONS goes on.
    """

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self.app(scope, receive, send)
            return
        present = {name for name, _ in scope["headers"]}
        if not {b"origin", b"access-control-request-method"} <= present:
            await self.app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem:
            await refuse(send, 400, problem, [_PREFLIGHT_VARY])
            return
        headers = [*_PERMISSIONS, _PREFLIGHT_VARY, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _problem(self, scope: Scope) -> str | None:
        origin = _single(scope, b"origin")
        if origin is None or not self.origins.allowed(origin):
            return "Origin not allowed"
        if _single(scope, b"access-control-request-method") not in METHODS:
            return "Method not allowed for cross-origin requests"
        wanted = [value for name, value in scope["headers"] if name == b"access-control-request-headers"]
        names = {name.strip().lower() for name in b",".join(wanted).decode("latin-1").split(",")}
        if names - {""} - _ALLOWED_HEADERS:
            return "Header not allowed for cross-origin requests"
        return None


def _single(scope: Scope, wanted: bytes) -> str | None:
    """The value of a header that is present exactly once."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return values[0].decode("latin-1") if len(values) == 1 else None
