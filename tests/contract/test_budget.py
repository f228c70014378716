"""What a call may cost (design: round-trip budget), and that the hot statement scans no table."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import anyio.lowlevel
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Group, Workspace
from tests.stage import Service, Stage, bearer, watch_direct

pytestmark = pytest.mark.anyio

FACTS = {
    "resource_permissions", "resource_shares", "users", "service_apps", "revoked_tokens", "workspace_memberships",
    "group_memberships", "groups",
}  # fmt: skip
"""Tables that grow with the installation: no decision may read one of them from end to end."""
CONTROL = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE")


@dataclass
class Spent:
    """What a request has sent to the database: its statements, and how its transactions began and ended."""

    statements: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    """``begin``, ``commit``, ``rollback``, as the engine sees them; a read that stands alone has these, too."""
    sent: list[str] = field(default_factory=list)
    """Everything that the driver has really sent, BEGIN and COMMIT included."""

    def __str__(self) -> str:
        return "\n".join(self.statements)


@asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[Spent]:
    """Count a request that is made in this task; the application's own jobs run in others and do not count."""
    engine, mine = stage.state.database.engine.sync_engine, asyncio.current_task()
    spent = Spent()
    loggers: list[Any] = []

    def on_statement(_c: Any, _cursor: Any, text: str, _p: Any, _x: Any, _m: Any) -> None:
        if asyncio.current_task() is mine and not CONTROL.match(text):
            spent.statements.append(text)

    def on_end(name: str) -> Callable[[Any], None]:
        return lambda _connection: spent.ends.append(name) if asyncio.current_task() is mine else None

    def log_sqlite(text: str) -> None:
        spent.sent.append(text)

    def log_postgresql(query: Any) -> None:
        spent.sent.append(query.query)

    def on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
        if asyncio.current_task() is not mine:
            return
        loggers.append(connection.driver_connection)
        if stage.state.database.is_sqlite:
            await_only(connection.driver_connection.set_trace_callback(log_sqlite))
        else:
            connection.driver_connection.add_query_logger(log_postgresql)

    listeners: list[tuple[Any, str, Callable[..., Any]]] = [
        (engine, "before_cursor_execute", on_statement),
        (engine.pool, "checkout", on_checkout),
    ]
    listeners += [(engine, name, on_end(name)) for name in ("begin", "commit", "rollback")]
    for target, name, listener in listeners:
        event.listen(target, name, listener)

    def directly(text: str, _values: object) -> None:
        if asyncio.current_task() is mine:
            spent.statements.append(text)
            spent.sent.append(text)

    try:
        with watch_direct(stage.state.database, directly):
            yield spent
        await anyio.lowlevel.checkpoint()  # asyncpg logs a query in the next round of the loop
    finally:
        for target, name, listener in listeners:
            event.remove(target, name, listener)
        for connection in loggers:
            if stage.state.database.is_sqlite:
                await connection.set_trace_callback(None)
            else:
                connection.remove_query_logger(log_postgresql)


def transactions(spent: Spent) -> list[str]:
    """The words of transaction control that went to the database."""
    return [
        text.split()[0].rstrip(";")
        for text in spent.sent
        if re.match(r"BEGIN|COMMIT|ROLLBACK|SAVE|RELEASE", text)
    ]


@dataclass(frozen=True)
class World:
    stage: Stage
    notes: Service
    workspace: Workspace
    owner: User
    viewer: User
    group: Group
    resource: Resource

    async def headers(self, user: User | None = None) -> list[dict[str, str]]:
        """A key with an access token, and with an authz token."""
        user = user or self.viewer
        return [
            self.notes.headers | await self.stage.as_user(user, self.workspace),
            self.notes.headers | bearer(await self.stage.authz_token(user, self.workspace, "notes")),
        ]


async def build(stage: Stage) -> World:
    notes, owner = await stage.service(), await stage.user()
    workspace = await stage.workspace(owner)
    viewer = await stage.member(workspace)
    group = await stage.group(workspace, viewer)
    resource = await stage.resource(workspace, owner, visibility="private")
    await stage.share(resource, viewer)
    await stage.share(resource, group, "edit")
    return World(stage, notes, workspace, owner, viewer, group, resource)


def question(resource: Resource) -> dict[str, str]:
    return {
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "action": "view",
    }


async def test_P1_one_statement_whatever_the_number_of_questions(stage: Stage) -> None:
    """Key, token, membership and every answer in one statement that stands alone: no BEGIN, no COMMIT."""
    world = await build(stage)
    one = question(world.resource)
    unknown = one | {"resource_id": str(uuid4())}
    texts = set()
    for headers in await world.headers():
        for checks in ([], [one], [unknown], [one, unknown] * 50):
            async with watched(stage) as spent:
                answer = await stage.client.post(
                    "/permissions/check", headers=headers, json={"checks": checks}
                )
            assert answer.status_code == 200
            assert len(spent.statements) == 1, str(spent)
            assert not transactions(spent), spent.sent
            texts.add(spent.statements[0])
    assert len(texts) == 2, "one text for a single question and one for all numbers, so each is prepared once"


