"""The session of the panel: AL3, AL4, and what every request of the ADMIN tier has to show (``admin.md`` §1)."""

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import Depends
from pydantic import SecretStr

from sentinel.admin.return_path import panel_url, return_path_of, safe_return_path
from sentinel.admin.session import Admin, AdminPage, csrf_token, limit_admin, limit_admin_page
from sentinel.api.route_index import RouteIndex
from sentinel.api.state import CurrentState
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.tokens.claims import IssuedToken
from sentinel.tokens.keyring import FileKeyring, generate_pair
from sentinel.tokens.models import RevokedToken
from tests.stage import BASE_URL, Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

PANEL = f"{BASE_URL}/admin"
AJAX = {"X-Requested-With": "XMLHttpRequest"}
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
EXPIRED = {"detail": "Invalid or expired session"}


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"admin_token={token}"}


def claims_in(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def issue(stage: Stage, user: User) -> IssuedToken:
    """A session as the sign-in opens it."""
    issued: IssuedToken = stage.state.issuer.admin(
        user_id=user.id, email=user.email, name=user.name, epoch=user.token_epoch
    )
    return issued


async def me(stage: Stage, token: str) -> httpx.Response:
    async with stage.browser() as http:
        return await http.get("/auth/admin/me", headers=cookie(token))


async def boss(stage: Stage) -> User:
    """An administrator, who is not the only one."""
    await stage.user(is_admin=True)
    return await stage.user(email="boss@example.com", is_admin=True)


@pytest.fixture
async def panel(stage: Stage) -> Stage:
    """A stage with a page and an endpoint of the panel that do nothing, in front of the real routes."""
    add_routes(stage)
    return stage


def add_routes(stage: Stage) -> None:
    api = stage.app.api

    async def page(state: CurrentState, caller: AdminPage) -> dict[str, str]:
        return {"name": caller.name, "csrf": csrf_token(caller, state)}

    async def endpoint(caller: Admin) -> dict[str, str]:
        return {"name": caller.name}

    methods = ["GET", *CHANGES]
    for path, function, limited in (
        ("/admin/users", page, None),
        ("/admin/api/users", endpoint, None),
        ("/admin/sensitive", page, limit_admin_page("sensitive")),
        ("/admin/api/sensitive", endpoint, limit_admin("sensitive")),
    ):
        dependencies = [Depends(limited)] if limited else []
        api.add_api_route(path, function, methods=methods, dependencies=dependencies)
        api.router.routes.insert(0, api.router.routes.pop())
    api.router.middleware_stack = RouteIndex(api.router)


# ── AL3 ──


async def test_AL3_says_who_is_signed_in(stage: Stage) -> None:
    user = await boss(stage)
    token = issue(stage, user).token
    await stage.execute(sa.update(User).where(User.id == user.id).values(name="New Name"))
    with stage.statements() as seen:
        answer = await me(stage, token)
    assert answer.json() == {"id": str(user.id), "email": "boss@example.com", "name": "New Name"}
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-csrf-token"]) == 43
    assert len(seen) == 1


# ── AL4 ──


async def test_AL4_and_DL_3_ends_this_session_and_no_other(stage: Stage) -> None:
    user = await boss(stage)
    one, other = issue(stage, user), issue(stage, user)
    with stage.events() as lines, stage.statements() as seen:
        async with stage.browser() as http:
            answer = await http.post("/auth/admin/logout", headers=cookie(one.token) | AJAX)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert answer.headers["clear-site-data"] == '"cookies", "storage"'
    gone = answer.headers["set-cookie"].lower()
    assert gone.startswith("admin_token=") and "max-age=0" in gone
    assert all(part in gone for part in ("path=/", "httponly", "samesite=strict"))
    assert "domain" not in gone
    assert len(seen) <= 3
    (denied,) = await stage.all(RevokedToken)
    assert (denied.jti, denied.expires_at) == (one.jti, one.expires_at)
    (row,) = await stage.activities()
    assert (row.action, row.actor_id, row.target_type, row.target_id) == (
        *("admin_logout", user.id),
        *("user", user.id),
    )
    assert "auth.token.revoked" in {line["event"] for line in lines}
    assert (await me(stage, one.token)).status_code == 401
    assert (await me(stage, other.token)).status_code == 200
    async with stage.browser() as http:
        again = await http.post("/auth/admin/logout", headers=cookie(one.token) | AJAX)
    assert again.status_code == 401
    assert "clear-site-data" not in again.headers


async def test_AL4_many_times_at_once_ends_it_once(stage: Stage) -> None:
    user = await boss(stage)
    headers = cookie(issue(stage, user).token) | AJAX

    async def log_out() -> httpx.Response:
        answer = await stage.client.post("/auth/admin/logout", headers=headers)
        return answer if answer.status_code != 503 else await log_out()

    answers = await asyncio.gather(*(log_out() for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert await stage.count(RevokedToken) == 1
    assert (await stage.client.get("/auth/admin/me", headers=headers)).status_code == 401


# ── AD-4 ──


@pytest.mark.parametrize("secure", [True, False])
async def test_AD_4_and_T3_the_cookie(database_url: str, stage_keys: Keys, secure: bool) -> None:
    settings: dict[str, Any] = {"cookie_secure": secure, "admin_token_expire_minutes": 30}
    async with open_stage(database_url, stage_keys, **settings) as stage:
        await stage.user(email="boss@example.com", is_admin=True)
        person = stage.person("boss@example.com")
        started = await stage.client.get("/auth/admin/login/corp")
        flow = started.headers["set-cookie"].partition(";")[0]
        url = await stage.at_provider(started, person)
        answer = await stage.client.get(url, headers={"Cookie": flow})
    cookies = answer.headers.get_list("set-cookie")
    (line,) = [one for one in cookies if one.startswith("admin_token=")]
    parts = {part.strip().lower() for part in line.split(";")[1:]}
    assert parts == {"httponly", "samesite=strict", "path=/", "max-age=1800", *(["secure"] if secure else [])}
    assert all(("secure" in one.lower()) == secure for one in cookies)
    claims = claims_in(line.partition(";")[0].partition("=")[2])
    assert claims["exp"] - claims["iat"] == 1800


# ── AD-5 ──


async def test_AD_5_and_VR_13_a_token_of_another_kind_is_no_session(stage: Stage) -> None:
    """Rules: VR-2, VR-4."""
    user = await boss(stage)
    workspace = await stage.workspace(user)
    issuer = stage.state.issuer
    good = claims_in(issue(stage, user).token)
    pair = await stage.session(user, workspace)
    others = {
        "access": await stage.access_token(user, workspace),
        "authz": await stage.authz_token(user, workspace, "notes"),
        "refresh": pair.refresh.token,
        "m2m": issuer.m2m(realm_slug="s", caller="s", target=None, lifetime=timedelta(minutes=5)).token,
    }
    for kind, token in others.items():
        assert (await me(stage, token)).status_code == 401, kind
        # Not even with the flag, or with one half of what makes the other kind.
        forged = claims_in(token) | {"admin": True}
        for extra in ({}, {"aud": "sentinel:admin"}, {"type": "admin_access"}):
            assert (await me(stage, stage.state.keyring.sign(forged | extra))).status_code == 401, kind
    for change in (
        {"aud": "sentinel:access"},
        {"aud": ["sentinel:admin"]},
        {"aud": None},
        {"type": "access"},
        {"iss": "https://evil.example"},
        {"iss": f"{BASE_URL}/"},
        {"sub": str(uuid4())},
        {"sub": "x"},
        {"jti": None},
        {"ep": None},
        {"ep": "0"},
        {"exp": None},
    ):
        answer = await me(stage, stage.state.keyring.sign(good | change))
        assert answer.status_code == 401, change
        assert set(answer.json()) == {"detail"}
    assert (await me(stage, stage.state.keyring.sign(good))).status_code == 200


@pytest.mark.parametrize("flag", [False, None, 1, "true"])
async def test_AD_5_without_the_flag_in_the_token_it_is_403(stage: Stage, flag: object) -> None:
    user = await boss(stage)
    claims = claims_in(issue(stage, user).token) | {"admin": flag}
    assert (await me(stage, stage.state.keyring.sign(claims))).status_code == 403
    del claims["admin"]
    assert (await me(stage, stage.state.keyring.sign(claims))).status_code == 403


async def test_AD_5_and_L05_garbage_is_401(stage: Stage, tmp_path: Any) -> None:
    """Rules: L06, VR-6."""
    user = await boss(stage)
    token = issue(stage, user).token
    header, payload, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    generate_pair(tmp_path / "a.pem", tmp_path / "b.pem", bits=2048)
    foreign = FileKeyring(tmp_path / "a.pem", tmp_path / "b.pem", [], clock=stage.clock)
    bad = [
        "",
        "x",
        "a.b.c",
        f"{header}.{payload}.",
        f"{none}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f'"{token}"',
        token + "x" * 8192,
        "\u00e9\u00ff",
        "%00",
        foreign.sign(claims_in(token)),
    ]
    for text in bad:
        async with stage.browser() as http:
            line = [(b"cookie", b"admin_token=" + text.encode("latin-1"))]
            answer = await http.get("/auth/admin/me", headers=line)
        assert answer.status_code == 401, text
    for header_line in ("", "admin_token", f"Admin_Token={token}", f"xadmin_token={token}"):
        async with stage.browser() as http:
            answer = await http.get("/auth/admin/me", headers={"Cookie": header_line})
        assert (answer.status_code, answer.json()) == (401, EXPIRED)
    bearer = await stage.client.get("/auth/admin/me", headers={"Authorization": f"Bearer {token}"})
    assert bearer.status_code == 401


async def test_AD_5_two_cookies_are_none(stage: Stage) -> None:
    """Another host of the same domain can plant one beside ours; which of them is meant cannot be told."""
    user = await boss(stage)
    token = issue(stage, user).token
    planted = issue(stage, await stage.user(is_admin=True)).token
    for line in (f"admin_token={token}; admin_token={planted}", f"admin_token={planted};admin_token={token}"):
        async with stage.browser() as http:
            answer = await http.get("/auth/admin/me", headers={"Cookie": line})
        assert (answer.status_code, answer.json()) == (401, EXPIRED)


@pytest.mark.parametrize(
    "cause", ["expired", "denylisted", "deactivated", "demoted", "deleted", "revoked", "row", "flag"]
)
async def test_AD_5_and_L17_the_row_is_read_again_in_every_request(stage: Stage, cause: str) -> None:
    """Rules: VR-7, VR-8, VR-9, DL-5, DL-7."""
    user = await boss(stage)
    issued = issue(stage, user)
    assert (await me(stage, issued.token)).status_code == 200
    by_id, now = User.id == user.id, stage.clock.now()
    async with stage.state.database.transaction() as session:
        match cause:
            case "expired":
                stage.clock.advance(60 * 60)
            case "denylisted":
                session.add(RevokedToken(jti=issued.jti, expires_at=issued.expires_at))
            case "deactivated":
                await users.set_active(session, user.id, False, actor_id=None, now=now)
            case "demoted":
                await users.set_admin(session, user.id, False, actor_id=None, now=now)
            case "deleted":
                await session.execute(sa.delete(User).where(by_id))
            case "revoked":
                await users.revoke(session, user.id, actor_id=None, now=now)
            case "row":
                await session.execute(sa.update(User).where(by_id).values(is_active=False))
            case "flag":
                await session.execute(sa.update(User).where(by_id).values(is_admin=False))
    with stage.events() as lines:
        answer = await me(stage, issued.token)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("Invalid or expired")
    (seen,) = [line for line in lines if line["event"] == "auth.guard.rejected"]
    assert seen["guard"] == "admin"
    async with stage.browser() as http:
        change = await http.post("/auth/admin/logout", headers=cookie(issued.token) | AJAX)
    assert change.status_code == 401


async def test_AD_5_and_VR_14_without_the_database_nobody_is_let_in(stage: Stage) -> None:
    user = await boss(stage)
    token = issue(stage, user).token
    async with stage.without_database():
        assert (await me(stage, token)).status_code == 503


# ── AD-6 ──


async def test_AD_6_a_change_needs_the_header(panel: Stage) -> None:
    user = await boss(panel)
    headers = cookie(issue(panel, user).token)
    assert (await panel.client.get("/admin/api/users", headers=headers)).status_code == 200
    for method in CHANGES:
        for extra, status in (({}, 403), ({"X-Requested-With": ""}, 403), (AJAX, 200)):
            with panel.statements() as seen:
                answer = await panel.client.request(method, "/admin/api/users", headers=headers | extra)
            assert answer.status_code == status, (method, extra)
            assert bool(seen.texts) == (status == 200), "refused before anything is looked up"
    refused = await panel.client.post("/auth/admin/logout", headers=headers)
    assert refused.status_code == 403
    assert await panel.count(RevokedToken) == 0


FOREIGN = [
    "null",
    "",
    "https://evil.example",
    "http://localhost",
    "https://localhost:9003",
    "http://localhost:9003/",
    "http://localhost:9003.evil.example",
    "http://LOCALHOST:9003",
    "http://user@localhost:9003",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_AD_6_another_sites_origin_is_refused_on_both_faces(panel: Stage, origin: str) -> None:
    user = await boss(panel)
    issued = issue(panel, user)
    headers = cookie(issued.token) | AJAX | {"Origin": origin}
    token = (await me(panel, issued.token)).headers["x-csrf-token"]
    for method in ("GET", *CHANGES):
        api = await panel.client.request(method, "/admin/api/users", headers=headers)
        page = await panel.client.request(method, "/admin/users", headers=headers | {"X-CSRF-Token": token})
        assert (api.status_code, page.status_code) == (403, 403), method


@pytest.mark.parametrize(
    "stage_settings", [{"admin_url": "https://Panel.example.com:443/admin", "cors_origins": ()}]
)
async def test_AD_6_the_origins_of_the_panel_and_of_the_service_are_ours(panel: Stage) -> None:
    headers = cookie(issue(panel, await boss(panel)).token) | AJAX
    for origin in (BASE_URL, "https://panel.example.com"):
        answer = await panel.client.post("/admin/api/users", headers=headers | {"Origin": origin})
        assert answer.status_code == 200, origin


async def test_AD_6_the_origin_of_an_app_reads_nothing(panel: Stage) -> None:
    """CORS lets it read answers with cookies, and Strict cookies go along within one site: a test of our own rule."""
    await panel.service("notes", allowed_origins=["http://localhost:5000"])
    headers = cookie(issue(panel, await boss(panel)).token) | {"Origin": "http://localhost:5000"}
    for path in ("/auth/admin/me", "/admin/api/users", "/admin/users"):
        answer = await panel.client.get(path, headers=headers)
        assert answer.status_code == 403, path
        assert "x-csrf-token" not in answer.headers


# ── AD-13 ──


async def test_AD_13_a_form_carries_the_token_of_its_session(panel: Stage) -> None:
    user = await boss(panel)
    mine, other = issue(panel, user), issue(panel, user)
    good = (await me(panel, mine.token)).headers["x-csrf-token"]
    foreign = (await me(panel, other.token)).headers["x-csrf-token"]
    headers = cookie(mine.token)
    page = await panel.client.get("/admin/users", headers=headers)
    assert page.json()["csrf"] == good != foreign
    assert good not in mine.token
    for method in CHANGES:
        for shown in ({}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": good[:-1]}, AJAX):
            answer = await panel.client.request(method, "/admin/users", headers=headers | shown)
            assert answer.status_code == 403, (method, shown)
        answer = await panel.client.request(method, "/admin/users", headers=headers | {"X-CSRF-Token": good})
        assert answer.status_code == 200
    for form, status in (
        ({"csrf_token": good}, 200),
        ({"csrf_token": foreign}, 403),
        ({"csrf_token": [good, good]}, 403),
        ({"csrf_token": ""}, 403),
        ({"csrf_token": "\u00e9"}, 403),
        ({"other": good}, 403),
    ):
        assert (await panel.client.post("/admin/users", headers=headers, data=form)).status_code == status
        # With a file beside it, too.
        files = {"file": ("a.csv", b"x")}
        sent = await panel.client.post("/admin/users", headers=headers, data=form, files=files)
        assert sent.status_code == status
    both = headers | {"X-CSRF-Token": foreign}
    assert (
        await panel.client.post("/admin/users", headers=both, data={"csrf_token": good})
    ).status_code == 403
    twice = [*headers.items(), ("X-CSRF-Token", good), ("X-CSRF-Token", good)]
    assert (await panel.client.post("/admin/users", headers=twice)).status_code == 403
    query = await panel.client.post("/admin/users", headers=headers, params={"csrf_token": good})
    assert query.status_code == 403
    as_json = await panel.client.post("/admin/users", headers=headers, json={"csrf_token": good})
    assert as_json.status_code == 403


async def test_AD_13_a_new_session_key_leaves_open_forms_alone(database_url: str, stage_keys: Keys) -> None:
    keys = ["k" * 40, "n" * 40]
    user = token = shown = None
    for current, previous, status in ((keys[0], (), 200), (keys[1], (keys[0],), 200), (keys[1], (), 403)):
        settings: dict[str, Any] = {
            "session_secret_key": SecretStr(current),
            "session_secret_key_previous": tuple(SecretStr(key) for key in previous),
        }
        async with open_stage(database_url, stage_keys, **settings) as stage:
            add_routes(stage)
            if user is None:
                user = await boss(stage)
                token = issue(stage, user).token
                shown = (await me(stage, token)).headers["x-csrf-token"]
            assert token and shown
            answer = await stage.client.post("/admin/users", headers=cookie(token) | {"X-CSRF-Token": shown})
            assert answer.status_code == status


# ── AD-11 ──


async def test_AD_11_without_a_session_a_page_leads_to_the_login_page(panel: Stage) -> None:
    """Rules: L02."""
    for path, shown in (
        ("/admin/users", "/admin/users"),
        ("/admin/users?search=a%40b&page=2", "/admin/users?search=a%40b&page=2"),
    ):
        answer = await panel.client.get(path, headers={"X-Forwarded-Host": "evil.example"})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{PANEL}/login?next={quote(shown, safe='')}"
    bad = await panel.client.get("/admin/users?x=//evil.example")
    assert bad.headers["location"] == f"{PANEL}/login"
    for method in CHANGES:
        answer = await panel.client.request(method, "/admin/users")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PANEL}/login")
    for method in ("GET", *CHANGES):
        answer = await panel.client.request(method, "/admin/api/users", headers=AJAX)
        assert (answer.status_code, answer.json()) == (401, EXPIRED)


async def test_AD_11_htmx_is_told_by_a_header(panel: Stage) -> None:
    for current, where in (
        (f"{PANEL}/activity?page=2", f"{PANEL}/login?next=%2Fadmin%2Factivity%3Fpage%3D2"),
        ("https://evil.example/admin/activity", f"{PANEL}/login"),
        ("http://[", f"{PANEL}/login"),
        (None, f"{PANEL}/login"),
    ):
        for method in ("GET", *CHANGES):
            headers = {"HX-Request": "true"} | ({"HX-Current-URL": current} if current else {})
            answer = await panel.client.request(method, "/admin/users", headers=headers)
            assert (answer.status_code, answer.headers["hx-redirect"]) == (401, where)
            assert answer.content == b""


async def test_AD_11_the_way_back_from_the_provider_keeps_the_strict_cookie(panel: Stage) -> None:
    """A browser keeps it back on a way that began elsewhere: the page is loaded once more, from here, and once only."""
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = await panel.client.get("/admin/users?page=2", headers=elsewhere)
    assert answer.status_code == 200
    assert f'content="0;url={PANEL}/users?page=2"' in answer.text
    assert "script" not in answer.text
    hostile = await panel.client.get("/admin/users?x=//evil.example", headers=elsewhere)
    assert f'content="0;url={PANEL}/"' in hostile.text
    quoted = await panel.client.get("/admin/users?a='&b=1", headers=elsewhere)
    assert f'content="0;url={PANEL}/users?a=&#x27;&amp;b=1"' in quoted.text
    for site in ("same-origin", "same-site", "none"):
        answer = await panel.client.get("/admin/users", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 303
    bad = await panel.client.get("/admin/users", headers=elsewhere | cookie("x"))
    assert bad.status_code == 303, "a cookie that came along and is worth nothing"
    assert (await panel.client.post("/admin/users", headers=elsewhere)).status_code == 303


GOOD_PATHS = [
    "/admin",
    "/admin/",
    "/admin?x=1",
    "/admin/users/0b8c",
    "/admin/service-apps",
    "/admin/activity?from=2026-01-01T00:00:00%2B00:00&action=user_login",
    "/admin/loginish",
]
BAD_PATHS = [
    *("", "admin", "/", "/adminx", "/auth/admin/me", "/admin-evil/x", "/ADMIN/users"),
    *("//evil.example", "//admin/x", "/admin//evil.example", "/admin/?u=//evil.example"),
    *("/\\evil.example", "/admin\\..\\x", "\\/evil", "/admin/%5cevil", "/admin/%2f%2fevil"),
    *("https://evil.example/admin", "javascript:alert(1)", "http:/admin", "/admin:80"),
    *("/admin/../x", "/admin/./x", "/admin/..", "/admin/x/../../y", "/admin/%2e%2e/x"),
    *("/admin/x#y", "/admin/x y", "/admin/x\r\nSet-Cookie: a=b", "/admin/x\x00", "/admin/x\n", "\t/admin"),
    *("/admin@evil.example", "/admin/;x", "/admin/é", "/admin/x?y=é", "/admin/<b>", '/admin/x?"'),
    *("/admin/login", "/admin/login?next=/admin", "/admin/logout", "/admin/api/users", "/admin/static/x.js"),
    "/admin/" + "x" * 512,
]


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_AD_11_a_page_of_the_panel_is_a_way_back(path: str) -> None:
    assert safe_return_path(path) == path
    assert panel_url("https://x.example/auth-admin", path).startswith("https://x.example/auth-admin/")


@pytest.mark.parametrize("path", BAD_PATHS)
def test_AD_11_and_L13_anything_else_is_none(path: str) -> None:
    assert safe_return_path(path) is None


def test_AD_11_the_panel_may_be_published_under_another_path() -> None:
    home = "https://x.example/auth-admin"
    assert panel_url(home, None) == f"{home}/"
    assert panel_url(home, "/admin/users?x=1") == f"{home}/users?x=1"
    assert return_path_of(home, f"{home}/users?x=1") == "/admin/users?x=1"
    for url in (
        "https://x.example/admin/users",
        "http://x.example/auth-admin/users",
        f"{home}x/users",
        "https://x.example.evil/auth-admin/users",
        f"{home}/../users",
    ):
        assert return_path_of(home, url) is None, url


# ── limits ──


class TestLimits:
    @pytest.fixture
    def stage_settings(self) -> Mapping[str, Any]:
        return {"rate_limit_enabled": True, "rate_limit_default": None, "rate_limit_aggregate": None}

    async def test_L32_both_faces_count_for_the_administrator(self, panel: Stage) -> None:
        user, other = await boss(panel), await panel.user(is_admin=True)
        headers = cookie(issue(panel, user).token)
        paths = ["/admin/sensitive", "/admin/api/sensitive"] * 3
        answers = [await panel.client.get(path, headers=headers) for path in paths]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        renewed = cookie(issue(panel, user).token)
        assert (await panel.client.get("/admin/sensitive", headers=renewed)).status_code == 429
        else_ = cookie(issue(panel, other).token)
        assert (await panel.client.get("/admin/sensitive", headers=else_)).status_code == 200

    async def test_AD_5_guessed_cookies_count_as_failed_authentication(self, panel: Stage) -> None:
        user = await boss(panel)
        good = issue(panel, user).token
        forged = f"{good[:-8]}AAAAAAAA"
        codes = [(await me(panel, forged)).status_code for _ in range(31)]
        assert codes == [401] * 30 + [429]
        assert (await me(panel, good)).status_code == 429
