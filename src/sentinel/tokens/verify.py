"""Checking tokens that come back to us, offline (``tokens.md`` §3). Not checked here, because only the database
knows: the denylist, whether the user is active, the epoch, membership. The authentication statement reads these.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey

from sentinel.core.clock import Clock
from sentinel.core.errors import Unauthenticated
from sentinel.tokens.claims import (
    MAX_TOKEN_LENGTH,
    ROLE_RANK,
    AdminClaims,
    RefreshClaims,
    TokenType,
    UserClaims,
)
from sentinel.tokens.keyring import ALGORITHMS, Keyring

LEEWAY_SECONDS = 5
"""VR-3 allows 10 s; machines that share a clock source stay well under this."""


REMEMBERED = 4096
"""Tokens whose signature is not computed again while they live; about 2 kB each."""


class TokenRefused(Unauthenticated):
    """A token that is not accepted. ``forged`` marks the two faults an honest client never shows: a bad signature
    and a key name we never used; only these count against the failed-auth limit (``http-api.md`` §0.8).
    """

    def __init__(self, reason: str, *, forged: bool = False) -> None:
        super().__init__("Invalid or expired token", reason=reason)
        self.forged = forged


@dataclass(slots=True)
class Verified:
    """A token whose signature was good: the key that it was made with, and what it says."""

    kid: str
    key: RSAKey
    claims: dict[str, Any]
    user: UserClaims | None = None


class Verifier:
    """Verifies tokens of this installation against the current key set.

    ``issuer`` must equal the ``iss`` claim exactly (VR-1). Every method raises :class:`TokenRefused`.

    The same person asks again and again with the same token, so signatures that were good are remembered, by the whole
    text of the token. Nothing else is: type, lifetime and the key's place in the set are looked at every time, and what
    only the database knows is not looked at here at all.
    """

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock
        self._remembered: OrderedDict[str, Verified] = OrderedDict()

    def user(self, token: str, *, allow: Collection[TokenType]) -> UserClaims:
        """An access or authz token, whichever of them ``allow`` holds (VR-4, VR-5, VR-13)."""
        verified = self._verify(token, allow)
        if verified.user is None:
            verified.user = self._user(verified.claims)
        return verified.user

    def _user(self, claims: dict[str, Any]) -> UserClaims:
        kind = TokenType(claims["type"])
        role = claims.get("wrole")
        if not isinstance(role, str) or role not in ROLE_RANK:
            raise TokenRefused("bad_claims")
        scope = idp_subject = None
        if kind is TokenType.AUTHZ:
            scope, idp_subject = _text(claims, "svc"), _text(claims, "idp_sub")
        return UserClaims(
            type=kind,
            user_id=_uuid(claims, "sub"),
            workspace_id=_uuid(claims, "wid"),
            workspace_role=role,
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            scope=scope,
            idp_subject=idp_subject,
        )

    def refresh(self, token: str) -> RefreshClaims:
        """A refresh token (RF-9)."""
        claims = self._verify(token, (TokenType.REFRESH,)).claims
        return RefreshClaims(
            user_id=_uuid(claims, "sub"),
            family_id=_uuid(claims, "fid"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
        )

    def admin(self, token: str) -> AdminClaims:
        """The panel's token; one without ``admin`` set to true is refused."""
        claims = self._verify(token, (TokenType.ADMIN,)).claims
        if claims.get("admin") is not True:
            raise TokenRefused("not_admin")
        return AdminClaims(
            user_id=_uuid(claims, "sub"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _verify(self, token: str, allow: Collection[TokenType]) -> Verified:
        verified = self._remembered.get(token)
        if verified is None or self._keyring.verification_key(verified.kid) is not verified.key:
            verified = self._compute(token)
        self._check_envelope(verified.claims, allow)
        self._remembered[token] = verified
        self._remembered.move_to_end(token)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return verified

    def _compute(self, token: str) -> Verified:
        """The token with its signature checked, and nothing else."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefused("too_long")
        found: list[tuple[str, RSAKey]] = []

        def key_for(protected: Any) -> RSAKey:
            found.append(self._key_for(protected))
            return found[-1][1]

        try:
            claims = jwt.decode(token, key_for, algorithms=ALGORITHMS).claims
        except TokenRefused:
            raise
        except BadSignatureError as error:
            raise TokenRefused("bad_signature", forged=True) from error
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise TokenRefused("malformed") from error
        [(kid, key)] = found
        return Verified(kid, key, claims)

    def _key_for(self, protected: Any) -> tuple[str, RSAKey]:
        header = protected.headers()
        # RFC 7515 §4.1.11: an extension we do not understand must not be ignored; we understand none.
        if "crit" in header:
            raise TokenRefused("critical_header")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise TokenRefused("missing_kid", forged=True)
        key = self._keyring.verification_key(kid)
        if key is None:
            raise TokenRefused("unknown_kid", forged=True)
        return kid, key

    def _check_envelope(self, claims: dict[str, Any], allow: Collection[TokenType]) -> None:
        now = self._clock.timestamp()
        if claims.get("iss") != self._issuer:
            raise TokenRefused("wrong_issuer")
        kind = next((kind for kind in allow if claims.get("aud") == kind.audience), None)
        if kind is None:
            raise TokenRefused("wrong_audience")
        if claims.get("type") != kind.value:
            raise TokenRefused("wrong_type")
        if _integer(claims, "exp") <= now:
            raise TokenRefused("expired")
        if _integer(claims, "iat") > now + LEEWAY_SECONDS:
            raise TokenRefused("issued_in_future")


def _uuid(claims: dict[str, Any], name: str) -> UUID:
    value = claims.get(name)
    if not isinstance(value, str):
        raise TokenRefused("bad_claims")
    try:
        return UUID(value)
    except ValueError as error:
        raise TokenRefused("bad_claims") from error


def _integer(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenRefused("bad_claims")
    return value


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRefused("bad_claims")
    return value
