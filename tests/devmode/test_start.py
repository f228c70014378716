"""The start page, its files, and the sample application's backend."""

import json
import socket
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from joserfc.jwk import RSAKey

from sentinel.core.clock import Clock
from sentinel.devmode import idp as provider
from sentinel.devmode.idp import Client, DevIdp, Person
from sentinel.devmode.start import DevContext, SampleDocument, router

pytestmark = pytest.mark.anyio

BASE = "http://localhost:9003"
CALLBACK = f"{BASE}/auth/callback/dev"
KEY = "sk_" + "k" * 43
TOKEN = "aaaa.bbbb.cccc-_"
DOCUMENT = "3f2b8c1e-5d4a-4b6f-9e7d-0a1b2c3d4e5f"
QUESTION = {"resource_type": "document", "resource_id": DOCUMENT, "action": "view"}
OURS = {"Origin": BASE, "Sec-Fetch-Site": "same-origin", "Authorization": f"Bearer {TOKEN}"}
PEOPLE = [
    Person("dev|alice", "alice@acme.test", "Alice Archer", "Owner of Acme."),
    Person("dev|mallory", "mallory@nowhere.test", "Mallory <i>Moss</i>", email_verified=False),
]


def context(base_url: str = BASE) -> DevContext:
    documents = [
        SampleDocument(DOCUMENT, "Road<map>", "Alice Archer", "Acme", "workspace", "Everyone views it.")
    ]
    return DevContext(
        base_url, "dev", "0d9c7e58-5f4e-4b7e-8f9a-2f3f7f1f0f11", f"{BASE}/dev/app/callback", "notes", KEY,
        PEOPLE, documents,
    )  # fmt: skip


class Sentinel:
    """Stands where ``POST /permissions/check`` is; keeps what it was asked and answers as told."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.answer: Response | None = None
        self.app.post("/permissions/check")(self.check)

    async def check(self, request: Request) -> Any:
        body = await request.json()
        self.asked.append((dict(request.headers), body))
        return self.answer or {"results": [{**item, "allowed": True} for item in body["checks"]]}


@pytest.fixture
def sentinel() -> Sentinel:
    return Sentinel()


@pytest.fixture
async def http(sentinel: Sentinel) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    idp = DevIdp(
        f"{BASE}/dev/idp",
        RSAKey.generate_key(2048),
        [Client("sentinel", "s", frozenset({CALLBACK}))],
        PEOPLE,
        Clock(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sentinel.app)) as backend:
        app.include_router(router(context(), backend))
        app.include_router(provider.router(idp), prefix="/dev/idp")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            yield client


class Elements(HTMLParser):
    """Every element of a page with its attributes; attribute names are lower-cased by the parser."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


PAGES = {
    "start": "/",
    "callback": "/dev/app/callback?code=x&state=y",
    "chooser": "/dev/idp/authorize?client_id=sentinel&response_type=code&scope=openid&redirect_uri="
    + CALLBACK,
    "refusal": "/dev/idp/authorize",
}


