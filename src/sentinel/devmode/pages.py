"""The HTML pages of the development mode: templates, Content-Security-Policy, and the files they load."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import FileResponse, HTMLResponse, Response

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The whole table of servable files, so that no request text ever becomes a path.
_STATIC = {file.name: file for file in (_HERE / "static").iterdir() if file.suffix in _MEDIA_TYPES}

# Chromium holds every hop of the redirects that follow a form against form-action, so naming the redirect URI
# is not enough: from there the server sends the browser on to the application, which in development runs on
# this machine. Chromium does not follow the chooser to an application under another host name.
LOOPBACK_APPS = ("http://localhost:*", "http://127.0.0.1:*", "https://localhost:*", "https://127.0.0.1:*")


def content_security_policy(form_action: Sequence[str] = ()) -> str:
    """The policy of one page: its own style, script and images, nothing inline, no other host.

    ``form_action``: sources that its forms, and the redirects behind them, may reach besides its own origin.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            "script-src 'self'",
            "connect-src 'self'",
            " ".join(("form-action 'self'", *form_action)),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def page(
    template: str, *, status: int = 200, form_action: Sequence[str] = (), **values: object
) -> HTMLResponse:
    """Render a template, every value escaped, as a page that is never stored."""
    return HTMLResponse(
        _TEMPLATES.get_template(template).render(**values),
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": content_security_policy(form_action),
        },
    )


def static_file(name: str) -> Response | None:
    """The style, script or image of that name; None when there is none."""
    file = _STATIC.get(name)
    if file is None:
        return None
    # "no-cache" means: ask again each time, by ETag. A newer version of the program shows at once.
    return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix], headers={"Cache-Control": "no-cache"})


def origin_of(url: str) -> str:
    """``scheme://host[:port]`` of an absolute URL, in lower case, the port as written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
