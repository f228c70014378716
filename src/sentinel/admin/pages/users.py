"""Users: the list with its bulk actions, and one person (``admin.md`` §2, §4)."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.api.users import AccountChangeIn
from sentinel.admin.pages.desk import ChangePage, Page, SensitivePage
from sentinel.admin.pages.forms import Form, Typed
from sentinel.admin.pages.members import ROLES
from sentinel.admin.pages.picker import Picked, Search
from sentinel.admin.view import View, address
from sentinel.admin.words import plural
from sentinel.audit import history, sign_ins
from sentinel.audit.geo import BundledCountries
from sentinel.identity import accounts, users
from sentinel.identity.accounts import Switched
from sentinel.identity.models import User
from sentinel.workspaces import members, people
from sentinel.workspaces.people import Standing
from sentinel.workspaces.roles import WorkspaceRole

router = APIRouter(prefix="/admin/users", include_in_schema=False)

HOME = ("Users", "/users")
COUNTRIES = BundledCountries()
PAGE_SIZE = 25
INSIGHT_DAYS = 30
RECENT = 10
HINTS = {"name": "A name has 1 to 255 characters."}
STATUSES: dict[Standing, str] = {
    "active": "Active",
    "inactive": "Inactive",
    "administrators": "Administrators",
}
On = Annotated[bool, FormField()]


@router.get("")
async def index(
    view: Page,
    search: Search = "",
    status: Standing | Literal[""] = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """Everybody, newest first, or those of one status."""
    query = dict(view.request.query_params)
    if "" in query.values():
        return RedirectResponse(address(view.state, "/users", query), 303)
    async with view.reading() as session:
        found = await people.search(
            session, search.strip(), standing=status or None, page=page, page_size=PAGE_SIZE
        )
    return view.page(
        "users/list.html", title="Users", found=found, search=search, standing=status, statuses=STATUSES
    )


@router.post("/status")
async def set_status(
    view: SensitivePage,
    active: On,
    user_id: Picked = [],  # noqa: B006 - read, never changed
    search: Typed = "",
    status: Typed = "",
    page: Annotated[int, FormField(ge=1)] = 1,
) -> Response:
    """Activate or deactivate the chosen ones."""
    back = "/users" + _query(search, status, page)
    if not user_id:
        return view.go(back, "Choose at least one first.", kind="bad")
    return await view.act(
        lambda session: accounts.switch_many(session, user_id, active, **view.actor),
        to=back,
        said=lambda done: _switched(done, active),
    )


def _query(search: str, status: str, page: int) -> str:
    """The part of the list that the form stood in."""
    given = {
        "search": search,
        "status": status if status in STATUSES else "",
        "page": page if page > 1 else "",
    }
    kept = {name: value for name, value in given.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def _switched(done: Switched, active: bool) -> str:
    who = plural(done.people, "person", "people")
    if active:
        return f"{who} activated, and able to sign in again."
    return f"{who} deactivated; {plural(done.sessions, 'session')} ended."


# ── one person ──


@router.get("/{user_id}")
async def detail(
    view: Page, user_id: UUID, search: Search = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """All of one person, and a page of the workspaces."""
    return await _detail(view, user_id, search=search, page=page)


async def _detail(
    view: View, user_id: UUID, *, search: str = "", page: int = 1, form: Form | None = None
) -> Response:
    async with view.reading() as session:
        person = await people.profile(session, user_id)
        user = person.user
        found = await people.belongings(session, user_id, search.strip(), page=page)
        seen = await sign_ins.insights(session, COUNTRIES, days=INSIGHT_DAYS, now=view.now, user_id=user.id)
        recent = await history.about_user(session, user.id, amount=RECENT)
    return view.page(
        "users/detail.html",
        title=user.name,
        crumbs=[HOME],
        status=form.status if form else 200,
        at=f"/users/{user_id}",
        person=person,
        user=user,
        found=found,
        search=search,
        form=form or Form({"name": user.name}),
        seen=seen,
        recent=recent,
        roles=ROLES,
        own=user.id == view.admin.user_id,
    )


@router.post("/{user_id}")
async def rename(view: Page, user_id: UUID, name: Typed = "") -> Response:
    """Give a person another name."""
    form = Form({"name": name}, hints=HINTS)

    async def save(session: AsyncSession, wish: AccountChangeIn) -> User:
        return await accounts.change(session, user_id, name=wish.name, **view.actor)

    saved = await form.submit(view, AccountChangeIn, save)
    if saved is None:
        return await _detail(view, user_id, form=form)
    return view.go(f"/users/{user_id}", f"The name is {saved.name} now.")


@router.post("/{user_id}/status")
async def set_active(view: Page, user_id: UUID, active: On) -> Response:
    """Activate or deactivate a person."""
    return await view.act(
        lambda session: users.set_active(session, user_id, active, **view.actor),
        to=f"/users/{user_id}",
        said=lambda ended: (
            "Activated, and able to sign in again."
            if active
            else f"Deactivated; {plural(ended, 'session')} ended."
        ),
    )


@router.post("/{user_id}/admin")
async def set_admin(view: Page, user_id: UUID, admin: On) -> Response:
    """Promote or demote an administrator."""
    return await view.act(
        lambda session: users.set_admin(session, user_id, admin, **view.actor),
        to=f"/users/{user_id}",
        said=lambda ended: (
            "An administrator now, able to sign in to this panel."
            if admin
            else f"No administrator any more; {plural(ended, 'session')} ended."
        ),
    )


@router.post("/{user_id}/revoke")
async def revoke(view: ChangePage, user_id: UUID) -> Response:
    """End every session of a person."""
    return await view.act(
        lambda session: users.revoke(session, user_id, **view.actor),
        to=f"/users/{user_id}",
        said=lambda ended: f"{plural(ended, 'session')} ended; every token of before is refused.",
    )


@router.post("/{user_id}/delete")
async def delete(view: SensitivePage, user_id: UUID, confirm: Typed = "") -> Response:
    """Delete a person whose address has been typed."""
    async with view.reading() as session:
        user = await users.get(session, user_id)
    email = user.email
    if confirm.strip().lower() != email:
        return view.go(f"/users/{user_id}", f"Nothing was deleted: type {email} to confirm.", kind="bad")
    return await view.act(
        lambda session: people.delete(session, user_id, **view.actor),
        to="/users",
        said=lambda ended: f"{email} is deleted; {plural(ended, 'session')} ended.",
        or_to=f"/users/{user_id}",
    )


# ── workspaces of one person ──


@router.post("/{user_id}/workspaces/{workspace_id}/role")
async def change_role(
    view: Page, user_id: UUID, workspace_id: UUID, role: Annotated[WorkspaceRole, FormField()]
) -> Response:
    """Give the person another role in a workspace."""
    return await view.act(
        lambda session: members.set_role(session, workspace_id, user_id, role, as_owner=True, **view.actor),
        to=f"/users/{user_id}",
        said=lambda entry: f"{entry.name} is {entry.role} there now.",
    )


@router.post("/{user_id}/workspaces/{workspace_id}/remove")
async def remove(view: Page, user_id: UUID, workspace_id: UUID) -> Response:
    """Take the person out of a workspace."""
    return await view.act(
        lambda session: members.expel(session, workspace_id, user_id, as_owner=True, **view.actor),
        to=f"/users/{user_id}",
        said=lambda ended: f"Removed, with all that was given there; {plural(ended, 'session')} ended.",
    )
