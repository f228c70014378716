"""The ADMIN tier (``admin.md`` §1, AD-4 to AD-6, AD-13) as dependencies: :data:`Admin` for the JSON API,
:data:`AdminPage` for HTML pages and htmx.

Both read the administrator's row anew in every request. They differ in what a change has to bring beside the
cookie: ``X-Requested-With`` for the JSON API, a token of the session for forms and htmx.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.return_path import panel_url, return_path_of, safe_return_path
from sentinel.api.security import Session, guard
from sentinel.api.state import CurrentState, State
from sentinel.apps.addresses import origin_of
from sentinel.core.errors import Forbidden, Unauthenticated
from sentinel.core.logging import bind_actor
from sentinel.login.admin_session import AdminCaller, require_admin
from sentinel.tokens.claims import AdminClaims, IssuedToken
from sentinel.tokens.verify import TokenRefused

__all__ = [
    "Admin",
    "AdminCaller",
    "AdminPage",
    "add_handlers",
    "clear_admin_cookie",
    "count_for",
    "csrf_token",
    "limit_admin",
    "limit_admin_page",
    "login_url",
    "set_admin_cookie",
]

COOKIE_NAME = "admin_token"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
CSRF_PURPOSE = b"sentinel.admin.csrf"
"""Keeps these tokens apart from everything else that the session secret signs."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


# ── the cookie ────────────────────────────────────────────────────────────────────────────────────────────────────


def set_admin_cookie(answer: Response, state: State, token: IssuedToken) -> None:
    """Give the browser the panel's token (AD-4)."""
    answer.set_cookie(
        COOKIE_NAME,
        token.token,
        max_age=state.settings.admin_token_expire_minutes * 60,
        path="/",
        secure=state.settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )


def clear_admin_cookie(answer: Response, state: State) -> None:
    """Take the panel's token away, and all that the browser keeps of this site (AL4)."""
    answer.delete_cookie(
        COOKIE_NAME, path="/", secure=state.settings.cookie_secure, httponly=True, samesite="strict"
    )
    answer.headers["Clear-Site-Data"] = '"cookies", "storage"'


class NotSignedIn(Unauthenticated):
    """No cookie, or several: one of them would be somebody else's, planted from a neighbouring host."""

    def __init__(self, *, several: bool) -> None:
        super().__init__(
            "Invalid or expired session", reason="ambiguous_cookie" if several else "missing_token"
        )
        self.several = several


def _shown_token(request: Request) -> str:
    pairs = (
        pair.strip().partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";")
    )
    values = [value for name, _, value in pairs if name == COOKIE_NAME]
    if len(values) != 1 or not values[0]:
        raise NotSignedIn(several=len(values) > 1)
    return values[0]


# ── requests that another site has made ───────────────────────────────────────────────────────────────────────────


def _require_own_origin(request: Request, state: State) -> None:
    """AD-6: an ``Origin``, where there is one, is that of the panel or of the service.

    Asked of reads too: CORS lets the origins of registered apps read answers with cookies, and no app of a
    neighbouring host has any business in the panel.
    """
    shown = request.headers.getlist("origin")
    if not shown:
        return
    own = {origin_of(state.settings.admin_url), origin_of(state.settings.base_url)}
    if len(shown) != 1 or shown[0] not in own:
        raise Forbidden("Requests from this origin are not accepted", reason="foreign_origin")


def _require_requested_with(request: Request) -> None:
    if request.method not in SAFE_METHODS and not request.headers.get("x-requested-with"):
        raise Forbidden("The header X-Requested-With is required", reason="missing_requested_with")


def csrf_token(caller: AdminCaller, state: State) -> str:
    """The token that forms (field ``csrf_token``) and htmx (header ``X-CSRF-Token``) bring with every change (AD-13).

    It follows from the session's own id and the session secret, so it is stored nowhere and ends with the session.
    """
    return _csrf_token(caller, state.settings.session_keys[0])


def _csrf_token(caller: AdminCaller, session_key: str) -> str:
    key = hmac.digest(session_key.encode(), CSRF_PURPOSE, hashlib.sha256)
    return urlsafe_b64encode(hmac.digest(key, caller.jti.bytes, hashlib.sha256)).rstrip(b"=").decode()


async def _shown_csrf(request: Request) -> str | None:
    """What the request brings as its token: from the header, else from the form; None when it is not exactly one."""
    if request.method in SAFE_METHODS:
        return None
    shown: list[object] = list(request.headers.getlist(CSRF_HEADER))
    if not shown:
        shown = list((await request.form()).getlist(CSRF_FIELD))
    return shown[0] if len(shown) == 1 and isinstance(shown[0], str) else None


def _require_csrf(request: Request, state: State, caller: AdminCaller, shown: str | None) -> None:
    if request.method in SAFE_METHODS:
        return
    if shown is not None:
        given = shown.encode("utf-8", "replace")
        settings = state.settings
        # Every key is compared, so that the time tells nothing of which one it was.
        matches = [
            hmac.compare_digest(_csrf_token(caller, key).encode(), given) for key in settings.session_keys
        ]
        if any(matches):
            return
    raise Forbidden("This form has expired; load the page again", reason="csrf")


