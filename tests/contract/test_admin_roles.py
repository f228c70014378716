"""Roles over the panel's JSON API (``admin.md`` §6). What the use cases do: test_role_admin.py."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from sentinel.audit.models import Activity
from sentinel.roles.models import GroupRole, Role, RoleAction, UserRole
from sentinel.workspaces.models import Workspace
from tests.contract.service_actions import registered
from tests.contract.test_admin_workspaces import without_housekeeping
from tests.stage import Stage

pytestmark = pytest.mark.anyio

API = "/admin/api/roles"
OK = {"status": "ok"}


def told(entry: Activity) -> tuple[Any, ...]:
    return entry.action, entry.actor_id, entry.target_type, entry.target_id, entry.workspace_id


def in_workspace(workspace: Workspace) -> str:
    return f"/admin/api/workspaces/{workspace.id}/roles"


async def role_in(stage: Stage, workspace: Workspace, name: str = "Editors") -> Role:
    role = Role(id=uuid4(), workspace_id=workspace.id, name=name, created_at=stage.clock.now())
    await stage.add(role)
    return role


async def test_admin_6_roles_are_made_listed_changed_and_deleted(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    async with stage.panel(admin) as http:
        answer = await http.post(in_workspace(workspace), json={"name": "<b>Editors</b>", "description": "d"})
        (made,) = await stage.all(Role)
        shape = {
            "id": str(made.id),
            "workspace_id": str(workspace.id),
            "name": "Editors",
            "description": "d",
            "created_by": str(admin.id),
            "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
            "action_count": 0,
            "member_count": 0,
            "group_count": 0,
        }
        assert (answer.status_code, answer.json()) == (201, shape)
        stage.clock.advance(1)
        with stage.statements() as seen:
            assert (await http.get(in_workspace(workspace))).json() == [shape]
        assert len(without_housekeeping(seen.texts)) == 2, seen.texts
        changed = await http.patch(f"{API}/{made.id}", json={"name": "Writers"})
        assert (changed.status_code, changed.json()) == (200, shape | {"name": "Writers"})
        stage.clock.advance(1)
        assert (await http.delete(f"{API}/{made.id}")).status_code == 204
        assert await stage.count(Role) == 0
        assert [told(entry) for entry in await stage.activities()] == [
            (action, admin.id, "role", made.id, workspace.id)
            for action in ("role_created", "role_updated", "role_deleted")
        ]


async def test_admin_6_refusals_of_roles_change_nothing(stage: Stage) -> None:
    workspace = await stage.workspace()
    role = await role_in(stage, workspace)
    await role_in(stage, workspace, "Taken")
    nowhere = f"/admin/api/workspaces/{uuid4()}/roles"
    async with stage.panel() as http:
        before = await stage.snapshot()
        assert (await http.post(in_workspace(workspace), json={"name": "Taken"})).status_code == 409
        assert (await http.patch(f"{API}/{role.id}", json={"name": "Taken"})).status_code == 409
        assert (await http.post(nowhere, json={"name": "X"})).status_code == 404
        assert (await http.get(nowhere)).status_code == 404
        assert (await http.patch(f"{API}/{uuid4()}", json={"name": "X"})).status_code == 404
        assert (await http.delete(f"{API}/{uuid4()}")).status_code == 404
        for body in ({}, {"name": ""}, {"name": "x" * 256}, {"name": "<i></i>"}):
            assert (await http.post(in_workspace(workspace), json=body)).status_code == 422
        for part in ("actions", "members", "groups"):
            assert (await http.get(f"{API}/{uuid4()}/{part}")).status_code == 404
        assert await stage.snapshot() == before


async def test_admin_6_of_parallel_creations_with_one_name_one_wins(stage: Stage) -> None:
    workspace = await stage.workspace()
    async with stage.panel() as http:
        answers = await asyncio.gather(
            *(http.post(in_workspace(workspace), json={"name": "Editors"}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49


async def test_admin_6_actions_are_added_all_or_none(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    role = await role_in(stage, workspace)
    read, write = await registered(stage, "notes:read", "billing:write")
    path = f"{API}/{role.id}/actions"
    async with stage.panel(admin) as http:
        before = await stage.snapshot()
        unknown = {"service_action_ids": [str(read.id), str(uuid4())]}
        assert (await http.post(path, json=unknown)).status_code == 404
        assert (await http.post(f"{API}/{uuid4()}/actions", json=unknown)).status_code == 404
        for body in ({}, {"service_action_ids": ["x"]}, {"service_action_ids": [str(uuid4())] * 1001}):
            assert (await http.post(path, json=body)).status_code == 422
        assert await stage.snapshot() == before
        both = {"service_action_ids": [str(read.id), str(write.id)]}
        for _ in range(2):
            answer = await http.post(path, json=both)
            assert (answer.status_code, answer.json()) == (201, OK)
        [entry] = await stage.activities()
        assert told(entry) == ("role_action_added", admin.id, "role", role.id, workspace.id)
        listed = (await http.get(path)).json()
        assert [(one["service_name"], one["action"]) for one in listed] == [
            ("billing", "write"),
            ("notes", "read"),
        ]
        assert set(listed[0]) == {"id", "service_name", "action", "description", "created_at"}
        assert (await http.get(in_workspace(workspace))).json()[0]["action_count"] == 2
        stage.clock.advance(1)
        assert (await http.delete(f"{path}/{read.id}")).status_code == 204
        assert (await http.delete(f"{path}/{read.id}")).status_code == 404
        assert await stage.count(RoleAction) == 1
        assert told((await stage.activities())[-1])[0] == "role_action_removed"


async def test_admin_6_members_are_bound_and_unbound(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    role = await role_in(stage, workspace)
    bob, stranger = await stage.member(workspace, name="Bob"), await stage.user()
    path = f"{API}/{role.id}/members"
    async with stage.panel(admin) as http:
        bound = await http.post(f"{path}/{bob.id}")
        assert (bound.status_code, bound.json()) == (201, OK)
        assert (await http.get(path)).json() == [
            {
                "user_id": str(bob.id),
                "email": bob.email,
                "name": "Bob",
                "assigned_at": stage.clock.now().isoformat().replace("+00:00", "Z"),
                "assigned_by": str(admin.id),
            }
        ]
        before = await stage.snapshot()
        assert (await http.post(f"{path}/{bob.id}")).status_code == 409
        assert (await http.post(f"{path}/{stranger.id}")).status_code == 400
        assert (await http.post(f"{API}/{uuid4()}/members/{bob.id}")).status_code == 404
        assert (await http.delete(f"{path}/{stranger.id}")).status_code == 404
        assert await stage.snapshot() == before
        stage.clock.advance(1)
        assert (await http.delete(f"{path}/{bob.id}")).status_code == 204
        assert await stage.count(UserRole) == 0
        assert [told(entry) for entry in await stage.activities()] == [
            (action, admin.id, "user", bob.id, workspace.id)
            for action in ("role_member_added", "role_member_removed")
        ]


async def test_admin_6_groups_are_bound_and_unbound(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    role = await role_in(stage, workspace)
    bob = await stage.member(workspace)
    group, foreign = await stage.group(workspace, bob), await stage.group(await stage.workspace())
    path = f"{API}/{role.id}/groups"
    async with stage.panel(admin) as http:
        bound = await http.post(f"{path}/{group.id}")
        assert (bound.status_code, bound.json()) == (201, OK)
        assert (await http.get(path)).json() == [
            {
                "group_id": str(group.id),
                "name": group.name,
                "description": None,
                "member_count": 1,
                "assigned_at": stage.clock.now().isoformat().replace("+00:00", "Z"),
                "assigned_by": str(admin.id),
            }
        ]
        before = await stage.snapshot()
        assert (await http.post(f"{path}/{group.id}")).status_code == 409
        assert (await http.post(f"{path}/{foreign.id}")).status_code == 400
        assert (await http.post(f"{path}/{uuid4()}")).status_code == 404
        assert (await http.post(f"{API}/{uuid4()}/groups/{group.id}")).status_code == 404
        assert (await http.delete(f"{path}/{foreign.id}")).status_code == 404
        assert await stage.snapshot() == before
        stage.clock.advance(1)
        assert (await http.delete(f"{path}/{group.id}")).status_code == 204
        assert await stage.count(GroupRole) == 0
        assert [told(entry) for entry in await stage.activities()] == [
            (action, admin.id, "group", group.id, workspace.id)
            for action in ("role_group_added", "role_group_removed")
        ]
