"""The harness itself: databases of one's own, servers that can be killed, no way out of this machine."""

import os
import socket

import asyncpg  # type: ignore[import-untyped]
import pytest
import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from sentinel.identity.models import User
from tests import servers
from tests.conftest import OutboundBlocked
from tests.stage import Furnished, Stage

pytestmark = pytest.mark.anyio


async def test_each_test_has_a_migrated_database_of_its_own(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM users")) == 0
    await engine.dispose()


async def test_a_copied_stage_begins_as_it_was_furnished(copied_stage: Furnished) -> None:
    """Whatever was done to the copy before; and it is furnished once."""
    furnished: list[User] = []

    async def furnish(stage: Stage) -> User:
        furnished.append(await stage.user())
        return furnished[-1]

    for _ in range(2):
        async with copied_stage(furnish) as (stage, user):
            assert [one.id for one in await stage.all(User)] == [user.id]
            assert stage.clock.now() > user.created_at
            await stage.user()
            stage.clock.advance(1)
    assert len(furnished) == 1


async def test_empty_database_has_no_table(empty_database_url: str) -> None:
    engine = create_async_engine(empty_database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda c: sa.inspect(c).get_table_names()) == []
    await engine.dispose()


async def test_application_role_has_no_right_beyond_its_databases(postgresql_url: str) -> None:
    connection = await asyncpg.connect(postgresql_url.replace("+asyncpg", ""))
    try:
        row = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        assert row is not None
        assert not (row["rolsuper"] or row["rolcreaterole"] or row["rolcreatedb"] or row["rolbypassrls"])
        assert await connection.fetchval("SELECT lower('ÄÉ')") == "äé"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE DATABASE another")
    finally:
        await connection.close()


async def test_postgres_wants_the_password(postgres: servers.Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1",
            port=postgres.port,
            user=servers.APPLICATION_ROLE,
            password="wrong",
            database="postgres",
        )


async def test_private_postgres_keeps_its_data_over_a_restart_and_a_crash() -> None:
    with servers.start_private_postgres() as private:
        url = private.url_for(private.create_database(), driver="postgresql")
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
        for crash in (False, True):
            private.stop(crash=crash)
            with pytest.raises(ConnectionError):
                await asyncpg.connect(url)
            private.start()
        again = await asyncpg.connect(url)
        assert await again.fetchval("SELECT n FROM kept") == 1
        await again.close()
        connection.terminate()


async def test_private_redis_can_be_killed_and_started(redis_url: str) -> None:
    with servers.start_private_redis() as private:
        client = redis.asyncio.from_url(private.url(3))
        await client.set("a", "1")
        private.stop()
        with pytest.raises(redis.exceptions.ConnectionError):
            await client.get("a")
        private.start()
        assert await client.get("a") is None
        await client.aclose()
    shared = redis.asyncio.from_url(redis_url)
    assert await shared.dbsize() == 0
    await shared.set("left", "behind")
    await shared.aclose()


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com"])
async def test_no_connection_leaves_this_machine(host: str) -> None:
    with pytest.raises(OutboundBlocked):
        socket.create_connection((host, 80), timeout=1)


def test_servers_files_are_closed_to_others() -> None:
    run = servers.run_directory()
    assert run.stat().st_mode & 0o066 == 0
    for word in run.glob("*.json"):
        assert word.stat().st_mode & 0o077 == 0


def test_keeper_ends_the_server_when_the_run_is_over() -> None:
    outer = servers.run_directory()
    with servers.open_run() as run:
        private = servers.PrivateRedis(run)
        assert private.pid is not None
        os.kill(private.pid, 0)
    assert servers.run_directory() == outer
    assert not run.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(private.pid, 0)
