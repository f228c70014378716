"""Behind nginx and Caddy with the shipped configurations: ``configuration.md`` §5 items 3, 4, 6."""

import json
import re
import socket
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.deploy.conftest import HOST, Certificate, Proxy

LOGIN = "/auth/admin/login/github"


def events(prepared: Path, name: str) -> list[str]:
    """The lines of an event, as JSON in one form."""
    found = re.findall(r"^\{.*\}$", (prepared.parent / "service.log").read_text(), re.MULTILINE)
    return [json.dumps(line) for line in map(json.loads, found) if line["event"] == name]


def test_T6_the_login_redirect_uses_the_public_https_address(proxy: Proxy) -> None:
    answer = proxy.client.get(
        LOGIN, headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    )
    assert answer.status_code == 302, answer.text
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == [f"https://{HOST}/auth/admin/callback/github"]
    assert "evil" not in answer.headers["location"]


def test_T3_cookies_are_secure_and_hsts_is_sent(proxy: Proxy) -> None:
    answer = proxy.client.get(LOGIN)
    cookie = answer.headers["set-cookie"].lower()
    assert "; secure" in cookie and "; httponly" in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


def test_plain_http_is_sent_to_https(proxy: Proxy) -> None:
    with httpx.Client() as plain:
        answer = plain.get(f"http://127.0.0.1:{proxy.plain_port}/admin/users?page=2", headers={"Host": HOST})
    assert answer.status_code in (301, 308)
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.hostname, target.path, target.query) == (
        "https",
        HOST,
        "/admin/users",
        "page=2",
    )


@pytest.mark.parametrize("forged", ["203.0.113.7", "203.0.113.7, 198.51.100.9", "', drop", "::1", "a" * 300])
def test_T6_a_forged_forwarding_header_does_not_change_who_one_is(
    proxy: Proxy, prepared: Path, forged: str
) -> None:
    before = len(events(prepared, "http.access"))
    answer = proxy.client.get(
        "/users/me",
        headers={"X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged[:20]}"},
    )
    assert answer.status_code == 401
    deadline = time.monotonic() + 10
    while not (lines := [line for line in events(prepared, "http.access")[before:] if "/users/me" in line]):
        assert time.monotonic() < deadline, "the request was not logged"
    assert all('"source_ip": "127.0.0.1"' in line for line in lines)


