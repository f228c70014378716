"""Rate limits: http-api.md §0.8, configuration.md §5 item 7; the reasons stand in ``docs/decisions/rate-limits.md``.

slowapi's limiter with fixed windows counts in process memory; with `REDIS_URL` its storage is Redis, and all
workers share one count.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any, Final

from limits import RateLimitItem, parse
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis
from slowapi import Limiter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sentinel.api.middleware.client import client_address
from sentinel.api.middleware.route import route_template
from sentinel.core import metrics, tasks
from sentinel.core.clock import Clock
from sentinel.core.counters import MemoryCounters, RedisCounters, Window, Windows
from sentinel.core.logging import app_event, security_event
from sentinel.core.redis import FAILURES, connect, ping
from sentinel.settings import RateLimit, Settings

NAMESPACE: Final = "sentinel"
MAX_WARM: Final = 10_000  # windows kept up to date in the background; more of them are counted strictly
MAX_BUCKETS: Final = 10_000  # names of windows that are kept, so that they need not be put together again
BATCH: Final = 500  # windows a call, so that Redis never stands still for long
FLUSH_EVERY: Final = 1.0  # seconds between two background calls
STALE_AFTER: Final = 3.0  # seconds that a shared count is believed without hearing from Redis
WARM_FOR: Final = 5.0  # seconds after the last hit in which a window is kept up to date
RETRY_EVERY: Final = 3.0  # seconds between two tries to reach a Redis that is away
CALL_TIMEOUT: Final = 1.0  # seconds for a whole call, whatever it waits for
END_WITHIN: Final = 3.0  # seconds that the background calls may take to end
RESOLVE_CEILING: Final = 20  # times the resolve limit, for all tokens of one service together

# Hits of these are not worth a round trip each: far below the limit they are counted here and sent later.
BUFFERED: Final = frozenset({"default", "aggregate", "read", "service"})
# With Redis away these count in this process, where the others let everything pass (§0.8 rule 3).
GUARDED: Final = frozenset({"auth", "auth-admin", "failed-auth"})
# These are counted per route when the address is the key; the others over all their routes.
BY_ROUTE: Final = frozenset({"default", "auth", "auth-admin"})


class RateLimited(Exception):
    """The limit ``limit`` is reached; ``retry_after`` is the length of its window in seconds."""

    def __init__(self, limit: str, retry_after: int) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one hit counts in: a limit and whom it is counted for."""

    name: str
    item: RateLimitItem
    key: str
    seconds: int

    @property
    def exceeded(self) -> RateLimited:
        return RateLimited(self.name, self.seconds)


class FixedWindowLimiter(Limiter):
    """slowapi's limiter, configured by its arguments alone: it reads no environment of its own."""

    def __init__(self, clock: Clock) -> None:
        options: Any = {"clock": clock}
        super().__init__(
            client_ip, strategy="fixed-window", storage_uri="sentinel-memory://", storage_options=options
        )

    def get_app_config(self, key: str, default_value: Any = None) -> Any:
        return default_value


