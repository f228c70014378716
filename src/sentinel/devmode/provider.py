"""The law and the memory of the development OpenID Provider; its endpoints are in ``idp.py``.

OpenID Connect Core 1.0 with the code flow (§3.1) and, for browser apps, the implicit flow with ``id_token``
(§3.2); Discovery 1.0; PKCE S256 (RFC 7636); the ``iss`` response parameter (RFC 9207).

What it does not do: know who is in front of it. Anyone who reaches it may sign in as anyone, it keeps no
session (so ``prompt=none`` always answers ``login_required``) and forgets its codes when the process ends.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel.core.clock import Clock

CODE_SECONDS = 60
TOKEN_SECONDS = 3600
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1):[0-9]{1,5}/[A-Za-z0-9._~/-]*")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_SCOPES = ("openid", "email", "profile")
# Parameters of OpenID Connect Core §6 and Registration that a provider may refuse, each with its own error.
_NOT_SUPPORTED = ("request", "request_uri", "registration")

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Person:
    """Someone who can sign in. ``note`` says on the page what this person is good for trying."""

    sub: str
    email: str
    name: str
    note: str = ""
    email_verified: bool = True


@dataclass(frozen=True)
class Client:
    """An application that may send people here. Redirect URIs are compared character for character.

    ``loopback`` also takes every address of an application on this machine, whatever its port (RFC 8252 §7.3).
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: frozenset[str]
    loopback: bool = False

    def __post_init__(self) -> None:
        if not self.client_secret:
            raise ValueError("a client of the development provider needs a secret")

    def takes(self, redirect_uri: str) -> bool:
        """Whether answers may go to ``redirect_uri``."""
        return redirect_uri in self.redirect_uris or (
            self.loopback and bool(_LOOPBACK.fullmatch(redirect_uri))
        )


class PageError(Exception):
    """The request cannot be trusted far enough to redirect: say so on a page (RFC 6749 §4.1.2.1)."""


