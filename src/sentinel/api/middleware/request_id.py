"""``X-Request-ID``: http-api.md §0.3."""

import random
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.core.logging import bind_request, clear_request

# An id has to be another one each time, and is no secret; asking the system for each one takes ten times as long.
_chance = random.Random()  # noqa: S311
_ACCEPTED = re.compile(rb"[A-Za-z0-9-]{1,64}")


class RequestId:
    """Gives every request an id: in ``scope["state"]["request_id"]``, on every log line, in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = request_id_of([value for name, value in scope["headers"] if name == b"x-request-id"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        send_with_id = sending_id(request_id, send)
        clear_request()
        bind_request(request_id=request_id, source_ip=state.get("client_ip"))
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            clear_request()


def request_id_of(given: list[bytes]) -> str:
    """The id that the request brings in its headers ``given``, or a new one."""
    accepted = len(given) == 1 and _ACCEPTED.fullmatch(given[0])
    return given[0].decode("ascii") if accepted else f"{_chance.getrandbits(128):032x}"


def sending_id(request_id: str, send: Send) -> Send:
    """A ``send`` that puts the id on the answer."""

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [header for header in message.get("headers", ()) if header[0] != b"x-request-id"]
            message = {**message, "headers": [*others, (b"x-request-id", request_id.encode())]}
        await send(message)

    return send_with_id
