"""What refusals look like: ``http-api.md`` §0.1 and §0.2, and input that is made to break a parser (L29)."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sentinel.api.pages import browser_error
from sentinel.identity.models import User
from tests.stage import Pkce, Stage

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-that-nobody-may-see-again"
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
JSON = {"Content-Type": "application/json"}
HOSTILE = "\"'><script>alert(1)</script>&lt;{{7*7}}"
BODIES = ("/auth/workspaces", "/auth/token", "/auth/refresh", "/workspaces", "/permissions/register")
"""Routes that read a body, with and without a tier."""


def require_detail(answer: httpx.Response, status: int, detail: str | None = None) -> None:
    """The one shape of all errors but 422."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"detail"}
    assert isinstance(answer.json()["detail"], str)
    assert detail is None or answer.json()["detail"] == detail


def require_problems(answer: httpx.Response) -> list[Any]:
    """The shape of 422: where, what and which kind, and nothing of what was sent."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"detail"}
    problems: list[Any] = answer.json()["detail"]
    assert problems
    for problem in problems:
        assert problem.keys() == {"loc", "msg", "type"}
        assert isinstance(problem["loc"], list)
        assert isinstance(problem["msg"], str)
        assert isinstance(problem["type"], str)
    return problems


async def caller(stage: Stage) -> dict[str, str]:
    """Headers that every tier accepts: a service key and an access token."""
    user = await stage.user()
    workspace = await stage.workspace(user)
    return await stage.as_user(user, workspace) | (await stage.service("notes")).headers


# ── paths and methods ──


async def test_unknown_paths_are_404(stage: Stage) -> None:
    for path in (
        "/",
        "/nowhere",
        "/auth",
        "/auth/login",
        "/auth/callback",
        "/auth/login/corp/more",
        "/Auth/providers",
        "/auth/nowhere",
        "/users",
        "/users/you",
        f"/workspaces/{uuid4()}/nowhere",
        "/robots.txt",
        "/.env",
        f"/{'x' * 3000}",
    ):
        for verb in ("GET", "POST", "DELETE", "OPTIONS"):
            require_detail(await stage.client.request(verb, path), 404, "Not Found")


async def test_wrong_methods_are_405(stage: Stage) -> None:
    for verb, path, allowed in (
        ("POST", "/health", "GET"),
        ("POST", "/auth/providers", "GET"),
        ("POST", "/auth/login/corp", "GET"),
        ("POST", "/auth/callback/corp", "GET"),
        ("GET", "/auth/workspaces", "POST"),
        ("GET", "/auth/token", "POST"),
        ("PUT", "/auth/refresh", "POST"),
        ("GET", "/auth/logout", "POST"),
        ("PUT", "/authz/resolve", "POST"),
        ("GET", "/permissions/check", "POST"),
    ):
        answer = await stage.client.request(verb, path)
        require_detail(answer, 405, "Method Not Allowed")
        assert allowed in answer.headers["allow"]


async def test_no_path_has_a_trailing_slash_and_nothing_redirects(stage: Stage) -> None:
    headers = await caller(stage)
    for path in (
        "/health/",
        "/health/ready/",
        "/.well-known/jwks.json/",
        "/auth/providers/",
        "/auth/login/corp/",
        "/auth/callback/corp/",
        "/auth/workspaces/",
        "/auth/token/",
        "/auth/refresh/",
        "/auth/logout/",
        "/users/me/",
        "/workspaces/",
        "/permissions/check/",
        "/permissions/register/",
    ):
        for verb in ("GET", "POST"):
            require_detail(await stage.client.request(verb, path, headers=headers), 404, "Not Found")


async def test_L31_other_forms_of_a_path_are_404(stage: Stage) -> None:
    for path in (
        "//auth/providers",
        "/auth//providers",
        "/auth/%2e%2e/auth/providers",
        "/auth%2fproviders",
        "/auth/providers;x=1",
        "/auth/providers%00",
        "/auth/providers%0a",
        "/auth/login/%00",
        "/auth/login/corp%2f",
        "/auth/login/%ff",
        "/auth/login/%ed%a0%80",
        "/auth/login/%",
    ):
        request = stage.client.build_request("GET", "/x")
        # Past the client's own tidying of URLs.
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = await stage.client.send(request)
        assert answer.status_code == 404, path
        assert "location" not in answer.headers


async def test_ids_in_paths_that_are_none_are_422(stage: Stage) -> None:
    headers = await caller(stage)
    for path in ("/workspaces/no-uuid", f"/workspaces/{uuid4()}x", f"/workspaces/{SECRET}/members"):
        (problem, *_) = require_problems(await stage.client.get(path, headers=headers))
        assert problem["loc"] == ["path", "workspace_id"]
        assert SECRET not in repr(problem)


# ── pages ──


async def test_pages_for_browsers_and_json_for_programs(stage: Stage) -> None:
    """§0.2: on the two browser routes a person sees a page, everybody else gets JSON everywhere."""
    for path in ("/auth/login/corp?state=" + "s" * 513, "/auth/login/corp/more", "/auth/callback/corp/more"):
        page = await stage.client.get(path, headers=HTML)
        plain = await stage.client.get(path)
        assert page.status_code == plain.status_code >= 400
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert plain.headers["content-type"] == "application/json"
        assert f"Error {page.status_code}" in page.text
    wrong = await stage.client.post("/auth/login/corp", headers=HTML)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.headers["content-type"].startswith("text/html")
    for path in ("/auth/nowhere", "/users/me", "/auth/login", "/nowhere"):
        answer = await stage.client.get(path, headers=HTML)
        assert answer.headers["content-type"] == "application/json", path
    for path in ("/auth/token", "/auth/refresh"):
        require_problems(await stage.client.post(path, json={}, headers=HTML))


async def test_pages_escape_and_repeat_nothing(stage: Stage) -> None:
    app = await stage.login_app()
    query = {
        "client_id": str(app.id),
        "redirect_uri": app.redirect_uris[0],
        "code_challenge": Pkce().challenge,
    }
    for path, parameters in (
        ("/auth/login/corp", query | {"redirect_uri": HOSTILE}),
        ("/auth/login/corp", query | {"code_challenge_method": HOSTILE}),
        ("/auth/login/corp", query | {"code_challenge": HOSTILE}),
        ("/auth/login/corp", query | {"client_id": HOSTILE}),
        ("/auth/login/corp", query | {"state": HOSTILE * 20}),
        ("/auth/login/corp", {HOSTILE: HOSTILE}),
        ("/auth/login/" + HOSTILE.replace("/", ""), query),
        ("/auth/callback/corp", {"state": HOSTILE, "code": HOSTILE}),
        ("/auth/callback/corp", {"error": HOSTILE, "error_description": HOSTILE}),
        ("/auth/callback/" + HOSTILE.replace("/", ""), {"code": "x"}),
    ):
        agent = {"User-Agent": HOSTILE, "X-Request-ID": HOSTILE, "Referer": HOSTILE}
        answer = await stage.client.get(path, params=parameters, headers=HTML | agent)
        assert answer.status_code in (400, 404, 422), path
        for piece in ("<script", "alert(1)", "{{7*7}}", "49", "\"'>"):
            assert piece not in answer.text, (path, piece)
        assert "script" not in repr(answer.headers)
        policy = answer.headers["content-security-policy"]
        if answer.headers["content-type"].startswith("text/html"):
            assert "default-src 'none'" in policy
            assert "form-action 'none'" in policy
            assert "script-src" not in policy


def test_whatever_a_page_inserts_is_escaped() -> None:
    """§0.2: no refusal inserts foreign text today; should one ever do so, it is text."""
    page = bytes(browser_error(400, HOSTILE, HOSTILE).body).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;{{7*7}}") == 3


# ── bodies ──


async def test_L29_bodies_that_are_no_json_are_4xx(stage: Stage) -> None:
    headers = await caller(stage)
    deep = 100_000
    bodies = (
        b"",
        b"{",
        b'{"code":',
        b'{"code": "%s"' % SECRET.encode(),
        b"{'code': 'x'}",
        b"[]",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[" * deep + b"]" * deep,
        b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"code":' + b"[" * deep + b"]" * deep + b"}",
        b"1" * 5000,
        b'{"code": ' + b"9" * 5000 + b"}",
        b'{"code": 1e999999999}',
        b'{"code": NaN, "code_verifier": Infinity}',
        b"\xff\xfe{}",
        b'{"code": "\xff"}',
        b'{"code": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"code": "x"}',
        b'{"code": "x"}\x00',
        b'{"code": "a\nb"}',
        json.dumps({"code": "x"}).encode("utf-32"),
        b"code=x&code_verifier=y",
        b"<code>x</code>",
        b"\x1f\x8b\x08\x00compressed",
    )
    before = await stage.snapshot()
    for path in BODIES:
        for body in bodies:
            answer = await stage.client.post(path, content=body, headers=headers | JSON)
            assert answer.status_code in (400, 422), (path, body[:40], answer.status_code)
            if answer.status_code == 400:
                require_detail(answer, 400)
            else:
                require_problems(answer)
            assert SECRET not in answer.text
            assert len(answer.content) < 5000
    assert await stage.snapshot() == before


async def test_L29_text_that_no_database_holds_is_422(stage: Stage) -> None:
    headers = await caller(stage)
    user = await stage.user()
    verifier = "v" * 43
    before = await stage.snapshot()
    for bad in ("\x00", "a\x00b", "\ud800", "\udfff\ud800", "x\udc00"):
        check = {"service_name": "notes", "resource_type": bad, "resource_id": str(user.id), "action": "view"}
        cases: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("POST", "/auth/workspaces", {"code": bad, "code_verifier": verifier}),
            ("POST", "/auth/workspaces", {"code": "c", "code_verifier": bad + verifier}),
            ("POST", "/auth/token", {"code": "c", "code_verifier": verifier, "workspace_id": bad}),
            ("POST", "/auth/refresh", {"refresh_token": bad}),
            ("POST", "/workspaces", {"name": bad, "slug": "notes"}),
            ("POST", "/workspaces", {"name": "Notes", "slug": f"no{bad}tes"}),
            ("POST", "/workspaces", {"name": "Notes", "slug": "notes", "description": bad}),
            ("PATCH", "/users/me", {"name": bad}),
            ("POST", "/permissions/check", {"checks": [check]}),
        )
        for verb, path, body in cases:
            # As escapes, which is the one way that lone surrogates travel.
            answer = await stage.client.request(verb, path, content=json.dumps(body), headers=headers | JSON)
            require_problems(answer)
    assert await stage.snapshot() == before


async def test_wrong_types_and_content_types_are_422(stage: Stage) -> None:
    headers = await caller(stage)
    good = {"code": "c", "code_verifier": "v" * 43, "workspace_id": str(uuid4())}
    before = await stage.snapshot()
    for name, right in good.items():
        for value in (None, 7, 1.5, True, [], {}, [right], {"$ne": 1}, 2**70, -1):
            (problem, *_) = require_problems(
                await stage.client.post("/auth/token", json=good | {name: value})
            )
            assert problem["loc"] == ["body", name]
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "json",
        "*/*",
        ";;;",
        "",
    ):
        answer = await stage.client.post(
            "/auth/token", content=json.dumps(good).encode(), headers=headers | {"Content-Type": kind}
        )
        require_problems(answer)
        assert good["workspace_id"] not in answer.text
    assert await stage.snapshot() == before
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        answer = await stage.client.post(
            "/auth/token", content=json.dumps(good).encode(), headers={"Content-Type": kind}
        )
        require_detail(answer, 400, "Invalid or expired code")


async def test_json_is_utf_8_and_nothing_else(stage: Stage) -> None:
    """§0.1 rule 2, on the ordinary way and on the short one."""
    headers = await caller(stage) | JSON
    name = {"name": "Łukasz ☃"}
    item = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(uuid4()),
        "action": "view",
    }
    asked = (("PATCH", "/users/me", name), ("POST", "/permissions/check", {"checks": [item]}))
    for method, path, body in asked:
        text = json.dumps(body, ensure_ascii=False)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):
            content = text.encode(encoding)
            answer = await stage.client.request(method, path, content=content, headers=headers)
            require_detail(answer, 400, "The body must be JSON in UTF-8")
        odd = headers | {"Content-Type": "application/vnd.api+JSON; charset=utf-16"}
        for kind in (headers, odd):
            answer = await stage.client.request(method, path, content=text.encode(), headers=kind)
            assert answer.status_code == 200, answer.text
    assert [user.name for user in await stage.all(User)] == [name["name"]]


async def test_422_never_repeats_what_was_sent(stage: Stage) -> None:
    headers = await caller(stage)
    verifier = "v" * 43
    for path, body in (
        ("/auth/token", {"code": [SECRET], "code_verifier": SECRET, "workspace_id": SECRET}),
        ("/auth/token", {"code": SECRET * 99, "code_verifier": SECRET * 9, "workspace_id": SECRET}),
        ("/auth/token", {"code": SECRET, "code_verifier": verifier, "workspace_id": SECRET}),
        ("/auth/workspaces", {SECRET: SECRET}),
        ("/auth/refresh", {"refresh_token": SECRET * 999}),
        ("/auth/refresh", {"refresh_token": {SECRET: SECRET}}),
        ("/auth/refresh", [SECRET]),
        ("/auth/refresh", SECRET),
        ("/workspaces", {"name": SECRET * 99, "slug": SECRET.upper()}),
        ("/permissions/register", {"service_name": SECRET.upper(), "visibility": SECRET, "owner_id": SECRET}),
        ("/permissions/check", {"checks": [{SECRET: SECRET, "action": SECRET}]}),
    ):
        with stage.events() as lines:
            answer = await stage.client.post(path, json=body, headers=headers)
        require_problems(answer)
        assert SECRET[:8] not in answer.text.lower()
        assert SECRET[:8] not in repr(lines).lower()
    for path in (f"/auth/login/corp?client_id={SECRET}", f"/auth/login/corp?code_challenge={SECRET}"):
        answer = await stage.client.get(path)
        require_problems(answer)
        assert SECRET[:8] not in answer.text


async def test_L15_fields_that_nobody_may_set_change_nothing(stage: Stage) -> None:
    user = await stage.user(email="ada@example.com")
    headers = await stage.as_user(user, await stage.workspace(user))
    before = (await stage.all(User))[0]
    organization = await stage.organization()
    protected = {
        "id": str(uuid4()),
        "email": "root@example.com",
        "email_verified": True,
        "is_admin": True,
        "is_active": False,
        "token_epoch": 99,
        "organization_id": str(organization.id),
        "created_at": "2000-01-01T00:00:00Z",
        "created_by": str(uuid4()),
        "owner_id": str(uuid4()),
        "user_id": str(uuid4()),
        "role": "owner",
        "__class__": "x",
        "__proto__": {"is_admin": True},
    }
    answer = await stage.client.patch("/users/me", json=protected | {"name": "Ada"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "email", "name", "avatar_url", "is_active", "created_at"}
    (after,) = await stage.all(User)
    for name in ("id", "email", "is_admin", "is_active", "token_epoch", "organization_id", "created_at"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.name == "Ada"
    created = await stage.client.post(
        "/workspaces", json=protected | {"name": "Mine", "slug": "mine"}, headers=headers
    )
    assert created.status_code == 201
    assert created.json()["created_by"] == str(user.id)
    assert created.json()["id"] != protected["id"]


# ── 5xx ──


async def test_an_unexpected_error_is_500_and_tells_nothing(stage: Stage) -> None:
    user = await stage.user()
    headers = await stage.as_user(user, await stage.workspace(user))
    await stage.forbid_inserts("workspaces")
    before = await stage.snapshot()
    with stage.events() as lines:
        answer = await stage.client.post(
            "/workspaces", json={"name": SECRET, "slug": "notes"}, headers=headers
        )
    assert answer.status_code in (409, 500)
    require_detail(answer, answer.status_code)
    for told in (SECRET, "forbids", "INSERT", "sqlite", "asyncpg", "Traceback", "workspaces"):
        assert told not in answer.text, told
    assert SECRET not in repr(lines)
    assert await stage.snapshot() == before


async def test_without_database_every_tier_is_503(stage: Stage) -> None:
    headers = await caller(stage)
    check = {"service_name": "notes", "resource_type": "document", "resource_id": str(uuid4())}
    async with stage.without_database():
        answers = [
            await stage.client.get("/users/me", headers=headers),
            await stage.client.get("/workspaces", headers=headers),
            await stage.client.post("/workspaces", json={"name": "N", "slug": "nn"}, headers=headers),
            await stage.client.post(
                "/permissions/check", json={"checks": [check | {"action": "view"}]}, headers=headers
            ),
            await stage.client.post(
                "/permissions/register",
                json=check | {"workspace_id": str(uuid4()), "owner_id": str(uuid4())},
                headers=headers,
            ),
        ]
    for answer in answers:
        require_detail(answer, 503, "Service temporarily unavailable")
        assert answer.headers["retry-after"].isdigit()
