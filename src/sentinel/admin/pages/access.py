"""The tab Access of a workspace: which organizations it admits (``admin.md`` §2, §5)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.picker import Picked, Search
from sentinel.admin.pages.workspaces import HOME
from sentinel.workspaces import allow_list, overview

router = APIRouter(prefix="/admin/workspaces/{workspace_id}/access", include_in_schema=False)
Organizations = Annotated[list[UUID], Query(max_length=allow_list.MAX_ENTRIES)]


@router.get("")
async def index(
    view: Page,
    workspace_id: UUID,
    organization_id: Organizations = [],  # noqa: B006 - read, never changed
    review: bool = False,
    edited: bool = False,
    search: Search = "",
) -> Response:
    """The list as it is; with ``edited`` as it is being ticked, ``organization_id`` so far, while somebody searches;
    with ``review`` as it would be, and who would lose access.
    """
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        organizations = await overview.organizations(session, workspace_id, search.strip(), organization_id)
        shut_out = await allow_list.shut_out_by(session, workspace_id, organization_id) if review else None
    present = {one.id for one in organizations if one.listed}
    chosen = set(organization_id) if review or edited else present
    return view.page(
        "workspaces/access.html",
        title="Access",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members")],
        workspace=workspace,
        organizations=organizations,
        chosen=chosen,
        review=review,
        changed=chosen != present,
        search=search,
        many=len(organizations) - len(present | chosen) >= overview.ORGANIZATIONS,
        shut_out=shut_out,
    )


@router.post("")
async def save(
    view: Page,
    workspace_id: UUID,
    organization_id: Picked = [],  # noqa: B006 - read, never changed
) -> Response:
    """Make the reviewed list the list."""
    return await view.act(
        lambda session: allow_list.replace(session, workspace_id, organization_id, **view.actor),
        to=f"/workspaces/{workspace_id}/access",
        said=lambda listed: (
            "Saved. "
            + (
                "Only the listed organizations are admitted now."
                if listed
                else "The workspace is open to all organizations now."
            )
        ),
    )
