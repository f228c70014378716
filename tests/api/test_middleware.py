"""The layers around the application: http-api.md §0.1 to §0.5, §0.8 rules 4 and 5, §13."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.api.middleware import wrap
from sentinel.api.middleware.access_log import AccessLog
from sentinel.api.middleware.body_size import MAX_BODY, BodySize
from sentinel.api.middleware.client import client_address
from sentinel.api.middleware.cors import Origins
from sentinel.api.middleware.guard import Guard
from sentinel.core import logging
from sentinel.settings import Settings

pytestmark = pytest.mark.anyio

HOST = "auth.example.com"
ORIGIN = "https://app.example.com"


@pytest.fixture(autouse=True)
def closed_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "STRICT", True)


# --- the stage -------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What came back; ``raised`` is what the server would have got."""

    status: int | None
    headers: list[tuple[str, str]]
    body: bytes
    raised: BaseException | None = None

    def __getitem__(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: ASGIApp,
    path: str = "/echo",
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    host: str | None = HOST,
    chunks: Iterable[bytes] = (b"",),
    peer: str | None = "192.0.2.1",
) -> Answer:
    """Speak ASGI as a server does, with exactly these bytes: a client library would mend or refuse many."""
    lines = [*([("host", host)] if host is not None else []), *headers]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines],
        "client": (peer, 50_000) if peer else None,
        "server": ("127.0.0.1", 9003),
    }
    body = list(chunks)
    inbox: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": number < len(body)}
        for number, chunk in enumerate(body, start=1)
    ]
    outbox: list[Message] = []

    async def receive() -> Message:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outbox.append(message)

    raised = None
    try:
        await app(scope, receive, send)
    except Exception as error:
        raised = error
    starts = [message for message in outbox if message["type"] == "http.response.start"]
    assert len(starts) <= 1
    return Answer(
        starts[0]["status"] if starts else None,
        [(name.decode(), value.decode("latin-1")) for name, value in starts[0]["headers"]] if starts else [],
        b"".join(message.get("body", b"") for message in outbox if message["type"] == "http.response.body"),
        raised,
    )


def lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if line["event"] == event]


def make(*, static: Iterable[str] = (ORIGIN,), **given: Any) -> ASGIApp:
    """A small application with one route for each thing that a handler can do, in all layers."""
    app = FastAPI(redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/echo", methods=["GET", "POST", "DELETE", "OPTIONS"])
    async def echo(request: Request) -> dict[str, Any]:
        body = await request.body()
        state = request.scope["state"]
        return {
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in request.headers.raw],
            "size": len(body),
            "request_id": state["request_id"],
            "client_ip": state["client_ip"],
        }

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/.well-known/jwks.json")
    async def jwks() -> Response:
        return JSONResponse({"keys": []}, headers={"Cache-Control": "public, max-age=300"})

    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("<p>hello</p>")

    @app.get("/form")
    async def form() -> HTMLResponse:
        return HTMLResponse("<form></form>", headers={"Content-Security-Policy": "form-action 'self'"})

    @app.get("/admin/static/app.css")
    async def asset() -> Response:
        return PlainTextResponse("", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @app.get("/loud")
    async def loud() -> Response:
        headers = {"Server": "uvicorn", "X-Frame-Options": "ALLOWALL", "X-Request-ID": "mine"}
        return PlainTextResponse("", headers={**headers, "Access-Control-Allow-Origin": "*"})

    @app.get("/fail")
    async def fail() -> None:
        raise ValueError("the password is hunter2")

    @app.get("/fail-late")
    async def fail_late() -> Response:
        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise ValueError("the password is hunter2")

        return StreamingResponse(half())

    @app.get("/plain-500")
    async def plain_500() -> Response:
        return PlainTextResponse("I answer so myself", 500)

    @app.post("/json")
    async def read_json(body: dict[str, Any]) -> int:
        return len(body)

    @app.post("/stubborn")
    async def stubborn(request: Request) -> str:
        with contextlib.suppress(Exception):
            await request.body()
        return "stored"

    @app.post("/deaf")
    async def deaf() -> str:
        return "done"

    @app.get("/files/{number}")
    async def known_caller(request: Request, number: str) -> str:
        request.scope["state"].update(actor="u-1", workspace_id="w-1", caller_service="docs")
        return number

    inner = APIRouter()

    @inner.get("/members/{member}")
    async def members(member: str) -> str:
        return member

    app.include_router(inner, prefix="/workspaces/{workspace}")
    app.mount("/mounted", PlainTextResponse("file"))
    settings = Settings(**{"allowed_hosts": [HOST], **given})
    return wrap(app, settings=settings, origins=Origins(static))


@pytest.fixture
def app() -> ASGIApp:
    return make()


# --- X-Request-ID (§0.3) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "A-9", "x" * 64])
async def test_request_id_is_echoed(app: ASGIApp, given: str) -> None:
    answer = await ask(app, headers=[("X-Request-ID", given)])
    assert answer["X-Request-ID"] == given == answer.json["request_id"]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a_b", "ä", "a\tb", "{}", "a.b"])
async def test_request_id_of_another_form_is_replaced(app: ASGIApp, given: str) -> None:
    first, second = [(await ask(app, headers=[("X-Request-ID", given)]))["X-Request-ID"] for _ in range(2)]
    assert first
    assert second
    assert len({first, second, given}) == 3


async def test_request_id_given_twice_is_replaced(app: ASGIApp) -> None:
    answer = await ask(app, headers=[("X-Request-ID", "one"), ("X-Request-ID", "two")])
    assert answer["X-Request-ID"] not in (None, "one", "two")


async def test_request_id_of_a_handler_does_not_count(app: ASGIApp) -> None:
    assert (await ask(app, "/loud", headers=[("X-Request-ID", "yours")]))["X-Request-ID"] == "yours"


# --- response headers (§0.3) -----------------------------------------------------------------------------------

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-XSS-Protection": "0",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Server": "sentinel",
}
JSON_CSP = "default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"


