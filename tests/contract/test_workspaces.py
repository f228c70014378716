"""W1 to W5, workspaces: http-api.md §5."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.identity.models import User
from sentinel.workspaces.models import Membership, Workspace
from tests.contract.activities import told
from tests.stage import Stage

pytestmark = pytest.mark.anyio

NOT_A_MEMBER = {"detail": "Not a member of this workspace"}


def shape(workspace: Workspace) -> dict[str, Any]:
    """W, from the row."""
    return {
        "id": str(workspace.id),
        "slug": workspace.slug,
        "name": workspace.name,
        "description": workspace.description,
        "created_by": str(workspace.created_by) if workspace.created_by else None,
        "created_at": workspace.created_at.isoformat().replace("+00:00", "Z"),
    }


async def stored(stage: Stage, workspace_id: UUID | str) -> Workspace:
    """The row as it is now."""
    (row,) = await stage.all(Workspace, Workspace.id == UUID(str(workspace_id)))
    assert isinstance(row, Workspace)
    return row


async def create(stage: Stage, headers: Mapping[str, str], **body: Any) -> httpx.Response:
    return await stage.client.post("/workspaces", headers=headers, json={"name": "New", "slug": "new"} | body)


# ── W1 ──


async def test_W1_the_creator_becomes_owner(stage: Stage) -> None:
    """Rules: authorization-2.3."""
    ada = await stage.user()
    old = await stage.workspace(ada)
    headers = await stage.as_user(ada, old)
    answer = await create(stage, headers, name="Research", slug="research-1", description="All of it")
    new = await stored(stage, answer.json()["id"])
    assert (answer.status_code, answer.json()) == (201, shape(new))
    assert list(answer.json()) == ["id", "slug", "name", "description", "created_by", "created_at"]
    assert (new.slug, new.name, new.description, new.created_by, new.created_at) == (
        "research-1",
        "Research",
        "All of it",
        ada.id,
        stage.clock.now(),
    )
    (membership,) = await stage.all(Membership, Membership.workspace_id == new.id)
    assert (membership.user_id, membership.role, membership.joined_at) == (ada.id, "owner", new.created_at)
    assert [told(entry) for entry in await stage.activities()] == [
        (
            "workspace_created",
            ada.id,
            "workspace",
            new.id,
            new.id,
            {"name": "Research", "slug": "research-1"},
        )
    ]
    # The token stays bound to the old workspace; a new one opens the new one.
    refused = await stage.client.get(f"/workspaces/{new.id}", headers=headers)
    assert (refused.status_code, refused.json()) == (403, NOT_A_MEMBER)
    fresh = await stage.as_user(ada, new)
    assert (await stage.client.get(f"/workspaces/{new.id}", headers=fresh)).json() == shape(new)


async def test_W1_needs_no_role_and_no_membership(stage: Stage) -> None:
    workspace = await stage.workspace(await stage.user())
    viewer, stranger = await stage.member(workspace), await stage.user()
    for number, person in enumerate((viewer, stranger)):
        answer = await create(stage, await stage.as_user(person, workspace), slug=f"new-{number}")
        assert answer.status_code == 201
        assert answer.json()["created_by"] == str(person.id)
        assert answer.json()["description"] is None


async def test_W1_names_and_descriptions_are_kept_without_markup(stage: Stage) -> None:
    ada = await stage.user()
    headers = await stage.as_user(ada, await stage.workspace(ada))
    answer = await create(
        stage, headers, name="<b>R&D</b> &lt;script&gt;", slug="rd", description="<i>All</i>"
    )
    assert (answer.json()["name"], answer.json()["description"]) == ("R&D", "All")
    assert (await stored(stage, answer.json()["id"])).name == "R&D"


async def test_W1_refuses_bad_names_and_slugs(stage: Stage) -> None:
    ada = await stage.user()
    headers = await stage.as_user(ada, await stage.workspace(ada))
    before = await stage.snapshot()
    slugs = "|a|-ab|ab-|Ab|a_b|a b| ab|ab |ab\n|a.b|a/b|äb|аб|a\0b".split("|")
    bad: dict[str, list[Any]] = {
        "slug": [*slugs, "a" * 101, None, 7],
        "name": ["", "  ", "<b></b>", "n" * 256, "a\0b", None, 7],
        "description": ["a\0b", 7, []],
    }
    for field, value in [(field, value) for field, values in bad.items() for value in values]:
        answer = await create(stage, headers, **{field: value})
        assert answer.status_code == 422, (field, value)
        assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", field]]
    for missing in ("name", "slug"):
        body = {"name": "New", "slug": "new"}
        del body[missing]
        answer = await stage.client.post("/workspaces", headers=headers, json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", missing]
    assert await stage.snapshot() == before
    for slug in ("ab", "a1", "1a", "a--b", "a" * 100):
        assert (await create(stage, headers, slug=slug, name="n" * 255)).status_code == 201, slug


async def test_W1_a_taken_slug_is_a_conflict(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    taken = await stage.workspace(bob, slug="taken")
    headers = await stage.as_user(ada, await stage.workspace(ada))
    before = await stage.snapshot()
    answer = await create(stage, headers, slug="taken")
    assert (answer.status_code, answer.json()) == (409, {"detail": "Workspace slug is already taken"})
    assert await stage.snapshot() == before
    # A deleted workspace frees its slug.
    await stage.execute(sa.delete(Workspace).where(Workspace.id == taken.id))
    assert (await create(stage, headers, slug="taken")).status_code == 201


async def test_W1_twenty_at_once_for_one_slug_one_wins(stage: Stage) -> None:
    people = [await stage.user() for _ in range(4)]
    headers = [await stage.as_user(person, await stage.workspace(person)) for person in people]
    answers = await asyncio.gather(*(create(stage, headers[number % 4]) for number in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    (workspace,) = await stage.all(Workspace, Workspace.slug == "new")
    (membership,) = await stage.all(Membership, Membership.workspace_id == workspace.id)
    assert (membership.user_id, membership.role) == (workspace.created_by, "owner")
    assert len(await stage.activities("workspace_created")) == 1


@pytest.mark.parametrize("stage_settings", [{"allow_workspace_create": False}])
async def test_W1_can_be_closed(stage: Stage) -> None:
    ada = await stage.user()
    headers = await stage.as_user(ada, await stage.workspace(ada))
    before = await stage.snapshot()
    answer = await create(stage, headers)
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "Workspaces are created by administrators here"},
    )
    assert await stage.snapshot() == before


@pytest.mark.parametrize(
    "stage_settings",
    [
        {
            "self_serve_enabled": True,
            "self_serve_max_workspaces_per_user": 2,
            "self_serve_max_creates_per_hour": 4,
        }
    ],
)
async def test_W1_has_quotas_where_people_serve_themselves(stage: Stage) -> None:
    """§15: a cap per person (403), race-free, and a breaker per hour (429)."""
    ada, bob, eve = [await stage.user() for _ in range(3)]
    home = await stage.workspace()
    stage.clock.advance(3600)
    headers = [await stage.as_user(person, home) for person in (ada, bob, eve)]
    answers = await asyncio.gather(*(create(stage, headers[0], slug=f"ada-{n}") for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [403] * 4
    assert await stage.count(Workspace, Workspace.created_by == ada.id) == 2
    assert [(await create(stage, headers[1], slug=f"bob-{n}")).status_code for n in range(3)] == [
        201,
        201,
        403,
    ]
    before = await stage.snapshot()
    answer = await create(stage, headers[2], slug="eve-1")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert isinstance(answer.json()["detail"], str)
    assert await stage.snapshot() == before
    stage.clock.advance(3601)
    headers[2] = await stage.as_user(eve, home)
    assert (await create(stage, headers[2], slug="eve-1")).status_code == 201


async def test_L15_a_new_workspace_takes_no_protected_field(stage: Stage) -> None:
    """Rules: W1, W4."""
    ada, bob = await stage.user(), await stage.user()
    home = await stage.workspace(ada)
    chosen = str(uuid4())
    protected = {
        "id": chosen,
        "created_by": str(bob.id),
        "owner_id": str(bob.id),
        "created_at": "2000-01-01T00:00:00Z",
        "role": "viewer",
        "is_admin": True,
        "members": [str(bob.id)],
    }
    answer = await create(stage, await stage.as_user(ada, home), **protected)
    assert answer.status_code == 201
    new = await stored(stage, answer.json()["id"])
    assert (str(new.id) == chosen, new.created_by, new.created_at) == (False, ada.id, stage.clock.now())
    assert [row.user_id for row in await stage.all(Membership, Membership.workspace_id == new.id)] == [ada.id]
    before = await stage.snapshot("workspaces", "activity_logs")
    answer = await stage.client.patch(
        f"/workspaces/{home.id}",
        headers=await stage.as_user(ada, home),
        json=protected | {"slug": "other", "name": "Renamed"},
    )
    assert answer.json() == shape(home) | {"name": "Renamed"}
    assert await stage.snapshot("workspaces", "activity_logs") == before


# ── W2, W3 ──


async def test_W2_lists_every_workspace_of_the_caller_by_creation(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    first, second, third = [await stage.workspace(bob, name=name) for name in ("Z", "A", "M")]
    await stage.workspace(bob)
    # Joined in another order than they were made.
    for workspace, role in ((third, "viewer"), (first, "admin"), (second, "owner")):
        await stage.join(workspace, ada, role)
    headers = await stage.as_user(ada, second)
    with stage.statements() as statements:
        answer = await stage.client.get("/workspaces", headers=headers)
    assert answer.status_code == 200
    assert answer.json() == [shape(await stored(stage, one.id)) for one in (first, second, third)]
    assert len(statements) <= 2
    # Not only the token's own, and not the token's own once the membership is gone.
    await stage.execute(sa.delete(Membership).where(Membership.user_id == ada.id))
    empty = await stage.client.get("/workspaces", headers=headers)
    assert (empty.status_code, empty.json()) == (200, [])


async def test_W3_shows_the_workspace_of_the_token(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(await stage.user())
    await stage.join(workspace, ada, "viewer")
    headers = await stage.as_user(ada, workspace)
    with stage.statements() as statements:
        answer = await stage.client.get(f"/workspaces/{workspace.id}", headers=headers)
    assert (answer.status_code, answer.json()) == (200, shape(workspace))
    assert len(statements) <= 2
    for malformed in ("7", f"{workspace.id}x", "me"):
        assert (await stage.client.get(f"/workspaces/{malformed}", headers=headers)).status_code == 422
    # A workspace that is gone has no members, so nobody learns that it is.
    await stage.execute(sa.delete(Workspace).where(Workspace.id == workspace.id))
    gone = await stage.client.get(f"/workspaces/{workspace.id}", headers=headers)
    assert (gone.status_code, gone.json()) == (403, NOT_A_MEMBER)


# ── W4 ──


async def test_W4_changes_name_and_description(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada, name="Old"), await stage.workspace(ada, name="Other")
    headers = await stage.as_user(ada, workspace)
    path = f"/workspaces/{workspace.id}"
    expected = shape(workspace)
    for body, changed in (
        ({"name": "New"}, {"name": "New"}),
        ({"description": "Text"}, {"description": "Text"}),
        ({"name": "<b>Both</b>", "description": "<i>New</i>"}, {"name": "Both", "description": "New"}),
        ({"description": ""}, {"description": ""}),
        ({"name": "n" * 255}, {"name": "n" * 255}),
    ):
        answer = await stage.client.patch(path, headers=headers, json=body)
        expected |= changed
        assert (answer.status_code, answer.json()) == (200, expected)
        assert shape(await stored(stage, workspace.id)) == expected
        assert told((await stage.activities())[-1]) == (
            "workspace_updated",
            ada.id,
            "workspace",
            workspace.id,
            workspace.id,
            {"fields": list(changed)},
        )
        stage.clock.advance(1)
    assert shape(await stored(stage, other.id)) == shape(other)


async def test_W4_null_and_sameness_change_nothing_and_bad_values_are_refused(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada, name="Same")
    headers = await stage.as_user(ada, workspace)
    path = f"/workspaces/{workspace.id}"
    before = await stage.snapshot()
    for body in ({}, {"name": None, "description": None}, {"name": " <b>Same</b>"}, {"slug": "other"}):
        answer = await stage.client.patch(path, headers=headers, json=body)
        assert (answer.status_code, answer.json()) == (200, shape(workspace)), body
    for name in ("", "  ", "<b></b>", "n" * 256, "a\0b", 7):
        answer = await stage.client.patch(path, headers=headers, json={"name": name, "description": "New"})
        assert answer.status_code == 422, name
        assert answer.json()["detail"][0]["loc"] == ["body", "name"]
    assert await stage.snapshot() == before


# ── W5 ──


async def test_W5_deletes_for_good_and_revokes_everybody(stage: Stage) -> None:
    """What goes with it: test_purge.py."""
    ada, bob = await stage.user(), await stage.user()
    workspace, other = await stage.workspace(ada, slug="gone", name="Gone"), await stage.workspace(bob)
    await stage.join(workspace, bob, "viewer")
    headers, theirs = await stage.as_user(ada, workspace), await stage.as_user(bob, other)
    await stage.client.patch(f"/workspaces/{workspace.id}", headers=headers, json={"name": "Going"})
    stage.clock.advance(1)
    with stage.events() as lines:
        answer = await stage.client.delete(f"/workspaces/{workspace.id}", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [one.id for one in await stage.all(Workspace)] == [other.id]
    updated, deleted = await stage.activities()
    # What was written about it stays, without the reference.
    assert told(updated)[:5] == ("workspace_updated", ada.id, "workspace", workspace.id, None)
    assert told(deleted) == (
        "workspace_deleted",
        ada.id,
        "workspace",
        workspace.id,
        None,
        {"name": "Going", "slug": "gone"},
    )
    assert [line["action"] for line in lines if line["event"] == "audit.activity"] == ["workspace_deleted"]
    # Every former member has to sign in again, wherever he was signed in.
    for stale in (headers, theirs):
        assert (await stage.client.get("/users/me", headers=stale)).status_code == 401
    fresh = await stage.as_user(bob, other)
    assert [one["id"] for one in (await stage.client.get("/workspaces", headers=fresh)).json()] == [
        str(other.id)
    ]


async def test_W5_asked_for_ten_times_at_once_happens_once(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    answers = await asyncio.gather(
        *(stage.client.delete(f"/workspaces/{workspace.id}", headers=headers) for _ in range(10))
    )
    # Whoever came later was revoked, is no member, or finds nothing.
    assert sorted(answer.status_code for answer in answers)[0] == 204
    assert {answer.status_code for answer in answers[1:]} <= {204, 401, 403, 404}
    assert [answer.status_code for answer in answers].count(204) == 1
    assert len(await stage.activities("workspace_deleted")) == 1
    (row,) = await stage.all(User, User.id == ada.id)
    assert row.token_epoch == 1
