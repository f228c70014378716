"""What a page of the panel asks for: an administrator, counted, and the view to answer him with."""

from typing import Annotated

from fastapi import Depends, Request

from sentinel.admin.session import AdminPage, count_for
from sentinel.admin.view import View
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState


async def view(request: Request, state: CurrentState, admin: AdminPage, session: Session) -> View:
    """The view of a page that is opened or a form that is sent, counted in the default limits."""
    await limit_default(request)
    return View(request, state, admin, session)


async def view_of_change(request: Request, state: CurrentState, admin: AdminPage, session: Session) -> View:
    """For what the JSON API counts in ``admin-write``."""
    await count_for(state, "admin-write", admin)
    return View(request, state, admin, session)


async def view_of_sensitive(
    request: Request, state: CurrentState, admin: AdminPage, session: Session
) -> View:
    """For what the JSON API counts in ``sensitive``."""
    await count_for(state, "sensitive", admin)
    return View(request, state, admin, session)


Page = Annotated[View, Depends(view)]
ChangePage = Annotated[View, Depends(view_of_change)]
SensitivePage = Annotated[View, Depends(view_of_sensitive)]
