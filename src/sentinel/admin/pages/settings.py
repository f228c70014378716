"""The configuration, to read (``admin.md`` §2)."""

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin import settings_sheet
from sentinel.admin.pages.desk import Page

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("/settings")
async def settings(view: Page) -> Response:
    """What the environment says, without its secrets. Each view leaves an activity."""
    # Opening a page only reads; the note of it is a transaction of its own, and one connection at a time is enough.
    await view.session.close()
    async with view.state.database.transaction() as session:
        sheet = await settings_sheet.show(session, view.state, actor_id=view.admin.user_id)
    return view.page("settings.html", title="Settings", sheet=sheet, counted=settings_sheet.COUNTED)
