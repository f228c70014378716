"""The tab Members of a workspace: who is in it, adding several, roles, removing (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.picker import Chosen, Picked, Picker, Search, picked
from sentinel.admin.pages.workspaces import HOME
from sentinel.admin.words import plural
from sentinel.workspaces import candidates, enrolment, members, overview
from sentinel.workspaces.roles import WorkspaceRole

router = APIRouter(prefix="/admin/workspaces/{workspace_id}/members", include_in_schema=False)

ROLES = tuple((role.value, role.value.title()) for role in reversed(WorkspaceRole))
"""The weakest first, which is what a batch gets unless somebody chooses more."""


@router.get("")
async def index(
    view: Page,
    workspace_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The members, newest first."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        found = await overview.members(session, workspace_id, search.strip(), page=page)
    return view.page(
        "workspaces/members.html",
        title="Members",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members")],
        workspace=workspace,
        found=found,
        search=search,
        roles=ROLES,
        counted=overview.COUNTED,
    )


@router.get("/add")
async def choose(
    view: Page,
    workspace_id: UUID,
    user_id: Annotated[Chosen, Query()] = [],  # noqa: B006 - read, never changed
    search: Search = "",
) -> Response:
    """Who could be added."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        found = await candidates.for_workspace(session, workspace_id, search.strip(), user_id)
    here = f"/workspaces/{workspace_id}/members"
    return view.page(
        "workspaces/pick.html",
        title="Add people",
        crumbs=[HOME, (workspace.name, here)],
        found=found,
        search=search,
        picker=Picker(
            about=f"People with an account become members of {workspace.name} at once. Nobody is written to.",
            placeholder="Name or e-mail address",
            field="user_id",
            target=here,
            back=here,
            button="Add to the workspace",
            taken="already a member",
            nothing="Only people with an account can be added. An account is made at the first sign-in.",
            roles=ROLES,
        ),
    )


@router.post("")
async def add(
    view: Page,
    workspace_id: UUID,
    user_id: Picked = [],  # noqa: B006 - read, never changed
    role: Annotated[WorkspaceRole, Form()] = WorkspaceRole.VIEWER,
) -> Response:
    """Add several with one role; those who cannot be added are reported together."""
    batch = await view.do(
        lambda session: enrolment.several(session, workspace_id, user_id, role, **view.actor)
    )
    here = f"/workspaces/{workspace_id}/members"
    return picked(view, batch, "person", f"added as {role.value}", back=here, again=f"{here}/add")


@router.post("/{user_id}/role")
async def change_role(
    view: Page, workspace_id: UUID, user_id: UUID, role: Annotated[WorkspaceRole, Form()]
) -> Response:
    """Give a member another role."""
    return await view.act(
        lambda session: members.set_role(session, workspace_id, user_id, role, as_owner=True, **view.actor),
        to=f"/workspaces/{workspace_id}/members",
        said=lambda entry: f"{entry.name} is now {entry.role}.",
    )


@router.post("/{user_id}/remove")
async def remove(view: Page, workspace_id: UUID, user_id: UUID) -> Response:
    """Remove a member."""
    return await view.act(
        lambda session: members.expel(session, workspace_id, user_id, as_owner=True, **view.actor),
        to=f"/workspaces/{workspace_id}/members",
        said=lambda ended: f"Removed, with all that was given here; {plural(ended, 'session')} ended.",
    )
