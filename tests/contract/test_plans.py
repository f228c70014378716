"""The statements behind roles read no growing table from end to end, on a world like a real one (R2, R3)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.data import Size, World
from bench.load import load
from bench.stock import Stock
from sentinel.core.clock import ManualClock
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
