"""CSV import over JSON (``admin.md`` §4)."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from sentinel.admin.session import Admin, limit_admin
from sentinel.admin.uploads import CsvFile, rows_of
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.workspaces import csv_import

router = APIRouter(
    prefix="/admin/api/import/csv",
    tags=["admin: users"],
    dependencies=[Depends(limit_admin("sensitive"))],
)


class ImportRowOut(BaseModel):
    """``warning`` marks a row that is valid and makes an owner."""

    model_config = ConfigDict(from_attributes=True)

    email: str
    name: str
    workspace_slug: str
    role: str
    error: str | None
    warning: str | None


class ImportPreviewOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    rows: list[ImportRowOut]
    valid_count: int
    error_count: int


class ImportResultOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    users_created: int
    memberships_added: int
    errors: list[str]


@router.post("/preview")
async def preview(session: Session, _: Admin, file: CsvFile) -> ImportPreviewOut:
    """What would become of each row; nothing is written."""
    return ImportPreviewOut.model_validate(await csv_import.preview(session, await rows_of(file)))


@router.post("/execute")
async def execute(state: CurrentState, session: Session, admin: Admin, file: CsvFile) -> ImportResultOut:
    """Import every row that can be; ``errors`` tells of each other one."""
    result = await csv_import.execute(session, await rows_of(file), actor_id=admin.user_id, now=state.now())
    return ImportResultOut.model_validate(result)
