"""The activity log over JSON: search, summary by day, and where sign-ins come from (``admin.md`` §3)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from sentinel.admin.periods import first_moment, moment_after
from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.audit import history, sign_ins
from sentinel.audit.activity import ACTIONS, TargetType
from sentinel.audit.geo import BundledCountries
from sentinel.audit.history import Filters
from sentinel.audit.sign_ins import SignIns
from sentinel.core.errors import Unprocessable

router = APIRouter(prefix="/admin/api", tags=["admin: activity"], dependencies=[Depends(limit_default)])

COUNTRIES = BundledCountries()
Days = Annotated[int, Query(ge=1, le=90)]


class ActivityEntry(BaseModel):
    """One row. ``target_label`` is null when the target is gone."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    action: str
    actor_id: UUID | None
    actor_name: str | None
    actor_email: str | None
    target_type: str
    target_id: UUID
    target_label: str | None
    workspace_id: UUID | None
    detail: dict[str, Any] | None
    created_at: datetime


class ActivityPage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    items: list[ActivityEntry]
    total: int
    page: int
    page_size: int


class ActivityDay(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    day: date
    action: str
    count: int


class ActivitySummary(BaseModel):
    days: int
    items: list[ActivityDay]


@router.get("/activity")
async def search(
    session: Session,
    _: Admin,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    action: str | None = None,
    target_type: TargetType | None = None,
    workspace_id: UUID | None = None,
    actor_id: UUID | None = None,
    from_date: str | None = None,
    to_date: str | None = None,
) -> ActivityPage:
    """The log, newest first. ``from_date`` and ``to_date`` are days (the last one included) or points in time."""
    if action is not None and action not in ACTIONS:
        raise Unprocessable("This action is not in the vocabulary", field="action")
    filters = Filters(
        action=action,
        target_type=target_type,
        workspace_id=workspace_id,
        actor_id=actor_id,
        since=first_moment(from_date, "from_date"),
        until=moment_after(to_date, "to_date"),
    )
    found = await history.search(session, filters, page=page, page_size=page_size)
    return ActivityPage.model_validate(found)


@router.get("/activity/summary")
async def summary(session: Session, state: CurrentState, _: Admin, days: Days = 30) -> ActivitySummary:
    """How often each action was recorded on each day; days and actions without any are left out."""
    counted = await history.summary(session, days=days, now=state.now())
    return ActivitySummary(days=days, items=[ActivityDay.model_validate(item) for item in counted])


@router.get("/activity/insights")
async def sign_in_insights(
    session: Session, state: CurrentState, _: Admin, days: Days = 30, user_id: UUID | None = None
) -> SignIns:
    """Sign-ins by browser, system and country, of one person or of all."""
    return await sign_ins.insights(session, COUNTRIES, days=days, now=state.now(), user_id=user_id)
