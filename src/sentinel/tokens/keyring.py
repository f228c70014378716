"""Signing keys: RSA only, named by RFC 7638 thumbprint, read from files that are followed (K-1 to K-14)."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel.core.clock import Clock

ALGORITHM = "RS256"
ALGORITHMS = [ALGORITHM]
"""K-2: the verification list is this constant, never the token's or the configuration's word."""

MINIMUM_BITS = 2048
RELOAD_SECONDS = 30
"""K-11 allows 60 s between a change of a key file and its effect; half of it leaves room."""

DEVELOPMENT_MARKER = ".development-keys"
"""A file beside generated development keys, one ``kid`` a line; production refuses keys named there."""
DEVELOPMENT_COMMENT = "# Sentinel Auth development key"


class KeyProblem(Exception):
    """A key file that cannot be used; the text names the file, the fault and the mend (K-12)."""


class Keyring(Protocol):
    """What the rest of the program sees of key material (K-14): a KMS can stand behind it as well as files."""

    @property
    def kid(self) -> str:
        """Name of the key that signs now."""
        ...

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS over ``claims``, signed RS256 with ``kid`` in its header (K-3)."""
        ...

    def verification_key(self, kid: str) -> RSAKey | None:
        """The public key of that name, or None when it is not in the current set (K-5, K-6)."""
        ...

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public set, current key first (K-7)."""
        ...


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """One consistent state of the key files."""

    signing: RSAKey
    public: Mapping[str, RSAKey]
    order: tuple[str, ...]

    @property
    def kid(self) -> str:
        return self.order[0]

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        return {"keys": [_public_jwk(self.public[kid], kid) for kid in self.order]}


def load_material(private_path: Path, public_path: Path, previous_paths: list[Path]) -> KeyMaterial:
    """Read and check all key files.

    Raises :class:`KeyProblem` for the first file that is unreadable, not RSA, under 2048 bits, of a pair that does
    not belong together, or a private key where a retired public one is expected (K-12).
    """
    private = _read_private(private_path)
    current = _read_public(public_path)
    if private.public_key().public_numbers() != current.public_numbers():
        raise KeyProblem(
            f"{public_path} is not the public half of {private_path}: write it again with "
            f"'openssl pkey -in {private_path} -pubout -out {public_path}'"
        )
    public: dict[str, RSAKey] = {}
    for key in (current, *(_read_public(path) for path in previous_paths)):
        jwk = RSAKey.import_key(key)
        public.setdefault(jwk.thumbprint(), jwk)
    signing = RSAKey.import_key(private)
    return KeyMaterial(signing=signing, public=MappingProxyType(public), order=tuple(public))


class FileKeyring:
    """Keys from PEM files. ``refresh()`` looks at the files at most every 30 s and swaps signing key, verification
    set and JWKS together (K-11); material that became unusable is reported and the old set stays in force.
    """

    def __init__(
        self, private_path: Path, public_path: Path, previous_paths: list[Path], *, clock: Clock
    ) -> None:
        self._paths = (private_path, public_path, list(previous_paths))
        self._clock = clock
        self._material = load_material(*self._paths)
        self._seen = self._fingerprint()
        self._looked_at = clock.timestamp()

    @property
    def kid(self) -> str:
        return self._material.kid

    @property
    def kids(self) -> tuple[str, ...]:
        """Every accepted key name, the current one first."""
        return self._material.order

    def sign(self, claims: Mapping[str, Any]) -> str:
        material = self._material
        header = {"alg": ALGORITHM, "kid": material.kid}
        return jwt.encode(header, dict(claims), material.signing, algorithms=ALGORITHMS)

    def verification_key(self, kid: str) -> RSAKey | None:
        return self._material.public.get(kid)

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        return self._material.jwks()

    def reload(self) -> None:
        """Read the files now. Raises :class:`KeyProblem` and changes nothing when they cannot be used."""
        seen = self._fingerprint()
        self._material = load_material(*self._paths)
        self._seen = seen

    def refresh(self) -> bool:
        """Reload when a file has changed; True when new material is in force. Cheap enough for every minute.

        Raises :class:`KeyProblem` when changed files cannot be used; the old set then stays in force.
        """
        now = self._clock.timestamp()
        if now - self._looked_at < RELOAD_SECONDS:
            return False
        self._looked_at = now
        if self._fingerprint() == self._seen:
            return False
        self.reload()
        return True

    def _fingerprint(self) -> tuple[tuple[int, int, int] | None, ...]:
        private, public, previous = self._paths
        return tuple(_stat(path) for path in (private, public, *previous))


def generate_pair(
    private_path: Path, public_path: Path, *, bits: int = 3072, development: bool = False
) -> str:
    """Write a fresh RSA pair, the private file readable by its owner alone, and return its ``kid``.

    With ``development`` the pair is marked so that production refuses it (``configuration.md`` §5, item 10).
    Raises :class:`FileExistsError` rather than overwrite a key.
    """
    for path in (private_path, public_path):
        if path.exists():
            raise FileExistsError(f"{path} exists already; a key is never overwritten")
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    comment = f"{DEVELOPMENT_COMMENT}\n".encode() if development else b""
    write_private(private_path, comment + private_pem)
    public_path.parent.mkdir(parents=True, exist_ok=True)
    public_path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    kid = RSAKey.import_key(key).thumbprint()
    if development:
        with (private_path.parent / DEVELOPMENT_MARKER).open("a", encoding="utf-8") as marker:
            marker.write(f"{kid}\n")
    return kid


def is_development_key(private_path: Path, kid: str) -> bool:
    """Whether the key was made for development: named in the marker file beside it, or commented so in its PEM."""
    marker = private_path.parent / DEVELOPMENT_MARKER
    if marker.is_file() and kid in marker.read_text(encoding="utf-8").split():
        return True
    return DEVELOPMENT_COMMENT in private_path.read_text(encoding="utf-8", errors="replace")


def readable_by_others(private_path: Path) -> bool:
    """Whether group or others may read the private key file."""
    return bool(private_path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def write_private(path: Path, content: bytes) -> None:
    """Create ``path`` with mode 0600 from its first moment; never overwrites."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _read_private(path: Path) -> rsa.RSAPrivateKey:
    pem = _read(path, "JWT_PRIVATE_KEY_PATH")
    try:
        key = _parse_private(pem)
    except (ValueError, TypeError) as error:
        raise KeyProblem(f"{path} does not hold an unencrypted private key in PEM form") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyProblem(f"{path} holds a key that is not RSA; generate one with 'sentinel keys generate'")
    _check_size(path, key.key_size)
    return key


