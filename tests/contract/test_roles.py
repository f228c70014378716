"""Actions and roles (``http-api.md`` §7, ``authorization.md`` §3): R1 to R3."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from sentinel.app import flush_books
from sentinel.identity.models import User
from sentinel.roles.models import ActionUsage, GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


async def _register(
    stage: Stage, service: Service, *names: str, scope: str = "notes"
) -> list[dict[str, Any]]:
    body = {"service_name": scope, "actions": [{"action": name} for name in names]}
    answer = await stage.client.post("/roles/actions/register", headers=service.headers, json=body)
    assert answer.status_code == 201, answer.text
    stored: list[dict[str, Any]] = answer.json()
    return stored


async def _role(stage: Stage, workspace: Workspace, name: str, *action_ids: str) -> Role:
    role = Role(id=uuid4(), workspace_id=workspace.id, name=name, created_at=stage.clock.now())
    await stage.add(role)
    await stage.add(
        *(
            RoleAction(id=uuid4(), role_id=role.id, service_action_id=UUID(action_id))
            for action_id in action_ids
        )
    )
    return role


async def _bind(stage: Stage, role: Role, holder: User | Group) -> None:
    now = stage.clock.now()
    if isinstance(holder, Group):
        await stage.add(GroupRole(id=uuid4(), group_id=holder.id, role_id=role.id, assigned_at=now))
    else:
        await stage.add(UserRole(id=uuid4(), user_id=holder.id, role_id=role.id, assigned_at=now))


async def _check(
    stage: Stage, service: Service, token: str, workspace: Workspace, action: str, scope: str = "notes"
) -> Any:
    answer = await stage.client.post(
        "/roles/check-action",
        headers=service.headers | bearer(token),
        json={"service_name": scope, "action": action, "workspace_id": str(workspace.id)},
    )
    return (
        (answer.json()["allowed"], answer.json()["roles"])
        if answer.status_code == 200
        else answer.status_code
    )


async def _actions(
    stage: Stage, service: Service, token: str, workspace: Workspace, scope: str = "notes"
) -> Any:
    answer = await stage.client.get(
        "/roles/user-actions",
        headers=service.headers | bearer(token),
        params={"service_name": scope, "workspace_id": str(workspace.id)},
    )
    return answer.json()["actions"] if answer.status_code == 200 else answer.status_code


async def test_R1_registers_actions_once_in_one_statement_and_never_deletes(stage: Stage) -> None:
    service = await stage.service()
    body = {
        "service_name": "notes",
        "actions": [
            {"action": "note:write", "description": "first"},
            {"action": "export", "description": "Export"},
            {"action": "note:write", "description": "last"},
        ],
    }
    with stage.statements() as seen:
        answer = await stage.client.post("/roles/actions/register", headers=service.headers, json=body)
    assert answer.status_code == 201
    assert len(seen) == 2  # the tier's, and the upsert
    stored = answer.json()
    assert [(row["action"], row["description"]) for row in stored] == [
        ("export", "Export"),
        ("note:write", "last"),
    ]
    assert set(stored[0]) == {"id", "service_name", "action", "description", "created_at"}
    # Again, fewer and without descriptions: nothing is lost, ids stay.
    again = await _register(stage, service, "export")
    assert (again[0]["id"], again[0]["description"]) == (stored[0]["id"], "Export")
    assert await stage.count(ServiceAction) == 2
    assert await _register(stage, service) == []


async def test_R1_refuses_other_scopes_and_malformed_names_and_writes_nothing(stage: Stage) -> None:
    service = await stage.service()
    cases: list[tuple[int, dict[str, Any]]] = [
        (403, {"service_name": "other", "actions": [{"action": "a"}]}),
        (422, {"service_name": "Notes", "actions": []}),
        (422, {"service_name": "notes", "actions": [{"action": "Write"}]}),
        (422, {"service_name": "notes", "actions": [{"action": "a b"}]}),
        (422, {"service_name": "notes", "actions": [{"action": "a" * 256}]}),
        (422, {"service_name": "notes", "actions": [{"action": f"a{n}"} for n in range(501)]}),
        (422, {"service_name": "notes", "actions": [{"action": "a", "description": "\x00"}]}),
    ]
    for status, body in cases:
        answer = await stage.client.post("/roles/actions/register", headers=service.headers, json=body)
        assert answer.status_code == status, body
    without = await stage.client.post(
        "/roles/actions/register", json={"service_name": "notes", "actions": []}
    )
    assert without.status_code == 401
    assert await stage.count(ServiceAction) == 0


async def test_R2_and_R3_union_of_direct_and_group_roles_live_and_in_one_statement(stage: Stage) -> None:
    """Rules: authorization-3.3, authorization-3.4, authorization-3.8."""
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    ada = await stage.member(workspace, "viewer")
    service = await stage.service()
    read, write, export = await _register(stage, service, "a.read", "b.write", "c.export")
    reader = await _role(stage, workspace, "Reader", read["id"])
    writer = await _role(stage, workspace, "Writer", read["id"], write["id"])
    group = await stage.group(workspace, ada)
    await _bind(stage, reader, ada)
    await _bind(stage, writer, group)
    token = await stage.access_token(ada, workspace)
    with stage.statements() as seen:
        assert await _check(stage, service, token, workspace, "a.read") == (True, ["Reader", "Writer"])
        assert await _check(stage, service, token, workspace, "b.write") == (True, ["Writer"])
        assert await _check(stage, service, token, workspace, "c.export") == (False, [])
        assert await _check(stage, service, token, workspace, "unknown") == (False, [])
        assert await _actions(stage, service, token, workspace) == ["a.read", "b.write"]
    assert len(seen) == 5
    # A workspace role implies no action, not even the owner's.
    assert await _actions(stage, service, await stage.access_token(owner, workspace), workspace) == []
    # Leaving the group, changing the role and losing the binding act on the next request.
    await stage.execute(sa.delete(GroupMembership))
    assert await _actions(stage, service, token, workspace) == ["a.read"]
    await stage.add(RoleAction(id=uuid4(), role_id=reader.id, service_action_id=UUID(export["id"])))
    assert await _actions(stage, service, token, workspace) == ["a.read", "c.export"]
    await stage.execute(sa.delete(UserRole))
    assert await _actions(stage, service, token, workspace) == []


async def test_R2_and_R3_bindings_of_other_workspaces_scopes_and_non_members_never_count(
    stage: Stage,
) -> None:
    """Rules: authorization-3.4, authorization-3.7."""
    owner = await stage.user()
    workspace, other = await stage.workspace(owner), await stage.workspace(owner)
    ada = await stage.member(workspace)
    service, wiki = await stage.service(), await stage.service("wiki")
    (here,) = await _register(stage, service, "write")
    (there,) = await _register(stage, wiki, "write", scope="wiki")
    foreign_role = await _role(stage, other, "Foreign", here["id"])
    await _bind(stage, foreign_role, ada)
    await _bind(stage, await _role(stage, workspace, "Wiki", there["id"]), ada)
    # A group of another workspace, bound to a role of this one, as no use case would do it.
    stray = await stage.group(other, ada)
    await _bind(stage, await _role(stage, workspace, "Stray", here["id"]), stray)
    token = await stage.access_token(ada, workspace)
    assert await _check(stage, service, token, workspace, "write") == (False, [])
    assert await _actions(stage, service, token, workspace) == []
    assert await _actions(stage, wiki, token, workspace, "wiki") == ["write"]
    await _bind(stage, await _role(stage, workspace, "Writer", here["id"]), ada)
    assert await _check(stage, service, token, workspace, "write") == (True, ["Writer"])
    await stage.execute(sa.delete(Membership).where(Membership.user_id == ada.id))
    assert await _check(stage, service, token, workspace, "write") == 403
    assert await _actions(stage, service, token, workspace) == 403


async def test_R2_and_R3_refuse_other_scopes_workspaces_and_missing_credentials(stage: Stage) -> None:
    owner = await stage.user()
    workspace, other = await stage.workspace(owner), await stage.workspace(owner)
    service = await stage.service()
    token = await stage.access_token(owner, workspace)
    assert await _check(stage, service, token, other, "write") == 403
    assert await _check(stage, service, token, workspace, "write", scope="wiki") == 403
    assert await _actions(stage, service, token, other) == 403
    assert await _actions(stage, service, token, workspace, scope="wiki") == 403
    assert await _check(stage, service, "garbage", workspace, "write") == 401
    keyless = Service(service.app, "sk_wrong")
    assert await _check(stage, keyless, token, workspace, "write") == 401
    bound = await stage.authz_token(owner, workspace, "notes")
    assert await _check(stage, service, bound, workspace, "write") == (False, [])
    elsewhere = await stage.authz_token(owner, workspace, "wiki")
    assert await _check(stage, service, elsewhere, workspace, "write") == 403
    missing = await stage.client.get("/roles/user-actions", headers=service.headers | bearer(token))
    assert missing.status_code == 422


async def test_R2_counts_what_was_allowed_by_day_off_the_request(stage: Stage) -> None:
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    service = await stage.service()
    (write,) = await _register(stage, service, "write")
    await _bind(stage, await _role(stage, workspace, "Writer", write["id"]), owner)
    token = await stage.access_token(owner, workspace)
    for _ in range(3):
        await _check(stage, service, token, workspace, "write")
    assert await stage.count(ActionUsage) == 0
    await flush_books(stage.state)
    await _check(stage, service, token, workspace, "write")
    await flush_books(stage.state)
    (row,) = await stage.all(ActionUsage)
    assert (row.day, row.user_id, row.service_name, row.action, row.count) == (
        stage.clock.now().date(),
        owner.id,
        "notes",
        "write",
        4,
    )


async def test_R2_keeps_one_denied_row_a_minute_with_a_count(stage: Stage) -> None:
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    service = await stage.service()
    token = await stage.access_token(owner, workspace)
    stage.clock.advance(60 - stage.clock.now().second)
    for _ in range(3):
        await _check(stage, service, token, workspace, "write")
    await flush_books(stage.state)
    await _check(stage, service, token, workspace, "write")
    await flush_books(stage.state)
    (row,) = await stage.activities("action_denied")
    assert (row.actor_id, row.workspace_id) == (owner.id, workspace.id)
    assert row.detail == {"service_name": "notes", "action": "write", "count": 4}
    stage.clock.advance(60)
    await _check(stage, service, token, workspace, "write")
    await _check(stage, service, token, workspace, "export")
    await flush_books(stage.state)
    rows = await stage.activities("action_denied")
    assert sorted((row.detail["action"], row.detail["count"]) for row in rows if row.detail) == [
        ("export", 1),
        ("write", 1),
        ("write", 4),
    ]


async def test_R2_recording_never_fails_a_verdict(stage: Stage) -> None:
    """Somebody who has left between the check and the flush is left out, and the flush goes on."""
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    ada = await stage.member(workspace)
    service = await stage.service()
    (write,) = await _register(stage, service, "write")
    role = await _role(stage, workspace, "Writer", write["id"])
    for person in (owner, ada):
        await _bind(stage, role, person)
        token = await stage.access_token(person, workspace)
        assert await _check(stage, service, token, workspace, "write") == (True, ["Writer"])
        assert await _check(stage, service, token, workspace, "export") == (False, [])
    await stage.execute(sa.delete(User).where(User.id == ada.id))
    await flush_books(stage.state)
    assert [row.user_id for row in await stage.all(ActionUsage)] == [owner.id]
    assert len(await stage.activities("action_denied")) == 2
