"""The law of the entity ACL in plain Python (``authorization.md`` §4): seven steps, the first that matches decides.

Everything that grants access to a resource is in this file; ``lookup.py`` only fetches what it asks about, and
its set form is tested against it.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Action(StrEnum):
    VIEW = "view"
    EDIT = "edit"


class Visibility(StrEnum):
    PRIVATE = "private"
    WORKSPACE = "workspace"


class Level(StrEnum):
    """How much a share grants; ``edit`` implies ``view`` (rule 4)."""

    VIEW = "view"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Asker:
    """The person the question is about, live. ``role`` is None for somebody who is not a member."""

    user_id: UUID
    workspace_id: UUID
    role: str | None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """A registered resource, with the best share that reaches the asker directly and through his groups."""

    workspace_id: UUID
    owner_id: UUID | None
    visibility: Visibility
    direct_share: Level | None = None
    group_share: Level | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the step that gave it (1 to 7) and the reason in a word."""

    allowed: bool
    step: int
    reason: str


def decide(asker: Asker, record: Record | None, action: Action) -> Decision:
    """May ``asker`` do ``action`` to the resource that ``record`` describes? None stands for an unknown resource."""
    if asker.role is None or not asker.is_active:
        return Decision(False, 1, "not_a_member")
    if record is None or record.workspace_id != asker.workspace_id:
        return Decision(False, 1, "unknown_resource")
    if record.owner_id == asker.user_id:
        return Decision(True, 2, "owner")
    if has_full_access(asker.role):
        return Decision(True, 3, "workspace_role")
    if record.visibility is Visibility.WORKSPACE and (action is Action.VIEW or asker.role == "editor"):
        return Decision(True, 4, "workspace_visibility")
    if _grants(record.direct_share, action):
        return Decision(True, 5, "direct_share")
    if _grants(record.group_share, action):
        return Decision(True, 6, "group_share")
    return Decision(False, 7, "no_grant")


def has_full_access(role: str | None) -> bool:
    """Whether a workspace role reaches every resource of the workspace (step 3)."""
    return role in ("admin", "owner")


def _grants(share: Level | None, action: Action) -> bool:
    return share is Level.EDIT or (share is Level.VIEW and action is Action.VIEW)
