"""The signing keys that a provider publishes: a JWK set (RFC 7517), fetched and cached (EV-11)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from sentinel.core.clock import Clock
from sentinel.core.outbound import Outbound
from sentinel.providers.cache import Cached
from sentinel.providers.errors import TokenRejected
from sentinel.providers.upstream import get_document, unavailable

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # verifying takes time that grows with the size


class KeySource(Protocol):
    """Where the key for a token comes from."""

    async def find(self, kid: str | None, algorithm: str) -> Key:
        """The key for a token header's ``kid`` and ``alg``; raises :class:`TokenRejected` if there is none."""
        ...


class PublishedKeys:
    """The keys behind the address that ``jwks_uri`` gives; raises :class:`ProviderUnavailable` without them."""

    def __init__(self, jwks_uri: Callable[[], Awaitable[str]], outbound: Outbound, clock: Clock) -> None:
        self._jwks_uri = jwks_uri
        self._outbound = outbound
        self._cached: Cached[Sequence[Key]] = Cached(self._fetch, clock)

    async def find(self, kid: str | None, algorithm: str) -> Key:
        """See :class:`KeySource`. An unknown ``kid`` makes the set be fetched again, rarely (L36)."""
        cached = self._cached.current()
        keys = await self._cached.get()
        key = _select(keys, kid, algorithm)
        if key is None and keys is cached:  # a set fetched just now is not fetched again
            key = _select(await self._cached.renew(keys), kid, algorithm)
        if key is None:
            raise TokenRejected("The identity token is signed with an unknown key", reason="unknown_key")
        return key

    async def _fetch(self) -> Sequence[Key]:
        document = await get_document(self._outbound, await self._jwks_uri())
        entries = document.get("keys")
        if not isinstance(entries, list):
            raise unavailable("keys_malformed")
        return tuple(key for entry in entries if (key := _import(entry)) is not None)


def _import(entry: object) -> Key | None:
    """The key in one element of a set, None if it is of no use to us: RFC 7517 §5 says to ignore such keys."""
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        if entry["kty"] == "RSA" and not MIN_RSA_BITS <= _bits(entry["n"]) <= MAX_RSA_BITS:
            return None
        return JWKRegistry.import_key(_public(entry))
    except (JoseError, ValueError, TypeError, AttributeError, LookupError):
        return None


def _bits(modulus: str) -> int:
    return int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()


def _public(entry: dict[str, Any]) -> dict[str, Any]:
    members = ("kty", "kid", "use", "alg", "key_ops", "n", "e", "crv", "x", "y")
    return {member: entry[member] for member in members if member in entry}


def _select(keys: Sequence[Key], kid: str | None, algorithm: str) -> Key | None:
    """The key named ``kid``; without ``kid`` the only one that fits ``algorithm``, if it is the only one."""
    fitting = [key for key in keys if _fits(key, algorithm)]
    if kid is None:
        return fitting[0] if len(fitting) == 1 else None
    return next((key for key in fitting if key.kid == kid), None)


def _fits(key: Key, algorithm: str) -> bool:
    if not isinstance(key, RSAKey | ECKey | OKPKey):
        return False
    try:
        key.check_key_op("verify")
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True
