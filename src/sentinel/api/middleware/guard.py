"""The net under the application: http-api.md §0.2 rule 1. Exceptions are logged once and told to nobody."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware.refusal import refuse
from sentinel.core.logging import app_event

DETAIL = "Internal server error"


class Guard:
    """Turns an exception that escapes the application into 500 and one ``app.error.unhandled`` line.

    An answer that has begun cannot be taken back: then the exception goes on, and the server cuts the
    connection, so that half an answer does not look whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = finished = False
        held: list[Message] = []

        async def guarded_send(message: Message) -> None:
            nonlocal started, finished
            # Starlette answers an unhandled exception with plain text of its own before it raises it again.
            # That answer is held back until it is known whether an exception follows.
            if not started and (held or _is_plain_500(message)):
                held.append(message)
                return
            started = True
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, guarded_send)
        except Exception as error:
            app_event(
                "app.error.unhandled",
                outcome="error",
                reason="unhandled_exception",
                level="error",
                exc_info=error,
            )
            if not started:
                await refuse(send, 500, DETAIL)
            elif not finished:
                raise
        else:
            for message in held:
                await send(message)


def _is_plain_500(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] != 500:
        return False
    headers: dict[bytes, bytes] = dict(message.get("headers", ()))
    return headers.get(b"content-type", b"").startswith(b"text/plain")
