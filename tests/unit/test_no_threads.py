"""No request waits for a thread: whatever is not asynchronous, the framework hands to one and waits for it."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from sentinel.admin.rooms import PANEL
from sentinel.app import ROOMS

ROUTES = [
    route
    for room in (*ROOMS["all"], *ROOMS["internal"], *PANEL)
    for route in room.routes
    if isinstance(route, APIRoute)
]


def needs_of(dependant: Any) -> Iterator[Any]:
    """Everything that is called before the endpoint, however deep."""
    for need in dependant.dependencies:
        yield need.call
        yield from needs_of(need)


def is_async(called: Any) -> bool:
    function = called if inspect.isroutine(called) else called.__call__
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def test_endpoints_and_what_they_need_are_asynchronous() -> None:
    called = {call for route in ROUTES for call in (route.endpoint, *needs_of(route.dependant))}
    assert len(ROUTES) > 200 and len(called) > 200
    assert {call for call in called if not is_async(call)} == set()


@pytest.mark.parametrize(
    "called", [needs_of, type("Callable", (), {"__call__": lambda _: None})()], ids=["function", "object"]
)
def test_what_would_need_a_thread_is_seen(called: Any) -> None:
    assert not is_async(called)
