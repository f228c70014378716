"""The answer of a middleware that lets a request go no further."""

import json
from collections.abc import Sequence

from starlette.types import Send


async def refuse(send: Send, status: int, detail: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Answer ``{"detail": detail}`` with ``status`` and further ``headers``: http-api.md §0.2."""
    body = json.dumps({"detail": detail}).encode()
    length = str(len(body)).encode()
    start = [(b"content-type", b"application/json"), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