async def test_P1_a_refusal_costs_no_more(stage: Stage) -> None:
    """Nor does a caller who is refused make us work: nothing for what is wrong offline, else the same statement."""
    world = await build(stage)
    stranger = bearer(await stage.access_token(await stage.user(), world.workspace))
    key = world.notes.headers
    foreign = question(world.resource) | {"service_name": "wiki"}
    cases: list[tuple[dict[str, str], dict[str, str], int, int]] = [
        (key, question(world.resource), 401, 0),
        (key | bearer("garbage"), question(world.resource), 401, 1),  # whether the key is valid: failed-auth
        (stranger, question(world.resource), 401, 1),
        (stranger | {"X-Service-Key": "sk_" + "x" * 43}, question(world.resource), 401, 1),
        (key | stranger, question(world.resource), 403, 1),
        ((await world.headers())[0], foreign, 403, 1),
    ]
    for headers, check, status, most in cases:
        async with watched(stage) as spent:
            answer = await stage.client.post("/permissions/check", headers=headers, json={"checks": [check]})
        assert answer.status_code == status
        assert len(spent.statements) <= most, str(spent)
        assert not transactions(spent)


async def test_P2_one_statement_with_and_without_a_limit(stage: Stage) -> None:
    world = await build(stage)
    for user in (world.viewer, world.owner):
        for headers in await world.headers(user):
            for action in ("view", "edit"):
                for limit in (None, 1, 10_000):
                    body = {
                        "service_name": "notes",
                        "resource_type": "document",
                        "action": action,
                        "workspace_id": str(world.workspace.id),
                        "limit": limit,
                    }
                    async with watched(stage) as spent:
                        answer = await stage.client.post(
                            "/permissions/accessible", headers=headers, json=body
                        )
                    assert answer.status_code == 200
                    assert len(spent.statements) == 1, str(spent)
                    assert not transactions(spent), spent.sent


async def test_P2_one_statement_for_every_page(stage: Stage) -> None:
    """With the cursor in it; and no more for one that is refused, malformed or of another question."""
    world = await build(stage)
    for _ in range(2):
        await stage.resource(world.workspace, world.owner)
    for user in (world.viewer, world.owner):
        for headers in await world.headers(user):
            body: dict[str, Any] = {
                "service_name": "notes",
                "resource_type": "document",
                "action": "view",
                "workspace_id": str(world.workspace.id),
            }
            first = await stage.client.post(
                "/permissions/accessible", headers=headers, json=body | {"limit": 1}
            )
            body["cursor"] = first.json()["next_cursor"]
            for changes, status in (
                ({"limit": 1}, 200),
                ({"limit": 10_000}, 200),
                ({}, 200),
                ({"limit": 1, "cursor": "AAAA"}, 422),
                ({"limit": 1, "cursor": "A" * 65}, 422),
                ({"resource_type": "image"}, 422),
            ):
                async with watched(stage) as spent:
                    answer = await stage.client.post(
                        "/permissions/accessible", headers=headers, json=body | changes
                    )
                assert answer.status_code == status, (changes, answer.text)
                assert len(spent.statements) == 1, str(spent)
                assert not transactions(spent), spent.sent


async def test_P4_and_P5_two_statements(stage: Stage) -> None:
    """Authentication, and the record with its shares and names, however many they are."""
    world = await build(stage)
    for _ in range(3):
        await stage.share(world.resource, await stage.member(world.workspace))
    path = f"/permissions/resource/notes/document/{world.resource.resource_id}"
    for url in (path, f"{path}/enriched"):
        async with watched(stage) as spent:
            answer = await stage.client.get(url, headers=world.notes.headers)
        assert answer.status_code == 200 and len(answer.json()["shares"]) == 5
        assert len(spent.statements) <= 2, str(spent)
        assert not transactions(spent)
        unknown = url.replace(str(world.resource.resource_id), str(uuid4()))
        async with watched(stage) as spent:
            answer = await stage.client.get(unknown, headers=world.notes.headers)
        assert answer.status_code == 404
        assert len(spent.statements) <= 2, str(spent)


