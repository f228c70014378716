"""What :mod:`sentinel.core.metrics` counts with; loaded when something is counted, because it takes a megabyte."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