@lru_cache(maxsize=1)
def _parse_private(pem: bytes) -> PrivateKeyTypes:
    # Most of the time goes into proving the primes, once for each key: a reload of the same file costs nothing.
    return serialization.load_pem_private_key(pem, password=None)


def _read_public(path: Path) -> rsa.RSAPublicKey:
    pem = _read(path, "JWT_PUBLIC_KEY_PATH or JWT_PREVIOUS_PUBLIC_KEY_PATHS")
    if b"PRIVATE KEY" in pem:
        raise KeyProblem(f"{path} holds a private key where a public one is expected")
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise KeyProblem(f"{path} does not hold a public key in PEM form") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyProblem(f"{path} holds a key that is not RSA")
    _check_size(path, key.key_size)
    return key


def _read(path: Path, variable: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyProblem(
            f"{path} cannot be read ({error.strerror}); check {variable} or run 'sentinel keys generate'"
        ) from error


def _check_size(path: Path, bits: int) -> None:
    if bits < MINIMUM_BITS:
        raise KeyProblem(f"{path} holds an RSA key of {bits} bits; at least {MINIMUM_BITS} are needed")


def _public_jwk(key: RSAKey, kid: str) -> dict[str, Any]:
    members = key.as_dict(private=False)
    return {
        "kty": "RSA",
        "n": members["n"],
        "e": members["e"],
        "use": "sig",
        "alg": ALGORITHM,
        "kid": kid,
    }


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
