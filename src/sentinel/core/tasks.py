"""The end of tasks that run beside the requests."""

import asyncio
from collections.abc import Collection
from time import monotonic
from typing import Any

AGAIN = 0.5
"""Seconds after which a task that was cancelled and goes on is cancelled once more."""


async def end(tasks: Collection[asyncio.Task[Any]], within: float) -> set[asyncio.Task[Any]]:
    """Cancel ``tasks`` and wait for their end, for ``within`` seconds at most; returns those that have not ended.

    One cancellation may get lost: before Python 3.12 ``asyncio.wait_for`` drops one that comes in the moment of its
    result, and the client of Redis sends with it. A task without an end of its own would then go on for ever.
    """
    late, until = set(tasks), monotonic() + within
    while late and (left := until - monotonic()) > 0:
        for task in late:
            task.cancel()
        _ended, late = await asyncio.wait(late, timeout=min(left, AGAIN))
    return late
