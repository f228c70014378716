"""Secrets that were ever committed (``configuration.md`` §5, item 8): the history of a repository, searched.

Two kinds of things are looked for: the very values that this installation uses, and whatever has the shape of a
credential of this product. Nothing that is found is ever handed on, only where it lies and what it is.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sentinel.apps import keys
from sentinel.checklist.facts import database_options
from sentinel.checklist.finding import Verdict, printable
from sentinel.checklist.repository import Place, Repository
from sentinel.checklist.storage import DEV_DATABASE_PASSWORD, DEV_REDIS_PASSWORDS
from sentinel.settings import DEV_SESSION_SECRET, Settings
from sentinel.tokens.keyring import ALGORITHMS, KeyMaterial, KeyProblem, load_material

SHORTEST = 8
"""Shorter values stand in too many texts by chance; the checklist refuses or warns of them anyway."""

REMEDIES: Mapping[str, str] = {
    "session_secret": "replace SESSION_SECRET_KEY, and do not keep the old one in SESSION_SECRET_KEY_PREVIOUS",
    "database_password": "give the role of DATABASE_URL another password",
    "redis_password": "give the user of REDIS_URL another password",
    "client_secret": "make a new client secret at the provider and delete the old one",
    "signing_key": "sentinel keys rotate --emergency",
    "service_key": "rotate the key of the service: sentinel apps rotate-key",
    "private_key": "replace the key wherever it is in use",
    "token": "end the sessions of the person (panel, Users, Revoke tokens)",
}
"""What to do about each kind. Taking a value out of the history alone helps nobody: it has been read."""

OWN = frozenset({"session_secret", "database_password", "redis_password", "client_secret", "signing_key"})
"""Kinds that are values of this installation, in use now: these cannot be declared known."""

_KEY = re.compile(keys.SHAPE.pattern.encode())
_TOKEN = re.compile(rb"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,6000}\.[\w-]{80,1400}")
_PEM = re.compile(
    rb"-----BEGIN ((?:[A-Z]+ )?)PRIVATE KEY-----[A-Za-z0-9+/=\s\\rn]{100,20000}?-----END \1PRIVATE KEY-----"
)


@dataclass(frozen=True, slots=True)
class Leak:
    """One secret in one file: what it is, and the first commit that has it there."""

    kind: str
    verdict: Verdict
    commit: str
    path: str


@dataclass(frozen=True, slots=True)
class Search:
    """The outcome of a search: what was found, how much was read, and whether the history is cut off."""

    leaks: list[Leak]
    commits: int
    objects: int
    is_shallow: bool


def search(folder: Path, settings: Settings, *, key_hashes: Collection[str] | None, now: datetime) -> Search:
    """Search all commits of the repository in ``folder``, on all branches and tags.

    ``key_hashes`` are the hashes of the service keys in use; with them keys from before the checksum are recognised
    too, and one that is not in use any more only warns. None when they are not known. Raises
    :class:`~sentinel.checklist.repository.NotReadable`.
    """
    repository = Repository(folder)
    places: dict[str, dict[str, Place]] = {}
    for name, place in repository.objects():
        places.setdefault(name, {}).setdefault(place.path, place)
    watch = Watch(settings, key_hashes, now)
    found: dict[tuple[str, str, bytes], Leak] = {}
    for name, content in repository.contents(places):
        for kind, verdict, value in watch.look(content):
            mark = hashlib.sha256(value).digest()
            for place in places[name].values():
                leak = Leak(kind, verdict, place.commit, printable(place.path))
                found.setdefault((kind, place.path, mark), leak)
    return Search(list(dict.fromkeys(found.values())), repository.commits, len(places), repository.is_shallow)


class Watch:
    """What is looked for, made once for a whole history."""

    def __init__(self, settings: Settings, key_hashes: Collection[str] | None, now: datetime) -> None:
        self._now = now
        self._key_hashes = key_hashes
        self._material = _material(settings)
        self._values = {
            form: (kind, value)
            for kind, value in own_values(settings)
            if len(value) >= SHORTEST
            for form in _forms(value.encode())
        }

    def look(self, content: bytes) -> Iterator[tuple[str, Verdict, bytes]]:
        """Kind, verdict and value of each secret in ``content``; the value is for telling two apart, not for people."""
        content = _readable(content)
        for form, (kind, value) in self._values.items():
            if form in content:
                yield kind, "refuse", value.encode()
        if b"sk_" in content:
            yield from self._service_keys(content)
        if b"PRIVATE KEY-----" in content:
            yield from self._private_keys(content)
        if self._material is not None and b"eyJ" in content:
            yield from self._tokens(content, self._material)

    def _service_keys(self, content: bytes) -> Iterator[tuple[str, Verdict, bytes]]:
        for match in set(_KEY.findall(content)):
            key = match.decode()
            in_use = self._key_hashes is not None and keys.hash_key(key) in self._key_hashes
            if in_use or (self._key_hashes is None and keys.has_checksum(key)):
                yield "service_key", "refuse", match
            elif keys.has_checksum(key):
                yield "service_key", "warn", match

    def _private_keys(self, content: bytes) -> Iterator[tuple[str, Verdict, bytes]]:
        for match in _PEM.finditer(content):
            # In a variable or in JSON the lines of a key end with the two characters \n.
            pem = match[0].replace(b"\\r", b"").replace(b"\\n", b"\n")
            with suppress(ValueError, TypeError, UnsupportedAlgorithm):
                key = load_pem_private_key(pem, password=None)
                own = (
                    self._material is not None
                    and isinstance(key, rsa.RSAPrivateKey)
                    and RSAKey.import_key(key.public_key()).thumbprint() in self._material.public
                )
                yield "signing_key" if own else "private_key", "refuse", pem

    def _tokens(self, content: bytes, material: KeyMaterial) -> Iterator[tuple[str, Verdict, bytes]]:
        for match in set(_TOKEN.findall(content)):
            # What does not parse, or names no key of ours, is no token of ours; nor is one that has expired a secret.
            with suppress(JoseError, ValueError, KeyError, TypeError):
                signed = jws.extract_compact(match)
                key = material.public[str(signed.headers()["kid"])]
                jws.deserialize_compact(match, key, algorithms=ALGORITHMS)
                if _expiry(signed.payload) > self._now.timestamp():
                    yield "token", "refuse", match


def own_values(settings: Settings) -> Iterator[tuple[str, str]]:
    """Kind and value of each secret that ``settings`` hold, without those that are published with the program."""
    for key in settings.session_keys:
        if key != DEV_SESSION_SECRET:
            yield "session_secret", key
    password = str((database_options(settings) or {}).get("password") or "")
    if password != DEV_DATABASE_PASSWORD:
        yield "database_password", password
    password = unquote(_password(settings.redis_url.get_secret_value()))
    if password.lower() not in DEV_REDIS_PASSWORDS:
        yield "redis_password", password
    for secret in (
        settings.google_client_secret,
        settings.github_client_secret,
        settings.entra_client_secret,
        *(issuer.client_secret for issuer in settings.oidc),
    ):
        yield "client_secret", secret.get_secret_value()


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _material(settings: Settings) -> KeyMaterial | None:
    # A machine that only scans has no key files; then there is nothing of ours to compare with.
    try:
        previous = list(settings.jwt_previous_public_key_paths)
        return load_material(settings.jwt_private_key_path, settings.jwt_public_key_path, previous)
    except (KeyProblem, ValueError):
        return None


def _forms(value: bytes) -> set[bytes]:
    """The ways in which a value stands in files: as it is, in a URL, in a Kubernetes secret."""
    forms = {value, quote(value, safe="").encode()}
    for shift in range(3):
        # Somewhere within a longer text its base64 depends on how many bytes stand before it. The first and the last
        # characters mix with the neighbours, and are left out.
        whole = (shift + len(value)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(b"\0" * shift + value)[(0, 2, 3)[shift] : whole])
    return {form for form in forms if len(form) >= SHORTEST}


def _readable(content: bytes) -> bytes:
    """UTF-16, which some editors write, as UTF-8; anything else as it is."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "ignore").encode()
    return content


def _expiry(payload: Any) -> float:
    return float(json.loads(payload)["exp"])
