"""Where and with what people sign in (``admin.md`` §2)."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin.pages.desk import Page, Period
from sentinel.audit import history, sign_ins
from sentinel.audit.days import Days
from sentinel.audit.geo import BundledCountries
from sentinel.audit.history import Filters
from sentinel.roles.insights import PERIODS

router = APIRouter(prefix="/admin", include_in_schema=False)

COUNTRIES = BundledCountries()


@router.get("/insights")
async def insights(view: Page, days: Period, user_id: UUID | None = None) -> Response:
    """Sign-ins by country, browser and system, of one person or of all."""
    async with view.reading() as session:
        found = await sign_ins.insights(session, COUNTRIES, days=days, now=view.now, user_id=user_id)
        names = await history.names(session, Filters(actor_id=user_id))
    return view.page(
        "insights.html",
        title="Insights",
        days=days,
        periods=PERIODS,
        since=Days.until(view.now, days).first,
        found=found,
        user_id=user_id,
        user_name=names.actor or (f"somebody who is gone ({user_id})" if user_id else None),
    )
