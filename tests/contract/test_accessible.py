"""P2, the list of what a person reaches: http-api.md §8 rules 1 and 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.models import ServiceApp
from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.tokens.models import RevokedToken
from sentinel.workspaces.models import GroupMembership, Membership, Workspace
from tests.stage import Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

SCOPE = {"detail": "Service key is not valid for this service"}
NOT_A_MEMBER = {"detail": "Not a member of this workspace"}


@dataclass(frozen=True)
class Wish:
    """What one caller asks for; the fields of the body can be replaced in each call."""

    stage: Stage
    headers: Mapping[str, str]
    workspace: Workspace

    async def send(self, **changes: Any) -> httpx.Response:
        body = {
            "service_name": "notes",
            "resource_type": "document",
            "action": "view",
            "workspace_id": str(self.workspace.id),
        } | changes
        return await self.stage.client.post("/permissions/accessible", headers=self.headers, json=body)

    async def listed(self, **changes: Any) -> tuple[list[UUID], bool]:
        answer = await self.send(**changes)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        # What a limit may add, and when, is in test_accessible_pages.py.
        assert set(body) - {"next_cursor"} == {"resource_ids", "has_full_access"}
        assert "next_cursor" not in body or len(body["resource_ids"]) == changes.get("limit")
        assert all(str(UUID(one)) == one for one in body["resource_ids"])
        return [UUID(one) for one in body["resource_ids"]], body["has_full_access"]


async def wish(stage: Stage, service: Service, user: User, workspace: Workspace) -> Wish:
    return Wish(stage, service.headers | await stage.as_user(user, workspace), workspace)


def ids(*resources: Resource) -> list[UUID]:
    return [resource.resource_id for resource in resources]


async def test_P2_administrators_have_full_access(stage: Stage) -> None:
    """Rule 1: without a limit the list is empty and stands for everything; with one, ids come too."""
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    admin = await stage.member(workspace, "admin")
    first = await stage.resource(workspace, boss, visibility="private")
    await stage.resource(other, admin)
    second = await stage.resource(workspace, None, visibility="private")
    third = await stage.resource(workspace, admin)
    await stage.share(third, admin, "edit")
    for person in (boss, admin):
        asked = await wish(stage, notes, person, workspace)
        for action in ("view", "edit"):
            assert await asked.listed(action=action) == ([], True)
            assert await asked.listed(action=action, limit=None) == ([], True)
            assert await asked.listed(action=action, limit=1) == (ids(first), True)
            assert await asked.listed(action=action, limit=2) == (ids(first, second), True)
            for limit in (3, 10_000):
                assert await asked.listed(action=action, limit=limit) == (ids(first, second, third), True)
        assert await asked.listed(resource_type="image", limit=5) == ([], True)


async def test_P2_others_get_the_union_of_what_they_reach(stage: Stage) -> None:
    """Rule 2, for an editor and a viewer who hold the same shares, with both kinds of token."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer, editor = await stage.member(workspace, "viewer"), await stage.member(workspace, "editor")
    readers, writers = (
        await stage.group(workspace, viewer, editor),
        await stage.group(workspace, viewer, editor),
    )

    async def private(owner: User | None = None) -> Resource:
        return await stage.resource(workspace, owner, visibility="private")

    of_viewer, of_editor = await private(viewer), await private(editor)
    public = await stage.resource(workspace, boss)
    readable, writable, group_readable, group_writable = [await private(boss) for _ in range(4)]
    many = await stage.resource(workspace, boss)
    await private()
    for person in (viewer, editor):
        await stage.share(readable, person, "view")
        await stage.share(writable, person, "edit")
        await stage.share(many, person, "view")
    await stage.share(group_readable, readers, "view")
    await stage.share(group_writable, writers, "edit")
    # The same resource by several ways is listed once.
    await stage.share(many, readers, "edit")
    await stage.share(many, writers, "edit")
    shared = (readable, writable, group_readable, group_writable)
    expected = {
        (viewer, "view"): ids(of_viewer, public, *shared, many),
        (viewer, "edit"): ids(of_viewer, writable, group_writable, many),
        (editor, "view"): ids(of_editor, public, *shared, many),
        (editor, "edit"): ids(of_editor, public, writable, group_writable, many),
    }
    for (person, action), reached in expected.items():
        for headers in (
            await stage.as_user(person, workspace),
            bearer(await stage.authz_token(person, workspace, "notes")),
        ):
            asked = Wish(stage, notes.headers | headers, workspace)
            assert await asked.listed(action=action) == (reached, False)
            for limit in (1, 3, len(reached), 10_000):
                assert await asked.listed(action=action, limit=limit) == (reached[:limit], False)


