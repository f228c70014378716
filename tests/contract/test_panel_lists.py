"""Lists of the panel at any length: pages, filters and searches live in the address (``admin.md`` §2)."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from sentinel.admin.pages import activity as activity_page
from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.audit.models import Activity
from sentinel.core import listing
from sentinel.identity.models import Organization, OrganizationDomain, User
from sentinel.permissions import catalogue
from sentinel.permissions.models import Resource
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction
from sentinel.workspaces import allow_list, candidates, people
from sentinel.workspaces.models import AllowedOrganization, Group, Membership, Workspace
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

BUDGET = 6


@pytest.fixture
async def sqlite_stage(anyio_backend: Any, sqlite_url: str, stage_keys: Keys) -> AsyncIterator[Stage]:
    """A stage on SQLite, which says how it would answer whatever the number of rows."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        yield stage


async def page(stage: Stage, http: httpx.AsyncClient, path: str, **query: Any) -> str:
    """The text of a page, which costs six statements or fewer."""
    with stage.statements() as seen:
        answer = await http.get(f"/admin{path}", params=query or None)
    assert answer.status_code == 200, (path, answer.status_code)
    assert len(seen) <= BUDGET, (path, seen.texts)
    assert " style=" not in answer.text and "<script>" not in answer.text
    return html.unescape(answer.text)


async def fill(stage: Stage, model: Any, rows: list[dict[str, Any]]) -> None:
    await stage.execute(sa.insert(model).values(rows))


def following(text: str) -> str | None:
    """Where the button Next leads."""
    found = re.search(r'rel="next" href="([^"]*)"', text)
    return found[1] if found else None


async def test_admin_2_every_short_list_is_paged_and_searched(stage: Stage) -> None:
    now, workspace = stage.clock.now(), await stage.workspace(name="Acme")
    times = [now + timedelta(seconds=number) for number in range(21)]
    made = [{"created_at": time, "name": f"Thing {number:02}"} for number, time in enumerate(times)]
    await fill(
        stage,
        LoginApp,
        [row | {"id": uuid4(), "redirect_uris": ["https://a.example"], "updated_at": now} for row in made],
    )
    realms = [row | {"id": uuid4(), "slug": f"realm-{n:02}", "updated_at": now} for n, row in enumerate(made)]
    await fill(stage, Realm, realms)
    await fill(
        stage,
        ServiceApp,
        [
            row
            | {
                "id": uuid4(),
                "service_name": f"service-{n:02}",
                "key_hash": f"{n:064}",
                "key_prefix": "x",
                "realm_id": realms[n]["id"],
                "allowed_origins": [],
                "allowed_idp_audiences": [],
                "updated_at": now,
            }
            for n, row in enumerate(made)
        ],
    )
    organization_id = uuid4()
    organizations = [
        row | {"id": organization_id if n == 3 else uuid4(), "slug": f"org-{n:02}"}
        for n, row in enumerate(made)
    ]
    await fill(stage, Organization, organizations)
    await fill(
        stage,
        OrganizationDomain,
        [{"id": uuid4(), "organization_id": organization_id, "domain": "only.example"}],
    )
    roles = [
        row | {"id": uuid4(), "workspace_id": workspace.id, "description": f"Note {n:02}"}
        for n, row in enumerate(made)
    ]
    await fill(stage, Role, roles)
    groups = [row | {"id": uuid4(), "workspace_id": workspace.id} for row in made]
    await fill(stage, Group, groups)
    await fill(
        stage,
        GroupRole,
        [
            {"id": uuid4(), "group_id": group["id"], "role_id": roles[7]["id"], "assigned_at": time}
            for group, time in zip(groups, times, strict=True)
        ],
    )
    here = f"/workspaces/{workspace.id}"
    found_by = {
        "/client-apps": "thing 07",
        "/realms": "REALM-07",
        "/service-apps": "realm-07",
        f"{here}/roles": "note 07",
        f"{here}/groups": "hing 07",
        f"{here}/roles/{roles[7]['id']}/groups": "hing 07",
    }
    async with stage.panel() as http:
        for path, text in found_by.items():
            first = await page(stage, http, path)
            assert "1–20 of 21" in first and "Thing 20" in first and "Thing 00<" not in first, path
            assert following(first) == f"/admin{path}?page=2"
            second = await page(stage, http, path, page=2)
            assert "21–21 of 21" in second and "Thing 00" in second and following(second) is None, path
            beyond = await page(stage, http, path, page=10**15)
            assert "The list ends before this page" in beyond and "21 entries" in beyond, path
            hit = await page(stage, http, path, search=text)
            assert "1–1 of 1" in hit and "Thing 07" in hit and f'value="{text}"' in hit, path
            many = await page(stage, http, path, search="thing")
            assert following(many) == f"/admin{path}?search=thing&page=2", path
            assert "fits “%”" in await page(stage, http, path, search="%"), path
        # By name, and the public one before all.
        first = await page(stage, http, "/organizations")
        assert "1–20 of 22" in first and "Everybody whose domain" in first and "Thing 18" in first
        assert "Thing 19" in await page(stage, http, "/organizations", page=2)
        by_domain = await page(stage, http, "/organizations", search="ONLY.ex")
        assert "1–1 of 1" in by_domain and "Thing 03" in by_domain
        await _lists_beside_other_things(stage, http, organization_id)


