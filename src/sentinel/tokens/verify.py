"""Checking tokens that come back to us, offline (``tokens.md`` §3). Not checked here, because only the database
knows: the denylist, whether the user is active, the epoch, membership. The authentication statement reads these.
"""

from collections.abc import Collection
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


class TokenRefused(Unauthenticated):
    """A token that is not accepted. ``forged`` marks the two faults an honest client never shows: a bad signature
    and a key name we never used; only these count against the failed-auth limit (``http-api.md`` §0.8).
    """

    def __init__(self, reason: str, *, forged: bool = False) -> None:
        super().__init__("Invalid or expired token", reason=reason)
        self.forged = forged


class Verifier:
    """Verifies tokens of this installation against the current key set.

    ``issuer`` must equal the ``iss`` claim exactly (VR-1). Every method raises :class:`TokenRefused`.
    """

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    def user(self, token: str, *, allow: Collection[TokenType]) -> UserClaims:
        """An access or authz token, whichever of them ``allow`` holds (VR-4, VR-5, VR-13)."""
        claims = self._verify(token, allow)
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
        claims = self._verify(token, (TokenType.REFRESH,))
        return RefreshClaims(
            user_id=_uuid(claims, "sub"),
            family_id=_uuid(claims, "fid"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
        )

    def admin(self, token: str) -> AdminClaims:
        """The panel's token; one without ``admin`` set to true is refused."""
        claims = self._verify(token, (TokenType.ADMIN,))
        if claims.get("admin") is not True:
            raise TokenRefused("not_admin")
        return AdminClaims(
            user_id=_uuid(claims, "sub"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _verify(self, token: str, allow: Collection[TokenType]) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefused("too_long")
        try:
            claims = jwt.decode(token, self._key_for, algorithms=ALGORITHMS).claims
        except TokenRefused:
            raise
        except BadSignatureError as error:
            raise TokenRefused("bad_signature", forged=True) from error
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise TokenRefused("malformed") from error
        self._check_envelope(claims, allow)
        return claims

    def _key_for(self, protected: Any) -> RSAKey:
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
        return key

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
