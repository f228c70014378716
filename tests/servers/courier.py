"""Asynchronous work on behalf of synchronous callers, such as fixtures."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Courier:
    """A thread with an event loop. It works whatever loop the caller has or runs itself."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="test-servers")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``, once it is done."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the thread."""
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest revision, whatever loop the caller may be in."""
    from sentinel import migrations  # the servers themselves need nothing of the application

    courier = Courier()
    try:
        courier.run(migrations.upgrade(url))
    finally:
        courier.close()
