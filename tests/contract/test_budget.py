"""What a call may cost (design: round-trip budget), and that the hot statement scans no table."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Group, Workspace
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio

FACTS = {
    "resource_permissions", "resource_shares", "users", "service_apps", "revoked_tokens", "workspace_memberships",
    "group_memberships", "groups",
}  # fmt: skip
"""Tables that grow with the installation: no decision may read one of them from end to end."""


@dataclass
class Spent:
    """What the application has sent to the database: statements, and how transactions began and ended."""

    statements: list[str] = field(default_factory=list)
    begun: int = 0
    committed: int = 0
    rolled_back: int = 0
    sent: list[str] = field(default_factory=list)
    """Everything that PostgreSQL or SQLite was really told, BEGIN and COMMIT included."""

    def __str__(self) -> str:
        return "\n".join(self.statements)


@contextmanager
def watched(stage: Stage) -> Iterator[Spent]:
    """Count one request: what the engine does, and below it what the driver sends."""
    engine = stage.state.database.engine.sync_engine
    spent = Spent()

    def log_of_asyncpg(query: Any) -> None:
        spent.sent.append(query.query)

    def on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
        if stage.state.database.is_sqlite:
            connection.driver_connection._conn.set_trace_callback(spent.sent.append)
        else:
            connection.driver_connection.add_query_logger(log_of_asyncpg)

    def on_begin(_connection: Any) -> None:
        spent.begun += 1

    def on_commit(_connection: Any) -> None:
        spent.committed += 1

    def on_rollback(_connection: Any) -> None:
        spent.rolled_back += 1

    listeners = {"begin": on_begin, "commit": on_commit, "rollback": on_rollback}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    event.listen(engine.pool, "checkout", on_checkout)
    try:
        with stage.statements() as seen:
            spent.statements = seen.texts
            yield spent
    finally:
        event.remove(engine.pool, "checkout", on_checkout)
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


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
            with watched(stage) as spent:
                answer = await stage.client.post(
                    "/permissions/check", headers=headers, json={"checks": checks}
                )
            assert answer.status_code == 200
            assert len(spent.statements) == 1, str(spent)
            assert not transactions(spent), spent.sent
            texts.add(spent.statements[0])
    assert len(texts) == 1, "one text for all of them, so it is prepared once"


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
        with watched(stage) as spent:
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
                    with watched(stage) as spent:
                        answer = await stage.client.post(
                            "/permissions/accessible", headers=headers, json=body
                        )
                    assert answer.status_code == 200
                    assert len(spent.statements) == 1, str(spent)
                    assert not transactions(spent)


async def test_P4_and_P5_two_statements(stage: Stage) -> None:
    """Authentication, and the record with its shares and names, however many they are."""
    world = await build(stage)
    for _ in range(3):
        await stage.share(world.resource, await stage.member(world.workspace))
    path = f"/permissions/resource/notes/document/{world.resource.resource_id}"
    for url in (path, f"{path}/enriched"):
        with watched(stage) as spent:
            answer = await stage.client.get(url, headers=world.notes.headers)
        assert answer.status_code == 200 and len(answer.json()["shares"]) == 5
        assert len(spent.statements) <= 2, str(spent)
        assert not transactions(spent)
        with watched(stage) as spent:
            answer = await stage.client.get(url + "x", headers=world.notes.headers)
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
        with watched(stage) as spent:
            answer = await stage.client.request(method, url, headers=headers, json=body)
        assert answer.status_code == status, (url, answer.text)
        assert len(spent.statements) <= 4, (url, str(spent))
        assert (spent.begun, spent.committed, spent.rolled_back) == (1, 1, 0), url
        assert transactions(spent) == ["BEGIN", "COMMIT"], url
    refused: list[tuple[str, str, Any, int]] = [
        ("POST", "/permissions/register", new | {"owner_id": str(uuid4())}, 400),
        ("POST", share, grantee, 404),
        ("DELETE", share, grantee, 404),
        ("PATCH", visibility, {"visibility": "private"}, 404),
        ("DELETE", f"{path}/{world.resource.resource_id}", None, 404),
    ]
    for method, url, body, status in refused:
        with watched(stage) as spent:
            answer = await stage.client.request(method, url, headers=headers, json=body)
        assert answer.status_code == status, (url, answer.text)
        assert len(spent.statements) <= 4, (url, str(spent))
        assert transactions(spent) == ["BEGIN", "ROLLBACK"], url


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────────────

MANY = 3000
# Rows made by the database itself: {id:n} is the id number n, {now} the present moment, i counts to MANY.
CROWD = """
INSERT INTO users (id, email, name, is_active, is_admin, token_epoch)
    SELECT {id:i}, 'p' || i || '@example.com', 'Ada Example', true, false, 0 FROM {series};
INSERT INTO workspaces (id, slug, name) SELECT {id:i}, 'w' || i, 'Acme' FROM {series} WHERE i <= 100;
INSERT INTO workspace_memberships (id, workspace_id, user_id, role)
    SELECT {id:i}, {id:1 + i % 100}, {id:i}, 'viewer' FROM {series};
INSERT INTO groups (id, workspace_id, name) SELECT {id:i}, {id:1 + i % 100}, 'g' || i FROM {series} WHERE i <= 500;
INSERT INTO group_memberships (id, group_id, user_id) SELECT {id:i}, {id:1 + i % 500}, {id:i} FROM {series};
INSERT INTO service_apps (id, name, service_name, key_hash, key_prefix, is_active, allowed_origins,
                          allowed_idp_audiences)
    SELECT {id:i}, 'Notes', 'app-' || i, {id:i} || '{pad}', 'sk_', true, {empty}, {empty} FROM {series};
INSERT INTO revoked_tokens (jti, expires_at) SELECT {id:i}, {now} FROM {series};
INSERT INTO resource_permissions (id, service_name, resource_type, resource_id, workspace_id, owner_id, visibility)
    SELECT {id:i}, 'notes', 'document', {id:i}, {id:1 + i % 100}, {id:i}, 'private' FROM {series};
INSERT INTO resource_shares (id, resource_permission_id, grantee_type, grantee_id, permission)
    SELECT {id:2 * i}, {id:i}, 'user', {id:1 + i * 7 % 3000}, 'view' FROM {series};
INSERT INTO resource_shares (id, resource_permission_id, grantee_type, grantee_id, permission)
    SELECT {id:2 * i + 1}, {id:i}, 'group', {id:1 + i % 500}, 'view' FROM {series};
"""
