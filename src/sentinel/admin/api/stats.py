"""``GET /admin/api/stats``: the installation in numbers (``admin.md`` §3)."""

from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from sentinel.admin.api.users import AccountOut
from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.workspaces import people
from sentinel.workspaces.census import census, largest_workspaces

router = APIRouter(prefix="/admin/api", tags=["admin: overview"], dependencies=[Depends(limit_default)])

AMOUNT = 5


class LargestWorkspace(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    member_count: int


class Stats(BaseModel):
    total_users: int
    total_workspaces: int
    total_groups: int
    total_resources: int
    active_users: int
    inactive_users: int
    recent_users: list[AccountOut]
    top_workspaces: list[LargestWorkspace]


@router.get("/stats")
async def stats(session: Session, _: Admin) -> Stats:
    """Totals, the five newest people and the five largest workspaces."""
    counted = await census(session)
    newest = await people.newest(session, amount=AMOUNT)
    largest = await largest_workspaces(session, amount=AMOUNT)
    return Stats(
        total_users=counted.users,
        total_workspaces=counted.workspaces,
        total_groups=counted.groups,
        total_resources=counted.resources,
        active_users=counted.active_users,
        inactive_users=counted.inactive_users,
        recent_users=[AccountOut.model_validate(user) for user in newest],
        top_workspaces=[LargestWorkspace.model_validate(workspace) for workspace in largest],
    )
