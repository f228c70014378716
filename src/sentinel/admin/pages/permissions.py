"""Every resource of the installation: the list, one record with its shares, and what may be changed of it
(``admin.md`` §2). Why and who else are asked in :mod:`sentinel.admin.pages.inquiries`.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.pages.desk import Page, SensitivePage
from sentinel.admin.pages.forms import Typed
from sentinel.admin.view import View, address
from sentinel.admin.words import plural
from sentinel.apps import scopes
from sentinel.core.errors import Unprocessable
from sentinel.permissions import catalogue, oversight
from sentinel.permissions.catalogue import Entry, Search
from sentinel.permissions.decide import Level, Visibility
from sentinel.permissions.resources import Grantee
from sentinel.workspaces import grantees

router = APIRouter(prefix="/admin", include_in_schema=False)

HOME = ("Permissions", "/permissions")
FIELDS = ("workspace", "service", "resource", "owner", "sort", "order")
PAGE_SIZE = 25
SHARES_SHOWN = 50
Text = Annotated[str, Query(max_length=255)]


@router.get("/permissions")
async def index(view: Page, page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """The records that fit the filters, which live in the address."""
    query = dict(view.request.query_params)
    if "" in query.values():
        # A form sends its empty fields, too; the address is to name what is on the screen, and no more.
        return RedirectResponse(address(view.state, "/permissions", query), 303)
    given = {field: query.get(field, "").strip()[:255] for field in FIELDS}
    problems: dict[str, str] = {}
    found = catalogue.Page([], 0, page, PAGE_SIZE)
    async with view.reading() as session:
        choices = await grantees.choices(session, given["workspace"])
        if given["workspace"] and choices.workspace_id is None:
            problems["workspace"] = "No workspace has this slug"
        else:
            try:
                found = await catalogue.browse(session, _search(given, choices.workspace_id, page))
            except Unprocessable as refusal:
                problems["resource" if refusal.field == "resource_id" else refusal.field] = refusal.detail
    return view.page(
        "permissions/list.html",
        title="Permissions",
        status=422 if problems else 200,
        found=found,
        given=given,
        filtered=any(given[field] for field in FIELDS[:4]),
        problems=problems,
        choices=choices,
    )


def _search(given: dict[str, str], workspace_id: UUID | None, page: int) -> Search:
    service = given["service"]
    return Search(
        workspace_id=workspace_id,
        # PostgreSQL takes no NUL, and no service has one in its name.
        service_name=service.replace("\x00", "?") or None,
        resource_id=given["resource"] or None,
        owner=given["owner"] or None,
        sort_by="shares" if given["sort"] == "shares" else "created_at",
        descending=given["order"] != "asc",
        page=page,
        page_size=PAGE_SIZE,
        count_to=catalogue.FEW,
    )


# ── all of a service ──


@router.get("/permissions/purge")
async def offer_purge(view: Page, service: Text = "") -> Response:
    """What would go with a service."""
    name = service.strip().replace("\x00", "?")
    async with view.reading() as session:
        rows = await scopes.count_rows(session, name) if name else scopes.Rows(0, 0)
        owner = await scopes.owner_of(session, name) if name else None
    return view.page(
        "permissions/purge.html", title="Purge a service", crumbs=[HOME], name=name, rows=rows, owner=owner
    )


@router.post("/permissions/purge")
async def purge(view: SensitivePage, service: Typed = "", confirm: Typed = "") -> Response:
    """Forget all resources under a name that has been typed; with the actions, when nobody has the name any more."""
    if not service or "\x00" in service or confirm.strip() != service:
        note = f"Nothing was purged: type {service} to confirm."
        return view.go("/permissions/purge", note, kind="bad", service=service)

    async def work(session: AsyncSession) -> str:
        gone = await oversight.purge(session, service, **view.actor)
        if await scopes.owner_of(session, service) is None:
            return f"{gone}. The name is free again."
        return f"{plural(gone.resources, 'resource record')} with all shares."

    return await view.act(work, to="/permissions", said=lambda gone: f"Purged under {service}: {gone}")


# ── one record ──


@router.get("/permissions/{permission_id}")
async def detail(view: Page, permission_id: UUID, page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """A record and its shares, oldest first."""
    async with view.reading() as session:
        entry = await catalogue.entry(session, permission_id)
        shares = await catalogue.shares(session, permission_id, page=page, page_size=SHARES_SHOWN)
    return framed(
        view,
        entry,
        "permissions/shares.html",
        shares=shares,
        paging={"total": entry.share_count, "page": page, "page_size": SHARES_SHOWN},
    )


def framed(view: View, entry: Entry, template: str, **values: Any) -> Response:
    """A tab of one record."""
    resource = entry.resource
    return view.page(
        template,
        title=f"{resource.resource_type} {str(resource.resource_id)[:8]}",
        crumbs=[HOME],
        entry=entry,
        resource=resource,
        **values,
    )


@router.post("/permissions/{permission_id}/visibility")
async def set_visibility(
    view: Page, permission_id: UUID, visibility: Annotated[Visibility, FormField()]
) -> Response:
    """Change who sees it without a share."""
    said = (
        "Every member of the workspace sees it now; editors may edit it."
        if visibility is Visibility.WORKSPACE
        else "It is private now: its owner, administrators of the workspace, and who has a share."
    )
    return await view.act(
        lambda session: oversight.set_visibility(session, permission_id, visibility, **view.actor),
        to=f"/permissions/{permission_id}",
        said=said,
    )


@router.get("/permissions/{permission_id}/share")
async def choose_grantee(view: Page, permission_id: UUID, search: Text = "") -> Response:
    """Members and groups of the workspace to share with."""
    async with view.reading() as session:
        entry = await catalogue.entry(session, permission_id)
        found = await grantees.find(session, entry.resource, search.strip())
    return _choose(view, entry, "Share", "share", search, found)


@router.post("/permissions/{permission_id}/share")
async def share(
    view: Page,
    permission_id: UUID,
    permission: Annotated[Level, FormField()] = Level.VIEW,
    grantee: Typed = "",
) -> Response:
    """Share it with a member or a group, or change the level of a share that exists."""
    back = f"/permissions/{permission_id}"
    whom = _grantee(grantee)
    if whom is None:
        return view.go(f"{back}/share", "Choose somebody first.", kind="bad")
    return await view.act(
        lambda session: oversight.share(session, permission_id, whom, permission, **view.actor),
        to=back,
        said=f"Shared. It counts from the next check on: {_MAY[permission]}.",
        or_to=f"{back}/share",
    )


_MAY = {Level.VIEW: "view", Level.EDIT: "view and edit"}


@router.post("/permissions/{permission_id}/unshare")
async def unshare(
    view: Page,
    permission_id: UUID,
    grantee_type: Annotated[Literal["user", "group"], FormField()],
    grantee_id: Annotated[UUID, FormField()],
) -> Response:
    """Take a share away."""
    return await view.act(
        lambda session: oversight.unshare(
            session, permission_id, Grantee(grantee_type, grantee_id), **view.actor
        ),
        to=f"/permissions/{permission_id}",
        said="The share is revoked. It counts from the next check on.",
    )


@router.get("/permissions/{permission_id}/owner")
async def choose_owner(view: Page, permission_id: UUID, search: Text = "") -> Response:
    """Members of the workspace, one of whom can become the owner."""
    async with view.reading() as session:
        entry = await catalogue.entry(session, permission_id)
        found = await grantees.find(session, entry.resource, search.strip(), with_groups=False)
    return _choose(view, entry, "Set the owner", "owner", search, found)


@router.post("/permissions/{permission_id}/owner")
async def set_owner(view: Page, permission_id: UUID, grantee: Typed = "") -> Response:
    """Give it to a member of the workspace."""
    back = f"/permissions/{permission_id}"
    whom = _grantee(grantee)
    if whom is None or whom.type != "user":
        return view.go(f"{back}/owner", "Choose somebody first.", kind="bad")
    return await view.act(
        lambda session: oversight.set_owner(session, permission_id, whom.id, **view.actor),
        to=back,
        said="It has a new owner. The former one keeps what role and shares give.",
        or_to=f"{back}/owner",
    )


def _choose(
    view: View, entry: Entry, title: str, purpose: str, search: str, found: list[grantees.Candidate]
) -> Response:
    resource = entry.resource
    return view.page(
        "permissions/choose.html",
        title=title,
        crumbs=[
            HOME,
            (f"{resource.resource_type} {str(resource.resource_id)[:8]}", f"/permissions/{resource.id}"),
        ],
        entry=entry,
        resource=resource,
        purpose=purpose,
        search=search,
        found=found,
        shown=grantees.SHOWN,
    )


def _grantee(text: str) -> Grantee | None:
    """``user:<id>`` or ``group:<id>`` of a radio button; None for anything else."""
    kind, _, identity = text.partition(":")
    try:
        return Grantee(kind, UUID(identity)) if kind in ("user", "group") else None
    except ValueError:
        return None
