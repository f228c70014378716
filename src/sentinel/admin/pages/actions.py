"""The actions that services have registered, and how many roles hold each (``admin.md`` §2)."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from sentinel.admin.pages.desk import Page
from sentinel.admin.pages.forms import Typed
from sentinel.admin.view import address
from sentinel.roles import actions

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("/actions")
async def index(
    view: Page,
    service: Annotated[str, Query(max_length=255)] = "",
    search: Annotated[str, Query(max_length=255)] = "",
    page: Annotated[int, Query(ge=1, le=10**9)] = 1,
) -> Response:
    """All actions by service and name."""
    query = dict(view.request.query_params)
    if "" in query.values():
        return RedirectResponse(address(view.state, "/actions", query), 303)
    async with view.reading() as session:
        services = await actions.services(session)
        found = await actions.browse(session, service_name=service, text=search.strip(), page=page)
    return view.page(
        "actions.html", title="Actions", found=found, services=services, service=service, search=search
    )


@router.post("/actions/{action_id}/delete")
async def delete(view: Page, action_id: UUID, service: Typed = "") -> Response:
    """Forget an action; every role loses it."""
    back = f"/actions?{urlencode({'service': service})}" if service else "/actions"
    return await view.act(
        lambda session: actions.delete(session, action_id, **view.actor),
        to=back,
        said="The action is deleted, and no role holds it any more.",
    )
