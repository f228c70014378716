"""The actions that services have registered, over JSON (``admin.md`` §6)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.roles import ActionOut
from sentinel.api.schemas.text import Text
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.roles import actions

router = APIRouter(
    prefix="/admin/api/service-actions", tags=["admin: actions"], dependencies=[Depends(limit_default)]
)


@router.get("")
async def list_all(
    session: Session, _: Admin, service_name: Annotated[Text | None, Query(max_length=255)] = None
) -> list[ActionOut]:
    """Every registered action, or those of one service, by service and name."""
    found = await actions.list_all(session, service_name=service_name)
    return [ActionOut.model_validate(action) for action in found]


@router.delete("/{action_id}", status_code=204)
async def delete(state: CurrentState, session: Session, admin: Admin, action_id: UUID) -> None:
    """Forget an action; every role loses it."""
    await actions.delete(session, action_id, actor_id=admin.user_id, now=state.now())
