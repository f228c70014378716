"""Realms and their members over JSON (``admin.md`` §7)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.text import Label
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.apps import realms
from sentinel.apps.realms import LONGEST_SECONDS, SHORTEST_SECONDS

router = APIRouter(prefix="/admin/api/realms", tags=["admin: realms"], dependencies=[Depends(limit_default)])

Seconds = Annotated[int, Field(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)]


class RealmIn(BaseModel):
    name: Label
    slug: Label
    m2m_ttl_s: Seconds = 300


class RealmChangeIn(BaseModel):
    """Null leaves a field as it is; the slug never changes."""

    name: Label | None = None
    m2m_ttl_s: Seconds | None = None
    is_active: bool | None = None


class RealmOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    m2m_ttl_s: int
    is_active: bool
    created_at: datetime


class RealmMemberOut(BaseModel):
    """``has_grants``: actions or resources exist under the app's own name, out of the realm's sight."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    service_name: str
    has_grants: bool


@router.get("")
async def list_all(session: Session, _: Admin) -> list[RealmOut]:
    """Every realm, newest first."""
    return [RealmOut.model_validate(realm) for realm in await realms.list_all(session)]


@router.post("", status_code=201)
async def create(state: CurrentState, session: Session, admin: Admin, body: RealmIn) -> RealmOut:
    """Make a realm without members."""
    realm = await realms.create(
        session,
        name=body.name,
        slug=body.slug,
        m2m_ttl_s=body.m2m_ttl_s,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return RealmOut.model_validate(realm)


@router.get("/{realm_id}")
async def detail(session: Session, _: Admin, realm_id: UUID) -> RealmOut:
    """One realm."""
    return RealmOut.model_validate(await realms.get(session, realm_id))


@router.patch("/{realm_id}")
async def change(
    state: CurrentState, session: Session, admin: Admin, realm_id: UUID, body: RealmChangeIn
) -> RealmOut:
    """Rename it, change the life of its m2m tokens, or switch their minting on or off."""
    realm = await realms.change(
        session,
        realm_id,
        name=body.name,
        m2m_ttl_s=body.m2m_ttl_s,
        is_active=body.is_active,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return RealmOut.model_validate(realm)


@router.delete("/{realm_id}", status_code=204)
async def delete(state: CurrentState, session: Session, admin: Admin, realm_id: UUID) -> None:
    """Delete it; its members stand alone again, what stands under its slug stays."""
    await realms.delete(session, realm_id, actor_id=admin.user_id, now=state.now())


@router.get("/{realm_id}/members")
async def list_members(session: Session, _: Admin, realm_id: UUID) -> list[RealmMemberOut]:
    """The service apps in it, by service name."""
    return [RealmMemberOut.model_validate(one) for one in await realms.members(session, realm_id)]


@router.post("/{realm_id}/members/{app_id}", status_code=201)
async def add_member(
    state: CurrentState, session: Session, admin: Admin, realm_id: UUID, app_id: UUID
) -> RealmMemberOut:
    """Put a service app into it; the answer warns when rows under the app's own name go out of sight."""
    member = await realms.add_member(session, realm_id, app_id, actor_id=admin.user_id, now=state.now())
    return RealmMemberOut.model_validate(member)


@router.delete("/{realm_id}/members/{app_id}", status_code=204)
async def remove_member(
    state: CurrentState, session: Session, admin: Admin, realm_id: UUID, app_id: UUID
) -> None:
    """Take a service app out of it."""
    await realms.remove_member(session, realm_id, app_id, actor_id=admin.user_id, now=state.now())