@pytest.mark.parametrize("path", ["/echo", "/health", "/page", "/loud", "/nowhere", "/fail", "/plain-500"])
async def test_headers_are_on_every_response_once(app: ASGIApp, path: str) -> None:
    answer = await ask(app, path)
    assert {name: answer[name] for name in FIXED} == FIXED
    assert answer["X-Request-ID"]


async def test_headers_csp_of_json_and_of_pages(app: ASGIApp) -> None:
    assert (await ask(app))["Content-Security-Policy"] == JSON_CSP
    page = (await ask(app, "/page"))["Content-Security-Policy"]
    assert page is not None
    assert set(JSON_CSP.split("; ")) < set(page.split("; "))
    assert {"style-src 'unsafe-inline'", "img-src 'self'"} < set(page.split("; "))
    assert "script" not in page


async def test_headers_csp_of_a_handler_is_kept(app: ASGIApp) -> None:
    assert (await ask(app, "/form"))["Content-Security-Policy"] == "form-action 'self'"


@pytest.mark.parametrize("path", ["/echo", "/page", "/nowhere", "/fail"])
async def test_T3_hsts_only_with_secure_cookies(path: str) -> None:
    name = "Strict-Transport-Security"
    assert (await ask(make(), path))[name] is None
    secure = await ask(make(cookie_secure=True), path)
    assert secure[name] == "max-age=63072000; includeSubDomains; preload"


@pytest.mark.parametrize(
    ("path", "stored"),
    [
        (f"/{name}{rest}", False)
        for name in ["auth", "admin", "users", "authz", "realm", "onboard"]
        for rest in ("", "/x")
    ]
    + [("/authx", True), ("/administration", True), ("/x/auth", True), ("/workspaces", True), ("/", True)],
)
async def test_headers_no_store_by_whole_segments(app: ASGIApp, path: str, stored: bool) -> None:
    answer = await ask(app, path)
    assert (answer["Cache-Control"], answer["Pragma"]) == (
        (None, None) if stored else ("no-store", "no-cache")
    )


async def test_headers_other_cache_rules_are_kept(app: ASGIApp) -> None:
    assert (await ask(app, "/.well-known/jwks.json"))["Cache-Control"] == "public, max-age=300"
    immutable = await ask(app, "/admin/static/app.css")
    assert immutable["Cache-Control"] == "public, max-age=31536000, immutable"


# --- body size (§0.4, L29) -------------------------------------------------------------------------------------

