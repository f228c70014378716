"""The pages of login apps, services and realms (``admin.md`` §2): forms, refusals with what was typed, keys."""

import ast
import html
import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.permissions.models import Resource
from sentinel.roles.models import ServiceAction
from sentinel.tokens.models import RefreshFamily
from tests.contract.service_actions import registered
from tests.contract.test_admin_client_apps import may_call
from tests.contract.test_admin_service_apps import works
from tests.stage import REDIRECT_URI, Stage

pytestmark = pytest.mark.anyio

ORIGIN = "https://notes.example.com"
WISH = {"name": "Team notes", "service_name": "notes", "allowed_origins": f"{ORIGIN}\r\n\r\n"}
KEY = re.compile(r"sk_[A-Za-z0-9_-]{43}")


async def text(http: httpx.AsyncClient, path: str, status: int = 200) -> str:
    """What a page says, as people read it."""
    answer = await http.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


async def noted(stage: Stage, http: httpx.AsyncClient, path: str, fields: Any = None) -> str:
    """Send a form and read the page that it leads to."""
    answer = await stage.form(http, path, fields)
    assert answer.status_code == 303, answer.text
    page = await http.get(answer.headers["location"])
    assert page.status_code == 200, page.text
    return html.unescape(page.text)


def note(page: str) -> str:
    """The note of the last action."""
    found = re.search(r'<div class="alert alert-(?:success|danger)" role.*?</svg>\s*(.*?)</div>', page, re.S)
    assert found, page
    return found.group(1).strip()


# ── services ──


async def test_T2_the_page_that_answers_the_form_shows_the_key_and_no_other_does(stage: Stage) -> None:
    """Rules: T2, SK-2."""
    async with stage.panel() as http:
        with stage.events() as lines:
            made = await stage.form(http, "/admin/service-apps", WISH)
            [app] = await stage.all(ServiceApp)
            here = f"/admin/service-apps/{app.id}"
            rotate = {"replaces": app.key_prefix, "overlap_minutes": "60"}
            rotated = await stage.form(http, f"{here}/rotate-key", rotate)
            later = [
                await text(http, path)
                for path in ("/admin/service-apps", here, f"{here}/edit", f"{here}/rotate-key")
            ]
            again = await noted(stage, http, f"{here}/rotate-key", rotate)
        cookies = str(http.cookies)
    keys = []
    for answer, status in ((made, 201), (rotated, 200)):
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store"
        # htmx puts this address into the bar, so that a reload shows the service and no key.
        assert answer.headers["hx-push-url"] == here
        [key] = set(KEY.findall(answer.text))
        keys.append(key)
        assert answer.text.count(key) == 4  # large, and in three blocks to copy
        assert key not in str(answer.headers)
        assert "cannot be shown again" in answer.text
        page = html.unescape(answer.text)
        assert f"SENTINEL_SERVICE_KEY={key}\n" in page
        assert f"X-Service-Key: {key}" in page
        assert f'service_key="{key}"' in page
        assert f'base_url="{stage.settings.base_url}"' in page
    assert await works(stage, keys[0])
    assert await works(stage, keys[1])
    assert "until <strong>" in rotated.text
    assert "rotated already" in note(again)
    for key in keys:
        assert all(key not in page for page in [*later, again, str(lines), cookies])
    assert len(await stage.activities("service_app_key_rotated")) == 1


