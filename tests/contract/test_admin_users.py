"""People over the panel's JSON API (``admin.md`` §4)."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from sentinel.workspaces.models import Membership
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

API = "/admin/api/users"


def stamp(value: Any) -> str:
    return str(value.isoformat().replace("+00:00", "Z"))


async def fresh(stage: Stage, user: User) -> User:
    (found,) = await stage.all(User, User.id == user.id)
    assert isinstance(found, User)
    return found


async def told(stage: Stage) -> list[tuple[str, UUID]]:
    rows = await stage.activities()
    return [(row.action, row.target_id) for row in rows if row.action != "client_app_created"]


def every_call(user_id: UUID) -> list[tuple[str, str, Any]]:
    """Every endpoint once, with a body that would be taken."""
    one = f"{API}/{user_id}"
    return [
        ("GET", API, None),
        ("GET", one, None),
        ("PATCH", one, {"name": "New"}),
        ("POST", f"{API}/bulk-status", {"user_ids": [str(user_id)], "is_active": False}),
        ("POST", f"{one}/workspaces", {"workspace_id": str(uuid4())}),
        ("POST", f"{one}/revoke-tokens", None),
        ("DELETE", one, None),
    ]


async def test_AD_5_nothing_is_said_or_done_without_a_session(stage: Stage) -> None:
    user = await stage.user()
    before = await stage.snapshot()
    token = await stage.access_token(user, await stage.workspace(user))
    before = await stage.snapshot()
    for method, path, body in every_call(user.id):
        answer = await stage.client.request(method, path, json=body)
        assert answer.status_code == 401, path
        # Neither does an application's token open the panel, in the header or in the cookie.
        assert (await stage.client.request(method, path, json=body, headers=bearer(token))).status_code == 401
        cookie = {"Cookie": f"admin_token={token}", "X-Requested-With": "XMLHttpRequest"}
        assert (await stage.client.request(method, path, json=body, headers=cookie)).status_code == 401
    assert await stage.snapshot() == before


async def test_AD_6_changes_need_the_header_and_no_foreign_origin(stage: Stage) -> None:
    user = await stage.user()
    async with stage.panel() as http:
        before = await stage.snapshot()
        for method, path, body in every_call(user.id):
            foreign = {"Origin": "https://evil.example"}
            assert (await http.request(method, path, json=body, headers=foreign)).status_code == 403
            if method != "GET":
                bare = {"X-Requested-With": ""}
                assert (await http.request(method, path, json=body, headers=bare)).status_code == 403
    assert await stage.snapshot() == before


async def test_an_unknown_id_is_404_and_a_malformed_one_422(stage: Stage) -> None:
    workspace = await stage.workspace()
    async with stage.panel() as http:
        before = await stage.snapshot()
        for method, path, body in every_call(uuid4()):
            if "/bulk-status" in path or path == API:
                continue
            if path.endswith("/workspaces"):
                wish = {"workspace_id": str(workspace.id)}
                assert (await http.post(path, json=wish)).status_code == 400
            else:
                assert (await http.request(method, path, json=body)).status_code == 404, path
        for path in (f"{API}/x", f"{API}/{'0' * 40}"):
            assert (await http.get(path)).status_code == 422
    assert await stage.snapshot() == before


# ── list ──


async def test_search_lists_people_newest_first_with_counts(stage: Stage) -> None:
    ada = await stage.user("Ada 100%", email="ada@example.com")
    await stage.workspace(ada)
    await stage.workspace(ada)
    bob = await stage.user("Bob", email="bob_x@example.com", is_active=False)
    async with stage.panel() as http:
        with stage.statements() as seen:
            everybody = (await http.get(API)).json()
        assert len(seen) == 2
        assert everybody["total"] == 3 and (everybody["page"], everybody["page_size"]) == (1, 20)
        assert [item["name"] for item in everybody["items"]] == ["Ingrid Admin", "Bob", "Ada 100%"]
        assert everybody["items"][2] == {
            "id": str(ada.id),
            "email": "ada@example.com",
            "name": "Ada 100%",
            "avatar_url": None,
            "is_active": True,
            "is_admin": False,
            "created_at": stamp(ada.created_at),
            "workspace_count": 2,
        }
        assert everybody["items"][1]["is_active"] is False and everybody["items"][0]["is_admin"] is True

        async def ids(**query: Any) -> list[str]:
            return [item["id"] for item in (await http.get(API, params=query)).json()["items"]]

        assert await ids(search="BOB_X@") == [str(bob.id)]
        assert await ids(search="0%") == [str(ada.id)]
        assert await ids(search="_", page_size=100) == [str(bob.id)]
        assert await ids(page=2, page_size=2) == [str(ada.id)]
        assert await ids(page=10**12) == []
        for wrong in (
            {"page": 0},
            {"page_size": 0},
            {"page_size": 101},
            {"page": "x"},
            {"search": "x" * 256},
            {"search": "\x00"},
        ):
            assert (await http.get(API, params=wrong)).status_code == 422, wrong


# ── one person ──


async def test_detail_shows_accounts_memberships_and_organization(stage: Stage) -> None:
    ada = await stage.user("Ada", email="ada@example.com")
    account = await stage.link(ada, subject="s-1")
    workspace = await stage.workspace(slug="acme", name="Acme")
    membership = await stage.join(workspace, ada, "editor")
    async with stage.panel() as http:
        with stage.statements() as seen:
            answer = await http.get(f"{API}/{ada.id}")
    assert len(seen) == 2
    assert answer.json() == {
        "id": str(ada.id),
        "email": "ada@example.com",
        "name": "Ada",
        "avatar_url": None,
        "is_active": True,
        "is_admin": False,
        "created_at": stamp(ada.created_at),
        "updated_at": stamp(ada.updated_at),
        "social_accounts": [{"id": str(account.id), "provider": "corp", "provider_user_id": "s-1"}],
        "memberships": [
            {
                "workspace_id": str(workspace.id),
                "workspace_name": "Acme",
                "workspace_slug": "acme",
                "role": "editor",
                "joined_at": stamp(membership.joined_at),
            }
        ],
        "organization": {"id": str(PUBLIC_ORGANIZATION_ID), "name": "Public", "slug": "public"},
    }


async def test_a_change_acts_and_is_told_once_for_each_field(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    async with stage.panel() as http:
        one = f"{API}/{ada.id}"
        answer = await http.patch(one, json={"name": " <b>Ada</b> L. ", "is_active": False, "is_admin": True})
        assert answer.status_code == 200
        assert [answer.json()[key] for key in ("name", "is_active", "is_admin")] == ["Ada L.", False, True]
        assert answer.json()["memberships"][0]["workspace_id"] == str(workspace.id)
        changes = ["user_updated", "user_deactivated", "user_promoted_admin"]
        assert await told(stage) == [(action, ada.id) for action in changes]
        # A deactivated person is out on the next request.
        assert (await stage.client.get("/users/me", headers=headers)).status_code == 401
        # Only real changes act; other fields do nothing at all.
        quiet = {"name": "Ada L.", "is_active": False, "is_admin": True}
        for body in (quiet, {}, {"email": "x@example.com", "token_epoch": 9, "organization_id": None}):
            before = await stage.snapshot()
            assert (await http.patch(one, json=body)).status_code == 200
            assert await stage.snapshot() == before
        await http.patch(one, json={"is_active": True, "is_admin": False})
    assert [action for action, _ in await told(stage)][3:] == ["user_activated", "user_demoted_admin"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "<b></b>"},
        {"name": "x" * 256},
        {"name": 5},
        {"is_active": "maybe"},
        {"is_admin": []},
        {"name": "a\x00b"},
    ],
)
async def test_a_malformed_change_is_422_and_changes_nothing(stage: Stage, body: dict[str, Any]) -> None:
    ada = await stage.user("Ada")
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await http.patch(f"{API}/{ada.id}", json=body | {"is_active": body.get("is_active", False)})
    assert answer.status_code == 422
    assert await stage.snapshot() == before


async def test_AD_8_the_last_administrator_and_oneself_are_kept(stage: Stage) -> None:
    me = await stage.user("Me", is_admin=True)
    other = await stage.user("Other", is_admin=True)
    async with stage.panel(me) as http:
        before = await stage.snapshot()
        for body in ({"is_active": False}, {"is_admin": False}, {"name": "X", "is_admin": False}):
            assert (await http.patch(f"{API}/{me.id}", json=body)).status_code == 409
        bulk = {"user_ids": [str(other.id), str(me.id)], "is_active": False}
        assert (await http.post(f"{API}/bulk-status", json=bulk)).status_code == 409
        assert (await http.delete(f"{API}/{me.id}")).status_code == 409
        assert await stage.snapshot() == before
        assert (await http.patch(f"{API}/{other.id}", json={"is_admin": False})).status_code == 200
    assert (await fresh(stage, other)).is_admin is False


# ── many at once ──


async def test_bulk_status_changes_whom_it_finds(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    cleo = await stage.user("Cleo", is_active=False)
    workspace = await stage.workspace(ada)
    await stage.session(ada, workspace)
    async with stage.panel() as http:
        me = UUID((await http.get("/auth/admin/me")).json()["id"])
        ids = [str(ada.id), str(ada.id), str(bob.id), str(cleo.id), str(uuid4())]
        answer = await http.post(f"{API}/bulk-status", json={"user_ids": ids, "is_active": False})
        assert answer.json() == {"status": "ok", "affected": 2}
        again = await http.post(f"{API}/bulk-status", json={"user_ids": ids, "is_active": False})
        assert again.json() == {"status": "ok", "affected": 0}
        rows = [row for row in await stage.activities() if row.action != "client_app_created"]
        changed = {(row.action, row.target_id) for row in rows[:2]}
        assert changed == {("user_deactivated", ada.id), ("user_deactivated", bob.id)}
        assert [row.action for row in rows[2:]] == ["bulk_status_change", "bulk_status_change"]
        assert all(row.actor_id == me for row in rows)
        back = await http.post(f"{API}/bulk-status", json={"user_ids": ids, "is_active": True})
        assert back.json()["affected"] == 3
        many = {"user_ids": [str(uuid4())] * 500, "is_active": False}
        assert (await http.post(f"{API}/bulk-status", json=many)).json()["affected"] == 0
        wrongs: list[dict[str, Any]] = [
            {"user_ids": [str(uuid4())] * 501, "is_active": False},
            {"user_ids": ["x"], "is_active": False},
            {"user_ids": []},
            {"is_active": False},
        ]
        for body in wrongs:
            assert (await http.post(f"{API}/bulk-status", json=body)).status_code == 422


# ── workspaces ──


async def test_adding_to_a_workspace(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(slug="acme")
    closed = await stage.workspace()
    await stage.restrict(closed, await stage.organization())
    async with stage.panel() as http:
        one = f"{API}/{ada.id}/workspaces"
        added = await http.post(one, json={"workspace_id": str(workspace.id)})
        assert (added.status_code, added.json()) == (201, {"status": "ok"})
        (membership,) = await stage.all(Membership, Membership.user_id == ada.id)
        assert membership.role == "viewer"
        (row,) = await stage.activities()
        assert (row.action, row.target_id, row.workspace_id) == ("member_invited", ada.id, workspace.id)
        before = await stage.snapshot()
        for body, status in (
            ({"workspace_id": str(workspace.id), "role": "owner"}, 409),
            ({"workspace_id": str(uuid4())}, 404),
            ({"workspace_id": str(closed.id)}, 400),
            ({"workspace_id": str(closed.id), "role": "king"}, 422),
            ({}, 422),
        ):
            assert (await http.post(one, json=body)).status_code == status, body
        assert await stage.snapshot() == before
        other = await stage.workspace()
        wish = {"workspace_id": str(other.id), "role": "owner"}
        assert (await http.post(one, json=wish)).status_code == 201


# ── tokens, deleting ──


async def test_DL_4_revoking_tokens_ends_every_session(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    pair = await stage.session(ada, workspace)
    await stage.session(ada, workspace)
    async with stage.panel() as http:
        answer = await http.post(f"{API}/{ada.id}/revoke-tokens")
        assert answer.json() == {"status": "ok", "tokens_revoked": 2}
        again = await http.post(f"{API}/{ada.id}/revoke-tokens")
        assert again.json() == {"status": "ok", "tokens_revoked": 0}
    assert await told(stage) == [("tokens_revoked", ada.id)] * 2
    answer = await stage.client.get("/users/me", headers=bearer(pair.access.token))
    assert answer.status_code == 401


async def test_deleting_a_person(stage: Stage) -> None:
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada, name="Acme")
    async with stage.panel() as http:
        one = f"{API}/{ada.id}"
        before = await stage.snapshot()
        refused = await http.delete(one)
        assert refused.status_code == 409 and "Acme" in refused.json()["detail"]
        assert await stage.snapshot() == before
        await stage.member(workspace, "owner")
        gone = await http.delete(one)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await http.get(one)).status_code == 404
        assert (await http.delete(one)).status_code == 404
    assert await told(stage) == [("user_deleted", ada.id)]


@pytest.mark.parametrize(
    "call", range(1, 7), ids=["patch", "bulk", "workspace", "revoke", "delete", "demote"]
)
async def test_a_change_whose_activity_cannot_be_written_does_not_happen(stage: Stage, call: int) -> None:
    ada = await stage.user("Ada", is_admin=True)
    workspace = await stage.workspace()
    calls = every_call(ada.id)[2:]
    calls[2] = (*calls[2][:2], {"workspace_id": str(workspace.id)})
    calls.append(("PATCH", f"{API}/{ada.id}", {"is_admin": False}))
    method, path, body = calls[call - 1]
    async with stage.panel() as http:
        before = await stage.snapshot()
        await stage.forbid_inserts("activity_logs")
        with stage.events() as events:
            assert (await http.request(method, path, json=body)).status_code >= 400
    assert await stage.snapshot() == before
    assert not [event for event in events if event["event"] == "audit.activity"]


# ── limits ──


async def asked(http: httpx.AsyncClient, call: tuple[str, str, Any], times: int) -> list[int]:
    return [(await http.request(call[0], call[1], json=call[2])).status_code for _ in range(times)]


async def test_sensitive_and_admin_write_are_counted_by_administrator(
    anyio_backend: Any, database_url: str, stage_keys: Keys
) -> None:
    async with (
        open_stage(database_url, stage_keys, rate_limit_enabled=True) as stage,
        stage.panel() as http,
    ):
        nobody = uuid4()
        bulk = ("POST", f"{API}/bulk-status", {"user_ids": [], "is_active": True})
        assert await asked(http, bulk, 4) == [200] * 4
        # Deleting counts in the same limit, a page's form as well.
        assert await asked(http, ("DELETE", f"{API}/{nobody}", None), 2) == [404, 429]
        page = await stage.form(http, "/admin/users/status", {"active": "true"})
        assert page.status_code == 429
        writes = stage.settings.rate_limit_admin_write.count
        revoke = ("POST", f"{API}/{nobody}/revoke-tokens", None)
        assert await asked(http, revoke, writes + 1) == [404] * writes + [429]
        assert (await stage.form(http, f"/admin/users/{nobody}/revoke")).status_code == 429
        assert (await http.get(API)).status_code == 200
