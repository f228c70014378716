"""The decision cache: off unless an application asks for it.

An entry is kept under everything that the decision depends on, with the token as a hash; own writes clear all of
it. What others write is not seen until an entry has aged, which is the price of turning it on: keep it short.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

CAPACITY = 2048


def digest(token: str) -> str:
    """What stands for a token in a key: the token itself is not kept."""
    return hashlib.sha256(token.encode()).hexdigest()


class DecisionCache:
    """Answers of the last ``ttl`` seconds, at most ``capacity`` of them; 0 seconds keeps nothing."""

    def __init__(
        self, ttl: float, *, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ttl = ttl
        self.capacity = capacity
        self.generation = 0
        """Raised by every ``clear``: an answer that was asked for before a write is not kept after it."""
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"DecisionCache(ttl={self.ttl}, entries={len(self)})"

    def get(self, key: Hashable) -> Any:
        """The answer kept under ``key``, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, answer = entry
        if expires <= self._clock():
            del self._entries[key]
            return None
        return answer

    def put(self, key: Hashable, answer: Any, generation: int) -> None:
        """Keep an answer, unless something was written since ``generation`` was read."""
        if self.ttl <= 0 or generation != self.generation:
            return
        self._entries.pop(key, None)
        if len(self._entries) >= self.capacity:
            self._evict()
        self._entries[key] = (self._clock() + self.ttl, answer)

    def clear(self) -> None:
        """Forget everything."""
        self.generation += 1
        self._entries.clear()

    def _evict(self) -> None:
        now = self._clock()
        for key in [key for key, (expires, _) in self._entries.items() if expires <= now]:
            del self._entries[key]
        while len(self._entries) >= self.capacity:
            self._entries.popitem(last=False)