TOO_LARGE = {"detail": "Request body too large"}


async def test_L29_body_of_the_limit_is_read(app: ASGIApp) -> None:
    chunk = bytes(MAX_BODY // 10)
    answer = await ask(app, method="POST", headers=[("Content-Length", str(MAX_BODY))], chunks=[chunk] * 10)
    assert answer.status == 200
    assert answer.json["size"] == MAX_BODY == 10_485_760


@pytest.mark.parametrize(
    "length",
    [str(MAX_BODY + 1), "9" * 30, "9" * 6000, "0" * 5000 + str(MAX_BODY + 1)],
    ids=["one more", "beyond 64 bits", "thousands of digits", "thousands of zeros"],
)
async def test_L29_content_length_over_the_limit(app: ASGIApp, length: str) -> None:
    answer = await ask(app, "/deaf", method="POST", headers=[("Content-Length", length)])
    assert (answer.status, answer.json) == (413, TOO_LARGE)


async def test_body_content_length_with_leading_zeros_is_a_number(app: ASGIApp) -> None:
    answer = await ask(app, method="POST", headers=[("Content-Length", "0" * 5000 + "4")], chunks=[b"four"])
    assert answer.json["size"] == 4


@pytest.mark.parametrize(
    "length", ["", "x", "-1", "+5", "1.0", "1e3", "0x10", "5, 5", "1_0", "٣".encode().decode("latin-1")]
)
async def test_body_content_length_must_be_a_number(app: ASGIApp, length: str) -> None:
    answer = await ask(app, "/deaf", method="POST", headers=[("Content-Length", length)])
    assert (answer.status, answer.json) == (400, {"detail": "Invalid Content-Length header"})


async def test_body_content_lengths_must_agree(app: ASGIApp) -> None:
    twice = [("Content-Length", "4"), ("Content-Length", "5")]
    assert (await ask(app, method="POST", headers=twice, chunks=[b"four"])).status == 400
    assert (await ask(app, method="POST", headers=[twice[0]] * 2, chunks=[b"four"])).status == 200


@pytest.mark.parametrize("path", ["/echo", "/json", "/stubborn"])
@pytest.mark.parametrize("declared", [[], [("Content-Length", "10")]])
async def test_L29_streamed_bytes_over_the_limit(
    app: ASGIApp, path: str, declared: list[tuple[str, str]]
) -> None:
    chunks = [bytes(MAX_BODY // 2)] * 3
    headers = [("Content-Type", "application/json"), *declared]
    answer = await ask(app, path, method="POST", headers=headers, chunks=chunks)
    assert (answer.status, answer.json) == (413, TOO_LARGE)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer.raised is None


async def test_L29_streamed_bytes_over_the_limit_in_a_silent_application() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(Exception, match="too large"):
            await receive()
        with pytest.raises(Exception, match="too large"):
            await receive()

    assert (await ask(BodySize(silent, limit=3), chunks=[b"four"])).status == 413


async def test_body_on_delete_is_read(app: ASGIApp) -> None:
    answer = await ask(app, method="DELETE", headers=[("Content-Length", "2")], chunks=[b"{}"])
    assert answer.json["size"] == 2


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'{"a": "\\ud800"',
        b"\xff\xfe",
        b'{"a":\0}',
    ],
)
async def test_L29_json_bombs_are_refused(app: ASGIApp, body: bytes) -> None:
    answer = await ask(
        app, "/json", method="POST", headers=[("Content-Type", "application/json")], chunks=[body]
    )
    assert answer.status in (400, 422)


# --- Host (§0.4, checklist item 4, L01) ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", [HOST, HOST.upper(), f"{HOST}:9003", f"{HOST}:1", "localhost", "[::1]", "[::1]:9003"]
)
async def test_T4_right_host_is_served(host: str) -> None:
    app = make(allowed_hosts=[HOST, "localhost", "[::1]"])
    assert (await ask(app, host=host)).status == 200


@pytest.mark.parametrize("path", ["/echo", "/nowhere", "/.well-known/jwks.json", "/fail", "/healthy", "//x"])
@pytest.mark.parametrize(
    "host", ["evil.example.com", f"x.{HOST}", f"{HOST}.evil.com", "example.com", "127.0.0.1", "*"]
)
async def test_T4_wrong_host_is_refused(app: ASGIApp, path: str, host: str) -> None:
    answer = await ask(app, path, host=host)
    assert answer.status == 400
    assert set(answer.json) == {"detail"}


