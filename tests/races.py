"""Two transactions in a row on PostgreSQL, the order of a race that no luck is needed for; and many at once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import DomainError
from tests.stage import Stage

WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def until_it_waits(stage: Stage, task: "asyncio.Future[Any]") -> None:
    """Until a connection waits for a lock of another, on account of ``task``.

    It fails when the task has ended instead, and when neither has happened within ten seconds.
    """
    try:
        with anyio.fail_after(10):
            while not (await stage.execute(WAITING))[0][0]:
                if task.done():
                    pytest.fail(f"it did not wait, and ended with {task.result()!r}")
    except TimeoutError:
        task.cancel()
        pytest.fail("for ten seconds it has neither ended nor waited for a lock")


async def in_a_row(
    stage: Stage,
    first: Callable[[AsyncSession], Awaitable[Any]],
    second: Awaitable[Any],
    *,
    then: Callable[[AsyncSession], Awaitable[Any]] | None = None,
) -> tuple[Any, Any]:
    """What ``first`` returns, and the outcome of ``second``, which begins while ``first`` has done all but commit,
    and has to wait for it.

    With ``then`` the first goes on, once the second waits for it. A refusal of ``second`` is its outcome.
    """
    async with stage.state.database.transaction() as session:
        begun = await first(session)
        asked = asyncio.ensure_future(outcome(second))
        await until_it_waits(stage, asked)
        if then is not None:
            begun = await then(session)
    return begun, await asked


async def outcome(call: Awaitable[Any]) -> Any:
    """What a use case returns, or the refusal that it raises."""
    try:
        return await call
    except DomainError as refusal:
        return refusal


async def at_once(calls: Sequence[Awaitable[Any]]) -> "Counter[str]":
    """Run all of them at once; how many came through (``done``), and how many were refused for which reason."""
    outcomes = await asyncio.gather(*map(outcome, calls))
    return Counter(one.reason if isinstance(one, DomainError) else "done" for one in outcomes)


async def use(stage: Stage, function: Any, *values: Any, actor_id: Any = None, **options: Any) -> Any:
    """A use case in a transaction of its own, at the time of the stage."""
    async with stage.state.database.transaction() as session:
        return await function(session, *values, actor_id=actor_id, now=stage.clock.now(), **options)


async def read(stage: Stage, function: Any, *values: Any, **options: Any) -> Any:
    """A use case that only reads."""
    async with stage.state.database.reading() as session:
        return await function(session, *values, **options)
