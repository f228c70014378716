"""Which ``Host`` is served: http-api.md §0.4, checklist item 4."""

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from sentinel.api.middleware.refusal import refuse
from sentinel.api.middleware.route import is_below

# RFC 3986 §3.2.2 and §3.2.3, of which DNS names and address literals need no more than this.
_HOST = re.compile(rb"([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


class AllowedHosts:
    """Refuses a request whose ``Host`` is not one of ``hosts``: names without port, IPv6 in brackets.

    ``*`` among ``hosts`` allows every name, yet a malformed ``Host`` is refused even then (RFC 9112 §3.2).
    ``/health`` answers whatever the probe calls it.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_below(scope["path"], "/health"):
            await self.app(scope, receive, send)
            return
        problem = self.problem([value for name, value in scope["headers"] if name == b"host"])
        if problem:
            await refuse(send, 400, problem)
        else:
            await self.app(scope, receive, send)

    def problem(self, given: list[bytes]) -> str | None:
        """What is wrong with the ``Host`` headers of a request; None when nothing is."""
        found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if found is None:
            return "Invalid Host header"
        if "*" not in self.hosts and found[1].decode("ascii").lower() not in self.hosts:
            return "Host not allowed"
        return None
