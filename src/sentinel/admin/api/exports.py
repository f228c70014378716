"""CSV exports (``admin.md`` §4)."""

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from sentinel.admin.downloads import download
from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState

router = APIRouter(prefix="/admin/api/export", tags=["admin: users"], dependencies=[Depends(limit_default)])


@router.get("/users", response_class=StreamingResponse)
async def users(state: CurrentState, session: Session, admin: Admin) -> StreamingResponse:
    """All people as ``users.csv``."""
    return await download(state, session, admin, "users")


@router.get("/workspaces", response_class=StreamingResponse)
async def workspaces(state: CurrentState, session: Session, admin: Admin) -> StreamingResponse:
    """All workspaces as ``workspaces.csv``."""
    return await download(state, session, admin, "workspaces")
