"""Counters of rate limits, as storages of the library `limits`: in this process, or in Redis for all of them.

Both count in fixed windows that open with the first hit of a key and close after their length.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import limits.aio.storage
import limits.storage
from redis.asyncio import Redis

from sentinel.core.clock import Clock

MAX_KEYS: Final = 100_000  # windows held for each window length, at about half a kilobyte each

# For each key: count the hits (amount 0 only looks), and tell the total and the milliseconds left of the window.
# As in the fixed window of `limits`, the first hit opens it.
_COUNT: Final = """
local answer = {}
for i, key in ipairs(KEYS) do
  local seconds, amount = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local total
  if amount == 0 then
    total = tonumber(redis.call("get", key) or 0)
  else
    total = redis.call("incrby", key, amount)
  end
  local left = redis.call("pttl", key)
  if left == -1 then
    redis.call("expire", key, seconds)
    left = seconds * 1000
  end
  answer[2 * i - 1] = total
  answer[2 * i] = left
end
return answer
"""


@dataclass(slots=True)
class Window:
    """One key in one window: ``total`` as last heard (with what was sent since), ``pending`` not sent yet."""

    key: str
    seconds: int
    ends: float
    total: int = 0
    pending: int = 0
    learned: float = -math.inf
    used: float = -math.inf

    def learn(self, total: int, left: float, at: float) -> None:
        """Take in what Redis said at ``at``: the shared ``total``, and the seconds ``left`` of its window."""
        if left <= 0:  # No such key: the window is over for everybody.
            self.ends = at
            return
        # Answers overtake each other, so within a window the total only grows; a window that ends much later is
        # the next one.
        later = self.learned > -math.inf and at + left - self.ends > self.seconds / 2
        self.total = total if later else max(self.total, total)
        self.ends = at + left
        self.learned = at


class Windows:
    """Windows by key. Bounded: those that are over go first, then the oldest of the same length."""

    def __init__(self, capacity: int = MAX_KEYS) -> None:
        self._capacity = capacity
        self._by_length: dict[int, OrderedDict[str, Window]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_length.values()))

    def current(self, key: str, now: float) -> Window | None:
        """The window of ``key`` that runs at ``now``, if there is one."""
        for windows in self._by_length.values():
            if key in windows:
                return windows[key] if windows[key].ends > now else None
        return None

    def open(self, key: str, seconds: int, now: float) -> Window:
        """The same; a new one when there is none."""
        window = self.current(key, now)
        if window is None:
            windows = self._by_length.setdefault(seconds, OrderedDict())
            windows.pop(key, None)
            while windows:
                oldest = next(iter(windows.values()))
                if oldest.ends > now and len(windows) < self._capacity:
                    break
                windows.popitem(last=False)
            window = windows[key] = Window(key, seconds, now + seconds)
        return window

    def close(self, key: str) -> None:
        """Forget the window of ``key``."""
        for windows in self._by_length.values():
            windows.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._by_length.clear()


class MemoryCounters(limits.storage.Storage):
    """A storage for fixed windows in this process: bounded, without a thread, on the time of ``clock``."""

    STORAGE_SCHEME = ["sentinel-memory"]  # noqa: RUF012 - the library declares it without ClassVar

    def __init__(self, uri: str | None = None, *, clock: Clock, **_: Any) -> None:
        super().__init__(uri)
        self._clock = clock
        self._windows = Windows()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    # The library wraps the methods whose names it knows, so these two have names of their own.

    def count(self, key: str, seconds: int, amount: int = 1) -> int:
        """Count in the window of ``key``, which is so many seconds long; returns its total."""
        window = self._windows.open(key, seconds, self._clock.seconds())
        window.total += amount
        return window.total

    def total(self, key: str) -> int:
        """What has been counted in the window of ``key`` that runs now."""
        window = self._windows.current(key, self._clock.seconds())
        return window.total if window else 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.count(key, expiry, amount)

    def get(self, key: str) -> int:
        return self.total(key)

    def get_expiry(self, key: str) -> float:
        now = self._clock.seconds()
        window = self._windows.current(key, now)
        return window.ends if window else now

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.close(key)


class RedisCounters(limits.aio.storage.RedisStorage):
    """The Redis storage of `limits`: same keys, same windows, and many keys counted in one round trip."""

    STORAGE_SCHEME = ["async+sentinel-redis"]  # noqa: RUF012 - the library declares it without ClassVar

    def __init__(self, redis: Redis) -> None:
        pool: Any = redis.connection_pool
        super().__init__("async+redis://", implementation="redispy", connection_pool=pool)
        self._script = redis.register_script(_COUNT)

    async def count(self, hits: Sequence[tuple[str, int, int]]) -> list[tuple[int, float]]:
        """Count ``(key, seconds, amount)``; answer for each the total and the seconds left of its window."""
        keys = [self.bridge.prefixed_key(key) for key, _, _ in hits]
        arguments = [number for _, seconds, amount in hits for number in (seconds, amount)]
        answer = await self._script(keys, arguments)
        return [(int(answer[i]), int(answer[i + 1]) / 1000) for i in range(0, len(answer), 2)]
