"""Signing keys, key names and the published key set (``tokens.md`` §2)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from sentinel import checklist
from sentinel.app import _reload_keys, create_app
from sentinel.core.clock import ManualClock
from sentinel.tokens.claims import TokenSubject, TokenType
from sentinel.tokens.issue import Issuer, Lifetimes
from sentinel.tokens.keyring import FileKeyring, KeyProblem, Keyring, generate_pair
from sentinel.tokens.verify import TokenRefused, Verifier
from tests.stage import BASE_URL, Keys, bearer, open_stage, settings_for

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Pair:
    """A key pair in files, with the private half for forging."""

    private: Path
    public: Path
    key: RSAKey

    @property
    def kid(self) -> str:
        return self.key.thumbprint()

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A token over ``claims`` signed by this key; ``header`` overrides its protected header."""
        return jwt.encode({"alg": "RS256", "kid": self.kid} | header, dict(claims), self.key)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Three key pairs; making one is slow, so they are shared and never changed."""
    folder = tmp_path_factory.mktemp("pairs")
    made = []
    for name in "abc":
        private, public = folder / f"{name}.pem", folder / f"{name}.pub"
        generate_pair(private, public, bits=2048)
        made.append(Pair(private, public, RSAKey.import_key(private.read_bytes())))
    return made


def keyring_of(pair: Pair, *previous: Pair) -> FileKeyring:
    return FileKeyring(pair.private, pair.public, [one.public for one in previous], clock=ManualClock())


def subject() -> TokenSubject:
    return TokenSubject(uuid4(), "ada@example.com", "Ada", 0, uuid4(), "acme", "viewer")


def issuer_of(keyring: Keyring, clock: ManualClock) -> Issuer:
    hour = timedelta(hours=1)
    return Issuer(keyring, BASE_URL, Lifetimes(hour, hour, hour, hour), clock)


def claims_in(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decoded(token.split(".")[1]))
    return found


def header_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decoded(token.split(".", maxsplit=1)[0]))
    return found


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumbprint(public: Path) -> str:
    """RFC 7638 §3 by hand, from the public numbers in a PEM file."""
    key = serialization.load_pem_public_key(public.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    numbers = key.public_numbers()
    members = {
        "e": encoded(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8)),
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
    }
    return encoded(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


# --- algorithm -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", [False, True])
async def test_K_1_any_other_algorithm_keeps_the_service_from_starting(
    stage_keys: Keys, tmp_path: Path, debug: bool
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'sentinel.db'}"
    for algorithm in ("HS256", "RS512", "none", "rs256"):
        settings = settings_for(url, stage_keys, jwt_algorithm=algorithm, debug=debug)
        refusals = checklist.refusals(await checklist.run(settings))
        assert ("C-11", "jwt_key_invalid") in {(found.id, found.reason) for found in refusals}, algorithm
    settings = settings_for(url, stage_keys, jwt_algorithm="RS256", debug=debug)
    assert "C-11" not in {found.id for found in await checklist.run(settings)}


def test_K_1_every_kind_of_token_is_rs256(pairs: list[Pair]) -> None:
    for token in one_of_each(issuer_of(keyring_of(pairs[0]), ManualClock())):
        assert header_of(token)["alg"] == "RS256"
        assert jws.deserialize_compact(token, pairs[0].key, algorithms=["RS256"])


def test_K_2_the_token_does_not_choose_the_algorithm(pairs: list[Pair]) -> None:
    """Rules: L06."""
    pair, clock = pairs[0], ManualClock()
    keyring = keyring_of(pair)
    verifier = Verifier(keyring, BASE_URL, clock)
    good = issuer_of(keyring, clock).access(subject()).token
    assert verifier.user(good, allow=[TokenType.ACCESS])
    claims = claims_in(good)
    header = {"kid": pair.kid}
    payload = good.split(".")[1]
    by_hmac = f"{encoded(json.dumps(header | {'alg': 'HS256'}).encode())}.{payload}"
    mac = hmac.digest(pair.public.read_bytes(), by_hmac.encode(), "sha256")
    tokens = [
        jwt.encode(header | {"alg": "RS512"}, claims, pair.key, algorithms=["RS512"]),
        jwt.encode(header | {"alg": "PS256"}, claims, pair.key, algorithms=["PS256"]),
        f"{by_hmac}.{encoded(mac)}",
        *(
            f"{encoded(json.dumps(header | {'alg': alg}).encode())}.{payload}."
            for alg in ("none", "None", "")
        ),
        f"{encoded(json.dumps(header).encode())}.{payload}.{good.split('.')[2]}",
        f"{encoded(json.dumps(header | {'alg': 'rs256'}).encode())}.{payload}.{good.split('.')[2]}",
        f"{encoded(json.dumps(header | {'alg': ['RS256']}).encode())}.{payload}.{good.split('.')[2]}",
    ]
    for token in tokens:
        with pytest.raises(TokenRefused):
            verifier.user(token, allow=[TokenType.ACCESS])


# --- names -----------------------------------------------------------------------------------------------------


def one_of_each(issuer: Issuer) -> Iterator[str]:
    person = subject()
    yield issuer.access(person).token
    yield issuer.refresh(user_id=person.user_id, family_id=uuid4(), epoch=0).token
    yield issuer.authz(person, idp_subject="s", scope="notes", actions=[]).token
    yield issuer.admin(user_id=person.user_id, email="a@example.com", name="Ada", epoch=0).token
    yield issuer.m2m(realm_slug="suite", caller="notes", target=None, lifetime=timedelta(seconds=60)).token


def test_K_3_kid_is_the_rfc_7638_thumbprint_in_every_header(pairs: list[Pair]) -> None:
    for pair in pairs:
        expected = thumbprint(pair.public)
        assert "=" not in expected
        issuer = issuer_of(keyring_of(pair), ManualClock())
        assert [header_of(token)["kid"] for token in one_of_each(issuer)] == [expected] * 5


def test_K_4_kid_is_the_same_on_every_instance_and_after_a_restart(pairs: list[Pair], tmp_path: Path) -> None:
    pair = pairs[0]
    # The same key written by another tool: another container, other line ends.
    private = serialization.load_pem_private_key(pair.private.read_bytes(), None)
    traditional = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (tmp_path / "private.pem").write_bytes(traditional.replace(b"\n", b"\r\n"))
    (tmp_path / "public.pem").write_bytes(pair.public.read_bytes() + b"\n")
    again = FileKeyring(tmp_path / "private.pem", tmp_path / "public.pem", [], clock=ManualClock())
    assert keyring_of(pair).kid == keyring_of(pair).kid == again.kid == pair.kid
    token = issuer_of(again, clock := ManualClock()).access(subject()).token
    assert Verifier(keyring_of(pair), BASE_URL, clock).user(token, allow=[TokenType.ACCESS])


def test_K_5_a_token_is_verified_by_the_key_that_it_names_and_by_no_other(pairs: list[Pair]) -> None:
    current, retired, stranger = pairs
    clock = ManualClock()
    keyring = keyring_of(current, retired)
    verifier = Verifier(keyring, BASE_URL, clock)
    claims = claims_in(issuer_of(keyring, clock).access(subject()).token)
    assert verifier.user(current.sign(claims), allow=[TokenType.ACCESS])
    unnamed = jwt.encode({"alg": "RS256"}, claims, current.key)
    refused = {
        unnamed: "missing_kid",
        current.sign(claims, kid=""): "unknown_kid",
        current.sign(claims, kid=stranger.kid): "unknown_kid",
        # The signature is right, but by another key of the set than the named one.
        current.sign(claims, kid=retired.kid): "bad_signature",
        retired.sign(claims, kid=current.kid): "bad_signature",
        stranger.sign(claims): "unknown_kid",
        stranger.sign(claims, kid=current.kid): "bad_signature",
    }
    for token, reason in refused.items():
        with pytest.raises(TokenRefused) as refusal:
            verifier.user(token, allow=[TokenType.ACCESS])
        assert (refusal.value.reason, refusal.value.forged) == (reason, True)


# --- the set and its rotation ----------------------------------------------------------------------------------


async def jwks(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await http.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys: list[dict[str, Any]] = answer.json()["keys"]
    return keys


async def test_K_6_and_K_8_retired_keys_verify_and_never_sign(sqlite_url: str, pairs: list[Pair]) -> None:
    current, retired, other = pairs
    keys = Keys(current.private, current.public, other.key)
    previous = (retired.public, other.public)
    async with open_stage(sqlite_url, keys, jwt_previous_public_key_paths=previous) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        fresh = await stage.access_token(user, workspace)
        assert header_of(fresh)["kid"] == current.kid
        for pair in (current, retired, other):
            token = pair.sign(claims_in(fresh))
            assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 200
        assert [key["kid"] for key in await jwks(stage.client)] == [current.kid, retired.kid, other.kid]
        assert {header_of(token)["kid"] for token in one_of_each(stage.state.issuer)} == {current.kid}


async def test_K_7_and_H3_key_set_is_public_complete_and_without_doubles(
    sqlite_url: str, pairs: list[Pair]
) -> None:
    current, retired, other = pairs
    keys = Keys(current.private, current.public, other.key)
    previous = (retired.public, current.public, retired.public)
    async with open_stage(sqlite_url, keys, jwt_previous_public_key_paths=previous) as stage:
        answer = await stage.client.get("/.well-known/jwks.json")
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert set(answer.json()) == {"keys"}
        for key, pair in zip(answer.json()["keys"], (current, retired), strict=True):
            public = pair.key.as_dict(private=False)
            assert key == {
                "kty": "RSA",
                "n": public["n"],
                "e": public["e"],
                "use": "sig",
                "alg": "RS256",
                "kid": pair.kid,
            }
        for private_member in ("d", "p", "q", "dp", "dq", "qi"):
            assert str(current.key.as_dict(private=True)[private_member]) not in answer.text


async def test_K_9_and_K_10_planned_and_emergency_rotation(sqlite_url: str, pairs: list[Pair]) -> None:
    old, new, _ = pairs
    async with open_stage(sqlite_url, Keys(old.private, old.public, old.key)) as before:
        user = await before.user()
        workspace = await before.workspace(user)
        token = await before.access_token(user, workspace)
        session = await before.session(user, workspace)
    keys = Keys(new.private, new.public, old.key)
    async with open_stage(sqlite_url, keys, jwt_previous_public_key_paths=(old.public,)) as planned:
        assert (await planned.client.get("/users/me", headers=bearer(token))).status_code == 200
        body = {"refresh_token": session.refresh.token}
        refreshed = await planned.client.post("/auth/refresh", json=body)
        assert refreshed.status_code == 200
        assert header_of(refreshed.json()["access_token"])["kid"] == new.kid
        assert header_of(refreshed.json()["refresh_token"])["kid"] == new.kid
    async with open_stage(sqlite_url, keys) as emergency:
        assert (await emergency.client.get("/users/me", headers=bearer(token))).status_code == 401
        fresh = bearer(refreshed.json()["access_token"])
        assert (await emergency.client.get("/users/me", headers=fresh)).status_code == 200
        assert [key["kid"] for key in await jwks(emergency.client)] == [new.kid]


class Files:
    """Key files of one running service that a test may replace."""

    def __init__(self, folder: Path, pair: Pair, previous: Pair) -> None:
        self.private, self.public = folder / "private.pem", folder / "public.pem"
        self.previous = folder / "previous.pem"
        self.put(pair, previous)

    def put(self, pair: Pair, previous: Pair) -> None:
        for path, source in (
            (self.private, pair.private),
            (self.public, pair.public),
            (self.previous, previous.public),
        ):
            self.replace(path, source.read_bytes())

    def replace(self, path: Path, content: bytes) -> None:
        """As tools do it: written beside, then moved over."""
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(path)


@pytest.fixture
def files(tmp_path: Path, pairs: list[Pair]) -> Files:
    return Files(tmp_path, pairs[0], pairs[0])


async def test_K_11_changed_key_files_are_in_force_within_a_minute(
    sqlite_url: str, pairs: list[Pair], files: Files
) -> None:
    old, new, _ = pairs
    keys = Keys(files.private, files.public, old.key)
    async with open_stage(sqlite_url, keys, jwt_previous_public_key_paths=(files.previous,)) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        token = await stage.access_token(user, workspace)
        assert [key["kid"] for key in await jwks(stage.client)] == [old.kid]
        files.put(new, old)
        stage.clock.advance(60)
        await _reload_keys(stage.state)
        assert [key["kid"] for key in await jwks(stage.client)] == [new.kid, old.kid]
        assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 200
        renewed = await stage.access_token(user, workspace)
        assert header_of(renewed)["kid"] == new.kid
        assert (await stage.client.get("/users/me", headers=bearer(renewed))).status_code == 200
        # The emergency: the old key goes without a restart, too.
        files.put(new, new)
        stage.clock.advance(60)
        await _reload_keys(stage.state)
        assert [key["kid"] for key in await jwks(stage.client)] == [new.kid]
        assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 401


async def test_K_11_half_written_files_change_nothing(
    sqlite_url: str, pairs: list[Pair], files: Files
) -> None:
    old, new, _ = pairs
    keys = Keys(files.private, files.public, old.key)
    async with open_stage(sqlite_url, keys, jwt_previous_public_key_paths=(files.previous,)) as stage:
        for path, content in (
            (files.private, new.private.read_bytes()),
            (files.private, b""),
            (files.public, new.public.read_bytes()),
            (files.previous, old.private.read_bytes()),
        ):
            files.put(old, old)
            files.replace(path, content)
            stage.clock.advance(60)
            with stage.events() as events:
                await _reload_keys(stage.state)
            told = [event for event in events if event["event"] == "app.config.insecure"]
            assert [(event["reason"], event["log_level"]) for event in told] == [
                ("jwt_key_invalid", "critical")
            ]
            assert [key["kid"] for key in await jwks(stage.client)] == [old.kid]
            assert stage.state.keyring.kid == old.kid
        # The other half arrives, and all of it is in force at once.
        files.put(new, old)
        stage.clock.advance(60)
        await _reload_keys(stage.state)
        assert [key["kid"] for key in await jwks(stage.client)] == [new.kid, old.kid]


def test_K_11_unchanged_files_are_not_read_again(pairs: list[Pair], files: Files) -> None:
    clock = ManualClock()
    keyring = FileKeyring(files.private, files.public, [files.previous], clock=clock)
    clock.advance(60)
    assert keyring.refresh() is False
    files.put(pairs[1], pairs[0])
    clock.advance(60)
    assert keyring.refresh() is True
    assert (keyring.kid, keyring.kids) == (pairs[1].kid, (pairs[1].kid, pairs[0].kid))
    clock.advance(60)
    assert keyring.refresh() is False


# --- unusable keys ---------------------------------------------------------------------------------------------


def pem(key: Any, *, password: bytes | None = None) -> bytes:
    protection: Any = serialization.NoEncryption()
    if password:
        protection = serialization.BestAvailableEncryption(password)
    content: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    return content


def public_pem(key: Any) -> bytes:
    content: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return content


def test_K_12_the_service_does_not_start_with_unusable_keys(pairs: list[Pair], tmp_path: Path) -> None:
    good, other = pairs[0], pairs[1]
    curve = ec.generate_private_key(ec.SECP256R1())
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    good_private, good_public = good.private.read_bytes(), good.public.read_bytes()
    locked = pem(serialization.load_pem_private_key(good_private, None), password=b"secret")
    cases: dict[str, tuple[bytes | None, bytes | None, bytes | None, str]] = {
        "no private key": (None, good_public, good_public, "private.pem cannot be read"),
        "no public key": (good_private, None, good_public, "public.pem cannot be read"),
        "no previous key": (good_private, good_public, None, "previous.pem cannot be read"),
        "private key is none": (b"x", good_public, good_public, "private.pem does not hold"),
        "public key is none": (good_private, b"x", good_public, "public.pem does not hold"),
        "locked": (locked, good_public, good_public, "private.pem does not hold an unencrypted"),
        "curve": (pem(curve), public_pem(curve), good_public, "private.pem holds a key that is not RSA"),
        "curve public": (good_private, public_pem(curve), good_public, "public.pem holds a key that is not"),
        "curve previous": (good_private, good_public, public_pem(curve), "previous.pem holds a key that is"),
        "small": (pem(small), public_pem(small), good_public, "private.pem holds an RSA key of 1024 bits"),
        "small previous": (good_private, good_public, public_pem(small), "previous.pem holds an RSA key of"),
        "mismatch": (good_private, other.public.read_bytes(), good_public, "not the public half"),
        "private as public": (good_private, good_private, good_public, "public.pem holds a private key"),
        "private as previous": (good_private, good_public, good_private, "previous.pem holds a private key"),
    }
    paths = [tmp_path / name for name in ("private.pem", "public.pem", "previous.pem")]
    keys = Keys(paths[0], paths[1], good.key)
    url = f"sqlite+aiosqlite:///{tmp_path}/db"
    settings = settings_for(url, keys, jwt_previous_public_key_paths=(paths[2],))
    for case, (*contents, fault) in cases.items():
        for path, content in zip(paths, contents, strict=True):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        # In development too.
        debug = case in ("no public key", "curve", "small", "mismatch")
        with pytest.raises(KeyProblem, match=fault) as problem:
            create_app(settings.model_copy(update={"debug": debug}))
        assert "BEGIN" not in str(problem.value), case
    for path, content in zip(paths, (good_private, good_public, good_public), strict=True):
        path.write_bytes(content)
    assert create_app(settings).state.keyring.kid == good.kid


# --- the interface ---------------------------------------------------------------------------------------------


class RemoteKeys:
    """A key that lives elsewhere, such as in a KMS: it signs, and its private half is never seen."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048)
        self.signed = 0

    @property
    def kid(self) -> str:
        return "projects/auth/keys/7"

    def sign(self, claims: Mapping[str, Any]) -> str:
        self.signed += 1
        return jwt.encode({"alg": "RS256", "kid": self.kid}, dict(claims), self._key)

    def verification_key(self, kid: str) -> RSAKey | None:
        public = RSAKey.import_key(self._key.as_dict(private=False))
        return public if kid == self.kid else None

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        return {"keys": []}


def test_K_14_another_key_store_can_stand_behind_the_interface() -> None:
    keys, clock = RemoteKeys(), ManualClock()
    issuer, verifier = issuer_of(keys, clock), Verifier(keys, BASE_URL, clock)
    person = subject()
    claims = verifier.user(issuer.access(person).token, allow=[TokenType.ACCESS])
    assert (claims.user_id, keys.signed) == (person.user_id, 1)
    family = uuid4()
    refresh = issuer.refresh(user_id=person.user_id, family_id=family, epoch=0)
    assert verifier.refresh(refresh.token).family_id == family
    assert (
        verifier.admin(
            issuer.admin(user_id=person.user_id, email="a@example.com", name="A", epoch=3).token
        ).epoch
        == 3
    )
