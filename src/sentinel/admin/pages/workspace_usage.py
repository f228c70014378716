"""The tab Usage of a workspace: what of the granted actions is used there (``admin.md`` §2)."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page, Period
from sentinel.admin.pages.workspaces import HOME
from sentinel.roles.insights import PERIODS, glance
from sentinel.workspaces import overview

router = APIRouter(prefix="/admin/workspaces/{workspace_id}/usage", include_in_schema=False)


@router.get("")
async def index(view: Page, workspace_id: UUID, days: Period) -> Response:
    """The figures of the page Usage for one workspace."""
    async with view.reading() as session:
        workspace = await overview.detail(session, workspace_id)
        found = await glance(session, days=days, now=view.now, workspace_id=workspace_id)
    return view.page(
        "workspaces/usage.html",
        title="Usage",
        crumbs=[HOME, (workspace.name, f"/workspaces/{workspace_id}/members")],
        workspace=workspace,
        days=days,
        periods=PERIODS,
        found=found.insights,
        glance=found,
    )
