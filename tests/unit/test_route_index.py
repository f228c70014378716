"""The index finds what a walk through all routes finds, also when some of them are made late."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Mount

from sentinel.api.middleware.route import is_below
from sentinel.api.route_index import LateRoutes, RouteIndex
from sentinel.app import PANEL, ROOMS, panel

EARLY: list[BaseRoute] = [route for room in ROOMS["all"] for route in room.routes]
LATE: list[BaseRoute] = [route for room in panel() for route in room.routes]
ROUTES = EARLY + LATE
UUID = "00000000-0000-4000-8000-000000000000"
METHODS = ("GET", "POST", "PATCH", "DELETE")


def walked(routes: list[BaseRoute], scope: dict[str, Any]) -> BaseRoute | None:
    """The first route that takes path and method."""
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)


def paths() -> set[str]:
    """Paths of every route, with ids and with words in place of what varies, and some beside them."""
    found = set()
    for route in ROUTES:
        template = getattr(route, "path", "")
        for filling in (UUID, "share"):
            path = re.sub(r"\{[^}]+\}", filling, template)
            found |= {path, path + "/", path + "/x", path.rpartition("/")[0]}
    return found | {"/", "", "//", "/x", "/admin/static/vendor/x.js"}


def test_the_index_finds_what_a_walk_finds() -> None:
    router = APIRouter()
    router.routes = list(ROUTES)
    index = RouteIndex(router)
    hits = 0
    for path in paths():
        candidates = [route for _, route in index._candidates(path)]
        assert len(candidates) < len(ROUTES) / 4, path
        for method in METHODS:
            scope = {"type": "http", "path": path, "method": method, "root_path": "", "headers": []}
            found = walked(candidates, dict(scope))
            assert found is walked(ROUTES, dict(scope)), (method, path)
            hits += found is not None
    assert hits > len(ROUTES)


@pytest.mark.anyio
async def test_the_router_says_what_is_not_there_or_has_another_method() -> None:
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @api.get("/a/{name}")
    async def read(name: str) -> str:
        return name

    @api.get("/a/fixed")
    async def fixed() -> str:
        return "never: the first route that fits answers"

    inner = APIRouter()

    @inner.get("/deep/{name}")
    async def deep(name: str) -> str:
        return f"deep {name}"

    api.include_router(inner, prefix="/inner")
    api.router.routes.append(Mount("/mounted", app=Starlette()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as http:
        before = {
            (method, path): await http.request(method, path)
            for method in ("GET", "POST")
            for path in ("/a/x", "/a/fixed", "/inner/deep/y", "/mounted/z", "/a", "/nowhere")
        }
        api.router.middleware_stack = RouteIndex(api.router)
        for (method, path), answer in before.items():
            again = await http.request(method, path)
            assert (again.status_code, again.text, again.headers) == (
                answer.status_code,
                answer.text,
                answer.headers,
            )
    assert before["POST", "/a/x"].status_code == 405
    assert before["GET", "/a/fixed"].json() == "fixed"


@pytest.mark.parametrize("path", ["/a{x}/b", "/{x}", "/a/{x}/b/c/d"])
def test_a_segment_that_varies_is_no_beginning(path: str) -> None:
    router = APIRouter()

    @router.get(path)
    async def read(x: str) -> str:
        return x

    index = RouteIndex(router)
    candidates = [route for _, route in index._candidates(path.replace("{x}", "z"))]
    assert candidates == router.routes


# ── routes that are made when they are asked for ──


def test_the_panel_has_its_paths_for_itself() -> None:
    below = [is_below(getattr(route, "path", ""), PANEL) for route in ROUTES]
    assert below == [False] * len(EARLY) + [True] * len(LATE)


def late_api(loads: list[str], *, failures: int = 0) -> FastAPI:
    """An application with ``/early`` and, made late, ``/late/{name}``; every try to make it is noted in ``loads``."""
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @api.get("/early")
    async def early() -> str:
        return "early"

    def load() -> list[APIRouter]:
        loads.append("tried")
        if len(loads) <= failures:
            raise ImportError("not this time")
        router = APIRouter(prefix="/late")

        @router.get("/{name}")
        async def read(name: str) -> str:
            return name

        return [router]

    api.router.middleware_stack = RouteIndex(api.router, late=LateRoutes("/late", load))
    return api


@pytest.mark.anyio
@pytest.mark.parametrize("root_path", ["", "/before"])
async def test_late_routes_are_made_once_and_when_they_are_asked_for(root_path: str) -> None:
    loads: list[str] = []
    api = late_api(loads)
    transport = httpx.ASGITransport(api, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://test{root_path}") as http:
        assert (await http.get("/early")).json() == "early"
        assert (await http.get("/later")).status_code == 404
        assert loads == [] and len(api.routes) == 1
        answers = await asyncio.gather(*(http.get(f"/late/{number}") for number in range(50)))
        assert [answer.json() for answer in answers] == [str(number) for number in range(50)]
        assert loads == ["tried"] and len(api.routes) == 2
        assert (await http.post("/late/x")).status_code == 405
        assert (await http.get("/late")).status_code == 404
        assert (await http.get("/early")).json() == "early"


@pytest.mark.anyio
async def test_late_routes_that_cannot_be_made_are_tried_again() -> None:
    loads: list[str] = []
    transport = httpx.ASGITransport(late_api(loads, failures=1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.get("/late/x")).status_code == 500
        assert (await http.get("/early")).status_code == 200
        assert (await http.get("/late/x")).json() == "x"
    assert len(loads) == 2
