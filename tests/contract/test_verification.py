"""Tokens that come back to us, at the doors of every tier that takes one (``tokens.md`` §3)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.tokens.claims import TokenType
from sentinel.tokens.models import RevokedToken
from sentinel.tokens.verify import TokenRefused
from sentinel.workspaces.models import Workspace
from tests.stage import BASE_URL, Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

DOORS = ("user", "flex", "flex with key", "slot", "service and user", "service, maybe user")


@dataclass(frozen=True)
class World:
    """A member of a workspace, a service with a key, and their doors."""

    stage: Stage
    user: User
    workspace: Workspace
    notes: Service
    doors: Iterator[str] = field(default_factory=lambda: cycle(DOORS))

    async def knock(self, token: str | bytes) -> dict[str, httpx.Response]:
        """Show ``token`` at one door of each kind that takes a user token."""
        return {door: await self.knock_at(door, token) for door in DOORS}

    async def knock_at(self, door: str, token: str | bytes) -> httpx.Response:
        http, key = self.stage.client, self.notes.headers
        raw = token if isinstance(token, bytes) else token.encode()
        shown = [(b"Authorization", b"Bearer " + raw)]
        if door in ("flex with key", "service and user", "service, maybe user"):
            shown += [(name.encode(), value.encode()) for name, value in key.items()]
        match door:
            case "user":
                return await http.get("/workspaces", headers=shown)
            case "flex" | "flex with key":
                return await http.get("/users/me", headers=shown)
            case "slot":
                return await http.get("/users/me", headers=[(b"X-Authz-Token", raw)])
            case "service and user":
                return await http.post("/permissions/accessible", headers=shown, json=self.wish)
            case "service, maybe user":
                path = f"/permissions/{uuid4()}/visibility"
                return await http.patch(path, headers=shown, json={"visibility": "private"})
        raise ValueError(door)

    @property
    def wish(self) -> dict[str, Any]:
        return {
            "service_name": "notes",
            "resource_type": "document",
            "action": "view",
            "workspace_id": str(self.workspace.id),
        }

    async def statuses(self, token: str | bytes) -> dict[str, int]:
        return {door: answer.status_code for door, answer in (await self.knock(token)).items()}

    async def refused_everywhere(self, token: str | bytes, case: object = None) -> None:
        for door, answer in (await self.knock(token)).items():
            assert answer.status_code == 401, (case, door, answer.text)
            assert answer.headers["www-authenticate"] == "Bearer"

    async def refused(self, token: str | bytes, case: object = None) -> None:
        """As :meth:`refused_everywhere`, quicker: by the verifier itself, and at one door after the other."""
        if isinstance(token, str):
            for kind in (TokenType.ACCESS, TokenType.AUTHZ):
                with pytest.raises(TokenRefused):
                    self.stage.state.verifier.user(token, allow=[kind])
        door = next(self.doors)
        answer = await self.knock_at(door, token)
        assert answer.status_code == 401, (case, door, answer.text)

    async def access(self, **changes: Any) -> str:
        """An access token with changed claims; a value of ``...`` takes a claim out."""
        return self.signed(await self.stage.access_token(self.user, self.workspace), **changes)

    async def authz(self, **changes: Any) -> str:
        return self.signed(await self.stage.authz_token(self.user, self.workspace, "notes"), **changes)

    def signed(self, token: str, **changes: Any) -> str:
        claims = {name: value for name, value in (claims_in(token) | changes).items() if value is not ...}
        signed: str = self.stage.state.keyring.sign(claims)
        return signed

    async def accepted(self, token: str) -> bool:
        answer = await self.stage.client.get("/users/me", headers=bearer(token))
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200


ACCESS_DOORS = dict(zip(DOORS, (200, 200, 200, 401, 200, 404), strict=True))
AUTHZ_DOORS = dict(zip(DOORS, (401, 401, 200, 200, 200, 404), strict=True))


async def furnish(stage: Stage) -> World:
    user = await stage.user()
    return World(stage, user, await stage.workspace(user), await stage.service("notes"))


@pytest.fixture
async def world(stage: Stage) -> World:
    return await furnish(stage)


@pytest.fixture
async def offline(anyio_backend: Any, sqlite_url: str, stage_keys: Keys) -> AsyncIterator[World]:
    """A world for what is refused before any database is asked: once is enough."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        yield await furnish(stage)


