"""Service apps over JSON (``admin.md`` §7). A key is in the answer that made it and nowhere else (SK-2)."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin, limit_admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.registered_origins import REFRESHES_ORIGINS
from sentinel.api.schemas.text import Label, Text
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.apps import service_apps
from sentinel.apps.addresses import MAX_ENTRIES
from sentinel.apps.service_apps import MAX_OVERLAP_MINUTES

router = APIRouter(prefix="/admin/api/service-apps", tags=["admin: services"])
DEFAULT = Depends(limit_default)
SENSITIVE = Depends(limit_admin("sensitive"))

Several = Annotated[list[Text], Field(max_length=MAX_ENTRIES)]


class ServiceAppIn(BaseModel):
    name: Label
    service_name: Label
    allowed_origins: Several = []
    allowed_idp_audiences: Several = []


class ServiceAppChangeIn(BaseModel):
    """Null leaves a field as it is; the service name never changes."""

    name: Label | None = None
    is_active: bool | None = None
    allowed_origins: Several | None = None
    allowed_idp_audiences: Several | None = None


class RotateIn(BaseModel):
    """How many minutes the old key stays valid."""

    overlap_minutes: Annotated[int, Field(ge=0, le=MAX_OVERLAP_MINUTES)] = 0


class ServiceAppOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    service_name: str
    realm_id: UUID | None
    key_prefix: str
    is_active: bool
    allowed_origins: list[str]
    allowed_idp_audiences: list[str]
    last_used_at: datetime | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class ServiceAppWithKey(ServiceAppOut):
    """An app with its new key, which no later answer shows."""

    api_key: str


@router.get("", dependencies=[DEFAULT])
async def list_all(session: Session, _: Admin) -> list[ServiceAppOut]:
    """Every service app, newest first."""
    return [ServiceAppOut.model_validate(app) for app in await service_apps.list_all(session)]


@router.post("", status_code=201, dependencies=[REFRESHES_ORIGINS, SENSITIVE])
async def create(
    state: CurrentState, session: Session, admin: Admin, body: ServiceAppIn
) -> ServiceAppWithKey:
    """Register a service; the answer has its key."""
    app, key = await service_apps.create(
        session,
        name=body.name,
        service_name=body.service_name,
        allowed_origins=body.allowed_origins,
        allowed_idp_audiences=body.allowed_idp_audiences,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return ServiceAppWithKey(**ServiceAppOut.model_validate(app).model_dump(), api_key=key.plaintext)


@router.get("/{app_id}", dependencies=[DEFAULT])
async def detail(session: Session, _: Admin, app_id: UUID) -> ServiceAppOut:
    """One service app."""
    return ServiceAppOut.model_validate(await service_apps.get(session, app_id))


@router.patch("/{app_id}", dependencies=[REFRESHES_ORIGINS, DEFAULT])
async def change(
    state: CurrentState, session: Session, admin: Admin, app_id: UUID, body: ServiceAppChangeIn
) -> ServiceAppOut:
    """Rename it, change origins or audiences, or switch it on or off."""
    app = await service_apps.change(
        session,
        app_id,
        name=body.name,
        is_active=body.is_active,
        allowed_origins=body.allowed_origins,
        allowed_idp_audiences=body.allowed_idp_audiences,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return ServiceAppOut.model_validate(app)


@router.post("/{app_id}/rotate-key", dependencies=[SENSITIVE])
async def rotate_key(
    state: CurrentState, session: Session, admin: Admin, app_id: UUID, body: RotateIn | None = None
) -> ServiceAppWithKey:
    """Give it a new key, which the answer has."""
    app, key = await service_apps.rotate_key(
        session,
        app_id,
        overlap=timedelta(minutes=(body or RotateIn()).overlap_minutes),
        actor_id=admin.user_id,
        now=state.now(),
    )
    return ServiceAppWithKey(**ServiceAppOut.model_validate(app).model_dump(), api_key=key.plaintext)


@router.delete("/{app_id}", status_code=204, dependencies=[REFRESHES_ORIGINS, DEFAULT])
async def delete(state: CurrentState, session: Session, admin: Admin, app_id: UUID) -> None:
    """Delete it, with all that stands under its name unless it is in a realm."""
    await service_apps.delete(session, app_id, actor_id=admin.user_id, now=state.now())