class MemoryLimiter(FixedWindowLimiter):
    """The limiter over `MemoryCounters`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        storage: Any = self.limiter.storage
        self.counters: MemoryCounters = storage

    def count(self, bucket: Bucket) -> int:
        """The hits in the running window of ``bucket``."""
        return self.counters.total(bucket.key)

    def hit(self, bucket: Bucket) -> None:
        """Count one hit; raise `RateLimited` when it is one too many."""
        # What the library's strategy does, with the name of the window that is known already.
        if self.counters.count(bucket.key, bucket.seconds) > bucket.item.amount:
            raise bucket.exceeded


class SharedLimiter(FixedWindowLimiter):
    """The limiter over `RedisCounters`.

    slowapi itself drives only storages that block the event loop; here it gets the asynchronous storage and
    strategy of the same library in their place.
    """

    def __init__(self, clock: Clock, redis: Redis) -> None:
        super().__init__(clock)
        self.counters = RedisCounters(redis)
        self._storage: Any = self.counters
        self._limiter: Any = FixedWindowRateLimiter(self.counters)


class RateLimits:
    """All limits of one process.

    With Redis the windows are Redis's and run on real time; ``clock`` drives the counters in memory. ``redis``
    is a client to share; without it one is made from `REDIS_URL`, if that is set. Only Redis needs `start`.
    """

    def __init__(self, settings: Settings, clock: Clock, redis: Redis | None = None) -> None:
        self._items = _items(settings)
        self._memory = MemoryLimiter(clock)
        self._owned = connect(settings) if redis is None and settings.rate_limit_enabled else None
        self._redis = redis or self._owned
        self._shared = SharedLimiter(clock, self._redis) if self._redis else None
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._known = Windows()
        self._warm: dict[str, Window] = {}
        self._away = False
        self._retry_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> bool:
        """Whether Redis is configured and away, so that the counters are not shared just now."""
        return self._away

    async def start(self) -> None:
        """Begin to tell Redis the buffered hits about once a second, and to look for it while it is away."""
        if self._shared and self._task is None:
            self._task = asyncio.create_task(self._run(), name="rate-limit-flush")

    async def aclose(self) -> None:
        """Tell Redis what is left and let go of it."""
        if self._task:
            await tasks.end([self._task], END_WITHIN)
            self._task = None
            await self.flush()
        if self._owned:
            with contextlib.suppress(*FAILURES):
                await self._owned.aclose()

    async def hit(self, name: str, *key: str) -> None:
        """Count one request of ``key`` in the limit ``name``. Raise `RateLimited` when it is one too many."""
        bucket = self._bucket(name, key)
        if bucket is not None and not self._hit_later(bucket):
            await self.hit_all((name, *key))

    async def hit_all(self, *hits: tuple[str, ...]) -> None:
        """Count one request in several limits, each given as ``(name, *key)``; one call to Redis at most.

        ``("resolve", service, digest), ("resolve-ceiling", service)`` is how `/authz/resolve` counts.
        """
        buckets = [bucket for name, *key in hits if (bucket := self._bucket(name, key))]
        if not buckets:
            return
        if self._shared is None:
            for bucket in buckets:
                self._memory.hit(bucket)
        elif self._away:
            self._hit_alone(buckets)
        else:
            await self._hit_shared(self._shared, buckets)

    def check_failed_auth(self, ip: str) -> None:
        """Raise `RateLimited` when ``ip`` has failed too often already. Counts nothing and asks nobody."""
        bucket = self._bucket("failed-auth", [ip])
        if bucket and max(self._heard(bucket), self._memory.count(bucket)) >= bucket.item.amount:
            raise bucket.exceeded

    async def record_failed_auth(self, ip: str) -> None:
        """Count a credential of ``ip`` that looks forged.

        Raise `RateLimited` when the limit was reached before, also by failures that other workers saw: the
        caller then answers 429 in place of 401.
        """
        await self.hit("failed-auth", ip)

    async def flush(self) -> None:
        """Tell Redis the buffered hits and learn the shared counts; if Redis is away, see whether it is back."""
        if self._redis is None or self._shared is None or (self._away and monotonic() < self._retry_at):
            return
        due = self._due(monotonic())
        try:
            batch = list(islice(due, BATCH))
            # An idle worker asks too, so that every one knows whether Redis is there.
            if (self._away or not batch) and not await ping(self._redis):
                raise ConnectionError
            while batch:
                await self._tell(self._shared, batch, 0)
                batch = list(islice(due, BATCH))
        except FAILURES as error:
            self._lost(error)
        else:
            self._found()

    # ── inside ──

    def _bucket(self, name: str, key: Sequence[str]) -> Bucket | None:
        item = self._items[name]
        if item is None:
            return None
        known = self._buckets.get((name, *key))
        if known is None:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            told = item.key_for(name, *map(_part, key))
            known = self._buckets[name, *key] = Bucket(name, item, told, item.get_expiry())
        return known

    def _hit_later(self, bucket: Bucket) -> bool:
        """Count a hit that Redis need not hear of at once; False when it is not such a one, and is not counted."""
        window = self._warm.get(bucket.key)
        if window is None or self._away or bucket.name not in BUFFERED:
            return False
        now = monotonic()
        if (
            window.ends <= now
            or now - window.learned >= STALE_AFTER
            or window.total + window.pending >= bucket.item.amount // 4
        ):
            return False
        window.used = now
        window.pending += 1
        return True

    def _heard(self, bucket: Bucket) -> int:
        window = self._known.current(bucket.key, monotonic())
        return window.total if window else 0

    def _hit_alone(self, buckets: Sequence[Bucket]) -> None:
        for bucket in buckets:
            if bucket.name in GUARDED:
                if self._heard(bucket) >= bucket.item.amount:
                    raise bucket.exceeded
                self._memory.hit(bucket)

    async def _hit_shared(self, shared: SharedLimiter, buckets: Sequence[Bucket]) -> None:
        now = monotonic()
        windows = [self._known.open(bucket.key, bucket.seconds, now) for bucket in buckets]
        for bucket, window in zip(buckets, windows, strict=True):
            # The count of a window never sinks, so this needs no asking: a flood costs Redis nothing.
            if window.total >= bucket.item.amount:
                raise bucket.exceeded
        strict: list[tuple[Bucket, Window]] = []
        for bucket, window in zip(buckets, windows, strict=True):
            window.used = now
            if bucket.name in BUFFERED and (window.key in self._warm or len(self._warm) < MAX_WARM):
                self._warm[window.key] = window
                if (
                    now - window.learned < STALE_AFTER
                    and window.total + window.pending < bucket.item.amount // 4
                ):
                    window.pending += 1
                    continue
            strict.append((bucket, window))
        if not strict:
            return
        try:
            totals = await self._tell(shared, [window for _, window in strict], 1)
        except FAILURES as error:
            self._lost(error)
            self._hit_alone([bucket for bucket, _ in strict])
            return
        for (bucket, _), total in zip(strict, totals, strict=True):
            if total > bucket.item.amount:
                raise bucket.exceeded

    async def _tell(self, shared: SharedLimiter, windows: Sequence[Window], hits: int) -> list[int]:
        """Send the pending hits of ``windows`` and ``hits`` more of each; the totals that came of these."""
        told = []
        for window in windows:
            amount, window.pending = window.pending + hits, 0
            # Counted at once, so that the hits that come while this one waits see it.
            window.total += amount
            told.append((window.key, window.seconds, amount))
        at = monotonic()
        async with asyncio.timeout(CALL_TIMEOUT):
            answers = await shared.counters.count(told)
        for window, (total, left) in zip(windows, answers, strict=True):
            window.learn(total, left, at)
        return [total for total, _ in answers]

    def _due(self, now: float) -> Iterator[Window]:
        """The windows to tell Redis about. Those that are over or out of use are forgotten on the way."""
        for key, window in list(self._warm.items()):
            # Hits of a window that is over need no telling: the window is over.
            if window.ends <= now or (not window.pending and now - window.used > WARM_FOR):
                if self._warm.get(key) is window:
                    del self._warm[key]
            else:
                yield window

    def _lost(self, error: BaseException) -> None:
        self._retry_at = monotonic() + RETRY_EVERY
        if not self._away:
            self._away = True
            metrics.redis_away(True)
            app_event(
                "app.log",
                outcome="error",
                reason="redis_down",
                level="warning",
                message="Redis cannot be reached, so the workers do not share their rate limits until it is "
                "back. Look at the server that REDIS_URL names.",
                error=type(error).__name__,
            )

    def _found(self) -> None:
        if self._away:
            self._away = False
            metrics.redis_away(False)
            app_event("app.log", message="Redis is back: rate limits are shared again.")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            try:
                await self.flush()
            except Exception as error:
                self._lost(error)


def _items(settings: Settings) -> dict[str, RateLimitItem | None]:
    """The limits by name; None means off."""
    resolve = settings.rate_limit_authz_resolve
    configured: dict[str, RateLimit | None] = {
        "default": settings.rate_limit_default,
        "aggregate": settings.rate_limit_aggregate,
        "auth": settings.rate_limit_auth,
        "auth-admin": settings.rate_limit_auth_admin,
        "resolve": resolve,
        "resolve-ceiling": RateLimit(resolve.count * RESOLVE_CEILING, resolve.per),
        "read": settings.rate_limit_read,
        "admin-write": settings.rate_limit_admin_write,
        "sensitive": settings.rate_limit_sensitive,
        "service": settings.rate_limit_service,
        "failed-auth": settings.rate_limit_failed_auth,
    }
    items: dict[str, RateLimitItem | None] = {}
    for name, limit in configured.items():
        items[name] = parse(str(limit)) if limit and settings.rate_limit_enabled else None
        if item := items[name]:
            item.namespace = NAMESPACE
    return items


def _part(text: str) -> str:
    """``text`` as one part of a key: parts cannot run into each other, and none is long."""
    plain = text.replace("%", "%25").replace("/", "%2F")
    return plain if len(plain) <= 128 else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# ── at the door ──


def client_ip(request: Request) -> str:
    """The client's address, as the middleware found it."""
    state = request.scope.get("state", {})
    return str(state.get("client_ip") or client_address(request.scope, False, 1))


