"""Workspaces and their allow-lists over the panel's JSON API (``admin.md`` §5)."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from sentinel.admin.api import groups, roles, workspaces
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from sentinel.roles.models import Role
from sentinel.workspaces.models import AllowedOrganization, Group, Membership, Workspace
from tests.contract.activities import told
from tests.stage import Stage, open_stage

pytestmark = pytest.mark.anyio

API = "/admin/api/workspaces"


def without_housekeeping(texts: list[str]) -> list[str]:
    """What a request asked; now and then the service reads the origins of its apps meanwhile."""
    return [text for text in texts if not re.search("FROM (service|client)_apps", text)]


async def epoch(stage: Stage, user: User) -> int:
    (row,) = await stage.all(User, User.id == user.id)
    return int(row.token_epoch)


def shape(workspace: Workspace, **counts: int) -> dict[str, Any]:
    return {
        "id": str(workspace.id),
        "slug": workspace.slug,
        "name": workspace.name,
        "description": workspace.description,
        "created_by": str(workspace.created_by) if workspace.created_by else None,
        "created_at": workspace.created_at.isoformat().replace("+00:00", "Z"),
        **counts,
    }


async def everything(http: httpx.AsyncClient) -> list[httpx.Response]:
    """Every endpoint of workspaces, members, groups and roles once, with ids that nothing has."""
    found = [
        (method, route.path)
        for part in (workspaces.router, groups.router, roles.router)
        for route in part.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert len(found) == 32
    answers = []
    for method, template in found:
        path = re.sub(r"\{[a-z_]+\}", lambda _: str(uuid4()), template)
        answers.append(await http.request(method, path, json={} if method != "GET" else None))
    return answers


async def test_AD_5_nothing_is_said_or_done_without_a_session(stage: Stage) -> None:
    async with stage.browser() as http:
        http.headers["X-Requested-With"] = "XMLHttpRequest"
        for answer in await everything(http):
            assert answer.status_code == 401, answer.request.url


async def test_AD_6_no_change_without_the_header(stage: Stage) -> None:
    async with stage.panel() as http:
        del http.headers["X-Requested-With"]
        for answer in await everything(http):
            if answer.request.method != "GET":
                assert answer.status_code == 403, answer.request.url


# ── the list ──


async def test_admin_5_list_is_paged_newest_first_with_member_counts(stage: Stage) -> None:
    ada = await stage.user()
    made = [await stage.workspace(ada if n % 2 else None, name=f"W{n}") for n in range(5)]
    await stage.member(made[4])
    async with stage.panel() as http:
        answer = await http.get(API, params={"page": 1, "page_size": 3})
        assert answer.status_code == 200
        assert answer.json() == {
            "items": [
                shape(made[4], member_count=1),
                shape(made[3], member_count=1),
                shape(made[2], member_count=0),
            ],
            "total": 5,
            "page": 1,
            "page_size": 3,
        }
        second = (await http.get(API, params={"page": 2, "page_size": 3})).json()
        assert [item["name"] for item in second["items"]] == ["W1", "W0"]
        beyond = (await http.get(API, params={"page": 10**15})).json()
        assert (beyond["items"], beyond["total"]) == ([], 5)
        for query in ({"page": 0}, {"page_size": 0}, {"page_size": 101}, {"page": "x"}, {"search": "a\0"}):
            assert (await http.get(API, params=query)).status_code == 422, query


async def test_admin_5_search_looks_into_name_and_slug_and_takes_wildcards_literally(stage: Stage) -> None:
    await stage.workspace(name="100% Öl", slug="oil")
    await stage.workspace(name="Under_score", slug="plain")
    await stage.workspace(name="Other", slug="oils-and-fats")
    async with stage.panel() as http:

        async def found(text: str) -> set[str]:
            answer = (await http.get(API, params={"search": text})).json()
            assert answer["total"] == len(answer["items"])
            return {item["slug"] for item in answer["items"]}

        assert await found("OIL") == {"oil", "oils-and-fats"}
        assert await found("öL") == {"oil"}
        assert await found("%") == {"oil"}
        assert await found("_") == {"plain"}
        assert await found("nothing like it") == set()
        assert len(await found("")) == 3


async def test_admin_5_all_is_no_workspace_id_and_sorted_by_name(stage: Stage) -> None:
    for name in ("Beta", "Alpha", "Gamma"):
        await stage.workspace(name=name, slug=name.lower())
    async with stage.panel() as http:
        answer = await http.get(f"{API}/all")
    assert answer.status_code == 200
    assert [item["name"] for item in answer.json()] == ["Alpha", "Beta", "Gamma"]
    assert set(answer.json()[0]) == {"id", "name", "slug"}


async def test_admin_5_reads_cost_few_statements(stage: Stage) -> None:
    """The administrator and one for the answer, however long the list."""
    ada = await stage.user()
    made = [await stage.workspace(ada) for _ in range(4)]
    async with stage.panel() as http:
        for path in (API, f"{API}/all", f"{API}/{made[0].id}", f"{API}/{made[0].id}/members"):
            with stage.statements() as seen:
                assert (await http.get(path)).status_code == 200
            assert len(without_housekeeping(seen.texts)) == 2, seen.texts


# ── one workspace ──


async def test_admin_5_administrator_makes_a_workspace_and_owns_it(stage: Stage) -> None:
    """Whatever ordinary people are allowed."""
    admin = await stage.user(is_admin=True)
    async with stage.panel(admin) as http:
        answer = await http.post(
            API, json={"name": " <b>Acme</b> ", "slug": "acme", "description": "<i>x</i>"}
        )
        (made,) = await stage.all(Workspace)
        assert answer.status_code == 201, answer.text
        assert answer.json() == shape(made, member_count=1, group_count=0)
        assert (made.name, made.description, made.created_by) == ("Acme", "x", admin.id)
        (owner,) = await stage.all(Membership)
        assert (owner.user_id, owner.role) == (admin.id, "owner")
        assert [told(entry) for entry in await stage.activities()] == [
            ("workspace_created", admin.id, "workspace", made.id, made.id, {"name": "Acme", "slug": "acme"})
        ]
        before = await stage.snapshot()
        taken = await http.post(API, json={"name": "Again", "slug": "acme"})
        assert (taken.status_code, taken.json()["detail"]) == (409, "Workspace slug is already taken")
        for body in (
            {"slug": "x1"},
            {"name": "", "slug": "x1"},
            {"name": "x" * 256, "slug": "x1"},
            {"name": "<i></i>", "slug": "x1"},
            {"name": "X", "slug": "X1"},
            {"name": "X", "slug": "-x"},
            {"name": "X"},
        ):
            assert (await http.post(API, json=body)).status_code == 422, body
        assert await stage.snapshot() == before


@pytest.mark.parametrize("stage_settings", [{"allow_workspace_create": False}])
async def test_admin_5_administrators_make_workspaces_where_nobody_else_may(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await http.post(API, json={"name": "Acme", "slug": "acme"})).status_code == 201


async def test_admin_5_of_parallel_creations_with_one_slug_one_wins(stage: Stage) -> None:
    async with stage.panel() as http:
        answers = await asyncio.gather(
            *(http.post(API, json={"name": "Acme", "slug": "acme"}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert await stage.count(Workspace) == await stage.count(Membership) == 1
    assert len(await stage.activities("workspace_created")) == 1


async def test_admin_5_detail_counts_members_and_groups(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    await stage.member(workspace)
    await stage.group(workspace, ada)
    await stage.group(await stage.workspace(ada))
    async with stage.panel() as http:
        answer = await http.get(f"{API}/{workspace.id}")
        assert (answer.status_code, answer.json()) == (200, shape(workspace, member_count=2, group_count=1))
        assert (await http.get(f"{API}/{uuid4()}")).status_code == 404
        assert (await http.get(f"{API}/nonsense")).status_code == 422


async def test_admin_5_change_names_what_changed_and_says_nothing_twice(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    async with stage.panel(admin) as http:
        answer = await http.patch(f"{API}/{workspace.id}", json={"name": "New", "description": "d"})
        assert (answer.status_code, answer.json()["name"], answer.json()["group_count"]) == (200, "New", 0)
        assert (await http.patch(f"{API}/{workspace.id}", json={"name": "New"})).status_code == 200
        [entry] = await stage.activities()
        assert told(entry) == (
            "workspace_updated",
            admin.id,
            "workspace",
            workspace.id,
            workspace.id,
            {"fields": ["name", "description"]},
        )
        before = await stage.snapshot()
        assert (await http.patch(f"{API}/{uuid4()}", json={"name": "New"})).status_code == 404
        assert (await http.patch(f"{API}/{workspace.id}", json={"name": ""})).status_code == 422
        assert await stage.snapshot() == before


async def test_DL_10_delete_takes_everything_and_revokes_every_member(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user()
    workspace = await stage.workspace(ada, slug="acme", name="Acme")
    other = await stage.workspace(ada)
    bob = await stage.member(workspace)
    stranger = await stage.member(other)
    await stage.group(workspace, bob)
    await stage.resource(workspace, ada)
    await stage.add(Role(workspace_id=workspace.id, name="r"))
    async with stage.panel(admin) as http:
        assert (await http.delete(f"{API}/{workspace.id}")).status_code == 204
        assert (await http.delete(f"{API}/{workspace.id}")).status_code == 404
    assert [one.id for one in await stage.all(Workspace)] == [other.id]
    assert await stage.count(Group) == await stage.count(Role) == 0
    assert [await epoch(stage, one) for one in (ada, bob, stranger)] == [1, 1, 0]
    [entry] = await stage.activities("workspace_deleted")
    assert told(entry) == (
        "workspace_deleted",
        admin.id,
        "workspace",
        workspace.id,
        None,
        {"name": "Acme", "slug": "acme"},
    )


async def test_admin_9_without_the_activity_nothing_happens(stage: Stage) -> None:
    """The change and its row are one transaction."""
    workspace = await stage.workspace()
    admin = await stage.user(is_admin=True)
    await stage.forbid_inserts("activity_logs")
    before = await stage.snapshot()
    with stage.events() as lines:
        async with stage.panel(admin) as http:
            for method, path, body in (
                ("POST", API, {"name": "Acme", "slug": "acme"}),
                ("PATCH", f"{API}/{workspace.id}", {"name": "New"}),
                ("DELETE", f"{API}/{workspace.id}", None),
                ("POST", f"{API}/{workspace.id}/members/invite", {"email": admin.email}),
                ("PUT", f"{API}/{workspace.id}/allowed-organizations", {"organization_ids": []}),
                ("POST", f"{API}/{workspace.id}/groups", {"name": "G"}),
                ("POST", f"{API}/{workspace.id}/roles", {"name": "R"}),
            ):
                answer = await http.request(method, path, json=body)
                assert answer.status_code >= 400, (method, path)
    assert await stage.snapshot() == before
    assert [line for line in lines if line["event"] == "audit.activity"] == []


# ── allowed organizations ──


async def test_admin_5_allow_list_is_read_and_replaced(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace = await stage.workspace()
    one, two = await stage.organization("a.example"), await stage.organization("b.example")
    path = f"{API}/{workspace.id}/allowed-organizations"
    async with stage.panel(admin) as http:
        assert (await http.get(path)).json() == {"organization_ids": []}
        answer = await http.put(path, json={"organization_ids": [str(one.id), str(two.id), str(one.id)]})
        assert answer.status_code == 200, answer.text
        assert sorted(answer.json()["organization_ids"]) == sorted([str(one.id), str(two.id)])
        assert (await http.get(path)).json() == answer.json()
        [entry] = await stage.activities()
        assert told(entry)[:5] == (
            "workspace_allowed_orgs_set",
            admin.id,
            "workspace",
            workspace.id,
            workspace.id,
        )
        assert (await http.put(path, json={"organization_ids": []})).json() == {"organization_ids": []}
        assert await stage.count(AllowedOrganization) == 0


async def test_admin_5_allow_list_refuses_what_cannot_be_on_it(stage: Stage) -> None:
    workspace = await stage.workspace()
    disabled, good = await stage.organization(enabled=False), await stage.organization()
    path = f"{API}/{workspace.id}/allowed-organizations"
    async with stage.panel() as http:
        before = await stage.snapshot()
        wrong: tuple[UUID, ...] = (disabled.id, PUBLIC_ORGANIZATION_ID, uuid4())
        for bad in wrong:
            answer = await http.put(path, json={"organization_ids": [str(good.id), str(bad)]})
            assert answer.status_code == 400, answer.text
        too_many = {"organization_ids": [str(uuid4()) for _ in range(501)]}
        assert (await http.put(path, json=too_many)).status_code == 422
        unknown = f"{API}/{uuid4()}/allowed-organizations"
        assert (await http.get(unknown)).status_code == 404
        assert (await http.put(unknown, json={"organization_ids": []})).status_code == 404
        assert await stage.snapshot() == before


async def test_admin_5_endpoints_count_in_the_default_limits(
    database_url: str, stage_keys: Any, anyio_backend: Any
) -> None:
    limits: dict[str, Any] = {
        "rate_limit_enabled": True,
        "rate_limit_default": "2/minute",
        "rate_limit_aggregate": None,
    }
    async with open_stage(database_url, stage_keys, **limits) as stage, stage.panel() as http:
        assert [(await http.get(API)).status_code for _ in range(3)] == [200, 200, 429]
