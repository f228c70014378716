"""The panel's search box and its frame: who may look, what is found, what every page carries."""

from uuid import uuid4

import pytest

from sentinel.login.welcome import Welcome
from tests.stage import Stage

pytestmark = pytest.mark.anyio


async def test_search_finds_people_workspaces_applications_and_resources_in_one_statement(
    stage: Stage,
) -> None:
    ada = await stage.user("Ada Lovelace", email="ada@acme.example")
    workspace = await stage.workspace(ada, slug="ada-lab", name="Laboratory")
    service = await stage.service("ada-notes")
    app = await stage.login_app(name="Ada's site")
    realm = await stage.realm("adastra")
    organization = await stage.organization("acme.example", slug="adamant")
    await stage.user("Grace", email="grace@globex.example")
    async with stage.panel() as http:
        with stage.statements() as seen:
            page = (await http.get("/admin/search", params={"q": "ADA"})).text
    assert len(seen) == 2  # the administrator, and everything that was found
    for path in (
        f"/admin/users/{ada.id}",
        f"/admin/workspaces/{workspace.id}",
        f"/admin/service-apps/{service.app.id}",
        f"/admin/client-apps/{app.id}",
        f"/admin/realms/{realm.id}",
        f"/admin/organizations/{organization.id}",
    ):
        assert f'href="{path}"' in page, path
    assert "Grace" not in page


async def test_search_finds_a_resource_by_the_id_that_its_application_gave_it(stage: Stage) -> None:
    owner = await stage.user()
    resource = await stage.resource(await stage.workspace(owner), owner)
    async with stage.panel() as http:
        page = (await http.get("/admin/search", params={"q": str(resource.resource_id)})).text
        nothing = (await http.get("/admin/search", params={"q": str(uuid4())})).text
    assert f'href="/admin/permissions/{resource.id}"' in page
    assert "/admin/permissions/" not in nothing and "Nothing found" in nothing


@pytest.mark.parametrize("text", ["", "a", "%", "__", "%%", "'; --", "\x00\x00", "<script>", "a" * 5000])
async def test_search_takes_whatever_is_typed(stage: Stage, text: str) -> None:
    await stage.user("Ada Lovelace")
    async with stage.panel() as http:
        answer = await http.get("/admin/search", params={"q": text})
    assert answer.status_code == 200
    assert "Ada Lovelace" not in answer.text
    assert "<script>" not in answer.text


async def test_search_box_gets_the_list_alone(stage: Stage) -> None:
    await stage.user("Ada Lovelace")
    async with stage.panel() as http:
        part = await http.get(
            "/admin/search",
            params={"q": "ada"},
            headers={"HX-Request": "true", "HX-Target": "palette-results"},
        )
    assert "Ada Lovelace" in part.text and "<html" not in part.text


@pytest.mark.parametrize("path", ["/admin", "/admin/search?q=ada"])
async def test_AD_11_a_stranger_is_sent_to_the_login_page(stage: Stage, path: str) -> None:
    answer = await stage.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{stage.settings.admin_url}/login?next=")


async def test_AD_10_every_page_has_the_panels_own_policy_and_loads_its_own_files_only(stage: Stage) -> None:
    async with stage.panel() as http:
        answer = await http.get("/admin")
        assets = [part.split('"')[0] for part in answer.text.split('="/admin/static/')[1:]]
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "http" not in policy
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        assert (
            " style=" not in answer.text and "<script>" not in answer.text and " onclick" not in answer.text
        )
        assert "http://" not in answer.text and "https://" not in answer.text
        assert len(assets) > 5
        for name in {asset.partition("#")[0] for asset in assets}:
            file = await http.get(f"/admin/static/{name}")
            assert file.status_code == 200, name
            assert "immutable" in file.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/admin/static/x/panel.css", "/admin/static/%2e%2e/app.py", "/admin/static/x/../session.py"]
)
async def test_files_outside_the_table_are_not_there(stage: Stage, path: str) -> None:
    assert (await stage.client.get(path)).status_code == 404


