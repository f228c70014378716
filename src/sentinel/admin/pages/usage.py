"""What of the granted actions is used (``admin.md`` §2)."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page, Period
from sentinel.audit import history
from sentinel.audit.history import Filters
from sentinel.roles.insights import PERIODS, glance

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("/usage")
async def usage(view: Page, days: Period, workspace_id: UUID | None = None) -> Response:
    """Top actions, services and people, verdicts by day, dormant grants and unused roles."""
    async with view.reading() as session:
        found = await glance(session, days=days, now=view.now, workspace_id=workspace_id)
        names = await history.names(session, Filters(workspace_id=workspace_id))
    gone = f"gone ({workspace_id})" if workspace_id else None
    return view.page(
        "usage.html",
        title="Usage",
        days=days,
        periods=PERIODS,
        found=found.insights,
        glance=found,
        workspace_id=workspace_id,
        workspace_name=names.workspace or gone,
    )
