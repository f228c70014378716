"""The things of a fake Sentinel: people, workspaces, groups, resources, shares."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(eq=False)
class Person:
    """Somebody with an account. ``subject`` is his name at the identity provider."""

    name: str
    email: str
    subject: str
    id: UUID = field(default_factory=uuid4)
    is_active: bool = True


@dataclass(eq=False)
class Workspace:
    """A tenant; ``roles`` says who is a member, and as what. ``actions`` are pairs of (person, action)."""

    slug: str
    name: str
    id: UUID = field(default_factory=uuid4)
    roles: dict[Person, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)
    actions: set[tuple[Person, str]] = field(default_factory=set)
    created_at: str = field(default_factory=_now)


@dataclass(eq=False)
class Group:
    name: str
    workspace: Workspace
    members: list[Person] = field(default_factory=list)
    id: UUID = field(default_factory=uuid4)
    created_at: str = field(default_factory=_now)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "workspace_id": str(self.workspace.id),
            "name": self.name,
            "description": None,
            "created_by": None,
            "created_at": self.created_at,
        }


@dataclass(eq=False)
class Share:
    grantee: Person | Group
    permission: str
    granted_by: Person | None = None
    id: UUID = field(default_factory=uuid4)
    granted_at: str = field(default_factory=_now)

    def as_json(self, *, enriched: bool = False) -> dict[str, Any]:
        shown = {
            "id": str(self.id),
            "grantee_type": "group" if isinstance(self.grantee, Group) else "user",
            "grantee_id": str(self.grantee.id),
            "permission": self.permission,
            "granted_by": str(self.granted_by.id) if self.granted_by else None,
            "granted_at": self.granted_at,
        }
        if enriched:
            shown |= {
                "grantee_name": self.grantee.name,
                "grantee_email": self.grantee.email if isinstance(self.grantee, Person) else None,
                "granted_by_name": self.granted_by.name if self.granted_by else None,
            }
        return shown


@dataclass(eq=False)
class Resource:
    service_name: str
    resource_type: str
    resource_id: UUID
    workspace: Workspace
    owner: Person | None
    visibility: str = "workspace"
    id: UUID = field(default_factory=uuid4)
    shares: list[Share] = field(default_factory=list)
    created_at: str = field(default_factory=_now)

    def as_json(self, *, enriched: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": str(self.id),
            "service_name": self.service_name,
            "resource_type": self.resource_type,
            "resource_id": str(self.resource_id),
            "workspace_id": str(self.workspace.id),
            "owner_id": str(self.owner.id) if self.owner else None,
            "visibility": self.visibility,
            "created_at": self.created_at,
            "shares": [share.as_json(enriched=enriched) for share in self.shares],
        }
        if enriched:
            shown |= {
                "owner_name": self.owner.name if self.owner else None,
                "owner_email": self.owner.email if self.owner else None,
            }
        return shown