async def test_a_note_that_we_did_not_sign_is_not_shown(stage: Stage) -> None:
    async with stage.panel() as http:
        http.cookies.set("sentinel_note", "WyJnb29kIiwiWW91IHdvbiJd.aaaa.bbbb")
        page = (await http.get("/admin")).text
    assert "You won" not in page and "alert-success" not in page


async def test_login_page_offers_the_providers_and_says_what_went_wrong(stage: Stage) -> None:
    page = (
        await stage.client.get("/admin/login", params={"error": "not_admin", "next": "/admin/users"})
    ).text
    assert "/auth/admin/login/corp?next=%2Fadmin%2Fusers" in page
    assert "not an administrator" in page
    other = (
        await stage.client.get("/admin/login", params={"error": "<b>x</b>", "next": "//evil.example"})
    ).text
    assert "<b>x" not in other and "evil.example" not in other
    assert "Signing in did not work" in other


async def test_signing_out_ends_the_session(stage: Stage) -> None:
    async with stage.panel() as http:
        token = http.cookies["admin_token"]
        refused = await http.post("/admin/logout")
        assert refused.status_code == 403
        answer = await stage.form(http, "/admin/logout")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/admin/login?signed_out=true"
        http.cookies.set("admin_token", token)
        assert (await http.get("/auth/admin/me")).status_code == 401
    assert [row.action for row in await stage.activities("admin_logout")] == ["admin_logout"]


async def test_AD_12_the_first_administrators_link_greets_once_and_grants_nothing(stage: Stage) -> None:
    boss = await stage.user("Boss", email="boss@example.com", is_admin=True)
    links = Welcome(stage.settings.session_keys, stage.clock)
    token = links.token(boss.id)
    page = await stage.client.get("/admin/login", params={"welcome": token})
    assert "boss@example.com" in page.text and "set-cookie" not in page.headers
    assert (await stage.client.get("/auth/admin/me")).status_code == 401

    stranger = Welcome(["another-key-of-more-than-thirty-two-letters"], stage.clock).token(boss.id)
    plain = await stage.user("Ada", email="ada@example.com")
    for wrong in (stranger, links.token(plain.id), links.token(uuid4()), f"{token}x", "", "."):
        other = await stage.client.get("/admin/login", params={"welcome": wrong})
        assert other.status_code == 200 and "@example.com</strong>" not in other.text

    await stage.link(boss)
    assert "boss@" not in (await stage.client.get("/admin/login", params={"welcome": token})).text


async def test_AD_12_the_first_administrators_link_is_over_after_a_day(stage: Stage) -> None:
    boss = await stage.user("Boss", email="boss@example.com", is_admin=True)
    token = Welcome(stage.settings.session_keys, stage.clock).token(boss.id)
    stage.clock.advance(24 * 3600 + 1)
    assert "boss@" not in (await stage.client.get("/admin/login", params={"welcome": token})).text


@pytest.mark.parametrize("how", [{"Accept": "text/html"}, {"HX-Request": "true", "HX-Target": "list"}])
async def test_errors_of_the_panel_are_pages_that_say_how_to_go_on(stage: Stage, how: dict[str, str]) -> None:
    async with stage.panel() as http:
        missing = await http.get(f"/admin/users/{uuid4()}", headers=how)
        refused = await http.post("/admin/logout", headers=how)
    for answer, status in ((missing, 404), (refused, 403)):
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert "<main>" in answer.text and "System page" in answer.text
        # Whatever part of a page asked by htmx: the whole window shows the error.
        assert answer.headers.get("HX-Retarget") == ("body" if "HX-Request" in how else None)
        assert answer.headers.get("HX-Reselect") == ("main" if "HX-Request" in how else None)


async def test_errors_of_the_json_api_are_json_for_htmx_as_well(stage: Stage) -> None:
    async with stage.panel() as http:
        answer = await http.get(f"/admin/api/users/{uuid4()}", headers={"HX-Request": "true"})
    assert answer.status_code == 404 and answer.json() == {"detail": "User not found"}
