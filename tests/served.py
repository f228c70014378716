"""The service as it is deployed: real ``sentinel serve`` processes, and a world for their clients to ask about."""

import asyncio
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from sentinel.core.clock import ManualClock
from tests.stage import Keys, bearer, open_stage

SENTINEL = Path(sys.executable).with_name("sentinel")
PATIENCE = 180.0
"""Seconds after which waiting for something has failed."""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(true: Callable[[], Any], what: str, log: Path | None = None) -> None:
    """Wait until ``true()`` is; ``what`` and the end of ``log`` tell what was waited for in vain."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            tail = log.read_text()[-4000:] if log else ""
            raise AssertionError(f"waited in vain for {what}\n{tail}")
        time.sleep(0.02)


def environment(database_url: str, keys: Keys, redis_url: str = "", **variables: str) -> dict[str, str]:
    """The variables of a safe deployment on this machine, with limits that do not get in the way of a load."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BASE_URL": "http://localhost:9003",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CORS_ORIGINS": "https://app.example.com",
        "COOKIE_SECURE": "true",
        "SESSION_SECRET_KEY": secrets.token_urlsafe(32),
        "JWT_PRIVATE_KEY_PATH": str(keys.private),
        "JWT_PUBLIC_KEY_PATH": str(keys.public),
        "RATE_LIMIT_DEFAULT": "",
        "RATE_LIMIT_AGGREGATE": "",
        "RATE_LIMIT_AUTH": "1000000/minute",
        "RATE_LIMIT_SERVICE": "1000000/minute",
        "ACCESS_TOKEN_EXPIRE_MINUTES": "60",
        "SERVICE_PORT": str(free_port()),
        **variables,
    }


@dataclass
class Served:
    """One running ``sentinel serve``."""

    variables: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def port(self) -> int:
        return int(self.variables["SERVICE_PORT"])

    def workers(self) -> list[int]:
        """The process ids of the workers; none when the process serves by itself."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            and b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def ready(self) -> bool:
        """Whether the service answers and has its database."""
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/health/ready")[0] == 200
        return False

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of one request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            return ask(connection, method, path, body, headers)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of that event so far."""
        lines = re.findall(r"^\{.*\}$", self.log.read_text(), re.MULTILINE)
        return [line for line in map(json.loads, lines) if line["event"] == name]

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of one request on an open connection."""
    content = None if body is None else json.dumps(body)
    more = {"Content-Type": "application/json"} if content else {}
    connection.request(method, path, content, {**more, **(headers or {})})
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def starting(variables: Mapping[str, str], folder: Path) -> Iterator[Served]:
    """A ``sentinel serve`` that was started a moment ago and need not be ready."""
    log = folder / f"serve-{variables['SERVICE_PORT']}-{time.monotonic_ns()}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(SENTINEL), "serve"], cwd=folder, env=dict(variables), stdout=out, stderr=subprocess.STDOUT
        )
    served = Served(variables, log, process)
    try:
        yield served
    finally:
        workers = served.workers() if process.poll() is None else []
        served.stop()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


@contextmanager
def serving(variables: Mapping[str, str], folder: Path) -> Iterator[Served]:
    """A ``sentinel serve`` that is ready, with all its workers."""
    with starting(variables, folder) as served:
        wait_until(served.ready, "the service to be ready", served.log)
        workers = int(variables.get("WEB_CONCURRENCY", "1"))
        if workers > 1:
            wait_until(
                lambda: len(served.events("app.startup")) >= workers, "all workers to be ready", served.log
            )
        yield served


@dataclass
class World:
    """People, a workspace and resources, and what their clients show."""

    service: dict[str, str]
    owner: dict[str, str]
    viewer: dict[str, str]
    workspace_id: str
    viewer_id: str
    resources: list[str] = field(default_factory=list)
    resource_ids: list[str] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)

    def question(self, number: int = 0, action: str = "view") -> dict[str, Any]:
        """The body of a check of one resource."""
        return {
            "checks": [
                {
                    "service_name": "notes",
                    "resource_type": "document",
                    "resource_id": self.resource_ids[number],
                    "action": action,
                }
            ]
        }


def furnish(
    database_url: str, keys: Keys, *, resources: int = 1, sessions: int = 0, **settings: Any
) -> World:
    """Fill a migrated database with an owner, a viewer, private resources of the owner, and refresh sessions."""

    async def build() -> World:
        # A minute ago, because building moves the clock on and a token must not come from the future.
        clock = ManualClock(datetime.now(UTC) - timedelta(minutes=1))
        async with open_stage(
            database_url, keys, clock=clock, access_token_expire_minutes=60, **settings
        ) as stage:
            owner = await stage.user()
            workspace = await stage.workspace(owner)
            viewer = await stage.member(workspace)
            service = await stage.service("notes")
            made = [await stage.resource(workspace, owner, visibility="private") for _ in range(resources)]
            app = await stage.login_app()
            pairs = [await stage.session(viewer, workspace, app) for _ in range(sessions)]
            return World(
                service=service.headers,
                owner=service.headers | bearer(await stage.access_token(owner, workspace)),
                viewer=service.headers | bearer(await stage.access_token(viewer, workspace)),
                workspace_id=str(workspace.id),
                viewer_id=str(viewer.id),
                resources=[str(resource.id) for resource in made],
                resource_ids=[str(resource.resource_id) for resource in made],
                refresh=[pair.refresh.token for pair in pairs],
            )

    return asyncio.run(build())


def scrape(port: int) -> dict[str, float]:
    """What ``/metrics`` says: sample with its labels -> value."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).raise_for_status().text
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
