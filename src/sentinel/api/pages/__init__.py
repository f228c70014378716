"""The few HTML pages of the API: those of errors."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import HTMLResponse

from sentinel.api.middleware.route import is_below

if TYPE_CHECKING:
    from jinja2 import Template

BROWSER_PATHS = ("/auth/login/", "/auth/callback/")
PANEL, NOT_PAGES = "/admin", ("/admin/api", "/admin/static")


def is_browser_page(request: Request) -> bool:
    """Whether the request is for a page that a person sees: while signing in (``http-api.md`` §0.2), or the panel."""
    path: str = request.scope["path"]
    return path.startswith(BROWSER_PATHS) or is_panel_page(request)


def is_panel_page(request: Request) -> bool:
    """Whether the request is for a page of the panel, which is not one for its JSON API."""
    path: str = request.scope["path"]
    return is_below(path, PANEL) and not any(is_below(path, other) for other in NOT_PAGES)


def wants_html(request: Request) -> bool:
    """Whether the caller is a browser rather than a program. htmx, which the panel's pages load, accepts anything."""
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def browser_error(
    status: int,
    title: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    request: Request | None = None,
) -> HTMLResponse:
    """An error page that says how to go on; every inserted value is escaped. ``request`` is what it answers, where
    that may have been one of the panel's.
    """
    in_panel = request is not None and is_panel_page(request)
    body = _template().render(title=title, message=message, status=status, in_panel=in_panel)
    answer = HTMLResponse(body, status, dict(headers or {}))
    if request is not None and in_panel and "hx-request" in request.headers:
        # Whatever part of the page asked: what comes is a page of its own.
        answer.headers.update({"HX-Retarget": "body", "HX-Reswap": "innerHTML", "HX-Reselect": "main"})
    return answer


@cache
def _template() -> "Template":
    # Loaded with the first page: who is only asked by programs never shows one.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return templates.get_template("error.html")
