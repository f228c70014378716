"""Groups over JSON (``admin.md`` §5)."""

from uuid import UUID

from fastapi import APIRouter, Depends

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.workspaces import ChangeIn, GroupIn, GroupMemberOut, GroupOut, StatusOk
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.workspaces import enrolment, groups, workspaces

router = APIRouter(prefix="/admin/api", tags=["admin: groups"], dependencies=[Depends(limit_default)])


@router.get("/workspaces/{workspace_id}/groups")
async def list_groups(session: Session, _: Admin, workspace_id: UUID) -> list[GroupOut]:
    """The groups of a workspace, by creation."""
    found = await groups.list_all(session, workspace_id)
    if not found:
        await workspaces.get(session, workspace_id)
    return [GroupOut.model_validate(group) for group in found]


@router.post("/workspaces/{workspace_id}/groups", status_code=201)
async def create(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, body: GroupIn
) -> GroupOut:
    """Make a group."""
    await enrolment.hold(session, workspace_id)
    made = await groups.make(
        session,
        workspace_id,
        name=body.name,
        description=body.description,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return GroupOut.model_validate(made)


@router.patch("/groups/{group_id}")
async def change(
    state: CurrentState, session: Session, admin: Admin, group_id: UUID, body: ChangeIn
) -> GroupOut:
    """Rename or describe a group."""
    changed = await groups.edit(
        session,
        await groups.workspace_of(session, group_id),
        group_id,
        name=body.name,
        description=body.description,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return GroupOut.model_validate(changed)


@router.delete("/groups/{group_id}", status_code=204)
async def delete(state: CurrentState, session: Session, admin: Admin, group_id: UUID) -> None:
    """Delete a group with all that was given to it."""
    workspace_id = await groups.workspace_of(session, group_id)
    await groups.destroy(session, workspace_id, group_id, actor_id=admin.user_id, now=state.now())


@router.get("/groups/{group_id}/members")
async def list_members(session: Session, _: Admin, group_id: UUID) -> list[GroupMemberOut]:
    """Who is in a group, by the time they were added."""
    found = await groups.members_of(session, await groups.workspace_of(session, group_id), group_id)
    return [GroupMemberOut.model_validate(entry) for entry in found]


@router.post("/groups/{group_id}/members/{user_id}", status_code=201)
async def add_member(
    state: CurrentState, session: Session, admin: Admin, group_id: UUID, user_id: UUID
) -> StatusOk:
    """Put a member of the workspace into a group."""
    workspace_id = await groups.workspace_of(session, group_id)
    await groups.put_in(session, workspace_id, group_id, user_id, actor_id=admin.user_id, now=state.now())
    return StatusOk()


@router.delete("/groups/{group_id}/members/{user_id}", status_code=204)
async def remove_member(
    state: CurrentState, session: Session, admin: Admin, group_id: UUID, user_id: UUID
) -> None:
    """Take somebody out of a group."""
    workspace_id = await groups.workspace_of(session, group_id)
    await groups.take_out(session, workspace_id, group_id, user_id, actor_id=admin.user_id, now=state.now())