def claims_in(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def encoded(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


# --- claims ----------------------------------------------------------------------------------------------------


async def test_VR_2_and_VR_4_every_door_takes_its_own_kinds_only(offline: World) -> None:
    """Rules: VR-11."""
    assert await offline.statuses(await offline.access()) == ACCESS_DOORS
    assert await offline.statuses(await offline.authz()) == AUTHZ_DOORS
    # The two marks of a kind have to agree: neither the audience nor the type is enough.
    kinds = list(TokenType)
    for token in (await offline.access(), await offline.authz()):
        own = claims_in(token)["type"]
        for kind in kinds:
            if kind != own:
                await offline.refused(offline.signed(token, type=kind.value), (own, "type", kind))
                await offline.refused(offline.signed(token, aud=kind.audience), (own, "aud", kind))
        for type_ in (..., None, "", "ACCESS", ["access"], "user"):
            await offline.refused(offline.signed(token, type=type_), ("type", type_))
        for audience in (..., None, "", "sentinel", "sentinel:", [claims_in(token)["aud"]], BASE_URL):
            await offline.refused(offline.signed(token, aud=audience), ("aud", audience))


async def test_VR_1_issuer_is_the_base_url_exactly(offline: World) -> None:
    wrong = [
        ...,
        None,
        "",
        f"{BASE_URL}/",
        BASE_URL.upper(),
        BASE_URL.replace("http:", "https:"),
        f"{BASE_URL}.example.com",
        BASE_URL.rpartition(":")[0],
        [BASE_URL],
        f" {BASE_URL}",
    ]
    for issuer in wrong:
        for token in (await offline.access(iss=issuer), await offline.authz(iss=issuer)):
            await offline.refused(token, issuer)


async def test_VR_3_expiry_and_issue_time_are_required_and_whole_seconds(offline: World) -> None:
    now = offline.stage.clock.timestamp()
    for name in ("exp", "iat"):
        for value in (..., None, "", str(now + 60), now + 60.5, True, [now + 60]):
            await offline.refused(await offline.access(**{name: value}), (name, value))
    await offline.refused(await offline.access(exp=now - 10), "expired before any leeway")
    await offline.refused(await offline.access(iat=now + 11), "issued after any leeway")
    assert await offline.accepted(await offline.access(exp=now + 1, iat=now))


async def test_VR_3_a_token_ends_with_its_life(offline: World) -> None:
    settings, clock = offline.stage.settings, offline.stage.clock
    access, authz = await offline.access(), await offline.authz()
    assert claims_in(access)["exp"] - claims_in(access)["iat"] == settings.access_token_expire_minutes * 60
    assert claims_in(authz)["exp"] - claims_in(authz)["iat"] == settings.authz_token_expire_minutes * 60
    clock.advance(claims_in(authz)["exp"] - clock.timestamp() - 1)
    assert await offline.statuses(authz) == AUTHZ_DOORS
    clock.advance(1 + 10)
    await offline.refused_everywhere(authz)
    clock.advance(claims_in(access)["exp"] - clock.timestamp() - 1)
    assert await offline.accepted(access)
    clock.advance(1 + 10)
    await offline.refused_everywhere(access)


async def test_VR_5_claims_of_a_person_must_be_there_and_must_parse(offline: World) -> None:
    """Rules: VR-9."""
    wrong: dict[str, list[Any]] = {
        "sub": [..., None, "", "x", 7, str(offline.user.id)[:-1], [str(offline.user.id)]],
        "wid": [..., None, "", "acme", 7, f"{offline.workspace.id}0"],
        "wrole": [..., None, "", "Owner", "superuser", 3, ["owner"]],
        "jti": [..., None, "", "x", 7],
        "ep": [..., None, "", "0", 0.5, False],
    }
    for name, values in wrong.items():
        for value in values:
            await offline.refused(await offline.access(**{name: value}), (name, value))
        await offline.refused(await offline.authz(**{name: ...}), name)
    for name in ("svc", "idp_sub"):
        for value in (..., None, "", 7, ["notes"]):
            await offline.refused(await offline.authz(**{name: value}), (name, value))
    for role in ("viewer", "editor", "admin", "owner"):
        assert await offline.accepted(await offline.access(wrole=role))


async def test_VR_6_a_long_token_is_refused_before_it_is_decoded(offline: World) -> None:
    good = await offline.access()
    room = (8192 - len(good)) * 3 // 4
    padded = await offline.access(pad="x" * (room - 24))
    assert 8140 < len(padded) <= 8192
    assert await offline.accepted(padded)
    long = await offline.access(pad="x" * 8192)
    with offline.stage.events() as events:
        await offline.refused(long)
        await offline.refused("x" * 8193)
    reasons = {event["reason"] for event in events if event["event"] == "auth.guard.rejected"}
    assert reasons == {"too_long"}


# --- garbage and tricks (L05 to L08) ---------------------------------------------------------------------------


async def test_L05_garbage_is_401_everywhere(offline: World) -> None:
    good = await offline.access()
    head, payload, signature = good.split(".")
    deep = encoded('{"alg":"RS256","kid":' + "[" * 4000)
    garbage: list[str | bytes] = [
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}..{signature}",
        f".{payload}.{signature}",
        f"{head}.{payload}.{signature}.",
        f"{head}.{payload}.{signature}.{signature}.{signature}",
        f"{head}.{payload}.{signature[:-3]}",
        f"{head}.{payload[:-1]}.{signature}",
        f"{head}={payload}.{signature}",
        f"{encoded('null')}.{payload}.{signature}",
        f"{encoded('[]')}.{payload}.{signature}",
        f"{encoded('{}')}.{payload}.{signature}",
        f"{encoded('{')}.{payload}.{signature}",
        f"{deep}.{payload}.{signature}",
        f"{good} {good}",
        f"Bearer {good}",
        good.upper(),
        b"\xff\xfe\xfd",
        b"\xc3\xa9." + payload.encode() + b"." + signature.encode(),
    ]
    for token in garbage:
        await offline.refused(token, token)
    key = RSAKey.import_key(offline.stage.settings.jwt_private_key_path.read_bytes())
    for raw in ("null", "[]", '"text"', "7", "{", "", "[" * 2000):
        signed = signed_raw(key, raw)
        await offline.refused(signed, raw)
    assert await offline.accepted(good)


def signed_raw(key: RSAKey, payload: str) -> str:
    """A rightly signed token over any text."""
    return jws.serialize_compact({"alg": "RS256", "kid": key.thumbprint()}, payload, key)


async def test_L05_a_header_that_is_no_bearer_token_is_401(offline: World) -> None:
    good = await offline.access()
    values: list[Any] = [
        None,
        "",
        "Bearer",
        "Bearer ",
        good,
        f"bearer {good}",
        f"BEARER {good}",
        f"Token {good}",
        f"Basic {good}",
        f"Bearer\t{good}",
        f"Bearer {good}, Bearer {good}",
    ]
    for value in values:
        headers = {} if value is None else {"Authorization": value}
        for path, extra in (("/workspaces", {}), ("/users/me", {}), ("/users/me", offline.notes.headers)):
            answer = await offline.stage.client.get(path, headers=headers | extra)
            assert answer.status_code == 401, (value, path, answer.text)
        answer = await offline.stage.client.post(
            "/permissions/accessible", headers=headers | offline.notes.headers, json=offline.wish
        )
        assert answer.status_code == 401, (value, answer.text)
    twice = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
    assert (await offline.stage.client.get("/workspaces", headers=twice)).status_code == 401


async def test_L06_another_algorithm_is_401_everywhere(offline: World) -> None:
    """Rules: K-2."""
    good = await offline.access()
    _, payload, signature = good.split(".")
    kid = offline.stage.state.keyring.kid
    key = RSAKey.import_key(offline.stage.settings.jwt_private_key_path.read_bytes())
    for alg in ("none", "None", "NONE", "", "HS256", "rs256"):
        header = encoded(json.dumps({"alg": alg, "kid": kid}))
        await offline.refused(f"{header}.{payload}.", alg)
        await offline.refused(f"{header}.{payload}.{signature}", alg)
    for alg in ("RS384", "RS512", "PS256"):
        other = jwt.encode({"alg": alg, "kid": kid}, claims_in(good), key, algorithms=[alg])
        await offline.refused(other, alg)


async def test_L07_a_key_in_the_header_is_never_used(offline: World) -> None:
    own = RSAKey.generate_key(2048)
    claims = claims_in(await offline.access())
    public = own.as_dict(private=False)
    kid = offline.stage.state.keyring.kid
    headers: list[Mapping[str, Any]] = [
        {"jwk": public},
        {"kid": kid, "jwk": public},
        {"kid": own.thumbprint(), "jwk": public},
        {"kid": kid, "jku": "https://evil.example.com/jwks.json"},
        {"kid": kid, "x5u": "https://evil.example.com/cert.pem"},
        {"kid": kid, "x5c": ["MIIB"]},
        {"kid": "../../../../dev/null"},
        {"kid": str(offline.stage.settings.jwt_public_key_path)},
        {"kid": "' OR '1'='1"},
        {"kid": f"{kid}\u0000"},
        {"kid": [kid]},
        {"kid": {"kid": kid}},
        {"kid": 0},
        {"kid": None},
    ]
    for header in headers:
        text = json.dumps({"alg": "RS256", **header})
        await offline.refused(by_hand(own, text, claims), header)


async def test_L08_critical_extensions_are_refused(offline: World) -> None:
    key = RSAKey.import_key(offline.stage.settings.jwt_private_key_path.read_bytes())
    claims = claims_in(await offline.access())
    kid = offline.stage.state.keyring.kid
    extensions: list[dict[str, Any]] = [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"crit": None},
    ]
    for extension in extensions:
        text = json.dumps({"alg": "RS256", "kid": kid, **extension})
        await offline.refused(by_hand(key, text, claims), extension)
    # The same by hand without the extension is accepted, so the signature was not what was refused.
    assert await offline.accepted(by_hand(key, json.dumps({"alg": "RS256", "kid": kid}), claims))


