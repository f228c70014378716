"""Headers that are not for us: what a proxy and the application could read differently is dropped."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HopHeaders:
    """Drops the headers that ``Connection`` names (RFC 9110 §7.6.1) and those with an underscore in the name.

    An underscore becomes a dash in many gateways, so ``X_Service_Key`` could pass a filter as one header and
    arrive as another. A header named by ``Connection`` is meant for the next hop alone; one that was set by a
    proxy must not be removable there and then trusted here, nor the reverse.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            listed = b",".join(value for name, value in scope["headers"] if name == b"connection")
            dropped = {token.strip().lower() for token in listed.split(b",")}
            # In place: the middlewares around this one read what routing leaves in the same scope.
            scope["headers"] = [
                (name, value)
                for name, value in scope["headers"]
                if b"_" not in name and name.lower() not in dropped
            ]
        await self.app(scope, receive, send)
