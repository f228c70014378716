"""Workspaces: the list, making, changing and deleting one (``admin.md`` §2). Each tab has a file of its own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.forms import Form, Typed
from sentinel.admin.pages.picker import Search
from sentinel.admin.view import View
from sentinel.admin.words import plural
from sentinel.api.schemas.workspaces import ChangeIn, WorkspaceIn
from sentinel.workspaces import overview, workspaces
from sentinel.workspaces.models import Workspace
from sentinel.workspaces.overview import WorkspaceDetail
from sentinel.workspaces.workspaces import WorkspaceChange

router = APIRouter(prefix="/admin", include_in_schema=False)

HOME = ("Workspaces", "/workspaces")
NAME = "A name has 1 to 255 characters."
HINTS = {
    "name": NAME,
    "slug": "Use small letters, digits and hyphens, 2 to 100 of them, and no hyphen at either end.",
    "description": "A description has at most 4000 characters.",
}


@router.get("/workspaces")
async def index(
    view: Page,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """All workspaces, newest first."""
    async with view.reading() as session:
        found = await overview.search(session, search.strip(), page=page)
    return view.page("workspaces/list.html", title="Workspaces", found=found, search=search)


@router.get("/workspaces/new")
async def new(view: Page) -> Response:
    """The form for a new workspace."""
    return _new(view, Form({"name": "", "slug": "", "description": ""}))


def _new(view: View, form: Form) -> Response:
    return view.page(
        "workspaces/new.html", title="New workspace", crumbs=[HOME], status=form.status, form=form
    )


@router.post("/workspaces")
async def create(view: Page, name: Typed = "", slug: Typed = "", description: Typed = "") -> Response:
    """Make a workspace that the administrator owns."""
    typed = {"name": name, "slug": slug, "description": description}
    form = Form(typed, hints=HINTS, collides="slug")

    async def make(session: AsyncSession, wish: WorkspaceIn) -> Workspace:
        return await workspaces.make(
            session,
            view.admin.user_id,
            name=wish.name,
            slug=wish.slug,
            description=wish.description or None,
            now=view.now,
        )

    made = await form.submit(view, WorkspaceIn, make)
    if made is None:
        return _new(view, form)
    return view.go(f"/workspaces/{made.id}/members", f"Workspace {made.name} is there, and you own it.")


@router.get("/workspaces/{workspace_id}")
async def detail(view: Page, workspace_id: UUID) -> Response:
    """A workspace opens with its members."""
    return view.go(f"/workspaces/{workspace_id}/members")


@router.get("/workspaces/{workspace_id}/edit")
async def edit(view: Page, workspace_id: UUID) -> Response:
    """Name and description, and the way to delete it."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
    return _edit(view, workspace, Form({"name": workspace.name, "description": workspace.description}))


def _edit(view: View, workspace: WorkspaceDetail, form: Form) -> Response:
    return view.page(
        "workspaces/edit.html",
        title="Edit",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace.id}/members")],
        status=form.status,
        workspace=workspace,
        counted=overview.MANY_RESOURCES,
        form=form,
    )


@router.post("/workspaces/{workspace_id}")
async def change(view: Page, workspace_id: UUID, name: Typed = "", description: Typed = "") -> Response:
    """Rename or describe a workspace."""
    form = Form({"name": name, "description": description}, hints=HINTS, collides="name")

    async def save(session: AsyncSession, wish: ChangeIn) -> Workspace:
        current = await workspaces.get(session, workspace_id)
        return await workspaces.edit(
            session,
            workspace_id,
            WorkspaceChange(wish.name, described(wish.description, current.description)),
            **view.actor,
        )

    if await form.submit(view, ChangeIn, save) is None:
        async with view.reading() as session:
            return _edit(view, await overview.detail(session, workspace_id), form)
    return view.go(f"/workspaces/{workspace_id}/members", "Saved.")


@router.post("/workspaces/{workspace_id}/delete")
async def delete(view: Page, workspace_id: UUID, confirm: Typed = "") -> Response:
    """Delete a workspace whose name has been typed."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
    if confirm.strip() != workspace.name:
        note = f"Nothing was deleted: type {workspace.name} to confirm."
        return view.go(f"/workspaces/{workspace_id}/edit", note, kind="bad")
    return await view.act(
        lambda session: workspaces.destroy(session, workspace_id, **view.actor),
        to="/workspaces",
        said=f"Workspace {workspace.name} is deleted; the sessions of its "
        f"{plural(workspace.member_count, 'member')} have ended.",
        or_to=f"/workspaces/{workspace_id}/edit",
    )


def described(typed: str | None, stored: str | None) -> str | None:
    """The description to store: an empty field is no change where there was nothing before."""
    return typed if typed or stored else None