def by_hand(key: RSAKey, header: str, claims: Mapping[str, Any]) -> str:
    """A token with any header, signed RSASSA-PKCS1-v1_5 with SHA-256 past every check of the library."""
    signed = f"{encoded(header)}.{encoded(json.dumps(claims))}"
    private: Any = key.private_key
    signature = private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


# --- what only the database knows ------------------------------------------------------------------------------


async def test_VR_7_a_token_on_the_denylist_is_refused_and_no_other(world: World) -> None:
    for token, doors in ((await world.access(), ACCESS_DOORS), (await world.authz(), AUTHZ_DOORS)):
        sibling = world.signed(token, jti=str(uuid4()))
        jti = UUID(claims_in(token)["jti"])
        later = world.stage.clock.now() + timedelta(hours=1)
        await world.stage.execute(sa.insert(RevokedToken).values(jti=jti, expires_at=later))
        await world.refused_everywhere(token)
        assert await world.statuses(sibling) == doors


async def test_VR_8_a_deactivated_or_deleted_person_is_refused_at_once(world: World) -> None:
    access, authz = await world.access(), await world.authz()
    by_id = User.id == world.user.id
    await world.stage.execute(sa.update(User).where(by_id).values(is_active=False))
    for token in (access, authz):
        await world.refused_everywhere(token)
    await world.stage.execute(sa.update(User).where(by_id).values(is_active=True))
    assert await world.statuses(access) == ACCESS_DOORS
    assert await world.statuses(authz) == AUTHZ_DOORS
    await world.stage.execute(sa.delete(User).where(by_id))
    for token in (access, authz):
        await world.refused_everywhere(token)


