"""The development OpenID Provider, through its endpoints and through a foreign client library."""

import base64
import hashlib
import json
import re
import warnings
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from sentinel.core.clock import ManualClock
from sentinel.devmode.idp import Client, DevIdp, Person, router

with warnings.catch_warnings():
    # Authlib prefers httpx's successor and says so at import; the ASGI transport here is httpx's.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

pytestmark = pytest.mark.anyio

SERVER = "http://localhost:9003"
ISSUER = f"{SERVER}/dev/idp"
CALLBACK = f"{SERVER}/auth/callback/dev"
SECRET = "correct horse battery staple: ä+%/&="
ALICE = Person("dev|alice", "alice@acme.test", "Alice <b>Archer</b>", note='Owner & "founder" of Acme')
MALLORY = Person("dev|mallory", "mallory@nowhere.test", "Mallory Moss", email_verified=False)
VERIFIER = "v" * 43
Changes = Mapping[str, str | None]
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def idp(key: RSAKey, clock: ManualClock) -> DevIdp:
    clients = [
        Client("sentinel", SECRET, frozenset({CALLBACK, f"{SERVER}/cb?tenant=1"})),
        Client("spa", "another-secret", frozenset({"http://localhost:5173/"})),
    ]
    return DevIdp(ISSUER, key, clients, [ALICE, MALLORY], clock)


@pytest.fixture
def app(idp: DevIdp) -> FastAPI:
    app = FastAPI()
    app.include_router(router(idp), prefix="/dev/idp")
    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SERVER) as client:
        yield client


def wish(changes: Changes | None = None) -> dict[str, str]:
    """A valid authorization request, changed field by field; None takes a field away."""
    fields: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "sentinel",
        "redirect_uri": CALLBACK,
        "scope": "openid email profile",
        "state": "state & more",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**fields, **(changes or {})}.items() if value is not None}


def answer(response: httpx.Response) -> dict[str, str]:
    """What a redirect brings to the client, in query or fragment."""
    assert response.status_code == 303, response.text
    target = urlsplit(response.headers["location"])
    return dict(parse_qsl(target.fragment or target.query, strict_parsing=True))


async def sign_in(
    http: httpx.AsyncClient, changes: Changes | None = None, sub: str = ALICE.sub
) -> dict[str, str]:
    return answer(await http.post("/dev/idp/authorize", data={**wish(changes), "sub": sub}))


async def exchange(
    http: httpx.AsyncClient,
    code: str,
    changes: Changes | None = None,
    auth: tuple[str, str] | None = None,
) -> httpx.Response:
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "sentinel",
        "client_secret": SECRET,
    }
    data = {name: value for name, value in {**fields, **(changes or {})}.items() if value is not None}
    headers = {} if auth is None else {"Authorization": basic(*auth)}
    return await http.post("/dev/idp/token", data=data, headers=headers)


