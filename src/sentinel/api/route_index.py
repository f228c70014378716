"""Finding a route without trying all of them: the panel alone has some two hundred."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from fastapi.routing import APIRouter
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Scope, Send

DEPTH = 3
"""Segments of a path that are looked at; behind them few routes are left."""


class RouteIndex:
    """In front of a router: tries only the routes whose fixed beginning is that of the path, in the router's own order.

    What none of them takes with its method is left to the router, which knows how to say so.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._by_beginning: dict[tuple[str, ...], list[tuple[int, BaseRoute]]] = {}
        for place, route in enumerate(router.routes):
            self._by_beginning.setdefault(_beginning(route), []).append((place, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("root_path"):
            for _, route in self._candidates(scope["path"]):
                match, child_scope = route.matches(scope)
                if match is Match.FULL:
                    # Only plain routes are known well enough to be called from here.
                    if not isinstance(route, Route | Mount):
                        break
                    scope["router"] = self._router
                    scope.update(child_scope)
                    await route.handle(scope, receive, send)
                    return
        await self._router.app(scope, receive, send)

    def _candidates(self, path: str) -> Iterable[tuple[int, BaseRoute]]:
        segments = tuple(path.split("/", DEPTH + 1)[1 : DEPTH + 1])
        found = [
            routes
            for length in range(len(segments) + 1)
            if (routes := self._by_beginning.get(segments[:length])) is not None
        ]
        return found[0] if len(found) == 1 else sorted(chain.from_iterable(found), key=_place)


def _place(candidate: tuple[int, Any]) -> int:
    return candidate[0]


def _beginning(route: BaseRoute) -> tuple[str, ...]:
    """The segments before the first that varies."""
    path = getattr(route, "path", "")
    fixed = path.partition("{")[0]
    segments = fixed.split("/")[1 : DEPTH + 1]
    if fixed != path:
        # Whatever stands before the brace is a part of the segment that varies.
        del segments[fixed.count("/") - 1 :]
    return tuple(segments)
