"""``GET /admin/api/stats``: the installation in numbers (``admin.md`` §3)."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.workspaces import people
from sentinel.workspaces.census import census, largest_workspaces

router = APIRouter(prefix="/admin/api", tags=["admin: overview"], dependencies=[Depends(limit_default)])

AMOUNT = 5


class NewestUser(BaseModel):
    """A person in a list (AU of ``admin.md`` §4)."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    is_active: bool
    is_admin: bool
    created_at: datetime
    workspace_count: int


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
    recent_users: list[NewestUser]
    top_workspaces: list[LargestWorkspace]


@router.get("/stats")
async def stats(session: Session, _: Admin) -> Stats:
    """Totals, the five newest people and the five largest workspaces."""
    counted = await census(session)
    newest = await people.search(session, None, page=1, page_size=AMOUNT)
    largest = await largest_workspaces(session, amount=AMOUNT)
    return Stats(
        total_users=counted.users,
        total_workspaces=counted.workspaces,
        total_groups=counted.groups,
        total_resources=counted.resources,
        active_users=counted.active_users,
        inactive_users=counted.inactive_users,
        recent_users=[NewestUser.model_validate(user) for user in newest.items],
        top_workspaces=[LargestWorkspace.model_validate(workspace) for workspace in largest],
    )
