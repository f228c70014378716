"""Resources and their shares over the JSON API of the panel (``admin.md`` §6)."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import ServiceAction
from tests.contract.service_actions import registered
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

PATH = "/admin/api/permissions"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_admin_6_permissions_have_the_shape_of_the_contract(stage: Stage) -> None:
    ada = await stage.user("Ada", email="ada@acme.example")
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace, name="Bob")
    team = await stage.group(workspace, bob, name="Team")
    resource = await stage.resource(workspace, ada, visibility="private")
    shares = [await stage.share(resource, bob), await stage.share(resource, team, "edit")]
    async with stage.panel() as http:
        page = (await http.get(PATH)).json()
        one = (await http.get(f"{PATH}/{resource.id}")).json()
        assert (await http.get(f"{PATH}/{uuid4()}")).status_code == 404
    entry = {
        "id": str(resource.id),
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(resource.resource_id),
        "workspace_id": str(workspace.id),
        "owner_id": str(ada.id),
        "owner_email": "ada@acme.example",
        "visibility": "private",
        "created_at": one["created_at"],
        "share_count": 2,
    }
    assert page == {"items": [entry], "total": 1, "page": 1, "page_size": 20}
    listed = one.pop("shares")
    assert one == entry
    assert [(one["id"], one["grantee_type"], one["permission"], one["grantee_name"]) for one in listed] == [
        (str(shares[0].id), "user", "view", "Bob"),
        (str(shares[1].id), "group", "edit", "Team"),
    ]


async def test_admin_6_permissions_are_filtered_sorted_and_paged(stage: Stage) -> None:
    ada, bob = await stage.user(email="ada@acme.example"), await stage.user(email="bob@other.example")
    acme, other = await stage.workspace(ada), await stage.workspace(bob)
    first = await stage.resource(acme, ada)
    second = await stage.resource(other, bob, service_name="wiki")
    third = await stage.resource(acme, None)
    await stage.share(first, ada)

    async with stage.panel() as http:

        async def found(**query: Any) -> list[str]:
            answer = await http.get(PATH, params=query)
            assert answer.status_code == 200, answer.text
            return [one["id"] for one in answer.json()["items"]]

        ids = [str(one.id) for one in (first, second, third)]
        assert await found() == ids[::-1]
        assert await found(sort_order="asc") == ids
        assert (await found(sort_by="shares"))[0] == ids[0]
        assert (await found(sort_by="shares", sort_order="asc"))[-1] == ids[0]
        assert await found(workspace_id=acme.id) == [ids[2], ids[0]]
        assert await found(service_name="wiki") == [ids[1]]
        assert await found(resource_id=str(second.resource_id)[:8]) == [ids[1]]
        assert await found(owner="ACME") == [ids[0]]
        assert await found(owner="%") == []
        assert await found(page=2, page_size=2) == [ids[0]]
        assert await found(page=9) == []
        for wrong in (
            {"page": 0},
            {"page_size": 101},
            {"sort_by": "name"},
            {"sort_order": "up"},
            {"workspace_id": "x"},
            {"resource_id": "xyz"},
            {"owner": "a\x00"},
            {"service_name": "a\x00"},
            {"page": 10**20},
        ):
            assert (await http.get(PATH, params=wrong)).status_code == 422, wrong


async def test_admin_6_an_administrator_changes_visibility_shares_and_owner(stage: Stage) -> None:
    """Each change is one activity with the workspace; what is refused leaves nothing."""
    admin = await stage.user("Root", is_admin=True)
    ada = await stage.user()
    workspace, elsewhere = await stage.workspace(ada), await stage.workspace()
    bob, stranger = await stage.member(workspace), await stage.user()
    team, foreign = await stage.group(workspace), await stage.group(elsewhere)
    resource = await stage.resource(workspace, ada)
    url = f"{PATH}/{resource.id}"
    async with stage.panel(admin) as http:

        def to(kind: str, one: Any, level: str = "view") -> dict[str, str]:
            return {"grantee_type": kind, "grantee_id": str(one.id), "permission": level}

        shown = await http.patch(f"{url}/visibility", json={"visibility": "private"})
        assert shown.json() == {"status": "ok", "visibility": "private"}
        for body in (to("user", bob), to("user", bob, "edit"), to("group", team)):
            shared = await http.post(f"{url}/share", json=body)
            assert (shared.status_code, shared.json()) == (201, {"status": "ok"})
        assert await stage.count(Share) == 2
        revoked = await http.delete(
            f"{url}/share", params={"grantee_type": "group", "grantee_id": str(team.id)}
        )
        assert revoked.json() == {"status": "ok"}
        owned = await http.patch(f"{url}/owner", json={"owner_id": str(bob.id)})
        assert owned.json() == {"status": "ok"}

        before = await stage.snapshot()
        refusals: list[tuple[int, str, str, Any, dict[str, str]]] = [
            (422, "PATCH", "/visibility", {"visibility": "public"}, {}),
            (400, "POST", "/share", to("user", stranger), {}),
            (400, "POST", "/share", to("group", foreign), {}),
            (400, "POST", "/share", to("group", bob), {}),
            (422, "POST", "/share", to("user", bob, "own"), {}),
            (422, "POST", "/share", to("role", bob), {}),
            (400, "PATCH", "/owner", {"owner_id": str(stranger.id)}, {}),
            (404, "DELETE", "/share", None, {"grantee_type": "group", "grantee_id": str(team.id)}),
            (422, "DELETE", "/share", None, {"grantee_type": "x", "grantee_id": str(team.id)}),
            (422, "DELETE", "/share", None, {}),
        ]
        for status, method, path, body, query in refusals:
            answer = await http.request(method, url + path, json=body, params=query)
            assert answer.status_code == status, (path, body)
        assert await stage.snapshot() == before
    actions = sorted(row.action for row in await stage.activities())
    assert actions == [
        "permission_owner_changed",
        "permission_revoked",
        "permission_shared",
        "permission_shared",
        "permission_shared",
        "permission_visibility_changed",
    ]
    assert {(row.actor_id, row.workspace_id) for row in await stage.activities()} == {
        (admin.id, workspace.id)
    }


async def test_admin_6_and_SB_3_purging_a_service_counts_what_went(stage: Stage) -> None:
    await stage.service("notes")
    workspace = await stage.workspace()
    for name in ("notes", "notes", "wiki"):
        await stage.resource(workspace, None, service_name=name)
    await registered(stage, "notes:read")
    async with stage.panel() as http:
        gone = await http.delete(f"{PATH}/service/notes")
        assert gone.json() == {"status": "ok", "deleted_count": 2}
        assert (await http.delete(f"{PATH}/service/notes")).json()["deleted_count"] == 0
        assert (await http.delete(f"{PATH}/service/a%00")).status_code == 404
    assert [row.service_name for row in await stage.all(Resource)] == ["wiki"]
    assert await stage.count(ServiceAction) == 1
    assert len(await stage.activities("permissions_purged")) == 2


async def test_SB_3_purging_what_a_service_left_frees_its_name(stage: Stage) -> None:
    """As on the page. The count is of resources; actions go beside them."""
    await registered(stage, "ghost:read")
    wish = {"name": "Ghost", "service_name": "ghost"}
    async with stage.panel() as http:
        assert (await http.post("/admin/api/service-apps", json=wish)).status_code == 409
        gone = await http.delete(f"{PATH}/service/ghost")
        assert (gone.status_code, gone.json()) == (200, {"status": "ok", "deleted_count": 0})
        assert (await http.post("/admin/api/service-apps", json=wish)).status_code == 201


async def test_L32_purging_counts_in_the_sensitive_limit(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, rate_limit_enabled=True) as stage, stage.panel() as http:
        statuses = [(await http.delete(f"{PATH}/service/notes")).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/{id}", None),
        ("PATCH", "/{id}/visibility", {"visibility": "private"}),
        (
            "POST",
            "/{id}/share",
            {"grantee_type": "user", "grantee_id": NOBODY, "permission": "view"},
        ),
        ("DELETE", "/{id}/share?grantee_type=user&grantee_id=" + NOBODY, None),
        ("PATCH", "/{id}/owner", {"owner_id": NOBODY}),
        ("DELETE", "/service/notes", None),
    ],
)
async def test_AD_5_and_AD_6_permissions_are_for_administrators_alone(
    stage: Stage, method: str, path: str, body: Any
) -> None:
    resource = await stage.resource(await stage.workspace(), None)

    async def ask(http: httpx.AsyncClient, identity: Any) -> int:
        return (await http.request(method, PATH + path.format(id=identity), json=body)).status_code

    before = await stage.snapshot()
    assert await ask(stage.client, resource.id) == 401
    async with stage.panel() as http:
        if "{id}" in path:
            assert await ask(http, uuid4()) == 404
        if method != "GET":
            http.headers.pop("X-Requested-With")
            assert await ask(http, resource.id) == 403
    assert await stage.snapshot("users") == {name: rows for name, rows in before.items() if name != "users"}


async def test_admin_6_a_service_may_be_called_share(stage: Stage) -> None:
    service = await stage.service("share")
    workspace = await stage.workspace(await stage.user())
    await stage.resource(workspace, None, service_name="share")
    async with stage.panel() as http:
        answer = await http.delete(f"/admin/api/permissions/service/{service.app.service_name}")
    assert answer.status_code == 200 and answer.json() == {"status": "ok", "deleted_count": 1}