async def test_P3_and_P6_and_P7_and_P8_and_P9_one_transaction_of_four_statements(stage: Stage) -> None:
    world = await build(stage)
    registration = question(world.resource) | {
        "workspace_id": str(world.workspace.id),
        "owner_id": str(world.owner.id),
    }
    new = registration | {"resource_id": str(uuid4())}
    grantee = {"grantee_type": "user", "grantee_id": str(world.viewer.id), "permission": "edit"}
    members = grantee | {"grantee_type": "group", "grantee_id": str(world.group.id)}
    path = "/permissions/resource/notes/document"
    share, visibility = (
        f"/permissions/{world.resource.id}/share",
        f"/permissions/{world.resource.id}/visibility",
    )
    calls: list[tuple[str, str, Any, int]] = [
        ("POST", "/permissions/register", new, 201),
        ("POST", "/permissions/register", registration, 201),
        ("POST", share, grantee, 201),
        ("POST", share, members, 201),
        ("PATCH", visibility, {"visibility": "workspace"}, 200),
        ("PATCH", visibility, {"visibility": "workspace"}, 200),
        ("DELETE", share, grantee, 200),
        ("DELETE", f"{path}/{new['resource_id']}", None, 204),
        ("DELETE", f"{path}/{world.resource.resource_id}", None, 204),
    ]
    headers = (await world.headers(world.owner))[0]
    for method, url, body, status in calls:
        async with watched(stage) as spent:
            answer = await stage.client.request(method, url, headers=headers, json=body)
        assert answer.status_code == status, (url, answer.text)
        assert len(spent.statements) <= 4, (url, str(spent))
        assert spent.ends == ["begin", "commit"], url
        assert transactions(spent) == ["BEGIN", "COMMIT"], url
    refused: list[tuple[str, str, Any, int]] = [
        ("POST", "/permissions/register", new | {"owner_id": str(uuid4())}, 400),
        ("POST", share, grantee, 404),
        ("DELETE", share, grantee, 404),
        ("PATCH", visibility, {"visibility": "private"}, 404),
        ("DELETE", f"{path}/{world.resource.resource_id}", None, 404),
    ]
    for method, url, body, status in refused:
        async with watched(stage) as spent:
            answer = await stage.client.request(method, url, headers=headers, json=body)
        assert answer.status_code == status, (url, answer.text)
        assert len(spent.statements) <= 4, (url, str(spent))
        assert transactions(spent) == ["BEGIN", "ROLLBACK"], url


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# The database fills itself: {id:n} is the UUID of number n, and i counts to 3000.
CROWD = """
INSERT INTO users (id, email, name, is_active, is_admin, token_epoch)
    SELECT {id:i}, 'p' || i || '@example.com', 'Ada Example', true, false, 0 FROM {numbers};
INSERT INTO workspaces (id, slug, name) SELECT {id:i}, 'w' || i, 'Acme' FROM {numbers} WHERE i <= 100;
INSERT INTO workspace_memberships (id, workspace_id, user_id, role)
    SELECT {id:i}, {id:1 + i % 100}, {id:i}, 'viewer' FROM {numbers};
INSERT INTO groups (id, workspace_id, name) SELECT {id:i}, {id:1 + i % 100}, 'g' || i FROM {numbers} WHERE i <= 500;
INSERT INTO group_memberships (id, group_id, user_id) SELECT {id:i}, {id:1 + i % 500}, {id:i} FROM {numbers};
INSERT INTO service_apps (id, name, service_name, key_hash, key_prefix, is_active, allowed_origins,
                          allowed_idp_audiences)
    SELECT {id:i}, 'Notes', 'app-' || i, {hash:i}, 'sk_', true, {nothing}, {nothing} FROM {numbers};
INSERT INTO revoked_tokens (jti, expires_at) SELECT {id:i}, CURRENT_TIMESTAMP FROM {numbers};
INSERT INTO resource_permissions (id, service_name, resource_type, resource_id, workspace_id, owner_id, visibility)
    SELECT {id:i}, 'notes', 'document', {id:i}, {id:1 + i % 100}, {id:i}, 'private' FROM {numbers};
INSERT INTO resource_shares (id, resource_permission_id, grantee_type, grantee_id, permission)
    SELECT {id:2 * i}, {id:i}, 'user', {id:1 + i * 7 % 3000}, 'view' FROM {numbers};
INSERT INTO resource_shares (id, resource_permission_id, grantee_type, grantee_id, permission)
    SELECT {id:2 * i + 1}, {id:i}, 'group', {id:1 + i % 500}, 'view' FROM {numbers}
"""


class Rendered:
    """Writes the expression behind the colon of a placeholder into a template."""

    def __init__(self, template: str) -> None:
        self.template = template

    def __format__(self, expression: str) -> str:
        return self.template.replace("?", expression)


DIALECTS: dict[str, dict[str, Any]] = {
    "postgresql": {
        "id": Rendered("lpad(to_hex(?), 32, '0')::uuid"),
        "hash": Rendered("lpad(to_hex(?), 64, '0')"),
        "numbers": "generate_series(1, 3000) AS number(i)",
        "nothing": "'{}'::text[]",
    },
    "sqlite": {
        "id": Rendered("printf('%032x', ?)"),
        "hash": Rendered("printf('%064x', ?)"),
        "numbers": (
            "(WITH RECURSIVE number(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM number WHERE i < 3000)"
            " SELECT i FROM number)"
        ),
        "nothing": "'[]'",
    },
}


