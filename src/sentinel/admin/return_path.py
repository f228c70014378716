"""The page to come back to after signing in, as it travels through the browser (AD-11)."""

import re
from urllib.parse import urlsplit

LONGEST = 512
# What our own links are made of, and nothing that a browser or a proxy could read in two ways: no scheme, host,
# backslash, fragment, space or control character can be written with it, and no percent sign before the query.
_SHAPE = re.compile(r"/admin(?P<rest>(?:/[A-Za-z0-9_~.-]+)*/?)(?:\?[A-Za-z0-9_~.!*'(),:@/&=+%-]*)?")
_NOT_PAGES = ("/login", "/logout", "/api", "/static")


def safe_return_path(value: str | None) -> str | None:
    """``value`` if it is a page of the panel: a path under ``/admin`` with an optional query, at most 512 characters.

    None for everything else, and for the login page itself, which would lead in circles.
    """
    if not value or len(value) > LONGEST or "//" in value:
        return None
    shape = _SHAPE.fullmatch(value)
    if shape is None or {".", ".."} & set(shape["rest"].split("/")):
        return None
    if any(shape["rest"] == name or shape["rest"].startswith(f"{name}/") for name in _NOT_PAGES):
        return None
    return value


def panel_url(admin_url: str, return_path: str | None) -> str:
    """Where the browser goes for a path of :func:`safe_return_path`: always below ``ADMIN_URL`` (RO-11).

    ``ADMIN_URL`` stands for ``/admin`` here, also where a proxy publishes the panel under another path.
    """
    rest = (return_path or "").removeprefix("/admin")
    return f"{admin_url}{rest}" if rest.startswith("/") else f"{admin_url}/{rest}"


def return_path_of(admin_url: str, url: str | None) -> str | None:
    """The path of a whole URL of the panel, such as htmx sends it in ``HX-Current-URL``; None for another one."""
    try:
        parts, home = urlsplit(url or ""), urlsplit(admin_url)
    except ValueError:
        return None
    if (parts.scheme, parts.netloc) != (home.scheme, home.netloc) or not parts.path.startswith(home.path):
        return None
    query = f"?{parts.query}" if parts.query else ""
    return safe_return_path(f"/admin{parts.path.removeprefix(home.path)}{query}")
