"""CSV import and export on pages: choose a file, see what would happen, do it (``admin.md`` §2, §4).

One form does both steps. It stays on the page while its answers come into the part below it, so the browser keeps
the chosen file and nothing has to be kept here between the steps.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, File, UploadFile
from fastapi import Form as FormField
from fastapi.responses import Response

from sentinel.admin.downloads import download
from sentinel.admin.pages.desk import Page, SensitivePage
from sentinel.admin.pages.users import HOME
from sentinel.admin.uploads import rows_of
from sentinel.admin.view import View
from sentinel.api.errors import status_of
from sentinel.core.errors import DomainError, Unavailable
from sentinel.workspaces import csv_file, csv_import
from sentinel.workspaces.csv_import import ImportPreview, ImportResult

router = APIRouter(prefix="/admin", include_in_schema=False)

SHOWN = 100
"""So many rows and reasons are shown; the numbers count all."""


@router.get("/users/import")
async def choose(view: Page) -> Response:
    """The form."""
    return _page(view)


@router.post("/users/import")
async def run(
    view: SensitivePage,
    step: Annotated[Literal["check", "import"], FormField()],
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Look at the file, or import it."""
    if file is None or not file.size:
        return _page(view, problem="Choose a CSV file that is not empty.", status=422)
    try:
        rows = await rows_of(file)
        if not rows:
            return _page(view, problem="The file has a header and no rows.", status=422)
        if step == "check":
            return _page(view, checked=await csv_import.preview(view.session, rows))
        done = await view.do(lambda session: csv_import.execute(session, rows, **view.actor))
        return _page(view, done=done)
    except Unavailable:
        raise
    except DomainError as refusal:
        return _page(view, problem=refusal.detail, status=status_of(refusal))


def _page(
    view: View,
    *,
    checked: ImportPreview | None = None,
    done: ImportResult | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    return view.page(
        "users/import.html",
        title="Import",
        crumbs=[HOME],
        status=status,
        checked=checked,
        done=done,
        problem=problem,
        shown=SHOWN,
        columns=csv_file.COLUMNS,
    )


@router.get("/export/users")
async def export_users(view: Page) -> Response:
    """All people as ``users.csv``."""
    return await download(view.state, view.session, view.admin, "users")


@router.get("/export/workspaces")
async def export_workspaces(view: Page) -> Response:
    """All workspaces as ``workspaces.csv``."""
    return await download(view.state, view.session, view.admin, "workspaces")