async def test_a_python_snippet_is_python_and_keeps_to_the_mode_of_the_service(stage: Stage) -> None:
    for number, audiences in enumerate(("", "one", 'one\nt"wo')):
        async with stage.panel() as http:
            wish = {"name": "N", "service_name": f"notes-{number}", "allowed_idp_audiences": audiences}
            page = (await stage.form(http, "/admin/service-apps", wish)).text
        block = re.search(r'<pre[^>]* id="python"[^>]*>(.*?)</pre>', page, re.S)
        assert block
        tree = ast.parse(html.unescape(block.group(1)))
        [call] = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Sentinel"
        ]
        values = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        expected: dict[str, Any] = {"idp_audience": audiences.split("\n")}
        if audiences in ("", "one"):
            expected = {"idp_audience": "one"} if audiences else {"mode": "proxy"}
        assert expected.items() <= values.items()


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"name": ""}, 422, "A name has 1 to 255 characters."),
        ({"service_name": "Notes!"}, 422, "Use 2 to 255 lower-case letters"),
        ({"service_name": "suite"}, 400, "is the slug of a realm"),
        ({"service_name": "taken"}, 409, "exists already"),
        ({"allowed_origins": "https://a.example/path"}, 422, "Origin 1 must not have"),
        ({"allowed_origins": "https://taken.example"}, 409, "is registered on the active service"),
    ],
)
async def test_a_refused_service_is_shown_again_with_what_was_typed(
    stage: Stage, change: dict[str, str], status: int, reason: str
) -> None:
    await stage.realm("suite")
    await stage.service("taken", allowed_origins=["https://taken.example"])
    typed = WISH | {"name": "<Team> notes", "allowed_idp_audiences": "a\nb"} | change
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await stage.form(http, "/admin/service-apps", typed)
        assert await stage.snapshot() == before
    assert answer.status_code == status
    page = html.unescape(answer.text)
    [field] = change
    shown = re.search(rf'id="f-{field}".*?<div class="invalid-feedback"[^>]*>(.*?)</div>', page, re.S)
    assert shown
    assert reason in shown.group(1)
    for value in typed.values():
        assert value.strip() in page
    assert "<Team>" not in answer.text
    assert not KEY.search(page)


async def test_a_service_is_changed_switched_and_deleted(stage: Stage) -> None:
    notes = await stage.service("notes", allowed_origins=[ORIGIN])
    await stage.resource(await stage.workspace(), None)
    await registered(stage, "notes:read", "notes:write")
    here = f"/admin/service-apps/{notes.app.id}"
    async with stage.panel() as http:
        page = await noted(
            stage, http, here, {"name": "N", "allowed_origins": "https://new.example", "x": "y"}
        )
        assert "https://new.example" in page
        assert await may_call(stage, "https://new.example")
        off = await noted(stage, http, f"{here}/active", {"is_active": "false"})
        assert "its key is refused from now on" in note(off)
        assert not await works(stage, notes.key)
        assert "is active" in note(await noted(stage, http, f"{here}/active", {"is_active": "true"}))
        assert await works(stage, notes.key)
        warning = await text(http, f"{here}/edit")
        assert "1 resource and 2 actions" in warning
        kept = await noted(stage, http, f"{here}/delete", {"confirm": "note"})
        assert "Nothing was deleted" in note(kept)
        gone = await noted(stage, http, f"{here}/delete", {"confirm": "notes"})
        assert "Purged with it: 1 resource and 2 actions." in note(gone)
        await text(http, here, 404)
    assert not await works(stage, notes.key)
    assert await stage.count(Resource) == await stage.count(ServiceAction) == 0


async def test_services_are_found_by_name_service_name_and_realm(stage: Stage) -> None:
    realm = await stage.realm("suite")
    await stage.service("notes", realm=realm)
    await stage.service("wiki")
    async with stage.panel() as http:
        for search, found in (
            ("", ["notes", "wiki"]),
            ("NOTE", ["notes"]),
            ("suite", ["notes"]),
            ("%", []),
            ("\x00", []),
        ):
            page = (await http.get("/admin/service-apps", params={"search": search})).text
            assert [name for name in ("notes", "wiki") if f'mono">{name}</small>' in page] == found, search


# ── login apps ──


async def test_a_login_app_is_registered_and_shows_its_client_id(stage: Stage) -> None:
    async with stage.panel() as http:
        typed = {"name": "Notes", "redirect_uris": f" {REDIRECT_URI} \r\n\r\n{REDIRECT_URI}2"}
        page = await noted(stage, http, "/admin/client-apps", typed)
        [app] = await stage.all(LoginApp)
        assert app.redirect_uris == [REDIRECT_URI, f"{REDIRECT_URI}2"]
        assert f'id="client-id">{app.id}<' in page
        assert f"{stage.settings.base_url}/auth/login/corp?client_id={app.id}&" in page
        assert f'clientId: "{app.id}"' in page
        assert await may_call(stage, ORIGIN)
        assert f">{app.id}<" in await text(http, "/admin/client-apps")
        found = (await http.get("/admin/client-apps", params={"search": str(app.id)})).text
        assert "Notes" in found
        refused = await stage.form(
            http, "/admin/client-apps", {"name": "W", "redirect_uris": "https://w.example/?a"}
        )
        assert refused.status_code == 422
        assert "Redirect URI 1 must not have a query" in html.unescape(refused.text)
        assert "https://w.example/?a</textarea>" in refused.text


