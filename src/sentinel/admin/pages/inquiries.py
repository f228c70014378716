"""Why can this person see a resource, and who else can? The seven steps of a decision in words (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.permissions import Text, framed
from sentinel.permissions import catalogue, inquiry
from sentinel.permissions.decide import Action
from sentinel.permissions.inquiry import Answer
from sentinel.workspaces import grantees

router = APIRouter(prefix="/admin/permissions/{permission_id}", include_in_schema=False)

SUBJECTS_SHOWN = 50
STEPS = {
    1: "An active member of the workspace",
    2: "Owner of the resource",
    3: "Administrator or owner of the workspace",
    4: "Visible to the workspace",
    5: "Shared with the person",
    6: "Shared with a group of the person",
    7: "No step grants it",
}
"""The steps in their order; the first that applies decides. Step 1 refuses who is not a member."""
REASONS = {
    "owner": "owns it",
    "workspace_role": "administers the workspace",
    "workspace_visibility": "it is visible to the workspace",
    "direct_share": "shared with the person",
    "group_share": "shared with a group",
}


@router.get("/why")
async def why(
    view: Page,
    permission_id: UUID,
    action: Action = Action.VIEW,
    user_id: UUID | None = None,
    search: Text = "",
) -> Response:
    """Choose a person of the workspace and see which step decides."""
    answer: Answer | None = None
    async with view.reading() as session:
        entry = await catalogue.entry(session, permission_id)
        found = await grantees.find(session, entry.resource, search.strip(), with_groups=False)
        if user_id is not None:
            answer = await inquiry.why(session, permission_id, user_id, action)
    return framed(
        view,
        entry,
        "permissions/why.html",
        action=action.value,
        answer=answer,
        told=answer and sentence(answer, action, entry.workspace_name),
        steps=STEPS,
        search=search,
        found=found,
        shown=grantees.SHOWN,
    )


@router.get("/who")
async def who(
    view: Page,
    permission_id: UUID,
    action: Action = Action.VIEW,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Everybody who may do it, and why, page by page."""
    async with view.reading() as session:
        entry = await catalogue.entry(session, permission_id)
        found = await inquiry.who(session, entry.resource, action, cursor=cursor, limit=SUBJECTS_SHOWN)
    return framed(
        view,
        entry,
        "permissions/who.html",
        action=action.value,
        found=found,
        reasons=REASONS,
        is_first=cursor is None,
    )


def sentence(answer: Answer, action: Action, workspace_name: str) -> str:
    """The deciding step as people say it."""
    name, step = answer.name, answer.decision.step
    if step == 1:
        if not answer.is_active:
            return f"{name}’s account is deactivated."
        return f"{name} is not a member of {workspace_name}."
    if step == 2:
        return f"{name} owns it."
    if step == 3:
        return f"{name} is {answer.role} of {workspace_name}, and such people reach everything in it."
    if step == 4:
        if action is Action.EDIT:
            return f"It is visible to the workspace, and {name} is editor of {workspace_name}."
        return f"It is visible to every member of {workspace_name}."
    if step == 5:
        return f"It is shared with {name} directly."
    if step == 6:
        group = answer.via.name if answer.via else None
        return f"It is shared with the group {group}, which {name} is in." if group else "Through a group."
    return f"{name} neither owns it nor has a role or a share that grants this."
