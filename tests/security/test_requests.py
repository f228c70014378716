"""Requests that are read in two ways: host, headers, path, address, and what is made to break a parser (L01 to L05,
L29, L31, L33). Against a real server, byte for byte.
"""

import base64
import json
import re
import time
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.security.conftest import BASE_URL, Front, Town
from tests.served import wait_until
from tests.stage import bearer

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _nothing_unexpected(request: pytest.FixtureRequest) -> Any:
    """No request of this module makes the server stumble."""
    yield
    if "front" in request.fixturenames:
        front: Front = request.getfixturevalue("front")
        assert front.served.ready()
        assert front.served.events("app.error.unhandled") == []


# ── L01 to L05: who is asked, by whom, for whom ──


@pytest.mark.parametrize(
    "host",
    [
        "auth.example.com/health",
        "auth.example.com/health?",
        "auth.example.com:80/health#",
        "auth.example.com@evil.example",
        "evil.example@auth.example.com",
        "auth.example.com:80:80",
        "auth.example.com,evil.example",
        "auth.example.com\\health",
        "auth.example.com%2fhealth",
        "auth.example.com:",
        "[::1",
        " ",
        "",
    ],
)
def test_L01_host_that_is_malformed_changes_no_path_and_is_400(front: Front, host: str) -> None:
    answer = front.check(front.world.owner, host=f"Host: {host}")
    assert (answer.status, json.loads(answer.body)) == (400, {"detail": "Invalid Host header"})
    for lines in (None, "Host: auth.example.com\r\nHost: auth.example.com"):
        assert front.check(front.world.owner, host=lines).status == 400
    # A path that is spared from the check is the one that was asked for, not the one that the host pretends.
    assert front.ask("/health", host=f"Host: {host}").status == 200


def test_L02_every_address_that_is_given_out_is_the_configured_one(front: Front) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "666",
        "X-Original-URL": "/evil",
        "X-Rewrite-URL": "/evil",
        "Forwarded": "host=evil.example;proto=http",
    }
    answer = front.ask("/auth/admin/login/github", headers=forged)
    assert answer.status == 302
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{BASE_URL}/auth/admin/callback/github"]
    for path, headers in (
        ("/.well-known/jwks.json", {}),
        ("/nowhere", {}),
        ("/admin/users", {"Accept": "text/html"}),
        ("/auth/callback/github?code=x", {"Accept": "text/html"}),
    ):
        told = front.ask(path, headers=forged | headers)
        assert "evil" not in f"{told.headers}{told.body!r}", path
    for line in ("Host: evil.example", "Host: auth.example.com.evil.example", "Host: 127.0.0.2"):
        assert front.ask("/auth/admin/login/github", host=line).status == 400


def test_L03_header_names_with_underscores_and_names_in_connection_are_dropped(front: Front) -> None:
    key, token = front.world.owner["X-Service-Key"], front.world.owner["Authorization"]
    assert front.check({"X-Service-Key": key, "Authorization": token}).status == 200
    for smuggled in (
        {"X_Service_Key": key, "Authorization": token},
        {"X-Service_Key": key, "Authorization": token},
        {"X-Service-Key": key, "X_Authorization": token},
        {"X-Service-Key": key, "Authorization": token, "Connection": "x-service-key"},
        {"X-Service-Key": key, "Authorization": token, "Connection": "keep-alive, Authorization"},
    ):
        assert front.check(smuggled).status == 401, smuggled.keys()
    # Named by Connection, a credential that is there is gone; it cannot be made to fall back on another one either.
    origin = {"Origin": "https://app.example.com", "X-Service-Key": "sk_wrong", "Connection": "x-service-key"}
    assert front.ask("/authz/resolve", method="POST", headers=origin, body=b"{}").status in (401, 422)


def test_L04_client_address_is_the_hop_that_the_proxy_wrote(front: Front) -> None:
    def seen(forwarded: str) -> str:
        mark = uuid4().hex
        headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "203.0.113.66", "User-Agent": mark}
        assert front.ask("/users/me", headers=headers).status == 401

        def lines() -> list[dict[str, Any]]:
            return [one for one in front.served.events("http.access") if one["user_agent"] == mark]

        wait_until(lines, "the line of the request", front.served.log)
        return str(lines()[0]["source_ip"])

    assert seen("198.51.100.7") == "198.51.100.7"
    assert seen("203.0.113.1, 198.51.100.7") == "198.51.100.7"
    assert seen("203.0.113.1,::1 , 198.51.100.7") == "198.51.100.7"
    assert seen("203.0.113.1, unknown") == "127.0.0.1"
    # The bucket of a limit follows: forging what stands further left gains nothing.
    statuses = [
        front.ask("/auth/admin/login/github", headers={"X-Forwarded-For": f"203.0.113.{n}, 192.0.2.9"}).status
        for n in range(5)
    ]
    assert statuses == [302] * 4 + [429]
    assert front.ask("/auth/admin/login/github", headers={"X-Forwarded-For": "192.0.2.10"}).status == 302


