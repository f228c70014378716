"""The law of the entity ACL in plain Python (``authorization.md`` §4): seven steps, the first that matches decides.

Everything that grants access to a resource is in this file; ``lookup.py`` only fetches what it asks about, and
its set form is tested against it.
"""

from enum import StrEnum
from typing import NamedTuple
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


class Asker(NamedTuple):
    """The person the question is about, live. ``role`` is None for somebody who is not a member."""

    user_id: UUID
    workspace_id: UUID
    role: str | None
    is_active: bool = True


class Record(NamedTuple):
    """A registered resource, with the best share that reaches the asker directly and through his groups."""

    workspace_id: UUID
    owner_id: UUID | None
    visibility: Visibility
    direct_share: Level | None = None
    group_share: Level | None = None


class Decision(NamedTuple):
    """The answer, the step that gave it (1 to 7) and the reason in a word."""

    allowed: bool
    step: int
    reason: str


NOT_A_MEMBER = Decision(False, 1, "not_a_member")
UNKNOWN_RESOURCE = Decision(False, 1, "unknown_resource")
OWNER = Decision(True, 2, "owner")
WORKSPACE_ROLE = Decision(True, 3, "workspace_role")
WORKSPACE_VISIBILITY = Decision(True, 4, "workspace_visibility")
DIRECT_SHARE = Decision(True, 5, "direct_share")
GROUP_SHARE = Decision(True, 6, "group_share")
NO_GRANT = Decision(False, 7, "no_grant")


def decide(asker: Asker, record: Record | None, action: Action) -> Decision:
    """May ``asker`` do ``action`` to the resource that ``record`` describes? None stands for an unknown resource."""
    if asker.role is None or not asker.is_active:
        return NOT_A_MEMBER
    if record is None or record.workspace_id != asker.workspace_id:
        return UNKNOWN_RESOURCE
    if record.owner_id == asker.user_id:
        return OWNER
    if has_full_access(asker.role):
        return WORKSPACE_ROLE
    if record.visibility is Visibility.WORKSPACE and (action is Action.VIEW or asker.role == "editor"):
        return WORKSPACE_VISIBILITY
    if _grants(record.direct_share, action):
        return DIRECT_SHARE
    if _grants(record.group_share, action):
        return GROUP_SHARE
    return NO_GRANT


def has_full_access(role: str | None) -> bool:
    """Whether a workspace role reaches every resource of the workspace (step 3)."""
    return role in ("admin", "owner")


def _grants(share: Level | None, action: Action) -> bool:
    return share is Level.EDIT or (share is Level.VIEW and action is Action.VIEW)