async def _lists_beside_other_things(stage: Stage, http: httpx.AsyncClient, organization_id: UUID) -> None:
    """The domains of an organization, the workspaces of a person, who is in a realm and who could be."""
    now, person, realm = stage.clock.now(), await stage.user("Ada"), await stage.realm("family")
    numbers = [f"{number:02}" for number in range(22)]
    domains = [f"d{n}{letter}.example" for n in numbers for letter in "abc"]
    await fill(
        stage,
        OrganizationDomain,
        [{"id": uuid4(), "organization_id": organization_id, "domain": domain} for domain in domains],
    )
    places = [{"id": uuid4(), "slug": f"p-{n}", "name": f"Place {n}"} for n in numbers]
    await fill(stage, Workspace, places)
    await fill(
        stage,
        Membership,
        [
            {"id": uuid4(), "workspace_id": place["id"], "user_id": person.id, "role": "viewer"}
            for place in places
        ],
    )
    await fill(
        stage,
        ServiceApp,
        [
            {
                "id": uuid4(),
                "name": f"Member {n}" if inside else f"Alone {n}",
                "service_name": f"{'in' if inside else 'out'}-{n}",
                "key_hash": f"{inside:d}-{n:>62}",
                "key_prefix": "x",
                "realm_id": realm.id if inside else None,
                "allowed_origins": [],
                "allowed_idp_audiences": [],
                "created_at": now,
                "updated_at": now,
            }
            for n in numbers
            for inside in (True, False)
        ],
    )
    here = f"/organizations/{organization_id}"
    beside = await page(stage, http, here)
    assert "d03a.example" in beside and "d03b.example" not in beside
    assert f'href="/admin{here}/domains">All 67<' in beside
    for path, size, total, first, word in (
        (f"{here}/domains", 50, 67, "d00a.example", "D07B.ex"),
        (f"/users/{person.id}", 20, 22, "Place 00", "p-07"),
        (f"/realms/{realm.id}", 20, 22, "Member 00", "IN-07"),
    ):
        text = await page(stage, http, path)
        assert f"1–{size} of {total}" in text and first in text, path
        assert following(text) == f"/admin{path}?page=2"
        text = await page(stage, http, path, page=2)
        assert f"{size + 1}–{total} of {total}" in text and first not in text, path
        text = await page(stage, http, path, search=word)
        assert "07" in text and first not in text, path
        assert "fits “%”" in await page(stage, http, path, search="%"), path
        assert "The list ends before this page" in await page(stage, http, path, page=9), path
    text = await page(stage, http, f"/realms/{realm.id}")
    assert "Alone 19 (" in text and "Alone 20 (" not in text and "The first 20 of 22" in text
    text = await page(stage, http, f"/realms/{realm.id}", service="OUT-21")
    assert "Alone 21 (" in text and "Alone 19 (" not in text and "Member 00" in text
    assert "fits “in-07”" in await page(stage, http, f"/realms/{realm.id}", service="in-07")


async def test_admin_2_the_role_editor_shows_a_hundred_actions_and_counts_all(stage: Stage) -> None:
    now, workspace = stage.clock.now(), await stage.workspace()
    role = Role(id=uuid4(), workspace_id=workspace.id, name="Editors", created_at=now)
    await stage.add(role)
    actions = [
        {"id": uuid4(), "service_name": "notes", "action": f"a{n:03}", "description": f"Do {n}"}
        for n in range(103)
    ]
    await fill(stage, ServiceAction, [row | {"created_at": now} for row in actions])
    await fill(
        stage,
        RoleAction,
        [{"id": uuid4(), "role_id": role.id, "service_action_id": actions[n]["id"]} for n in (0, 102)],
    )
    here = f"/workspaces/{workspace.id}/roles/{role.id}/actions"
    async with stage.panel() as http:
        first = await page(stage, http, here)
        assert "1–100 of 103" in first and "2 of 103 held" in first and "All of notes on this page" in first
        second = await page(stage, http, here, page=2)
        assert "101–103 of 103" in second and "2 of 103 held" in second and "Remove a102 of notes" in second
        found = await page(stage, http, here, search="NOTES:A05")
        assert "1–10 of 10" in found
        assert "1–1 of 1" in await page(stage, http, here, search="do 77")


