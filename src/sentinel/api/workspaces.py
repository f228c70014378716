"""Workspaces and members (``http-api.md`` §5)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.text import Text
from sentinel.api.schemas.workspaces import ChangeIn, InviteIn, MemberOut, RoleIn, WorkspaceIn, WorkspaceOut
from sentinel.api.security import FlexPathMember, PathMember, Session, User, limit_flex_read
from sentinel.api.state import CurrentState, State
from sentinel.workspaces import members, workspaces
from sentinel.workspaces.workspaces import SelfServe, WorkspaceChange

router = APIRouter(prefix="/workspaces", tags=["workspaces"])
directory_router = APIRouter(prefix="/workspaces", tags=["workspaces"])
"""What the internal listener serves too (§0.6)."""
Default = Depends(limit_default)


@router.post("", status_code=201, dependencies=[Default])
async def create_workspace(
    state: CurrentState, session: Session, caller: User, body: WorkspaceIn
) -> WorkspaceOut:
    """W1: make a workspace and own it. The caller's token stays bound to its old one."""
    workspace = await workspaces.create(
        session,
        caller.user_id,
        name=body.name,
        slug=body.slug,
        description=body.description,
        allowed=state.settings.allow_workspace_create,
        self_serve=_self_serve(state),
        now=state.now(),
    )
    return WorkspaceOut.model_validate(workspace)


@router.get("", dependencies=[Default])
async def list_workspaces(session: Session, caller: User) -> list[WorkspaceOut]:
    """W2: all workspaces of the caller."""
    found = await workspaces.list_of_user(session, caller.user_id)
    return [WorkspaceOut.model_validate(workspace) for workspace in found]


@router.get("/{workspace_id}", dependencies=[Default])
async def read_workspace(session: Session, actor: PathMember) -> WorkspaceOut:
    """W3: the workspace of the token."""
    return WorkspaceOut.model_validate(await workspaces.get(session, actor.workspace_id))


@router.patch("/{workspace_id}", dependencies=[Default])
async def change_workspace(
    state: CurrentState, session: Session, actor: PathMember, body: ChangeIn
) -> WorkspaceOut:
    """W4: rename or describe the workspace."""
    wish = WorkspaceChange(name=body.name, description=body.description)
    return WorkspaceOut.model_validate(await workspaces.change(session, actor, wish, now=state.now()))


@router.delete("/{workspace_id}", status_code=204, dependencies=[Default])
async def delete_workspace(state: CurrentState, session: Session, actor: PathMember) -> None:
    """W5: delete the workspace and everything in it."""
    await workspaces.delete(session, actor, now=state.now())


@directory_router.get("/{workspace_id}/members", dependencies=[Depends(limit_flex_read)])
async def list_members(
    session: Session,
    actor: FlexPathMember,
    q: Annotated[Text | None, Query(max_length=100)] = None,
    limit: int | None = None,
) -> list[MemberOut]:
    """W6: members, optionally those whose name or address contains ``q``."""
    found = await members.list_members(session, actor, query=q, limit=limit)
    return [MemberOut.model_validate(entry) for entry in found]


@router.post("/{workspace_id}/members/invite", status_code=201, dependencies=[Default])
async def add_member(state: CurrentState, session: Session, actor: PathMember, body: InviteIn) -> MemberOut:
    """W7: add an existing user."""
    entry = await members.add(
        session,
        actor,
        email=body.email,
        role=body.role,
        self_serve=state.settings.self_serve_enabled,
        now=state.now(),
    )
    return MemberOut.model_validate(entry)


@router.patch("/{workspace_id}/members/{user_id}", dependencies=[Default])
async def change_member(
    state: CurrentState, session: Session, actor: PathMember, user_id: UUID, body: RoleIn
) -> MemberOut:
    """W8: give a member another role."""
    entry = await members.change_role(session, actor, user_id, body.role, now=state.now())
    return MemberOut.model_validate(entry)


@router.delete("/{workspace_id}/members/{user_id}", status_code=204, dependencies=[Default])
async def remove_member(state: CurrentState, session: Session, actor: PathMember, user_id: UUID) -> None:
    """W9: remove a member, or leave."""
    await members.remove(session, actor, user_id, now=state.now())


def _self_serve(state: State) -> SelfServe | None:
    settings = state.settings
    if not settings.self_serve_enabled:
        return None
    return SelfServe(settings.self_serve_max_workspaces_per_user, settings.self_serve_max_creates_per_hour)
