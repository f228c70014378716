"""The first page of the panel."""

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin import sentences
from sentinel.admin.charts import Series
from sentinel.admin.pages.desk import Page, Period
from sentinel.audit import history
from sentinel.audit.activity import ACTIONS_BY_AREA
from sentinel.audit.days import Days
from sentinel.audit.history import DayCount
from sentinel.roles.insights import PERIODS
from sentinel.workspaces import people
from sentinel.workspaces.census import census, largest_workspaces

router = APIRouter(prefix="/admin", include_in_schema=False)

AMOUNT = 5
RECENT = 11
GROUPS: dict[str, tuple[str, ...]] = {
    "Sign-ins": ("Sign-in",),
    "Sign-in anomalies": ("Signals",),
    "People": ("Users", "Organizations"),
    "Workspaces": ("Workspaces", "Groups", "Self-serve"),
    "Access": ("Roles", "Permissions"),
    "Apps and system": ("Apps", "Realms", "System"),
}
"""The areas of the vocabulary (``admin.md`` §9) in the six groups that a picture can tell apart."""
GROUP_OF = {
    action: group for group, areas in GROUPS.items() for area in areas for action in ACTIONS_BY_AREA[area]
}


@router.get("")
@router.get("/")
async def dashboard(view: Page, days: Period) -> Response:
    """How the installation stands at a glance. Any number of days but 7 and 90 shows 30."""
    async with view.reading() as session:
        counted = await census(session, exact=False)
        newest = await people.newest(session, amount=AMOUNT)
        largest = await largest_workspaces(session, amount=AMOUNT)
        summary = await history.summary(session, days=days, now=view.now)
        recent = await history.recent(session, amount=RECENT)
    window = Days.until(view.now, days)
    return view.page(
        "dashboard.html",
        title="Dashboard",
        days=days,
        periods=PERIODS,
        since=window.first,
        census=counted,
        newest=newest,
        largest=largest,
        all_days=list(window),
        series=by_group(summary, list(window)),
        signals=_signals(summary),
        recent=recent,
    )


def by_group(summary: Sequence[DayCount], days: Sequence[date]) -> list[Series]:
    """The summary as one series a group, with a number for each of ``days``."""
    place = {day: position for position, day in enumerate(days)}
    values = {group: [0] * len(days) for group in GROUPS}
    for item in summary:
        group = GROUP_OF.get(item.action)
        if group is not None and item.day in place:
            values[group][place[item.day]] += item.count
    return [Series(group, numbers) for group, numbers in values.items()]


def _signals(summary: Sequence[DayCount]) -> list[tuple[str, str, str, str, int, date | None]]:
    """Action, title, meaning, severity, how often, and the last day, of each of the four signals."""
    found = []
    for action, (title, meaning) in sentences.SIGNALS.items():
        days = [item for item in summary if item.action == action]
        last = max((item.day for item in days), default=None)
        grade = sentences.severity(action) or ""
        found.append((action, title, meaning, grade, sum(item.count for item in days), last))
    return found
