"""The few HTML pages of the API: errors of the browser's sign-in, and the panel's door."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
BROWSER_PATHS = ("/auth/login/", "/auth/callback/")


def is_browser_page(request: Request) -> bool:
    """Whether the request is for a page that a person sees while signing in (``http-api.md`` §0.2)."""
    path: str = request.scope["path"]
    return path.startswith(BROWSER_PATHS)


def wants_html(request: Request) -> bool:
    """Whether the caller is a browser rather than a program."""
    return "text/html" in request.headers.get("accept", "")


def browser_error(
    status: int, title: str, message: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """An error page; every inserted value is escaped."""
    body = _TEMPLATES.get_template("error.html").render(title=title, message=message, status=status)
    return HTMLResponse(body, status, dict(headers or {}))


def panel_door(base_url: str) -> HTMLResponse:
    """The page that stands at ``/admin`` until the panel does."""
    return HTMLResponse(_TEMPLATES.get_template("door.html").render(base_url=base_url))