async def test_T4_wrong_host_is_refused_for_preflights(app: ASGIApp) -> None:
    headers = [("Origin", ORIGIN), ("Access-Control-Request-Method", "GET")]
    assert (await ask(app, method="OPTIONS", host="evil.example.com", headers=headers)).status == 400


@pytest.mark.parametrize("host", ["evil.example.com", "a@b", "", None])
async def test_T4_health_is_exempt(app: ASGIApp, host: str | None) -> None:
    assert (await ask(app, "/health", host=host)).json == {"status": "ok"}


async def test_T4_star_switches_the_check_off() -> None:
    assert (await ask(make(allowed_hosts=["*"]), host="any.example.org")).status == 200


async def test_T4_hosts_follow_from_the_urls() -> None:
    app = make(
        allowed_hosts=[], base_url="https://id.example.com/auth", admin_url="https://panel.example.com"
    )
    assert (await ask(app, host="id.example.com")).status == 200
    assert (await ask(app, host="panel.example.com")).status == 200
    assert (await ask(app, host=HOST)).status == 400


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        f"{HOST}/",
        f"{HOST}/admin?x=",
        f"user@{HOST}",
        f"{HOST}@evil.com",
        f"{HOST}#",
        f"{HOST}?",
        f"{HOST}\\x",
        f" {HOST}",
        f"{HOST} ",
        f"{HOST},evil.com",
        f"{HOST}:",
        f"{HOST}:port",
        f"{HOST}:123456",
        f"{HOST}:80:80",
        f"{HOST}.",
        "::1",
        "[::1",
        "[evil.com]",
        f"{HOST}%00",
        f"http://{HOST}",
        "ä.example.com",
        "-x.example.com",
    ],
)
@pytest.mark.parametrize("allowed", [[HOST], ["*"]])
async def test_L01_malformed_host_is_refused(host: str, allowed: list[str]) -> None:
    assert (await ask(make(allowed_hosts=allowed), host=host)).status == 400


async def test_L01_several_hosts_or_none_are_refused(app: ASGIApp) -> None:
    assert (await ask(app, headers=[("Host", HOST)])).status == 400
    assert (await ask(app, headers=[("Host", "evil.com")])).status == 400
    assert (await ask(app, host=None)).status == 400


async def test_L01_forwarded_host_changes_nothing(app: ASGIApp) -> None:
    forged = [("X-Forwarded-Host", "evil.com"), ("Forwarded", "host=evil.com"), ("X-Original-URL", "/health")]
    assert (await ask(app, headers=forged)).status == 200
    assert (await ask(app, host="evil.com", headers=[("X-Forwarded-Host", HOST)])).status == 400


# --- paths (§0.1, L31) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "//echo",
        "/echo//",
        "/files//1",
        "/echo;x=1",
        "/files/a;b",
        "/echo/..;/fail",
        "/files/a%2fb",
        "/files/a%2Fb",
        "/files/a%5cb",
        "/files/a\\b",
        "/files/%00",
        "/files/a%00",
        "/files/a%0a",
        "/./echo",
        "/echo/.",
        "/files/../echo",
        "/files/..",
        "/files/%2e",
        "/files/%2E%2e",
        "/files/.%2e",
        "/%2e%2e/echo",
        "/files/%3b",
        "/files/%252f",
        "/files/%",
        "/files/%4",
        "/files/%zz",
        "/files/%ff",
        "/files/%c0%ae",
        "/files/a b",
        "/files/a\tb",
        "/files/%7f",
        "echo",
        "*",
        "http://auth.example.com/echo",
    ],
)
async def test_L31_other_forms_of_a_path_are_not_found(app: ASGIApp, path: str) -> None:
    answer = await ask(app, path)
    assert (answer.status, answer.json) == (404, {"detail": "Not Found"})
    assert answer["Location"] is None


