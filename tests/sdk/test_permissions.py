"""PermissionClient and RoleClient against the real server (``python-sdk.md`` §5, ``http-api.md`` §7, §8)."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from sentinel.roles.models import Role, RoleAction, UserRole
from sentinel_auth import PermissionCheck, PermissionClient, PermissionResult, SentinelError
from tests.sdk.furniture import World

pytestmark = pytest.mark.anyio


async def test_P1_checks_answer_in_order_with_what_was_asked(world: World) -> None:
    mine = await world.stage.resource(world.workspace, world.viewer, visibility="private")
    foreign = await world.stage.resource(world.workspace, world.owner, visibility="private")
    async with world.permissions() as client:
        asked = [
            PermissionCheck("notes", "document", mine.resource_id, "edit"),
            PermissionCheck("notes", "document", foreign.resource_id, "view"),
            PermissionCheck("notes", "document", uuid4(), "view"),
        ]
        answers = await client.check(world.token(world.viewer), asked)
        assert answers == [
            PermissionResult("notes", "document", UUID(str(one.resource_id)), one.action, allowed)
            for one, allowed in zip(asked, [True, False, False], strict=True)
        ]
        assert await client.can(world.token(world.viewer), "document", mine.resource_id, "edit") is True
        assert (
            await client.can(world.token(world.viewer), "document", str(foreign.resource_id), "view") is False
        )


async def test_P2_accessible_lists_ids_or_tells_that_everything_is_reached(world: World) -> None:
    first = await world.stage.resource(world.workspace, world.viewer, visibility="private")
    second = await world.stage.resource(world.workspace, world.owner)
    async with world.permissions() as client:
        ids, everything = await client.accessible(
            world.token(world.viewer), "document", "view", world.workspace.id
        )
        assert (ids, everything) == ([first.resource_id, second.resource_id], False)
        assert await client.accessible(
            world.token(world.viewer), "document", "view", world.workspace.id, limit=1
        ) == ([first.resource_id], False)
        assert await client.accessible(world.token(world.owner), "document", "view", world.workspace.id) == (
            [],
            True,
        )


async def test_P3_to_P9_a_resource_from_registration_to_removal(world: World) -> None:
    """Rules: P3, P4, P5, P6, P7, P8, P9."""
    document = uuid4()
    owner, other = world.token(world.editor), world.token(world.other)
    async with world.permissions() as client:
        record = await client.register_resource(
            "document", document, world.workspace.id, world.editor.id, visibility="private"
        )
        assert (record["owner_id"], record["visibility"]) == (str(world.editor.id), "private")
        assert (
            await client.register_resource("document", document, world.workspace.id, world.editor.id)
            == record
        )
        assert not await client.can(other, "document", document, "view")
        assert await client.share(owner, "document", document, "user", world.other.id) == {"status": "ok"}
        assert await client.can(other, "document", document, "view")
        assert not await client.can(other, "document", document, "edit")
        await client.share(owner, "document", document, "group", world.group.id, permission="edit")
        assert await client.can(other, "document", document, "edit")
        acl = await client.get_enriched_resource_acl("document", document)
        assert {share["grantee_name"] for share in acl["shares"]} == {"Otto Other", "readers"}
        assert len((await client.get_resource_acl("document", document))["shares"]) == 2
        await client.unshare(owner, "document", document, "group", world.group.id)
        await client.unshare(owner, "document", document, "user", world.other.id, "view")
        assert not await client.can(other, "document", document, "view")
        changed = await client.update_visibility(owner, "document", document, "workspace")
        assert changed["visibility"] == "workspace"
        assert await client.can(other, "document", document, "view")
        await client.deregister_resource("document", document)
        with pytest.raises(SentinelError) as gone:
            await client.get_resource_acl("document", document)
        assert gone.value.status_code == 404


async def test_W6_and_G2_and_G5_the_directory_of_a_workspace(world: World) -> None:
    token = world.token(world.viewer)
    async with world.permissions() as client:
        everyone = await client.search_workspace_members(token, world.workspace.id)
        assert [one["name"] for one in everyone] == ["Olga Owner", "Edda Editor", "Vera Viewer", "Otto Other"]
        found = await client.search_workspace_members(token, world.workspace.id, "ED", limit=1)
        assert [one["email"] for one in found] == ["editor@example.com"]
        assert [one["name"] for one in await client.list_groups(token, world.workspace.id)] == ["readers"]
        members = await client.get_group_members(token, world.workspace.id, world.group.id)
        assert [one["user_id"] for one in members] == [str(world.other.id)]


async def test_the_key_always_goes_along_and_a_token_only_where_there_is_one(world: World) -> None:
    document = uuid4()
    async with world.permissions() as client:
        await client.register_resource("document", document, world.workspace.id, world.editor.id)
        await client.share(world.token(world.editor), "document", document, "user", world.other.id)
        await client.deregister_resource("document", document)
    assert world.line.asked == [
        "POST /permissions/register",
        f"GET /permissions/resource/notes/document/{document}",
        world.line.asked[2],
        f"DELETE /permissions/resource/notes/document/{document}",
    ]
    assert world.line.asked[2].endswith("/share")
    assert {request.headers["x-service-key"] for request in world.line.requests} == {world.service.key}
    assert [request.headers.get("authorization") for request in world.line.requests] == [
        None,
        None,
        f"Bearer {world.token(world.editor)}",
        None,
    ]


async def _grant(world: World, action_id: str) -> None:
    role = Role(
        id=uuid4(), workspace_id=world.workspace.id, name="analyst", created_at=world.stage.clock.now()
    )
    await world.stage.add(role)
    await world.stage.add(RoleAction(id=uuid4(), role_id=role.id, service_action_id=UUID(action_id)))
    await world.stage.add(
        UserRole(id=uuid4(), user_id=world.viewer.id, role_id=role.id, assigned_at=world.stage.clock.now())
    )


async def test_R1_to_R3_actions_are_registered_and_asked_about(world: World) -> None:
    """Rules: R1, R2, R3."""
    async with world.roles() as client:
        stored = await client.register_actions(
            [{"action": "reports:export", "description": "Export"}, {"action": "reports:read"}]
        )
        assert [one["action"] for one in stored] == ["reports:export", "reports:read"]
        await _grant(world, stored[0]["id"])
        token = world.token(world.viewer)
        assert await client.check_action(token, "reports:export", world.workspace.id) is True
        assert await client.check_action(token, "reports:read", world.workspace.id) is False
        assert await client.get_user_actions(token, world.workspace.id) == ["reports:export"]


REFUSALS: list[tuple[dict[str, Any], int]] = [
    ({"service_key": "sk_" + "x" * 43}, 401),
    ({"service_name": "billing"}, 403),
    ({"token": "no.token.atall"}, 401),
    ({"resource_type": "Not a name"}, 422),
]


@pytest.mark.parametrize(("wrong", "status"), REFUSALS)
async def test_every_answer_that_is_no_success_raises_what_it_said(
    world: World, wrong: dict[str, Any], status: int
) -> None:
    client = PermissionClient(
        world.url,
        wrong.get("service_name", "notes"),
        wrong.get("service_key", world.service.key),
        transport=world.line,
    )
    token = wrong.get("token", world.token(world.viewer))
    with pytest.raises(SentinelError) as error:
        await client.can(token, wrong.get("resource_type", "document"), uuid4(), "view")
    assert error.value.status_code == status
    assert error.value.request_id
    assert isinstance(error.value.detail, list if status == 422 else str)
    assert error.value.retry_after is None
    for secret in (world.service.key, token):
        assert secret not in f"{error.value!r}{error.value}{client!r}{client.__dict__!r}"
    await client.close()


async def test_a_limit_tells_when_to_come_back(world: World) -> None:
    world.line.answers = [
        httpx.Response(429, json={"detail": "Too many requests"}, headers={"Retry-After": "60"})
    ]
    async with world.permissions() as client:
        with pytest.raises(SentinelError, match="Too many requests") as error:
            await client.can(world.token(world.viewer), "document", uuid4(), "view")
    assert (error.value.status_code, error.value.retry_after) == (429, 60.0)
    assert len(world.line.requests) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"results": null}', b'{"results": [{"allowed": true}]}']
)
async def test_an_answer_of_another_form_is_an_error_and_no_permission(world: World, body: bytes) -> None:
    world.line.answers = [httpx.Response(200, content=body)]
    async with world.permissions() as client:
        with pytest.raises(SentinelError) as error:
            await client.can(world.token(world.viewer), "document", uuid4(), "view")
    assert error.value.status_code is None


async def test_an_answer_without_results_allows_nothing(world: World) -> None:
    world.line.answers = [httpx.Response(200, json={"results": []})]
    async with world.permissions() as client:
        assert await client.can(world.token(world.viewer), "document", uuid4(), "view") is False


@pytest.mark.parametrize("allowed", ["true", 1, None, {}])
async def test_only_true_allows(world: World, allowed: Any) -> None:
    asked = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(uuid4()),
        "action": "view",
    }
    world.line.answers = [httpx.Response(200, json={"results": [{**asked, "allowed": allowed}]})]
    async with world.permissions() as client:
        assert await client.can(world.token(world.viewer), "document", asked["resource_id"], "view") is False


async def test_redirects_are_not_followed(world: World) -> None:
    world.line.answers = [httpx.Response(307, headers={"Location": "http://localhost:9003/elsewhere"})]
    async with world.permissions() as client:
        with pytest.raises(SentinelError) as error:
            await client.can(world.token(world.viewer), "document", uuid4(), "view")
    assert error.value.status_code == 307
    assert len(world.line.requests) == 1


async def test_names_cannot_leave_their_place_in_the_path(world: World) -> None:
    async with world.permissions() as client:
        with pytest.raises(SentinelError) as error:
            await client.get_resource_acl("../../roles", "x/../../realm/whoami")
        assert error.value.status_code in (404, 422)
        assert world.line.requests[0].url.raw_path.count(b"/") == 5
        with pytest.raises(ValueError, match="no part of a path"):
            await client.get_resource_acl("..", uuid4())