async def test_VR_9_a_token_of_an_earlier_epoch_is_refused(world: World) -> None:
    stage = world.stage
    session = await stage.session(world.user, world.workspace)
    old = [await world.access(), await world.authz()]
    admin = stage.state.issuer.admin(user_id=world.user.id, email="a@example.com", name="A", epoch=0).token
    for token in (*old, session.refresh.token, admin):
        assert claims_in(token)["ep"] == 0
    # The revocation and the new sign-in fall into one second: a counter, not a time.
    await stage.execute(sa.update(User).where(User.id == world.user.id).values(token_epoch=1))
    for token in old:
        await world.refused_everywhere(token)
    refused = await stage.client.post("/auth/refresh", json={"refresh_token": session.refresh.token})
    assert refused.status_code == 401
    assert stage.state.verifier.admin(admin).epoch == 0, "what the panel compares with the row"
    fresh = await world.access()
    assert (claims_in(fresh)["ep"], claims_in(fresh)["iat"]) == (1, claims_in(old[0])["iat"])
    assert await world.statuses(fresh) == ACCESS_DOORS
    assert await world.statuses(await world.authz()) == AUTHZ_DOORS


async def test_VR_9_no_increment_is_lost_when_revocations_meet(world: World) -> None:
    async def revoke() -> None:
        async with world.stage.state.database.transaction() as session:
            await users.revoke(session, world.user.id, actor_id=None, now=world.stage.clock.now())

    await asyncio.gather(*(revoke() for _ in range(10)))
    (user,) = await world.stage.all(User, User.id == world.user.id)
    assert user.token_epoch == 10


