"""C-11 and C-12 of ``configuration.md`` §3, and item 10 of §5: the signing keys."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws

from sentinel import checklist
from sentinel.core.clock import Clock
from sentinel.tokens.keyring import DEVELOPMENT_COMMENT, DEVELOPMENT_MARKER, FileKeyring

from .conftest import Pair, found, load, make_pair, reasons

pytestmark = pytest.mark.anyio

Variables = Mapping[str, str]
REFUSED = [("C-11", "jwt_key_invalid", "refuse")]


@pytest.fixture
def own_pair(tmp_path: Path, pair: Pair) -> Pair:
    """A copy of the production pair that the test may spoil."""
    for path in (pair.private, pair.public):
        shutil.copy2(path, tmp_path / path.name)
    return Pair(tmp_path / "private.pem", tmp_path / "public.pem", pair.kid)


def write(folder: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, str]:
    private, public = folder / "private.pem", folder / "public.pem"
    private.touch(0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return {"JWT_PRIVATE_KEY_PATH": str(private), "JWT_PUBLIC_KEY_PATH": str(public)}


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS512", "rs256", ""])
async def test_C_11_algorithm(production: Variables, algorithm: str) -> None:
    assert await reasons(production, JWT_ALGORITHM=algorithm) == REFUSED


@pytest.mark.parametrize("variable", ["JWT_PRIVATE_KEY_PATH", "JWT_PUBLIC_KEY_PATH"])
@pytest.mark.parametrize("path", ["none.pem", ".", "bad\x00name"])
async def test_C_11_file_that_cannot_be_read(
    production: Variables, tmp_path: Path, variable: str, path: str
) -> None:
    assert await reasons(production, **{variable: f"{tmp_path}/{path}"}) == REFUSED
    assert await reasons(production, **{variable: path}) == REFUSED


async def test_C_11_file_that_holds_something_else(production: Variables, own_pair: Pair) -> None:
    own_pair.private.write_text("c4nary")
    [one] = await found(production, **own_pair.variables())
    assert (one.id, one.verdict) == ("C-11", "refuse")
    assert "c4nary" not in str(one)


async def test_C_11_and_T10_small_rsa(production: Variables, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    [one] = await found(production, **write(tmp_path, key))
    assert (one.id, one.verdict) == ("C-11", "refuse") and "1024 bits" in one.seen


async def test_C_11_and_T10_key_that_is_not_rsa(production: Variables, tmp_path: Path) -> None:
    assert await reasons(production, **write(tmp_path, ec.generate_private_key(ec.SECP256R1()))) == REFUSED


async def test_C_11_and_T10_pair_that_does_not_belong_together(
    production: Variables, own_pair: Pair, development_pair: Pair
) -> None:
    shutil.copy(development_pair.public, own_pair.public)
    [one] = await found(production, **own_pair.variables())
    assert (one.id, one.verdict) == ("C-11", "refuse") and "not the public half" in one.seen


async def test_C_11_previous_keys(production: Variables, tmp_path: Path, pair: Pair) -> None:
    other = make_pair(tmp_path)
    for path in (tmp_path / "none.pem", other.private):
        assert await reasons(production, JWT_PREVIOUS_PUBLIC_KEY_PATHS=str(path)) == REFUSED
    assert await found(production, JWT_PREVIOUS_PUBLIC_KEY_PATHS=f"{other.public},{pair.public}") == []


async def test_C_11_is_refused_in_development_too(production: Variables) -> None:
    assert await reasons(production, DEBUG="true", JWT_ALGORITHM="none") == REFUSED


async def test_C_12_and_T10_key_of_the_development_set_up(
    production: Variables, development_pair: Pair
) -> None:
    expected = [("C-12", "dev_jwt_key", "refuse")]
    assert await reasons(production, **development_pair.variables()) == expected


async def test_C_12_comment_alone_and_marker_alone_are_enough(production: Variables, own_pair: Pair) -> None:
    expected = [("C-12", "dev_jwt_key", "refuse")]
    pem = own_pair.private.read_text()
    own_pair.private.write_text(f"{DEVELOPMENT_COMMENT}\n{pem}")
    assert await reasons(production, **own_pair.variables()) == expected
    own_pair.private.write_text(pem)
    assert await found(production, **own_pair.variables()) == []
    (own_pair.private.parent / DEVELOPMENT_MARKER).write_text(f"some-other-key\n{own_pair.kid}\n")
    assert await reasons(production, **own_pair.variables()) == expected


async def test_C_12_a_link_does_not_hide_the_marker(
    production: Variables, own_pair: Pair, tmp_path: Path
) -> None:
    (tmp_path / DEVELOPMENT_MARKER).write_text(own_pair.kid)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "private.pem"
    link.symlink_to(own_pair.private)
    variables = own_pair.variables() | {"JWT_PRIVATE_KEY_PATH": str(link)}
    assert await reasons(production, **variables) == [("C-12", "dev_jwt_key", "refuse")]


async def test_C_12_a_marker_that_cannot_be_read_is_no_pass(production: Variables, own_pair: Pair) -> None:
    (own_pair.private.parent / DEVELOPMENT_MARKER).write_bytes(b"\xff\xfe")
    assert await reasons(production, **own_pair.variables()) == [("C-12", "dev_jwt_key", "refuse")]


async def test_C_12_a_retired_development_key_is_told(production: Variables, development_pair: Pair) -> None:
    changes = {"JWT_PREVIOUS_PUBLIC_KEY_PATHS": str(development_pair.public)}
    assert await reasons(production, **changes) == [("C-12", "dev_jwt_key", "warn")]


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o604, True), (0o600, False)])
async def test_C_12_permissions(production: Variables, own_pair: Pair, mode: int, warned: bool) -> None:
    own_pair.private.chmod(mode)
    expected = [("C-12", "jwt_key_permissions", "warn")] if warned else []
    assert await reasons(production, **own_pair.variables()) == expected


def shell(command: str, folder: Path) -> str:
    """What ``command`` prints when it is pasted into a shell in ``folder``."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S602
        command, shell=True, check=True, capture_output=True, text=True, cwd=folder, env={"PATH": path}
    )
    return done.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