@pytest.mark.parametrize("path", ["/echo/", "/ECHO", "/Echo", "/echo/index.html", "/nowhere"])
async def test_L31_unknown_paths_are_not_found_and_not_redirected(app: ASGIApp, path: str) -> None:
    answer = await ask(app, path)
    assert (answer.status, answer.json) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("path", "number"),
    [("/files/..a", "..a"), ("/files/a.b-c_d~", "a.b-c_d~"), ("/files/%C3%A4", "ä"), ("/files/a%20b", "a b")],
)
async def test_L31_plain_paths_are_decoded_once(app: ASGIApp, path: str, number: str) -> None:
    assert (await ask(app, path)).json == number


async def test_known_path_with_another_method(app: ASGIApp) -> None:
    answer = await ask(app, "/health", method="POST")
    assert (answer.status, answer.json) == (405, {"detail": "Method Not Allowed"})


# --- headers that are not for us (L03) -------------------------------------------------------------------------


async def seen(app: ASGIApp, *headers: tuple[str, str]) -> dict[str, str]:
    return dict((await ask(app, headers=headers)).json["headers"])


async def test_L03_names_with_underscores_are_dropped(app: ASGIApp) -> None:
    got = await seen(app, ("X_Service_Key", "a"), ("X-Authz_Token", "b"), ("_", "c"), ("X-Service-Key", "d"))
    assert {name for name in got if "x" in name or "_" in name} == {"x-service-key"}
    assert got["x-service-key"] == "d"


@pytest.mark.parametrize(
    "connection",
    ["X-Service-Key", "close, x-service-key", "x-authz-token , X-SERVICE-KEY", ",,x-service-key,"],
)
async def test_L03_names_listed_by_connection_are_dropped(app: ASGIApp, connection: str) -> None:
    got = await seen(app, ("X-Service-Key", "a"), ("Connection", connection), ("Accept", "text/html"))
    assert "x-service-key" not in got
    assert got["accept"] == "text/html"


async def test_L03_connection_may_come_in_several_lines(app: ASGIApp) -> None:
    got = await seen(app, ("Connection", "close"), ("Authorization", "x"), ("Connection", "Authorization"))
    assert "authorization" not in got


async def test_L03_connection_cannot_lift_the_body_limit(app: ASGIApp) -> None:
    headers = [("Connection", "Content-Length"), ("Content-Length", "1")]
    answer = await ask(app, method="POST", headers=headers, chunks=[bytes(MAX_BODY), b"x"])
    assert answer.status == 413


# --- client address (§0.8 rule 4, L04) -------------------------------------------------------------------------

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("count", "forwarded", "expected"),
    [
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6,7.7.7.7", "203.0.113.9"], "203.0.113.9"),
        (2, ["6.6.6.6, 203.0.113.9, 10.0.0.1"], "203.0.113.9"),
        (2, ["203.0.113.9", "10.0.0.1"], "203.0.113.9"),
        (2, ["203.0.113.9"], PEER),
        (3, ["203.0.113.9, 10.0.0.1"], PEER),
        (1, [], PEER),
        (1, [""], PEER),
        (1, ["203.0.113.9,"], PEER),
        (2, ["203.0.113.9,"], "203.0.113.9"),
        (1, ["unknown"], PEER),
        (1, ["localhost"], PEER),
        (1, ["203.0.113.9.1"], PEER),
        (1, ["203.0.113.009"], PEER),
        (1, ["<script>"], PEER),
        (1, ["203.0.113.9 10.0.0.1"], PEER),
        (1, ["203.0.113.9:1234"], "203.0.113.9"),
        (1, ["203.0.113.9:x"], PEER),
        (1, ["2001:db8::1"], "2001:db8::1"),
        (1, ["2001:DB8:0::0:1"], "2001:db8::1"),
        (1, ["[2001:db8::1]"], "2001:db8::1"),
        (1, ["[2001:db8::1]:443"], "2001:db8::1"),
        (1, ["[2001:db8::1"], PEER),
        (1, ["fe80::1%25eth0"], PEER),
        (1, ["fe80::1%eth0"], PEER),
        (1, ["::ffff:203.0.113.9"], "203.0.113.9"),
    ],
)
def test_L04_client_address_is_counted_from_the_right(
    count: int, forwarded: list[str], expected: str
) -> None:
    scope = {"client": (PEER, 1), "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded]}
    assert client_address(scope, True, count) == expected
    assert client_address(scope, False, count) == PEER


@pytest.mark.parametrize(
    ("peer", "expected"),
    [(("::ffff:192.0.2.1", 1), PEER), (("testclient", 1), "testclient"), (None, "unknown")],
)
def test_client_address_of_the_peer(peer: tuple[str, int] | None, expected: str) -> None:
    assert client_address({"client": peer, "headers": []}, False, 1) == expected


async def test_L04_forwarded_address_needs_behind_proxy() -> None:
    forged = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Real-IP", "203.0.113.9"),
        ("X_Forwarded_For", "6.6.6.6"),
    ]
    assert (await ask(make(), headers=forged)).json["client_ip"] == PEER
    behind = make(behind_proxy=True, trusted_proxy_count=1)
    assert (await ask(behind, headers=forged)).json["client_ip"] == "203.0.113.9"
    assert (await ask(behind, headers=forged[1:])).json["client_ip"] == PEER