async def test_DL_9_disabling_a_login_app_ends_its_sessions_on_request(stage: Stage) -> None:
    app = await stage.login_app()
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    for _ in range(2):
        await stage.session(ada, workspace, app)
    here = f"/admin/client-apps/{app.id}"
    async with stage.panel() as http:
        assert "2 sessions open" in await text(http, here)
        off = await noted(stage, http, f"{here}/active", {"is_active": "false"})
        assert "Sessions go on." in note(off)
        assert await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 2
        on = await noted(stage, http, f"{here}/active", {"is_active": "true"})
        assert "can sign in to Notes again" in note(on)
        both = {"is_active": "false", "revoke_sessions": "true"}
        assert "2 sessions ended." in note(await noted(stage, http, f"{here}/active", both))
        assert "0 sessions open" in await text(http, here)
        saved = await noted(stage, http, here, {"name": "Wiki", "redirect_uris": REDIRECT_URI})
        assert "Wiki" in saved
        refused = await stage.form(http, here, {"name": "", "redirect_uris": ""})
        assert refused.status_code == 422
        gone = await noted(stage, http, f"{here}/delete")
        assert "Wiki is deleted; 0 sessions ended." in note(gone)
    assert await stage.count(LoginApp) == 0


# ── realms ──


async def test_a_realm_is_made_and_gets_its_services(stage: Stage) -> None:
    notes = await stage.service("notes")
    workspace = await stage.workspace()
    await stage.resource(workspace, None)
    await registered(stage, "notes:read")
    async with stage.panel() as http:
        wish = {"name": "Office", "slug": "office", "m2m_ttl_s": "60"}
        await noted(stage, http, "/admin/realms", wish)
        [realm] = await stage.all(Realm)
        assert realm.m2m_ttl_s == 60
        here = f"/admin/realms/{realm.id}"
        joined = await noted(stage, http, f"{here}/members", {"app_id": str(notes.app.id)})
        assert "out of sight" in note(joined)
        assert f"{here}/members/{notes.app.id}/rekey" in joined
        offered = await text(http, f"{here}/members/{notes.app.id}/rekey")
        assert "1 resource and 1 action" in offered
        moved = await noted(stage, http, f"{here}/members/{notes.app.id}/rekey")
        assert "Moved to the realm: 1 resource and 1 action." in note(moved)
        assert {row.service_name for row in await stage.all(Resource)} == {"office"}
        await stage.resource(workspace, None)
        [own] = await stage.all(Resource, Resource.service_name == "notes")
        double = await stage.resource(workspace, None, service_name="office")
        await stage.execute(
            sa.update(Resource).where(Resource.id == double.id).values(resource_id=own.resource_id)
        )
        collision = await noted(stage, http, f"{here}/members/{notes.app.id}/rekey")
        assert "exist under 'office' already" in note(collision)
        out = await noted(stage, http, f"{here}/members/{notes.app.id}/remove")
        assert "acts under its own name" in note(out)
        await text(http, f"{here}/members/{notes.app.id}/rekey", 404)


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"name": ""}, 422, "A name has 1 to 255 characters."),
        ({"slug": "X"}, 422, "Use 2 to 255 lower-case letters"),
        ({"slug": "notes"}, 400, "is the name of a service"),
        ({"m2m_ttl_s": "29"}, 422, "Give 30 to 3600 seconds."),
        ({"m2m_ttl_s": "soon"}, 422, "Give 30 to 3600 seconds."),
    ],
)
async def test_a_refused_realm_is_shown_again_with_what_was_typed(
    stage: Stage, change: dict[str, str], status: int, reason: str
) -> None:
    await stage.service("notes")
    typed = {"name": "Office", "slug": "office", "m2m_ttl_s": "60"} | change
    async with stage.panel() as http:
        answer = await stage.form(http, "/admin/realms", typed)
    assert answer.status_code == status
    assert reason in html.unescape(answer.text)
    for value in typed.values():
        assert f'value="{value}"' in answer.text
    assert await stage.count(Realm) == 0


