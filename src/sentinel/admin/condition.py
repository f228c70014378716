"""How the installation is doing right now: its servers, its keys, and what the production checklist says."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import sqlalchemy as sa
from redis.asyncio import Redis

from sentinel import __version__, checklist
from sentinel.api.state import State
from sentinel.checklist import Finding
from sentinel.core.errors import Unavailable
from sentinel.core.redis import FAILURES, connect
from sentinel.tokens import key_files
from sentinel.tokens.key_files import KeyFile

Status = Literal["healthy", "unhealthy", "not_configured"]
PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One server: how long it took to answer, in milliseconds, or the kind of error; ``version`` is its own word."""

    status: Status
    latency_ms: float | None = None
    error: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """All of it. ``findings`` are those of the checklist, ``workers`` the processes that share this configuration."""

    database: Check
    redis: Check
    uptime_seconds: int
    version: str
    workers: int
    keys: tuple[KeyFile, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Literal["healthy", "degraded"]:
        ill = "unhealthy" in (self.database.status, self.redis.status)
        return "degraded" if ill else "healthy"


async def examine(state: State) -> Condition:
    """Ask the servers, look at the key files and run the checklist. Takes some seconds when a server is away."""
    settings = state.settings
    # Before everything else is under way, so that the time is the server's own.
    database = await _check_database(state)
    redis, findings, keys = await asyncio.gather(
        _check_redis(state),
        checklist.run(settings, database=state.database),
        asyncio.to_thread(
            key_files.describe, settings.jwt_public_key_path, settings.jwt_previous_public_key_paths
        ),
    )
    return Condition(
        database=database,
        redis=redis,
        uptime_seconds=max(0, int((state.now() - state.started_at).total_seconds())),
        version=__version__,
        workers=settings.web_concurrency,
        keys=tuple(keys),
        findings=tuple(findings),
    )


async def _check_database(state: State) -> Check:
    question = sa.func.sqlite_version() if state.database.is_sqlite else sa.func.version()

    product = "SQLite " if state.database.is_sqlite else ""
    try:
        async with state.database.reading() as session:
            _ = await session.connection()

            async def ask() -> str:
                return str(await session.scalar(sa.select(question)))

            # PostgreSQL goes on to name its compiler.
            return await _timed(ask, lambda answer: product + " ".join(answer.split()[:2]))
    except Unavailable as error:
        return Check("unhealthy", None, type(error.__cause__ or error).__name__)


async def _check_redis(state: State) -> Check:
    client = connect(state.settings)
    if client is None:
        return Check("not_configured")
    try:
        return await _ask_redis(client)
    finally:
        with suppress(*FAILURES):
            await client.aclose()


async def _ask_redis(client: Redis) -> Check:
    version = ""
    with suppress(*FAILURES):
        # The first call opens the connection, so that the one that is timed measures the server alone. A user of
        # Redis who may not ask for its version is healthy all the same.
        version = str((await client.info("server")).get("redis_version", ""))

    async def ask() -> str:
        await client.ping()
        return version

    return await _timed(ask, lambda answer: f"Redis {answer}".strip())


async def _timed(ask: Callable[[], Awaitable[str]], version: Callable[[str], str]) -> Check:
    begun = perf_counter()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            answer = await ask()
    except Exception as error:
        # Its kind alone: the text of a driver may quote an address or what it was given.
        return Check("unhealthy", None, type(error).__name__)
    return Check("healthy", round((perf_counter() - begun) * 1000, 2), None, version(answer))
