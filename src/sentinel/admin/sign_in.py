"""The session of the panel over HTTP (``admin.md`` §1, AL1 to AL4)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel

from sentinel.admin.return_path import panel_url, safe_return_path
from sentinel.admin.session import CSRF_HEADER, Admin, clear_admin_cookie, csrf_token, set_admin_cookie
from sentinel.api.cookies import login_cookie, set_login_cookie
from sentinel.api.rate_limit import RateLimited, limit, limit_default
from sentinel.api.schemas.auth import Done
from sentinel.api.security import ClientOf, Session
from sentinel.api.state import CurrentState
from sentinel.core.errors import Unavailable
from sentinel.login import admin
from sentinel.login.admin_session import end_session
from sentinel.providers import ProviderUnavailable

router = APIRouter(prefix="/auth/admin", tags=["admin session"])
Limited = Depends(limit("auth-admin"))


class AdminOut(BaseModel):
    """Who is signed in to the panel (AL3)."""

    id: UUID
    email: str
    name: str


@router.get("/login/{provider}", dependencies=[Limited], response_class=Response)
async def start_admin_login(
    request: Request,
    state: CurrentState,
    context: ClientOf,
    provider: str,
    return_path: Annotated[str | None, Query(alias="next")] = None,
) -> Response:
    """AL1: send the browser to the provider. ``next`` is the page of the panel to end at; others are ignored."""
    started = await state.admin_login.start(provider, context, return_path=safe_return_path(return_path))
    answer = RedirectResponse(started.authorization_url, 302)
    set_login_cookie(answer, state, state.login_cookie.with_flow(login_cookie(request), started.flow))
    return answer


@router.get("/callback/{provider}", dependencies=[Limited], response_class=Response)
async def finish_admin_login(
    request: Request, state: CurrentState, context: ClientOf, provider: str
) -> Response:
    """AL2: the provider sends the browser back; end in the panel, or on its login page with an error code."""
    given = request.query_params
    cookie = login_cookie(request)
    flow = state.login_cookie.find(
        cookie, kind=admin.KIND, provider=provider, state=_single(given.getlist("state"))
    )
    try:
        signed_in = await state.admin_login.finish(
            provider,
            flow,
            code=_single(given.getlist("code")),
            provider_error=given.get("error"),
            context=context,
        )
        answer: Response = RedirectResponse(
            panel_url(state.settings.admin_url, safe_return_path(signed_in.return_path)), 302
        )
        set_admin_cookie(answer, state, signed_in.token)
    except admin.AdminLoginRefused as refusal:
        answer = RedirectResponse(f"{state.settings.admin_url}/login?error={refusal.code}", 302)
    except Exception as error:
        if isinstance(error, RateLimited) or (
            isinstance(error, Unavailable) and not isinstance(error, ProviderUnavailable)
        ):
            raise
        answer = JSONResponse({"detail": "Authentication failed"}, 500)
    if flow is not None:
        # Only this flow ends: another tab's stays.
        set_login_cookie(answer, state, state.login_cookie.without_flow(cookie, flow.state))
    return answer


@router.get("/me", dependencies=[Depends(limit_default)])
async def read_me(state: CurrentState, caller: Admin, response: Response) -> AdminOut:
    """AL3: who is signed in. ``X-CSRF-Token`` holds the token that the forms of this session carry."""
    response.headers[CSRF_HEADER] = csrf_token(caller, state)
    return AdminOut(id=caller.user_id, email=caller.email, name=caller.name)


@router.post("/logout", dependencies=[Depends(limit_default)])
async def log_out(state: CurrentState, session: Session, caller: Admin, response: Response) -> Done:
    """AL4: end this session."""
    await end_session(session, caller, now=state.now())
    clear_admin_cookie(response, state)
    return Done()


def _single(values: list[str]) -> str | None:
    """The value of a parameter that may appear once; repeated parameters are as good as none (RFC 6749 §3.1)."""
    return values[0] if len(values) == 1 else None
