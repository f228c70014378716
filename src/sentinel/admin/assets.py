"""The panel's style sheets, scripts and pictures: a closed table, each file under an address that changes with it."""

import hashlib
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.core.errors import NotFound

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The whole table of servable files, so that no request text ever becomes a path.
_FILES = {
    file.name: file
    for folder in (_FOLDER, _FOLDER / "vendor")
    if folder.is_dir()
    for file in folder.iterdir()
    if file.suffix in _MEDIA_TYPES
}
_CONTENT = {name: file.read_bytes() for name, file in _FILES.items()}
_VERSION = hashlib.sha256(b"\0".join(_CONTENT[name] for name in sorted(_CONTENT))).hexdigest()[:12]

NEEDED = ("htmx.min.js", "tabler.min.css", "icons.svg")
"""What other projects made and the build fetches (``frontend/``)."""

router = APIRouter(prefix="/admin/static", include_in_schema=False)


def missing() -> list[str]:
    """The fetched files that are not there: then the panel works but looks bare."""
    return [name for name in NEEDED if name not in _FILES]


def path_of(name: str) -> str:
    """The path of a file below the panel's own path, with the version of all files in it."""
    return f"static/{_VERSION}/{name}"


@router.get("/{version}/{name}")
async def asset(version: str, name: str) -> Response:
    """One file. Its address holds the version, so that a browser may keep it for good (``admin.md`` §10)."""
    content = _CONTENT.get(name)
    if content is None or version != _VERSION:
        raise NotFound("Not found")
    return Response(
        content,
        media_type=_MEDIA_TYPES[_FILES[name].suffix],
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
