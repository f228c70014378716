"""Groups of any workspace over the panel's JSON API (``admin.md`` §5)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from sentinel.identity.models import User
from sentinel.permissions.models import Share
from sentinel.roles.models import GroupRole, Role
from sentinel.workspaces import batch, groups
from sentinel.workspaces.models import Group, GroupMembership, Workspace
from tests.contract.activities import told
from tests.contract.test_admin_workspaces import without_housekeeping
from tests.races import use
from tests.stage import Stage

pytestmark = pytest.mark.anyio

API = "/admin/api/groups"


async def epoch(stage: Stage, user: User) -> int:
    (row,) = await stage.all(User, User.id == user.id)
    return int(row.token_epoch)


def in_workspace(workspace: Workspace) -> str:
    return f"/admin/api/workspaces/{workspace.id}/groups"


async def test_G1_and_G2_administrators_make_and_list_groups_anywhere(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace, other = await stage.workspace(), await stage.workspace()
    await stage.group(other)
    async with stage.panel(admin) as http:
        answer = await http.post(in_workspace(workspace), json={"name": " <b>Team</b> ", "description": "d"})
        (made,) = await stage.all(Group, Group.workspace_id == workspace.id)
        assert answer.status_code == 201, answer.text
        assert answer.json() == {
            "id": str(made.id),
            "workspace_id": str(workspace.id),
            "name": "Team",
            "description": "d",
            "created_by": str(admin.id),
            "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
        }
        assert [told(entry) for entry in await stage.activities()] == [
            ("group_created", admin.id, "group", made.id, workspace.id, {"name": "Team"})
        ]
        with stage.statements() as seen:
            assert (await http.get(in_workspace(workspace))).json() == [answer.json()]
        assert len(without_housekeeping(seen.texts)) == 2, seen.texts
        assert (await http.get(in_workspace(await stage.workspace()))).json() == []


async def test_G1_taken_names_unknown_workspaces_and_bad_names(stage: Stage) -> None:
    workspace = await stage.workspace()
    await stage.group(workspace, name="Team")
    nowhere = f"/admin/api/workspaces/{uuid4()}/groups"
    async with stage.panel() as http:
        before = await stage.snapshot()
        assert (await http.post(in_workspace(workspace), json={"name": "Team"})).status_code == 409
        assert (await http.post(nowhere, json={"name": "Team"})).status_code == 404
        assert (await http.get(nowhere)).status_code == 404
        for body in ({}, {"name": ""}, {"name": "x" * 256}, {"name": "<i></i>"}):
            assert (await http.post(in_workspace(workspace), json=body)).status_code == 422
        assert await stage.snapshot() == before


async def test_G1_of_parallel_creations_with_one_name_one_wins(stage: Stage) -> None:
    workspace = await stage.workspace()
    async with stage.panel() as http:
        answers = await asyncio.gather(
            *(http.post(in_workspace(workspace), json={"name": "Team"}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert len(await stage.activities("group_created")) == 1


async def test_G3_change(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    group, other = await stage.group(workspace, name="Team"), await stage.group(workspace, name="Crew")
    async with stage.panel(admin) as http:
        answer = await http.patch(f"{API}/{group.id}", json={"name": "Squad"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Squad")
        assert [told(entry) for entry in await stage.activities()] == [
            ("group_updated", admin.id, "group", group.id, workspace.id, {"fields": ["name"]})
        ]
        before = await stage.snapshot()
        assert (await http.patch(f"{API}/{group.id}", json={"name": "Squad"})).status_code == 200
        assert (await http.patch(f"{API}/{other.id}", json={"name": "Squad"})).status_code == 409
        assert (await http.patch(f"{API}/{uuid4()}", json={"name": "X"})).status_code == 404
        assert (await http.patch(f"{API}/{group.id}", json={"name": ""})).status_code == 422
        assert await stage.snapshot() == before


async def test_G4_and_DL_8_delete_purges_and_revokes(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user()
    workspace = await stage.workspace(ada)
    bob, eve = await stage.member(workspace), await stage.member(workspace)
    group, other = await stage.group(workspace, bob), await stage.group(workspace, bob, eve)
    for one in (group, other):
        await stage.share(await stage.resource(workspace, ada), one)
    role = Role(id=uuid4(), workspace_id=workspace.id, name="r")
    await stage.add(role, GroupRole(group_id=group.id, role_id=role.id))
    async with stage.panel(admin) as http:
        assert (await http.delete(f"{API}/{group.id}")).status_code == 204
        assert (await http.delete(f"{API}/{group.id}")).status_code == 404
    assert [one.id for one in await stage.all(Group)] == [other.id]
    assert [one.grantee_id for one in await stage.all(Share)] == [other.id]
    assert await stage.count(GroupRole) == 0 and await stage.count(GroupMembership) == 2
    assert [await epoch(stage, one) for one in (bob, eve)] == [1, 0]
    assert [told(entry) for entry in await stage.activities()] == [
        ("group_deleted", admin.id, "group", group.id, workspace.id, {"name": group.name})
    ]


async def test_G5_and_G6_and_G7_members_of_a_group(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    bob = await stage.member(workspace, name="Bob")
    group = await stage.group(workspace)
    path = f"{API}/{group.id}/members"
    async with stage.panel(admin) as http:
        assert (await http.get(path)).json() == []
        added = await http.post(f"{path}/{bob.id}")
        assert (added.status_code, added.json()) == (201, {"status": "ok"})
        assert await epoch(stage, bob) == 0
        assert (await http.get(path)).json() == [
            {
                "user_id": str(bob.id),
                "email": bob.email,
                "name": "Bob",
                "added_at": stage.clock.now().isoformat().replace("+00:00", "Z"),
            }
        ]
        stage.clock.advance(1)
        assert (await http.delete(f"{path}/{bob.id}")).status_code == 204
        assert await epoch(stage, bob) == 1
        assert [told(entry) for entry in await stage.activities()] == [
            (action, admin.id, "user", bob.id, workspace.id, {"group_id": str(group.id)})
            for action in ("group_member_added", "group_member_removed")
        ]


async def test_G6_and_G7_refusals_give_their_reason(stage: Stage) -> None:
    workspace = await stage.workspace()
    bob, stranger = await stage.member(workspace), await stage.user()
    group = await stage.group(workspace, bob)
    path, nowhere = f"{API}/{group.id}/members", f"{API}/{uuid4()}/members"
    async with stage.panel() as http:
        before = await stage.snapshot()
        for user, detail in (
            (stranger, "User is not a member of this workspace"),
            (bob, "User is already in this group"),
        ):
            answer = await http.post(f"{path}/{user.id}")
            assert (answer.status_code, answer.json()["detail"]) == (400, detail)
        assert (await http.get(nowhere)).status_code == 404
        assert (await http.post(f"{nowhere}/{bob.id}")).status_code == 404
        assert (await http.delete(f"{nowhere}/{bob.id}")).status_code == 404
        assert (await http.delete(f"{path}/{stranger.id}")).status_code == 404
        assert await stage.snapshot() == before


async def test_G6_of_parallel_additions_one_wins(stage: Stage) -> None:
    workspace = await stage.workspace()
    bob = await stage.member(workspace)
    group = await stage.group(workspace)
    async with stage.panel() as http:
        answers = await asyncio.gather(*(http.post(f"{API}/{group.id}/members/{bob.id}") for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 49
    assert len(await stage.activities("group_member_added")) == 1


async def test_admin_2_batch_into_a_group_reports_the_others_together(stage: Stage) -> None:
    workspace = await stage.workspace()
    fits = [await stage.member(workspace) for _ in range(3)]
    group = await stage.group(workspace, fits[0])
    stranger, nobody = await stage.user(), uuid4()

    async def add(session: Any, *, actor_id: Any, now: Any) -> batch.Batch:
        return await batch.people(
            session,
            [*(one.id for one in fits), stranger.id, nobody],
            lambda one: groups.put_in(session, workspace.id, group.id, one, actor_id=actor_id, now=now),
        )

    result = await use(stage, add)
    assert set(result.added) == {fits[1].id, fits[2].id}
    assert {one.label: one.reason for one in result.failures} == {
        fits[0].email: "User is already in this group",
        stranger.email: "User is not a member of this workspace",
        str(nobody): "User is not a member of this workspace",
    }
    assert await stage.count(GroupMembership) == 3
