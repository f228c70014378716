"""Logins in progress, kept by the browser in one signed cookie (RO-3, RO-9): nothing of them is stored here.

Several tabs may be signing in at once, so the cookie holds several flows, each found by its own ``state``.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from sentinel.core.clock import Clock

COOKIE_NAME = "sentinel_login"
LIFETIME_SECONDS = 600
MAX_COOKIE_LENGTH = 3800
"""Browsers keep 4096 bytes of name, value and attributes."""
SALT = "sentinel.login.flow"


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in on its way to the provider and back."""

    kind: str
    provider: str
    state: str
    started_at: int
    nonce: str | None = None
    code_verifier: str | None = None
    client_id: UUID | None = None
    redirect_digest: str | None = None
    code_challenge: str | None = None
    app_state: str | None = None
    redirect_uri: str | None = None
    """The address itself, where it belongs to no list that a digest could be looked up in (Z2)."""
    return_path: str | None = None
    """The page of the panel that was asked for before the sign-in."""


def new_secret() -> str:
    """A fresh ``state``, ``nonce`` or PKCE verifier: 32 random bytes, base64url (43 characters, RFC 7636 §4.1)."""
    return secrets.token_urlsafe(32)


def redirect_digest(redirect_uri: str) -> str:
    """A short stand-in for a redirect URI, which may be long; the URI itself stays with the login app."""
    return hashlib.sha256(redirect_uri.encode()).hexdigest()


class LoginCookie:
    """Reads and writes the cookie. ``keys`` are the accepted session keys, the one that signs first."""

    def __init__(self, keys: Sequence[str], clock: Clock) -> None:
        # itsdangerous signs with the last key of its list and accepts all of them.
        self._serializer = URLSafeSerializer(
            list(reversed(keys)), salt=SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._clock = clock

    def flows(self, cookie: str | None) -> list[Flow]:
        """The flows of a cookie that we signed and that are not over; none for anything else (T1b, L05)."""
        if not cookie or len(cookie) > MAX_COOKIE_LENGTH:
            return []
        oldest = self._clock.timestamp() - LIFETIME_SECONDS
        try:
            flows = [_flow(entry) for entry in self._serializer.loads(cookie)]
            return [flow for flow in flows if flow.started_at > oldest]
        except (BadSignature, TypeError, ValueError, KeyError, AttributeError):
            return []

    def with_flow(self, cookie: str | None, flow: Flow) -> str:
        """The cookie's new value with ``flow`` added; the oldest flows give way when it would grow too long."""
        flows = [*self.flows(cookie), replace(flow, started_at=self._clock.timestamp())]
        while len(sealed := self._seal(flows)) > MAX_COOKIE_LENGTH and len(flows) > 1:
            flows.pop(0)
        return sealed

    def without_flow(self, cookie: str | None, state: str | None) -> str | None:
        """The cookie's new value without the flow of ``state``, or None when no flow is left."""
        flows = [flow for flow in self.flows(cookie) if not state or flow.state != state]
        return self._seal(flows) if flows else None

    def find(self, cookie: str | None, *, kind: str, provider: str, state: str | None) -> Flow | None:
        """The flow that a callback belongs to; ``state`` is compared in constant time (RO-3)."""
        found = None
        for flow in self.flows(cookie):
            same = hmac.compare_digest(flow.state.encode(), (state or "").encode("utf-8", "replace"))
            if same and flow.kind == kind and flow.provider == provider:
                found = flow
        return found

    def _seal(self, flows: list[Flow]) -> str:
        sealed = self._serializer.dumps([_entry(flow) for flow in flows])
        return sealed if isinstance(sealed, str) else sealed.decode()


def _entry(flow: Flow) -> dict[str, Any]:
    entry = {key: value for key, value in asdict(flow).items() if value is not None}
    if flow.client_id is not None:
        entry["client_id"] = str(flow.client_id)
    return entry


def _flow(entry: dict[str, Any]) -> Flow:
    if (client_id := entry.get("client_id")) is not None:
        entry = entry | {"client_id": UUID(client_id)}
    return Flow(**entry)
