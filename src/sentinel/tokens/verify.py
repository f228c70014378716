"""Checking tokens that come back to us, offline (``tokens.md`` §3). Not checked here, because only the database
knows: the denylist, whether the user is active, the epoch, membership. The authentication statement reads these.
"""

from binascii import a2b_base64
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey
from pydantic import Field, StrictInt, StrictStr, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict  # pydantic wants it up to Python 3.11

from sentinel.core.clock import Clock
from sentinel.core.errors import Unauthenticated
from sentinel.core.turns import Turns
from sentinel.tokens.claims import (
    AUDIENCES,
    MAX_TOKEN_LENGTH,
    AdminClaims,
    RefreshClaims,
    TokenType,
    UserClaims,
)
from sentinel.tokens.keyring import ALGORITHMS, Keyring

LEEWAY_SECONDS = 5
"""VR-3 allows 10 s; machines that share a clock source stay well under this."""


REMEMBERED = 2048
"""Tokens whose signature is not computed again while they live; about 1 kB each."""


AT_ONCE = 8
"""Signatures that are computed on end while there are others waiting: about what the database does meanwhile, whose
answers would else be left lying.
"""

MAX_SIGNERS = 64
"""Spellings of token headers that are remembered with the key they name; we ourselves write one for each key."""

# base64url has neither padding here nor the letters of the other alphabet (RFC 7515 §2): these become letters that
# no alphabet has.
_ALPHABET = bytes.maketrans(b"-_+/=", b"+/***")
_PADDING_OF = (b"", b"===", b"==", b"=")
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
    """A token whose signature was good: the key that it was made with, and its payload (JSON)."""

    signer: Signer
    payload: bytes


class Remembered(NamedTuple):
    """A token of a person that was accepted before. ``expires`` is its ``exp`` (POSIX time in seconds)."""

    signer: Signer
    expires: int
    claims: UserClaims


class _UserPayload(TypedDict):
    """What an access or authz token says. One validator that knows all of it is faster than a look at each claim."""

    iss: Any
    aud: Any
    type: Any
    exp: StrictInt
    iat: StrictInt
    sub: UUID
    wid: UUID
    wrole: Literal["viewer", "editor", "admin", "owner"]
    jti: UUID
    ep: StrictInt
    svc: NotRequired[Annotated[StrictStr, Field(min_length=1)]]
    idp_sub: NotRequired[Annotated[StrictStr, Field(min_length=1)]]


_USER = TypeAdapter(_UserPayload).validator


