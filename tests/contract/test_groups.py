"""G1 to G7, groups: http-api.md §6; DL-8."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from sentinel.identity.models import User
from sentinel.workspaces.models import Group, GroupMembership, Workspace
from tests.contract.activities import told
from tests.stage import Stage

pytestmark = pytest.mark.anyio

NAME_TAKEN = "Group name is already taken in this workspace"
NO_GROUP = "Group not found"


def shape(group: Group) -> dict[str, Any]:
    """G, from the row."""
    return {
        "id": str(group.id),
        "workspace_id": str(group.workspace_id),
        "name": group.name,
        "description": group.description,
        "created_by": str(group.created_by) if group.created_by else None,
        "created_at": group.created_at.isoformat().replace("+00:00", "Z"),
    }


async def stored(stage: Stage, group_id: UUID | str) -> Group:
    """The row as it is now."""
    (row,) = await stage.all(Group, Group.id == UUID(str(group_id)))
    assert isinstance(row, Group)
    return row


async def ask(
    stage: Stage,
    method: str,
    headers: Mapping[str, str],
    workspace: Workspace,
    path: str = "",
    body: dict[str, Any] | None = None,
) -> httpx.Response:
    """A request below the groups of a workspace."""
    return await stage.client.request(
        method, f"/workspaces/{workspace.id}/groups{path}", headers=headers, json=body
    )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


async def epoch(stage: Stage, user: User) -> int:
    (row,) = await stage.all(User, User.id == user.id)
    return int(row.token_epoch)


async def in_group(stage: Stage, group: Group) -> set[UUID]:
    return {row.user_id for row in await stage.all(GroupMembership, GroupMembership.group_id == group.id)}


# ── G1 ──


async def test_G1_makes_a_group(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(await stage.user())
    await stage.join(workspace, ada, "admin")
    headers = await stage.as_user(ada, workspace)
    for body, name, description in (
        ({"name": "Team", "description": "All of us"}, "Team", "All of us"),
        ({"name": "Bare"}, "Bare", None),
        ({"name": " <b>R&D</b> ", "description": "<i>x</i>"}, "R&D", "x"),
        ({"name": "n" * 255, "description": None}, "n" * 255, None),
    ):
        answer = await ask(stage, "POST", headers, workspace, body=body)
        group = await stored(stage, answer.json()["id"])
        assert (answer.status_code, answer.json()) == (201, shape(group))
        assert list(answer.json()) == [
            "id",
            "workspace_id",
            "name",
            "description",
            "created_by",
            "created_at",
        ]
        assert (group.workspace_id, group.name, group.description) == (workspace.id, name, description)
        assert (group.created_by, group.created_at) == (ada.id, stage.clock.now())
        assert await in_group(stage, group) == set()
        assert told((await stage.activities())[-1]) == (
            "group_created",
            ada.id,
            "group",
            group.id,
            workspace.id,
            {"name": name},
        )
        stage.clock.advance(1)


async def test_G1_and_G3_refuse_bad_names(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    group = await stage.group(workspace)
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot()
    names: tuple[Any, ...] = ("", "  ", "<b></b>", "n" * 256, "a\0b", 7, ["a"])
    for name in names:
        for method, path in (("POST", ""), ("PATCH", f"/{group.id}")):
            answer = await ask(stage, method, headers, workspace, path, {"name": name, "description": "New"})
            assert answer.status_code == 422, (method, name)
            assert answer.json()["detail"][0]["loc"] == ["body", "name"]
    assert (await ask(stage, "POST", headers, workspace, body={"name": None})).status_code == 422
    assert (await ask(stage, "POST", headers, workspace, body={})).status_code == 422
    assert (await ask(stage, "PATCH", headers, workspace, "/7", {"name": "New"})).status_code == 422
    assert await stage.snapshot() == before


async def test_G1_and_G3_a_name_is_taken_once_in_a_workspace(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    await stage.group(workspace, name="Team")
    second = await stage.group(workspace, name="Second")
    await stage.group(other, name="Elsewhere")
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot()
    for name in ("Team", "  Team ", "<b>Team</b>", "Te&#97;m"):
        answer = await ask(stage, "POST", headers, workspace, body={"name": name})
        assert refusal(answer) == (409, NAME_TAKEN), name
        answer = await ask(
            stage, "PATCH", headers, workspace, f"/{second.id}", {"name": name, "description": "New"}
        )
        assert refusal(answer) == (409, NAME_TAKEN), name
    assert await stage.snapshot() == before
    # Taken in another workspace is free here.
    assert (await ask(stage, "POST", headers, workspace, body={"name": "Elsewhere"})).status_code == 201


async def test_L24_names_that_differ_by_case_or_form_are_different(stage: Stage) -> None:
    """The same on both databases. Rules: G1."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    names = (
        "Team",
        "team",
        "TEAM",
        "Те\u0430m",
        "R\u00e9",
        "Re\u0301",
        "re\u0301",
        "stra\u00dfe",
        "strasse",
        "ｔeam",
    )
    for name in names:
        answer = await ask(stage, "POST", headers, workspace, body={"name": name})
        assert (answer.status_code, answer.json()["name"]) == (201, name)
    for name in names:
        answer = await ask(stage, "POST", headers, workspace, body={"name": name})
        assert refusal(answer) == (409, NAME_TAKEN), name


