"""Secrets that are replaced while the service is in use (R8b); the steps are those of ``docs/security-rotation.md``."""

import asyncio
import secrets
from contextlib import ExitStack
from pathlib import Path

import anyio
import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from sentinel.migrations import upgrade
from tests import servers
from tests.faults.load import Load
from tests.served import environment, free_port, furnish, serving, wait_until
from tests.stage import Keys


def test_R8b_passwords_are_replaced_without_a_failed_request(stage_keys: Keys, tmp_path: Path) -> None:
    """Database, Redis, session key and client secret at once; instances are replaced one after the other."""
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.start_private_postgres())
        redis = stack.enter_context(servers.start_private_redis())
        name = postgres.create_database()
        url = postgres.url_for(name)
        anyio.run(upgrade, url)
        world = furnish(url, stage_keys)
        provider = {"GITHUB_CLIENT_ID": "client", "GITHUB_CLIENT_SECRET": secrets.token_hex(20)}
        before = environment(url, stage_keys, redis.url(), **provider)
        with serving(before, tmp_path) as first, Load([first], world) as load:
            wait_until(lambda: load.answered(50), "requests", first.log)

            # 1. The servers accept a second password. Roles of PostgreSQL have one, so there is a second role that
            #    acts as the first.
            password, cache = secrets.token_hex(16), secrets.token_hex(16)
            owner = servers.APPLICATION_ROLE
            administer(
                postgres,
                f"CREATE ROLE sentinel_next LOGIN PASSWORD '{password}' IN ROLE {owner}",
                f'ALTER ROLE sentinel_next IN DATABASE "{name}" SET role = {owner}',
            )
            redis.command("ACL", "SETUSER", "default", f">{cache}")

            # 2. Instances with the new secrets take over, one after the other.
            changed = make_url(url).set(username="sentinel_next", password=password)
            after = before | {
                "DATABASE_URL": changed.render_as_string(hide_password=False),
                "REDIS_URL": f"redis://:{cache}@127.0.0.1:{redis.port}/0",
                "SESSION_SECRET_KEY": secrets.token_urlsafe(32),
                "SESSION_SECRET_KEY_PREVIOUS": before["SESSION_SECRET_KEY"],
                "GITHUB_CLIENT_SECRET": secrets.token_hex(20),
                "SERVICE_PORT": str(free_port()),
            }
            second = stack.enter_context(serving(after, tmp_path))
            load.servers.append(second)
            first.stop()
            load.servers.remove(first)

            # 3. The old passwords end.
            administer(postgres, f"ALTER ROLE {owner} NOLOGIN PASSWORD NULL")
            old = make_url(redis.url()).password
            redis.command("ACL", "SETUSER", "default", f"<{old}", password=cache)
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                asyncio.run(asyncpg.connect(url.replace("+asyncpg", "")))
            with pytest.raises(servers.ServerError):
                redis.command("PING")
            goal = load.summary.requests + 100
            wait_until(lambda: load.answered(goal), "requests", second.log)
            # New tables would still belong to the role that owns the database.
            assert second.ask("GET", "/health/ready")[0] == 200
        assert load.summary.failures == [] and load.summary.wrong_answers == []
        assert set(load.summary.statuses) == {200}
        assert not [line for line in second.events("app.log") if line["reason"] == "redis_down"]


def administer(postgres: servers.PrivatePostgres, *statements: str) -> None:
    """Run statements as the superuser of the server."""

    async def run() -> None:
        connection = await postgres._connect("postgres")
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    postgres.run(run())
