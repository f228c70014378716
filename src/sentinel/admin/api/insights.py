"""``GET /admin/api/actions/insights``: what of the granted actions is used (``admin.md`` §3)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.core.errors import Unprocessable
from sentinel.roles import insights
from sentinel.roles.insights import PERIODS, Insights

router = APIRouter(prefix="/admin/api", tags=["admin: activity"], dependencies=[Depends(limit_default)])


@router.get("/actions/insights")
async def action_insights(
    session: Session,
    state: CurrentState,
    _: Admin,
    days: Annotated[int, Query(description="7, 30 or 90")] = 30,
    workspace_id: UUID | None = None,
) -> Insights:
    """Uses, verdicts by day, dormant grants and unused roles, of one workspace or of all."""
    if days not in PERIODS:
        raise Unprocessable("Give 7, 30 or 90", field="days")
    return await insights.insights(session, days=days, now=state.now(), workspace_id=workspace_id)