async def test_P2_orders_by_creation_then_by_record(stage: Stage) -> None:
    """Rule 2: a cut is stable, whatever the ids of the resources and the order of the rows."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    now = stage.clock.now()

    def record(number: int, *, age: float) -> Resource:
        return Resource(
            id=UUID(int=number << 96),
            service_name="notes",
            resource_type="document",
            resource_id=uuid4(),
            workspace_id=workspace.id,
            visibility="workspace",
            created_at=now - timedelta(seconds=age),
        )

    # Two of one moment around the sign bit, one a microsecond later, one a microsecond earlier.
    low, high = record(0x7FFFFFFF, age=10), record(0x80000000, age=10)
    later, earlier, oldest = record(1, age=9.999999), record(0xF0000000, age=10.000001), record(2, age=3600)
    await stage.add(later, high, oldest, low, earlier)
    expected = ids(oldest, earlier, low, high, later)
    for person in (viewer, boss):
        asked = await wish(stage, notes, person, workspace)
        for limit in range(1, 6):
            assert (await asked.listed(limit=limit))[0] == expected[:limit]
    assert await (await wish(stage, notes, viewer, workspace)).listed() == (expected, False)


async def test_P2_lists_one_workspace_one_service_and_one_type(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    await stage.join(other, viewer, "viewer")
    foreign = await stage.group(other, viewer)
    document = await stage.resource(workspace, boss)
    image = await stage.resource(workspace, boss, resource_type="image")
    await stage.resource(workspace, boss, service_name="wiki")
    there = await stage.resource(other, viewer)
    await stage.share(there, viewer, "edit")
    hidden = await stage.resource(workspace, boss, visibility="private")
    await stage.share(hidden, foreign, "edit")  # a row that no call of ours would write
    asked = await wish(stage, notes, viewer, workspace)
    assert await asked.listed() == (ids(document), False)
    assert await asked.listed(resource_type="image") == (ids(image), False)
    assert await asked.listed(resource_type="imag") == ([], False)
    assert await asked.listed(limit=10) == (ids(document), False)
    assert await (await wish(stage, notes, viewer, other)).listed() == (ids(there), False)


async def test_P2_follows_the_live_role_and_every_change(stage: Stage) -> None:
    """Rules: P2, L21."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    person = await stage.member(workspace, "viewer")
    group = await stage.group(workspace, person)
    resource = await stage.resource(workspace, boss, visibility="private")
    token = await stage.access_token(person, workspace, role="owner")
    asked = Wish(stage, notes.headers | bearer(token), workspace)
    mine = Membership.user_id == person.id
    assert await asked.listed() == ([], False)
    await stage.share(resource, group, "edit")
    assert await asked.listed(action="edit") == (ids(resource), False)
    await stage.execute(sa.delete(GroupMembership))
    assert await asked.listed(action="edit") == ([], False)
    await stage.execute(sa.update(Membership).where(mine).values(role="admin"))
    assert await asked.listed(limit=5) == (ids(resource), True)
    await stage.execute(sa.update(Membership).where(mine).values(role="editor"))
    await stage.execute(sa.update(Resource).values(visibility="workspace"))
    assert await asked.listed(action="edit") == (ids(resource), False)
    await stage.execute(sa.delete(Membership).where(mine))
    answer = await asked.send()
    assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER)


async def test_P2_and_SB_4_refuses_other_scopes_and_workspaces(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    await stage.service("wiki")
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    await stage.resource(workspace, boss)
    asked = await wish(stage, notes, boss, workspace)
    before = await stage.count(Activity)
    for changes, detail in (
        ({"service_name": "wiki"}, SCOPE),
        ({"service_name": "note"}, SCOPE),
        ({"workspace_id": str(other.id)}, NOT_A_MEMBER),
        ({"workspace_id": str(uuid4())}, NOT_A_MEMBER),
        ({"workspace_id": str(other.id), "service_name": "wiki"}, SCOPE),
        ({"workspace_id": str(other.id), "limit": 5}, NOT_A_MEMBER),
    ):
        answer = await asked.send(**changes)
        assert (answer.status_code, answer.json()) == (403, detail), changes
    authz = bearer(await stage.authz_token(boss, workspace, "wiki"))
    answer = await Wish(stage, notes.headers | authz, workspace).send()
    assert answer.status_code == 403
    assert await stage.count(Activity) == before


async def test_SB_5_and_P2_the_scope_of_a_realm_member_is_the_slug(stage: Stage) -> None:
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes", realm=realm), await stage.service("wiki", realm=realm)
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace)
    shared = await stage.resource(workspace, boss, service_name="suite")
    await stage.resource(workspace, boss, service_name="notes")
    for service in (notes, wiki):
        for token in (
            await stage.access_token(viewer, workspace),
            await stage.authz_token(viewer, workspace, "suite"),
        ):
            asked = Wish(stage, service.headers | bearer(token), workspace)
            assert await asked.listed(service_name="suite") == (ids(shared), False)
            assert (await asked.send(service_name="notes")).status_code == 403
    old = bearer(await stage.authz_token(viewer, workspace, "notes"))
    assert (await Wish(stage, notes.headers | old, workspace).send(service_name="suite")).status_code == 403


