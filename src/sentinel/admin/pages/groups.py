"""The tab Groups of a workspace, and the page of one group (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.forms import Form, Typed
from sentinel.admin.pages.picker import Chosen, Picked, Picker, Search, picked
from sentinel.admin.pages.workspaces import HINTS, HOME, described
from sentinel.admin.view import View
from sentinel.admin.words import plural
from sentinel.api.schemas.workspaces import ChangeIn, GroupIn
from sentinel.workspaces import batch, candidates, enrolment, groups, overview
from sentinel.workspaces.models import Group
from sentinel.workspaces.overview import GroupDetail

router = APIRouter(prefix="/admin", include_in_schema=False)
IN_WORKSPACE = "/workspaces/{workspace_id}/groups"
ONE = IN_WORKSPACE + "/{group_id}"


@router.get(IN_WORKSPACE)
async def index(
    view: Page, workspace_id: UUID, search: Search = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """The groups, newest first."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        found = await overview.groups(session, workspace_id, search.strip(), page=page)
    return view.page(
        "workspaces/groups.html",
        title="Groups",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members")],
        workspace=workspace,
        found=found,
        search=search,
    )


@router.get(IN_WORKSPACE + "/new")
async def new(view: Page, workspace_id: UUID) -> Response:
    """The form for a new group."""
    return await _new(view, workspace_id, Form({"name": "", "description": ""}))


async def _new(view: View, workspace_id: UUID, form: Form) -> Response:
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
    return view.page(
        "workspaces/named.html",
        title="New group",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members"), _tab(workspace_id)],
        status=form.status,
        form=form,
        about="Members of the workspace who get shares and roles together.",
        target=f"/workspaces/{workspace_id}/groups",
        back=f"/workspaces/{workspace_id}/groups",
        button="Create the group",
    )


@router.post(IN_WORKSPACE)
async def create(view: Page, workspace_id: UUID, name: Typed = "", description: Typed = "") -> Response:
    """Make a group."""
    form = Form({"name": name, "description": description}, hints=HINTS, collides="name")

    async def make(session: AsyncSession, wish: GroupIn) -> Group:
        await enrolment.hold(session, workspace_id)
        return await groups.make(
            session, workspace_id, name=wish.name, description=wish.description or None, **view.actor
        )

    made = await form.submit(view, GroupIn, make)
    if made is None:
        return await _new(view, workspace_id, form)
    return view.go(f"/workspaces/{workspace_id}/groups/{made.id}", f"Group {made.name} is there, and empty.")


@router.get("/groups/{group_id}")
async def find(view: Page, group_id: UUID) -> Response:
    """A group by its id alone, as the activity log knows it."""
    async with view.reading() as session:
        workspace_id = await groups.workspace_of(session, group_id)
    return view.go(f"/workspaces/{workspace_id}/groups/{group_id}")


