"""Login apps: the list, making, changing, switching and deleting one (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin import snippets
from sentinel.admin.api.client_apps import ClientAppChangeIn, ClientAppIn
from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.forms import Form, Lines, Typed, lines_of
from sentinel.admin.pages.picker import Search
from sentinel.admin.view import View
from sentinel.admin.words import plural
from sentinel.api.registered_origins import REFRESHES_ORIGINS
from sentinel.apps import login_apps
from sentinel.apps.models import LoginApp

router = APIRouter(prefix="/admin", include_in_schema=False)

HOME = ("Login apps", "/client-apps")
HINTS = {
    "name": "A name has 1 to 255 characters.",
    "redirect_uris": "Give 1 to 50 addresses, one on each line.",
}


@router.get("/client-apps")
async def index(view: Page, search: Search = "", page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """All login apps, newest first."""
    async with view.reading() as session:
        found = await login_apps.browse(session, search.strip(), page=page)
    return view.page("client_apps/list.html", title="Login apps", found=found, search=search)


@router.get("/client-apps/new")
async def new(view: Page) -> Response:
    """The form for a new login app."""
    return _new(view, Form({"name": "", "redirect_uris": []}))


def _new(view: View, form: Form) -> Response:
    return view.page(
        "client_apps/form.html", title="New login app", crumbs=[HOME], status=form.status, form=form, app=None
    )


@router.post("/client-apps", dependencies=[REFRESHES_ORIGINS])
async def create(view: Page, name: Typed = "", redirect_uris: Lines = "") -> Response:
    """Register an application that people sign in to."""
    form = Form({"name": name, "redirect_uris": lines_of(redirect_uris)}, hints=HINTS)

    async def make(session: AsyncSession, wish: ClientAppIn) -> LoginApp:
        return await login_apps.create(
            session,
            name=wish.name,
            redirect_uris=wish.redirect_uris,
            allow_plain_http=view.state.settings.debug,
            **view.actor,
        )

    made = await form.submit(view, ClientAppIn, make)
    if made is None:
        return _new(view, form)
    return view.go(f"/client-apps/{made.id}", f"{made.name} is registered. Its client id is below.")


@router.get("/client-apps/{app_id}")
async def detail(view: Page, app_id: UUID) -> Response:
    """The client id, what to put into the application, and the switch."""
    async with view.reading() as session:
        app = await login_apps.get(session, app_id)
        sessions = await login_apps.count_sessions(session, app_id, now=view.now)
    providers = view.state.providers.names()
    return view.page(
        "client_apps/detail.html",
        title=app.name,
        crumbs=[HOME],
        app=app,
        sessions=sessions,
        providers=providers,
        snippets=snippets.for_login_app(
            view.state.settings.base_url,
            str(app.id),
            app.redirect_uris[0],
            providers[0] if providers else "PROVIDER",
        ),
    )


@router.get("/client-apps/{app_id}/edit")
async def edit(view: Page, app_id: UUID) -> Response:
    """Name and redirect URIs, and the way to delete it."""
    async with view.reading() as session:
        app = await login_apps.get(session, app_id)
    return await _edit(view, app, Form({"name": app.name, "redirect_uris": app.redirect_uris}))


async def _edit(view: View, app: LoginApp, form: Form) -> Response:
    async with view.reading() as session:
        sessions = await login_apps.count_sessions(session, app.id, now=view.now)
    return view.page(
        "client_apps/form.html",
        title="Edit",
        crumbs=[HOME, (app.name, f"/client-apps/{app.id}")],
        status=form.status,
        form=form,
        app=app,
        sessions=sessions,
    )


@router.post("/client-apps/{app_id}", dependencies=[REFRESHES_ORIGINS])
async def change(view: Page, app_id: UUID, name: Typed = "", redirect_uris: Lines = "") -> Response:
    """Rename it, or change where sign-ins may end."""
    form = Form({"name": name, "redirect_uris": lines_of(redirect_uris)}, hints=HINTS)

    async def save(session: AsyncSession, wish: ClientAppChangeIn) -> object:
        return await login_apps.change(
            session,
            app_id,
            name=wish.name,
            redirect_uris=wish.redirect_uris,
            allow_plain_http=view.state.settings.debug,
            **view.actor,
        )

    if await form.submit(view, ClientAppChangeIn, save) is None:
        async with view.reading() as session:
            app = await login_apps.get(session, app_id)
        return await _edit(view, app, form)
    return view.go(f"/client-apps/{app_id}", "Saved. It counts for sign-ins that start or end from now on.")


@router.post("/client-apps/{app_id}/active", dependencies=[REFRESHES_ORIGINS])
async def switch(
    view: Page,
    app_id: UUID,
    is_active: Annotated[bool, FormField()],
    revoke_sessions: Annotated[bool, FormField()] = False,
) -> Response:
    """Let people sign in, or not; on request those who have are signed out."""

    def said(done: tuple[LoginApp, int]) -> str:
        app, ended = done
        if is_active:
            return f"People can sign in to {app.name} again."
        told = f"{app.name} is disabled: nobody can sign in to it."
        return f"{told} {plural(ended, 'session')} ended." if revoke_sessions else f"{told} Sessions go on."

    return await view.act(
        lambda session: login_apps.change(
            session,
            app_id,
            is_active=is_active,
            revoke_sessions=revoke_sessions,
            allow_plain_http=view.state.settings.debug,
            **view.actor,
        ),
        to=f"/client-apps/{app_id}",
        said=said,
    )


@router.post("/client-apps/{app_id}/delete", dependencies=[REFRESHES_ORIGINS])
async def delete(view: Page, app_id: UUID) -> Response:
    """Delete it and end its sessions."""
    async with view.reading() as session:
        name = (await login_apps.get(session, app_id)).name
    return await view.act(
        lambda session: login_apps.delete(session, app_id, **view.actor),
        to="/client-apps",
        said=lambda ended: f"{name} is deleted; {plural(ended, 'session')} ended.",
    )
