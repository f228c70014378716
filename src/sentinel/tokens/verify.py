"""Checking tokens that come back to us, offline (``tokens.md`` §3). Not checked here, because only the database
knows: the denylist, whether the user is active, the epoch, membership. The authentication statement reads these.
"""

from binascii import a2b_base64
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey
from pydantic_core import from_json

from sentinel.core.clock import Clock
from sentinel.core.errors import Unauthenticated
from sentinel.tokens.claims import (
    AUDIENCES,
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


REMEMBERED = 2048
"""Tokens whose signature is not computed again while they live; about 2 kB each."""


MAX_SIGNERS = 64
"""Spellings of token headers that are remembered with the key they name; we ourselves write one for each key."""

_ALPHABET = str.maketrans("-_", "+/")
# RS256 is this padding over this hash (RFC 7518 §3.3).
_PADDING, _HASH = PKCS1v15(), SHA256()


class TokenRefused(Unauthenticated):
    """A token that is not accepted. ``forged`` marks the two faults an honest client never shows: a bad signature
    and a key name we never used; only these count against the failed-auth limit (``http-api.md`` §0.8).
    """

    def __init__(self, reason: str, *, forged: bool = False) -> None:
        super().__init__("Invalid or expired token", reason=reason)
        self.forged = forged


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that a token header names, as the ring has it and as it verifies."""

    kid: str
    key: RSAKey
    public: RSAPublicKey


class Verified(NamedTuple):
    """A token whose signature was good: the key that it was made with, and what it says."""

    kid: str
    key: RSAKey
    claims: dict[str, Any]


class Remembered(NamedTuple):
    """A token of a person that was accepted once. ``expires`` is its ``exp`` (POSIX time in seconds)."""

    kid: str
    key: RSAKey
    expires: int
    claims: UserClaims


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
        self._remembered: OrderedDict[str, Remembered] = OrderedDict()
        self._signers: dict[str, Signer] = {}

    def user(self, token: str, *, allow: Collection[TokenType]) -> UserClaims:
        """An access or authz token, whichever of them ``allow`` holds (VR-4, VR-5, VR-13)."""
        known = self._remembered.get(token)
        if (
            known is not None
            and known.claims.type in allow
            and known.expires > self._clock.timestamp()
            and self._keyring.verification_key(known.kid) is known.key
        ):
            self._remembered.move_to_end(token)
            return known.claims
        verified = self._verify(token, allow)
        claims = self._user(verified.claims)
        self._remembered[token] = Remembered(verified.kid, verified.key, verified.claims["exp"], claims)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return claims

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
        verified = self._compute(token)
        self._check_envelope(verified.claims, allow)
        return verified

    def _compute(self, token: str) -> Verified:
        """The token with its signature checked, and nothing else (RFC 7515 §5.2, for the one algorithm there is)."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefused("too_long")
        parts = token.split(".")
        # base64url has neither padding here nor the letters of the other alphabet (RFC 7515 §2).
        if len(parts) != 3 or not token.isascii() or "=" in token or "+" in token or "/" in token:
            raise TokenRefused("malformed")
        head, payload, signature = parts
        signer = self._signers.get(head)
        if signer is None or self._keyring.verification_key(signer.kid) is not signer.key:
            signer = self._signer(head)
        try:
            signer.public.verify(_bytes(signature), f"{head}.{payload}".encode("ascii"), _PADDING, _HASH)
        except InvalidSignature as error:
            raise TokenRefused("bad_signature", forged=True) from error
        # Whatever is remembered has been signed by us, so that nobody else can fill the memory.
        if len(self._signers) >= MAX_SIGNERS:
            self._signers.clear()
        self._signers[head] = signer
        return Verified(signer.kid, signer.key, _object(payload))

    def _signer(self, head: str) -> Signer:
        header = _object(head)
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefused("malformed")
        # RFC 7515 §4.1.11: an extension we do not understand must not be ignored; we understand none.
        if "crit" in header:
            raise TokenRefused("critical_header")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise TokenRefused("missing_kid", forged=True)
        key = self._keyring.verification_key(kid)
        if key is None:
            raise TokenRefused("unknown_kid", forged=True)
        return Signer(kid, key, key.public_key)

    def _check_envelope(self, claims: dict[str, Any], allow: Collection[TokenType]) -> None:
        now = self._clock.timestamp()
        if claims.get("iss") != self._issuer:
            raise TokenRefused("wrong_issuer")
        audience = claims.get("aud")
        for kind in allow:
            if AUDIENCES[kind] == audience:
                break
        else:
            raise TokenRefused("wrong_audience")
        if claims.get("type") != kind._value_:
            raise TokenRefused("wrong_type")
        if _integer(claims, "exp") <= now:
            raise TokenRefused("expired")
        if _integer(claims, "iat") > now + LEEWAY_SECONDS:
            raise TokenRefused("issued_in_future")


def _bytes(text: str) -> bytes:
    """What ``text`` stands for in base64url without padding (RFC 7515 §2)."""
    try:
        return a2b_base64(text.translate(_ALPHABET) + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError as error:
        raise TokenRefused("malformed") from error


def _object(text: str) -> dict[str, Any]:
    """The JSON object that ``text`` stands for."""
    try:
        value = from_json(_bytes(text), allow_inf_nan=False)
    except ValueError as error:
        raise TokenRefused("malformed") from error
    if not isinstance(value, dict):
        raise TokenRefused("malformed")
    return value


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
