"""Groups (``http-api.md`` §6)."""

from uuid import UUID

from fastapi import APIRouter, Depends

from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.workspaces import ChangeIn, GroupIn, GroupMemberOut, GroupOut, StatusOk
from sentinel.api.security import (
    FlexPathMember,
    PathMember,
    Session,
    limit_flex_default,
    limit_flex_read,
    limit_without_key,
)
from sentinel.api.state import CurrentState
from sentinel.workspaces import groups

router = APIRouter(prefix="/workspaces/{workspace_id}/groups", tags=["groups"])
directory_router = APIRouter(prefix="/workspaces/{workspace_id}/groups", tags=["groups"])
"""What the internal listener serves too (§0.6)."""
Default = Depends(limit_default)


@router.post("", status_code=201, dependencies=[Default])
async def create_group(state: CurrentState, session: Session, actor: PathMember, body: GroupIn) -> GroupOut:
    """G1: make a group."""
    group = await groups.create(session, actor, name=body.name, description=body.description, now=state.now())
    return GroupOut.model_validate(group)


@directory_router.get("", dependencies=[Depends(limit_without_key), Depends(limit_flex_default)])
async def list_groups(session: Session, actor: FlexPathMember) -> list[GroupOut]:
    """G2: the groups of the workspace."""
    return [GroupOut.model_validate(group) for group in await groups.list_groups(session, actor)]


@router.patch("/{group_id}", dependencies=[Default])
async def change_group(
    state: CurrentState, session: Session, actor: PathMember, group_id: UUID, body: ChangeIn
) -> GroupOut:
    """G3: rename or describe a group."""
    group = await groups.change(
        session, actor, group_id, name=body.name, description=body.description, now=state.now()
    )
    return GroupOut.model_validate(group)


@router.delete("/{group_id}", status_code=204, dependencies=[Default])
async def delete_group(state: CurrentState, session: Session, actor: PathMember, group_id: UUID) -> None:
    """G4: delete a group with everything given to it."""
    await groups.delete(session, actor, group_id, now=state.now())


@directory_router.get("/{group_id}/members", dependencies=[Depends(limit_flex_read)])
async def list_group_members(session: Session, actor: FlexPathMember, group_id: UUID) -> list[GroupMemberOut]:
    """G5: who is in a group."""
    found = await groups.list_group_members(session, actor, group_id)
    return [GroupMemberOut.model_validate(entry) for entry in found]


@router.post("/{group_id}/members/{member_user_id}", status_code=201, dependencies=[Default])
async def add_group_member(
    state: CurrentState, session: Session, actor: PathMember, group_id: UUID, member_user_id: UUID
) -> StatusOk:
    """G6: put a member of the workspace into a group."""
    await groups.add_member(session, actor, group_id, member_user_id, now=state.now())
    return StatusOk()


@router.delete("/{group_id}/members/{member_user_id}", status_code=204, dependencies=[Default])
async def remove_group_member(
    state: CurrentState, session: Session, actor: PathMember, group_id: UUID, member_user_id: UUID
) -> None:
    """G7: take somebody out of a group."""
    await groups.remove_member(session, actor, group_id, member_user_id, now=state.now())
