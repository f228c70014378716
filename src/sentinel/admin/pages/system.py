"""The state of the servers, the keys and the production checklist (``admin.md`` §2)."""

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin.condition import examine
from sentinel.admin.pages.desk import Page
from sentinel.checklist.summary import summary

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("/system")
async def system(view: Page) -> Response:
    """How the installation is doing right now."""
    found = await examine(view.state)
    return view.page(
        "system.html",
        title="System",
        found=found,
        items=summary(found.findings, view.state.settings),
        started_at=view.state.started_at,
        limits_are_shared=bool(view.state.settings.redis_url.get_secret_value())
        and not view.state.limits.degraded,
        is_development=view.state.settings.debug,
    )
