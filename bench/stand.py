"""The stand on which everything is measured: servers, their cores, a loaded database, and both things to compare."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import ceiling
from bench.data import PROVIDER, World
from bench.driver import cpu_seconds
from bench.servers import all_cores, pin
from bench.stock import BASE_URL
from tests.served import Served, environment, free_port, starting, wait_until
from tests.stage import Keys

ROOT = Path(__file__).parents[1]
BOUNDLESS = "100000000/minute"
"""Limits stay on, so that their counting is part of the price, and are never reached."""


@dataclass(frozen=True)
class Cores:
    """Which processor does what. The server's come first; the driver and the database take the last ones."""

    server: tuple[int, ...]
    database: tuple[int, ...]
    driver: tuple[int, ...]

    @classmethod
    def dealt(cls, workers: int) -> "Cores":
        """A core for each worker; the database and the driver have one each if there are enough, else they share."""
        there = all_cores()
        server = tuple(there[:workers])
        rest = there[workers:] or there[-1:]
        return cls(server, (rest[0],), (rest[-1],))

    def __str__(self) -> str:
        def named(cores: tuple[int, ...]) -> str:
            return "+".join(map(str, cores))

        return f"server {named(self.server)}, database {named(self.database)}, driver {named(self.driver)}"


@dataclass
class Stand:
    """A running service and, beside it, the ceiling over the same database on the same cores."""

    name: str
    served: Served
    ceiling_port: int
    ceiling_process: "subprocess.Popen[bytes]"
    workers: int
    cores: Cores
    started_in: list[float] = field(default_factory=list)

    def product_pids(self) -> list[int]:
        """The processes that answer."""
        return self.served.workers() or [self.served.process.pid]

    def ceiling_pids(self) -> list[int]:
        """The ceiling's processes that answer."""
        pid = self.ceiling_process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        workers = [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
        return workers or [pid]


def variables(database_url: str, keys: tuple[Path, Path], redis_url: str, **more: str) -> dict[str, str]:
    """The environment of the service under test: a safe deployment with Redis and limits that are never reached.

    No line is written for each request, as the ceiling writes none; what those lines cost is a comparison of its own.
    """
    limits = ("DEFAULT", "AGGREGATE", "AUTH", "AUTH_ADMIN", "AUTHZ_RESOLVE", "READ", "SERVICE")
    given: Mapping[str, str] = {f"RATE_LIMIT_{name}": BOUNDLESS for name in limits}
    return environment(
        database_url,
        Keys(*keys, None),  # type: ignore[arg-type]  # its provider's key is not needed
        redis_url,
        **(dict(given) | {"BASE_URL": BASE_URL, "LOG_LEVEL": "WARNING"} | more),
    )


def issuer_variables(port: int) -> dict[str, str]:
    """Those of the identity provider that people's tokens come from."""
    prefix = f"OIDC_{PROVIDER.upper()}_"
    return {
        "OIDC_PROVIDERS": PROVIDER,
        f"{prefix}CLIENT_ID": "sentinel",
        f"{prefix}CLIENT_SECRET": "bench-client-secret",
        f"{prefix}METADATA_URL": f"http://127.0.0.1:{port}/.well-known/openid-configuration",
    }


@contextmanager
def stand(
    name: str,
    database_url: str,
    world: World,
    keys: tuple[Path, Path],
    redis_url: str,
    folder: Path,
    *,
    workers: int = 1,
    more: Mapping[str, str] | None = None,
) -> Iterator[Stand]:
    """Start the service with ``workers`` processes, and the ceiling with as many."""
    cores = Cores.dealt(workers)
    environ = variables(database_url, keys, redis_url, WEB_CONCURRENCY=str(workers), **(more or {}))
    with ExitStack() as stack:
        began = time.perf_counter()
        with on_cores(cores.server):
            served = stack.enter_context(starting(environ, folder))
        wait_until(served.ready, "the service to be ready", served.log)
        started = time.perf_counter() - began
        wait_until(lambda: _settled(served, workers), "all workers to be ready", served.log)
        port = free_port()
        with on_cores(cores.server):
            process = subprocess.Popen(
                [sys.executable, "-c", f"from bench.ceiling import main; main({port}, {workers})"],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
                    **ceiling.environment(database_url, keys[1], world.uuid("workspace", 0)),
                },
            )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        made = Stand(name, served, port, process, workers, cores, [started])
        wait_until(lambda: answers(port), "the ceiling to be ready")
        pin(os.getpid(), cores.driver)
        yield made


def _settled(served: Served, workers: int) -> bool:
    """Whether every worker is there and has done what it does when it starts."""
    pids = served.workers() if workers > 1 else [served.process.pid]
    if len(pids) < workers:
        return False
    before = [cpu_seconds([pid]) for pid in pids]
    time.sleep(1)
    used = [cpu_seconds([pid]) - at for pid, at in zip(pids, before, strict=True)]
    return min(before) > 0.3 and max(used) < 0.05


@contextmanager
def on_cores(cores: Sequence[int]) -> Iterator[None]:
    """What is started inside runs on ``cores``: children inherit where their parent may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