# --- the pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
async def test_pages_hold_nothing_inline_and_nothing_foreign(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    for tag, attributes in Elements(page.text).found:
        assert tag not in ("style", "base", "iframe", "object", "embed")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "script":
            assert attributes["src"]
        for name in ("src", "href", "action"):
            target = attributes.get(name)
            assert target is None or (target.startswith(("/", "#")) and not target.startswith("//"))


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
async def test_pages_set_a_strict_policy(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    assert page.headers["cache-control"] == "no-store"
    policy = dict(item.split(" ", 1) for item in page.headers["content-security-policy"].split("; "))
    assert policy.pop("form-action").startswith("'self'")
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "script-src": "'self'",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
async def test_pages_load_only_files_that_exist(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    files = {
        target
        for _, attributes in Elements(page.text).found
        for name in ("src", "href")
        if (target := attributes.get(name)) is not None and target.startswith("/dev/static/")
    }
    assert "/dev/static/dev.css" in files
    for file in files:
        assert (await http.get(file)).status_code == 200


async def test_start_page_tells_what_is_there(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    [app] = [attributes for tag, attributes in Elements(page).found if tag == "main"]
    assert app["data-provider"] == "dev"
    assert app["data-client-id"] == context().client_id
    assert app["data-redirect-uri"] == context().redirect_uri
    assert (app["data-base-url"], app["data-service-name"], app["data-resource-type"]) == (
        BASE,
        "notes",
        "document",
    )
    for text in ("alice@acme.test", "Owner of Acme.", "address not verified", DOCUMENT, "data/dev.json"):
        assert text in page
    for link in ("/docs", "/admin", "/.well-known/jwks.json"):
        assert f'href="{link}"' in page


async def test_sample_data_is_escaped(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    assert "Road&lt;map&gt;" in page
    assert "<map>" not in page
    assert "<i>Moss" not in page


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
async def test_L27_pages_never_hold_the_service_key(http: httpx.AsyncClient, path: str) -> None:
    assert KEY not in (await http.get(path)).text
    assert KEY not in repr(context())


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("dev.css", "text/css; charset=utf-8"),
        ("start.js", "text/javascript; charset=utf-8"),
        ("api.js", "text/javascript; charset=utf-8"),
        ("session.js", "text/javascript; charset=utf-8"),
        ("token.js", "text/javascript; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
    ],
)
async def test_static_files_have_their_type(http: httpx.AsyncClient, name: str, media_type: str) -> None:
    file = await http.get(f"/dev/static/{name}")
    assert (file.status_code, file.headers["content-type"]) == (200, media_type)
    assert "http://" not in file.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in file.text


@pytest.mark.parametrize("name", ["missing.js", "..%2fpages.py", "%2e%2e/start.py", "..%5cpages.py", "%00"])
async def test_L31_static_serves_its_table_only(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/dev/static/{name}")).status_code == 404


# --- the sample application's backend -----------------------------------------------------------------------


async def test_P1_check_adds_the_key_and_passes_the_answer_on(
    http: httpx.AsyncClient, sentinel: Sentinel
) -> None:
    response = await http.post("/dev/app/check", json=QUESTION, headers=OURS)
    asked = {"service_name": "notes", **QUESTION}
    assert (response.status_code, response.json()) == (200, {"results": [{**asked, "allowed": True}]})
    [(headers, body)] = sentinel.asked
    assert (headers["x-service-key"], headers["authorization"]) == (KEY, f"Bearer {TOKEN}")
    assert body == {"checks": [asked]}
    assert KEY not in response.text + str(response.headers)


async def test_L15_the_page_cannot_choose_service_or_key(http: httpx.AsyncClient, sentinel: Sentinel) -> None:
    extra = {**QUESTION, "service_name": "payroll", "checks": []}
    await http.post("/dev/app/check", json=extra, headers={**OURS, "X-Service-Key": "sk_other"})
    [(headers, body)] = sentinel.asked
    assert body == {"checks": [{"service_name": "notes", **QUESTION}]}
    assert headers["x-service-key"] == KEY


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Origin": f"{BASE}.evil.test"},
        {"Origin": "http://localhost"},
        {"Origin": BASE, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_check_answers_its_own_page_only(
    http: httpx.AsyncClient, sentinel: Sentinel, headers: dict[str, str]
) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    response = await http.post("/dev/app/check", json=QUESTION, headers={**token, **headers})
    assert response.status_code == 403
    assert sentinel.asked == []


@pytest.mark.parametrize("headers", [{"Origin": BASE}, {"Sec-Fetch-Site": "same-origin"}])
async def test_check_knows_its_page_by_either_header(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    assert (await http.post("/dev/app/check", json=QUESTION, headers={**token, **headers})).status_code == 200


@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer a b", "Bearer " + "a" * 8193]
)
async def test_check_without_a_token_is_401(
    http: httpx.AsyncClient, sentinel: Sentinel, token: str | None
) -> None:
    headers = {name: value for name, value in OURS.items() if name != "Authorization"}
    if token is not None:
        headers["Authorization"] = token
    response = await http.post("/dev/app/check", json=QUESTION, headers=headers)
    assert response.status_code == 401
    assert isinstance(response.json()["detail"], str)
    assert sentinel.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", json.dumps({**QUESTION, "action": "x" * 256}).encode()]
)
async def test_check_refuses_what_is_no_question(
    http: httpx.AsyncClient, sentinel: Sentinel, body: bytes
) -> None:
    headers = {**OURS, "Content-Type": "application/json"}
    assert (await http.post("/dev/app/check", content=body, headers=headers)).status_code == 422
    assert sentinel.asked == []


async def test_check_passes_refusals_on(http: httpx.AsyncClient, sentinel: Sentinel) -> None:
    sentinel.answer = Response(
        '{"detail":"Too many requests"}', 429, {"Retry-After": "42"}, "application/json"
    )
    response = await http.post("/dev/app/check", json=QUESTION, headers=OURS)
    assert (response.status_code, response.headers["retry-after"]) == (429, "42")
    assert response.json() == {"detail": "Too many requests"}


async def test_check_says_so_when_the_answer_is_unusable(http: httpx.AsyncClient, sentinel: Sentinel) -> None:
    sentinel.answer = Response("<h1>Bad Gateway</h1>", 502, media_type="text/html")
    response = await http.post("/dev/app/check", json=QUESTION, headers=OURS)
    assert response.status_code == 502
    assert "h1" not in response.text


async def test_own_client_is_made_when_needed_and_closed_with_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[httpx.AsyncClient] = []
    close = httpx.AsyncClient.aclose

    async def recorded(self: httpx.AsyncClient) -> None:
        closed.append(self)
        await close(self)

    monkeypatch.setattr(httpx.AsyncClient, "aclose", recorded)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nothing listens
        base_url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        app = FastAPI()
        app.include_router(router(context(base_url)))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url) as page,
        ):
            response = await page.post("/dev/app/check", json=QUESTION, headers={**OURS, "Origin": base_url})
            assert response.status_code == 502
            assert closed == []
    [own] = closed
    assert own.is_closed
