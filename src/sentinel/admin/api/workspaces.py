"""Workspaces, their members and allow-lists over JSON (``admin.md`` §5)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.text import Text
from sentinel.api.schemas.workspaces import (
    ChangeIn,
    InviteIn,
    MemberOut,
    RoleIn,
    StatusOk,
    WorkspaceIn,
    WorkspaceOut,
)
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.workspaces import allow_list, enrolment, members, overview, workspaces
from sentinel.workspaces.workspaces import WorkspaceChange

router = APIRouter(
    prefix="/admin/api/workspaces", tags=["admin: workspaces"], dependencies=[Depends(limit_default)]
)


class WorkspaceEntry(WorkspaceOut):
    member_count: int


class WorkspaceDetail(WorkspaceEntry):
    group_count: int


class WorkspacePage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    items: list[WorkspaceEntry]
    total: int
    page: int
    page_size: int


class WorkspaceName(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str


class AllowedOrganizations(BaseModel):
    organization_ids: Annotated[list[UUID], Field(max_length=allow_list.MAX_ENTRIES)]


@router.get("")
async def search(
    session: Session,
    _: Admin,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    search: Annotated[Text | None, Query(max_length=255)] = None,
) -> WorkspacePage:
    """Workspaces, newest first; ``search`` looks into name and slug."""
    found = await overview.search(session, search, page=page, page_size=page_size)
    return WorkspacePage.model_validate(found)


@router.get("/all")
async def names(session: Session, _: Admin) -> list[WorkspaceName]:
    """Every workspace by name, to choose from."""
    return [WorkspaceName.model_validate(one) for one in await overview.names(session)]


@router.post("", status_code=201)
async def create(state: CurrentState, session: Session, admin: Admin, body: WorkspaceIn) -> WorkspaceDetail:
    """Make a workspace that the administrator owns."""
    made = await workspaces.make(
        session,
        admin.user_id,
        name=body.name,
        slug=body.slug,
        description=body.description,
        now=state.now(),
    )
    return WorkspaceDetail.model_validate(await overview.detail(session, made.id))


@router.get("/{workspace_id}")
async def detail(session: Session, _: Admin, workspace_id: UUID) -> WorkspaceDetail:
    """One workspace with its counts."""
    return WorkspaceDetail.model_validate(await overview.detail(session, workspace_id))


@router.patch("/{workspace_id}")
async def change(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, body: ChangeIn
) -> WorkspaceDetail:
    """Rename or describe a workspace."""
    wish = WorkspaceChange(name=body.name, description=body.description)
    await workspaces.edit(session, workspace_id, wish, actor_id=admin.user_id, now=state.now())
    return WorkspaceDetail.model_validate(await overview.detail(session, workspace_id))


@router.delete("/{workspace_id}", status_code=204)
async def delete(state: CurrentState, session: Session, admin: Admin, workspace_id: UUID) -> None:
    """Delete a workspace with everything in it."""
    await workspaces.destroy(session, workspace_id, actor_id=admin.user_id, now=state.now())


# ── members ──


@router.get("/{workspace_id}/members")
async def list_members(session: Session, _: Admin, workspace_id: UUID) -> list[MemberOut]:
    """All members by the time they joined."""
    return [MemberOut.model_validate(entry) for entry in await members.list_all(session, workspace_id)]


@router.post("/{workspace_id}/members/invite", status_code=201)
async def add_member(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, body: InviteIn
) -> StatusOk:
    """Add an existing user, with any role."""
    await enrolment.by_email(
        session, workspace_id, body.email, body.role, actor_id=admin.user_id, now=state.now()
    )
    return StatusOk()


@router.patch("/{workspace_id}/members/{user_id}")
async def change_member(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, user_id: UUID, body: RoleIn
) -> StatusOk:
    """Give a member another role."""
    await members.set_role(
        session,
        workspace_id,
        user_id,
        body.role,
        as_owner=True,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return StatusOk()


@router.delete("/{workspace_id}/members/{user_id}", status_code=204)
async def remove_member(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, user_id: UUID
) -> None:
    """Remove a member with all that was given to him there."""
    await members.expel(
        session, workspace_id, user_id, as_owner=True, actor_id=admin.user_id, now=state.now()
    )


# ── allowed organizations ──


@router.get("/{workspace_id}/allowed-organizations")
async def allowed_organizations(session: Session, _: Admin, workspace_id: UUID) -> AllowedOrganizations:
    """The organizations on the list; none means open to all."""
    return AllowedOrganizations(organization_ids=await allow_list.get(session, workspace_id))


@router.put("/{workspace_id}/allowed-organizations")
async def set_allowed_organizations(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, body: AllowedOrganizations
) -> AllowedOrganizations:
    """Make these the whole list."""
    listed = await allow_list.replace(
        session, workspace_id, body.organization_ids, actor_id=admin.user_id, now=state.now()
    )
    return AllowedOrganizations(organization_ids=listed)
