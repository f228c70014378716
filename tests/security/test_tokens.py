"""Tokens that somebody else has made or bent (L06 to L10, L18), at the doors of the service itself.

The same rows for tokens of identity providers: ``test_outside.py`` and ``providers/test_id_token.py``.
"""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey
from pydantic import ValidationError

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import Providers
from sentinel.settings import Settings, SettingsError
from tests.security.conftest import Town
from tests.stage import BASE_URL, bearer

pytestmark = pytest.mark.anyio

PEM = (Encoding.PEM, PrivateFormat.PKCS8)


def encoded(content: bytes | Mapping[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def signed(key: RSAKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """RS256 by hand, past every check of the library."""
    text = f"{encoded(header)}.{encoded(claims)}"
    private: Any = key.private_key
    return f"{text}.{encoded(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class Forge:
    """A good token, taken apart."""

    def __init__(self, town: Town, token: str) -> None:
        self.town = town
        head, payload, _ = token.split(".")
        self.header, self.claims = decoded(head), decoded(payload)
        settings = town.stage.settings
        self.own = RSAKey.import_key(settings.jwt_private_key_path.read_bytes())
        self.pem = settings.jwt_public_key_path.read_bytes()

    def like(self, header: dict[str, Any] | None = None, *, key: RSAKey | None = None, **claims: Any) -> str:
        """The same token with other claims or another header, signed with the service's own key or another one."""
        changed = {name: value for name, value in (self.claims | claims).items() if value is not ...}
        return signed(key or self.own, self.header | (header or {}), changed)

    async def opens(self, token: str) -> set[int]:
        """The statuses at a door for a user, one for a service with a user, and the slot beside an Origin."""
        client, key = self.town.stage.client, self.town.service.headers
        question = {"checks": [self.town.question()]}
        answers = [
            await client.get("/users/me", headers=bearer(token)),
            await client.post("/permissions/check", headers=key | bearer(token), json=question),
            await client.get("/users/me", headers={"X-Authz-Token": token}),
        ]
        return {answer.status_code for answer in answers}


@pytest.fixture(scope="module")
def mallory() -> RSAKey:
    """A key that nobody trusts."""
    return RSAKey.generate_key(2048)


@pytest.fixture
async def forge(town: Town) -> Forge:
    made = Forge(town, await town.token())
    # What is made by hand is as good as what the service makes: only what is bent below is refused.
    assert await made.opens(made.like()) == {200, 401}
    return made


async def test_L06_alg_none_and_hs256_with_the_public_key_are_refused(forge: Forge) -> None:
    claims = encoded(forge.claims)
    for name in ("none", "None", "NONE", "nOnE", "", None):
        head = encoded(forge.header | {"alg": name})
        for token in (f"{head}.{claims}.", f"{head}.{claims}.AAAA", f"{head}.{claims}"):
            assert await forge.opens(token) == {401}, name
    for name, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        text = f"{encoded(forge.header | {'alg': name})}.{claims}"
        for secret in (forge.pem, forge.pem.strip(), b"", b"\x00"):
            token = f"{text}.{encoded(hmac.new(secret, text.encode(), digest).digest())}"
            assert await forge.opens(token) == {401}, name
    for name in ("RS512", "PS256", "RS1", "ES256", "EdDSA"):
        assert await forge.opens(forge.like({"alg": name})) == {401}


async def test_L07_jwk_header_ignored(forge: Forge, mallory: RSAKey) -> None:
    kid = forge.header["kid"]
    # What is longer than 512 bytes the library refuses for that alone: a key in a header has to be a small one.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pair = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
        small = RSAKey.import_key(pair.private_bytes(*PEM, NoEncryption()))
        public = small.as_dict(private=False)
        token = forge.like({"jwk": {name: public[name] for name in ("kty", "n", "e")}}, key=small)
        assert len(token.split(".")[0]) < 512
        assert await forge.opens(token) == {401}
    key = {**mallory.as_dict(private=False), "kid": kid}
    headers: list[dict[str, Any]] = [
        {"jwk": key},
        {"jwk": key, "kid": mallory.thumbprint()},
        {"jwk": key, "kid": None},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": [encoded(b"certificate")]},
        {"kid": "../../../../dev/null"},
        {"kid": f"../keys/{kid}"},
        {"kid": "keys/public.pem"},
        {"kid": f"{kid}\x00.pem"},
        {"kid": "' UNION SELECT 'key"},
        {"kid": [kid]},
        {"kid": {"$ne": ""}},
    ]
    for header in headers:
        assert await forge.opens(forge.like(header, key=mallory)) == {401}, header
        # Even a token of our own is refused when its key name is not one of ours.
        if header.get("kid", kid) != kid:
            assert await forge.opens(forge.like(header)) == {401}, header


async def test_L08_unknown_crit_header_is_refused(forge: Forge) -> None:
    headers: list[dict[str, Any]] = [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": True},
        {"crit": ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": True},
        {"crit": []},
        {"crit": None},
        {"crit": "kid"},
        {"crit": ["kid", "alg"]},
    ]
    for header in headers:
        assert await forge.opens(forge.like(header)) == {401}, header


def near_misses(right: str) -> list[Any]:
    """Issuers that are not ``right``, though some way of comparing takes them for it; ``...`` is none at all."""
    scheme, _, rest = right.partition("://")
    return [
        f"{right}/",
        f"{right}.evil.example",
        f"{right}@evil.example",
        f"{right}/evil",
        f"https://evil.example/{right}",
        f"https://evil.example?{right}",
        right.upper(),
        f"{'https' if scheme == 'http' else 'http'}://{rest}",
        right[:-1],
        f" {right}",
        f"{right}\n",
        f"{right}\x00",
        rest,
        "",
        None,
        [right],
        ...,
    ]


async def test_L09_near_misses_of_the_issuer_are_refused(forge: Forge) -> None:
    for wrong in near_misses(BASE_URL):
        assert await forge.opens(forge.like(iss=wrong)) == {401}, wrong


async def test_L10_without_something_to_compare_with_nothing_starts(forge: Forge, mallory: RSAKey) -> None:
    for audience in (
        ...,
        None,
        "",
        [],
        [None],
        "sentinel",
        "sentinel:*",
        "sentinel:access,",
        ["sentinel:access"],
    ):
        assert await forge.opens(forge.like(aud=audience)) == {401}, audience
    pem = mallory.as_pem(private=False).decode()
    complete = {
        "TEST_TRUSTED_ISSUER_PUBKEY": pem,
        "TEST_TRUSTED_ISSUER": "https://issuer.example",
        "TEST_TRUSTED_AUDIENCE": "sentinel",
    }
    corporate = {
        "OIDC_PROVIDERS": "corp",
        "OIDC_CORP_CLIENT_ID": "an-id",
        "OIDC_CORP_CLIENT_SECRET": "a-secret",
        "OIDC_CORP_METADATA_URL": "https://idp.example.com/.well-known/openid-configuration",
    }
    for whole in (complete, corporate):
        Settings.load(whole, env_file=None)
        for name in whole:
            if name == "OIDC_PROVIDERS":
                continue
            for nothing in ("", "  "):
                with pytest.raises(SettingsError) as refused:
                    Settings.load(whole | {name: nothing}, env_file=None)
                assert any(name in problem.variable for problem in refused.value.problems), name
    with pytest.raises((SettingsError, ValidationError)):
        Settings.load({"BASE_URL": "nothing"}, env_file=None)
    # A provider of the world without its id or secret is not there, so nothing is compared with an empty value.
    half = Settings(google_client_id="an-id", github_client_id="an-id", entra_client_id="an-id")
    assert Providers(half, Outbound(), ManualClock()).names() == []


async def test_L18_a_token_is_bound_to_its_workspace_and_its_service(town: Town) -> None:
    stage, client = town.stage, town.stage.client
    mine, theirs = await town.token(), await town.token(town.stranger, town.elsewhere)
    for token, workspace in ((mine, town.elsewhere), (theirs, town.workspace)):
        for method, path in (
            ("GET", f"/workspaces/{workspace.id}"),
            ("GET", f"/workspaces/{workspace.id}/members"),
            ("GET", f"/workspaces/{workspace.id}/groups"),
            ("PATCH", f"/workspaces/{workspace.id}"),
            ("DELETE", f"/workspaces/{workspace.id}"),
            ("POST", f"/workspaces/{workspace.id}/groups"),
        ):
            answer = await client.request(method, path, headers=bearer(token), json={"name": "Mine"})
            assert answer.status_code in (403, 404), (method, path)
    # A claim that names another workspace does not make a member of anybody.
    forge = Forge(town, mine)
    foreign = forge.like(wid=str(town.elsewhere.id), wrole="owner")
    answer = await client.get(f"/workspaces/{town.elsewhere.id}/members", headers=bearer(foreign))
    assert answer.status_code == 403
    # An authz token serves the service that it was minted for.
    authz = await stage.authz_token(town.owner, town.workspace, "notes")
    for service, status in ((town.service, 200), (town.other_service, 403)):
        # About something of its own, so that nothing but the token is wrong.
        body = {"checks": [town.question() | {"service_name": service.app.service_name}]}
        answer = await client.post("/permissions/check", headers=service.headers | bearer(authz), json=body)
        assert answer.status_code == status
    foreign_question = {"checks": [town.question() | {"service_name": "wiki"}]}
    answer = await client.post("/permissions/check", headers=await town.as_owner(), json=foreign_question)
    assert answer.status_code == 403
    # What was revoked is exchanged for nothing.
    assert (await client.post("/auth/logout", headers=bearer(mine))).status_code in (200, 204)
    for door in ("/users/me", f"/workspaces/{town.workspace.id}/members"):
        assert (await client.get(door, headers=bearer(mine))).status_code == 401