class OAuthError(Exception):
    """An error code of RFC 6749 §4.1.2.1, §5.2 or OpenID Connect Core §3.1.2.6, with a sentence about it."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True)
class Destination:
    """Where the answer to an authorization request goes: proven to be registered for the client."""

    client: Client
    redirect_uri: str
    fragment: bool
    state: str | None

    def url(self, issuer: str, answer: Mapping[str, str]) -> str:
        """The redirect URI with the answer in it, every value percent-encoded."""
        state = {} if self.state is None else {"state": self.state}
        encoded = urlencode({**answer, **state, "iss": issuer})
        if self.fragment:
            return f"{self.redirect_uri}#{encoded}"
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{separator}{encoded}"


@dataclass(frozen=True)
class AuthorizationRequest:
    """What a valid authorization request asks for."""

    destination: Destination
    response_type: str
    scope: frozenset[str]
    nonce: str | None
    code_challenge: str | None


@dataclass
class Grant:
    """An authorization code that was handed out; ``access_token`` is set once it was redeemed."""

    request: AuthorizationRequest
    person: Person
    auth_time: int
    expires_at: int
    used: bool = False
    access_token: str | None = None


TICKET_SECONDS = 3600


class DevIdp:
    """The provider and its memory: codes and access tokens that are still alive."""

    def __init__(
        self,
        issuer: str,
        key: RSAKey,
        clients: Sequence[Client],
        people: Sequence[Person],
        clock: Clock,
    ) -> None:
        """``issuer``: the URL under which the router is included; ``key``: private key of the ID tokens."""
        self.issuer = issuer.rstrip("/")
        self.clients = {client.client_id: client for client in clients}
        self.people = {person.sub: person for person in people}
        self._key = key
        self._clock = clock
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, tuple[Person, frozenset[str], int]] = {}
        self._tickets: dict[str, tuple[Person, int]] = {}

    def issue_ticket(self, sub: str) -> str:
        """A secret with which a browser is taken for the person ``sub``, once and for the next hour, unasked.

        For the link that the terminal prints: whoever started the server need not choose himself out of a list.
        """
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = (self.people[sub], self._clock.timestamp() + TICKET_SECONDS)
        return ticket

    def redeem_ticket(self, ticket: str) -> Person | None:
        """The person of a ticket, which is used up; None for one that we did not issue, or whose time is over."""
        person, expires_at = self._tickets.pop(ticket, (None, 0))
        return person if expires_at > self._clock.timestamp() else None

    def metadata(self) -> dict[str, Any]:
        """The discovery document (Discovery 1.0 §3, RFC 8414, RFC 9207 §3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks.json",
            "scopes_supported": list(_SCOPES),
            "response_types_supported": ["code", "id_token"],
            "response_modes_supported": ["query", "fragment"],
            "grant_types_supported": ["authorization_code", "implicit"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "select_account"],
            "claims_supported": [
                *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"),
                *("email", "email_verified", "name"),
            ],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
        }

    def jwks(self) -> dict[str, Any]:
        """The public half of the signing key (RFC 7517 §5)."""
        public = self._key.as_dict(private=False, use="sig", alg="RS256", kid=self._key.thumbprint())
        return {"keys": [public]}

    def destination(self, fields: Fields) -> Destination:
        """Where answers may go. Raises PageError unless client and redirect URI are known and unambiguous."""
        for name in ("client_id", "redirect_uri"):
            if len(fields.get(name, ())) != 1:
                raise PageError(f"The request must carry {name} exactly once.")
        client = self.clients.get(fields["client_id"][0])
        if client is None:
            raise PageError(
                f"No application is registered here under the client_id “{fields['client_id'][0]}”."
            )
        redirect_uri = fields["redirect_uri"][0]
        if not client.takes(redirect_uri):
            raise PageError(f"The redirect_uri “{redirect_uri}” is not registered for “{client.client_id}”.")
        by_fragment = "id_token" in first(fields, "response_type").split()
        states = fields.get("state", ())
        return Destination(
            client,
            redirect_uri,
            fragment=by_fragment or first(fields, "response_mode") == "fragment",
            state=states[0] if len(states) == 1 else None,
        )

    def authorization_request(self, destination: Destination, fields: Fields) -> AuthorizationRequest:
        """Check the rest of the request. Raises OAuthError, which may be redirected to ``destination``."""
        for name, values in fields.items():
            if len(values) > 1:
                raise OAuthError("invalid_request", f"{_printable(name)} was sent more than once")
        for name in _NOT_SUPPORTED:
            if name in fields:
                raise OAuthError(f"{name}_not_supported", f"the parameter {name} is not supported")
        response_type = first(fields, "response_type")
        if not response_type:
            raise OAuthError("invalid_request", "response_type is missing")
        if response_type not in ("code", "id_token"):
            raise OAuthError("unsupported_response_type", "response_type must be code or id_token")
        mode = first(fields, "response_mode")
        if mode not in ("", "query", "fragment") or (mode == "query" and response_type == "id_token"):
            raise OAuthError("invalid_request", "this response_mode is not supported for this response_type")
        scope = frozenset(first(fields, "scope").split())
        if "openid" not in scope:
            raise OAuthError("invalid_scope", "scope must contain openid")
        nonce = first(fields, "nonce") or None
        if response_type == "id_token" and nonce is None:
            raise OAuthError("invalid_request", "nonce is required with response_type id_token")
        challenge = first(fields, "code_challenge") or None
        method = first(fields, "code_challenge_method")
        if (challenge is None) != (method == "") or method not in ("", "S256"):
            raise OAuthError("invalid_request", "PKCE needs code_challenge with code_challenge_method S256")
        if challenge is not None and not _CHALLENGE.fullmatch(challenge):
            raise OAuthError("invalid_request", "code_challenge must be 43 to 128 base64url characters")
        prompts = first(fields, "prompt").split()
        if "none" in prompts:
            if len(prompts) > 1:
                raise OAuthError("invalid_request", "prompt none cannot be combined")
            raise OAuthError("login_required", "nobody is signed in here, the provider always asks")
        return AuthorizationRequest(destination, response_type, scope, nonce, challenge)

    def approve(self, request: AuthorizationRequest, person: Person) -> str:
        """Sign ``person`` in: the URL that brings the code, or the ID token, to the client."""
        now = self._clock.timestamp()
        if request.response_type == "id_token":
            answer = {"id_token": self._id_token(request, person, now)}
        else:
            self._codes = {code: grant for code, grant in self._codes.items() if grant.expires_at > now}
            code = secrets.token_urlsafe(32)
            self._codes[code] = Grant(request, person, auth_time=now, expires_at=now + CODE_SECONDS)
            answer = {"code": code}
        return request.destination.url(self.issuer, answer)

    def authenticate(self, client_id: str, client_secret: str) -> Client:
        """The client that knows the secret. Raises OAuthError ``invalid_client`` (RFC 6749 §5.2)."""
        client = self.clients.get(client_id)
        # One answer for "unknown" and "wrong secret".
        expected = "" if client is None else client.client_secret
        if client is None or not hmac.compare_digest(
            expected.encode(), client_secret.encode("utf-8", "replace")
        ):
            raise OAuthError("invalid_client", "unknown client or wrong client secret", status=401)
        return client

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str | None) -> dict[str, Any]:
        """Exchange a code for tokens, once, within ``CODE_SECONDS``. Raises OAuthError ``invalid_grant``.

        A code that its own client presents is consumed even when the exchange fails; presented again it takes
        back the access token it bought (RFC 6749 §4.1.2).
        """
        now = self._clock.timestamp()
        grant = self._codes.get(code)
        if grant is None or grant.expires_at <= now or grant.request.destination.client != client:
            raise OAuthError("invalid_grant", "the code is unknown, expired or was given to another client")
        if grant.used:
            if grant.access_token is not None:
                self._access.pop(grant.access_token, None)
            raise OAuthError("invalid_grant", "the code was already used")
        grant.used = True
        if redirect_uri != grant.request.destination.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri differs from the authorization request")
        _check_verifier(grant.request.code_challenge, verifier)
        self._access = {token: record for token, record in self._access.items() if record[2] > now}
        grant.access_token = secrets.token_urlsafe(32)
        self._access[grant.access_token] = (grant.person, grant.request.scope, now + TOKEN_SECONDS)
        return {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scope for scope in _SCOPES if scope in grant.request.scope),
            "id_token": self._id_token(grant.request, grant.person, grant.auth_time),
        }

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """The claims behind an access token. Raises OAuthError ``invalid_token`` (RFC 6750 §3.1)."""
        record = self._access.get(access_token)
        if record is None or record[2] <= self._clock.timestamp():
            raise OAuthError("invalid_token", "the access token is unknown or expired", status=401)
        person, scope, _ = record
        return {"sub": person.sub, **_claims(person, scope)}

    def _id_token(self, request: AuthorizationRequest, person: Person, auth_time: int) -> str:
        now = self._clock.timestamp()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": person.sub,
            "aud": request.destination.client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": auth_time,
            **_claims(person, request.scope),
        }
        if request.nonce is not None:
            claims["nonce"] = request.nonce
        return jwt.encode(
            {"alg": "RS256", "kid": self._key.thumbprint()}, claims, self._key, algorithms=["RS256"]
        )


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """RFC 7636 §4.6; a verifier without a challenge is a downgrade (RFC 9700 §2.1.1)."""
    if challenge is None and verifier is None:
        return
    if challenge is None or verifier is None or not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_grant", "code_verifier and code_challenge do not belong together")
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    if not hmac.compare_digest(proof, challenge):
        raise OAuthError("invalid_grant", "code_verifier does not match code_challenge")


def _claims(person: Person, scope: frozenset[str]) -> dict[str, Any]:
    """What the granted scopes tell about a person (Core §5.4)."""
    claims: dict[str, Any] = {}
    if "email" in scope:
        claims |= {"email": person.email, "email_verified": person.email_verified}
    if "profile" in scope:
        claims["name"] = person.name
    return claims


def first(fields: Fields, name: str) -> str:
    """The first value of a field; empty when it was not sent."""
    values = fields.get(name)
    return values[0] if values else ""


def _printable(text: str) -> str:
    """``text`` reduced to what an error_description may hold (RFC 6749 §4.1.2.1)."""
    return re.sub(r"[^A-Za-z0-9_.-]", "?", text)[:50]