@pytest.mark.parametrize("purge", [True, False])
async def test_SB_3_a_realm_is_deleted_by_its_name_with_what_it_leaves_or_without(
    stage: Stage, purge: bool
) -> None:
    realm = await stage.realm("suite")
    await stage.service("notes", realm=realm)
    await stage.resource(await stage.workspace(), None, service_name="suite")
    await registered(stage, "suite:read")
    here = f"/admin/realms/{realm.id}"
    async with stage.panel() as http:
        off = await noted(stage, http, f"{here}/active", {"is_active": "false"})
        assert "no new m2m tokens" in note(off)
        saved = await noted(stage, http, here, {"name": "Suite 2", "m2m_ttl_s": "600"})
        assert "600 seconds" in saved
        asked = await text(http, f"{here}/edit")
        assert "1 resource and 1 action" in asked
        assert "there is 1" in asked
        kept = await noted(stage, http, f"{here}/delete", {"confirm": "suite"})
        assert "type Suite 2 to confirm" in note(kept)
        fields = {"confirm": "Suite 2"} | ({"purge": "true"} if purge else {})
        gone = await noted(stage, http, f"{here}/delete", fields)
        assert ("Purged: 1 resource and 1 action." in note(gone)) is purge
    assert await stage.count(Realm) == 0
    assert await stage.count(Resource) == await stage.count(ServiceAction) == (0 if purge else 1)
    assert len(await stage.activities("permissions_purged")) == int(purge)


# ── all of them ──


async def test_pages_of_applications_cost_at_most_six_statements(stage: Stage) -> None:
    realm = await stage.realm("suite")
    services = [await stage.service(f"s-{number}", realm=realm) for number in range(5)]
    await stage.service("alone")
    app = await stage.login_app()
    service = f"/admin/service-apps/{services[0].app.id}"
    async with stage.panel() as http:
        for path in (
            "/admin/service-apps",
            "/admin/service-apps/new",
            service,
            f"{service}/edit",
            f"{service}/rotate-key",
            "/admin/client-apps",
            f"/admin/client-apps/{app.id}",
            f"/admin/client-apps/{app.id}/edit",
            "/admin/realms",
            f"/admin/realms/{realm.id}",
            f"/admin/realms/{realm.id}/edit",
            f"/admin/realms/{realm.id}/members/{services[0].app.id}/rekey",
        ):
            with stage.statements() as seen:
                answer = await http.get(path)
            assert answer.status_code == 200, path
            assert len(seen) <= 6, (path, seen.texts)
            assert " style=" not in answer.text and "<script>" not in answer.text


async def test_AD_13_forms_of_applications_need_the_token_of_the_session(stage: Stage) -> None:
    service, app, realm = await stage.service(), await stage.login_app(), await stage.realm()
    paths = [
        "/admin/service-apps",
        *(
            f"/admin/service-apps/{service.app.id}{part}"
            for part in ("", "/active", "/rotate-key", "/delete")
        ),
        "/admin/client-apps",
        *(f"/admin/client-apps/{app.id}{part}" for part in ("", "/active", "/delete")),
        "/admin/realms",
        *(f"/admin/realms/{realm.id}{part}" for part in ("", "/active", "/delete", "/members")),
        *(f"/admin/realms/{realm.id}/members/{service.app.id}{part}" for part in ("/remove", "/rekey")),
    ]
    async with stage.panel() as http:
        before = await stage.snapshot()
        for path in paths:
            body = WISH | {"is_active": "false", "confirm": "notes", "replaces": service.app.key_prefix}
            assert (await http.post(path, data=body | {"app_id": str(service.app.id)})).status_code == 403
            assert (await stage.client.post(path, data=body)).status_code == 303
        assert await stage.snapshot() == before
