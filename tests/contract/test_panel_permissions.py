"""The pages of permissions and actions (``admin.md`` §2): browsing, sharing, why and who, purging."""

import html
import re
from typing import Any
from uuid import uuid4

import pytest

from sentinel.admin.pages import inquiries
from sentinel.permissions.models import Resource, Share
from sentinel.roles import roles
from sentinel.roles.models import ServiceAction
from tests.contract.service_actions import registered
from tests.contract.test_panel_applications import note, noted, text
from tests.races import use
from tests.stage import Stage

pytestmark = pytest.mark.anyio

PATH = "/admin/permissions"


# ── browsing ──


async def test_the_list_is_filtered_and_sorted_by_its_address(stage: Stage) -> None:
    ada, bob = await stage.user(email="ada@acme.example"), await stage.user(email="bob@other.example")
    acme, other = await stage.workspace(ada, slug="acme"), await stage.workspace(bob, slug="other")
    await stage.service("notes")
    first = await stage.resource(acme, ada)
    second = await stage.resource(other, bob, service_name="wiki", visibility="private")
    await stage.share(first, ada)
    async with stage.panel() as http:

        async def found(**query: Any) -> list[Resource]:
            answer = await http.get(PATH, params=query)
            assert answer.status_code == 200, answer.text
            ids = re.findall(rf'href="{PATH}/([0-9a-f-]{{36}})"', answer.text)
            return [row for one in ids for row in (first, second) if str(row.id) == one]

        assert await found() == [second, first]
        assert await found(order="asc") == [first, second]
        assert await found(sort="shares") == [first, second]
        assert await found(workspace="acme") == [first]
        assert await found(workspace=str(other.id)) == [second]
        assert await found(service="wiki") == [second]
        assert await found(service="%") == []
        assert await found(resource=str(first.resource_id)[:9]) == [first]
        assert await found(owner="ACME") == [first]
        assert await found(page="3") == []
        page = await text(http, PATH)
        assert '<option value="acme">' in page and '<option value="notes">' in page
        empty = await http.get(f"{PATH}?workspace=&service=wiki&resource=&owner=")
        assert empty.headers["location"] == f"{PATH}?service=wiki"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"workspace": "nowhere"}, "No workspace has this slug"),
        ({"workspace": "a\x00"}, "No workspace has this slug"),
        ({"resource": "xyz"}, "Give the beginning of a resource id"),
        ({"page": str(10**30)}, "There is no such page"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_shown_with_the_reason(
    stage: Stage, query: dict[str, str], reason: str
) -> None:
    await stage.resource(await stage.workspace(), None)
    async with stage.panel() as http:
        answer = await http.get(PATH, params=query)
    assert answer.status_code == 422
    assert reason in html.unescape(answer.text)


# ── one record ──


async def test_a_resource_is_shared_by_search_and_revoked(stage: Stage) -> None:
    workspace, elsewhere = await stage.workspace(), await stage.workspace()
    bob = await stage.member(workspace, name="Bob")
    await stage.member(workspace, name="Carol")
    await stage.member(elsewhere, name="Bobby Elsewhere")
    team = await stage.group(workspace, bob, name="Bob fans")
    foreign = await stage.group(elsewhere, name="Bobs of old")
    resource = await stage.resource(workspace, None, visibility="private")
    here = f"{PATH}/{resource.id}"
    async with stage.panel() as http:
        offered = await text(http, f"{here}/share?search=BOB")
        assert re.findall(r'name="grantee" value="([^"]+)"', offered) == [
            f"user:{bob.id}",
            f"group:{team.id}",
        ]
        fields = {"grantee": f"user:{bob.id}", "permission": "edit"}
        shared = await noted(stage, http, f"{here}/share", fields)
        assert "view and edit" in note(shared)
        assert "Bob" in shared and "shared: edit" in await text(http, f"{here}/share")
        await noted(stage, http, f"{here}/share", {"grantee": f"group:{team.id}"})
        for grantee in ("", "user:x", f"role:{bob.id}", str(bob.id)):
            page = await noted(stage, http, f"{here}/share", {"grantee": grantee})
            assert "Choose somebody first." in note(page)
        refused = await noted(stage, http, f"{here}/share", {"grantee": f"group:{foreign.id}"})
        assert "does not belong to this workspace" in note(refused)
        assert await stage.count(Share) == 2
        taken = {"grantee_type": "group", "grantee_id": str(team.id)}
        assert "revoked" in note(await noted(stage, http, f"{here}/unshare", taken))
        assert "Share not found" in note(await noted(stage, http, f"{here}/unshare", taken))
    [left] = await stage.all(Share)
    assert (left.grantee_id, left.permission) == (bob.id, "edit")


async def test_visibility_and_owner_are_changed(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    bob, stranger = await stage.member(workspace, name="Bob"), await stage.user("Stranger")
    await stage.group(workspace, name="Team")
    resource = await stage.resource(workspace, ada)
    here = f"{PATH}/{resource.id}"
    async with stage.panel() as http:
        private = await noted(stage, http, f"{here}/visibility", {"visibility": "private"})
        assert "It is private now" in note(private)
        offered = await text(http, f"{here}/owner")
        assert "Bob" in offered and "Team" not in offered and "Stranger" not in offered
        owned = await noted(stage, http, f"{here}/owner", {"grantee": f"user:{bob.id}"})
        assert "It has a new owner." in note(owned)
        refused = await noted(stage, http, f"{here}/owner", {"grantee": f"user:{stranger.id}"})
        assert "not a member" in note(refused)
        no_person = await noted(stage, http, f"{here}/owner", {"grantee": f"group:{uuid4()}"})
        assert "Choose somebody first." in note(no_person)
        for part in ("", "/share", "/owner", "/why", "/who"):
            await text(http, f"{PATH}/{uuid4()}{part}", 404)
    [stored] = await stage.all(Resource)
    assert (stored.owner_id, stored.visibility) == (bob.id, "private")


async def test_many_shares_are_shown_page_by_page(stage: Stage) -> None:
    workspace = await stage.workspace()
    resource = await stage.resource(workspace, None)
    for number in range(53):
        await stage.share(resource, await stage.member(workspace, name=f"Person {number:02}"))
    async with stage.panel() as http:
        first, second = (
            await text(http, f"{PATH}/{resource.id}"),
            await text(http, f"{PATH}/{resource.id}?page=2"),
        )
    assert "Person 49" in first and "Person 50" not in first
    assert "Person 50" in second and "Person 49" not in second


# ── why and who ──


async def test_authorization_4_why_names_the_deciding_step_and_the_share(stage: Stage) -> None:
    """Each of the seven steps in words; the group is named, and linked."""
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada, name="Acme")
    boss = await stage.member(workspace, "admin", name="Boss")
    ed = await stage.member(workspace, "editor", name="Ed")
    vic, dora, greg, off = [
        await stage.member(workspace, name=name, is_active=name != "Off")
        for name in ("Vic", "Dora", "Greg", "Off")
    ]
    stranger = await stage.user("Stranger")
    group = await stage.group(workspace, greg, name="Night shift")
    shown = await stage.resource(workspace, ada)
    hidden = await stage.resource(workspace, ada, visibility="private")
    await stage.share(hidden, dora, "edit")
    await stage.share(hidden, group)
    async with stage.panel() as http:
        for resource, person, action, may, reason in (
            (hidden, stranger, "view", False, "Stranger is not a member of Acme."),
            (hidden, off, "view", False, "Off’s account is deactivated."),
            (hidden, ada, "edit", True, "Ada owns it."),
            (hidden, boss, "edit", True, "Boss is admin of Acme"),
            (shown, vic, "view", True, "It is visible to every member of Acme."),
            (shown, ed, "edit", True, "Ed is editor of Acme."),
            (hidden, dora, "edit", True, "It is shared with Dora directly."),
            (hidden, greg, "view", True, "It is shared with the group Night shift, which Greg is in."),
            (hidden, greg, "edit", False, "Greg neither owns it nor has"),
            (hidden, vic, "view", False, "Vic neither owns it nor has"),
        ):
            with stage.statements() as seen:
                answer = await http.get(
                    f"{PATH}/{resource.id}/why", params={"user_id": str(person.id), "action": action}
                )
            assert len(seen) <= 6, seen.texts
            page = html.unescape(answer.text)
            assert f"{person.name} {'may' if may else 'may not'} {action} it</h2>" in page, (person, page)
            assert reason in page
            assert page.count('aria-current="step"') == 1
        linked = await text(http, f"{PATH}/{hidden.id}/why?user_id={greg.id}")
        assert f"/admin/workspaces/{workspace.id}/groups/{group.id}" in linked
        chooser = await text(http, f"{PATH}/{hidden.id}/why?search=vic")
        assert f"user_id={vic.id}" in chooser and f"user_id={dora.id}" not in chooser
        await text(http, f"{PATH}/{hidden.id}/why?user_id={uuid4()}", 404)


async def test_authorization_4_who_lists_everybody_with_the_reason_page_by_page(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    dora, greg, vic = [await stage.member(workspace, name=name) for name in ("Dora", "Greg", "Vic")]
    resource = await stage.resource(workspace, ada, visibility="private")
    await stage.share(resource, dora)
    await stage.share(resource, await stage.group(workspace, greg), "edit")
    monkeypatch.setattr(inquiries, "SUBJECTS_SHOWN", 2)
    people = {"Ada": "owns it", "Dora": "shared with the person", "Greg": "shared with a group"}

    async with stage.panel() as http:
        seen: dict[str, str] = {}
        path: str | None = f"{PATH}/{resource.id}/who"
        while path:
            with stage.statements() as statements:
                page = await text(http, path)
            assert len(statements) <= 6
            seen |= dict(re.findall(r"/admin/users/[^>]+>(\w+)</a><small>.*?<td>([^<]+)</td>", page, re.S))
            found = re.search(r'rel="next" href="([^"]+)"', page)
            path = found.group(1) if found else None
        assert seen == people
        edit = await text(http, f"{PATH}/{resource.id}/who?action=edit")
        assert "Greg" in edit and "Dora" not in edit and vic.name not in edit
        assert (await http.get(f"{PATH}/{resource.id}/who?cursor=xx")).status_code == 422


# ── purging ──


async def test_SB_3_a_service_is_purged_by_its_name(stage: Stage) -> None:
    """Of a service that exists the resources go; of one that is gone the actions, too, and the name is free."""
    await stage.service("notes")
    workspace = await stage.workspace()
    for name in ("notes", "notes", "ghost"):
        await stage.resource(workspace, None, service_name=name)
    await registered(stage, "notes:read", "ghost:read")
    async with stage.panel() as http:
        asked = await text(http, f"{PATH}/purge?service=notes")
        assert "2 resources and 1 action" in asked and "keeps its actions" in asked
        wrong = await noted(stage, http, f"{PATH}/purge", {"service": "notes", "confirm": "note"})
        assert "Nothing was purged" in note(wrong)
        assert await stage.count(Resource) == 3
        gone = await noted(stage, http, f"{PATH}/purge", {"service": "notes", "confirm": "notes"})
        assert "Purged under notes: 2 resource records" in note(gone)
        ghost = await noted(stage, http, f"{PATH}/purge", {"service": "ghost", "confirm": "ghost"})
        assert "Purged under ghost: 1 resource and 1 action." in note(ghost)
        assert "Nothing stands under this name" in await text(http, f"{PATH}/purge?service=ghost")
    assert await stage.count(Resource) == 0
    assert [row.service_name for row in await stage.all(ServiceAction)] == ["notes"]


# ── actions ──


async def test_actions_are_listed_with_their_roles_and_deleted(stage: Stage) -> None:
    [read, _, _] = await registered(stage, "notes:read", "notes:write", "wiki:read")
    workspace = await stage.workspace()
    for name in ("one", "two"):
        role = await use(stage, roles.create, workspace.id, name=name)
        await use(stage, roles.add_actions, role.id, [read.id])
    async with stage.panel() as http:
        with stage.statements() as seen:
            page = await text(http, "/admin/actions?service=notes")
        assert len(seen) <= 6
        assert page.count(">Delete</button>") == 2
        assert "2 roles of all workspaces lose it" in page
        assert '<option value="wiki">' in page
        assert ">write<" in await text(http, "/admin/actions?search=WRI")
        assert "No action fits" in await text(http, "/admin/actions?search=%25")
        answer = await stage.form(http, f"/admin/actions/{read.id}/delete", {"service": "notes"})
        assert answer.headers["location"] == "/admin/actions?service=notes"
        again = await noted(stage, http, f"/admin/actions/{read.id}/delete")
        assert "Service action not found" in note(again)
    assert await stage.count(ServiceAction) == 2


# ── all of them ──


async def test_pages_of_permissions_cost_at_most_six_statements(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada, slug="acme")
    group = await stage.group(workspace, ada)
    resources = [await stage.resource(workspace, ada) for _ in range(5)]
    for resource in resources:
        await stage.share(resource, group)
    here = f"{PATH}/{resources[0].id}"
    async with stage.panel() as http:
        for path in (
            PATH,
            f"{PATH}?workspace=acme&service=notes&owner=example&sort=shares",
            f"{PATH}/purge?service=notes",
            here,
            f"{here}/share",
            f"{here}/owner",
            f"{here}/why?user_id={ada.id}",
            f"{here}/who",
        ):
            with stage.statements() as seen:
                answer = await http.get(path)
            assert answer.status_code == 200, path
            assert len(seen) <= 6, (path, seen.texts)
            assert " style=" not in answer.text and "<script>" not in answer.text


async def test_AD_13_forms_of_permissions_need_the_token_of_the_session(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    resource = await stage.resource(workspace, ada)
    await stage.share(resource, ada)
    [action] = await registered(stage, "notes:read")
    fields = {
        "visibility": "private",
        "grantee": f"user:{ada.id}",
        "grantee_type": "user",
        "grantee_id": str(ada.id),
        "service": "notes",
        "confirm": "notes",
    }
    async with stage.panel() as http:
        before = await stage.snapshot()
        for path in (
            *(f"{PATH}/{resource.id}/{part}" for part in ("visibility", "share", "unshare", "owner")),
            f"{PATH}/purge",
            f"/admin/actions/{action.id}/delete",
        ):
            assert (await http.post(path, data=fields)).status_code == 403, path
            assert (await stage.client.post(path, data=fields)).status_code == 303, path
        assert await stage.snapshot() == before
