"""One form of each path: http-api.md §0.1 rules 3 to 5 and 8."""

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from sentinel.api.middleware.refusal import refuse

# What a proxy in front may read differently from the router behind: empty segments, path parameters,
# separators and control characters in disguise, broken and double percent-encoding.
_AMBIGUOUS = re.compile(
    rb"//|[;\\]|[\x00-\x20\x7f]|%(?:2f|5c|3b|7f|[01][0-9a-f]|25[0-9a-f]{2})|%(?![0-9a-f]{2})", re.IGNORECASE
)


class PlainPath:
    """Answers 404 to a path that could be read in two ways, before anything decides by it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
            if not _is_plain(raw):
                await refuse(send, 404, "Not Found")
                return
        await self.app(scope, receive, send)


def _is_plain(raw: bytes) -> bool:
    if not raw.startswith(b"/") or _AMBIGUOUS.search(raw):
        return False
    decoded = unquote_to_bytes(raw)
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not {b".", b".."} & set(decoded.split(b"/"))
