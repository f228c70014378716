"""The pages Users, User detail, Import and Organizations (``admin.md`` §2)."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, OrganizationDomain, User
from sentinel.workspaces.csv_file import MAX_BYTES
from sentinel.workspaces.models import Membership
from tests.stage import Stage

pytestmark = pytest.mark.anyio

HEADER = "email,name,workspace_slug,role\n"


async def after(stage: Stage, http: httpx.AsyncClient, path: str, fields: Mapping[str, Any]) -> str:
    """Send a form that redirects; the page that the browser sees then."""
    answer = await stage.form(http, path, fields)
    assert answer.status_code == 303, answer.text
    page = await http.get(answer.headers["location"])
    assert page.status_code == 200, answer.headers["location"]
    return page.text


async def fresh(stage: Stage, user: User) -> User:
    (found,) = await stage.all(User, User.id == user.id)
    assert isinstance(found, User)
    return found


async def test_AD_11_and_AD_13_pages_need_a_session_and_forms_their_token(stage: Stage) -> None:
    user = await stage.user()
    pages = [
        "/admin/users",
        f"/admin/users/{user.id}",
        f"/admin/users/{user.id}/workspaces/add",
        "/admin/users/import",
        "/admin/organizations",
        "/admin/organizations/new",
        f"/admin/organizations/{PUBLIC_ORGANIZATION_ID}",
    ]
    forms = [
        "/admin/users/status",
        f"/admin/users/{user.id}",
        f"/admin/users/{user.id}/status",
        f"/admin/users/{user.id}/admin",
        f"/admin/users/{user.id}/revoke",
        f"/admin/users/{user.id}/delete",
        f"/admin/users/{user.id}/workspaces",
        "/admin/users/import",
        "/admin/organizations",
        f"/admin/organizations/{PUBLIC_ORGANIZATION_ID}/enabled",
        f"/admin/organizations/{PUBLIC_ORGANIZATION_ID}/domains",
    ]
    everything = {
        "active": "false",
        "admin": "true",
        "enabled": "false",
        "name": "X",
        "slug": "xx",
        "domain": "x.example",
        "confirm": user.email,
        "step": "import",
    }
    async with stage.panel() as http:
        before = await stage.snapshot()
        for path in pages:
            assert (await stage.client.get(path)).status_code == 303, path
            with stage.statements() as seen:
                page = await http.get(path)
            assert page.status_code == 200, path
            assert len(seen) <= 6, path
            assert " style=" not in page.text and "<script>" not in page.text
        for path in forms:
            answer = await stage.client.post(path, data=everything)
            assert answer.headers["location"].endswith("/admin/login"), path
            assert (await http.post(path, data=everything)).status_code == 403, path
            forged = everything | {"csrf_token": "x" * 43}
            assert (await http.post(path, data=forged)).status_code == 403, path
    assert await stage.snapshot() == before


# ── the list ──


async def test_users_are_listed_searched_and_paged(stage: Stage) -> None:
    await stage.user("Zoe <Quiet>", email="zoe@example.com", is_active=False)
    for number in range(26):
        await stage.user(f"P{number:02}", email=f"p{number}@example.com")
    async with stage.panel() as http:
        first = (await http.get("/admin/users")).text
        assert "1–25 of 28" in first and "Ingrid Admin" in first and "Zoe" not in first
        assert 'href="/admin/users?page=2"' in first and "Administrator" in first
        second = (await http.get("/admin/users", params={"page": 2})).text
        assert "Zoe &lt;Quiet&gt;" in second and "Inactive" in second
        found = (await http.get("/admin/users", params={"search": "ZOE@"})).text
        assert "1–1 of 1" in found and 'value="ZOE@"' in found
        nobody = (await http.get("/admin/users", params={"search": "<x>"})).text
        assert "Nobody fits" in nobody and "<x>" not in nobody
        assert "To the first page" in (await http.get("/admin/users", params={"page": 9})).text


async def test_several_are_switched_and_the_note_says_what_has_ended(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    workspace = await stage.workspace(ada)
    for _ in range(3):
        await stage.session(ada, workspace)
    async with stage.panel() as http:
        fields = {"user_id": [str(ada.id), str(bob.id)], "active": "false", "search": "a&b", "page": "2"}
        answer = await stage.form(http, "/admin/users/status", fields)
        assert answer.headers["location"] == "/admin/users?search=a%26b&page=2"
        assert "2 people deactivated; 3 sessions ended." in (await http.get("/admin/users")).text
        assert not (await fresh(stage, ada)).is_active and not (await fresh(stage, bob)).is_active
        on = await after(stage, http, "/admin/users/status", {"user_id": str(ada.id), "active": "true"})
        assert "1 person activated" in on
        none = await after(stage, http, "/admin/users/status", {"active": "true"})
        assert "Choose at least one first." in none
        me = (await http.get("/auth/admin/me")).json()["id"]
        refused = await after(stage, http, "/admin/users/status", {"user_id": me, "active": "false"})
        assert "You cannot deactivate, demote or delete yourself" in refused


# ── one person ──


async def test_a_person_is_shown_whole_in_five_statements(stage: Stage) -> None:
    company = await stage.organization("company.example", slug="company")
    ada = await stage.user("Ada & Co", email="ada@company.example", organization_id=company.id)
    await stage.link(ada, subject="subject-of-ada")
    workspace = await stage.workspace(ada, slug="acme", name="Acme Labs")
    async with stage.panel() as http:
        await http.get(f"/admin/api/users/{ada.id}")
        await stage.form(http, f"/admin/users/{ada.id}", {"name": "Ada <L>"})
        await stage.form(http, f"/admin/users/{ada.id}", {"name": "Ada Lovelace"})
        with stage.statements() as seen:
            page = (await http.get(f"/admin/users/{ada.id}")).text
    assert len(seen) == 5
    for text in ("Ada Lovelace", "ada@company.example", "Corp", "subject-of-ada", "Acme Labs", str(ada.id)):
        assert text in page
    assert f'href="/admin/organizations/{company.id}"' in page
    assert f'href="/admin/workspaces/{workspace.id}/members"' in page
    assert "changed" in page and "The name is Ada Lovelace now." in page


async def test_a_name_that_is_refused_is_shown_again_with_the_reason(stage: Stage) -> None:
    ada = await stage.user("Ada")
    async with stage.panel() as http:
        before = await stage.snapshot()
        for typed in ("<b></b>", "y" * 300, "  "):
            answer = await stage.form(http, f"/admin/users/{ada.id}", {"name": typed})
            assert answer.status_code == 422
            assert "is-invalid" in answer.text and 'role="alert"' in answer.text
            assert "Name must have 1 to 255 characters" in answer.text
        assert (
            f'value="{"y" * 300}"'
            in (await stage.form(http, f"/admin/users/{ada.id}", {"name": "y" * 300})).text
        )
    assert await stage.snapshot() == before


async def test_a_person_is_deactivated_promoted_and_signed_out(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    for _ in range(2):
        await stage.session(ada, workspace)
    here = f"/admin/users/{ada.id}"
    async with stage.panel() as http:
        assert "2 sessions ended; every token" in await after(stage, http, f"{here}/revoke", {})
        await stage.session(ada, workspace)
        off = await after(stage, http, f"{here}/status", {"active": "false"})
        assert "Deactivated; 1 session ended." in off and "Inactive" in off and "Activate …" in off
        assert "Activated, and able" in await after(stage, http, f"{here}/status", {"active": "true"})
        up = await after(stage, http, f"{here}/admin", {"admin": "true"})
        assert "An administrator now" in up and "Demote …" in up
        assert "0 sessions ended" in await after(stage, http, f"{here}/admin", {"admin": "false"})
        assert (await stage.form(http, f"{here}/status", {})).status_code == 422
        gone = await stage.form(http, f"/admin/users/{uuid4()}/revoke")
        assert (await http.get(gone.headers["location"])).status_code == 404


async def test_AD_8_refusals_are_notes_and_ones_own_page_offers_nothing_of_it(stage: Stage) -> None:
    me = await stage.user("Me Myself", is_admin=True)
    here = f"/admin/users/{me.id}"
    async with stage.panel(me) as http:
        page = (await http.get(here)).text
        assert "your own account" in page and "Deactivate …" not in page and "Delete …" not in page
        before = await stage.snapshot()
        for path, fields in (
            ("status", {"active": "false"}),
            ("admin", {"admin": "false"}),
            ("delete", {"confirm": me.email}),
        ):
            text = await after(stage, http, f"{here}/{path}", fields)
            assert "alert-danger" in text and "You cannot deactivate, demote or delete yourself" in text
    assert await stage.snapshot() == before


async def test_a_person_is_deleted_after_typing_the_address(stage: Stage) -> None:
    ada = await stage.user("Ada", email="ada@example.com")
    workspace = await stage.workspace(ada, name="Acme")
    here = f"/admin/users/{ada.id}/delete"
    async with stage.panel() as http:
        before = await stage.snapshot()
        for typed in ("", "ada", "bob@example.com"):
            text = await after(stage, http, here, {"confirm": typed})
            assert "Nothing was deleted: type ada@example.com to confirm." in text
        assert "Acme" in await after(stage, http, here, {"confirm": "ada@example.com"})
        assert await stage.snapshot() == before
        await stage.member(workspace, "owner")
        text = await after(stage, http, here, {"confirm": " ADA@example.com "})
        assert "ada@example.com is deleted; 0 sessions ended." in text
    assert await stage.count(User, User.id == ada.id) == 0


async def test_memberships_are_changed_on_the_page_of_the_person(stage: Stage) -> None:
    ada = await stage.user("Ada")
    owned = await stage.workspace(ada, name="Owned")
    joined = await stage.workspace(name="Joined")
    await stage.join(joined, ada)
    await stage.session(ada, joined)
    here = f"/admin/users/{ada.id}"
    async with stage.panel() as http:
        text = await after(stage, http, f"{here}/workspaces/{joined.id}/role", {"role": "editor"})
        assert "Ada is editor there now." in text
        await stage.session(ada, joined)
        text = await after(stage, http, f"{here}/workspaces/{owned.id}/role", {"role": "viewer"})
        assert "The last owner cannot be removed or demoted" in text
        text = await after(stage, http, f"{here}/workspaces/{owned.id}/remove", {})
        assert "The last owner cannot be removed or demoted" in text
        text = await after(stage, http, f"{here}/workspaces/{joined.id}/remove", {})
        assert "Removed, with all that was given there; 1 session ended." in text
        assert (
            await stage.form(http, f"{here}/workspaces/{owned.id}/role", {"role": "king"})
        ).status_code == 422
    assert {row.workspace_id: row.role for row in await stage.all(Membership)} == {owned.id: "owner"}


async def test_a_person_is_added_to_several_workspaces_and_refusals_are_told_together(stage: Stage) -> None:
    ada = await stage.user("Ada")
    one, two = await stage.workspace(name="One"), await stage.workspace(name="Two")
    closed = await stage.workspace(name="Closed")
    await stage.restrict(closed, await stage.organization())
    await stage.join(two, ada)
    here = f"/admin/users/{ada.id}/workspaces"
    async with stage.panel() as http:
        page = (await http.get(f"{here}/add", params={"search": "t"})).text
        assert "already a member" in page and "One" not in page.partition("<ul")[2].partition("</ul")[0]
        kept = (await http.get(f"{here}/add", params={"search": "t", "workspace_id": str(one.id)})).text
        assert re.search(rf'value="{one.id}" data-pick checked', kept)
        ids = [str(each.id) for each in (one, two, closed)]
        answer = await stage.form(http, here, {"workspace_id": ids, "role": "editor"})
        assert answer.headers["location"] == f"{here}/add"
        text = (await http.get(answer.headers["location"])).text
        assert "1 workspace joined as editor. Not added:" in text
        assert "Two (user is already a member" in text and "Closed (the user" in text
        done = await after(stage, http, here, {"workspace_id": str((await stage.workspace()).id)})
        assert "1 workspace joined as viewer." in done
        many = {"workspace_id": [str(uuid4()) for _ in range(101)]}
        assert (await stage.form(http, here, many)).status_code == 422
    rows = await stage.all(Membership, Membership.workspace_id == one.id)
    assert [(row.user_id, row.role) for row in rows] == [(ada.id, "editor")]


# ── import ──


async def sent(
    stage: Stage, http: httpx.AsyncClient, step: str, content: str | bytes | None
) -> httpx.Response:
    data = content.encode() if isinstance(content, str) else content
    files = {} if data is None else {"files": {"file": ("p.csv", data, "text/csv")}}
    return await stage.form(http, "/admin/users/import", {"step": step}, **files)


async def test_a_file_is_checked_and_then_imported(stage: Stage) -> None:
    workspace = await stage.workspace(slug="acme")
    content = HEADER + "a@x.example,<i>Ada</i>,acme,owner\nb@x.example,Bob,nowhere,\n"
    async with stage.panel() as http:
        before = await stage.snapshot()
        checked = await sent(stage, http, "check", content)
        assert checked.status_code == 200 and await stage.snapshot() == before
        assert "There is no such workspace" in checked.text and "1 row makes an owner" in checked.text
        assert "Import 1 row<" in checked.text and "new account, member" in checked.text
        done = await sent(stage, http, "import", content)
        assert done.status_code == 200
        assert "Row 3 (b@x.example): There is no such workspace" in done.text
        assert re.search(r"Accounts made</dt><dd>1<", done.text)
        assert re.search(r"Memberships added</dt><dd>1<", done.text)
        assert re.search(r"Rows left out</dt><dd>1<", done.text)
        none = await sent(stage, http, "check", content)
        assert "No row can be imported" in none.text and 'value="import"' not in none.text
    assert [row.role for row in await stage.all(Membership, Membership.workspace_id == workspace.id)] == [
        "owner"
    ]
    (row,) = await stage.activities("batch_import")
    assert row.detail == {"users_created": 1, "memberships_added": 1, "errors": 1}


@pytest.mark.parametrize("step", ["check", "import"])
@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (None, 422, "Choose a CSV file"),
        (b"", 422, "Choose a CSV file"),
        (HEADER, 422, "a header and no rows"),
        ("email,name\n", 400, "Missing columns: workspace_slug, role"),
        (b"\xff\xfe\x00", 400, "not UTF-8"),
        (HEADER + "\n" * MAX_BYTES, 413, "larger than 5 MiB"),
    ],
    ids=["none", "empty", "header", "columns", "bytes", "large"],
)
async def test_a_file_that_is_none_is_said_beside_the_form(
    stage: Stage, step: str, content: str | bytes | None, status: int, said: str
) -> None:
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await sent(stage, http, step, content)
    assert answer.status_code == status
    assert said in answer.text and 'id="outcome"' in answer.text and 'name="file"' in answer.text
    assert await stage.snapshot() == before


async def test_of_many_rows_the_first_are_shown_and_all_counted(stage: Stage) -> None:
    await stage.workspace(slug="acme")
    content = HEADER + "".join(f"p{n}@x.example,P,acme,\n" for n in range(1500)) + "x,x,x,x\n" * 300
    async with stage.panel() as http:
        page = (await sent(stage, http, "check", content)).text
        assert "Import 1\u202f500 rows" in page and "the first 100" in page
        assert page.count("<tr>") <= 202 and len(page) < 100_000
        done = (await sent(stage, http, "import", content)).text
    assert done.count("<li>Row ") == 100 and ">300<" in done


# ── organizations ──


async def made(stage: Stage) -> Organization:
    return await stage.organization("acme.example", slug="acme")


async def test_an_organization_is_made_and_refused_with_what_was_typed(stage: Stage) -> None:
    async with stage.panel() as http:
        text = await after(stage, http, "/admin/organizations", {"name": "Acme", "slug": "acme"})
        assert "Organization Acme is there." in text and "Nobody belongs here yet" in text
        before = await stage.snapshot()
        for name, slug, status, said in (
            ("Other", "acme", 409, "already taken"),
            ("Other", "Not a slug", 422, "lower-case letters"),
            ("<b></b>", "other", 422, "Name must have"),
            ("", "", 422, "A name has 1 to 255 characters."),
        ):
            answer = await stage.form(http, "/admin/organizations", {"name": name, "slug": slug})
            assert answer.status_code == status
            assert said in answer.text and f'value="{slug}"' in answer.text
        assert await stage.snapshot() == before
        listed = (await http.get("/admin/organizations")).text
        assert listed.index("Public sign-in on") < listed.index(">Acme<")


async def test_the_kill_switch_says_whom_it_shuts_out_and_what_has_ended(stage: Stage) -> None:
    acme = await made(stage)
    ada = await stage.user(email="ada@acme.example", organization_id=acme.id)
    await stage.user(email="bob@acme.example", organization_id=acme.id)
    await stage.session(ada, await stage.workspace(ada))
    here = f"/admin/organizations/{acme.id}"
    async with stage.panel() as http:
        with stage.statements() as seen:
            page = (await http.get(here)).text
        assert len(seen) == 4
        assert "This shuts out 2 people at once." in page and "Their sessions end" in page
        text = await after(stage, http, f"{here}/enabled", {"enabled": "false"})
        assert "Org is disabled; 1 session ended." in text and "Disabled" in text
        text = await after(stage, http, f"{here}/enabled", {"enabled": "true"})
        assert "its people can sign in again" in text


async def test_the_public_one_has_a_switch_for_sign_in_and_no_domains(stage: Stage) -> None:
    here = f"/admin/organizations/{PUBLIC_ORGANIZATION_ID}"
    async with stage.panel() as http:
        page = (await http.get(here)).text
        assert "Nobody is signed out" in page and "Add a mail domain" not in page and "Delete …" not in page
        assert "Public sign-in is off." in await after(stage, http, f"{here}/enabled", {"enabled": "false"})
        assert "Public sign-in is on." in await after(stage, http, f"{here}/enabled", {"enabled": "true"})
        refused = await after(stage, http, f"{here}/delete", {})
        assert "The public organization cannot be deleted" in refused
    assert len(await stage.activities("org_public_toggle")) == 2


async def test_domains_are_added_refused_with_the_reason_and_removed(stage: Stage) -> None:
    acme = await made(stage)
    here = f"/admin/organizations/{acme.id}"
    async with stage.panel() as http:
        text = await after(
            stage, http, f"{here}/domains", {"domain": "Acme.Test", "include_subdomains": "true"}
        )
        assert "acme.test belongs here now." in text and "and everything below it" in text
        for domain, status, said in (
            ("acme.example", 409, "has claimed acme.example already"),
            ("no domain", 400, "not a mail domain"),
            ("", 422, "Give a mail domain"),
        ):
            answer = await stage.form(
                http, f"{here}/domains", {"domain": domain, "include_subdomains": "true"}
            )
            assert answer.status_code == status
            assert said in answer.text and f'value="{domain}"' in answer.text
            assert 'value="true" checked' in answer.text
        (rule,) = await stage.all(OrganizationDomain, OrganizationDomain.domain == "acme.test")
        text = await after(stage, http, f"{here}/domains/{rule.id}/remove", {})
        assert "The domain is free again." in text and "acme.test" not in text
        text = await after(stage, http, f"{here}/domains/{rule.id}/remove", {})
        assert "Domain not found" in text


async def test_an_organization_is_renamed_and_deleted(stage: Stage) -> None:
    acme = await made(stage)
    here = f"/admin/organizations/{acme.id}"
    workspace = await stage.workspace()
    async with stage.panel() as http:
        assert "The name is New now." in await after(stage, http, here, {"name": "New"})
        answer = await stage.form(http, here, {"name": "<b></b>"})
        assert answer.status_code == 422 and "Name must have" in answer.text
        assert "&lt;b&gt;&lt;/b&gt;" in answer.text
        await stage.restrict(workspace, acme)
        assert "remove it there first" in await after(stage, http, f"{here}/delete", {})
        other = await stage.organization("other.example")
        text = await after(stage, http, f"/admin/organizations/{other.id}/delete", {})
        assert "Organization Org is deleted." in text
        html = {"Accept": "text/html"}
        missing = await http.get(f"/admin/organizations/{other.id}", headers=html)
        assert missing.status_code == 404 and "<html" in missing.text
    assert await stage.count(Organization, Organization.id == acme.id) == 1


async def test_people_of_an_organization_are_paged(stage: Stage) -> None:
    acme = await made(stage)
    for number in range(51):
        await stage.user(email=f"p{number:02}@acme.example", organization_id=acme.id)
    here = f"/admin/organizations/{acme.id}"
    async with stage.panel() as http:
        first = (await http.get(here)).text
        assert "1–50 of 51" in first and f'href="{here}?page=2"' in first and "p50@" not in first
        assert "p50@acme.example" in (await http.get(here, params={"page": 2})).text
