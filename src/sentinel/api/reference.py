"""The pages that describe the API, for development alone (``http-api.md`` H4), with a Swagger UI of our own."""

from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from sentinel.api.rate_limit import limit_default
from sentinel.core.errors import NotFound

_FOLDER = Path(__file__).parent / "static"
_PAGE = _FOLDER / "reference.html"
# The whole table of servable files, so that no request text ever becomes a path. The build fetches those in vendor/.
_FILES = {
    path.name: (path, media_type)
    for path, media_type in (
        (_FOLDER / "reference.js", "text/javascript"),
        (_FOLDER / "vendor" / "swagger-ui-bundle.js", "text/javascript"),
        (_FOLDER / "vendor" / "swagger-ui.css", "text/css"),
    )
}
# Swagger UI sets widths and colours in style attributes, and its pictures are in its style sheet.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


router = APIRouter(include_in_schema=False, dependencies=[Depends(limit_default)])


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    """The description of the API."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
@router.get("/redoc")
async def page() -> Response:
    """The description for people: to try, and to read."""
    return FileResponse(_PAGE, media_type="text/html", headers={"Content-Security-Policy": CSP})


@router.get("/docs/{name}")
async def file(name: str) -> Response:
    """What the page loads."""
    path, media_type = _FILES.get(name, (None, None))
    if path is None or not path.is_file():
        raise NotFound("Not found")
    return FileResponse(path, media_type=media_type)