async def test_admin_2_users_are_filtered_by_status_in_the_address(stage: Stage) -> None:
    gone = [await stage.user(f"Gone {n:02}", is_active=False) for n in range(26)]
    await stage.user("Ada Example")
    async with stage.panel() as http:
        everybody = await page(stage, http, "/users")
        assert "1–25 of 28" in everybody and '<option value="inactive">' in everybody
        first = await page(stage, http, "/users", status="inactive")
        assert "1–25 of 26" in first and "Ada Example" not in first
        assert following(first) == "/admin/users?status=inactive&page=2"
        second = await page(stage, http, "/users", status="inactive", page=2)
        assert "26–26 of 26" in second and "Gone 00" in second
        assert '<option value="inactive" selected>' in second
        active = await page(stage, http, "/users", status="active")
        assert "1–2 of 2" in active and "Ada Example" in active and "Gone" not in active
        admins = await page(stage, http, "/users", status="administrators")
        assert "1–1 of 1" in admins and "Ingrid Admin" in admins
        both = await page(stage, http, "/users", status="inactive", search="gone 1")
        assert "1–10 of 10" in both
        nobody = await page(stage, http, "/users", status="administrators", search="gone")
        assert "Nobody fits “gone” among the administrators" in nobody
        plain = await http.get("/admin/users", params={"search": "ada", "status": ""})
        assert plain.headers["location"] == "/admin/users?search=ada"
        assert (await http.get("/admin/users", params={"status": "tall"})).status_code == 422
        fields = {"user_id": str(gone[0].id), "active": "true", "status": "inactive", "page": "2"}
        back = await stage.form(http, "/admin/users/status", fields)
        assert back.headers["location"] == "/admin/users?status=inactive&page=2"
        odd = await stage.form(http, "/admin/users/status", fields | {"status": "tall", "page": "1"})
        assert odd.headers["location"] == "/admin/users"


