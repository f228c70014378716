"""Traces: what is in a span, and what never is. ``core/tracing.py``"""

import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from sentinel.core import tracing
from tests import served
from tests.stage import Keys, Stage, open_stage
from tests.upgrades import world

pytestmark = pytest.mark.anyio

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
INCOMING = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.enable(provider)
    yield exporter
    tracing.disable()


@pytest.fixture
async def traced(
    anyio_backend: Any, spans: InMemorySpanExporter, database_url: str, redis_url: str, stage_keys: Keys
) -> AsyncIterator[Stage]:
    limits: dict[str, Any] = {"rate_limit_auth": "10000/minute", "rate_limit_default": ""}
    async with open_stage(
        database_url,
        stage_keys,
        redis_url=redis_url,
        rate_limit_enabled=True,
        rate_limit_aggregate="",
        **limits,
    ) as stage:
        yield stage


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_request_is_one_span_and_what_it_asks_for_lies_within(
    traced: Stage, spans: InMemorySpanExporter
) -> None:
    user = await traced.user()
    workspace = await traced.workspace(user)
    service = await traced.service()
    headers = await traced.as_user(user, workspace) | service.headers
    spans.clear()
    wish = {"service_name": "notes", "action": "export", "workspace_id": str(workspace.id)}
    answer = await traced.client.post(
        "/roles/check-action",
        json=wish,
        headers=headers | {"traceparent": INCOMING, "X-Request-ID": "the-request"},
    )
    assert answer.status_code == 200, answer.text
    *inner, outer = spans.get_finished_spans()
    assert outer.name == "POST /roles/check-action" and outer.kind is SpanKind.SERVER
    assert attributes(outer) == {
        "http.request.method": "POST",
        "http.route": "/roles/check-action",
        "http.response.status_code": 200,
        "sentinel.request_id": "the-request",
    }
    assert outer.context and outer.parent
    assert f"{outer.context.trace_id:032x}" == TRACE and f"{outer.parent.span_id:016x}" == PARENT
    statements = [span for span in inner if "db.query.text" in attributes(span)]
    assert len(statements) == 1  # the call has one
    [statement] = statements
    assert statement.name.startswith("SELECT ") and statement.kind is SpanKind.CLIENT
    assert statement.parent and statement.parent.span_id == outer.context.span_id
    assert attributes(statement)["db.system.name"] == (
        "sqlite" if traced.settings.is_sqlite else "postgresql"
    )
    assert "traceparent" not in answer.headers


async def test_a_path_is_named_by_its_template_and_a_failure_by_its_type(
    traced: Stage, spans: InMemorySpanExporter
) -> None:
    spans.clear()
    await traced.client.get("/no/such/secret-path?token=secret-query")
    await traced.client.request("BREW", "/health", headers={"traceparent": "no-traceparent"})
    async with traced.without_database():
        await traced.client.get("/health/ready")
    names = [span.name for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert names == ["GET (unmatched)", "_OTHER /health", "GET /health/ready"]
    failed = [span for span in spans.get_finished_spans() if span.status.status_code is StatusCode.ERROR]
    assert failed and all(not span.events for span in failed)
    assert "secret" not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_nothing_that_people_or_callers_sent_is_in_a_span(
    traced: Stage, spans: InMemorySpanExporter
) -> None:
    """A whole world is furnished, signed in to and asked about; then every span is read."""
    known = await world.furnish(traced)
    await world.hold(traced, known)
    finished = spans.get_finished_spans()
    text = "\n".join(span.to_json() for span in finished)
    kinds = {span.name.split()[0] for span in finished if span.kind is SpanKind.CLIENT}
    assert {"SELECT", "INSERT", "UPDATE", "GET", "POST", "EVALSHA"} <= kinds
    assert {"GET /auth/callback/{provider}", "POST /auth/token"} <= {span.name for span in finished}
    secrets = {*known.credentials.values(), "sub-ada", "idp-secret", traced.settings.base_url}
    for token in known.credentials.values():
        if token.count(".") == 2:
            secrets |= set(token.split("."))
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            secrets |= {str(claims["sub"]), str(claims.get("jti"))} - {"None"}
    for name in world.PEOPLE:
        secrets |= {f"{name}@example.com", name.title()}
    secrets |= {"@example.com", "Élan", "127.0.0.1", "stage/1.0", "Acme", "Writers", "Press"}
    assert {secret for secret in secrets if secret in text} == set()
    # What belongs to a request is a child of it; jobs that run by themselves make no traces of their own.
    assert all(span.parent is not None for span in finished if span.kind is SpanKind.CLIENT)


async def test_an_installation_without_traces_has_nothing_of_them(stage: Stage) -> None:
    assert not tracing.enabled()
    # The framework has telemetry of its own, which is not as careful.
    telemetry = stage.app.api._telemetry
    assert [name for name in telemetry if telemetry[name]] == []  # type: ignore[literal-required]
    assert "Traced" not in type(stage.state.database.direct).__name__
    layers: list[str] = []
    layer: Any = stage.app._asgi
    while layer is not None:
        layers.append(type(layer).__name__)
        layer = getattr(layer, "app", None)
    assert "RequestId" in layers and "Trace" not in layers


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, None),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_SDK_DISABLED": "true",
            },
            None,
        ),
    ],
)
def test_the_standard_variables_decide(environ: dict[str, str], said: str | None) -> None:
    found = tracing.problem(environ)
    assert (found is None) if said is None else (found is not None and said in found)
    assert tracing.wanted(environ) == (
        any(name in environ for name in tracing.ENDPOINTS) and "OTEL_SDK_DISABLED" not in environ
    )


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """What receives traces: its address, and everything that came."""
    came: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # Traces and nothing else: no log records, no metrics.
            came.append(ExportTraceServiceRequest.FromString(body if self.path == "/v1/traces" else b""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()


def test_a_served_process_sends_its_traces_before_it_ends(
    sqlite_url: str, stage_keys: Keys, tmp_path: Path
) -> None:
    with collector() as (address, came):
        variables = served.environment(
            sqlite_url, stage_keys, OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="60000"
        )
        with served.serving(variables, tmp_path) as service:
            assert service.ask("GET", "/health")[0] == 200
            service.stop()
    resources = [sent.resource for request in came for sent in request.resource_spans]
    about = {entry.key: entry.value.string_value for entry in resources[0].attributes}
    assert about["service.name"] == "sentinel" and about["service.version"]
    assert {scope.scope.name for sent in came for r in sent.resource_spans for scope in r.scope_spans} == {
        "sentinel"
    }
    assert all(sent.resource_spans for sent in came)
    names = {
        span.name
        for request in came
        for sent in request.resource_spans
        for scope in sent.scope_spans
        for span in scope.spans
    }
    assert "GET /health" in names
