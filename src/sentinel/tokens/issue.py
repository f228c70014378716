"""Signing tokens (``tokens.md`` §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sentinel.core.clock import Clock
from sentinel.tokens.claims import IssuedToken, TokenSubject, TokenType
from sentinel.tokens.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long each kind of token lives."""

    access: timedelta
    refresh: timedelta
    authz: timedelta
    admin: timedelta


class Issuer:
    """Signs every token of this installation.

    ``issuer`` is ``BASE_URL`` without trailing slash, the ``iss`` of all tokens (VR-1).
    """

    def __init__(self, keyring: Keyring, issuer: str, lifetimes: Lifetimes, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock
        self.lifetimes = lifetimes

    def access(self, subject: TokenSubject) -> IssuedToken:
        """An access token (§4.1)."""
        claims = {
            "email": subject.email,
            "name": subject.name,
            **_workspace_claims(subject),
            "groups": [str(group_id) for group_id in subject.group_ids],
        }
        return self._sign(TokenType.ACCESS, self.lifetimes.access, claims, sub=subject.user_id)

    def authz(
        self, subject: TokenSubject, *, idp_subject: str, scope: str, actions: Sequence[str]
    ) -> IssuedToken:
        """An authz token (§4.2): no ``email``, ``name`` or ``groups``; bound to ``scope`` and ``idp_subject``."""
        claims = {
            **_workspace_claims(subject),
            "idp_sub": idp_subject,
            "svc": scope,
            "actions": sorted(set(actions)),
        }
        return self._sign(TokenType.AUTHZ, self.lifetimes.authz, claims, sub=subject.user_id)

    def refresh(self, *, user_id: UUID, family_id: UUID, epoch: int) -> IssuedToken:
        """A refresh token of a family (§4.3); it carries the epoch too, so that VR-9 holds for it as well."""
        claims = {"fid": str(family_id), "ep": epoch}
        return self._sign(TokenType.REFRESH, self.lifetimes.refresh, claims, sub=user_id)

    def admin(self, *, user_id: UUID, email: str, name: str, epoch: int) -> IssuedToken:
        """The panel's token (§4.5)."""
        claims = {"email": email, "name": name, "admin": True, "ep": epoch}
        return self._sign(TokenType.ADMIN, self.lifetimes.admin, claims, sub=user_id)

    def m2m(self, *, realm_slug: str, caller: str, target: str | None, lifetime: timedelta) -> IssuedToken:
        """A service's own token inside its realm (§4.4): it names no person."""
        claims = {"svc": realm_slug, "caller": caller, "actions": ["*"], "aud_target": target}
        return self._sign(TokenType.M2M, lifetime, claims, sub=None)

    def _sign(
        self, kind: TokenType, lifetime: timedelta, claims: dict[str, Any], *, sub: UUID | None
    ) -> IssuedToken:
        jti = uuid4()
        issued_at = self._clock.timestamp()
        expires_at = issued_at + int(lifetime.total_seconds())
        envelope: dict[str, Any] = {
            "iss": self._issuer,
            "aud": kind.audience,
            "type": kind.value,
            "jti": str(jti),
            "iat": issued_at,
            "exp": expires_at,
        }
        if sub is not None:
            envelope["sub"] = str(sub)
        token = self._keyring.sign(envelope | claims)
        return IssuedToken(
            token=token,
            jti=jti,
            issued_at=datetime.fromtimestamp(issued_at, UTC),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
        )


def _workspace_claims(subject: TokenSubject) -> dict[str, Any]:
    organization = subject.organization
    return {
        "wid": str(subject.workspace_id),
        "wslug": subject.workspace_slug,
        "wrole": subject.workspace_role,
        "oid": str(organization.id) if organization else None,
        "oslug": organization.slug if organization else None,
        "opub": organization.is_public if organization else False,
        "ep": subject.epoch,
    }
