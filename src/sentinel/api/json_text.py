"""The encoding of JSON bodies: http-api.md §0.1 rule 2."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_UTF8 = "The body must be JSON in UTF-8"


class JsonIsUtf8:
    """In front of a router: JSON is UTF-8 (RFC 8259 §8.1), and anything else is 400.

    Python's reader guesses UTF-16 and UTF-32, which whoever looks at bodies on the way reads as something else. Both
    have a NUL in them, since the signs of JSON are ASCII; JSON in UTF-8 has none, not even inside a text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(
            name == b"content-type" and b"json" in value.lower() for name, value in scope["headers"]
        ):

            async def receive_text() -> Message:
                message = await receive()
                if b"\0" in message.get("body", b""):
                    raise HTTPException(400, NOT_UTF8)
                return message

            await self.app(scope, receive_text, send)
        else:
            await self.app(scope, receive, send)
