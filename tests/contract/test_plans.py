"""The statements behind roles read no growing table from end to end, on a world like a real one (R2, R3)."""

import json
from datetime import UTC, datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from bench.data import Size, World
from bench.load import load
from bench.stock import Stock
from sentinel.core.clock import ManualClock
from sentinel.core.direct import Query
from sentinel.permissions.lookup import FACTS, FACTS_OF_ONE
from tests.contract.test_budget import nodes_of
from tests.stage import Keys, open_stage, watch_direct

pytestmark = pytest.mark.anyio

GROWING = {
    "user_roles", "group_roles", "role_actions", "roles", "users", "workspace_memberships", "group_memberships",
    "groups",
}  # fmt: skip
"""Tables that have rows for each person, workspace or role."""
SIZE = Size(people=2_000, workspaces=100, groups=1_200, roles=1_200, resources=100, activity=1)


async def test_questions_about_actions_scan_no_growing_table(database_url: str, stage_keys: Keys) -> None:
    """With fresh statistics; on PostgreSQL the plan for any values, which is what the service settles on."""
    world = World(SIZE)
    await load(database_url, world)
    stock = Stock(world, (stage_keys.private, stage_keys.public))
    async with open_stage(database_url, stage_keys, clock=ManualClock(datetime.now(UTC))) as stage:
        for shot in (*stock.action_checks(1), *stock.action_lists(1)):
            sent: list[tuple[str, Any]] = []

            def note(text: str, values: Any, into: list[tuple[str, Any]] = sent) -> None:
                into.append((text, values))

            with watch_direct(stage.state.database, note):
                answer = await stage.client.request(
                    shot.method, shot.path, json=shot.body, headers=shot.headers
                )
            assert shot.judge(answer.status_code, answer.content)
            [(text, values)] = sent
            read, scanned = await tables(stage.state.database, text, values)
            assert {"user_roles", "group_roles", "role_actions"} <= read, (shot.path, read)
            assert not scanned & GROWING, (shot.path, scanned)


UNEVEN = """
INSERT INTO workspaces (id, slug, name)
    SELECT lpad(i::text, 32, '0')::uuid, 'w' || i, 'Acme' FROM generate_series(1, 2000) AS number(i);
INSERT INTO resource_permissions (id, service_name, resource_type, resource_id, workspace_id, visibility)
    SELECT gen_random_uuid(), 'notes', 'kind' || i % 3, gen_random_uuid(),
        lpad((1 + i % 2000)::text, 32, '0')::uuid, 'private'
    FROM generate_series(1, 6000) AS number(i);
INSERT INTO resource_permissions (id, service_name, resource_type, resource_id, workspace_id, visibility)
    SELECT gen_random_uuid(), 'notes', 'kind1', gen_random_uuid(), lpad('1', 32, '0')::uuid, 'private'
    FROM generate_series(1, 1000)
"""
REBUILT = "REINDEX INDEX CONCURRENTLY ix_resource_permissions_reach"


@pytest.mark.parametrize("done", [[], ["ANALYZE"], ["VACUUM ANALYZE"], ["VACUUM ANALYZE", REBUILT]])
async def test_a_resource_is_never_looked_for_among_all_of_its_workspace(
    postgresql_url: str, done: list[str]
) -> None:
    """Where nearly all workspaces have one resource of each kind, every index that begins with the workspace looks
    alike. The plan for any values has to be right for the one that has very many.
    """
    connection = await asyncpg.connect(postgresql_url.replace("+asyncpg", ""), ssl=False)
    try:
        for statement in (UNEVEN, *done, "SET plan_cache_mode = force_generic_plan"):
            await connection.execute(statement)
        for query in (FACTS, FACTS_OF_ONE):
            nodes = nodes_of(await _plan_for_any(connection, query))
            [node] = [node for node in nodes if node.get("Relation Name") == "resource_permissions"]
            assert "(resource_id = " in node["Index Cond"], node["Index Cond"]
    finally:
        await connection.close()


async def _plan_for_any(connection: asyncpg.Connection, query: Query) -> dict[str, Any]:
    compiled = query.compiled(make_url("postgresql+asyncpg://").get_dialect()())
    await connection.execute(f"PREPARE asked AS {compiled.text}")
    nulls = ", ".join(["NULL"] * len(compiled._arguments))
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({nulls})")
    await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


async def tables(database: Any, text: str, values: Any) -> tuple[set[str], set[str]]:
    """The tables that a statement reads, and those of them that it reads from end to end."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            steps = [row.detail.split() for row in plan]
            steps = [step for step in steps if step[0] in ("SCAN", "SEARCH")]
            return {step[1] for step in steps}, {step[1] for step in steps if step[0] == "SCAN"}
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE asked AS {text}")
        nulls = ", ".join(["NULL"] * len(values))
        found = (await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) EXECUTE asked({nulls})")).scalar()
        await connection.exec_driver_sql("DEALLOCATE asked")
    tree: Any = json.loads(found) if isinstance(found, str) else found
    nodes = [node for node in nodes_of(tree[0]["Plan"]) if "Relation Name" in node]
    scans = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    return {node["Relation Name"] for node in nodes}, scans