@router.get(ONE)
async def detail(
    view: Page,
    workspace_id: UUID,
    group_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """Who is in a group, and which roles it has."""
    async with view.reading() as session:
        group = await overview.group(session, workspace_id, group_id)
        found = await overview.group_members(session, group_id, search.strip(), page=page)
    return view.page(
        "workspaces/group.html",
        title=group.name,
        crumbs=_crumbs(group)[:-1],
        group=group,
        found=found,
        search=search,
    )


@router.get(ONE + "/edit")
async def edit(view: Page, workspace_id: UUID, group_id: UUID) -> Response:
    """Name and description."""
    async with view.reading() as session:
        group = await overview.group(session, workspace_id, group_id)
    return _edit(view, group, Form({"name": group.name, "description": group.description}))


def _edit(view: View, group: GroupDetail, form: Form) -> Response:
    here = f"/workspaces/{group.workspace_id}/groups/{group.id}"
    return view.page(
        "workspaces/named.html",
        title="Edit",
        crumbs=_crumbs(group),
        status=form.status,
        form=form,
        about="",
        target=here,
        back=here,
        button="Save",
    )


@router.post(ONE)
async def change(
    view: Page, workspace_id: UUID, group_id: UUID, name: Typed = "", description: Typed = ""
) -> Response:
    """Rename or describe a group."""
    form = Form({"name": name, "description": description}, hints=HINTS, collides="name")

    async def save(session: AsyncSession, wish: ChangeIn) -> Group:
        current = await overview.group(session, workspace_id, group_id)
        return await groups.edit(
            session,
            workspace_id,
            group_id,
            name=wish.name,
            description=described(wish.description, current.description),
            **view.actor,
        )

    if await form.submit(view, ChangeIn, save) is None:
        async with view.reading() as session:
            return _edit(view, await overview.group(session, workspace_id, group_id), form)
    return view.go(f"/workspaces/{workspace_id}/groups/{group_id}", "Saved.")


@router.post(ONE + "/delete")
async def delete(view: Page, workspace_id: UUID, group_id: UUID) -> Response:
    """Delete a group with all that was given to it."""
    return await view.act(
        lambda session: groups.destroy(session, workspace_id, group_id, **view.actor),
        to=f"/workspaces/{workspace_id}/groups",
        said=lambda group: f"Group {group.name} is deleted; the sessions of those who were in it have ended.",
    )


@router.get(ONE + "/add")
async def choose(
    view: Page,
    workspace_id: UUID,
    group_id: UUID,
    user_id: Annotated[Chosen, Query()] = [],  # noqa: B006 - read, never changed
    search: Search = "",
) -> Response:
    """Which members of the workspace could be put into the group."""
    async with view.reading() as session:
        group = await overview.group(session, workspace_id, group_id)
        found = await candidates.for_group(session, workspace_id, group_id, search.strip(), user_id)
    here = f"/workspaces/{workspace_id}/groups/{group_id}"
    return view.page(
        "workspaces/pick.html",
        title="Add members",
        crumbs=_crumbs(group),
        found=found,
        search=search,
        picker=Picker(
            about=f"Members of {group.workspace_name} get what {group.name} has at once.",
            placeholder="Name or e-mail address",
            field="user_id",
            target=f"{here}/members",
            back=here,
            button="Add to the group",
            taken="already in the group",
            nothing="Only members of the workspace can be in its groups.",
        ),
    )


@router.post(ONE + "/members")
async def add(
    view: Page,
    workspace_id: UUID,
    group_id: UUID,
    user_id: Picked = [],  # noqa: B006 - read, never changed
) -> Response:
    """Put several members into the group; those who cannot be are reported together."""

    async def work(session: AsyncSession) -> batch.Batch:
        await overview.group(session, workspace_id, group_id)
        return await batch.people(
            session,
            user_id,
            lambda one: groups.put_in(session, workspace_id, group_id, one, **view.actor),
        )

    here = f"/workspaces/{workspace_id}/groups/{group_id}"
    return picked(view, await view.do(work), "person", "added to the group", back=here, again=f"{here}/add")


@router.post(ONE + "/members/{user_id}/remove")
async def remove(view: Page, workspace_id: UUID, group_id: UUID, user_id: UUID) -> Response:
    """Take somebody out of the group."""
    return await view.act(
        lambda session: groups.take_out(session, workspace_id, group_id, user_id, **view.actor),
        to=f"/workspaces/{workspace_id}/groups/{group_id}",
        said=lambda ended: f"Taken out of the group; {plural(ended, 'session')} ended.",
    )


def _tab(workspace_id: UUID) -> tuple[str, str]:
    return "Groups", f"/workspaces/{workspace_id}/groups"


def _crumbs(group: GroupDetail) -> list[tuple[str, str]]:
    return [
        HOME,
        (group.workspace_name, f"/workspaces/{group.workspace_id}/members"),
        _tab(group.workspace_id),
        (group.name, f"/workspaces/{group.workspace_id}/groups/{group.id}"),
    ]
