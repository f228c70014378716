"""An OpenID Connect issuer that does what the specification says, until a test makes it misbehave."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from sentinel.core.clock import Clock

from .stage import Reply, Seen, Stage

CLIENT_ID = "our-client"
CLIENT_SECRET = "s3cret +/=%:~"  # with everything that form encoding changes
REDIRECT_URI = "https://auth.example.com/auth/callback/corp"

PERSON: dict[str, Any] = {
    "sub": "248289761001",
    "email": "Ada@Example.com",
    "email_verified": True,
    "name": "Ada Lovelace",
    "picture": "https://cdn.example.com/ada.png",
}


def b64(data: bytes | str | dict[str, Any]) -> str:
    """base64url without padding; a dict as JSON."""
    if isinstance(data, dict):
        data = json.dumps(data)
    octets = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A compact JWS with whatever signature."""
    return f"{b64(header)}.{b64(claims)}.{b64(signature)}"


class Issuer:
    """An issuer at ``base``. ``document`` and ``jwks`` may be changed at any time."""

    def __init__(
        self, stage: Stage, base: str, keys: list[RSAKey], clock: Clock, *, client_id: str = CLIENT_ID
    ) -> None:
        self.stage = stage
        self.base = base
        self.client_id = client_id
        self.clock = clock
        self.keys = keys
        self.metadata_url = f"{base}/.well-known/openid-configuration"
        self.document: dict[str, Any] = {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
            "userinfo_endpoint": f"{base}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
        self.jwks: list[Any] = [public(keys[0], "k1")]
        self.userinfo: dict[str, Any] = {}
        self.accepted_method = "client_secret_basic"
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        stage.on(self.metadata_url, lambda _: Reply(body=self.document))
        stage.on(f"{base}/jwks", lambda _: Reply(body={"keys": self.jwks}))
        stage.on(f"{base}/token", self._token, method="POST")
        stage.on(f"{base}/userinfo", self._userinfo)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, changed; a change to ``...`` removes the claim."""
        now = self.clock.timestamp()
        claims = {
            "iss": self.document["issuer"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            **PERSON,
            **changes,
        }
        return {key: value for key, value in claims.items() if value is not ...}

    def token(self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed as good ones are, except for what is given."""
        return sign(
            self.claims(**changes), key or self.keys[0], {"alg": "RS256", "kid": "k1", **(header or {})}
        )

    def sign_in(self, authorization_url: str, **changes: Any) -> str:
        """What the browser does: ask for consent, come back with a code for a token with changed claims."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(authorization_url).query).items()}
        code = secrets.token_urlsafe(8)
        self._codes[code] = (asked, changes)
        return code

    def _token(self, seen: Seen) -> Reply:
        form = seen.form
        if self._client_of(seen) != (self.client_id, CLIENT_SECRET):
            # The quotes are outside the characters that RFC 6749 allows; real issuers send them nevertheless.
            return Reply(401, {"error": "invalid_client", "error_description": 'bad "client"'})
        asked, changes = self._codes.pop(form.get("code", ""), ({}, {}))
        verifier = form.get("code_verifier", "")
        if (
            form.get("grant_type") != "authorization_code"
            or not asked
            or form.get("redirect_uri") != asked["redirect_uri"]
            or b64(hashlib.sha256(verifier.encode()).digest()) != asked["code_challenge"]
        ):
            return Reply(400, {"error": "invalid_grant"})
        return Reply(
            body={
                "access_token": "at-" + form["code"],
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": self.token(**{"nonce": asked["nonce"], **changes}),
            }
        )

    def _client_of(self, seen: Seen) -> tuple[str, str]:
        scheme, _, credentials = seen.headers.get("authorization", "").partition(" ")
        if self.accepted_method == "client_secret_basic" and scheme == "Basic":
            client_id, _, secret = base64.b64decode(credentials).decode().partition(":")
            return unquote_plus(client_id), unquote_plus(secret)
        if self.accepted_method == "client_secret_post" and not scheme:
            return seen.form.get("client_id", ""), seen.form.get("client_secret", "")
        return "", ""

    def _userinfo(self, seen: Seen) -> Reply:
        if not seen.headers.get("authorization", "").startswith("Bearer at-"):
            return Reply(401, {"error": "invalid_token"})
        return Reply(body=self.userinfo)


def public(key: Key, kid: str | None, **members: Any) -> dict[str, Any]:
    """The element of a JWK set for ``key``."""
    entry = {**key.as_dict(private=False), "use": "sig", **members}
    return {**entry, "kid": kid} if kid is not None else {k: v for k, v in entry.items() if k != "kid"}


class _AnyAlgorithm(JWSRegistry):
    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def sign(claims: dict[str, Any], key: RSAKey | ECKey | OKPKey | Key, header: dict[str, Any]) -> str:
    """A signed token; a header value of ``...`` removes it."""
    header = {"typ": "JWT", **header}
    header = {name: value for name, value in header.items() if value is not ...}
    # ASCII, so that a claim may hold what is no text, such as half of a surrogate pair.
    payload = json.dumps(claims, ensure_ascii=True)
    return jws.serialize_compact(header, payload, key, registry=_AnyAlgorithm(strict_check_header=False))