def test_T6_the_limit_holds_however_the_address_is_forged(proxy: Proxy) -> None:
    answers = [
        proxy.client.get("/auth/login/github", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(12)
    ]
    assert 429 in answers


def test_T4_another_host_is_refused(proxy: Proxy, service: int) -> None:
    answer = proxy.client.get("/users/me", headers={"Host": "evil.example"})
    # nginx hands it to its only server, whose upstream refuses the name; Caddy serves nothing for it.
    assert answer.status_code in (400, 421) or (proxy.name == "caddy" and answer.content == b"")
    with httpx.Client() as direct:
        refused = direct.get(f"http://127.0.0.1:{service}/users/me", headers={"Host": "evil.example"})
        healthy = direct.get(f"http://127.0.0.1:{service}/health", headers={"Host": "evil.example"})
    assert (refused.status_code, healthy.status_code) == (400, 200)


def test_headers_with_underscores_are_no_credentials(proxy: Proxy) -> None:
    answer = proxy.client.get(
        "/realm/whoami", headers={"X_Service_Key": "sk_x", "X_Forwarded_For": "203.0.113.7"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/admin;x=1/users",
        "/admin%2fusers",
        "//admin/users",
        "/admin/../permissions/check",
        "/permissions/%2e%2e/admin",
        "/users/me/",
        "/USERS/ME",
        "/users%00/me",
    ],
)
def test_path_tricks_lead_nowhere(proxy: Proxy, certificate: Certificate, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
    status = int(proxy.raw(request, trust=certificate.trust).split(b" ", 2)[1])
    assert status in (400, 401, 404, 405, 303), status
    if (
        status == 303
    ):  # both programs tidy "//" and dots up: then it is the page itself, which wants a sign-in
        assert "admin" in path


def test_a_body_of_ten_mebibytes_arrives_and_one_byte_more_is_refused(proxy: Proxy) -> None:
    ten = b"x" * (10 * 1024 * 1024)
    assert proxy.client.post("/permissions/check", content=ten).status_code == 401
    # Caddy 2.6 may still be sending when the service has refused and closed, and then says 502.
    refused = {413} if proxy.name == "nginx" else {413, 502}
    assert proxy.client.post("/permissions/check", content=ten + b"x").status_code in refused


def test_a_delete_with_a_body_arrives(proxy: Proxy) -> None:
    answer = proxy.client.request(
        "DELETE",
        "/permissions/00000000-0000-0000-0000-000000000001/share",
        json={"grantee_type": "user", "grantee_id": "00000000-0000-0000-0000-000000000002"},
    )
    assert answer.status_code == 401


def test_L27_the_log_of_the_proxy_holds_no_code_and_no_key(proxy: Proxy, tmp_path: Path) -> None:
    code, key, cookie = (uuid4().hex for _ in range(3))
    mark = uuid4().hex
    proxy.client.get(
        f"/auth/callback/github?code={code}&state={code}",
        headers={"X-Service-Key": f"sk_{key}", "Authorization": f"Bearer {key}", "Cookie": f"x={cookie}"},
    )
    proxy.client.get(f"/{mark}")
    deadline = time.monotonic() + 10
    while mark not in (log := proxy.log.read_text()):
        assert time.monotonic() < deadline, "the request was not logged"
        time.sleep(0.05)
    assert [secret for secret in (code, key, cookie) if secret in log] == []
    assert "/auth/callback/github" in log


def test_a_body_that_comes_slowly_arrives_and_holds_nobody_up(proxy: Proxy, certificate: Certificate) -> None:
    """Byte by byte: the proxy waits for it, others are served meanwhile, and one that stops is let go."""
    body = b'{"checks": []}'
    head = (
        f"POST /permissions/check HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as plain,
        certificate.trust.wrap_socket(plain, server_hostname=HOST) as slow,
    ):
        slow.sendall(head)
        for byte in body:
            slow.sendall(bytes([byte]))
            assert proxy.client.get("/health").status_code == 200
        answer = slow.recv(65536)
    assert int(answer.split(b" ", 2)[1]) == 401
    # Forty that never finish keep no place that others need.
    with ExitStack() as stack:
        for _ in range(40):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=20))
            held = stack.enter_context(certificate.trust.wrap_socket(plain, server_hostname=HOST))
            held.sendall(head + body[:4])
        began = time.monotonic()
        assert [proxy.client.get("/users/me").status_code for _ in range(5)] == [401] * 5
        assert time.monotonic() - began < 10


def test_two_requests_in_one_do_not_pass_as_one(
    proxy: Proxy, certificate: Certificate, prepared: Path
) -> None:
    smuggler, follower = f"smuggler/{uuid4()}", f"follower/{uuid4()}"
    smuggled = (
        f"POST /permissions/check HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
        f"Connection: close\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: {HOST}\r\n"
        f"User-Agent: {smuggler}\r\n\r\n"
    )
    before = len(events(prepared, "http.access"))
    answer = proxy.raw(smuggled.encode(), trust=certificate.trust, seconds=5)
    assert answer.count(b"HTTP/1.1 ") == 1
    # nginx refuses what has two lengths; Caddy goes by the chunks, and the service misses a key.
    status = int(answer.split(b" ", 2)[1])
    assert status == (400 if proxy.name == "nginx" else 401)
    # What had come through would have been logged before the request that follows.
    assert proxy.client.get("/users/me", headers={"User-Agent": follower}).status_code == 401
    deadline = time.monotonic() + 10
    while follower not in "".join(lines := events(prepared, "http.access")[before:]):
        assert time.monotonic() < deadline, "the request was not logged"
    assert not [line for line in lines if smuggler in line or '"route": "/admin' in line]


def test_the_database_is_made_by_the_service_itself(prepared: Path, service: int) -> None:
    with sqlite3.connect(prepared.parent / "sentinel.db") as database:
        assert database.execute("select count(*) from organizations").fetchone() == (1,)
