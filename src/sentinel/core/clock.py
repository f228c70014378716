"""The only source of time: everything that compares or stamps a time asks a clock that it was given."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The system clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """The present moment as seconds since the epoch."""
        return time.time()

    def timestamp(self) -> int:
        """The present moment as whole seconds since the epoch (JWT NumericDate, RFC 7519 §2)."""
        return int(time.time())


class ManualClock(Clock):
    """A clock that stands still until it is moved, so that tests travel in time instead of waiting."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        return self._now.timestamp()

    def timestamp(self) -> int:
        return int(self._now.timestamp())

    def advance(self, seconds: float) -> None:
        """Move the clock by ``seconds``, forwards or (negative) backwards."""
        self._now += timedelta(seconds=seconds)
