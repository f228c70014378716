"""In and out of the panel: the login page, and signing out (``admin.md`` §1, §2)."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response

from sentinel.admin.pages.desk import Page
from sentinel.admin.return_path import safe_return_path
from sentinel.admin.session import clear_admin_cookie
from sentinel.admin.view import address, render
from sentinel.api.rate_limit import limit_default
from sentinel.api.state import CurrentState
from sentinel.login.admin_session import end_session
from sentinel.login.welcome import Welcome

router = APIRouter(prefix="/admin", include_in_schema=False)

PROBLEMS = {
    "not_admin": "This account is not an administrator of this installation.",
    "email_not_verified": "The provider does not vouch for the e-mail address of this account. Verify it there first.",
    "no_email_claim": "The provider gave no e-mail address. Allow this application to read it, or use another account.",
    "email_conflict": "This address belongs to an account that another identity is linked to.",
    "inactive": "This account is deactivated. Another administrator can activate it.",
    "expired": "That sign-in took too long or was started in another browser. Please try again.",
}


@router.get("/login", dependencies=[Depends(limit_default)])
async def login(
    state: CurrentState,
    error: str | None = None,
    signed_out: bool = False,
    welcome: str | None = None,
    return_path: Annotated[str | None, Query(alias="next")] = None,
) -> Response:
    """The buttons of the configured providers, and what went wrong the last time."""
    base = state.settings.base_url
    here = safe_return_path(return_path)
    query = f"?next={quote(here, safe='')}" if here else ""
    problem = None
    if error:
        problem = PROBLEMS.get(error, "Signing in did not work. Please try again.")
    greeted = None
    if welcome:
        async with state.database.reading() as session:
            greeted = await Welcome(state.settings.session_keys, state.clock).address(session, welcome)
    return render(
        state,
        "login.html",
        title="Sign in",
        providers=[
            (name, state.providers.get(name).label, f"{base}/auth/admin/login/{name}{query}")
            for name in state.providers.names()
        ],
        problem=problem,
        signed_out=signed_out and not problem,
        greeted=greeted if not problem else None,
    )


@router.post("/logout")
async def logout(view: Page) -> Response:
    """Sign out with the button of the panel; AL4 is the same for programs."""

    await view.do(lambda session: end_session(session, view.admin, now=view.now))
    answer = RedirectResponse(address(view.state, "/login", {"signed_out": "true"}), 303)
    clear_admin_cookie(answer, view.state)
    return answer
