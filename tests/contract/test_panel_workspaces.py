"""The pages of workspaces, members, groups, roles and access (``admin.md`` §2) as plain forms, without a script."""

import html
import re
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest

from sentinel.identity.models import User
from sentinel.permissions.models import Share
from sentinel.roles.models import GroupRole, Role, RoleAction, UserRole
from sentinel.workspaces import overview
from sentinel.workspaces.models import AllowedOrganization, Group, GroupMembership, Membership, Workspace
from tests.contract.service_actions import registered
from tests.contract.test_admin_workspaces import without_housekeeping
from tests.stage import Stage

pytestmark = pytest.mark.anyio

BUDGET = 6
"""Statements of a page, the look at the administrator included."""


async def page(stage: Stage, http: httpx.AsyncClient, path: str, status: int = 200, **query: Any) -> str:
    """The text of a page, which stays within its budget and says nothing of inviting."""
    with stage.statements() as seen:
        answer = await http.get(f"/admin{path}", params=query or None)
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    own = without_housekeeping(seen.texts)
    assert len(own) <= BUDGET, (path, own)
    assert "invit" not in answer.text.lower()
    assert " style=" not in answer.text
    return html.unescape(answer.text)


async def sent(stage: Stage, http: httpx.AsyncClient, path: str, **fields: Any) -> str:
    """Send a form; where it leads, without the host and the panel's prefix."""
    answer = await stage.form(http, f"/admin{path}", fields)
    assert answer.status_code == 303, (path, answer.status_code, answer.text)
    location: str = answer.headers["location"]
    return location.removeprefix("/admin")


