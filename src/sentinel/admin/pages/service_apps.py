"""Services and their keys (``admin.md`` §2). A key is on the page that answers the form which made it, and nowhere
else: not in an address, a cookie or the history.
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin import snippets
from sentinel.admin.api.service_apps import ServiceAppChangeIn, ServiceAppIn
from sentinel.admin.pages.desk import Page, SensitivePage
from sentinel.admin.pages.forms import Form, Lines, Typed, lines_of
from sentinel.admin.pages.picker import Search
from sentinel.admin.view import View, address
from sentinel.api.registered_origins import REFRESHES_ORIGINS
from sentinel.apps import scopes, service_apps
from sentinel.apps.keys import ServiceKey
from sentinel.apps.models import ServiceApp
from sentinel.apps.service_apps import Entry
from sentinel.core.errors import Conflict

router = APIRouter(prefix="/admin", include_in_schema=False)

HOME = ("Services", "/service-apps")
HINTS = {
    "name": "A name has 1 to 255 characters.",
    "service_name": "Use 2 to 255 lower-case letters, digits and hyphens, a letter first and no hyphen last.",
    "allowed_origins": "Give at most 50 origins, one on each line.",
    "allowed_idp_audiences": "Give at most 50 audiences, one on each line.",
}
OVERLAPS = {
    0: "At once",
    15: "After 15 minutes",
    60: "After 1 hour",
    1440: "After 24 hours",
}


@router.get("/service-apps")
async def index(view: Page, search: Search = "", page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """All services, newest first."""
    async with view.reading() as session:
        found = await service_apps.browse(session, search.strip(), page=page)
    return view.page("service_apps/list.html", title="Services", found=found, search=search)


@router.get("/service-apps/new")
async def new(view: Page) -> Response:
    """The form for a new service."""
    return _new(
        view,
        Form({"name": "", "service_name": "", "allowed_origins": [], "allowed_idp_audiences": []}),
    )


def _new(view: View, form: Form) -> Response:
    return view.page(
        "service_apps/form.html", title="New service", crumbs=[HOME], status=form.status, form=form, app=None
    )


@router.post("/service-apps", dependencies=[REFRESHES_ORIGINS])
async def create(
    view: SensitivePage,
    name: Typed = "",
    service_name: Typed = "",
    allowed_origins: Lines = "",
    allowed_idp_audiences: Lines = "",
) -> Response:
    """Register a service and show its key."""
    typed = {
        "name": name,
        "service_name": service_name.strip(),
        "allowed_origins": lines_of(allowed_origins),
        "allowed_idp_audiences": lines_of(allowed_idp_audiences),
    }
    form = Form(typed, hints=HINTS, collides="service_name")

    async def make(session: AsyncSession, wish: ServiceAppIn) -> tuple[ServiceApp, ServiceKey]:
        try:
            return await service_apps.create(
                session,
                name=wish.name,
                service_name=wish.service_name,
                allowed_origins=wish.allowed_origins,
                allowed_idp_audiences=wish.allowed_idp_audiences,
                **view.actor,
            )
        except Conflict as refusal:
            if refusal.reason == "origin_taken":
                form.collides = "allowed_origins"
            raise

    made = await form.submit(view, ServiceAppIn, make)
    if made is None:
        return _new(view, form)
    app, key = made
    return _key(view, app, key, status=201, said=f"{app.name} is registered.")


def _key(view: View, app: ServiceApp, key: ServiceKey, *, said: str, status: int = 200) -> Response:
    """The one page that shows a key. The address in the bar becomes that of the service, so that a reload shows the
    service without it.
    """
    page = view.page(
        "service_apps/key.html",
        title="New key",
        crumbs=[HOME, (app.name, f"/service-apps/{app.id}")],
        status=status,
        app=app,
        key=key.plaintext,
        said=said,
        snippets=snippets.for_service(
            view.state.settings.base_url, app.service_name, key.plaintext, app.allowed_idp_audiences
        ),
        is_split=view.state.settings.tier == "public",
    )
    page.headers["Cache-Control"] = "no-store"
    page.headers["HX-Push-Url"] = address(view.state, f"/service-apps/{app.id}")
    return page


@router.get("/service-apps/{app_id}")
async def detail(view: Page, app_id: UUID) -> Response:
    """A service: what its key may do, and when it was last used."""
    async with view.reading() as session:
        entry = await service_apps.entry(session, app_id)
    return view.page(
        "service_apps/detail.html", title=entry.app.name, crumbs=[HOME], entry=entry, app=entry.app
    )


@router.get("/service-apps/{app_id}/edit")
async def edit(view: Page, app_id: UUID) -> Response:
    """Name, origins and audiences, and the way to delete it."""
    async with view.reading() as session:
        entry = await service_apps.entry(session, app_id)
    app = entry.app
    values = {
        "name": app.name,
        "allowed_origins": app.allowed_origins,
        "allowed_idp_audiences": app.allowed_idp_audiences,
    }
    return await _edit(view, entry, Form(values))


async def _edit(view: View, entry: Entry, form: Form) -> Response:
    app = entry.app
    async with view.reading() as session:
        rows = await scopes.count_rows(session, app.service_name)
    return view.page(
        "service_apps/form.html",
        title="Edit",
        crumbs=[HOME, (app.name, f"/service-apps/{app.id}")],
        status=form.status,
        form=form,
        app=app,
        realm_name=entry.realm_name,
        rows=rows,
    )


@router.post("/service-apps/{app_id}", dependencies=[REFRESHES_ORIGINS])
async def change(
    view: Page,
    app_id: UUID,
    name: Typed = "",
    allowed_origins: Lines = "",
    allowed_idp_audiences: Lines = "",
) -> Response:
    """Change the name, the origins or the audiences."""
    typed = {
        "name": name,
        "allowed_origins": lines_of(allowed_origins),
        "allowed_idp_audiences": lines_of(allowed_idp_audiences),
    }
    form = Form(typed, hints=HINTS, collides="allowed_origins")

    async def save(session: AsyncSession, wish: ServiceAppChangeIn) -> ServiceApp:
        return await service_apps.change(
            session,
            app_id,
            name=wish.name,
            allowed_origins=wish.allowed_origins,
            allowed_idp_audiences=wish.allowed_idp_audiences,
            **view.actor,
        )

    if await form.submit(view, ServiceAppChangeIn, save) is None:
        async with view.reading() as session:
            entry = await service_apps.entry(session, app_id)
        return await _edit(view, entry, form)
    return view.go(f"/service-apps/{app_id}", "Saved.")


@router.post("/service-apps/{app_id}/active", dependencies=[REFRESHES_ORIGINS])
async def switch(view: Page, app_id: UUID, is_active: Annotated[bool, FormField()]) -> Response:
    """Accept the key, or refuse it from the next request on."""

    def said(app: ServiceApp) -> str:
        if is_active:
            return f"{app.name} is active: its key is accepted."
        return f"{app.name} is inactive: its key is refused from now on."

    return await view.act(
        lambda session: service_apps.set_active(session, app_id, is_active, **view.actor),
        to=f"/service-apps/{app_id}",
        said=said,
    )


@router.get("/service-apps/{app_id}/rotate-key")
async def choose_overlap(view: Page, app_id: UUID) -> Response:
    """When is the old key to end?"""
    async with view.reading() as session:
        app = await service_apps.get(session, app_id)
    return view.page(
        "service_apps/rotate.html",
        title="Rotate the key",
        crumbs=[HOME, (app.name, f"/service-apps/{app.id}")],
        app=app,
        overlaps=OVERLAPS,
    )


@router.post("/service-apps/{app_id}/rotate-key")
async def rotate_key(
    view: SensitivePage,
    app_id: UUID,
    replaces: Annotated[str, FormField(max_length=12)],
    overlap_minutes: Annotated[int, FormField()] = 0,
) -> Response:
    """Give the service a new key and show it. The same form sent twice makes one key."""
    try:
        app, key = await view.do(
            lambda session: service_apps.rotate_key(
                session,
                app_id,
                overlap=timedelta(minutes=overlap_minutes),
                replaces=replaces,
                **view.actor,
            )
        )
    except Conflict:
        note = (
            "The key has been rotated already, and a key cannot be shown twice. Rotate again if it is lost."
        )
        return view.go(f"/service-apps/{app_id}", note, kind="bad")
    return _key(view, app, key, said=f"{app.name} has a new key.")


@router.post("/service-apps/{app_id}/delete", dependencies=[REFRESHES_ORIGINS])
async def delete(view: Page, app_id: UUID, confirm: Typed = "") -> Response:
    """Delete a service whose service name has been typed."""
    async with view.reading() as session:
        app = await service_apps.get(session, app_id)
    name, service_name = app.name, app.service_name
    if confirm.strip() != service_name:
        note = f"Nothing was deleted: type {service_name} to confirm."
        return view.go(f"/service-apps/{app_id}/edit", note, kind="bad")

    return await view.act(
        lambda session: service_apps.delete(session, app_id, **view.actor),
        to="/service-apps",
        said=lambda purged: f"{name} is deleted and its key is refused. Purged with it: {purged}.",
    )
