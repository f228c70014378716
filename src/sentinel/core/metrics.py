"""Numbers about the running service, for Prometheus. Why one port serves all workers: ``docs/decisions/metrics.md``.

Every label comes from a closed set: templates of routes, names of limits and events, ids of checks. Nothing that a
caller sends becomes one. While :func:`enable` has not been called, every function here returns at once.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anything else that callers call a method is ``(other)``."""

_on: Any = None
"""The module of the instruments while they count."""
_direct_in_use: Callable[[], int] | None = None


def enable() -> None:
    """Begin to count; for the whole process and for good."""
    global _on
    from sentinel.core import instruments

    _on = instruments


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """One request is over. ``route`` is its template."""
    if _on is not None:
        method = method if method in METHODS else "(other)"
        _on.REQUESTS.labels(method, route, str(status)).inc()
        _on.DURATIONS.labels(method, route).observe(seconds)
        if _direct_in_use is not None:
            _on.CONNECTIONS.labels("direct").set(_direct_in_use())


def decided(call: str, outcomes: Iterable[bool]) -> None:
    """Decisions were handed out: ``call`` is the kind of question, each outcome whether it was allowed."""
    if _on is not None:
        for allowed in outcomes:
            _on.DECISIONS.labels(call, "allowed" if allowed else "denied").inc()


def event_happened(name: str, outcome: str, times: int = 1) -> None:
    """An event of the vocabulary of ``core/logging.py``."""
    if _on is not None:
        _on.EVENTS.labels(name, outcome).inc(times)


def rate_limited(limit: str) -> None:
    """A request was one too many for the limit of that name."""
    if _on is not None:
        _on.LIMITED.labels(limit).inc()


def redis_away(away: bool) -> None:
    """Whether this worker has to count its limits alone."""
    if _on is not None:
        _on.REDIS_AWAY.set(int(away))


def watch_pool(engine: Engine, *, size: int) -> None:
    """Follow the pool of ``engine``, which lends at most ``size`` connections."""
    _on.CONNECTIONS_MAX.labels("sessions").set(size)
    lent = _on.CONNECTIONS.labels("sessions")

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
    _on.CONNECTIONS_MAX.labels("direct").set(size)
    _on.CONNECTIONS.labels("direct").set(in_use())
