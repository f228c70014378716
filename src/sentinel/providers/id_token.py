"""Verifying an ID token: RFC 7515, RFC 7519, RFC 8725, OpenID Connect Core 1.0 §3.1.3.7; EV-6, EV-7, EV-10."""

import hmac
import json
from collections.abc import Collection
from typing import Any

from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwa import JWSAlgModel
from joserfc.jwt import JWTClaimsRegistry

from sentinel.core.clock import Clock
from sentinel.providers.errors import TokenRejected
from sentinel.providers.keys import KeySource

MAX_TOKEN_LENGTH = 8192
LEEWAY_SECONDS = 10

_CLAIM_REASONS = {
    "iss": "wrong_issuer",
    "aud": "wrong_audience",
    "exp": "bad_expiry",
    "iat": "bad_issue_time",
    "nbf": "not_yet_valid",
    "sub": "bad_subject",
}


class _Registry(jws.JWSRegistry):
    """joserfc's rules for headers, with our limits and without its fallback to "recommended" algorithms (HS256)."""

    max_header_length = MAX_TOKEN_LENGTH

    def get_alg(self, name: str) -> JWSAlgModel:
        # The base class warns that EdDSA names two curves (RFC 9864); the key says which one is meant.
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


async def verify(
    token: str,
    keys: KeySource,
    clock: Clock,
    *,
    algorithms: Collection[str],
    issuer: str,
    audiences: Collection[str],
    nonce: str | None = None,
) -> dict[str, Any]:
    """The claims of ``token``, if its signature, issuer, audience, times and nonce are right.

    Does *not* check ``sub``, the address, or anything else about the person. ``audiences``: one of them must be in
    ``aud``; empty strings never match (EV-7). ``nonce``: None means that none was sent (EV-10).
    Raises :class:`TokenRejected`, and what ``keys`` raises.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise _rejected("token_too_long")
    signed = _parse(token)
    header = signed.headers()
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise _rejected("algorithm_not_allowed")
    if not (kid is None or isinstance(kid, str)):
        raise _rejected("token_malformed")
    # We know no extension, so whatever is critical is unknown to us (RFC 7515 §4.1.11). b64 is one (RFC 7797).
    if "crit" in header or "b64" in header:
        raise _rejected("critical_header")
    # An explicit type says that this is an access, logout or other token (RFC 8725 §3.11), not one about a sign-in.
    if str(header.get("typ", "")).lower().endswith("+jwt"):
        raise _rejected("not_an_id_token")
    # The key comes from the provider alone: jwk, jku, x5u and x5c of the header are not looked at (L07).
    key = await keys.find(kid, algorithm)
    try:
        genuine = jws.validate_compact(signed, key, registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        raise _rejected("bad_signature") from error
    if not genuine:
        raise _rejected("bad_signature")
    claims = _claims(signed.payload)
    _check_claims(claims, clock, issuer, [audience for audience in audiences if audience])
    if nonce is not None:
        _check_nonce(claims.get("nonce"), nonce)
    return claims


def _parse(token: str) -> jws.CompactSignature:
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _rejected("token_malformed") from error
    if not isinstance(signed.headers(), dict):
        raise _rejected("token_malformed")
    return signed


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _rejected("token_malformed") from error
    if not isinstance(claims, dict):
        raise _rejected("token_malformed")
    return claims


def _check_claims(claims: dict[str, Any], clock: Clock, issuer: str, audiences: list[str]) -> None:
    if not issuer or not audiences:
        raise _rejected("nothing_to_compare_with")  # L10: a missing expectation is never a pass
    registry = JWTClaimsRegistry(
        now=clock.timestamp(),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "values": [*audiences]},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise _rejected("token_expired") from error
    except MissingClaimError as error:
        raise _rejected("claim_missing") from error
    except ClaimError as error:
        raise _rejected(_CLAIM_REASONS.get(error.claim, "bad_claim")) from error
    party = claims.get("azp")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if several and party is not None and party not in audiences:
        raise _rejected("wrong_authorized_party")


def _check_nonce(claimed: object, sent: str) -> None:
    if not isinstance(claimed, str) or not hmac.compare_digest(_octets(claimed), _octets(sent)):
        raise _rejected("nonce_mismatch")


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _rejected(reason: str) -> TokenRejected:
    """One text for all: the caller learns that the token is no good, the log learns why."""
    return TokenRejected(
        "The identity token is not valid here; sign in again to obtain a new one", reason=reason
    )
