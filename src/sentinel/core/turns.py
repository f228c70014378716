"""Work that is too short for a thread and too long to be done dozens of times on end."""

import asyncio
from collections import deque


class Turns:
    """Lets no more than ``most`` pieces of work be done in one turn of the event loop.

    Between two turns the loop sees what has come in meanwhile. So those that wait for something else, like an answer
    of the database, need not wait until all of the work is done.
    """

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._called = 0
        """Those that were called in this turn, and work in the next one."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop whose turns are counted just now; None while there is no work."""

    async def take(self) -> None:
        """Return when the caller may work: at once, before it awaits anything else. Who waits longest is the first."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # There was no work, or the loop has ended in the midst of it.
            self._loop, self._left, self._called = loop, self._most, 0
            self._waiting.clear()
            loop.call_soon(self._next, loop)
        if self._left:
            self._left -= 1
            return
        call: asyncio.Future[None] = loop.create_future()
        self._waiting.append(call)
        await call

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return
        working, self._called = self._called, 0
        while self._called < self._most and self._waiting:
            call = self._waiting.popleft()
            if not call.done():
                call.set_result(None)
                self._called += 1
        # Nobody overtakes those that have been waiting.
        self._left = 0 if self._called else self._most - working
        if working or self._called:
            loop.call_soon(self._next, loop)
        else:
            self._loop = None