# --- CORS (§0.5, checklist item 5) -----------------------------------------------------------------------------


def preflight(origin: str = ORIGIN, method: str = "POST", *names: str) -> list[tuple[str, str]]:
    wanted = [("Access-Control-Request-Headers", ", ".join(names))] if names else []
    return [("Origin", origin), ("Access-Control-Request-Method", method), *wanted]


async def test_T5_listed_origin_gets_its_own_value(app: ASGIApp) -> None:
    answer = await ask(app, headers=[("Origin", ORIGIN)])
    assert answer.status == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert answer["Access-Control-Expose-Headers"] == "X-Request-ID"
    assert answer["Vary"] == "Origin"


UNLISTED = [
    "https://evil.com",
    f"{ORIGIN}.evil.com",
    "https://x.app.example.com",
    "http://app.example.com",
    "null",
    "*",
    "",
]
UNLISTED += [
    f"{ORIGIN}:443",
    f"{ORIGIN}/",
    ORIGIN.upper(),
    f" {ORIGIN}",
    f"{ORIGIN}, {ORIGIN}",
    "https://example.com",
]


@pytest.mark.parametrize("origin", UNLISTED)
async def test_T5_unlisted_origin_gets_none(app: ASGIApp, origin: str) -> None:
    answer = await ask(app, headers=[("Origin", origin)])
    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]
    assert answer["Vary"] == "Origin"


@pytest.mark.parametrize("origin", UNLISTED)
async def test_T5_preflight_of_an_unlisted_origin(app: ASGIApp, origin: str) -> None:
    answer = await ask(app, method="OPTIONS", headers=preflight(origin))
    assert answer.status == 400
    assert set(answer.json) == {"detail"}
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [ORIGIN, "https://second.example.com"])
async def test_T5_two_origins_both_work(origin: str) -> None:
    app = make(static=[ORIGIN, "https://second.example.com"])
    assert (await ask(app, headers=[("Origin", origin)]))["Access-Control-Allow-Origin"] == origin
    assert (await ask(app, method="OPTIONS", headers=preflight(origin))).status == 200


@pytest.mark.parametrize("path", ["/echo", "/nowhere", "/auth/token", "/fail"])
async def test_T5_preflight_is_answered_before_routing(app: ASGIApp, path: str) -> None:
    wanted = ("Content-Type", "authorization", "X-Requested-With", "x-authz-token")
    answer = await ask(app, path, method="OPTIONS", headers=preflight(ORIGIN, "DELETE", *wanted))
    assert answer.status == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert answer["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert (
        answer["Access-Control-Allow-Headers"]
        == "Content-Type, Authorization, X-Requested-With, X-Authz-Token"
    )
    assert answer["Access-Control-Max-Age"] == "600"
    assert {"Origin", "Access-Control-Request-Method, Access-Control-Request-Headers"} == set(
        answer.all("Vary")
    )


@pytest.mark.parametrize(
    "name", ["X-Service-Key", "content-type, x-service-key", "*", "Cookie", "X-Other", "Content_Type"]
)
async def test_T5_preflight_with_another_header(app: ASGIApp, name: str) -> None:
    answer = await ask(app, method="OPTIONS", headers=preflight(ORIGIN, "POST", name))
    assert answer.status == 400
    assert "service-key" not in (answer["Access-Control-Allow-Headers"] or "").lower()


