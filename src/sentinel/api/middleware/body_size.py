"""The size of request bodies: http-api.md §0.4."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.refusal import refuse

MAX_BODY = 10 * 1024 * 1024  # bytes
TOO_LARGE = "Request body too large"
_NUMBER = re.compile(rb"[0-9]+")
# The rest of the body is not read, so the connection cannot carry another request.
_CLOSE = [(b"connection", b"close")]


class BodySize:
    """Refuses a body of more than ``limit`` bytes, by ``Content-Length`` and by the bytes really streamed.

    Once the stream has passed the limit, reading raises and whatever the application answers becomes 413.
    """

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lengths = {value for name, value in scope["headers"] if name == b"content-length"}
        if len(lengths) > 1 or not all(_NUMBER.fullmatch(value) for value in lengths):
            await refuse(send, 400, "Invalid Content-Length header", _CLOSE)
            return
        # Compared by digits first: a number of thousands of digits is costly to read and refused by int().
        if any(
            len(digits := value.lstrip(b"0")) > 19 or int(digits or b"0") > self.limit for value in lengths
        ):
            await refuse(send, 413, TOO_LARGE, _CLOSE)
            return
        await self._stream(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        started = refused = False

        async def counting_receive() -> Message:
            nonlocal received
            if received <= self.limit:
                message = await receive()
                if message["type"] == "http.request":
                    received += len(message.get("body", b""))
                if received <= self.limit:
                    return message
            # Frameworks pass this exception on as it is, where they turn others into answers of their own.
            raise HTTPException(413, TOO_LARGE)

        async def guarded_send(message: Message) -> None:
            nonlocal started, refused
            if received > self.limit and not started:
                if not refused:
                    refused = True
                    await refuse(send, 413, TOO_LARGE, _CLOSE)
                return
            started = True
            await send(message)

        try:
            await self.app(scope, counting_receive, guarded_send)
        except Exception:
            if received <= self.limit or started:
                raise
        if received > self.limit and not started and not refused:
            await refuse(send, 413, TOO_LARGE, _CLOSE)