async def test_L04_without_a_proxy_the_header_is_the_clients_own_word(town: Town) -> None:
    with town.stage.events() as lines:
        await town.stage.client.get("/users/me", headers={"X-Forwarded-For": "203.0.113.1"})
    assert {line["source_ip"] for line in lines if line["event"] == "http.access"} == {"127.0.0.1"}


GARBAGE = [
    "",
    " ",
    "null",
    "Bearer",
    "eyJ",
    "e" * 9000,
    "\xff\xfe",
    "a.b.c",
    "../../etc/passwd",
    "0",
    "{}",
    "%00",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_L05_a_malformed_cookie_or_token_is_never_a_pass(front: Front, garbage: str) -> None:
    key, token = front.world.owner["X-Service-Key"], front.world.owner["Authorization"]
    for headers in (
        {"X-Service-Key": key, "Authorization": garbage},
        {"X-Service-Key": key, "Authorization": f"Bearer {garbage}"},
        {"X-Service-Key": garbage, "Authorization": token},
        {"X-Service-Key": f"{key}{garbage or 'x'}", "Authorization": token},
    ):
        assert front.check(headers).status == 401
    for name in ("admin_token", "sentinel_session", "session"):
        cookie = {"Cookie": f"{name}={garbage}", "X-Requested-With": "XMLHttpRequest"}
        assert front.ask("/admin/api/users", headers=cookie).status == 401
    assert front.ask("/users/me", headers={"X-Authz-Token": garbage}).status == 401
    callback = {"Cookie": f"sentinel_login={garbage}", "X-Forwarded-For": f"198.18.0.{len(garbage) % 250}"}
    assert front.ask("/auth/callback/github?code=x&state=y", headers=callback).status == 400


# ── L29: bombs ──

DEEP = b"[" * 200_000
BOMBS = {
    "deep lists": b'{"checks": ' + DEEP,
    "deep and closed": b'{"checks": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"checks": ' + b'{"a":' * 100_000,
    "a huge integer": b'{"checks": [' + b"9" * 100_000 + b"]}",
    "a huge exponent": b'{"checks": 1e999999999}',
    "not a number": b'{"checks": NaN}',
    "NUL": b'{"checks": [{"service_name": "a\\u0000b"}]}',
    "a raw NUL": b'{"checks": "\x00"}',
    "a lone surrogate": b'{"checks": [{"service_name": "\\ud800"}]}',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "broken UTF-8": b'{"checks": "\xc3\x28"}',
    "one name a hundred thousand times": b"{" + b'"checks": [],' * 100_000 + b'"checks": 7}',
    "a hundred thousand items": b'{"checks": [' + b"{}," * 100_000 + b"{}]}",
    "multipart": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' * 5_000 + b"--x--",
    "deflated": zlib.compress(b'{"checks": []}' * 100_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_L29_parser_bombs_are_a_quick_4xx(front: Front, bomb: str) -> None:
    body = BOMBS[bomb]
    for kind in ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": kind, **front.world.owner}
        if bomb == "deflated":
            headers["Content-Encoding"] = "deflate"
        began = time.monotonic()
        answer = front.ask("/permissions/check", method="POST", headers=headers, body=body)
        assert 400 <= answer.status < 500, answer.body
        assert json.loads(answer.body)["detail"]
        assert len(answer.body) < 100_000
        assert time.monotonic() - began < 5


def encoded(content: bytes | dict[str, Any]) -> str:
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_L29_bombs_in_headers_and_addresses(front: Front) -> None:
    token = front.world.owner["Authorization"].removeprefix("Bearer ")
    head, payload, signature = token.split(".")
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    packed = encoded(zlib.compress(b'{"a":"' + b"a" * 4_000_000 + b'"}')[2:-4])[:3000]
    direct = encoded({"alg": "dir", "enc": "A128GCM", "zip": "DEF"})
    for bomb in (
        # Compressed, as RFC 7516 has it, and a signed token that says that it is.
        f"{direct}..{encoded(b'0' * 12)}.{packed}.{signature[:22]}",
        f"{encoded({'alg': 'RS256', 'kid': kid, 'zip': 'DEF'})}.{packed}.{signature}",
        f"{encoded(DEEP[:5000])}.{payload}.{signature}",
        f"{encoded({'alg': 'PBES2-HS256+A128KW', 'p2c': 2**31 - 1, 'p2s': 'AAAA', 'enc': 'A128GCM'})}.AA.AA.AA.AA",
        "." * 8000,
    ):
        began = time.monotonic()
        assert front.ask("/users/me", headers=bearer(bomb)).status == 401
        assert time.monotonic() - began < 2
    for headers in (
        {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(3_000))},
        {"Accept": "text/html;q=0." + "9" * 10_000},
        {"Accept-Language": "de-" * 5_000},
        {"If-None-Match": '"' + "x" * 20_000},
        {"Cookie": "a=b; " * 3_000},
    ):
        for path in ("/.well-known/jwks.json", "/admin/static/panel.css", "/users/me"):
            began = time.monotonic()
            assert front.ask(path, headers=headers).status in (200, 206, 400, 401, 404, 416, 431)
            assert time.monotonic() - began < 2
    # What is no HTTP at all is answered in the form and with the headers of everything else (http-api.md §0.2, §0.3).
    beginning = "POST /permissions/check HTTP/1.1\r\nHost: auth.example.com\r\n"
    lengths = ["abc", "-1", "1e3", "9" * 5_000, "+4", "0x10", "4\r\nContent-Length: 5"]
    for request in (
        *(f"{beginning}Content-Length: {length}\r\n\r\n" for length in lengths),
        f"{beginning}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\r\n\r\n",
    ):
        answer = front.say(request)
        assert answer.status in (400, 413), request[:80]
        assert isinstance(json.loads(answer.body)["detail"], str)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["server"] == "sentinel" and answer.headers["x-request-id"]


# ── L31: one form of a path ──

FORMS = [
    "//permissions/check",
    "/permissions//check",
    "/permissions/./check",
    "/./permissions/check",
    "/permissions/x/../check",
    "/health/../permissions/check",
    "/permissions%2fcheck",
    "/permissions%2Fcheck",
    "/permissions%5ccheck",
    "/permissions\\check",
    "/permissions/%2e/check",
    "/health/%2e%2e/permissions/check",
    "/PERMISSIONS/check",
    "/permissions/Check",
    "/permissions/check/",
    "/permissions/check;x=1",
    "/permissions;x=1/check",
    "/permissions/check%3bx",
    "/permissions/check%00",
    "/permissions/check%0a",
    "/permissions/check%20",
    "/permissions/check.json",
    "/permissions%252fcheck",
    "/permissions/%c0%afcheck",
    "/health;/permissions/check",
]


@pytest.mark.parametrize("path", FORMS)
def test_L31_only_one_form_of_a_path_is_served(front: Front, path: str) -> None:
    answer = front.check(front.world.owner, path)
    assert answer.status == 404, answer.body
    assert json.loads(answer.body) == {"detail": "Not Found"}
    assert front.check(front.world.owner).status == 200


# ── L33: cursors and pages ──


async def test_L33_malformed_pages_limits_and_cursors_are_422(town: Town) -> None:
    stage, owner = town.stage, await town.as_owner()
    bad = ["0", "-1", "x", "1.5", "1e3", "99999999999999999999999", "\x00", "", "0x10", "NaN", "1,2"]
    members = f"/workspaces/{town.workspace.id}/members"
    async with stage.panel() as http:
        for value in bad:
            found = {
                f"{path} {name}": (await http.get(path, params={name: value})).status_code
                for path in ("/admin/api/users", "/admin/api/activity", "/admin/api/workspaces")
                for name in ("page", "page_size")
            }
            # There may be so many pages; this one is empty.
            pages = {200, 422} if value.startswith("99") else {422}
            assert set(found.values()) == pages, (value, found)
            # A number out of range is brought into it here; what is no number is refused.
            status = 200 if re.fullmatch(r"-?[0-9]+", value) else 422
            answer = await stage.client.get(members, params={"limit": value}, headers=owner)
            assert answer.status_code == status, value
        for path in ("/admin/users", "/admin/activity", "/admin/workspaces"):
            for value in bad:
                answer = await http.get(path, params={"page": value}, headers={"Accept": "text/html"})
                assert answer.status_code in (200, 422), (path, value)
    wish = town.question() | {"workspace_id": str(town.workspace.id)}
    limits: list[Any] = [0, -1, 10_001, "x", 1.5, [], 10**30]
    for limit in limits:
        body = {**wish, "limit": limit}
        answer = await stage.client.post("/permissions/accessible", json=body, headers=owner)
        assert answer.status_code == 422, limit
    cursors: list[Any] = ["x", "", "../", str(uuid4()) + "x", 7, [], "\x00", "a" * 10_000]
    for after in cursors:
        body = {**wish, "limit": 5, "cursor": after}
        answer = await stage.client.post("/permissions/accessible", json=body, headers=owner)
        assert answer.status_code in (200, 422), after