async def test_T5_preflight_with_another_method(app: ASGIApp) -> None:
    assert (await ask(app, method="OPTIONS", headers=preflight(ORIGIN, "TRACE"))).status == 400


async def test_T5_origin_given_twice_is_no_origin(app: ASGIApp) -> None:
    twice = [("Origin", ORIGIN), ("Origin", ORIGIN)]
    assert (await ask(app, headers=twice))["Access-Control-Allow-Origin"] is None
    assert (await ask(app, method="OPTIONS", headers=[*preflight(), ("Origin", ORIGIN)])).status == 400


@pytest.mark.parametrize("left_out", ["Origin", "Access-Control-Request-Method"])
async def test_options_without_the_marks_is_no_preflight(app: ASGIApp, left_out: str) -> None:
    headers = [header for header in preflight() if header[0] != left_out]
    assert (await ask(app, method="OPTIONS", headers=headers)).json["size"] == 0
    assert (await ask(app, "/health", method="OPTIONS", headers=headers)).status == 405


async def test_T5_a_handler_cannot_open_the_door(app: ASGIApp) -> None:
    assert (await ask(app, "/loud"))["Access-Control-Allow-Origin"] is None
    assert (await ask(app, "/loud", headers=[("Origin", ORIGIN)]))["Access-Control-Allow-Origin"] == ORIGIN


def test_T5_origins_change_at_run_time_and_are_never_a_pattern() -> None:
    origins = Origins([ORIGIN, "*", "null"])
    assert [origins.allowed(origin) for origin in (ORIGIN, "*", "null", "", "https://b.com")] == [True] + [
        False
    ] * 4
    origins.replace(["https://b.com", "*", "null"])
    assert [origins.allowed(origin) for origin in (ORIGIN, "*", "null", "https://b.com")] == [
        True,
        False,
        False,
        True,
    ]
    origins.replace([])
    assert [origins.allowed(origin) for origin in (ORIGIN, "https://b.com")] == [True, False]


async def test_internal_tier_has_no_cors() -> None:
    app = make(tier="internal")
    answer = await ask(app, headers=[("Origin", ORIGIN)])
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]
    assert (await ask(app, "/health", method="OPTIONS", headers=preflight())).status == 405


# --- exceptions (§0.2 rule 1) ----------------------------------------------------------------------------------


async def test_unhandled_exception_is_told_to_nobody(
    app: ASGIApp, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await ask(app, "/fail", headers=[("Origin", ORIGIN), ("X-Request-ID", "abc")])
    assert (answer.status, answer.json, answer.raised) == (500, {"detail": "Internal server error"}, None)
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["X-Request-ID"] == "abc"
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in found] == ["app.error.unhandled", "http.access"]
    assert [line["request_id"] for line in found] == ["abc", "abc"]
    assert found[1]["status"] == 500


