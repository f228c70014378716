"""The end of tasks that run beside the requests (``core/tasks.py``)."""

import asyncio

import pytest

from sentinel.core import tasks

pytestmark = pytest.mark.anyio


async def deaf(times: int) -> None:
    """Goes on for ever, and does not hear that many cancellations."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if not times:
                raise
            times -= 1


async def test_a_task_that_has_not_heard_its_end_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN", 0.01)
    hears, deaf_once, deaf_twice = started = [asyncio.create_task(deaf(times)) for times in range(3)]
    await asyncio.sleep(0)
    assert await tasks.end(started, 60) == set()
    assert hears.cancelled() and deaf_once.cancelled() and deaf_twice.cancelled()


async def test_nobody_waits_for_ever_for_one_that_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN", 0.01)
    hears, hardly = asyncio.create_task(deaf(0)), asyncio.create_task(deaf(1000))
    await asyncio.sleep(0)
    assert await tasks.end([hears, hardly], 0.1) == {hardly}
    assert hears.cancelled() and not hardly.done()
    # So that nothing of this test goes on.
    monkeypatch.setattr(tasks, "AGAIN", 0)
    assert await tasks.end([hardly], 60) == set()
