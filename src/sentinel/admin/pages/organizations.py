"""Organizations: the list, one with its domains and people, and the kill switch (``admin.md`` §2, §8)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.api.organizations import DomainIn, OrganizationChangeIn, OrganizationIn
from sentinel.admin.pages.desk import ChangePage, Page, SensitivePage
from sentinel.admin.pages.forms import Form, Typed
from sentinel.admin.pages.picker import Search
from sentinel.admin.view import View
from sentinel.admin.words import plural
from sentinel.identity import organization_admin, organization_domains
from sentinel.identity.models import OrganizationDomain
from sentinel.identity.organization_admin import OrganizationDetail
from sentinel.workspaces import people

router = APIRouter(prefix="/admin/organizations", include_in_schema=False)

HOME = ("Organizations", "/organizations")
PAGE_SIZE = 50
DOMAINS_BESIDE = 10
"""So many domains are shown beside the people; all of them have a page of their own."""
HINTS = {
    "name": "A name has 1 to 255 characters.",
    "slug": "Use small letters, digits and hyphens, 2 to 63 of them, and no hyphen at either end.",
    "domain": "Give a mail domain such as example.com.",
}
On = Annotated[bool, FormField()]


@router.get("")
async def index(view: Page, search: Search = "", page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """The organizations, the public one first."""
    async with view.reading() as session:
        found = await organization_admin.browse(session, search.strip(), page=page)
    return view.page("organizations/list.html", title="Organizations", found=found, search=search)


@router.get("/new")
async def new(view: Page) -> Response:
    """The form for a new organization."""
    return _new(view, Form({"name": "", "slug": ""}))


def _new(view: View, form: Form) -> Response:
    return view.page(
        "organizations/new.html", title="New organization", crumbs=[HOME], status=form.status, form=form
    )


@router.post("")
async def create(view: SensitivePage, name: Typed = "", slug: Typed = "") -> Response:
    """Make an organization."""
    form = Form({"name": name, "slug": slug}, hints=HINTS, collides="slug")

    async def make(session: AsyncSession, wish: OrganizationIn) -> OrganizationDetail:
        return await organization_admin.create(session, name=wish.name, slug=wish.slug, **view.actor)

    made = await form.submit(view, OrganizationIn, make)
    if made is None:
        return _new(view, form)
    note = f"Organization {made.name} is there. Add the mail domains of its people next."
    return view.go(f"/organizations/{made.id}", note)


# ── one organization ──


@router.get("/{organization_id}")
async def detail(
    view: Page, organization_id: UUID, search: Search = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """One organization with its domains and people."""
    return await _detail(view, organization_id, search=search, page=page)


async def _detail(
    view: View,
    organization_id: UUID,
    *,
    search: str = "",
    page: int = 1,
    naming: Form | None = None,
    claiming: Form | None = None,
) -> Response:
    async with view.reading() as session:
        organization = await organization_admin.entry(session, organization_id)
        domains = await organization_domains.search(session, organization_id, page_size=DOMAINS_BESIDE)
        found = await people.of_organization(
            session, organization_id, search.strip(), page=page, page_size=PAGE_SIZE
        )
    return view.page(
        "organizations/detail.html",
        title=organization.name,
        crumbs=[HOME],
        status=(naming or claiming or Form({})).status,
        at=f"/organizations/{organization_id}",
        organization=organization,
        domains=domains.items,
        found=found,
        search=search,
        naming=naming or Form({"name": organization.name}),
        claiming=claiming or Form({"domain": "", "include_subdomains": False}),
    )


@router.post("/{organization_id}")
async def rename(view: Page, organization_id: UUID, name: Typed = "") -> Response:
    """Give an organization another name."""
    form = Form({"name": name}, hints=HINTS)

    async def save(session: AsyncSession, wish: OrganizationChangeIn) -> OrganizationDetail:
        return await organization_admin.change(session, organization_id, name=wish.name, **view.actor)

    saved = await form.submit(view, OrganizationChangeIn, save)
    if saved is None:
        return await _detail(view, organization_id, naming=form)
    return view.go(f"/organizations/{organization_id}", f"The name is {saved.name} now.")


@router.post("/{organization_id}/enabled")
async def switch(view: Page, organization_id: UUID, enabled: On) -> Response:
    """Enable or disable an organization; for the public one this is the switch of public sign-in."""
    async with view.reading() as session:
        organization = await organization_admin.entry(session, organization_id)

    def said(ended: int) -> str:
        if organization.is_public:
            return f"Public sign-in is {'on' if enabled else 'off'}."
        if enabled:
            return f"{organization.name} is enabled: its people can sign in again."
        return f"{organization.name} is disabled; {plural(ended, 'session')} ended."

    return await view.act(
        lambda session: organization_admin.switch(session, organization_id, enabled, **view.actor),
        to=f"/organizations/{organization_id}",
        said=said,
    )


@router.post("/{organization_id}/delete")
async def delete(view: Page, organization_id: UUID) -> Response:
    """Delete an organization."""
    async with view.reading() as session:
        organization = await organization_admin.entry(session, organization_id)
    return await view.act(
        lambda session: organization_admin.delete(session, organization_id, **view.actor),
        to="/organizations",
        said=f"Organization {organization.name} is deleted.",
        or_to=f"/organizations/{organization_id}",
    )


# ── domains ──


@router.get("/{organization_id}/domains")
async def all_domains(
    view: Page, organization_id: UUID, search: Search = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """Every domain of an organization."""
    async with view.reading() as session:
        organization = await organization_admin.entry(session, organization_id)
        found = await organization_domains.search(
            session, organization_id, search.strip(), page=page, page_size=PAGE_SIZE
        )
    return view.page(
        "organizations/domains.html",
        title="Domains",
        crumbs=[HOME, (organization.name, f"/organizations/{organization_id}")],
        organization=organization,
        found=found,
        search=search,
    )


@router.post("/{organization_id}/domains")
async def add_domain(
    view: ChangePage,
    organization_id: UUID,
    domain: Typed = "",
    include_subdomains: Annotated[bool, FormField()] = False,
) -> Response:
    """Claim a mail domain."""
    typed = {"domain": domain, "include_subdomains": include_subdomains}
    form = Form(typed, hints=HINTS, collides="domain")

    async def claim(session: AsyncSession, wish: DomainIn) -> OrganizationDomain:
        return await organization_admin.add_domain(
            session,
            organization_id,
            domain=wish.domain,
            include_subdomains=wish.include_subdomains,
            **view.actor,
        )

    added = await form.submit(view, DomainIn, claim)
    if added is None:
        return await _detail(view, organization_id, claiming=form)
    note = f"{added.domain} belongs here now. People follow at their next sign-in."
    return view.go(f"/organizations/{organization_id}", note)


@router.post("/{organization_id}/domains/{domain_id}/remove")
async def remove_domain(view: Page, organization_id: UUID, domain_id: UUID) -> Response:
    """Give up a mail domain."""
    return await view.act(
        lambda session: organization_admin.remove_domain(session, organization_id, domain_id, **view.actor),
        to=f"/organizations/{organization_id}",
        said="The domain is free again. Nobody is moved before the next sign-in.",
    )
