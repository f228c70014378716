"""What a page of the panel asks for: an administrator, counted, and the view to answer him with."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from sentinel.admin.session import AdminPage, limit_admin_page
from sentinel.admin.view import View
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.roles.insights import PERIODS


async def view(
    request: Request,
    # Counted before the administrator is looked up: what is refused there counts as well.
    _: Annotated[None, Depends(limit_default)],
    state: CurrentState,
    admin: AdminPage,
    session: Session,
) -> View:
    """The view of a page that is opened or a form that is sent, counted in the default limits."""
    return View(request, state, admin, session)


def view_counted(name: str) -> Callable[..., Awaitable[View]]:
    """The same, counted in the limit that the JSON API names for the deed."""

    async def counted(
        request: Request,
        _: Annotated[None, Depends(limit_admin_page(name))],
        state: CurrentState,
        admin: AdminPage,
        session: Session,
    ) -> View:
        return View(request, state, admin, session)

    return counted


Page = Annotated[View, Depends(view)]
ChangePage = Annotated[View, Depends(view_counted("admin-write"))]
SensitivePage = Annotated[View, Depends(view_counted("sensitive"))]


async def period(days: int = 30) -> int:
    """The days that the figures of a page cover; any number that is no choice there is 30."""
    return days if days in PERIODS else 30


Period = Annotated[int, Depends(period)]