# --- other kinds of token -------------------------------------------------------------------------------------


async def test_VR_13_tokens_of_other_kinds_are_never_a_person(world: World) -> None:
    stage, issuer = world.stage, world.stage.state.issuer
    session = await stage.session(world.user, world.workspace)
    others = {
        "refresh": session.refresh.token,
        "admin": issuer.admin(user_id=world.user.id, email="a@example.com", name="A", epoch=0).token,
        "m2m": issuer.m2m(
            realm_slug="notes", caller="notes", target=None, lifetime=timedelta(minutes=5)
        ).token,
    }
    item = world.wish | {"resource_id": str(uuid4())}
    body = item | {"checks": [item]}
    for kind, token in others.items():
        headers = bearer(token) | {"X-Authz-Token": token, "Cookie": f"admin_token={token}"}
        for path, methods in stage.app.api.openapi()["paths"].items():
            if not path.startswith(GUARDED):
                continue
            for method in methods:
                where = path.format_map(Ids())
                answer = await stage.client.request(
                    method.upper(), where, headers=headers, json=body, params=world.wish
                )
                assert answer.status_code == 401, (kind, method, path, answer.text)
        await world.refused_everywhere(token, kind)
        # Not even with all the claims of a person.
        full = claims_in(await world.access()) | {name: claims_in(token)[name] for name in ("aud", "type")}
        await world.refused_everywhere(stage.state.keyring.sign(full), kind)
    for token in (await world.access(), await world.authz(), others["refresh"], others["m2m"]):
        with pytest.raises(TokenRefused):
            stage.state.verifier.admin(token)
        with pytest.raises(TokenRefused):
            stage.state.verifier.admin(world.signed(token, admin=True))
    for admin in (..., False, None, 1, "true"):
        with pytest.raises(TokenRefused):
            stage.state.verifier.admin(world.signed(others["admin"], admin=admin))


GUARDED = ("/users", "/workspaces", "/permissions", "/roles", "/auth/logout")
"""Where persons and services are asked who they are."""


class Ids(dict[str, str]):
    """Any variable of a path as a fresh id."""

    def __missing__(self, name: str) -> str:
        return "notes" if name in ("service_name", "resource_type", "provider") else str(uuid4())


async def test_VR_2_a_token_has_one_spelling(stage: Stage) -> None:
    """What would decode to the same bytes is another text, and is no token of ours (RFC 7515 §2)."""
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    token = await stage.access_token(owner, workspace)
    head, payload, signature = token.split(".")
    for _ in range(2):
        stage.state.verifier.user(token, allow=[TokenType.ACCESS])
    others = [
        f"{head}.{payload}.{signature}=",
        f"{head}.{payload}.{signature}==",
        f"{head}.{payload}.{signature}\n",
        f"{head}.{payload} .{signature}",
        f"{head}.{payload}é.{signature}",
        f"{head}.{payload}.{signature}.{signature}",
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}..{signature}",
        f".{payload}.{signature}",
        f"{head}.{payload}.{signature}AAAAA",
    ]
    if set("-_") & set(token):
        others.append(token.replace("-", "+").replace("_", "/"))
    for other in others * 2:
        with pytest.raises(TokenRefused):
            stage.state.verifier.user(other, allow=[TokenType.ACCESS])
    assert list(stage.state.verifier._remembered) == [sha256(token.encode()).digest()]
