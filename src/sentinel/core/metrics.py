"""Numbers about the running service, for Prometheus. Why one port serves all workers: ``docs/decisions/metrics.md``.

Every label comes from a closed set: templates of routes, names of limits and events, ids of checks. Nothing that a
caller sends becomes one. While :func:`enable` has not been called, every function here returns at once.
"""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import event
from sqlalchemy.engine import Engine

REGISTRY = CollectorRegistry()
"""What one process counts. With several workers the values lie in files that the parent process adds up."""

REQUESTS = Counter(
    "sentinel_http_requests_total",
    "Requests that were answered, by route template and status.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
DURATIONS = Histogram(
    "sentinel_http_request_duration_seconds",
    "Time from the arrival of a request to the end of its answer.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
DECISIONS = Counter(
    "sentinel_decisions_total",
    "Answers of the permission and action checks.",
    ["call", "outcome"],
    registry=REGISTRY,
)
EVENTS = Counter(
    "sentinel_events_total",
    "Security, audit and application events, as they are logged: tokens issued and rejected, sign-ins, guards.",
    ["event", "outcome"],
    registry=REGISTRY,
)
LIMITED = Counter(
    "sentinel_rate_limited_total",
    "Requests that were refused by a rate limit.",
    ["limit"],
    registry=REGISTRY,
)
CONNECTIONS = Gauge(
    "sentinel_database_connections_in_use",
    "Connections that are lent to requests just now.",
    ["pool"],
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
CONNECTIONS_MAX = Gauge(
    "sentinel_database_connections_max",
    "Connections that the pools may lend; whoever asks for one more waits, and is then answered 503.",
    ["pool"],
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
REDIS_AWAY = Gauge(
    "sentinel_redis_away",
    "1 while some worker cannot reach Redis and counts its rate limits alone.",
    multiprocess_mode="livemax",
    registry=REGISTRY,
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anything else that callers call a method is ``(other)``."""

_enabled = False
_direct_in_use: Callable[[], int] | None = None


def enable() -> None:
    """Begin to count; for the whole process and for good."""
    global _enabled
    _enabled = True


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """One request is over. ``route`` is its template."""
    if _enabled:
        method = method if method in METHODS else "(other)"
        REQUESTS.labels(method, route, str(status)).inc()
        DURATIONS.labels(method, route).observe(seconds)
        if _direct_in_use is not None:
            CONNECTIONS.labels("direct").set(_direct_in_use())


def decided(call: str, outcomes: Iterable[bool]) -> None:
    """Decisions were handed out: ``call`` is the kind of question, each outcome whether it was allowed."""
    if _enabled:
        for allowed in outcomes:
            DECISIONS.labels(call, "allowed" if allowed else "denied").inc()


def event_happened(name: str, outcome: str, times: int = 1) -> None:
    """An event of the vocabulary of ``core/logging.py``."""
    if _enabled:
        EVENTS.labels(name, outcome).inc(times)


def rate_limited(limit: str) -> None:
    """A request was one too many for the limit of that name."""
    if _enabled:
        LIMITED.labels(limit).inc()


def redis_away(away: bool) -> None:
    """Whether this worker has to count its limits alone."""
    if _enabled:
        REDIS_AWAY.set(int(away))


def watch_pool(engine: Engine, *, size: int) -> None:
    """Follow the pool of ``engine``, which lends at most ``size`` connections."""
    CONNECTIONS_MAX.labels("sessions").set(size)
    lent = CONNECTIONS.labels("sessions")

    def count(*_: Any) -> None:
        # Set and not counted up and down: a connection that breaks while it is lent leaves no trace.
        lent.set(engine.pool.checkedout())  # type: ignore[attr-defined]

    lent.set(0)
    event.listen(engine, "checkout", count)
    # A connection counts as lent until after its listeners have run, so the next look is what clears it.
    event.listen(engine, "checkin", lambda *_: lent.set(max(0, engine.pool.checkedout() - 1)))  # type: ignore[attr-defined]


def watch_direct(in_use: Callable[[], int], *, size: int) -> None:
    """Follow the connections for checks (``core/direct.py``), at most ``size``; ``in_use`` tells how many are lent.

    They are looked at whenever a request has been answered: a check holds its connection for less than a millisecond,
    and what matters here is that they are all taken and stay so.
    """
    global _direct_in_use
    _direct_in_use = in_use
    CONNECTIONS_MAX.labels("direct").set(size)
    CONNECTIONS.labels("direct").set(in_use())