async def test_P2_refuses_malformed_wishes(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    asked = await wish(stage, notes, boss, workspace)
    malformed: dict[str, list[Any]] = {
        "service_name": ["", "Notes", "notes ", "n" * 256, "notes\0", None, 7],
        "resource_type": ["", "Document", "1st", "n" * 256, "dоc", None],
        "action": ["", "VIEW", "delete", None],
        "workspace_id": ["", "none", None, 7],
        "limit": [0, -1, 10_001, 2**63, "many", 1.5, "", []],
    }
    for field, values in malformed.items():
        for value in values:
            answer = await asked.send(**{field: value})
            assert answer.status_code == 422, (field, value)
            for problem in answer.json()["detail"]:
                assert set(problem) == {"loc", "msg", "type"} and problem["loc"] == ["body", field]
    for missing in ("service_name", "resource_type", "action", "workspace_id"):
        body = {
            "service_name": "notes",
            "resource_type": "document",
            "action": "view",
            "workspace_id": str(workspace.id),
        }
        del body[missing]
        answer = await stage.client.post("/permissions/accessible", headers=asked.headers, json=body)
        assert answer.status_code == 422, missing
    # Unknown fields are ignored, and never heard as somebody else's name.
    assert await asked.listed(user_id=str(uuid4()), role="viewer") == ([], True)


async def test_P2_needs_key_and_token(stage: Stage) -> None:
    """§0.7: as P1 it authenticates in its own statement. Rules: VR-7, VR-8, VR-9, VR-10, SK-4."""
    notes, boss = await stage.service(), await stage.user()
    asleep = await stage.service("asleep", allowed_origins=["https://notes.example.com"])
    await stage.execute(sa.update(ServiceApp).where(ServiceApp.id == asleep.app.id).values(is_active=False))
    workspace, other = await stage.workspace(boss), await stage.workspace()
    dismissed = await stage.member(workspace, "admin", is_active=False)
    key, token = notes.headers, bearer(await stage.access_token(boss, workspace))
    authz = bearer(await stage.authz_token(boss, workspace, "notes"))
    revoked = stage.state.issuer.access(await stage.subject(boss, workspace))
    await stage.add(RevokedToken(jti=revoked.jti, expires_at=revoked.expires_at))
    admin = stage.state.issuer.admin(user_id=boss.id, email=boss.email, name=boss.name, epoch=0).token
    cases: dict[str, tuple[dict[str, str], int]] = {
        "nothing": ({}, 401),
        "key alone": (key, 401),
        "token alone": (token, 401),
        "authz token alone": (authz, 401),
        "unknown key": (token | {"X-Service-Key": "sk_" + "x" * 43}, 401),
        "key of a sleeping app": (token | asleep.headers, 401),
        "origin": (token | {"Origin": "https://notes.example.com"}, 401),
        "garbage": (key | bearer("garbage"), 401),
        "admin token": (key | bearer(admin), 401),
        "revoked": (key | bearer(revoked.token), 401),
        "inactive": (key | bearer(await stage.access_token(dismissed, workspace)), 401),
        "not a member": (key | bearer(await stage.access_token(boss, other, "owner")), 403),
        "access token": (key | token, 200),
        "authz token": (key | authz, 200),
    }
    for name, (headers, status) in cases.items():
        with stage.events() as events:
            answer = await Wish(stage, headers, workspace).send(limit=5)
        assert answer.status_code == status, name
        refusals = [line for line in events if line["event"] == "auth.guard.rejected"]
        assert len(refusals) == (status != 200), name
    await stage.execute(sa.update(User).where(User.id == boss.id).values(token_epoch=1))
    assert (await Wish(stage, key | token, workspace).send()).status_code == 401


async def test_P2_development_without_apps_opens_every_scope(database_url: str, stage_keys: Keys) -> None:
    """§0.7, development exception: no key and no scope, but a member of the workspace that is asked about."""
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        boss = await stage.user()
        workspace, other = await stage.workspace(boss), await stage.workspace(boss)
        viewer = await stage.member(workspace)
        one = await stage.resource(workspace, boss)
        two = await stage.resource(workspace, boss, service_name="wiki")
        for token in (
            await stage.access_token(viewer, workspace),
            await stage.authz_token(viewer, workspace, "x-y"),
        ):
            asked = Wish(stage, bearer(token), workspace)
            assert await asked.listed() == (ids(one), False)
            assert await asked.listed(service_name="wiki") == (ids(two), False)
            assert (await asked.send(workspace_id=str(other.id))).status_code == 403
        assert (await Wish(stage, {}, workspace).send()).status_code == 401
        await stage.service("memos")
        assert (await asked.send()).status_code == 401