async def test_SK_6_and_P1_and_P2_scan_no_table(stage: Stage) -> None:
    """Every table of a decision is read through an index, among thousands of rows in each.

    On PostgreSQL with fresh statistics, with the plan for these values and with the one for any; on SQLite, where the
    service never gathers statistics, without them.
    """
    notes = await stage.service()
    engine = stage.state.database.engine
    crowd = CROWD.format(**DIALECTS[engine.dialect.name])
    async with engine.begin() as connection:
        for statement in crowd.split(";\n"):
            await connection.exec_driver_sql(statement)
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql("ANALYZE")
    [user] = await stage.all(User, User.id == UUID(int=7))
    [workspace] = await stage.all(Workspace, Workspace.id == UUID(int=8))
    resources = await stage.all(Resource, Resource.workspace_id == workspace.id)
    assert len(resources) == 30
    headers = notes.headers | await stage.as_user(user, workspace)
    checks = [question(resource) for resource in resources] + [
        question(Resource(service_name="notes", resource_type="document", resource_id=uuid4()))
    ]
    listing = {"service_name": "notes", "resource_type": "document", "workspace_id": str(workspace.id)}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("check", {"checks": checks}),
        ("check", {"checks": checks[:2]}),
        ("check", {"checks": checks[:1]}),
    ]
    calls += [
        ("accessible", listing | {"action": action, "limit": limit})
        for action in ("view", "edit")
        for limit in (None, 10)
    ]
    for action in ("view", "edit"):
        # Nobody's cursor: it is looked up like any other, and that is what is looked at.
        seal = base64.urlsafe_b64encode(resources[5].resource_id.bytes + bytes(16)).decode().rstrip("=")
        calls += [
            ("accessible", listing | {"action": action, "limit": limit, "cursor": seal})
            for limit in (None, 10)
        ]
    for call, body in calls:
        caught: list[tuple[str, Any]] = []

        def catch(
            _c: Any, _cursor: Any, text: str, values: Any, _x: Any, _m: Any, into: Any = caught
        ) -> None:
            into.append((text, values))

        event.listen(engine.sync_engine, "before_cursor_execute", catch)

        def catch_direct(text: str, values: Any, into: Any = caught) -> None:
            into.append((text, tuple(values) if isinstance(values, list) else values))

        with watch_direct(stage.state.database, catch_direct):
            answer = await stage.client.post(f"/permissions/{call}", headers=headers, json=body)
        event.remove(engine.sync_engine, "before_cursor_execute", catch)
        assert answer.status_code == (422 if "cursor" in body else 200)
        text, values = next(one for one in caught if "auth_app_id" in one[0])
        scans = await (sqlite_scans if engine.dialect.name == "sqlite" else postgresql_scans)(
            engine, text, values
        )
        assert not scans & FACTS, (call, body, scans)


async def sqlite_scans(engine: AsyncEngine, text: str, values: Any) -> set[str]:
    """The tables that a statement would read from end to end."""
    async with engine.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        steps: list[str] = [row.detail for row in plan]
    assert any(step.startswith("SEARCH resource_permissions") for step in steps), steps
    return {step.split()[1] for step in steps if step.startswith("SCAN")}


async def postgresql_scans(engine: AsyncEngine, text: str, values: Any) -> set[str]:
    """The tables that a statement reads from end to end, with these values, or would with any."""
    async with engine.connect() as connection:
        plans = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)
        special = plans.scalar()
        # The plan for any values is the one that the server settles on for a prepared statement.
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE hot AS {text}")
        nulls = ", ".join(["NULL"] * len(values))
        generic = (await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) EXECUTE hot({nulls})")).scalar()
        await connection.exec_driver_sql("DEALLOCATE hot")
        await connection.exec_driver_sql("RESET plan_cache_mode")
    scans = set()
    for plan in (special, generic):
        tree: Any = json.loads(plan) if isinstance(plan, str) else plan
        nodes = list(nodes_of(tree[0]["Plan"]))
        assert any(node.get("Relation Name") == "resource_permissions" for node in nodes)
        for node in nodes:
            if node["Node Type"] == "Seq Scan" and not asks_for_one(node):
                scans.add(node["Relation Name"])
    return scans


def asks_for_one(node: dict[str, Any]) -> bool:
    """Whether a scan is that of "is there any active app": it ends with the first row."""
    read = node.get("Actual Rows", 1) + node.get("Rows Removed by Filter", 0)
    return (
        node["Relation Name"] == "service_apps"
        and node.get("Parent Relationship") == "InitPlan"
        and read <= 1
    )


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)