async def test_T10_keys_made_with_openssl_are_accepted(production: Variables, tmp_path: Path) -> None:
    shell(
        "umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.pem; "
        "openssl pkey -in private.pem -pubout -out public.pem",
        tmp_path,
    )
    variables = {
        "JWT_PRIVATE_KEY_PATH": str(tmp_path / "private.pem"),
        "JWT_PUBLIC_KEY_PATH": str(tmp_path / "public.pem"),
    }
    assert await found(production, **variables) == []


async def test_T10_the_command_of_the_remedy_makes_a_pair_that_is_accepted(
    production: Variables, tmp_path: Path
) -> None:
    folder = tmp_path / "run" / "my secrets"
    variables = {
        "JWT_PRIVATE_KEY_PATH": str(folder / "private.pem"),
        "JWT_PUBLIC_KEY_PATH": str(folder / "public.pem"),
    }
    [one] = await found(production, **variables)
    shell(one.remedy, tmp_path)
    assert await found(production, **variables) == []


async def test_T10_the_remedy_never_overwrites_a_key(production: Variables, tmp_path: Path) -> None:
    development = make_pair(tmp_path, development=True)
    before = development.private.read_bytes()
    [one] = await found(production, **development.variables())
    fresh = dict(re.findall(r"(JWT_\w+)=(\S+)", shell(one.remedy, tmp_path)))
    assert development.private.read_bytes() == before
    assert len(fresh) == 2 and await found(production, **fresh) == []


async def test_T10_kid_of_the_jwks_is_that_of_a_fresh_token(production: Variables) -> None:
    settings = load(production)
    assert checklist.refusals(await checklist.run(settings)) == []
    keyring = FileKeyring(settings.jwt_private_key_path, settings.jwt_public_key_path, [], clock=Clock())
    token = keyring.sign({"sub": "somebody"})
    assert jws.extract_compact(token.encode()).headers()["kid"] == keyring.jwks()["keys"][0]["kid"]
