"""The schema: one history for both databases, safe to run from many processes, equal to the models."""

import asyncio
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sentinel import migrations
from sentinel.core.database import Database
from sentinel.migrations import status, upgrade
from sentinel.migrations.tables import METADATA, belongs_on

pytestmark = pytest.mark.anyio

PROCESSES = 8
PROGRAM = """
import sys, sentinel.app
print(sorted(name for name in sys.modules if name.partition(".")[0] == "alembic"))
"""
MIGRATE = """
import asyncio, sys
from sentinel.migrations import upgrade
print(asyncio.run(upgrade(sys.argv[1])).current)
"""


def test_the_program_knows_the_revisions_that_alembic_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    scripts = ScriptDirectory.from_config(config)
    assert migrations.newest() == scripts.get_current_head()
    assert migrations.revisions() == {script.revision for script in scripts.walk_revisions()}


def test_a_server_that_has_nothing_to_migrate_does_without_alembic() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _differences(connection: sa.Connection) -> list[Any]:
    options = {"include_object": belongs_on(connection.dialect)}
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True} | options
    )
    with _unreflected_index():
        return list(compare_metadata(context, METADATA))


@contextmanager
def _unreflected_index() -> Iterator[None]:
    """SQLite cannot reflect the index on lower(email); a test of the constraints looks at it instead."""
    with warnings.catch_warnings():
        for message in ("autogenerate skipping metadata-specified", "Skipped unsupported reflection of"):
            warnings.filterwarnings("ignore", message=f"{message} expression-based index")
        yield


