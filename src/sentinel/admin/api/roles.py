"""Roles, their actions and who holds them, over JSON (``admin.md`` §6)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.roles import ActionOut
from sentinel.api.schemas.text import Description, Label
from sentinel.api.schemas.workspaces import ChangeIn, StatusOk
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.roles import bindings, roles
from sentinel.roles.roles import RoleEntry

router = APIRouter(prefix="/admin/api", tags=["admin: roles"], dependencies=[Depends(limit_default)])


class RoleIn(BaseModel):
    name: Label
    description: Description | None = None


class RoleOut(BaseModel):
    id: UUID
    workspace_id: UUID
    name: str
    description: str | None
    created_by: UUID | None
    created_at: datetime
    action_count: int
    member_count: int
    group_count: int

    @classmethod
    def of(cls, entry: RoleEntry) -> "RoleOut":
        """A role with its counts."""
        role = entry.role
        return cls(
            id=role.id,
            workspace_id=role.workspace_id,
            name=role.name,
            description=role.description,
            created_by=role.created_by,
            created_at=role.created_at,
            action_count=entry.action_count,
            member_count=entry.member_count,
            group_count=entry.group_count,
        )


class ActionsIn(BaseModel):
    service_action_ids: Annotated[list[UUID], Field(max_length=roles.MAX_ACTIONS)]


class RoleMemberOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    user_id: UUID
    email: str
    name: str
    assigned_at: datetime
    assigned_by: UUID | None


class RoleGroupOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    group_id: UUID
    name: str
    description: str | None
    member_count: int
    assigned_at: datetime
    assigned_by: UUID | None


@router.get("/workspaces/{workspace_id}/roles")
async def list_roles(session: Session, _: Admin, workspace_id: UUID) -> list[RoleOut]:
    """The roles of a workspace, newest first."""
    return [RoleOut.of(entry) for entry in await roles.list_roles(session, workspace_id)]


@router.post("/workspaces/{workspace_id}/roles", status_code=201)
async def create(
    state: CurrentState, session: Session, admin: Admin, workspace_id: UUID, body: RoleIn
) -> RoleOut:
    """Make a role without actions."""
    made = await roles.create(
        session,
        workspace_id,
        name=body.name,
        description=body.description,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return RoleOut.of(RoleEntry(made, 0, 0, 0))


@router.patch("/roles/{role_id}")
async def change(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, body: ChangeIn
) -> RoleOut:
    """Rename or describe a role."""
    await roles.change(
        session,
        role_id,
        name=body.name,
        description=body.description,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return RoleOut.of(await roles.entry(session, role_id))


@router.delete("/roles/{role_id}", status_code=204)
async def delete(state: CurrentState, session: Session, admin: Admin, role_id: UUID) -> None:
    """Delete a role with all its bindings."""
    await roles.delete(session, role_id, actor_id=admin.user_id, now=state.now())


# ── actions ──


@router.get("/roles/{role_id}/actions")
async def list_actions(session: Session, _: Admin, role_id: UUID) -> list[ActionOut]:
    """The actions of a role, by service and name."""
    return [ActionOut.model_validate(action) for action in await roles.list_actions(session, role_id)]


@router.post("/roles/{role_id}/actions", status_code=201)
async def add_actions(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, body: ActionsIn
) -> StatusOk:
    """Add actions, all or none."""
    await roles.add_actions(
        session, role_id, body.service_action_ids, actor_id=admin.user_id, now=state.now()
    )
    return StatusOk()


@router.delete("/roles/{role_id}/actions/{action_id}", status_code=204)
async def remove_action(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, action_id: UUID
) -> None:
    """Take an action from a role."""
    await roles.remove_action(session, role_id, action_id, actor_id=admin.user_id, now=state.now())


# ── who holds it ──


@router.get("/roles/{role_id}/members")
async def list_members(session: Session, _: Admin, role_id: UUID) -> list[RoleMemberOut]:
    """The people bound to a role directly."""
    return [RoleMemberOut.model_validate(entry) for entry in await bindings.list_members(session, role_id)]


@router.post("/roles/{role_id}/members/{user_id}", status_code=201)
async def bind_member(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, user_id: UUID
) -> StatusOk:
    """Bind a member of the workspace to a role."""
    await bindings.bind_member(session, role_id, user_id, actor_id=admin.user_id, now=state.now())
    return StatusOk()


@router.delete("/roles/{role_id}/members/{user_id}", status_code=204)
async def unbind_member(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, user_id: UUID
) -> None:
    """Take a role from a person."""
    await bindings.unbind_member(session, role_id, user_id, actor_id=admin.user_id, now=state.now())


@router.get("/roles/{role_id}/groups")
async def list_groups(session: Session, _: Admin, role_id: UUID) -> list[RoleGroupOut]:
    """The groups bound to a role."""
    return [RoleGroupOut.model_validate(entry) for entry in await bindings.list_groups(session, role_id)]


@router.post("/roles/{role_id}/groups/{group_id}", status_code=201)
async def bind_group(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, group_id: UUID
) -> StatusOk:
    """Bind a group of the workspace to a role."""
    await bindings.bind_group(session, role_id, group_id, actor_id=admin.user_id, now=state.now())
    return StatusOk()


@router.delete("/roles/{role_id}/groups/{group_id}", status_code=204)
async def unbind_group(
    state: CurrentState, session: Session, admin: Admin, role_id: UUID, group_id: UUID
) -> None:
    """Take a role from a group."""
    await bindings.unbind_group(session, role_id, group_id, actor_id=admin.user_id, now=state.now())
