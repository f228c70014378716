"""The port of ``/metrics``: another one than the public one, and one for all worker processes."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sentinel import __version__
from sentinel.checklist import Finding
from sentinel.cli.server import PortProblem
from sentinel.core import instruments, metrics
from sentinel.settings import Settings

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Read by prometheus-client when it is loaded: in the workers, not in this process, which loaded it long ago."""


@contextmanager
def metrics_port(settings: Settings, findings: Sequence[Finding]) -> Iterator[None]:
    """Serve ``/metrics`` on ``METRICS_PORT`` as long as the block runs.

    ``findings`` are those of the checklist at start. Raises :class:`PortProblem`.
    """
    metrics.enable()
    registry = CollectorRegistry()
    folder = None
    if settings.web_concurrency > 1:
        folder = Path(tempfile.mkdtemp(prefix="sentinel-metrics-"))
        os.environ[VARIABLE] = str(folder)
        registry.register(Workers(folder))
    else:
        registry.register(instruments.REGISTRY)
    try:
        _about_this_start(registry, settings, findings)
        with _server(settings, registry) as server:
            Thread(target=server.serve_forever, daemon=True, name="metrics").start()
            try:
                yield
            finally:
                server.shutdown()
    finally:
        if folder is not None:
            os.environ.pop(VARIABLE, None)
            shutil.rmtree(folder, ignore_errors=True)


class Workers(Collector):
    """The sum over all workers. What one has counted stays counted when it has died; what it held does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._inside = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        for file in self.folder.glob("gauge_live*_*.db"):
            if not _alive(int(file.stem.rpartition("_")[2])):
                file.unlink(missing_ok=True)
        found: Iterable[Metric] = self._inside.collect()  # type: ignore[no-untyped-call]
        return found


def _about_this_start(registry: CollectorRegistry, settings: Settings, findings: Sequence[Finding]) -> None:
    build = Gauge("sentinel_build_info", "The version that runs.", ["version", "tier"], registry=registry)
    build.labels(__version__, settings.tier).set(1)
    Gauge("sentinel_workers", "Worker processes that were asked for.", registry=registry).set(
        settings.web_concurrency
    )
    found = Gauge(
        "sentinel_checklist_findings",
        "Findings of the production checklist when the service was started.",
        ["id", "reason", "verdict"],
        registry=registry,
    )
    for finding in findings:
        found.labels(finding.id, finding.reason, finding.verdict).inc()


def _server(settings: Settings, registry: CollectorRegistry) -> "_Server":
    try:
        return _Server(settings.metrics_host, settings.metrics_port, registry)
    except OSError as error:
        raise PortProblem(
            f"/metrics cannot listen on {settings.metrics_host}:{settings.metrics_port} "
            f"({error.strerror or error}); check METRICS_HOST and METRICS_PORT."
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.registry = registry


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "Sentinel"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self._answer(404, "text/plain; charset=utf-8", b"Not Found\n")
            return
        encode, kind = choose_encoder(self.headers.get("Accept", ""))
        self._answer(200, kind, encode(self.server.registry))

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the log of the service is for the service."""

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
