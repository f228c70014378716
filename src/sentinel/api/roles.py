"""Roles and actions (``http-api.md`` §7, R1 to R3)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from sentinel.api.hot_route import HotRoute
from sentinel.api.schemas.roles import (
    ActionOut,
    CheckActionIn,
    CheckActionOut,
    RegisterActionsIn,
    UserActionsOut,
)
from sentinel.api.schemas.text import ScopeName
from sentinel.api.security import Service, Session, admit_both, guard, read_shown
from sentinel.api.state import CurrentState, State
from sentinel.core import metrics
from sentinel.roles import actions, grants
from sentinel.roles.actions import ActionWish
from sentinel.roles.grants import Grants

router = APIRouter(prefix="/roles", tags=["roles"])
hot_router = APIRouter(prefix="/roles", tags=["roles"], route_class=HotRoute)


@router.post("/actions/register", status_code=201)
async def register_actions(
    state: CurrentState, session: Session, service: Service, body: RegisterActionsIn
) -> list[ActionOut]:
    """R1: declare the actions of a service; those that are not named stay."""
    wishes = [ActionWish(item.action, item.description) for item in body.actions]
    stored = await actions.register(session, service, body.service_name, wishes, now=state.now())
    return [ActionOut.model_validate(action) for action in stored]


@hot_router.post("/check-action", response_model=CheckActionOut)
async def check_action(request: Request, state: CurrentState, body: CheckActionIn) -> dict[str, Any]:
    """R2: may this person perform this action, and through which roles?"""
    found = await _grants(request, state, body.service_name, body.workspace_id, body.action)
    roles = found.roles_by_action.get(body.action, [])
    member = found.member
    metrics.decided("check-action", [bool(roles)])
    if roles:
        state.usage.allowed(member.workspace_id, member.user_id, body.service_name, body.action)
    else:
        state.activity.note(
            "action_denied",
            per="minute",
            actor_id=member.user_id,
            workspace_id=member.workspace_id,
            detail={"service_name": body.service_name, "action": body.action},
        )
    return {"allowed": bool(roles), "roles": roles}


@hot_router.get("/user-actions", response_model=UserActionsOut)
async def list_user_actions(
    request: Request,
    state: CurrentState,
    service_name: Annotated[ScopeName, Query()],
    workspace_id: UUID,
) -> dict[str, Any]:
    """R3: every action that this person is granted under a scope."""
    found = await _grants(request, state, service_name, workspace_id, None)
    return {"actions": found.actions}


async def _grants(
    request: Request, state: State, service_name: str, workspace_id: UUID, action: str | None
) -> Grants:
    async with guard("service_and_user", request, state):
        shown = await read_shown(request, state)
        found = await grants.read_grants(
            state.database,
            shown.key_hash,
            shown.claims,
            service_name=service_name,
            workspace_id=workspace_id,
            action=action,
            debug=state.settings.debug,
            now=state.now(),
        )
    await admit_both(request, state, found.service, found.member)
    return found
