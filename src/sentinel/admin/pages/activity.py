"""The activity log, with filters that live in the address (``admin.md`` §2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from sentinel.admin import sentences
from sentinel.admin.pages.desk import Page
from sentinel.admin.periods import first_moment, moment_after
from sentinel.admin.view import address
from sentinel.audit import history
from sentinel.audit.activity import ACTIONS, ACTIONS_BY_AREA
from sentinel.audit.history import EntryPage, Filters, Names
from sentinel.core.errors import Unprocessable

router = APIRouter(prefix="/admin", include_in_schema=False)

PAGE_SIZE = 25
COUNT_TO = 10_000
"""Beyond this the page says "more than": to count a long log takes longer than to read a page of it."""
FIELDS = ("action", "target_type", "workspace_id", "actor_id", "from_date", "to_date")


@router.get("/activity")
async def activity(view: Page, page: Annotated[int, Query(ge=1)] = 1) -> Response:
    """What happened, newest first. A filter that makes no sense is shown with what is wrong about it."""
    query = dict(view.request.query_params)
    if "" in query.values():
        # A form sends its empty fields, too; the address is to name what is on the screen, and no more.
        return RedirectResponse(address(view.state, "/activity", query), 303)
    given = {field: query.get(field, "") for field in FIELDS}
    filters, problems = _filters(given)
    found, names = EntryPage((), 0, page, PAGE_SIZE), Names()
    if not problems:
        async with view.reading() as session:
            found = await history.search(session, filters, page=page, page_size=PAGE_SIZE, count_to=COUNT_TO)
            names = await history.names(session, filters)
    return view.page(
        "activity.html",
        title="Activity",
        status=422 if problems else 200,
        found=found,
        given=given,
        filtered=any(given.values()),
        problems=problems,
        chips=_chips(filters, names),
        areas=ACTIONS_BY_AREA,
        target_types=sentences.TARGET_TYPES,
    )


def _filters(given: dict[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of the query, and what is wrong with it, by field."""
    problems: dict[str, str] = {}

    def read_id(field: str) -> UUID | None:
        try:
            return UUID(given[field]) if given[field] else None
        except ValueError:
            problems[field] = "This is not an id"
            return None

    if given["action"] and given["action"] not in ACTIONS:
        problems["action"] = "There is no such action"
    if given["target_type"] and given["target_type"] not in sentences.TARGET_TYPES:
        problems["target_type"] = "There is no such kind of target"
    moments = {}
    for field, read in (("from_date", first_moment), ("to_date", moment_after)):
        try:
            moments[field] = read(given[field], field)
        except Unprocessable as refusal:
            problems[field] = refusal.detail
    filters = Filters(
        action=given["action"] or None,
        target_type=given["target_type"] or None,
        workspace_id=read_id("workspace_id"),
        actor_id=read_id("actor_id"),
        since=moments.get("from_date"),
        until=moments.get("to_date"),
    )
    return filters, problems


def _chips(filters: Filters, names: Names) -> list[tuple[str, str, str]]:
    """Field, label and value of the filters that are ids, as people read them."""
    found = []
    if filters.workspace_id is not None:
        found.append(("workspace_id", "Workspace", names.workspace or f"gone ({filters.workspace_id})"))
    if filters.actor_id is not None:
        found.append(("actor_id", "By", names.actor or f"somebody who is gone ({filters.actor_id})"))
    return found