async def test_admin_4_a_search_with_very_many_hits_has_the_same_pages_and_numbers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of hits they are counted apart and the page is come across; nobody can tell."""
    for number in range(7):
        await stage.user(f"Émile {number}", is_active=number != 3)

    workspace = await stage.workspace()
    (third,) = await stage.all(User, User.name == "Émile 3")
    await stage.join(workspace, third)

    async def pages() -> list[Any]:
        found: list[Any] = []
        async with stage.state.database.reading() as session:
            for text in ("émile", "e", "mile 6", "nobody"):
                for number in (1, 2, 4, 5):
                    one = await people.search(session, text, page=number, page_size=2, standing="active")
                    found.append(([item.name for item in one.items], one.total))
            for text in ("émile", "mile 3", "nobody"):
                found.append(await candidates.for_workspace(session, workspace.id, text, [third.id]))
                found.append(await candidates.for_workspace(session, workspace.id, text))
        return found

    collected = await pages()
    assert collected[:4] == [
        (["Émile 6", "Émile 5"], 6),
        (["Émile 4", "Émile 2"], 6),
        ([], 6),
        ([], 6),
    ]
    assert [(one.name, one.taken) for one in collected[-5]] == [
        *((f"Émile {number}", False) for number in (0, 1, 2, 4, 5, 6)),
        ("Émile 3", True),
    ]
    monkeypatch.setattr(listing, "MANY", 1)
    assert await pages() == collected


async def test_admin_2_resources_and_activities_are_counted_up_to_a_bound(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, now = await stage.workspace(slug="acme"), stage.clock.now()
    await fill(
        stage,
        Resource,
        [
            {
                "id": uuid4(),
                "service_name": "notes",
                "resource_type": f"kind{number:02}",
                "resource_id": uuid4(),
                "workspace_id": workspace.id,
                "created_at": now + timedelta(seconds=number),
            }
            for number in range(27)
        ],
    )
    await fill(
        stage,
        Activity,
        [
            {
                "id": uuid4(),
                "action": "user_login",
                "target_type": "user",
                "target_id": uuid4(),
                "workspace_id": workspace.id,
                "created_at": now + timedelta(seconds=number),
            }
            for number in range(27)
        ],
    )
    async with stage.panel() as http:
        for few in (10_000, 3):
            monkeypatch.setattr(catalogue, "FEW", few)
            monkeypatch.setattr(activity_page, "COUNT_TO", few)
            more = "" if few > 27 else "more than "
            said = "27" if few > 27 else str(few)
            for path, query in (
                ("/permissions", {}),
                ("/permissions", {"workspace": "acme", "service": "notes"}),
                ("/permissions", {"sort": "shares"}),
                ("/permissions", {"sort": "shares", "order": "asc"}),
                ("/activity", {}),
                ("/activity", {"action": "user_login"}),
            ):
                first = await page(stage, http, path, **query)
                assert f"1–25 of {more}{said}" in first, (few, path, query)
                where = following(first)
                assert where is not None and where.endswith("page=2")
                second = await page(stage, http, path, **query, page="2")
                assert f"26–27 of {more}{said}" in second and following(second) is None, (few, path, query)
                beyond = await page(stage, http, path, **query, page="3")
                assert "The list ends before this page" in beyond, (few, path, query)
        # A program is told the number whatever it is.
        told = (await http.get("/admin/api/permissions")).json()
        assert told["total"] == 27 and (await http.get("/admin/api/activity")).json()["total"] >= 27


async def test_admin_5_organizations_to_admit_are_searched_and_what_is_ticked_stays(stage: Stage) -> None:
    workspace, now = await stage.workspace(), stage.clock.now()
    rows = [
        {"id": uuid4(), "slug": f"org-{n:02}", "name": f"Org {n:02}", "created_at": now} for n in range(55)
    ]
    await fill(stage, Organization, rows)
    listed, ticked = rows[54]["id"], rows[53]["id"]
    await stage.add(AllowedOrganization(id=uuid4(), workspace_id=workspace.id, organization_id=listed))
    here = f"/workspaces/{workspace.id}/access"
    async with stage.panel() as http:
        shown = await page(stage, http, here)
        assert "Org 54" in shown and "Org 49" in shown and "Org 50" not in shown
        assert "Not all are shown" in shown and f'value="{listed}" checked' in shown
        found = await page(stage, http, here, search="ORG-52")
        assert "Org 52" in found and "Org 54" in found and "Org 00" not in found
        # Somebody has unticked the one on the list, ticked another, and searches on.
        edited = await page(stage, http, here, search="org-52", edited="true", organization_id=str(ticked))
        assert f'value="{ticked}" checked' in edited and f'value="{listed}" checked' not in edited
        assert f'value="{rows[52]["id"]}">' in edited
        none = await page(stage, http, here, search="org-52", edited="true")
        assert "Nothing is ticked" in none


INDEXED = {
    "/users": "users USING COVERING INDEX ix_users_created_at_id",
    "/users?status=inactive": "users USING COVERING INDEX ix_users_is_active_created_at_id",
    "/users?status=administrators": "users USING INDEX ix_users_administrators",
    "/workspaces": "workspaces USING COVERING INDEX ix_workspaces_created_at_id",
    "/workspaces/{w}/members": "ix_workspace_memberships_workspace_id_joined_at_user_id",
    "/workspaces/{w}/groups": "ix_groups_workspace_id_created_at_id",
    "/workspaces/{w}/groups/{g}": "ix_group_memberships_group_id_added_at_user_id",
    "/workspaces/{w}/roles/{r}/members": "ix_user_roles_role_id_assigned_at_user_id",
    "/organizations/{o}": "ix_users_organization_id_email",
    "/usage": "ix_action_usage_grant",
}


async def test_admin_2_the_pages_of_every_list_are_cut_by_an_index(sqlite_stage: Stage) -> None:
    """As the planner says: the ids of a page come from an index in the order of the list."""
    stage = sqlite_stage
    organization = await stage.organization("acme.example")
    ada = await stage.user(organization_id=organization.id)
    workspace = await stage.workspace(ada)
    group = await stage.group(workspace, ada)
    role = Role(id=uuid4(), workspace_id=workspace.id, name="Editors", created_at=stage.clock.now())
    await stage.add(role)
    plans: list[str] = []

    def explain(_connection: Any, cursor: Any, text: str, parameters: Any, _x: Any, _m: Any) -> None:
        if text.startswith(("SELECT", "WITH")):
            cursor.execute(f"EXPLAIN QUERY PLAN {text}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    event.listen(stage.state.database.engine.sync_engine, "before_cursor_execute", explain)
    async with stage.panel() as http:
        for path, index in INDEXED.items():
            plans.clear()
            where = path.format(w=workspace.id, g=group.id, r=role.id, o=organization.id)
            assert (await http.get(f"/admin{where}")).status_code == 200
            assert any(index in line for line in plans), (path, plans)


async def test_admin_5_losses_are_counted_over_members_that_are_read_in_parts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allow_list, "BATCH", 2)
    acme, other = await stage.organization("acme.example"), await stage.organization("other.example")
    workspace = await stage.workspace()
    for number in range(5):
        await stage.member(workspace, name=f"P{number}", organization_id=acme.id)
    await stage.member(workspace, name="Stays", organization_id=other.id)
    async with stage.state.database.reading() as session:
        losses = await allow_list.shut_out_by(session, workspace.id, [other.id])
    assert losses.count == 5 and [one.name for one in losses.first].count("Stays") == 0
    assert await stage.count(User) == 6
