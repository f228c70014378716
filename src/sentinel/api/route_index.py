"""Finding a route without trying all of them: the panel alone has some two hundred."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fastapi.routing import APIRouter
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Scope, Send

from sentinel.api.middleware.route import is_below

DEPTH = 3
"""Segments of a path that are looked at; behind them few routes are left."""


@dataclass(frozen=True, slots=True)
class LateRoutes:
    """All routes at ``path`` and below it, which ``load`` makes when they are first asked for. ``load`` runs in a
    thread of its own, and may run again if it fails; no other route may be below ``path``.
    """

    path: str
    load: Callable[[], Iterable[APIRouter]]


class RouteIndex:
    """In front of a router: tries only the routes whose fixed beginning is that of the path, in the router's own order.

    What none of them takes with its method is left to the router, which knows how to say so. ``late`` routes join those
    of the router with the first request for one of them.
    """

    def __init__(self, router: APIRouter, *, late: LateRoutes | None = None) -> None:
        self._router = router
        self._late = late
        self._loading = asyncio.Lock()
        self._by_beginning: dict[tuple[str, ...], list[tuple[int, BaseRoute]]] = {}
        self._enter(router.routes, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._late is not None and scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if is_below(path, self._late.path):
                await self._load()
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

    async def _load(self) -> None:
        async with self._loading:
            if self._late is None:
                return
            # Other requests are answered meanwhile.
            rooms = await asyncio.to_thread(self._late.load)
            routes = [route for room in rooms for route in room.routes]
            self._enter(routes, len(self._router.routes))
            self._router.routes.extend(routes)
            self._late = None

    def _enter(self, routes: Iterable[BaseRoute], first: int) -> None:
        for place, route in enumerate(routes, first):
            self._by_beginning.setdefault(_beginning(route), []).append((place, route))

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
