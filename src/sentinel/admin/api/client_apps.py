"""Login apps over JSON (``admin.md`` §7); the contract's paths call them client apps."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.registered_origins import REFRESHES_ORIGINS
from sentinel.api.schemas.text import Label, Text
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.apps import login_apps
from sentinel.apps.addresses import MAX_ENTRIES

router = APIRouter(
    prefix="/admin/api/client-apps", tags=["admin: login apps"], dependencies=[Depends(limit_default)]
)

RedirectUris = Annotated[list[Text], Field(min_length=1, max_length=MAX_ENTRIES)]


class ClientAppIn(BaseModel):
    name: Label
    redirect_uris: RedirectUris


class ClientAppChangeIn(BaseModel):
    """Null leaves a field as it is. ``revoke_sessions`` counts only together with ``is_active`` false."""

    name: Label | None = None
    redirect_uris: RedirectUris | None = None
    is_active: bool | None = None
    revoke_sessions: bool = False


class ClientAppOut(BaseModel):
    """The ``id`` is the ``client_id`` of a sign-in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    redirect_uris: list[str]
    is_active: bool
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_all(session: Session, _: Admin) -> list[ClientAppOut]:
    """Every login app, newest first."""
    return [ClientAppOut.model_validate(app) for app in await login_apps.list_all(session)]


@router.post("", status_code=201, dependencies=[REFRESHES_ORIGINS])
async def create(state: CurrentState, session: Session, admin: Admin, body: ClientAppIn) -> ClientAppOut:
    """Register an application that people sign in to."""
    app = await login_apps.create(
        session,
        name=body.name,
        redirect_uris=body.redirect_uris,
        allow_plain_http=state.settings.debug,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return ClientAppOut.model_validate(app)


@router.get("/{app_id}")
async def detail(session: Session, _: Admin, app_id: UUID) -> ClientAppOut:
    """One login app."""
    return ClientAppOut.model_validate(await login_apps.get(session, app_id))


@router.patch("/{app_id}", dependencies=[REFRESHES_ORIGINS])
async def change(
    state: CurrentState, session: Session, admin: Admin, app_id: UUID, body: ClientAppChangeIn
) -> ClientAppOut:
    """Rename it, change where sign-ins may end, or switch it on or off."""
    app, _ = await login_apps.change(
        session,
        app_id,
        name=body.name,
        redirect_uris=body.redirect_uris,
        is_active=body.is_active,
        revoke_sessions=body.revoke_sessions,
        allow_plain_http=state.settings.debug,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return ClientAppOut.model_validate(app)


@router.delete("/{app_id}", status_code=204, dependencies=[REFRESHES_ORIGINS])
async def delete(state: CurrentState, session: Session, admin: Admin, app_id: UUID) -> None:
    """Delete it and end its sessions."""
    await login_apps.delete(session, app_id, actor_id=admin.user_id, now=state.now())
