"""A database of every released version is brought to the newest revision with all its rows, and answers as it did."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sentinel.core.database import Database
from sentinel.migrations import newest, revisions, upgrade
from sentinel.migrations.tables import METADATA, belongs_on
from sentinel.permissions.models import Share, ShareCount
from tests.stage import Keys, Stage
from tests.upgrades import world
from tests.upgrades.releases import RELEASES, Release

pytestmark = pytest.mark.anyio


@pytest.mark.filterwarnings("ignore:.*expression-based index:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified:UserWarning")
@pytest.mark.parametrize("name", RELEASES)
async def test_a_released_database_is_brought_up_to_date_and_answers_as_before(
    name: str, empty_database_url: str, stage_keys: Keys
) -> None:
    release = Release.read(name, re.split(r"[+:]", empty_database_url)[0])
    await release.load(empty_database_url)
    before = await upgrade(empty_database_url)
    assert (before.current, before.head) == (release.revision, newest())

    database = Database(empty_database_url)
    async with database.reading() as session:
        rows = await world.rows(session)
        counted = sa.select(Share.resource_permission_id, sa.func.count()).group_by(
            Share.resource_permission_id
        )
        numbers = [tuple(row) for row in await session.execute(counted)]
        kept = await session.execute(sa.select(ShareCount.resource_permission_id, ShareCount.shares))
    async with database.engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await database.close()
    assert differences == []
    assert sorted(tuple(row) for row in kept) == sorted(numbers) != []
    # Tables that came later may hold what their migration put there.
    assert {table: count for table, count in rows.items() if table in release.rows} == release.rows

    async with release.opened(empty_database_url, stage_keys) as stage:
        await world.hold(stage, release.world)


@pytest.mark.parametrize(("revision", "status"), [("9999", 200), ("0001", 503), (newest(), 200)])
async def test_a_machine_goes_on_serving_when_the_next_one_has_migrated(
    revision: str, status: int, stage: Stage
) -> None:
    """Machines are upgraded one after the other: those that wait for their turn stay ready."""
    await stage.execute(sa.text("UPDATE alembic_version SET version_num = :it").bindparams(it=revision))
    assert (await stage.client.get("/health/ready")).status_code == status


def _differences(connection: sa.Connection) -> list[Any]:
    options = {"include_object": belongs_on(connection.dialect)}
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True} | options
    )
    return list(compare_metadata(context, METADATA))


def test_stored_worlds_are_worth_comparing() -> None:
    """A world without rows, or one that refuses everybody, would survive any migration."""
    for name in RELEASES:
        for kind in ("sqlite", "postgresql"):
            release = Release.read(name, kind)
            filled = {table for table, count in release.rows.items() if count}
            assert len(filled) >= 20, sorted(set(release.rows) - filled)
            checks = [
                result["allowed"]
                for answer in release.world.answers
                for result in (answer["body"].get("results", []) if isinstance(answer["body"], dict) else [])
            ]
            assert len(checks) > 20 and {True, False} == set(checks)
            assert {answer["status"] for answer in release.world.answers} == {200, 401}


def test_revisions_are_in_their_order_and_stored_ones_are_known() -> None:
    assert max(revisions()) == newest()
    assert {Release.read(name, "sqlite").revision for name in RELEASES} <= revisions()
    assert "0001" in {Release.read(name, "sqlite").revision for name in RELEASES}
