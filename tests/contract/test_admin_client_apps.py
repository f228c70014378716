"""Login apps over the JSON API of the panel (``admin.md`` §7)."""

import json
from uuid import uuid4

import pytest

from sentinel.apps.models import LoginApp
from sentinel.tokens.models import RefreshFamily
from tests.stage import REDIRECT_URI, Stage

pytestmark = pytest.mark.anyio

PATH = "/admin/api/client-apps"
OTHER = "https://wiki.example.com/callback"


async def may_call(stage: Stage, origin: str) -> bool:
    """Whether CORS lets pages of an origin read answers."""
    answer = await stage.client.get("/health", headers={"Origin": origin})
    return bool(answer.headers.get("access-control-allow-origin") == origin)


async def test_admin_7_client_apps_have_the_shape_of_the_contract(stage: Stage) -> None:
    admin = await stage.user("Root", is_admin=True)
    first = await stage.login_app(name="First")
    async with stage.panel(admin) as http:
        made = await http.post(PATH, json={"name": "Notes", "redirect_uris": [REDIRECT_URI, OTHER]})
        app = made.json()
        assert made.status_code == 201
        assert app == {
            "id": app["id"],
            "name": "Notes",
            "redirect_uris": [REDIRECT_URI, OTHER],
            "is_active": True,
            "created_by": str(admin.id),
            "created_at": app["created_at"],
            "updated_at": app["created_at"],
        }
        assert (await http.get(f"{PATH}/{app['id']}")).json() == app
        assert [one["id"] for one in (await http.get(PATH)).json()] == [app["id"], str(first.id)]
    [_, entry] = await stage.activities("client_app_created")
    assert (entry.actor_id, str(entry.target_id), entry.target_type) == (admin.id, app["id"], "client_app")


async def test_admin_7_and_RO_5_malformed_client_apps_are_refused_and_leave_nothing(stage: Stage) -> None:
    async with stage.panel() as http:
        before = await stage.snapshot()
        for body in (
            {"name": "", "redirect_uris": [REDIRECT_URI]},
            {"name": "a" * 256, "redirect_uris": [REDIRECT_URI]},
            {"name": "a\x00", "redirect_uris": [REDIRECT_URI]},
            {"name": "<b></b>", "redirect_uris": [REDIRECT_URI]},
            {"name": "Notes"},
            {"name": "Notes", "redirect_uris": []},
            {"name": "Notes", "redirect_uris": [REDIRECT_URI] * 51},
            {"name": "Notes", "redirect_uris": ["http://notes.example.com/callback"]},
            {"name": "Notes", "redirect_uris": ["https://*.example.com/callback"]},
            {"name": "Notes", "redirect_uris": ["https://notes.example.com/callback?a=b"]},
            {"name": "Notes", "redirect_uris": ["javascript:alert(1)"]},
            {"name": "Notes", "redirect_uris": ["\ud800"]},
        ):
            answer = await http.post(
                PATH, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 422, body
        assert await stage.snapshot() == before


async def test_admin_7_changing_a_client_app_is_one_activity(stage: Stage) -> None:
    app = await stage.login_app()
    async with stage.panel() as http:
        answer = await http.patch(f"{PATH}/{app.id}", json={"name": "Wiki", "redirect_uris": [OTHER]})
        assert answer.status_code == 200
        assert (answer.json()["name"], answer.json()["redirect_uris"]) == ("Wiki", [OTHER])
        refused = await http.patch(f"{PATH}/{app.id}", json={"name": "X", "redirect_uris": ["nowhere"]})
        assert refused.status_code == 422
    [stored] = await stage.all(LoginApp)
    assert stored.name == "Wiki"
    assert len(await stage.activities("client_app_updated")) == 1


async def test_admin_7_a_client_app_that_is_so_already_is_not_changed(stage: Stage) -> None:
    app = await stage.login_app()
    same = {"name": f"<b>{app.name}</b>", "redirect_uris": app.redirect_uris, "is_active": True}
    async with stage.panel() as http:
        before = await stage.snapshot()
        for body in ({}, same):
            answer = await http.patch(f"{PATH}/{app.id}", json=body)
            assert (answer.status_code, answer.json()["name"]) == (200, app.name)
        assert await stage.snapshot() == before


async def test_admin_7_and_DL_9_sessions_end_only_when_asked_for(stage: Stage) -> None:
    """Only switching off with the flag ends them; deleting always does. Rules: DL-9, DL-11."""
    app, other = await stage.login_app(), await stage.login_app(name="Other")
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    for one in (app, app, other):
        await stage.session(ada, workspace, one)

    async def open_sessions() -> int:
        return await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None))

    async with stage.panel() as http:
        for body in (
            {"revoke_sessions": True},
            {"is_active": True, "revoke_sessions": True},
            {"is_active": False},
        ):
            assert (await http.patch(f"{PATH}/{app.id}", json=body)).status_code == 200
            assert await open_sessions() == 3
        off = await http.patch(f"{PATH}/{app.id}", json={"is_active": False, "revoke_sessions": True})
        assert off.json()["is_active"] is False
        assert await open_sessions() == 1
        assert (await http.delete(f"{PATH}/{other.id}")).status_code == 204
        assert await open_sessions() == 0
        assert (await http.get(f"{PATH}/{other.id}")).status_code == 404
    ended = [(row.detail or {})["tokens_revoked"] for row in await stage.activities("client_app_updated")]
    # The first two wishes found everything as it should be, and ended nothing.
    assert sorted(ended) == [0, 2]
    [gone] = await stage.activities("client_app_deleted")
    assert gone.detail == {"app": "Other", "tokens_revoked": 1}


async def test_admin_7_cors_follows_the_client_apps_at_once(stage: Stage) -> None:
    origin, other = "https://notes.example.com", "https://wiki.example.com"
    async with stage.panel() as http:
        app = (await http.post(PATH, json={"name": "Notes", "redirect_uris": [REDIRECT_URI]})).json()
        assert await may_call(stage, origin)
        await http.patch(f"{PATH}/{app['id']}", json={"redirect_uris": [OTHER]})
        assert await may_call(stage, other)
        assert not await may_call(stage, origin)
        await http.patch(f"{PATH}/{app['id']}", json={"is_active": False})
        assert not await may_call(stage, other)
        await http.patch(f"{PATH}/{app['id']}", json={"is_active": True})
        assert await may_call(stage, other)
        await http.delete(f"{PATH}/{app['id']}")
        assert not await may_call(stage, other)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", "/{id}"), ("PATCH", "/{id}"), ("DELETE", "/{id}")],
)
async def test_AD_5_and_AD_6_client_apps_are_for_administrators_alone(
    stage: Stage, method: str, path: str
) -> None:
    app = await stage.login_app()
    url = PATH + path.format(id=app.id)
    body = {"name": "Notes", "redirect_uris": [REDIRECT_URI]} if method in ("POST", "PATCH") else None
    before = await stage.snapshot()
    assert (await stage.client.request(method, url, json=body)).status_code == 401
    async with stage.panel() as http:
        if path:
            missing = await http.request(method, PATH + path.format(id=uuid4()), json=body)
            assert missing.status_code == 404
        if method != "GET":
            http.headers.pop("X-Requested-With")
            assert (await http.request(method, url, json=body)).status_code == 403
    assert await stage.snapshot("users") == {name: rows for name, rows in before.items() if name != "users"}
