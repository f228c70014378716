"""Members of any workspace over the panel's JSON API (``admin.md`` §5): administrators act with owner power."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import Role, UserRole
from sentinel.workspaces import batch, enrolment, members
from sentinel.workspaces.models import GroupMembership, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole
from tests.races import at_once, in_a_row, use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

LAST_OWNER = "The last owner cannot be removed or demoted"
CANNOT_ADD = "User cannot be added: no such user, or already a member"


def path(workspace: Workspace, *more: object) -> str:
    return "/".join(map(str, ("/admin/api/workspaces", workspace.id, "members", *more)))


async def role_of(stage: Stage, workspace: Workspace, user: User) -> str | None:
    found = await stage.all(
        Membership, Membership.workspace_id == workspace.id, Membership.user_id == user.id
    )
    return found[0].role if found else None


async def epoch(stage: Stage, user: User) -> int:
    (row,) = await stage.all(User, User.id == user.id)
    return int(row.token_epoch)


async def test_admin_5_members_of_a_workspace_that_is_not_ones_own(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace, "editor", name="Bob")
    await stage.workspace(await stage.user())
    async with stage.panel() as http:
        answer = await http.get(path(workspace))
        assert answer.status_code == 200
        assert [(one["user_id"], one["role"]) for one in answer.json()] == [
            (str(ada.id), "owner"),
            (str(bob.id), "editor"),
        ]
        assert set(answer.json()[0]) == {"user_id", "email", "name", "avatar_url", "role", "joined_at"}
        empty = await stage.workspace()
        assert (await http.get(path(empty))).json() == []
        assert (await http.get(f"/admin/api/workspaces/{uuid4()}/members")).status_code == 404


@pytest.mark.parametrize("stage_settings", [{}, {"self_serve_enabled": True}], ids=["plain", "self-serve"])
async def test_W7_and_admin_5_adds_with_every_role_in_the_self_serve_mode_too(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    async with stage.panel(admin) as http:
        for role in ("viewer", "editor", "admin", "owner"):
            person = await stage.user()
            answer = await http.post(path(workspace, "invite"), json={"email": person.email, "role": role})
            assert (answer.status_code, answer.json()) == (201, {"status": "ok"})
            assert await role_of(stage, workspace, person) == role
            entry = (await stage.activities("member_invited"))[-1]
            assert (entry.actor_id, entry.target_type, entry.target_id) == (admin.id, "user", person.id)
            assert entry.workspace_id == workspace.id
            assert entry.detail == {"email": person.email, "role": role}
            stage.clock.advance(1)


async def test_W7_unknown_present_and_not_permitted_are_400(stage: Stage) -> None:
    """Rules: authorization-7.9."""
    workspace = await stage.workspace()
    member = await stage.member(workspace)
    organization = await stage.organization("acme.example")
    outsider = await stage.user()
    await stage.restrict(workspace, organization)
    async with stage.panel() as http:
        before = await stage.snapshot()
        for email, detail in (
            ("nobody@example.com", CANNOT_ADD),
            (outsider.email, "The user's organization is not permitted in this workspace"),
        ):
            answer = await http.post(path(workspace, "invite"), json={"email": email})
            assert (answer.status_code, answer.json()["detail"]) == (400, detail)
        assert (await http.post(path(workspace, "invite"), json={"email": member.email})).status_code == 400
        unknown = f"/admin/api/workspaces/{uuid4()}/members/invite"
        assert (await http.post(unknown, json={"email": member.email})).status_code == 404
        for body in ({}, {"email": "x"}, {"email": member.email, "role": "king"}):
            assert (await http.post(path(workspace, "invite"), json=body)).status_code == 422
        assert await stage.snapshot() == before


async def test_W8_and_DL_8_change_of_role_with_owner_power_revokes(stage: Stage) -> None:
    """Rules: authorization-2.4, authorization-2.5."""
    admin, ada = await stage.user(is_admin=True), await stage.user()
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace)
    async with stage.panel(admin) as http:
        answer = await http.patch(path(workspace, bob.id), json={"role": "owner"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        [entry] = await stage.activities()
        assert (entry.action, entry.actor_id, entry.target_id) == ("member_role_changed", admin.id, bob.id)
        assert (entry.workspace_id, entry.detail) == (
            workspace.id,
            {"old_role": "viewer", "new_role": "owner"},
        )
        assert await epoch(stage, bob) == 1
        # The same role again is no change.
        assert (await http.patch(path(workspace, bob.id), json={"role": "owner"})).status_code == 200
        assert (await epoch(stage, bob), len(await stage.activities())) == (1, 1)
        # With another owner there, an owner may be demoted.
        assert (await http.patch(path(workspace, ada.id), json={"role": "viewer"})).status_code == 200
        assert await role_of(stage, workspace, ada) == "viewer"
        before = await stage.snapshot()
        last = await http.patch(path(workspace, bob.id), json={"role": "admin"})
        assert (last.status_code, last.json()["detail"]) == (409, LAST_OWNER)
        gone = await http.delete(path(workspace, bob.id))
        assert (gone.status_code, gone.json()["detail"]) == (409, LAST_OWNER)
        assert (await http.patch(path(workspace, uuid4()), json={"role": "admin"})).status_code == 404
        assert (await http.patch(path(workspace, ada.id), json={"role": "king"})).status_code == 422
        assert await stage.snapshot() == before


async def test_W8_public_endpoints_still_say_403_for_the_last_owner(stage: Stage) -> None:
    """The rule is one; only the status differs between the faces."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    mine = f"/workspaces/{workspace.id}/members/{ada.id}"
    for answer in (
        await stage.client.patch(mine, headers=headers, json={"role": "viewer"}),
        await stage.client.delete(mine, headers=headers),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (403, LAST_OWNER)


async def test_W9_and_DL_8_removal_takes_what_was_given_and_leaves_what_is_owned(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    bob = await stage.member(workspace)
    await stage.join(other, bob)
    here, there = await stage.group(workspace, bob), await stage.group(other, bob)
    owned = await stage.resource(workspace, bob)
    shared = await stage.resource(workspace, ada)
    await stage.share(shared, bob)
    await stage.share(await stage.resource(other, ada), bob)
    role = Role(id=uuid4(), workspace_id=workspace.id, name="r")
    await stage.add(role, UserRole(user_id=bob.id, role_id=role.id))
    async with stage.panel(admin) as http:
        assert (await http.delete(path(workspace, bob.id))).status_code == 204
        assert (await http.delete(path(workspace, bob.id))).status_code == 404
    assert await role_of(stage, workspace, bob) is None
    assert await role_of(stage, other, bob) == "viewer"
    assert [one.group_id for one in await stage.all(GroupMembership)] == [there.id]
    assert here.id != there.id and await stage.count(UserRole) == 0
    assert await stage.count(Share) == 1
    assert await stage.count(Resource, Resource.id == owned.id, Resource.owner_id == bob.id) == 1
    assert await epoch(stage, bob) == 1
    [entry] = await stage.activities()
    assert (entry.action, entry.actor_id, entry.target_id, entry.workspace_id) == (
        "member_removed",
        admin.id,
        bob.id,
        workspace.id,
    )


async def test_authorization_2_4_parallel_demotions_and_removals_leave_an_owner(stage: Stage) -> None:
    """50 tries at ten owners, over both faces of the panel's API."""
    workspace = await stage.workspace()
    owners = [await stage.member(workspace, "owner") for _ in range(10)]
    async with stage.panel() as http:
        tries = []
        for turn in range(5):
            for owner in owners:
                one = path(workspace, owner.id)
                tries.append(http.delete(one) if turn % 2 else http.patch(one, json={"role": "viewer"}))
        answers = await asyncio.gather(*tries)
    assert {answer.status_code for answer in answers} <= {200, 204, 404, 409}
    assert await stage.count(Membership, Membership.role == "owner") == 1


async def test_authorization_2_4_who_has_just_become_the_last_owner_stays(
    anyio_backend: Any, postgresql_url: str, stage_keys: Keys
) -> None:
    async with open_stage(postgresql_url, stage_keys) as stage:
        workspace = await stage.workspace()
        ada, bob = await stage.member(workspace, "owner"), await stage.member(workspace, "owner")
        now = stage.clock.now()
        async with stage.panel() as http:
            _, answer = await in_a_row(
                stage,
                lambda session: members.expel(
                    session, workspace.id, ada.id, as_owner=True, actor_id=None, now=now
                ),
                http.patch(path(workspace, bob.id), json={"role": "viewer"}),
            )
        assert answer.status_code == 409
        assert await role_of(stage, workspace, bob) == "owner"


# ── several at once ──


async def test_admin_2_batch_adds_all_valid_and_reports_the_others_together(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    organization = await stage.organization("acme.example")
    await stage.restrict(workspace, organization)
    fits = [await stage.user(email=f"p{n}@acme.example", organization_id=None) for n in range(3)]
    present = await stage.member(workspace, organization_id=organization.id)
    outsider, nobody = await stage.user(), uuid4()
    result = await use(
        stage,
        enrolment.several,
        workspace.id,
        [*(one.id for one in fits), present.id, outsider.id, nobody, fits[0].id],
        WorkspaceRole.EDITOR,
        actor_id=admin.id,
    )
    assert set(result.added) == {one.id for one in fits}
    assert {(one.id, one.label): one.reason for one in result.failures} == {
        (present.id, present.email): "Already a member of this workspace",
        (outsider.id, outsider.email): "The user's organization is not permitted in this workspace",
        (nobody, str(nobody)): "There is no such user",
    }
    for one in fits:
        assert await role_of(stage, workspace, one) == "editor"
    entries = await stage.activities("member_invited")
    assert {entry.target_id for entry in entries} == {one.id for one in fits}
    assert {(entry.actor_id, entry.workspace_id) for entry in entries} == {(admin.id, workspace.id)}


async def test_admin_2_batch_knows_its_limits(stage: Stage) -> None:
    workspace = await stage.workspace()
    person = await stage.user()
    many = [uuid4() for _ in range(batch.MAX_BATCH + 1)]

    async def refused(workspace_id: UUID, ids: list[UUID]) -> str:
        counted = await at_once([use(stage, enrolment.several, workspace_id, ids, WorkspaceRole.VIEWER)])
        return next(iter(counted))

    assert await refused(workspace.id, many) == "unprocessable"
    assert await refused(uuid4(), [person.id]) == "workspace_not_found"
    assert await stage.count(Membership) == 0


async def test_admin_2_parallel_batches_add_everybody_once(stage: Stage) -> None:
    workspace = await stage.workspace()
    people = [await stage.user() for _ in range(5)]
    ids = [one.id for one in people]
    batches = await asyncio.gather(
        *(
            use(stage, enrolment.several, workspace.id, ids if n % 2 else ids[::-1], WorkspaceRole.VIEWER)
            for n in range(20)
        )
    )
    assert sum(len(one.added) for one in batches) == len(people)
    assert await stage.count(Membership) == len(people)
    assert len(await stage.activities("member_invited")) == len(people)
