"""A document that a provider publishes, kept for a while (EV-11)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sentinel.core.clock import Clock
from sentinel.providers.errors import ProviderUnavailable
from sentinel.providers.upstream import unavailable

LIFETIME_SECONDS = 3600
RENEWAL_PAUSE_SECONDS = 60

T = TypeVar("T")


class Cached(Generic[T]):
    """One value that ``fetch`` gets, kept for 3600 s. Callers that need it at the same time share one fetch.

    An expired value is never used: when it cannot be fetched again, the caller gets the failure (L36).
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._fetched_at = 0
        self._renewed_at: int | None = None
        self._failures = 0
        self._failed: tuple[str, int] | None = None
        """Reason and retry time of the last fetch, if it failed."""

    def current(self) -> T | None:
        """The value, if there is one that has not expired."""
        # A clock that was set back must not prolong a life, hence the lower bound.
        return self._value if 0 <= self._clock.timestamp() - self._fetched_at < LIFETIME_SECONDS else None

    async def get(self) -> T:
        """The value, fetched if necessary; raises :class:`ProviderUnavailable`."""
        value = self.current()
        if value is not None:
            return value
        failures = self._failures
        async with self._lock:
            value = self.current()
            if value is not None:
                return value
            if failures != self._failures:
                # The fetch we waited for has failed. Trying again one after the other would keep the last of
                # many callers waiting for the sum of all time limits.
                raise self._failure()
            return await self._load()

    async def renew(self, seen: T) -> T:
        """A value newer than ``seen``, which lacked something: at most one fetch every 60 s, then ``seen`` again.

        While the last renewal failed nobody knows what a newer value holds: :class:`ProviderUnavailable`.
        """
        async with self._lock:
            value = self.current()
            if value is not None and value is not seen:
                return value
            now = self._clock.timestamp()
            if self._renewed_at is not None and 0 <= now - self._renewed_at < RENEWAL_PAUSE_SECONDS:
                if self._failed:
                    raise self._failure()
                return seen
            self._renewed_at = now
            return await self._load()

    async def _load(self) -> T:
        try:
            value = await self._fetch()
        except ProviderUnavailable as error:
            self._failures += 1
            self._failed = error.reason, error.retry_after
            raise
        self._value, self._fetched_at, self._failed = value, self._clock.timestamp(), None
        return value

    def _failure(self) -> ProviderUnavailable:
        """A failure of the caller's own that tells what the shared fetch met with (L28)."""
        reason, retry_after = self._failed or ("", 0)
        return unavailable(reason, retry_after=str(retry_after))