class Verifier:
    """Verifies tokens of this installation against the current key set.

    ``issuer`` must equal the ``iss`` claim exactly (VR-1). Every method raises :class:`TokenRefused`.

    The same person asks again and again with the same token, so signatures that were good are remembered, by the
    SHA-256 of the whole token; no token is kept. Nothing else is: type, lifetime and the key's place in the set are
    looked at every time, and what only the database knows is not looked at here at all.
    """

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock
        self._remembered: OrderedDict[bytes, Remembered] = OrderedDict()
        self._seen_once: set[bytes] = set()
        self._signers: dict[bytes, Signer] = {}
        self._turns = Turns(AT_ONCE)

    def user(self, token: str, *, allow: Collection[TokenType]) -> UserClaims:
        """An access or authz token, whichever of them ``allow`` holds (VR-4, VR-5, VR-13)."""
        text = _text(token)
        mark = sha256(text).digest()
        claims = self._known(mark, allow)
        return self._computed(text, mark, allow) if claims is None else claims

    async def user_in_turn(self, token: str, *, allow: Collection[TokenType]) -> UserClaims:
        """:meth:`user` for calls that come dozens at a time: no more than :data:`AT_ONCE` signatures are computed in
        one turn of the event loop, and what is remembered waits for none.
        """
        text = _text(token)
        mark = sha256(text).digest()
        claims = self._known(mark, allow)
        if claims is None:
            await self._turns.take()
            claims = self._computed(text, mark, allow)
        return claims

    def _known(self, mark: bytes, allow: Collection[TokenType]) -> UserClaims | None:
        """What a remembered token says, if it is in force and of a kind in ``allow``."""
        known = self._remembered.get(mark)
        if (
            known is None
            or known.claims.type not in allow
            or known.expires <= self._clock.timestamp()
            or not self._is_in_force(known.signer)
        ):
            return None
        self._remembered.move_to_end(mark)
        return known.claims

    def _computed(self, text: bytes, mark: bytes, allow: Collection[TokenType]) -> UserClaims:
        """What a token says, with its signature computed."""
        signer, payload = self._compute(text)
        try:
            said: _UserPayload = _USER.validate_json(payload)
        except ValidationError:
            # A token of another kind has other claims; that it is of another kind is the better reason then.
            self._check_envelope(_object(payload), allow)
            raise TokenRefused("bad_claims") from None
        claims = self._user(said, self._check_envelope(said, allow))
        self._remember(mark, Remembered(signer, said["exp"], claims))
        return claims

    def _user(self, said: _UserPayload, kind: TokenType) -> UserClaims:
        scope = idp_subject = None
        if kind is TokenType.AUTHZ:
            scope, idp_subject = said.get("svc"), said.get("idp_sub")
            if scope is None or idp_subject is None:
                raise TokenRefused("bad_claims")
        return UserClaims(
            kind,
            said["sub"],
            said["wid"],
            said["wrole"],
            said["jti"],
            said["ep"],
            datetime.fromtimestamp(said["exp"], UTC),
            scope,
            idp_subject,
        )

    def _remember(self, mark: bytes, accepted: Remembered) -> None:
        """Keep what a token says that has come for the second time; most of those that come once never come again."""
        if mark not in self._seen_once:
            if len(self._seen_once) >= REMEMBERED:
                self._seen_once.clear()
            self._seen_once.add(mark)
            return
        self._seen_once.discard(mark)
        self._remembered[mark] = accepted
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _is_in_force(self, signer: Signer) -> bool:
        return self._keyring.verification_key(signer.kid) is signer.key

    def refresh(self, token: str) -> RefreshClaims:
        """A refresh token (RF-9)."""
        claims = self._verify(token, TokenType.REFRESH)
        return RefreshClaims(
            user_id=_uuid(claims, "sub"),
            family_id=_uuid(claims, "fid"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
        )

    def admin(self, token: str) -> AdminClaims:
        """The panel's token; one without ``admin`` set to true is refused."""
        claims = self._verify(token, TokenType.ADMIN)
        if claims.get("admin") is not True:
            raise TokenRefused("not_admin")
        return AdminClaims(
            user_id=_uuid(claims, "sub"),
            jti=_uuid(claims, "jti"),
            epoch=_integer(claims, "ep"),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _verify(self, token: str, kind: TokenType) -> dict[str, Any]:
        claims = _object(self._compute(_text(token)).payload)
        self._check_envelope(claims, (kind,))
        return claims

    def _compute(self, text: bytes) -> Verified:
        """The token with its signature checked, and nothing else (RFC 7515 §5.2, for the one algorithm there is)."""
        try:
            head, payload, signature = text.split(b".")
        except ValueError:
            raise TokenRefused("malformed") from None
        signer = self._signers.get(head)
        if signer is None or not self._is_in_force(signer):
            signer = self._signer(head)
        try:
            signer.public.verify(_bytes(signature), text[: -len(signature) - 1], _PADDING, _HASH)
        except InvalidSignature as error:
            raise TokenRefused("bad_signature", forged=True) from error
        # Whatever is remembered has been signed by us, so that nobody else can fill the memory.
        if len(self._signers) >= MAX_SIGNERS:
            self._signers.clear()
        self._signers[head] = signer
        return Verified(signer, _bytes(payload))

    def _signer(self, head: bytes) -> Signer:
        header = _object(_bytes(head))
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

    def _check_envelope(self, claims: Mapping[str, Any], allow: Collection[TokenType]) -> TokenType:
        """The kind of a token that is ours, of a kind in ``allow``, and in force now."""
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
        return kind


def _text(token: str) -> bytes:
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenRefused("too_long")
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise TokenRefused("malformed") from None


def _bytes(text: bytes) -> bytes:
    """What ``text`` stands for in base64url without padding (RFC 7515 §2)."""
    try:
        return a2b_base64(text.translate(_ALPHABET) + _PADDING_OF[len(text) % 4], strict_mode=True)
    except ValueError:
        raise TokenRefused("malformed") from None


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object that ``content`` holds."""
    try:
        value = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise TokenRefused("malformed") from None
    if not isinstance(value, dict):
        raise TokenRefused("malformed")
    return value


def _uuid(claims: Mapping[str, Any], name: str) -> UUID:
    value = claims.get(name)
    if not isinstance(value, str):
        raise TokenRefused("bad_claims")
    try:
        return UUID(value)
    except ValueError as error:
        raise TokenRefused("bad_claims") from error


def _integer(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenRefused("bad_claims")
    return value