def basic(client_id: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both halves form-encoded, then HTTP Basic."""
    pair = ":".join(urlencode({"": part})[1:] for part in (client_id, secret))
    return "Basic " + base64.b64encode(pair.encode()).decode()


async def claims_of(http: httpx.AsyncClient, id_token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await http.get("/dev/idp/jwks.json")).json())
    return jwt.decode(id_token, keys, algorithms=["RS256"]).claims


# --- discovery and keys -------------------------------------------------------------------------------------


async def test_discovery_names_reachable_endpoints(http: httpx.AsyncClient) -> None:
    metadata = (await http.get("/dev/idp/.well-known/openid-configuration")).json()
    assert metadata["issuer"] == ISSUER
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert metadata[name].startswith(ISSUER)
        assert (await http.get(metadata[name])).status_code != 404


async def test_L02_metadata_ignores_host_headers(http: httpx.AsyncClient) -> None:
    headers = {"Host": "evil.test", "X-Forwarded-Host": "evil.test"}
    response = await http.get("/dev/idp/.well-known/openid-configuration", headers=headers)
    assert "evil.test" not in response.text


async def test_K_7_jwks_has_no_private_member(http: httpx.AsyncClient, key: RSAKey) -> None:
    [public] = (await http.get("/dev/idp/jwks.json")).json()["keys"]
    assert set(public) == {"kty", "n", "e", "use", "alg", "kid"}
    assert public["kid"] == key.thumbprint()


# --- signing in ---------------------------------------------------------------------------------------------


async def test_code_flow_brings_the_claims_of_the_person(http: httpx.AsyncClient, clock: ManualClock) -> None:
    back = await sign_in(http)
    assert back["state"] == "state & more"
    assert back["iss"] == ISSUER  # RFC 9207
    response = await exchange(http, back["code"])
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert await claims_of(http, tokens["id_token"]) == {
        "iss": ISSUER,
        "sub": ALICE.sub,
        "aud": "sentinel",
        "iat": clock.timestamp(),
        "exp": clock.timestamp() + 3600,
        "auth_time": clock.timestamp(),
        "nonce": "n-1",
        "email": ALICE.email,
        "email_verified": True,
        "name": ALICE.name,
    }
    info = await http.get("/dev/idp/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert info.json() == {
        "sub": ALICE.sub,
        "email": ALICE.email,
        "email_verified": True,
        "name": ALICE.name,
    }


async def test_foreign_client_library_signs_in(app: FastAPI, http: httpx.AsyncClient) -> None:
    metadata = (await http.get("/dev/idp/.well-known/openid-configuration")).json()
    for method in metadata["token_endpoint_auth_methods_supported"]:
        async with AsyncOAuth2Client(
            "spa",
            "another-secret",
            scope="openid email",
            redirect_uri="http://localhost:5173/",
            code_challenge_method="S256",
            token_endpoint_auth_method=method,
            transport=httpx.ASGITransport(app),
        ) as client:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-2"
            )
            chooser = await http.get(url)
            assert chooser.status_code == 200
            query = dict(parse_qsl(urlsplit(url).query))
            back = await http.post(metadata["authorization_endpoint"], data={**query, "sub": ALICE.sub})
            tokens = await client.fetch_token(
                metadata["token_endpoint"],
                authorization_response=back.headers["location"],
                code_verifier=VERIFIER,
                state=state,
            )
            claims = await claims_of(http, tokens["id_token"])
            assert (claims["aud"], claims["nonce"], claims["sub"]) == ("spa", "n-2", ALICE.sub)
            info = await client.get(metadata["userinfo_endpoint"])
            assert info.json()["email"] == ALICE.email


async def test_basic_authentication_is_form_decoded(http: httpx.AsyncClient) -> None:
    code = (await sign_in(http))["code"]
    response = await exchange(http, code, {"client_secret": None}, ("sentinel", SECRET))
    assert response.status_code == 200


async def test_EV_1_unverified_address_is_boolean_false(http: httpx.AsyncClient) -> None:
    tokens = (await exchange(http, (await sign_in(http, sub=MALLORY.sub))["code"])).json()
    assert (await claims_of(http, tokens["id_token"]))["email_verified"] is False


async def test_scopes_limit_the_claims(http: httpx.AsyncClient) -> None:
    tokens = (await exchange(http, (await sign_in(http, {"scope": "openid phone"}))["code"])).json()
    assert tokens["scope"] == "openid"
    claims = await claims_of(http, tokens["id_token"])
    assert not {"email", "email_verified", "name"} & set(claims)


async def test_implicit_flow_answers_in_the_fragment(http: httpx.AsyncClient) -> None:
    changes = {"client_id": "spa", "redirect_uri": "http://localhost:5173/", "response_type": "id_token"}
    response = await http.post("/dev/idp/authorize", data={**wish(changes), "sub": ALICE.sub})
    assert response.headers["location"].startswith("http://localhost:5173/#id_token=")
    claims = await claims_of(http, answer(response)["id_token"])
    assert (claims["aud"], claims["nonce"]) == ("spa", "n-1")


async def test_response_mode_fragment_carries_the_code(http: httpx.AsyncClient) -> None:
    data = {**wish({"response_mode": "fragment"}), "sub": ALICE.sub}
    response = await http.post("/dev/idp/authorize", data=data)
    assert response.headers["location"].startswith(f"{CALLBACK}#code=")


async def test_redirect_uri_keeps_its_own_query(http: httpx.AsyncClient) -> None:
    data = {**wish({"redirect_uri": f"{SERVER}/cb?tenant=1"}), "sub": ALICE.sub}
    response = await http.post("/dev/idp/authorize", data=data)
    assert response.headers["location"].startswith(f"{SERVER}/cb?tenant=1&code=")


async def test_redirect_escapes_what_it_inserts(http: httpx.AsyncClient) -> None:
    state = "a&code=b#c?\r\nSet-Cookie: x=ä\0"
    response = await http.post("/dev/idp/authorize", data={**wish({"state": state}), "sub": ALICE.sub})
    assert "set-cookie" not in response.headers
    assert parse_qs(urlsplit(response.headers["location"]).query)["state"] == [state]


# --- the chooser --------------------------------------------------------------------------------------------


async def test_chooser_offers_every_person(http: httpx.AsyncClient) -> None:
    page = await http.get("/dev/idp/authorize", params=wish())
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for person in (ALICE, MALLORY):
        assert f'name="sub" value="{person.sub}"' in page.text
        assert person.email in page.text
    assert page.text.count("address not verified") == 1


async def test_chooser_puts_the_hinted_person_first(http: httpx.AsyncClient) -> None:
    page = await http.get("/dev/idp/authorize", params=wish({"login_hint": MALLORY.email.upper()}))
    assert page.text.index(MALLORY.email) < page.text.index(ALICE.email)


async def test_chooser_fields_submit_the_same_request(http: httpx.AsyncClient) -> None:
    page = await http.get("/dev/idp/authorize", params=wish())
    names = re.findall(r'<input type="hidden" name="([^"]+)"', page.text)
    assert sorted(names) == sorted(wish())


async def test_signing_in_takes_a_post(http: httpx.AsyncClient) -> None:
    page = await http.get("/dev/idp/authorize", params={**wish(), "sub": ALICE.sub})
    assert page.status_code == 200
    assert 'type="hidden" name="sub"' not in page.text


async def test_post_without_a_person_shows_the_chooser(http: httpx.AsyncClient) -> None:
    page = await http.post("/dev/idp/authorize", data=wish())
    assert page.status_code == 200
    assert ALICE.email in page.text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' autofocus='"]
)
async def test_hostile_parameters_are_escaped(http: httpx.AsyncClient, hostile: str) -> None:
    pages = [
        await http.get("/dev/idp/authorize", params={**wish({"state": hostile}), hostile: hostile}),
        await http.get("/dev/idp/authorize", params=wish({"client_id": hostile})),
        await http.get("/dev/idp/authorize", params=wish({"redirect_uri": hostile})),
    ]
    for page in pages:
        assert hostile not in page.text
    assert "<b>Archer</b>" not in pages[0].text


async def test_chooser_lets_the_form_reach_its_redirects_only(http: httpx.AsyncClient) -> None:
    page = await http.get("/dev/idp/authorize", params=wish())
    directives = page.headers["content-security-policy"].split("; ")
    [form_action] = [directive for directive in directives if directive.startswith("form-action ")]
    assert form_action.split()[1:3] == ["'self'", SERVER]
    for source in form_action.split()[3:]:
        assert re.fullmatch(r"https?://(localhost|127\.0\.0\.1):\*", source)


# --- authorization requests that are refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": f"{CALLBACK}?x=1"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "http://localhost:9003@evil.test/auth/callback/dev"},
        {"redirect_uri": "http://localhost:5173/"},  # registered, but for another client
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_L13_unproven_redirect_is_a_page(
    http: httpx.AsyncClient, changes: dict[str, str | None], method: str
) -> None:
    fields = wish(changes)
    if method == "GET":
        page = await http.get("/dev/idp/authorize", params=fields)
    else:
        page = await http.post("/dev/idp/authorize", data={**fields, "sub": ALICE.sub})
    assert page.status_code == 400
    assert page.headers["content-type"].startswith("text/html")
    assert "location" not in page.headers


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_L13_duplicate_address_is_a_page(http: httpx.AsyncClient, name: str) -> None:
    page = await http.get(f"/dev/idp/authorize?{urlencode(wish())}&{urlencode({name: wish()[name]})}")
    assert page.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_type": "id_token", "response_mode": "query"}, "invalid_request"),
        ({"response_type": "id_token", "nonce": None}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "ä" * 43}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.test/"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
async def test_other_errors_are_redirected_with_state(
    http: httpx.AsyncClient, changes: dict[str, str | None], error: str
) -> None:
    response = await http.get("/dev/idp/authorize", params=wish(changes))
    back = answer(response)
    assert response.headers["location"].startswith(CALLBACK)
    assert (back["error"], back["state"], back["iss"]) == (error, "state & more", ISSUER)
    in_fragment = "id_token" in (changes.get("response_type") or "")
    assert bool(urlsplit(response.headers["location"]).fragment) is in_fragment


async def test_duplicate_parameter_is_refused(http: httpx.AsyncClient) -> None:
    for extra in ("nonce=2", "state=2", "%22%0A%3Cx%3E=1&%22%0A%3Cx%3E=2"):
        back = answer(await http.get(f"/dev/idp/authorize?{urlencode(wish())}&{extra}"))
        assert back["error"] == "invalid_request"
        assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+", back["error_description"])  # RFC 6749 §4.1.2.1
        assert ("state" in back) is not extra.startswith("state")


async def test_cancelling_is_access_denied(http: httpx.AsyncClient) -> None:
    back = answer(await http.post("/dev/idp/authorize", data={**wish(), "cancel": "1"}))
    assert back["error"] == "access_denied"


@pytest.mark.parametrize("people", [["nobody"], [ALICE.sub, MALLORY.sub]])
async def test_unknown_person_gets_no_code(http: httpx.AsyncClient, people: list[str]) -> None:
    response = await http.post("/dev/idp/authorize", data={**wish(), "sub": people})
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"client_id=%ff", "application/x-www-form-urlencoded"),
        (b"client_id=\xff", "application/x-www-form-urlencoded"),
        (b"a=b&" * 101, "application/x-www-form-urlencoded"),
        (b"a" * (64 * 1024 + 1), "application/x-www-form-urlencoded"),
    ],
)
async def test_L29_unreadable_bodies_are_refused(
    http: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    assert (await http.post("/dev/idp/authorize", content=body, headers=headers)).status_code == 400
    refused = await http.post("/dev/idp/token", content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


# --- token requests that are refused ------------------------------------------------------------------------


async def test_L16_code_works_once_and_reuse_takes_its_token_back(http: httpx.AsyncClient) -> None:
    code = (await sign_in(http))["code"]
    tokens = (await exchange(http, code)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await http.get("/dev/idp/userinfo", headers=bearer)).status_code == 200
    again = await exchange(http, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    refused = await http.get("/dev/idp/userinfo", headers=bearer)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="development provider", error="invalid_token"'


async def test_code_lives_sixty_seconds(http: httpx.AsyncClient, clock: ManualClock) -> None:
    young, old = (await sign_in(http))["code"], (await sign_in(http))["code"]
    clock.advance(59)
    assert (await exchange(http, young)).status_code == 200
    clock.advance(1)
    assert (await exchange(http, old)).json()["error"] == "invalid_grant"


async def test_access_token_expires(http: httpx.AsyncClient, clock: ManualClock) -> None:
    tokens = (await exchange(http, (await sign_in(http))["code"])).json()
    clock.advance(3600)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await http.get("/dev/idp/userinfo", headers=bearer)).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": None},
        {"code_verifier": "v" * 42},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": f"{SERVER}/cb?tenant=1"},
        {"redirect_uri": None},
        {"code": "unknown"},
        {"client_id": "spa", "client_secret": "another-secret"},
    ],
)
async def test_RFC_7636_and_6749_wrong_proof_is_invalid_grant(
    http: httpx.AsyncClient, changes: dict[str, str | None]
) -> None:
    code = (await sign_in(http))["code"]
    refused = await exchange(http, code, changes)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_failed_proof_consumes_the_code(http: httpx.AsyncClient) -> None:
    code = (await sign_in(http))["code"]
    await exchange(http, code, {"code_verifier": "w" * 43})
    assert (await exchange(http, code)).json()["error"] == "invalid_grant"


async def test_another_client_cannot_consume_the_code(http: httpx.AsyncClient) -> None:
    code = (await sign_in(http))["code"]
    await exchange(http, code, {"client_id": "spa", "client_secret": "another-secret"})
    assert (await exchange(http, code)).status_code == 200


async def test_RFC_9700_verifier_without_challenge_is_refused(http: httpx.AsyncClient) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    code = (await sign_in(http, without))["code"]
    assert (await exchange(http, code)).json()["error"] == "invalid_grant"
    code = (await sign_in(http, without))["code"]
    assert (await exchange(http, code, {"code_verifier": None})).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "stranger"}, 401, "invalid_client"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": None}, 400, "invalid_request"),
    ],
)
async def test_RFC_6749_5_2_errors(
    http: httpx.AsyncClient, changes: dict[str, str | None], status: int, error: str
) -> None:
    code = (await sign_in(http))["code"]
    refused = await exchange(http, code, changes)
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert refused.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in refused.headers) is (status == 401)
    # Nothing of this touched the code.
    assert (await exchange(http, code)).status_code == 200


async def test_RFC_6749_2_3_one_way_of_authentication_only(http: httpx.AsyncClient) -> None:
    code = (await sign_in(http))["code"]
    both = await exchange(http, code, auth=("sentinel", SECRET))
    assert both.json()["error"] == "invalid_request"
    other = await exchange(http, code, {"client_id": "spa", "client_secret": None}, ("sentinel", SECRET))
    assert other.json()["error"] == "invalid_request"


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic c2VudGluZWw=", "Basic /w==", "Bearer x", ""])
async def test_malformed_basic_is_invalid_client(http: httpx.AsyncClient, header: str) -> None:
    response = await http.post(
        "/dev/idp/token", data={"grant_type": "authorization_code"}, headers={"Authorization": header}
    )
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_duplicate_token_parameter_is_refused(http: httpx.AsyncClient) -> None:
    refused = await http.post(
        "/dev/idp/token", data={"client_id": ["sentinel", "spa"], "client_secret": SECRET}
    )
    assert refused.json()["error"] == "invalid_request"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer unknown", "Basic eDp5"])
async def test_userinfo_wants_a_living_token(http: httpx.AsyncClient, header: str) -> None:
    response = await http.post("/dev/idp/userinfo", headers={"Authorization": header})
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("redirect_uri", "taken"),
    [
        ("http://localhost:8000/", True),
        ("http://127.0.0.1:5173/back.html", True),
        ("https://app.example/", False),
        ("http://localhost:8000", False),
        ("http://localhost/", False),
        ("http://localhost:8000@evil.example/", False),
        ("http://localhost:80.evil.example/", False),
        ("http://evil.example:80/http://localhost:80/", False),
        ("http://localhost:8000/?next=//evil.example", False),
        ("http://localhost:8000/#x", False),
        ("http://localhost:8000/\n", False),
        ("javascript://localhost:8000/%0aalert(1)", False),
    ],
)
async def test_rfc8252_7_3_only_a_client_of_this_machine_takes_any_of_its_ports(
    redirect_uri: str, taken: bool
) -> None:
    here, elsewhere = (Client("app", SECRET, frozenset(), loopback=one) for one in (True, False))
    assert here.takes(redirect_uri) is taken
    assert not elsewhere.takes(redirect_uri)


# --- secrets ------------------------------------------------------------------------------------------------


async def test_L27_repr_hides_the_client_secret(idp: DevIdp) -> None:
    assert SECRET not in repr(idp.clients)
    assert SECRET not in json.dumps(idp.metadata())


async def test_client_without_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        Client("open", "", frozenset())