async def test_unhandled_exception_in_the_middle_of_an_answer(
    app: ASGIApp, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await ask(app, "/fail-late")
    assert (answer.status, answer.body) == (200, b"half")
    assert answer.raised is not None  # the server cuts the connection
    assert len(lines(capsys, "app.error.unhandled")) == 1


async def test_unhandled_exception_after_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    async def careless(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)
        raise ValueError

    answer = await ask(Guard(careless))
    assert (answer.status, answer.body, answer.raised) == (200, b"done", None)
    assert len(lines(capsys, "app.error.unhandled")) == 1


async def test_a_handlers_own_500_is_left_alone(app: ASGIApp, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await ask(app, "/plain-500")
    assert (answer.status, answer.body) == (500, b"I answer so myself")
    assert not lines(capsys, "app.error.unhandled")


# --- refusals carry everything (§0.8 rule 5) -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "path", "headers", "host"),
    [
        (400, "/echo", [], "evil.com"),
        (400, "/echo", [("Content-Length", "x")], HOST),
        (404, "//echo", [], HOST),
        (404, "/nowhere", [], HOST),
        (405, "/health", [], HOST),
        (413, "/echo", [("Content-Length", str(MAX_BODY + 1))], HOST),
    ],
)
async def test_refusals_carry_all_headers(
    app: ASGIApp, status: int, path: str, headers: list[tuple[str, str]], host: str
) -> None:
    answer = await ask(app, path, method="POST", host=host, headers=[("Origin", ORIGIN), *headers])
    assert answer.status == status
    assert set(answer.json) == {"detail"}
    assert isinstance(answer.json["detail"], str)
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Content-Security-Policy"] == JSON_CSP
    assert {name: answer[name] for name in FIXED} == FIXED
    assert answer["X-Request-ID"]


# --- access log (§13) ------------------------------------------------------------------------------------------


async def test_access_log_line(app: ASGIApp, capsys: pytest.CaptureFixture[str]) -> None:
    headers = [("User-Agent", "probe/1.0 (+mailto:a.person@example.com)"), ("X-Request-ID", "r-1")]
    await ask(app, "/files/secret-number", headers=headers)
    output = capsys.readouterr().out
    assert "secret-number" not in output
    assert "a.person" not in output
    (line,) = [json.loads(row) for row in output.splitlines()]
    assert line["event"] == "http.access"
    assert line["category"] == "access"
    assert (line["level"], line["outcome"]) == ("info", "success")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/files/{number}", 200)
    assert line["resp_bytes"] == len('"secret-number"')
    assert line["duration_ms"] >= 0
    assert (line["source_ip"], line["request_id"]) == (PEER, "r-1")
    assert (line["actor"], line["workspace_id"], line["caller_service"]) == ("u-1", "w-1", "docs")
    assert line["user_agent"].startswith("probe/1.0")


@pytest.mark.parametrize(
    "path", ["/health", "/health/ready", "/.well-known/jwks.json", "/docs", "/redoc", "/openapi.json"]
)
async def test_access_log_is_silent_about_probes_docs_and_keys(
    app: ASGIApp, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    await ask(app, path)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "method", "host", "status", "level", "outcome", "route"),
    [
        (
            "/workspaces/w/members/m",
            "GET",
            HOST,
            200,
            "info",
            "success",
            "/workspaces/{workspace}/members/{member}",
        ),
        (
            "/workspaces/w/members/m",
            "PUT",
            HOST,
            405,
            "warning",
            "failure",
            "/workspaces/{workspace}/members/{member}",
        ),
        ("/mounted/some/file", "GET", HOST, 200, "info", "success", "/mounted/*"),
        ("/no/such/secret", "GET", HOST, 404, "warning", "failure", "(unmatched)"),
        ("//secret", "GET", HOST, 404, "warning", "failure", "(unmatched)"),
        ("/files/1", "GET", "evil.com", 400, "warning", "failure", "(unmatched)"),
        ("/fail", "GET", HOST, 500, "error", "error", "/fail"),
        ("/fail", "SECRET", HOST, 405, "warning", "failure", "/fail"),
    ],
)
async def test_access_log_levels_and_templates(
    app: ASGIApp,
    capsys: pytest.CaptureFixture[str],
    path: str,
    method: str,
    host: str,
    status: int,
    level: str,
    outcome: str,
    route: str,
) -> None:
    await ask(app, path, method=method, host=host)
    output = capsys.readouterr().out
    (line,) = [row for row in map(json.loads, output.splitlines()) if row["event"] == "http.access"]
    assert (line["status"], line["level"], line["outcome"], line["route"]) == (status, level, outcome, route)
    assert "secret" not in output.lower()


async def test_access_log_of_a_caller_that_went_away(capsys: pytest.CaptureFixture[str]) -> None:
    async def gone(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionResetError

    assert (await ask(AccessLog(gone))).raised is not None
    assert lines(capsys, "http.access")[0]["status"] == 499


async def test_log_context_does_not_outlive_the_request(
    app: ASGIApp, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(app, headers=[("X-Request-ID", "first")])
    logging.app_event("app.startup")
    assert lines(capsys, "app.startup")[0]["request_id"] is None


async def test_other_scopes_pass_through(app: ASGIApp) -> None:
    seen_types: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen_types.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    wrapped = wrap(inner, settings=Settings(), origins=Origins([]))
    await wrapped({"type": "lifespan"}, nothing, nothing)
    await wrapped({"type": "websocket"}, nothing, nothing)
    assert seen_types == ["lifespan", "websocket"]
