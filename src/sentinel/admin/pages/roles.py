"""The tab Roles of a workspace, and the role editor: actions, people, groups (``admin.md`` §2)."""

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
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
from sentinel.core.errors import NotFound
from sentinel.roles import bindings, roles
from sentinel.roles.models import Role
from sentinel.roles.roles import Choice, RoleEntry, Share
from sentinel.workspaces import batch, candidates, overview, workspaces
from sentinel.workspaces.models import Workspace

router = APIRouter(prefix="/admin", include_in_schema=False)
IN_WORKSPACE = "/workspaces/{workspace_id}/roles"
ONE = IN_WORKSPACE + "/{role_id}"


@dataclass(frozen=True, slots=True)
class Service:
    """The actions of one service on a page of the editor; ``share`` counts those of all pages."""

    name: str
    choices: list[Choice]
    share: Share

    @property
    def is_whole(self) -> bool:
        """Whether all its actions are on the page."""
        return len(self.choices) == self.share.all

    @property
    def is_held(self) -> bool:
        """Whether nothing on the page is left to add."""
        return all(choice.held for choice in self.choices)


# ── the tab ──


@router.get(IN_WORKSPACE)
async def index(
    view: Page, workspace_id: UUID, search: Search = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """The roles, newest first."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        found = await roles.browse(session, workspace_id, search.strip(), page=page)
    return view.page(
        "workspaces/roles.html",
        title="Roles",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members")],
        workspace=workspace,
        found=found,
        search=search,
    )


@router.get(IN_WORKSPACE + "/new")
async def new(view: Page, workspace_id: UUID) -> Response:
    """The form for a new role."""
    return await _new(view, workspace_id, Form({"name": "", "description": ""}))


async def _new(view: View, workspace_id: UUID, form: Form) -> Response:
    async with view.reading() as session:
        workspace = await workspaces.get(session, workspace_id)
    return view.page(
        "workspaces/named.html",
        title="New role",
        crumbs=_above(workspace),
        status=form.status,
        form=form,
        about="A set of actions that services ask for by name. Actions and people come in the next step.",
        target=f"/workspaces/{workspace_id}/roles",
        back=f"/workspaces/{workspace_id}/roles",
        button="Create the role",
    )


@router.post(IN_WORKSPACE)
async def create(view: Page, workspace_id: UUID, name: Typed = "", description: Typed = "") -> Response:
    """Make a role."""
    form = Form({"name": name, "description": description}, hints=HINTS, collides="name")

    async def make(session: AsyncSession, wish: GroupIn) -> Role:
        return await roles.create(
            session, workspace_id, name=wish.name, description=wish.description or None, **view.actor
        )

    made = await form.submit(view, GroupIn, make)
    if made is None:
        return await _new(view, workspace_id, form)
    return view.go(
        f"/workspaces/{workspace_id}/roles/{made.id}/actions",
        f"Role {made.name} is there. It allows nothing until it has actions.",
    )


# ── one role ──


@router.get("/roles/{role_id}")
async def find(view: Page, role_id: UUID) -> Response:
    """A role by its id alone, as the activity log knows it."""
    async with view.reading() as session:
        role = await roles.get(session, role_id)
    return view.go(f"/workspaces/{role.workspace_id}/roles/{role_id}/actions")


@router.get(ONE)
async def detail(view: Page, workspace_id: UUID, role_id: UUID) -> Response:
    """A role opens with its actions."""
    return view.go(f"/workspaces/{workspace_id}/roles/{role_id}/actions")


@router.get(ONE + "/edit")
async def edit(view: Page, workspace_id: UUID, role_id: UUID) -> Response:
    """Name and description."""
    workspace, entry = await _read(view, workspace_id, role_id)
    return _edit(
        view, workspace, entry, Form({"name": entry.role.name, "description": entry.role.description})
    )


def _edit(view: View, workspace: Workspace, entry: RoleEntry, form: Form) -> Response:
    here = f"/workspaces/{workspace.id}/roles/{entry.role.id}"
    return view.page(
        "workspaces/named.html",
        title="Edit",
        crumbs=[*_above(workspace), (entry.role.name, f"{here}/actions")],
        status=form.status,
        form=form,
        about="",
        target=here,
        back=f"{here}/actions",
        button="Save",
    )


@router.post(ONE)
async def change(
    view: Page, workspace_id: UUID, role_id: UUID, name: Typed = "", description: Typed = ""
) -> Response:
    """Rename or describe a role."""
    _, entry = await _read(view, workspace_id, role_id)
    form = Form({"name": name, "description": description}, hints=HINTS, collides="name")

    async def save(session: AsyncSession, wish: ChangeIn) -> Role:
        return await roles.change(
            session,
            role_id,
            name=wish.name,
            description=described(wish.description, entry.role.description),
            **view.actor,
        )

    if await form.submit(view, ChangeIn, save) is None:
        # What was read before the refusal has been undone with it.
        return _edit(view, *await _read(view, workspace_id, role_id), form)
    return view.go(f"/workspaces/{workspace_id}/roles/{role_id}/actions", "Saved.")


@router.post(ONE + "/delete")
async def delete(view: Page, workspace_id: UUID, role_id: UUID) -> Response:
    """Delete a role with all its bindings."""
    _, entry = await _read(view, workspace_id, role_id)
    return await view.act(
        lambda session: roles.delete(session, role_id, **view.actor),
        to=f"/workspaces/{workspace_id}/roles",
        said=f"Role {entry.role.name} is deleted; nobody holds it any more.",
    )


# ── its actions ──


@router.get(ONE + "/actions")
async def list_actions(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """Every registered action by service, and which of them the role holds."""
    async with view.reading() as session:
        workspace, entry = await _find(session, workspace_id, role_id)
        found = await roles.choices(session, role_id, search.strip(), page=page)
        by_service = [
            (name, list(choices))
            for name, choices in groupby(found.items, key=lambda choice: choice.action.service_name)
        ]
        shares = await roles.shares(session, role_id, [name for name, _ in by_service])
    return _tab(
        view,
        "workspaces/role_actions.html",
        workspace,
        entry,
        found=found,
        services=[Service(name, choices, shares[name]) for name, choices in by_service],
        search=search,
    )


@router.post(ONE + "/actions")
async def add_actions(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    action_id: Picked = [],  # noqa: B006 - read, never changed
) -> Response:
    """Add all chosen actions."""
    here = f"/workspaces/{workspace_id}/roles/{role_id}/actions"
    if not action_id:
        return view.go(here, "Choose at least one action first.", kind="bad")
    await _read(view, workspace_id, role_id)
    return await view.act(
        lambda session: roles.add_actions(session, role_id, action_id, **view.actor),
        to=here,
        said=lambda added: f"{plural(added, 'action')} added. It counts from the next check on.",
    )


@router.post(ONE + "/actions/{action_id}/remove")
async def remove_action(view: Page, workspace_id: UUID, role_id: UUID, action_id: UUID) -> Response:
    """Take an action from the role."""
    await _read(view, workspace_id, role_id)
    return await view.act(
        lambda session: roles.remove_action(session, role_id, action_id, **view.actor),
        to=f"/workspaces/{workspace_id}/roles/{role_id}/actions",
        said="Action removed. It counts from the next check on.",
    )


# ── who holds it ──


@router.get(ONE + "/members")
async def list_members(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The people bound to the role."""
    async with view.reading() as session:
        workspace, entry = await _find(session, workspace_id, role_id)
        found = await overview.holders(session, role_id, search.strip(), page=page)
    return _tab(view, "workspaces/role_members.html", workspace, entry, found=found, search=search)


@router.get(ONE + "/members/add")
async def choose_members(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    user_id: Annotated[Chosen, Query()] = [],  # noqa: B006 - read, never changed
    search: Search = "",
) -> Response:
    """Which members of the workspace could be bound."""
    async with view.reading() as session:
        workspace, entry = await _find(session, workspace_id, role_id)
        found = await candidates.for_role(session, workspace_id, role_id, search.strip(), user_id)
    here = f"/workspaces/{workspace_id}/roles/{role_id}/members"
    return view.page(
        "workspaces/pick.html",
        title="Bind members",
        crumbs=[*_above(workspace), (entry.role.name, here)],
        found=found,
        search=search,
        picker=Picker(
            about=f"They may perform the {plural(entry.action_count, 'action')} of {entry.role.name} "
            f"in {workspace.name} at once.",
            placeholder="Name or e-mail address",
            field="user_id",
            target=here,
            back=here,
            button="Bind to the role",
            taken="already bound",
            nothing="Only members of the workspace can hold its roles.",
        ),
    )


@router.post(ONE + "/members")
async def bind_members(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    user_id: Picked = [],  # noqa: B006 - read, never changed
) -> Response:
    """Bind several members; those who cannot be are reported together."""

    async def work(session: AsyncSession) -> batch.Batch:
        await _find(session, workspace_id, role_id)
        return await batch.people(
            session, user_id, lambda one: bindings.bind_member(session, role_id, one, **view.actor)
        )

    here = f"/workspaces/{workspace_id}/roles/{role_id}/members"
    return picked(view, await view.do(work), "person", "bound to the role", back=here, again=f"{here}/add")


@router.post(ONE + "/members/{user_id}/remove")
async def unbind_member(view: Page, workspace_id: UUID, role_id: UUID, user_id: UUID) -> Response:
    """Take the role from a person."""
    await _read(view, workspace_id, role_id)
    return await view.act(
        lambda session: bindings.unbind_member(session, role_id, user_id, **view.actor),
        to=f"/workspaces/{workspace_id}/roles/{role_id}/members",
        said="Unbound. What comes through groups stays.",
    )


@router.get(ONE + "/groups")
async def list_groups(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The groups bound to the role."""
    async with view.reading() as session:
        workspace, entry = await _find(session, workspace_id, role_id)
        found = await bindings.browse_groups(session, role_id, search.strip(), page=page)
    return _tab(view, "workspaces/role_groups.html", workspace, entry, found=found, search=search)


@router.get(ONE + "/groups/add")
async def choose_groups(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    group_id: Annotated[Chosen, Query()] = [],  # noqa: B006 - read, never changed
    search: Search = "",
) -> Response:
    """Which groups of the workspace could be bound."""
    async with view.reading() as session:
        workspace, entry = await _find(session, workspace_id, role_id)
        found = await candidates.groups_for_role(session, workspace_id, role_id, search.strip(), group_id)
    here = f"/workspaces/{workspace_id}/roles/{role_id}/groups"
    return view.page(
        "workspaces/pick.html",
        title="Bind groups",
        crumbs=[*_above(workspace), (entry.role.name, here)],
        found=found,
        search=search,
        picker=Picker(
            about=f"Whoever is in a bound group holds {entry.role.name}, for as long as he is in it.",
            placeholder="Name of a group",
            field="group_id",
            target=here,
            back=here,
            button="Bind to the role",
            taken="already bound",
            nothing="Only groups of the workspace can hold its roles.",
        ),
    )


@router.post(ONE + "/groups")
async def bind_groups(
    view: Page,
    workspace_id: UUID,
    role_id: UUID,
    group_id: Picked = [],  # noqa: B006 - read, never changed
) -> Response:
    """Bind several groups; those that cannot be are reported together."""

    async def work(session: AsyncSession) -> batch.Batch:
        await _find(session, workspace_id, role_id)
        return await batch.groups(
            session, group_id, lambda one: bindings.bind_group(session, role_id, one, **view.actor)
        )

    here = f"/workspaces/{workspace_id}/roles/{role_id}/groups"
    return picked(view, await view.do(work), "group", "bound to the role", back=here, again=f"{here}/add")


@router.post(ONE + "/groups/{group_id}/remove")
async def unbind_group(view: Page, workspace_id: UUID, role_id: UUID, group_id: UUID) -> Response:
    """Take the role from a group."""
    await _read(view, workspace_id, role_id)
    return await view.act(
        lambda session: bindings.unbind_group(session, role_id, group_id, **view.actor),
        to=f"/workspaces/{workspace_id}/roles/{role_id}/groups",
        said="Unbound. Its members lose what only this binding gave them.",
    )


async def _read(view: View, workspace_id: UUID, role_id: UUID) -> tuple[Workspace, RoleEntry]:
    async with view.reading() as session:
        return await _find(session, workspace_id, role_id)


async def _find(session: AsyncSession, workspace_id: UUID, role_id: UUID) -> tuple[Workspace, RoleEntry]:
    """A role of the workspace; one of another does not exist here. Raises :class:`NotFound`."""
    workspace = await workspaces.get(session, workspace_id)
    entry = await roles.entry(session, role_id)
    if entry.role.workspace_id != workspace.id:
        raise NotFound("Role not found", reason="role_not_found")
    return workspace, entry


def _above(workspace: Workspace) -> list[tuple[str, str]]:
    here = f"/workspaces/{workspace.id}"
    return [HOME, (workspace.name, f"{here}/members"), ("Roles", f"{here}/roles")]


def _tab(view: View, template: str, workspace: Workspace, entry: RoleEntry, **values: Any) -> Response:
    return view.page(
        template,
        title=entry.role.name,
        crumbs=_above(workspace),
        workspace=workspace,
        entry=entry,
        role=entry.role,
        **values,
    )