async def note(http: httpx.AsyncClient, path: str) -> str:
    """What a page says about the action before it."""
    answer = await http.get(f"/admin{path}")
    found = re.search(r'<div class="alert alert-(?:success|danger)"[^>]*>.*?</svg> (.*?)</div>', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


async def role_in(stage: Stage, workspace: Workspace, name: str = "Editors") -> Role:
    role = Role(id=uuid4(), workspace_id=workspace.id, name=name, created_at=stage.clock.now())
    await stage.add(role)
    return role


# ── every page ──


async def test_admin_2_every_page_opens_within_six_statements(stage: Stage) -> None:
    ada = await stage.user("Ada Example")
    workspace = await stage.workspace(ada, name="Acme")
    bob = await stage.member(workspace, name="Bob Example")
    group = await stage.group(workspace, bob, name="Team")
    role = await role_in(stage, workspace)
    actions = await registered(stage, "notes:read", "notes:write")
    organization = await stage.organization("acme.example")
    await stage.restrict(workspace, organization)
    await stage.add(
        UserRole(user_id=bob.id, role_id=role.id),
        GroupRole(group_id=group.id, role_id=role.id),
        RoleAction(role_id=role.id, service_action_id=actions[0].id),
    )
    here = f"/workspaces/{workspace.id}"
    expected = {
        "/workspaces": "Acme",
        "/workspaces/new": "Create the workspace",
        f"{here}/edit": "Delete the workspace",
        f"{here}/members": "Bob Example",
        f"{here}/members/add": "already a member",
        f"{here}/groups": "Team",
        f"{here}/groups/new": "Create the group",
        f"{here}/groups/{group.id}": "Bob Example",
        f"{here}/groups/{group.id}/edit": "Team",
        f"{here}/groups/{group.id}/add": "already in the group",
        f"{here}/roles": "Editors",
        f"{here}/roles/new": "Create the role",
        f"{here}/roles/{role.id}/edit": "Editors",
        f"{here}/roles/{role.id}/actions": "1 of 2 held",
        f"{here}/roles/{role.id}/members": "Bob Example",
        f"{here}/roles/{role.id}/members/add": "already bound",
        f"{here}/roles/{role.id}/groups": "Team",
        f"{here}/roles/{role.id}/groups/add": "already bound",
        f"{here}/access": "1 ticked organization",
        f"{here}/access?review=true": "open to all organizations",
        f"{here}/usage": "Dormant grants",
    }
    async with stage.panel() as http:
        for path, text in expected.items():
            assert text in await page(stage, http, path), path
        for path, target in (
            (here, f"{here}/members"),
            (f"/groups/{group.id}", f"{here}/groups/{group.id}"),
            (f"/roles/{role.id}", f"{here}/roles/{role.id}/actions"),
            (f"{here}/roles/{role.id}", f"{here}/roles/{role.id}/actions"),
        ):
            assert (await http.get(f"/admin{path}")).headers["location"] == f"/admin{target}"


async def test_admin_2_pages_of_nothing_and_of_another_workspace_are_404(stage: Stage) -> None:
    workspace, other = await stage.workspace(), await stage.workspace()
    group, role = await stage.group(other), await role_in(stage, other)
    here, nowhere = f"/workspaces/{workspace.id}", f"/workspaces/{uuid4()}"
    async with stage.panel() as http:
        for tab in (
            "members",
            "members/add",
            "groups",
            "groups/new",
            "roles",
            "roles/new",
            "access",
            "usage",
        ):
            assert (await http.get(f"/admin{nowhere}/{tab}")).status_code == 404, tab
        before = await stage.snapshot()
        for path in (f"{here}/groups/{group.id}", f"{here}/roles/{role.id}"):
            for part in ("/edit", "/members/add" if "roles" in path else "/add"):
                assert (await http.get(f"/admin{path}{part}")).status_code == 404, path + part
            changes = (
                "",
                "/delete",
                "/members",
                f"/members/{uuid4()}/remove",
                "/actions",
                f"/actions/{uuid4()}/remove",
                "/groups",
                f"/groups/{uuid4()}/remove",
            )
            for part in changes:
                fields = {"name": "X", "user_id": str(uuid4()), "action_id": str(uuid4())}
                answer = await stage.form(http, f"/admin{path}{part}", fields)
                # A page that is not there, or a note that there is nothing: never a change.
                assert answer.status_code in (303, 404), path + part
        assert await stage.snapshot() == before


async def test_AD_11_and_AD_13_pages_want_a_session_and_forms_their_token(stage: Stage) -> None:
    workspace = await stage.workspace()
    async with stage.browser() as stranger:
        answer = await stranger.get(f"/admin/workspaces/{workspace.id}/members?page=2")
        assert answer.status_code == 303
        assert unquote(answer.headers["location"]).endswith(
            f"/admin/login?next=/admin/workspaces/{workspace.id}/members?page=2"
        )
    async with stage.panel() as http:
        before = await stage.snapshot()
        for path in ("", f"/{workspace.id}", f"/{workspace.id}/delete", f"/{workspace.id}/members"):
            answer = await http.post(f"/admin/workspaces{path}", data={"name": "X", "slug": "xx"})
            assert answer.status_code == 403, path
        assert await stage.snapshot() == before


# ── workspaces ──


async def test_admin_2_list_is_searched_paged_and_empty_in_words(stage: Stage) -> None:
    async with stage.panel() as http:
        assert "No workspace yet" in await page(stage, http, "/workspaces")
        for n in range(23):
            await stage.workspace(name=f"Tenant {n:02}", slug=f"tenant-{n:02}")
        first = await page(stage, http, "/workspaces")
        assert "1–20 of 23" in first and "Tenant 22" in first and "Tenant 02" not in first
        assert 'rel="next" href="/admin/workspaces?page=2"' in first
        second = await page(stage, http, "/workspaces", page=2)
        assert "21–23 of 23" in second and "Tenant 02" in second
        found = await page(stage, http, "/workspaces", search="TENANT-1")
        assert "1–10 of 10" in found and 'value="TENANT-1"' in found
        assert "No workspace fits “<x>”" in await page(stage, http, "/workspaces", search="<x>")
        assert 'href="/admin/export/workspaces"' in first
        beyond = await page(stage, http, "/workspaces", page=10**12)
        assert "23 entries" in beyond and "No workspace yet" not in beyond
        assert '"search"' in await page(stage, http, "/workspaces", 422, search="a\0b")


async def test_admin_2_refused_workspace_is_shown_again_with_what_was_typed(stage: Stage) -> None:
    await stage.workspace(slug="taken")
    async with stage.panel() as http:
        before = await stage.snapshot()
        for fields, status, told in (
            ({"name": "Acme", "slug": "taken"}, 409, "Workspace slug is already taken"),
            ({"name": "Acme", "slug": "No Good"}, 422, "Use small letters, digits and hyphens"),
            ({"name": "", "slug": "acme"}, 422, "A name has 1 to 255 characters."),
            ({"name": "<i></i>", "slug": "acme"}, 422, "besides markup"),
        ):
            answer = await stage.form(http, "/admin/workspaces", {**fields, "description": "my words"})
            assert answer.status_code == status, answer.text
            assert answer.headers["hx-push-url"] == "false"
            text = html.unescape(answer.text)
            assert told in text and 'value="my words"' in text
            for value in filter(None, fields.values()):
                assert f'value="{value}"' in text
        assert await stage.snapshot() == before


async def test_admin_2_workspace_is_made_changed_and_deleted_by_its_name(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user()
    async with stage.panel(admin) as http:
        to = await sent(stage, http, "/workspaces", name="Acme", slug="acme", description="")
        (made,) = await stage.all(Workspace)
        assert to == f"/workspaces/{made.id}/members" and made.description is None
        assert await note(http, to) == "Workspace Acme is there, and you own it."
        await stage.join(made, ada)
        # Saving without a change is none, and leaves no trace.
        await sent(stage, http, f"/workspaces/{made.id}", name="Acme", description="")
        assert await stage.activities("workspace_updated") == []
        await sent(stage, http, f"/workspaces/{made.id}", name="Acme Ltd", description="All of it")
        (made,) = await stage.all(Workspace)
        assert (made.name, made.description) == ("Acme Ltd", "All of it")
        refused = await stage.form(http, f"/admin/workspaces/{made.id}", {"name": "", "description": "kept"})
        assert refused.status_code == 422 and 'value="kept"' in refused.text
        for typed in ("", "acme ltd", "Acme"):
            to = await sent(stage, http, f"/workspaces/{made.id}/delete", confirm=typed)
            assert to == f"/workspaces/{made.id}/edit"
            assert await note(http, to) == "Nothing was deleted: type Acme Ltd to confirm."
        assert await sent(stage, http, f"/workspaces/{made.id}/delete", confirm="Acme Ltd") == "/workspaces"
        assert await stage.count(Workspace) == 0
        assert await stage.count(User, User.id == ada.id, User.token_epoch == 1) == 1


# ── members ──


async def test_admin_2_people_are_found_chosen_and_added_with_one_role(stage: Stage) -> None:
    workspace = await stage.workspace(name="Acme")
    present = await stage.member(workspace, name="Anna Present")
    new = [await stage.user(f"Anna New {n}") for n in range(2)]
    other = await stage.user("Boris Other", email="boris@example.com")
    here = f"/workspaces/{workspace.id}/members"
    async with stage.panel() as http:
        text = await page(stage, http, f"{here}/add", search="ANNA", user_id=str(other.id))
        # The one who was chosen before stays, ticked; who is a member already cannot be.
        assert re.search(rf'value="{other.id}" data-pick checked', text)
        assert re.search(rf'value="{present.id}" data-pick disabled', text)
        assert all(re.search(rf'value="{one.id}" data-pick>', text) for one in new)
        both = await page(stage, http, f"{here}/add", search="anna", user_id=str(new[0].id))
        assert both.count(str(new[0].id)) == 1
        by_address = await page(stage, http, f"{here}/add", search="boris@")
        assert str(other.id) in by_address and str(new[0].id) not in by_address
        assert await sent(stage, http, here) == f"{here}/add"
        assert await note(http, f"{here}/add") == "Choose at least one first."
        ids = [str(one.id) for one in new]
        assert await sent(stage, http, here, user_id=ids, role="editor") == here
        assert await note(http, here) == "2 people added as editor."
        roles = {one.user_id: one.role for one in await stage.all(Membership)}
        assert roles == {present.id: "viewer", new[0].id: "editor", new[1].id: "editor"}
        # Without a word about the role it is the weakest one.
        await sent(stage, http, here, user_id=str(other.id))
        assert (await stage.all(Membership, Membership.user_id == other.id))[0].role == "viewer"


async def test_admin_2_who_cannot_be_added_is_reported_and_the_others_are_in(stage: Stage) -> None:
    workspace = await stage.workspace()
    organization = await stage.organization("acme.example")
    await stage.restrict(workspace, organization)
    fits = await stage.user(organization_id=organization.id)
    outsiders = [await stage.user(email=f"out{n}@example.com") for n in range(7)]
    here = f"/workspaces/{workspace.id}/members"
    async with stage.panel() as http:
        ids = [str(one.id) for one in (fits, *outsiders)]
        to = await sent(stage, http, here, user_id=ids)
        told = await note(http, to)
        assert to == f"{here}/add"
        assert told.startswith("1 person added as viewer. Not added: out")
        assert "(the user's organization is not permitted in this workspace)" in told
        assert told.endswith("and 2 more.")
        assert [one.user_id for one in await stage.all(Membership)] == [fits.id]


async def test_admin_2_roles_are_changed_and_members_removed_in_the_list(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace, name="Bob Example")
    await stage.group(workspace, bob)
    await stage.share(await stage.resource(workspace, ada), bob)
    await stage.resource(workspace, bob)
    # What he has in another workspace is not counted, and stays.
    other = await stage.workspace(ada)
    await stage.join(other, bob)
    await stage.group(other, bob)
    await stage.share(await stage.resource(other, bob), bob)
    await stage.session(bob, workspace)
    here = f"/workspaces/{workspace.id}/members"
    async with stage.panel() as http:
        text = await page(stage, http, here)
        assert "1 group membership, 0 role bindings, 1 direct share" in text
        assert "1 owned resource, out of reach" in text
        with monkeypatch.context() as counted:
            counted.setattr(overview, "COUNTED", 0)
            counted.setattr(overview, "MANY_RESOURCES", 1)
            text = await page(stage, http, here)
            assert "more than 0 group memberships, 0 role bindings, more than 0 direct shares" in text
            assert "more than 1 resource record" in await page(
                stage, http, f"/workspaces/{workspace.id}/edit"
            )
        assert await sent(stage, http, f"{here}/{bob.id}/role", role="editor") == here
        assert await note(http, here) == "Bob Example is now editor."
        his = await stage.all(
            Membership, Membership.user_id == bob.id, Membership.workspace_id == workspace.id
        )
        assert his[0].role == "editor"
        await stage.session(bob, workspace)
        await sent(stage, http, f"{here}/{ada.id}/role", role="viewer")
        assert await note(http, here) == "The last owner cannot be removed or demoted"
        await sent(stage, http, f"{here}/{ada.id}/remove")
        assert await note(http, here) == "The last owner cannot be removed or demoted"
        await sent(stage, http, f"{here}/{bob.id}/remove")
        assert await note(http, here) == "Removed, with all that was given here; 1 session ended."
        left = await stage.all(Membership, Membership.workspace_id == workspace.id)
        assert [one.user_id for one in left] == [ada.id]
        assert await stage.count(Share) == await stage.count(GroupMembership) == 1
        assert "Bob Example" not in await page(stage, http, here)
        found = await page(stage, http, here, search="nobody at all")
        assert "No member fits “nobody at all”" in found


# ── groups ──


async def test_admin_2_group_is_made_filled_changed_and_deleted(stage: Stage) -> None:
    workspace = await stage.workspace(name="Acme")
    bob, eve = await stage.member(workspace, name="Bob"), await stage.member(workspace, name="Eve")
    stranger = await stage.user("Stranger")
    tab = f"/workspaces/{workspace.id}/groups"
    async with stage.panel() as http:
        refused = await stage.form(http, f"/admin{tab}", {"name": " ", "description": "kept"})
        assert refused.status_code == 422 and 'value="kept"' in refused.text
        here = await sent(stage, http, tab, name="Team", description="")
        (made,) = await stage.all(Group)
        assert here == f"{tab}/{made.id}" and made.description is None
        taken = await stage.form(http, f"/admin{tab}", {"name": "Team"})
        assert taken.status_code == 409 and "already taken" in taken.text
        text = await page(stage, http, f"{here}/add")
        assert str(bob.id) in text and str(stranger.id) not in text
        to = await sent(stage, http, f"{here}/members", user_id=[str(bob.id), str(eve.id)])
        assert to == here and await note(http, here) == "2 people added to the group."
        to = await sent(stage, http, f"{here}/members", user_id=[str(bob.id), str(stranger.id)])
        assert to == f"{here}/add"
        told = await note(http, to)
        assert f"{bob.email} (user is already in this group)" in told
        assert f"{stranger.email} (user is not a member of this workspace)" in told
        assert "1–1 of 1" in await page(stage, http, here, search="eve")
        await sent(stage, http, f"{here}/members/{eve.id}/remove")
        assert await note(http, here) == "Taken out of the group; 0 sessions ended."
        assert [one.user_id for one in await stage.all(GroupMembership)] == [bob.id]
        await sent(stage, http, here, name="Squad", description="d")
        assert "Squad" in await page(stage, http, here)
        assert await sent(stage, http, f"{here}/delete") == tab
        assert "Group Squad is deleted" in await note(http, tab)
        assert "No group yet" in await page(stage, http, tab)


# ── roles ──


async def test_admin_2_role_editor_from_the_first_name_to_the_deletion(stage: Stage) -> None:
    workspace = await stage.workspace(name="Acme")
    bob = await stage.member(workspace, name="Bob")
    group = await stage.group(workspace, bob, name="Team")
    read, write, pay = await registered(stage, "notes:read", "notes:write", "billing:pay")
    tab = f"/workspaces/{workspace.id}/roles"
    async with stage.panel() as http:
        assert "No role yet" in await page(stage, http, tab)
        actions = await sent(stage, http, tab, name="Editors", description="")
        (role,) = await stage.all(Role)
        here = f"{tab}/{role.id}"
        assert actions == f"{here}/actions"
        text = await page(stage, http, actions)
        assert text.index("0 of 1 held") < text.index("0 of 2 held")
        assert str(pay.id) not in await page(stage, http, actions, search="notes")
        await sent(stage, http, actions)
        assert await note(http, actions) == "Choose at least one action first."
        await sent(stage, http, actions, action_id=[str(read.id), str(write.id)])
        assert "2 actions added" in await note(http, actions)
        assert "2 of 2 held" in await page(stage, http, actions)
        await sent(stage, http, f"{actions}/{write.id}/remove")
        assert await stage.count(RoleAction) == 1
        to = await sent(stage, http, f"{here}/members", user_id=str(bob.id))
        assert to == f"{here}/members" and await note(http, to) == "1 person bound to the role."
        to = await sent(stage, http, f"{here}/members", user_id=str(bob.id))
        assert f"{bob.email} (user has this role already)" in await note(http, to)
        to = await sent(stage, http, f"{here}/groups", group_id=str(group.id))
        assert to == f"{here}/groups" and await note(http, to) == "1 group bound to the role."
        row = re.sub(r"<[^>]+>", " ", await page(stage, http, tab)).split("Editors")[1].split()[:3]
        assert row == ["1", "1", "1"]
        assert "Editors" in await page(stage, http, f"/workspaces/{workspace.id}/groups/{group.id}")
        await sent(stage, http, f"{here}/members/{bob.id}/remove")
        await sent(stage, http, f"{here}/groups/{group.id}/remove")
        assert await stage.count(UserRole) == await stage.count(GroupRole) == 0
        await sent(stage, http, here, name="Writers", description="They write")
        assert (await stage.all(Role))[0].name == "Writers"
        assert await sent(stage, http, f"{here}/delete") == tab
        assert await stage.count(Role) == 0


# ── access ──


async def test_admin_2_access_shows_who_would_be_shut_out_before_it_is_saved(stage: Stage) -> None:
    workspace = await stage.workspace()
    acme, other = await stage.organization("acme.example"), await stage.organization("other.example")
    inside = await stage.member(workspace, name="Inside Person", organization_id=acme.id)
    outside = await stage.member(workspace, name="Outside Person", organization_id=other.id)
    here = f"/workspaces/{workspace.id}/access"
    async with stage.panel() as http:
        assert "members of every organization are admitted" in await page(stage, http, here)
        before = await stage.snapshot()
        review = await page(stage, http, here, review="true", organization_id=str(acme.id))
        assert "1 member loses access" in review
        assert outside.email in review and inside.email not in review
        assert await stage.snapshot() == before
        nobody = await page(stage, http, here, review="true", organization_id=[str(acme.id), str(other.id)])
        assert "No member loses access." in nobody
        assert await sent(stage, http, here, organization_id=str(acme.id)) == here
        assert await note(http, here) == "Saved. Only the listed organizations are admitted now."
        assert [one.organization_id for one in await stage.all(AllowedOrganization)] == [acme.id]
        assert "Only members of the 1 ticked organization are admitted" in await page(stage, http, here)
        same = await page(stage, http, here, review="true", organization_id=str(acme.id))
        assert "nothing would change" in same
        emptied = await page(stage, http, here, review="true")
        assert "open to all organizations" in emptied
        await sent(stage, http, here)
        assert await note(http, here) == "Saved. The workspace is open to all organizations now."
        await sent(stage, http, here, organization_id=str(missing := uuid4()))
        assert await note(http, here) == f"There is no organization with the id {missing}"
        assert await stage.count(AllowedOrganization) == 0


async def test_admin_6_a_role_whose_new_name_is_taken_is_shown_again_as_it_was_typed(stage: Stage) -> None:
    workspace = await stage.workspace(name="Acme")
    await role_in(stage, workspace, "Taken")
    role = await role_in(stage, workspace, "Editors")
    async with stage.panel() as http:
        path = f"/admin/workspaces/{workspace.id}/roles/{role.id}"
        answer = await stage.form(http, path, {"name": "Taken", "description": "kept"})
    assert answer.status_code == 409
    assert 'value="Taken"' in answer.text and "kept" in answer.text and "already taken" in answer.text
    assert [one.name for one in await stage.all(Role, Role.id == role.id)] == ["Editors"]