async def test_G1_and_G3_twenty_at_once_for_one_name_one_wins(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    tries = [ask(stage, "POST", headers, workspace, body={"name": "Team"}) for _ in range(20)]
    answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert await stage.count(Group) == 1
    assert len(await stage.activities("group_created")) == 1
    groups = [await stage.group(workspace) for _ in range(6)]
    tries = [ask(stage, "PATCH", headers, workspace, f"/{group.id}", {"name": "Other"}) for group in groups]
    answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert await stage.count(Group, Group.name == "Other") == 1
    assert len(await stage.activities("group_updated")) == 1


async def test_L15_a_group_takes_no_protected_field(stage: Stage) -> None:
    """Rules: G1, G3."""
    ada, bob = await stage.user(), await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    protected = {
        "id": str(uuid4()),
        "workspace_id": str(other.id),
        "created_by": str(bob.id),
        "created_at": "2000-01-01T00:00:00Z",
        "members": [str(bob.id)],
        "role": "owner",
    }
    answer = await ask(stage, "POST", headers, workspace, body=protected | {"name": "Team"})
    group = await stored(stage, answer.json()["id"])
    assert (str(group.id) == protected["id"], group.workspace_id, group.created_by, group.created_at) == (
        False,
        workspace.id,
        ada.id,
        stage.clock.now(),
    )
    answer = await ask(stage, "PATCH", headers, workspace, f"/{group.id}", protected | {"name": "New"})
    assert answer.json() == shape(group) | {"name": "New"}
    assert await in_group(stage, group) == set()


# ── G2, G5 ──


async def test_G2_lists_the_groups_by_creation(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    groups = [await stage.group(workspace, ada, name=name) for name in ("Z", "A", "M")]
    await stage.group(other)
    viewer = await stage.member(workspace)
    headers = await stage.as_user(viewer, workspace)
    with stage.statements() as statements:
        answer = await ask(stage, "GET", headers, workspace)
    assert (answer.status_code, answer.json()) == (200, [shape(group) for group in groups])
    assert len(statements) <= 2
    empty = await stage.workspace(ada)
    answer = await ask(stage, "GET", await stage.as_user(ada, empty), empty)
    assert (answer.status_code, answer.json()) == (200, [])


async def test_G5_lists_the_people_of_a_group_by_the_time_they_were_added(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    zoe, bob = await stage.member(workspace, name="Zoe"), await stage.member(workspace, name="Bob")
    group, empty = await stage.group(workspace, zoe, ada), await stage.group(workspace)
    await stage.group(workspace, bob)
    await stage.add(
        GroupMembership(id=uuid4(), group_id=group.id, user_id=bob.id, added_at=stage.clock.now())
    )
    headers = await stage.as_user(bob, workspace)
    with stage.statements() as statements:
        answer = await ask(stage, "GET", headers, workspace, f"/{group.id}/members")
    added = {
        row.user_id: row.added_at
        for row in await stage.all(GroupMembership, GroupMembership.group_id == group.id)
    }
    assert (answer.status_code, answer.json()) == (
        200,
        [
            {
                "user_id": str(person.id),
                "email": person.email,
                "name": person.name,
                "added_at": added[person.id].isoformat().replace("+00:00", "Z"),
            }
            for person in (zoe, ada, bob)
        ],
    )
    assert list(answer.json()[0]) == ["user_id", "email", "name", "added_at"]
    assert len(statements) <= 2
    answer = await ask(stage, "GET", headers, workspace, f"/{empty.id}/members")
    assert (answer.status_code, answer.json()) == (200, [])
    answer = await ask(stage, "GET", headers, workspace, f"/{uuid4()}/members")
    assert refusal(answer) == (404, NO_GROUP)
    assert (await ask(stage, "GET", headers, workspace, "/x/members")).status_code == 422


# ── G3, G4 ──


async def test_G3_changes_name_and_description(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    group, other = await stage.group(workspace, ada, name="Old"), await stage.group(workspace)
    headers = await stage.as_user(ada, workspace)
    expected = shape(group)
    for body, changed in (
        ({"name": "New"}, {"name": "New"}),
        ({"description": "Text"}, {"description": "Text"}),
        ({"name": "<b>Both</b>", "description": "<i>x</i>"}, {"name": "Both", "description": "x"}),
    ):
        answer = await ask(stage, "PATCH", headers, workspace, f"/{group.id}", body)
        expected |= changed
        assert (answer.status_code, answer.json()) == (200, expected)
        assert shape(await stored(stage, group.id)) == expected
        assert told((await stage.activities())[-1]) == (
            "group_updated",
            ada.id,
            "group",
            group.id,
            workspace.id,
            {"fields": list(changed)},
        )
        stage.clock.advance(1)
    before = await stage.snapshot()
    for same in ({}, {"name": None, "description": None}, {"name": "Both"}, {"name": " Both "}):
        answer = await ask(stage, "PATCH", headers, workspace, f"/{group.id}", same)
        assert (answer.status_code, answer.json()) == (200, expected)
    assert refusal(await ask(stage, "PATCH", headers, workspace, f"/{uuid4()}", {"name": "New"})) == (
        404,
        NO_GROUP,
    )
    assert await stage.snapshot() == before
    assert shape(await stored(stage, other.id)) == shape(other)
    # A new name revokes nobody.
    assert await epoch(stage, ada) == 0


async def test_G4_deletes_and_revokes_every_former_member(stage: Stage) -> None:
    """What goes with it: test_purge.py."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob, eve, outsider = [await stage.member(workspace) for _ in range(3)]
    group, other = await stage.group(workspace, bob, eve, name="Team"), await stage.group(workspace, outsider)
    headers = await stage.as_user(ada, workspace)
    answer = await ask(stage, "DELETE", headers, workspace, f"/{group.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert [row.id for row in await stage.all(Group)] == [other.id]
    assert [told(entry) for entry in await stage.activities()] == [
        ("group_deleted", ada.id, "group", group.id, workspace.id, {"name": "Team"})
    ]
    assert [await epoch(stage, one) for one in (ada, bob, eve, outsider)] == [0, 1, 1, 0]
    before = await stage.snapshot()
    assert refusal(await ask(stage, "DELETE", headers, workspace, f"/{group.id}")) == (404, NO_GROUP)
    assert await stage.snapshot() == before
    # The name is free again, and what is made under it is new.
    again = await ask(stage, "POST", headers, workspace, body={"name": "Team"})
    assert (again.status_code, again.json()["id"] == str(group.id)) == (201, False)


async def test_G4_asked_for_ten_times_at_once_happens_once(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace)
    group = await stage.group(workspace, bob)
    headers = await stage.as_user(ada, workspace)
    tries = [ask(stage, "DELETE", headers, workspace, f"/{group.id}") for _ in range(10)]
    changes = [ask(stage, "PATCH", headers, workspace, f"/{group.id}", {"name": f"n{n}"}) for n in range(5)]
    answers = await asyncio.gather(*tries, *changes)
    assert sorted(answer.status_code for answer in answers[:10]) == [204] + [404] * 9
    assert {answer.status_code for answer in answers[10:]} <= {200, 404}
    assert len(await stage.activities("group_deleted")) == 1
    assert await epoch(stage, bob) == 1


# ── G6, G7 ──


async def test_G6_puts_a_member_into_a_group(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    bob, stranger = await stage.member(workspace), await stage.member(other)
    group = await stage.group(workspace)
    headers, his = await stage.as_user(ada, workspace), await stage.as_user(bob, workspace)
    answer = await ask(stage, "POST", headers, workspace, f"/{group.id}/members/{bob.id}")
    assert (answer.status_code, answer.json()) == (201, {"status": "ok"})
    (row,) = await stage.all(GroupMembership)
    assert (row.group_id, row.user_id, row.added_at) == (group.id, bob.id, stage.clock.now())
    assert [told(entry) for entry in await stage.activities()] == [
        ("group_member_added", ada.id, "user", bob.id, workspace.id, {"group_id": str(group.id)})
    ]
    # authorization.md §8: being added revokes nothing.
    assert (await stage.client.get("/users/me", headers=his)).status_code == 200
    before = await stage.snapshot()
    for path, expected in (
        (f"/{group.id}/members/{bob.id}", (400, "User is already in this group")),
        (f"/{group.id}/members/{stranger.id}", (400, "User is not a member of this workspace")),
        (f"/{group.id}/members/{uuid4()}", (400, "User is not a member of this workspace")),
        (f"/{uuid4()}/members/{bob.id}", (404, NO_GROUP)),
        (f"/{uuid4()}/members/{stranger.id}", (404, NO_GROUP)),
    ):
        assert refusal(await ask(stage, "POST", headers, workspace, path)) == expected, path
    assert (await ask(stage, "POST", headers, workspace, f"/{group.id}/members/me")).status_code == 422
    assert await stage.snapshot() == before


async def test_G6_and_G7_at_once_add_once_and_take_out_once(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob, group = await stage.member(workspace), await stage.group(workspace)
    headers = await stage.as_user(ada, workspace)
    path = f"/{group.id}/members/{bob.id}"
    answers = await asyncio.gather(*(ask(stage, "POST", headers, workspace, path) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    assert await in_group(stage, group) == {bob.id}
    assert len(await stage.activities("group_member_added")) == 1
    answers = await asyncio.gather(*(ask(stage, "DELETE", headers, workspace, path) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 9
    assert await in_group(stage, group) == set()
    assert len(await stage.activities("group_member_removed")) == 1
    assert await epoch(stage, bob) == 1


async def test_G7_takes_somebody_out_and_revokes(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    bob, eve = await stage.member(workspace), await stage.member(workspace)
    await stage.join(other, bob)
    group, second = await stage.group(workspace, bob, eve), await stage.group(workspace, bob)
    headers, his = await stage.as_user(ada, workspace), await stage.as_user(bob, other)
    answer = await ask(stage, "DELETE", headers, workspace, f"/{group.id}/members/{bob.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await in_group(stage, group) == {eve.id}
    assert await in_group(stage, second) == {bob.id}
    assert [told(entry) for entry in await stage.activities()] == [
        ("group_member_removed", ada.id, "user", bob.id, workspace.id, {"group_id": str(group.id)})
    ]
    assert (await stage.client.get("/users/me", headers=his)).status_code == 401
    assert [await epoch(stage, one) for one in (bob, eve, ada)] == [1, 0, 0]
    before = await stage.snapshot()
    for path, expected in (
        (f"/{group.id}/members/{bob.id}", (404, "User is not in this group")),
        (f"/{group.id}/members/{ada.id}", (404, "User is not in this group")),
        (f"/{uuid4()}/members/{eve.id}", (404, NO_GROUP)),
    ):
        assert refusal(await ask(stage, "DELETE", headers, workspace, path)) == expected, path
    # Nobody is revoked by a refusal.
    assert await stage.snapshot() == before
