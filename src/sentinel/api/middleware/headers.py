"""The headers that every response carries: http-api.md §0.3."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.route import is_below_any

Header = tuple[bytes, bytes]
JSON_CSP = b"default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
HTML_CSP = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    b"frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-xss-protection", b"0"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"server", b"sentinel"),
)
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains; preload")
NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
NO_STORE_PATHS = ("/auth", "/admin", "/users", "/authz", "/realm", "/onboard")


class SecurityHeaders:
    """Sets the fixed headers, once each, whatever the handler set.

    A handler keeps two things: a ``Content-Security-Policy`` of its own (a page with a form, the panel), and
    an ``immutable`` ``Cache-Control`` on a no-store path (the panel's assets, admin.md §10).
    ``hsts`` is `COOKIE_SECURE`.
    """

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self.app = app
        self.hsts = hsts
        self.fixed = (*ALWAYS, HSTS) if hsts else ALWAYS
        self.owned = {name for name, _ in (*ALWAYS, HSTS)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        no_store = is_below_any(scope["path"], NO_STORE_PATHS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self.complete(message.get("headers", ()), no_store)}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def complete(self, given: Iterable[Header], no_store: bool) -> list[Header]:
        """The headers of an answer that has set ``given``."""
        headers = [(plain, value) for name, value in given if (plain := name.lower()) not in self.owned]
        present = dict(headers)
        headers += self.fixed
        if b"content-security-policy" not in present:
            html = present.get(b"content-type", b"").lower().startswith(b"text/html")
            headers.append((b"content-security-policy", HTML_CSP if html else JSON_CSP))
        if no_store and b"immutable" not in present.get(b"cache-control", b""):
            headers = [header for header in headers if header[0] not in (b"cache-control", b"pragma")]
            headers += NO_STORE
        return headers
