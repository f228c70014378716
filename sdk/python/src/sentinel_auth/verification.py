"""Verifying tokens offline (``tokens.md`` §14): signature, audience, issuer, time, type.

Not verified here, because only Sentinel knows: whether the person is still active, the token revoked, the role the
same. A verified token can be older than such a change by its own life, 15 minutes at most.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from sentinel_auth.keys import Key, KeySource, kind_of

LEEWAY_SECONDS = 10
"""How far the clocks of two machines may be apart."""
MAX_TOKEN_LENGTH = 8192


class TokenRefused(Exception):
    """A token that is not accepted; ``expired`` tells the one harmless reason from all others."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        self.expired = expired


class Verifier:
    """Verifies the tokens of one issuer for one audience (or any of several).

    The algorithm is fixed here and never taken from the token. ``issuer`` is compared exactly when given, ``type``
    likewise. Raises ValueError for an algorithm that no public key verifies, and for an empty audience.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        audience: str | Sequence[str],
        algorithm: str = "RS256",
        issuer: str | None = None,
        type: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        kind_of(algorithm)
        self._keys = keys
        self._audiences = frozenset([audience] if isinstance(audience, str) else audience)
        if not self._audiences or not all(self._audiences):
            raise ValueError("an audience is needed: without one, tokens for other applications would pass")
        self._algorithm = algorithm
        self._issuer = issuer
        self._type = type
        self._clock = clock

    async def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token. Raises TokenRefused and KeysUnavailable."""
        return self._decode(token, await self._keys.find(self._key_name(token)))

    def verify_with_known_keys(self, token: str) -> dict[str, Any]:
        """As :meth:`verify`, without asking the issuer about a key that is not known yet."""
        return self._decode(token, self._keys.known(self._key_name(token)))

    def _key_name(self, token: str) -> str | None:
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefused("too long")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise TokenRefused("malformed") from None
        # RFC 7515 §4.1.11: an extension that is not understood must not be ignored; none is understood.
        if "crit" in header:
            raise TokenRefused("critical header")
        if header.get("alg") != self._algorithm:
            raise TokenRefused("algorithm")
        kid = header.get("kid")
        return kid if isinstance(kid, str) else None

    def _decode(self, token: str, key: Key | None) -> dict[str, Any]:
        if key is None:
            raise TokenRefused("unknown key")
        try:
            claims: dict[str, Any] = jwt.decode(token, key, algorithms=[self._algorithm]).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise TokenRefused("signature") from None
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        audience = claims.get("aud")
        named = [audience] if isinstance(audience, str) else audience
        if not isinstance(named, list) or not any(
            isinstance(one, str) and one in self._audiences for one in named
        ):
            raise TokenRefused("audience")
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise TokenRefused("issuer")
        if self._type is not None and claims.get("type") != self._type:
            raise TokenRefused("type")
        now = self._clock()
        if _seconds(claims, "exp") <= now - LEEWAY_SECONDS:
            raise TokenRefused("expired", expired=True)
        for name in ("nbf", "iat"):
            if name in claims and _seconds(claims, name) > now + LEEWAY_SECONDS:
                raise TokenRefused("not valid yet")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TokenRefused(f"claim {name}")
    return value