async def test_models_migrations_and_database_agree(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    database = Database(empty_database_url)
    async with database.engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await database.close()
    assert differences == []


async def test_upgrade_reports_where_the_database_stood_and_is_idempotent(empty_database_url: str) -> None:
    first = await upgrade(empty_database_url)
    second = await upgrade(empty_database_url)
    assert (first.current, first.up_to_date) == (None, False)
    assert (second.current, second.up_to_date) == (first.head, True)
    database = Database(empty_database_url)
    assert (await status(database)).up_to_date
    await database.close()


async def test_eight_processes_can_start_at_once_on_an_empty_database(empty_database_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, empty_database_url, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    results = await asyncio.gather(*(process.communicate() for process in processes))
    errors = b"".join(stderr for _, stderr in results)
    assert [process.returncode for process in processes] == [0] * PROCESSES, errors.decode()
    found = sorted(stdout.decode().strip() for stdout, _ in results)
    # One process found an empty database and migrated it; the others waited and found it done.
    assert found.count("None") == 1
    assert len(set(found)) == 2


async def test_a_database_of_the_first_release_is_brought_up_with_all_its_rows(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade_to, "0001")
    tables = METADATA.tables
    workspace_id, resource_id = uuid4(), uuid4()
    async with database.transaction() as session:
        await session.execute(sa.insert(tables["workspaces"]).values(id=workspace_id, slug="w", name="W"))
        await session.execute(
            sa.insert(tables["resource_permissions"]).values(
                id=resource_id,
                service_name="notes",
                resource_type="document",
                resource_id=uuid4(),
                workspace_id=workspace_id,
            )
        )
    assert (await upgrade(empty_database_url)).current == "0001"
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
        kept = await connection.execute(sa.select(tables["resource_permissions"].c.id))
    await database.close()
    assert kept.scalars().all() == [resource_id]


def _upgrade_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_a_failed_migration_leaves_nothing_behind(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE activity_logs (id INTEGER)"))
    with pytest.raises(sa.exc.SQLAlchemyError):
        await upgrade(empty_database_url)
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
    await database.close()
    assert tables <= {"activity_logs", "alembic_version"}


async def test_the_first_migration_creates_the_public_organization(database_url: str) -> None:
    database = Database(database_url)
    async with database.reading() as session:
        rows = (
            await session.execute(sa.text("SELECT slug, name, is_public, enabled FROM organizations"))
        ).all()
        ids = (await session.execute(sa.select(METADATA.tables["organizations"].c.id))).scalars().all()
    await database.close()
    assert [(row.slug, row.name, bool(row.is_public), bool(row.enabled)) for row in rows] == [
        ("public", "Public", True, True)
    ]
    assert ids == [UUID("00000000-0000-0000-0000-000000000001")]


async def test_running_migrations_leaves_the_logging_configuration_alone(empty_database_url: str) -> None:
    marker = logging.NullHandler()
    root = logging.getLogger()
    before = (root.level, [*root.handlers, marker], logging.getLogger("uvicorn").disabled)
    root.addHandler(marker)
    try:
        await upgrade(empty_database_url)
        assert (root.level, root.handlers, logging.getLogger("uvicorn").disabled) == before
    finally:
        root.removeHandler(marker)


async def test_every_table_and_rule_of_the_data_model_exists(database_url: str) -> None:
    """``authorization.md`` §9 and §10, table by table."""
    database = Database(database_url)
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
        cascades = await connection.run_sync(_on_delete)
        uniques = await connection.run_sync(_unique_columns)
    await database.close()
    assert tables == {
        "action_usage",
        "activity_logs",
        "alembic_version",
        "authorization_codes",
        "client_apps",
        "group_memberships",
        "group_roles",
        "groups",
        "organization_domains",
        "organizations",
        "realms",
        "refresh_families",
        "refresh_tokens",
        "resource_permissions",
        "resource_share_counts",
        "resource_shares",
        "revoked_tokens",
        "role_actions",
        "roles",
        "service_actions",
        "service_apps",
        "sign_in_memory",
        "social_accounts",
        "user_roles",
        "users",
        "workspace_allowed_organizations",
        "workspace_invitations",
        "workspace_memberships",
        "workspaces",
    }
    assert cascades >= {
        ("users", "organization_id", "organizations", "SET NULL"),
        ("social_accounts", "user_id", "users", "CASCADE"),
        ("workspace_allowed_organizations", "organization_id", "organizations", "RESTRICT"),
        ("workspace_allowed_organizations", "workspace_id", "workspaces", "CASCADE"),
        ("workspace_memberships", "workspace_id", "workspaces", "CASCADE"),
        ("workspace_memberships", "user_id", "users", "CASCADE"),
        ("group_memberships", "group_id", "groups", "CASCADE"),
        ("resource_permissions", "workspace_id", "workspaces", "CASCADE"),
        ("resource_permissions", "owner_id", "users", "SET NULL"),
        ("resource_shares", "resource_permission_id", "resource_permissions", "CASCADE"),
        ("service_apps", "realm_id", "realms", "SET NULL"),
        ("activity_logs", "actor_id", "users", "SET NULL"),
        ("activity_logs", "workspace_id", "workspaces", "SET NULL"),
        ("refresh_families", "user_id", "users", "CASCADE"),
        ("refresh_families", "client_app_id", "client_apps", "SET NULL"),
        ("refresh_tokens", "family_id", "refresh_families", "CASCADE"),
        ("authorization_codes", "client_app_id", "client_apps", "CASCADE"),
        ("sign_in_memory", "user_id", "users", "CASCADE"),
        ("organizations", "created_by", "users", "SET NULL"),
    }
    assert uniques >= {
        ("users", ("email",)),
        ("social_accounts", ("provider", "provider_user_id")),
        ("organizations", ("slug",)),
        ("organization_domains", ("domain",)),
        ("workspaces", ("slug",)),
        ("workspace_memberships", ("workspace_id", "user_id")),
        ("groups", ("workspace_id", "name")),
        ("group_memberships", ("group_id", "user_id")),
        ("service_actions", ("service_name", "action")),
        ("roles", ("workspace_id", "name")),
        ("user_roles", ("user_id", "role_id")),
        ("group_roles", ("group_id", "role_id")),
        ("resource_permissions", ("service_name", "resource_type", "resource_id")),
        ("resource_shares", ("resource_permission_id", "grantee_type", "grantee_id")),
        ("service_apps", ("service_name",)),
        ("service_apps", ("key_hash",)),
        ("realms", ("slug",)),
        ("workspace_invitations", ("code_hash",)),
    }


def _on_delete(connection: sa.Connection) -> set[tuple[str, str, str, str]]:
    inspector = sa.inspect(connection)
    return {
        (table, key["constrained_columns"][0], key["referred_table"], str(key["options"].get("ondelete")))
        for table in inspector.get_table_names()
        for key in inspector.get_foreign_keys(table)
    }


def _unique_columns(connection: sa.Connection) -> set[tuple[str, tuple[str, ...]]]:
    inspector = sa.inspect(connection)
    with _unreflected_index():
        return {
            (table, tuple(unique["column_names"]))
            for table in inspector.get_table_names()
            for unique in inspector.get_unique_constraints(table)
        }
