"""Traces for OpenTelemetry: requests, and within them SQL statements, calls to identity providers, and Redis.

Off, and free of cost, unless the standard variable ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or the one for traces alone) is set
and the extra ``sentinel-auth[otel]`` is installed; where, how often and under which name spans go is for the other
standard variables to say. Like those, it is read from the environment of the process and not from ``.env``.

What a caller or a person has sent is in no attribute but the request id: no path, query, header, body or address, only
templates, names of hosts that an operator configured, and statements without their values. Errors are named by their
type, because their texts may quote. A ``traceparent`` (W3C Trace Context) that comes in is followed; none is sent to
anybody outside.
"""

import importlib.util
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from threading import Thread
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from sentinel.core.direct import Query, Reads

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer
    from redis.asyncio import Redis

    from sentinel.core.database import Database

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
EXTRA = "sentinel-auth[otel]"
FLUSH_SECONDS = 3.0
"""How long the end of the service waits for a collector that takes its time."""
LONGEST_STATEMENT = 2000
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_tracer: "Tracer | None" = None
_provider: "TracerProvider | None" = None

Answered = Callable[[int], None]
"""To be called with the status of an answer."""


# ── on and off ──


def wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables ask for traces."""
    return (
        any(environ.get(name, "").strip() for name in ENDPOINTS)
        and environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
        and environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() in ("", "otlp")
    )


def problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """Why traces that are asked for cannot be sent, and how to mend it; None when all is well or none are asked for."""
    if not wanted(environ):
        return None
    variable = next(name for name in ENDPOINTS if environ.get(name, "").strip())
    for name in PROTOCOLS:
        if environ.get(name, "").strip() not in ("", PROTOCOL):
            return f"No traces are sent: {name} is not {PROTOCOL}, which is the one that is spoken here."
    if not (_installed("opentelemetry.sdk") and _installed("opentelemetry.exporter.otlp.proto.http")):
        return (
            f"No traces are sent: {variable} is set, and what sends them is not installed. "
            f"Run: pip install '{EXTRA}'; or remove the variable."
        )
    return None


def begin(version: str) -> None:
    """Send traces from now on, for the whole process and for good, if they are asked for and can be sent."""
    if _tracer is not None or not wanted() or problem():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {"service.version": version}
    if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        about["service.name"] = "sentinel"
    # At the end of the process nothing waits for the collector but flush().
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    enable(provider)


def enable(provider: "TracerProvider") -> None:
    """Make spans with ``provider`` from now on; what was built before does not."""
    global _tracer, _provider
    _provider = provider
    _tracer = provider.get_tracer("sentinel")


def disable() -> None:
    """Make no more spans."""
    global _tracer, _provider
    _tracer = _provider = None


def enabled() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def flush() -> None:
    """Send what has not been sent yet; wait for it a few seconds at most."""
    if _provider is not None:
        sending = Thread(target=_provider.force_flush, daemon=True, name="traces")
        sending.start()
        sending.join(FLUSH_SECONDS)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


# ── what is traced ──


class Request:
    """The span of one request, while it is being answered."""

    def __init__(self, span: "Span", method: str) -> None:
        self._span = span
        self._method = method

    def answered(self, route: str, status: int) -> None:
        """The request is over; ``route`` is its template."""
        from opentelemetry.trace import Status, StatusCode

        self._span.update_name(f"{self._method} {route}")
        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def request(method: str, headers: Mapping[str, str], request_id: str) -> Iterator[Request]:
    """A request is being answered. ``headers`` are its trace headers and no others. Only while enabled."""
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    assert _tracer is not None
    method = method if method in METHODS else "_OTHER"
    with _tracer.start_as_current_span(
        method,
        context=TraceContextTextMapPropagator().extract(headers),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": method, "sentinel.request_id": request_id},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield Request(span, method)


@contextmanager
def outbound(method: str, host: str) -> Iterator[Answered]:
    """A call to another system, whose ``host`` an operator has configured."""
    if not _within_a_trace():
        yield _nothing
        return
    with _client(f"{method} {host}", {"http.request.method": method, "server.address": host}) as span:
        yield lambda status: span.set_attribute("http.response.status_code", status)


def watch_database(database: "Database") -> None:
    """Make spans of the statements of ``database`` that belong to a request."""
    system = "sqlite" if database.is_sqlite else "postgresql"
    engine = database.engine.sync_engine

    def before(
        connection: sa.Connection, _cursor: Any, text: str, _values: Any, _context: Any, _many: bool
    ) -> None:
        if _within_a_trace():
            assert _tracer is not None
            span = _tracer.start_span(_name(text), kind=_kind(), attributes=_statement(system, text))
            connection.info.setdefault("spans", []).append(span)

    def after(connection: sa.Connection, *_: Any) -> None:
        if spans := connection.info.get("spans"):
            spans.pop().end()

    def failed(context: Any) -> None:
        if context.connection is not None and (spans := context.connection.info.get("spans")):
            span = spans.pop()
            _fail(span, context.original_exception)
            span.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)
    database.direct = _TracedReads(database.direct, system, engine.dialect)


def watch_redis(redis: "Redis") -> None:
    """Make spans of the commands of ``redis`` that belong to a request; of each its name alone."""
    plain: Any = redis.execute_command

    async def execute_command(*words: Any, **options: Any) -> Any:
        if not _within_a_trace():
            return await plain(*words, **options)
        name = str(words[0]).upper()
        with _client(name, {"db.system.name": "redis", "db.operation.name": name}):
            return await plain(*words, **options)

    redis.execute_command = execute_command  # type: ignore[method-assign]


class _TracedReads:
    """The reads of ``inner``, each in a span."""

    def __init__(self, inner: Reads, system: str, dialect: sa.Dialect) -> None:
        self._inner = inner
        self._system = system
        self._dialect = dialect

    async def fetch(self, query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        if not _within_a_trace():
            return await self._inner.fetch(query, values, long=long)
        text = query.compiled(self._dialect).text
        with _client(_name(text), _statement(self._system, text)):
            return await self._inner.fetch(query, values, long=long)

    async def close(self) -> None:
        await self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


# ── spans ──


def _within_a_trace() -> bool:
    """Whether a request is being answered whose trace is kept: what jobs do by themselves would drown it."""
    if _tracer is None:
        return False
    from opentelemetry.trace import get_current_span

    return get_current_span().is_recording()


@contextmanager
def _client(name: str, attributes: dict[str, str]) -> Iterator["Span"]:
    assert _tracer is not None
    with _tracer.start_as_current_span(
        name, kind=_kind(), attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            _fail(span, error)
            raise


def _kind() -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind.CLIENT


def _fail(span: "Span", error: BaseException) -> None:
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR))


def _statement(system: str, text: str) -> dict[str, str]:
    return {"db.system.name": system, "db.query.text": _short(text)}


@lru_cache(maxsize=1000)
def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_STATEMENT]


@lru_cache(maxsize=1000)
def _name(text: str) -> str:
    """What a statement does and to which table first: ``SELECT users``."""
    word = re.match(r"\s*(\w+)", text)
    table = re.search(r"\b(?:FROM|INTO|UPDATE)\s+\"?([a-z_]+)", text)
    return " ".join(found[1] for found in (word, table) if found) or "SQL"


def _nothing(_status: int) -> None:
    return None
