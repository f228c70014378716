"""What every page of the panel stands on: templates, addresses, notes, and the way from a form to a use case.

A page never decides anything. It reads through the domains, or hands a form to a use case inside one transaction,
and then sends the browser on, so that reloading a page never repeats an action.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadData, URLSafeTimedSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from sentinel import __version__
from sentinel.admin import assets, charts, sentences, words
from sentinel.admin.navigation import SIDE_BAR, Crumb, is_here
from sentinel.admin.session import csrf_token
from sentinel.admin.world import world
from sentinel.api.state import State
from sentinel.core.database import savepoint
from sentinel.core.errors import DomainError, Unavailable
from sentinel.login.admin_session import AdminCaller

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals |= {
    "side_bar": SIDE_BAR,
    "is_here": is_here,
    "charts": charts,
    "sentences": sentences,
    "world": world,
}
_TEMPLATES.filters |= {
    "ago": words.ago,
    "moment": words.moment,
    "day": words.day,
    "count": words.count,
    "initials": words.initials,
    "plural": words.plural,
    "plural_to": words.plural_to,
    "activity": words.activity,
}

# The panel's own files and nothing else: no inline script or style, no other host, in no frame (admin.md §10).
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
NOTE_COOKIE = "sentinel_note"
NOTE_SECONDS = 60
NoteKind = Literal["good", "bad"]
_T = TypeVar("_T")


def prefix(state: State) -> str:
    """The path that browsers know the panel by: that of ``ADMIN_URL``, ``/admin`` as a rule."""
    return urlsplit(state.settings.admin_url).path.rstrip("/")


def address(state: State, path: str = "/", query: Mapping[str, Any] | None = None) -> str:
    """The address of a page below ``/admin``; empty values of ``query`` are left out."""
    kept = {name: value for name, value in (query or {}).items() if value not in (None, "")}
    return prefix(state) + path + (f"?{urlencode(kept)}" if kept else "")


def render(state: State, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for nobody in particular (the sign-in page, an error); every inserted value is escaped."""
    body = _TEMPLATES.get_template(template).render(
        url=lambda path="/", /, **query: address(state, path, query),
        asset=lambda name: address(state, f"/{assets.path_of(name)}"),
        now=state.now(),
        version=__version__,
        **values,
    )
    return HTMLResponse(body, status, {"Content-Security-Policy": CSP})


@dataclass(frozen=True, slots=True)
class View:
    """One request of an administrator for a page."""

    request: Request
    state: State
    admin: AdminCaller
    session: AsyncSession
    """The session that the administrator was checked in: what he does sees the same moment, in one transaction."""

    @property
    def now(self) -> datetime:
        return self.state.now()

    @property
    def actor(self) -> dict[str, Any]:
        """Who acts and when, as every use case wants it."""
        return {"actor_id": self.admin.user_id, "now": self.state.now()}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """The session, to read what the page shows."""
        yield self.session

    def path(self) -> str:
        """The path of this page below ``/admin``."""
        return self.request.url.path.partition("/admin")[2] or "/"

    def page(
        self,
        template: str,
        *,
        title: str,
        crumbs: Iterable[tuple[str, str]] = (),
        status: int = 200,
        at: str | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Render a page of the panel. ``crumbs`` are (label, path) of the steps above it; ``title`` is the last.

        ``at`` is the path of the page, where that is not the path of the request: when a form is shown again.
        """
        note = read_note(self.state, self.request)
        answer = render(
            self.state,
            template,
            status=status,
            title=title,
            crumbs=[*(Crumb(label, path) for label, path in crumbs), Crumb(title)],
            admin=self.admin,
            csrf_token=csrf_token(self.admin, self.state),
            path=at or self.path(),
            query=dict(self.request.query_params),
            note=note,
            **values,
        )
        if status >= 400:
            # A form that is shown again stays at the address of the form, not at the one that it was sent to.
            answer.headers["HX-Push-Url"] = "false"
        if note is not None:
            answer.delete_cookie(NOTE_COOKIE, path=prefix(self.state) or "/")
        return answer

    def go(self, path: str, note: str | None = None, *, kind: NoteKind = "good", **query: Any) -> Response:
        """Send the browser to another page of the panel, with a note that it shows once."""
        answer = RedirectResponse(address(self.state, path, query), 303)
        if note:
            answer.set_cookie(
                NOTE_COOKIE,
                _notes(self.state).dumps([kind, note[:500]]),
                max_age=NOTE_SECONDS,
                path=prefix(self.state) or "/",
                httponly=True,
                samesite="strict",
                secure=self.state.settings.cookie_secure,
            )
        return answer

    async def do(self, work: Callable[[AsyncSession], Awaitable[_T]]) -> _T:
        """Run a use case in the transaction of the form. Raises what it raises; then nothing of it remains, and what
        is to be shown again has to be read again.
        """
        async with savepoint(self.session):
            return await work(self.session)

    async def act(
        self,
        work: Callable[[AsyncSession], Awaitable[_T]],
        *,
        to: str,
        said: str | Callable[[_T], str],
        or_to: str | None = None,
    ) -> Response:
        """Run a use case and go to ``to`` with a note of what happened; when it refuses, go to
        ``or_to`` (``to`` if None) with its reason.
        """
        try:
            result = await self.do(work)
        except Unavailable:
            raise
        except DomainError as refusal:
            return self.go(or_to or to, refusal.detail, kind="bad")
        return self.go(to, said if isinstance(said, str) else said(result))


def read_note(state: State, request: Request) -> tuple[NoteKind, str] | None:
    """The note that the last action has left for this page; None when there is none that we have signed."""
    try:
        kind, text = _notes(state).loads(request.cookies.get(NOTE_COOKIE, ""), max_age=NOTE_SECONDS)
    except (BadData, TypeError, ValueError):
        return None
    return kind, text


def _notes(state: State) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(state.settings.session_keys)), salt="sentinel.panel.note")
