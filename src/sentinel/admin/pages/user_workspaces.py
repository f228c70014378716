"""Adding one person to workspaces (``admin.md`` §2, User detail)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.members import ROLES
from sentinel.admin.pages.picker import Chosen, Picked, Picker, Search, picked
from sentinel.admin.pages.users import HOME
from sentinel.identity import users
from sentinel.workspaces import batch, candidates, people
from sentinel.workspaces.batch import Batch
from sentinel.workspaces.roles import WorkspaceRole

router = APIRouter(prefix="/admin/users/{user_id}/workspaces", include_in_schema=False)


@router.get("/add")
async def choose(
    view: Page,
    user_id: UUID,
    workspace_id: Annotated[Chosen, Query()] = [],  # noqa: B006 - read, never changed
    search: Search = "",
) -> Response:
    """The workspaces to choose from."""
    async with view.reading() as session:
        user = await users.get(session, user_id)
        found = await candidates.workspaces_for(session, user_id, search.strip(), workspace_id)
    here = f"/users/{user_id}"
    return view.page(
        "workspaces/pick.html",
        title="Add to workspaces",
        crumbs=[HOME, (user.name, here)],
        found=found,
        search=search,
        picker=Picker(
            about=f"{user.name} becomes a member at once. Nobody is written to.",
            placeholder="Name or slug of a workspace",
            field="workspace_id",
            target=f"{here}/workspaces",
            back=here,
            button="Add to the workspaces",
            taken="already a member",
            nothing="No workspace fits.",
            roles=ROLES,
        ),
    )


@router.post("")
async def add(
    view: Page,
    user_id: UUID,
    workspace_id: Picked = [],  # noqa: B006 - read, never changed
    role: Annotated[WorkspaceRole, Form()] = WorkspaceRole.VIEWER,
) -> Response:
    """Add to several with one role; those that refuse are reported together."""

    async def work(session: AsyncSession) -> Batch:
        return await batch.workspaces(
            session,
            workspace_id,
            lambda one: people.add_to_workspace(session, user_id, one, role, **view.actor),
        )

    here = f"/users/{user_id}"
    done = await view.do(work)
    return picked(
        view, done, "workspace", f"joined as {role.value}", back=here, again=f"{here}/workspaces/add"
    )
