"""Who calls: the people and services that a verified token speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sentinel_auth.errors import SentinelError

__all__ = ["ROLES", "AuthenticatedUser", "SentinelError", "SystemAuth", "WorkspaceContext"]

ROLES: Sequence[str] = ("viewer", "editor", "admin", "owner")
"""Workspace roles, the weakest first."""


@dataclass(frozen=True)
class AuthenticatedUser:
    """The person behind a request, in the workspace that the token was issued for."""

    user_id: UUID
    email: str
    name: str
    workspace_id: UUID
    workspace_slug: str
    workspace_role: str
    groups: list[UUID] = field(default_factory=list)
    org_id: UUID | None = None
    org_slug: str | None = None
    org_is_public: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the role is admin or owner."""
        return self.has_role("admin")

    @property
    def is_editor(self) -> bool:
        """Whether the role is editor or above."""
        return self.has_role("editor")

    def has_role(self, minimum: str) -> bool:
        """Whether the role is ``minimum`` or above. A role that is not known, on either side, is False."""
        if minimum not in ROLES or self.workspace_role not in ROLES:
            return False
        return ROLES.index(self.workspace_role) >= ROLES.index(minimum)


@dataclass(frozen=True)
class WorkspaceContext:
    """The workspace of a request, and the caller's place in it."""

    workspace_id: UUID
    workspace_slug: str
    user_id: UUID
    role: str


@dataclass(frozen=True)
class SystemAuth:
    """Another service of the same realm, calling without a person. ``svc`` is the realm's slug."""

    caller: str
    actions: list[str]
    svc: str

    def can(self, action: str) -> bool:
        """Whether the caller may do ``action``: it is listed, or everything is (``"*"``)."""
        return "*" in self.actions or action in self.actions