# ── the tier ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def admin_caller(request: Request, state: CurrentState, session: Session) -> AdminCaller:
    """ADMIN for the JSON API. Refusals: 401 without a valid session, 403 for a request that another site made."""
    async with guard("admin", request, state, session):
        token = _shown_token(request)
        _require_own_origin(request, state)
        _require_requested_with(request)
        return await _live(request, session, _verified(state, token))


async def admin_page_caller(
    request: Request, state: CurrentState, session: Session
) -> AsyncIterator[AdminCaller]:
    """ADMIN for pages, forms and htmx. Without a valid session the browser is sent to the login page (AD-11)."""
    try:
        yield await _page_caller(request, state, session)
    finally:
        # The files of a form that was read here for its token alone.
        await request.close()


async def _page_caller(request: Request, state: State, session: AsyncSession) -> AdminCaller:
    try:
        async with guard("admin_page", request, state, session):
            token = _shown_token(request)
            _require_own_origin(request, state)
            claims = _verified(state, token)
            # Before the first statement: a form that trickles in must not hold a transaction open.
            shown = await _shown_csrf(request)
            caller = await _live(request, session, claims)
            _require_csrf(request, state, caller, shown)
            return caller
    except Unauthenticated as refusal:
        raise SignInFirst(_way_to_login(request, state, refusal)) from refusal


def _verified(state: State, token: str) -> AdminClaims:
    try:
        return state.verifier.admin(token)
    except TokenRefused as refusal:
        if refusal.reason == "not_admin":
            raise Forbidden("Not an administrator", reason="not_admin") from refusal
        raise


async def _live(request: Request, session: AsyncSession, claims: AdminClaims) -> AdminCaller:
    caller = await require_admin(session, claims)
    request.scope.setdefault("state", {})["actor"] = str(caller.user_id)
    bind_actor(actor=caller.user_id)
    return caller


Admin = Annotated[AdminCaller, Depends(admin_caller, scope="function")]
AdminPage = Annotated[AdminCaller, Depends(admin_page_caller, scope="function")]


def limit_admin(name: str) -> Callable[[CurrentState, AdminCaller], Awaitable[None]]:
    """A dependency of the JSON API that counts the request in ``admin-write``, ``sensitive`` or ``read``, for the
    administrator who makes it.
    """

    async def limited(state: CurrentState, caller: Admin) -> None:
        await count_for(state, name, caller)

    return limited


def limit_admin_page(name: str) -> Callable[[CurrentState, AdminCaller], Awaitable[None]]:
    """The same for pages. Both faces count in one bucket, so none is a way around the other (L32)."""

    async def limited(state: CurrentState, caller: AdminPage) -> None:
        await count_for(state, name, caller)

    return limited


async def count_for(state: State, name: str, caller: AdminCaller) -> None:
    """Count one request of ``caller`` in the limit ``name``."""
    await state.limits.hit(name, f"user:{caller.user_id}")


# ── the way to the login page ─────────────────────────────────────────────────────────────────────────────────────


class SignInFirst(Exception):
    """A page was asked for without a session; ``answer`` takes the browser to where it gets one."""

    def __init__(self, answer: Response) -> None:
        super().__init__("sign in first")
        self.answer = answer


def add_handlers(app: FastAPI) -> None:
    """Let ``app`` answer :class:`SignInFirst`."""

    async def answer(_: Request, error: Exception) -> Response:
        assert isinstance(error, SignInFirst)
        return error.answer

    app.add_exception_handler(SignInFirst, answer)


def login_url(state: State, return_path: str | None = None) -> str:
    """The login page, which comes back to ``return_path`` if that is a page of the panel."""
    page = f"{state.settings.admin_url}/login"
    return (
        f"{page}?next={quote(return_path, safe='')}"
        if safe_return_path(return_path) and return_path
        else page
    )


def _way_to_login(request: Request, state: State, refusal: Unauthenticated) -> Response:
    if request.headers.get("hx-request"):
        # htmx follows this header whatever the status; a redirect would be put into the page as a fragment.
        current = return_path_of(state.settings.admin_url, request.headers.get("hx-current-url"))
        return Response(status_code=401, headers={"HX-Redirect": login_url(state, current)})
    if request.method not in SAFE_METHODS:
        return RedirectResponse(login_url(state), 303)
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    here = safe_return_path(f"{path}?{query}" if query else path)
    if isinstance(refusal, NotSignedIn) and not refusal.several and _came_from_elsewhere(request):
        return _once_more(panel_url(state.settings.admin_url, here))
    return RedirectResponse(login_url(state, here), 303)


def _came_from_elsewhere(request: Request) -> bool:
    return request.headers.get("sec-fetch-site") == "cross-site"


def _once_more(url: str) -> Response:
    """A page that loads ``url`` from here.

    A SameSite=Strict cookie is kept back on a way that began at another site, and the way back from the provider
    is one. The browser says so in ``Sec-Fetch-Site``; asked by a page of our own it sends the cookie.
    """
    target = escape(url, quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sentinel Auth</title>'
        f'<meta http-equiv="refresh" content="0;url={target}"><a href="{target}">Continue</a></html>'
    )
