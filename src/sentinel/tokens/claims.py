"""What stands in a token (``tokens.md`` §1, §4): kinds, audiences, and typed forms of verified claims."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

ROLE_RANK = {"viewer": 0, "editor": 1, "admin": 2, "owner": 3}
"""Workspace roles in their order (``authorization.md`` §2 rule 1)."""

MAX_TOKEN_LENGTH = 8192


class TokenType(StrEnum):
    """The ``type`` claim; each kind has one audience."""

    ACCESS = "access"
    REFRESH = "refresh"
    AUTHZ = "authz"
    M2M = "m2m"
    ADMIN = "admin_access"

    @property
    def audience(self) -> str:
        return AUDIENCES[self]


AUDIENCES = {kind: f"sentinel:{'admin' if kind is TokenType.ADMIN else kind.value}" for kind in TokenType}


class UserClaims(NamedTuple):
    """An access or authz token that has been verified offline; nothing here is live."""

    type: TokenType
    user_id: UUID
    workspace_id: UUID
    workspace_role: str
    jti: UUID
    epoch: int
    expires_at: datetime
    scope: str | None = None
    """``svc`` of an authz token."""
    idp_subject: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """A refresh token that has been verified offline; whether it is still unused only the database knows."""

    user_id: UUID
    family_id: UUID
    jti: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class AdminClaims:
    """An admin token that has been verified offline."""

    user_id: UUID
    jti: UUID
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OrganizationClaims:
    """``oid``, ``oslug``, ``opub`` of the user's own organization."""

    id: UUID
    slug: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """Everything about a person in a workspace that goes into a token, read fresh from the database (RF-10)."""

    user_id: UUID
    email: str
    name: str
    epoch: int
    workspace_id: UUID
    workspace_slug: str
    workspace_role: str
    group_ids: tuple[UUID, ...] = ()
    organization: OrganizationClaims | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed token with what the database has to remember of it."""

    token: str
    jti: UUID
    issued_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"IssuedToken(jti={self.jti})"