def _limits(request: Request) -> RateLimits:
    found: RateLimits = request.app.state.limits
    return found


def _hit(name: str, request: Request) -> tuple[str, ...]:
    ip = client_ip(request)
    return (name, ip, _route(request)) if name in BY_ROUTE else (name, ip)


def _route(request: Request) -> str:
    # A route is its methods and its template; GET and HEAD of one route share a bucket.
    methods = getattr(request.scope.get("route"), "methods", None) or {request.method}
    return f"{','.join(sorted(methods))} {route_template(request.scope)}"


def limit(name: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that counts the request for the client's address: by route where the limit is by route."""

    async def limited(request: Request) -> None:
        await _limits(request).hit_all(_hit(name, request))

    return limited


async def limit_default(request: Request) -> None:
    """The dependency of routes without a named limit: default and aggregate."""
    await _limits(request).hit_all(_hit("default", request), _hit("aggregate", request))


async def rate_limited_handler(request: Request, exc: Exception) -> Response:
    """The answer to `RateLimited`: 429 and one ``ratelimit.exceeded`` line (§0.8 rule 5)."""
    if not isinstance(exc, RateLimited):
        raise exc
    metrics.rate_limited(exc.limit)
    security_event(
        "ratelimit.exceeded",
        outcome="denied",
        reason="rate_limited",
        level="warning",
        limit=exc.limit,
        route=route_template(request.scope),
        source_ip=client_ip(request),
    )
    return JSONResponse({"detail": "Too many requests"}, 429, {"Retry-After": str(exc.retry_after)})
