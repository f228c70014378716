"""Failed sign-ins per address: many of them, for many people, look like somebody trying stolen passwords (SG-4).

Counted in windows that open with the first failure of an address and close after their length: in Redis for all
workers when there is one, else, or while it is away, in this process.
"""

import asyncio
import contextlib
import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from redis.asyncio import Redis

from sentinel.core.clock import Clock
from sentinel.core.redis import FAILURES

CONFIGURATION: Final = frozenset(
    {"provider_not_configured", "pkce_method_rejected", "redirect_uri_not_allowed"}
)
"""Refusals that speak of how an application is set up, not of who tries to get in. They do not count."""

PURPOSE: Final = b"sentinel.signals.stuffing"
MAX_ADDRESSES: Final = 10_000  # windows in this process; the oldest give way
CALL_TIMEOUT: Final = 1.0  # seconds for the call to Redis, whatever it waits for
RETRY_EVERY: Final = 3.0  # seconds in which a Redis that was away is not asked again

# One failure of an address: the counts, and whether this is the one that raises the signal of the window.
_COUNT: Final = """
local window, failures, people = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local total = redis.call("hincrby", KEYS[1], "failures", 1)
if total == 1 then redis.call("pexpire", KEYS[1], window) end
local raised = redis.call("hget", KEYS[1], "raised") == "1"
if ARGV[4] ~= "" and not raised then
  redis.call("sadd", KEYS[2], ARGV[4])
  redis.call("pexpire", KEYS[2], math.max(redis.call("pttl", KEYS[1]), 1))
end
local distinct = redis.call("scard", KEYS[2])
if raised or total < failures or distinct < people then return {total, distinct, 0} end
redis.call("hset", KEYS[1], "raised", "1")
return {total, distinct, 1}
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    ip: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class StuffingPolicy:
    """``failures`` and ``distinct_emails`` from one address within ``window`` are a signal."""

    failures: int
    distinct_emails: int
    window: timedelta


@dataclass(slots=True)
class _Window:
    ends: datetime
    failures: int = 0
    emails: set[str] = field(default_factory=set)
    raised: bool = False


class StuffingWatch:
    """The failure counters of one process. ``secret`` is what the hashes of addresses are keyed with (SG-7)."""

    def __init__(
        self, policy: StuffingPolicy, clock: Clock, *, secret: str, redis: Redis | None = None
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._key = hmac.new(secret.encode(), PURPOSE, hashlib.sha256).digest()
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._redis = redis
        self._script = redis.register_script(_COUNT) if redis else None
        self._retry_at = 0.0

    async def count(self, ip: str | None, email: str | None, reason: str) -> dict[str, int] | None:
        """Count one failure; the fields of the signal when it is the one that raises it, once per window.

        Whoever gets them raises the signal, or calls :meth:`release`.
        """
        if ip is None or reason in CONFIGURATION:
            return None
        digest = self._digest(email) if email else ""
        counted = await self._count_shared(ip, digest) or self._count_here(ip, digest)
        failures, distinct, is_the_one = counted
        if not is_the_one:
            return None
        return {
            "failures": failures,
            "distinct_emails": distinct,
            "window_minutes": self._policy.window // timedelta(minutes=1),
        }

    async def release(self, ip: str | None) -> None:
        """Take back that the signal of this window has been raised."""
        if ip is None:
            return
        if ip in self._windows:
            self._windows[ip].raised = False
        if self._redis and monotonic() >= self._retry_at:
            with contextlib.suppress(*FAILURES):
                async with asyncio.timeout(CALL_TIMEOUT):
                    await self._redis.hdel(_keys(ip)[0], "raised")

    async def aclose(self) -> None:
        """Let go of Redis."""
        if self._redis:
            with contextlib.suppress(*FAILURES):
                await self._redis.aclose()

    async def _count_shared(self, ip: str, digest: str) -> tuple[int, int, bool] | None:
        """The counts of all workers; None without Redis, and while it is away."""
        if self._script is None or monotonic() < self._retry_at:
            return None
        policy = self._policy
        milliseconds = policy.window // timedelta(milliseconds=1)
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                answer = await self._script(
                    _keys(ip), [milliseconds, policy.failures, policy.distinct_emails, digest]
                )
        except FAILURES:
            # That Redis is away is logged where the rate limits are counted.
            self._retry_at = monotonic() + RETRY_EVERY
            return None
        return int(answer[0]), int(answer[1]), bool(answer[2])

    def _count_here(self, ip: str, digest: str) -> tuple[int, int, bool]:
        window = self._window(ip)
        window.failures += 1
        if digest and not window.raised:
            window.emails.add(digest)
        distinct = len(window.emails)
        is_the_one = (
            not window.raised
            and window.failures >= self._policy.failures
            and distinct >= self._policy.distinct_emails
        )
        window.raised = window.raised or is_the_one
        return window.failures, distinct, is_the_one

    def _window(self, ip: str) -> _Window:
        now = self._clock.now()
        window = self._windows.get(ip)
        if window is None or window.ends <= now:
            self._windows.pop(ip, None)
            while self._windows:
                oldest = next(iter(self._windows.values()))
                if oldest.ends > now and len(self._windows) < MAX_ADDRESSES:
                    break
                self._windows.popitem(last=False)
            window = self._windows[ip] = _Window(now + self._policy.window)
        return window

    def _digest(self, email: str) -> str:
        plain = email.strip().lower().encode("utf-8", "surrogatepass")
        return hmac.new(self._key, plain, hashlib.sha256).hexdigest()


def _keys(ip: str) -> list[str]:
    # The braces keep both on one node of a cluster.
    return [f"sentinel:stuffing:{{{ip}}}:count", f"sentinel:stuffing:{{{ip}}}:emails"]
