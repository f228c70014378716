"""Public keys that tokens are verified with: one that is pinned, or the set that an issuer publishes (RFC 7517)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from sentinel_auth.connection import Kept

Key = RSAKey | ECKey | OKPKey
KINDS: Mapping[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
"""Signatures that a public key verifies. A shared secret is none, and neither is no signature at all."""

FRESH_SECONDS = 300.0
"""How long a key set is taken as it is: what the issuer's ``max-age`` says. A key removed there is dropped here."""
FORCED_SECONDS = 60.0
"""Unknown key names lead to one look at the issuer in this time, however many come."""
STALE_SECONDS = 3600.0
"""How long known keys go on being used while the issuer cannot be reached; its tokens are older by then."""
PAUSE_SECONDS = 2.0
"""How long nobody asks again after the issuer did not answer."""


class KeysUnavailable(Exception):
    """The issuer's keys are not known, and it does not answer."""


class KeySource(Protocol):
    """Where a verifier finds the key that a token names."""

    async def find(self, kid: str | None) -> Key | None:
        """The key of that name, or None. Raises KeysUnavailable."""
        ...

    def known(self, kid: str | None) -> Key | None:
        """As ``find``, from memory."""
        ...


def pinned(pem: str | bytes, algorithm: str = "RS256") -> "PinnedKey":
    """The one key of a PEM text. Raises ValueError for an algorithm that no public key verifies."""
    return PinnedKey(KINDS[kind_of(algorithm)].import_key(pem))


def kind_of(algorithm: str) -> str:
    """The kind of key that verifies ``algorithm``. Raises ValueError."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, not {algorithm!r}")
    return ALGORITHMS[algorithm]


class PinnedKey:
    """One key, for machines without a way to the issuer. It answers to every name and never changes."""

    def __init__(self, key: Key) -> None:
        self._key = key

    async def find(self, kid: str | None) -> Key | None:
        return self._key

    def known(self, kid: str | None) -> Key | None:
        return self._key


class PublishedKeys:
    """The keys that an issuer publishes, by name, kept as fresh as it asks.

    ``load`` fetches the key set. An unknown name leads to a new look, at most once a minute; while the issuer does
    not answer, known keys go on being used for an hour. One caller at a time waits for the issuer: others who need
    a key that is known and not too old get it at once.
    """

    def __init__(self, load: Callable[[], Awaitable[Any]], *, clock: Callable[[], float] = time.time) -> None:
        self._load = load
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._loaded_at: float | None = None
        self._forced_at = self._failed_at = float("-inf")
        self._lock = asyncio.Lock()

    def __bool__(self) -> bool:
        return bool(self._keys)

    async def find(self, kid: str | None) -> Key | None:
        if kid is None:
            return None
        if kid in self._keys and (self._is_fresh() or (self._lock.locked() and self._is_usable())):
            return self._keys[kid]
        async with self._lock:
            answered = True
            if not self._is_fresh():
                answered = await self._refresh()
            elif kid not in self._keys and self._clock() - self._forced_at >= FORCED_SECONDS:
                answered = await self._refresh()
                if answered:
                    self._forced_at = self._clock()
            if kid not in self._keys and not answered:
                # Nobody knows whether the issuer has such a key: its owner must not be told that he has none.
                raise KeysUnavailable("the issuer's keys cannot be fetched")
            return self._keys.get(kid)

    def known(self, kid: str | None) -> Key | None:
        return self._keys.get(kid) if kid is not None else None

    def take(self, document: Any) -> list[Any]:
        """Put a key set in place of the one at hand, and return its elements. Raises KeysUnavailable."""
        elements = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(elements, list):
            raise KeysUnavailable("the issuer's answer is no key set")
        self._keys = {one["kid"]: key for one in elements if (key := _key(one)) is not None}
        self._loaded_at = self._clock()
        return elements

    def forget(self) -> None:
        """Start again without keys."""
        self._keys = {}
        self._loaded_at = None
        self._forced_at = self._failed_at = float("-inf")

    async def _refresh(self) -> bool:
        """Whether the issuer has answered. Raises KeysUnavailable when it has not and the keys are too old."""
        if self._clock() - self._failed_at >= PAUSE_SECONDS:
            try:
                self.take(await self._load())
                return True
            except Exception:  # whatever went wrong, the keys at hand must do
                self._failed_at = self._clock()
        if not self._is_usable():
            self._keys = {}
            raise KeysUnavailable("the issuer's keys cannot be fetched")
        return False

    def _is_fresh(self) -> bool:
        return self._age() < FRESH_SECONDS

    def _is_usable(self) -> bool:
        return self._age() < STALE_SECONDS

    def _age(self) -> float:
        return float("inf") if self._loaded_at is None else self._clock() - self._loaded_at


def loader(
    url: str, *, timeout: float, transport: Callable[[], httpx.AsyncBaseTransport | None] = lambda: None
) -> Callable[[], Awaitable[Any]]:
    """What fetches a key set from ``url``. It follows no redirect."""

    async def load() -> Any:
        way = transport()
        kept = Kept(way) if way else None
        async with httpx.AsyncClient(transport=kept, timeout=timeout) as http:
            response = await http.get(url)
        response.raise_for_status()
        return response.json()

    return load


def _key(element: Any) -> Key | None:
    """A published key that signatures can be verified with; None for any other element."""
    if not isinstance(element, dict) or not isinstance(element.get("kid"), str):
        return None
    kind = KINDS.get(element.get("kty", ""))
    if kind is None or element.get("use", "sig") != "sig":
        return None
    try:
        return kind.import_key(element)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
