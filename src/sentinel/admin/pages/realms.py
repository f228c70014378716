"""Realms: the list, making, changing and deleting one, and who is in it (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.api.realms import RealmChangeIn, RealmIn
from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.forms import Form, Typed
from sentinel.admin.pages.picker import Search
from sentinel.admin.view import View
from sentinel.apps import realms, scopes, service_apps
from sentinel.apps.models import Realm
from sentinel.apps.realms import Member

router = APIRouter(prefix="/admin", include_in_schema=False)

HOME = ("Realms", "/realms")
OFFERED = 20
"""So many services are offered to be added; a longer text finds the others."""
HINTS = {
    "name": "A name has 1 to 255 characters.",
    "slug": "Use 2 to 255 lower-case letters, digits and hyphens, a letter first and no hyphen last.",
    "m2m_ttl_s": "Give 30 to 3600 seconds.",
}


@router.get("/realms")
async def index(view: Page, search: Search = "", page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """All realms, newest first."""
    async with view.reading() as session:
        found = await realms.browse(session, search.strip(), page=page)
    return view.page("realms/list.html", title="Realms", found=found, search=search)


@router.get("/realms/new")
async def new(view: Page) -> Response:
    """The form for a new realm."""
    return _new(view, Form({"name": "", "slug": "", "m2m_ttl_s": "300"}))


def _new(view: View, form: Form) -> Response:
    return view.page("realms/new.html", title="New realm", crumbs=[HOME], status=form.status, form=form)


@router.post("/realms")
async def create(view: Page, name: Typed = "", slug: Typed = "", m2m_ttl_s: Typed = "300") -> Response:
    """Make a realm without members."""
    typed = {"name": name, "slug": slug.strip(), "m2m_ttl_s": m2m_ttl_s.strip()}
    form = Form(typed, hints=HINTS, collides="slug")

    async def make(session: AsyncSession, wish: RealmIn) -> Realm:
        return await realms.create(
            session, name=wish.name, slug=wish.slug, m2m_ttl_s=wish.m2m_ttl_s, **view.actor
        )

    made = await form.submit(view, RealmIn, make)
    if made is None:
        return _new(view, form)
    return view.go(f"/realms/{made.id}", f"Realm {made.name} is there. Add its services.")


@router.get("/realms/{realm_id}")
async def detail(
    view: Page,
    realm_id: UUID,
    search: Search = "",
    page: Annotated[int, Query(ge=1)] = 1,
    service: Search = "",
) -> Response:
    """Who is in a realm, and who could be: ``service`` is a part of the name of one to add."""
    async with view.reading() as session:
        realm = await realms.get(session, realm_id)
        found = await realms.search_members(session, realm_id, search.strip(), page=page)
        offered, standalone = await service_apps.standalone(session, service.strip(), amount=OFFERED)
    return view.page(
        "realms/detail.html",
        title=realm.name,
        crumbs=[HOME],
        realm=realm,
        found=found,
        search=search,
        offered=offered,
        standalone=standalone,
        service=service,
    )


@router.get("/realms/{realm_id}/edit")
async def edit(view: Page, realm_id: UUID) -> Response:
    """Name and token life, and the way to delete it."""
    async with view.reading() as session:
        realm = await realms.get(session, realm_id)
    return await _edit(view, realm, Form({"name": realm.name, "m2m_ttl_s": str(realm.m2m_ttl_s)}))


async def _edit(view: View, realm: Realm, form: Form) -> Response:
    async with view.reading() as session:
        rows = await scopes.count_rows(session, realm.slug)
        members = await realms.search_members(session, realm.id)
    return view.page(
        "realms/edit.html",
        title="Edit",
        crumbs=[HOME, (realm.name, f"/realms/{realm.id}")],
        status=form.status,
        form=form,
        realm=realm,
        rows=rows,
        member_count=members.total,
    )


@router.post("/realms/{realm_id}")
async def change(view: Page, realm_id: UUID, name: Typed = "", m2m_ttl_s: Typed = "") -> Response:
    """Rename it, or change the life of its tokens."""
    form = Form({"name": name, "m2m_ttl_s": m2m_ttl_s.strip()}, hints=HINTS)

    async def save(session: AsyncSession, wish: RealmChangeIn) -> Realm:
        return await realms.change(session, realm_id, name=wish.name, m2m_ttl_s=wish.m2m_ttl_s, **view.actor)

    if await form.submit(view, RealmChangeIn, save) is None:
        async with view.reading() as session:
            realm = await realms.get(session, realm_id)
        return await _edit(view, realm, form)
    return view.go(f"/realms/{realm_id}", "Saved. Tokens that are out keep the life they were given.")


@router.post("/realms/{realm_id}/active")
async def switch(view: Page, realm_id: UUID, is_active: Annotated[bool, FormField()]) -> Response:
    """Start or stop minting tokens between its members."""
    said = (
        "The realm is active: its members get m2m tokens again."
        if is_active
        else "The realm is inactive: no new m2m tokens. Members keep the shared scope."
    )
    return await view.act(
        lambda session: realms.change(session, realm_id, is_active=is_active, **view.actor),
        to=f"/realms/{realm_id}",
        said=said,
    )


@router.post("/realms/{realm_id}/delete")
async def delete(
    view: Page, realm_id: UUID, confirm: Typed = "", purge: Annotated[bool, FormField()] = False
) -> Response:
    """Delete a realm whose name has been typed, on request with what stands under its slug."""
    async with view.reading() as session:
        realm = await realms.get(session, realm_id)
    if confirm.strip() != realm.name:
        note = f"Nothing was deleted: type {realm.name} to confirm."
        return view.go(f"/realms/{realm_id}/edit", note, kind="bad")

    def said(purged: scopes.Rows) -> str:
        told = f"Realm {realm.name} is deleted; its services stand alone again."
        return f"{told} Purged: {purged}." if purge else told

    return await view.act(
        lambda session: realms.delete(session, realm_id, purge=purge, **view.actor),
        to="/realms",
        said=said,
    )


# ── members ──


@router.post("/realms/{realm_id}/members")
async def add_member(view: Page, realm_id: UUID, app_id: Annotated[UUID, FormField()]) -> Response:
    """Put a service into the realm."""

    def said(member: Member) -> str:
        told = f"{member.name} is in the realm and acts under its slug from the next request on."
        if member.has_grants:
            told += " What stands under its own name is out of sight now; you can re-key it below."
        return told

    return await view.act(
        lambda session: realms.add_member(session, realm_id, app_id, **view.actor),
        to=f"/realms/{realm_id}",
        said=said,
    )


@router.post("/realms/{realm_id}/members/{app_id}/remove")
async def remove_member(view: Page, realm_id: UUID, app_id: UUID) -> Response:
    """Take a service out of the realm."""
    return await view.act(
        lambda session: realms.remove_member(session, realm_id, app_id, **view.actor),
        to=f"/realms/{realm_id}",
        said="Taken out. From the next request on the service acts under its own name.",
    )


@router.get("/realms/{realm_id}/members/{app_id}/rekey")
async def offer_rekey(view: Page, realm_id: UUID, app_id: UUID) -> Response:
    """What would move to the realm."""
    async with view.reading() as session:
        realm, app = await realms.member(session, realm_id, app_id)
        rows = await scopes.count_rows(session, app.service_name)
    return view.page(
        "realms/rekey.html",
        title="Re-key rows",
        crumbs=[HOME, (realm.name, f"/realms/{realm.id}")],
        realm=realm,
        app=app,
        rows=rows,
    )


@router.post("/realms/{realm_id}/members/{app_id}/rekey")
async def rekey(view: Page, realm_id: UUID, app_id: UUID) -> Response:
    """Move what stands under a member's own name to the realm, all or none."""
    return await view.act(
        lambda session: realms.rekey(session, realm_id, app_id, **view.actor),
        to=f"/realms/{realm_id}",
        said=lambda moved: f"Moved to the realm: {moved}. Every member sees them now.",
        or_to=f"/realms/{realm_id}/members/{app_id}/rekey",
    )
