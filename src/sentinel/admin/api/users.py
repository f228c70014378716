"""People over JSON (``admin.md`` §4)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.session import Admin, limit_admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.text import Text
from sentinel.api.schemas.workspaces import StatusOk
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.identity import accounts, users
from sentinel.workspaces import people
from sentinel.workspaces.people import Person
from sentinel.workspaces.roles import WorkspaceRole

router = APIRouter(prefix="/admin/api/users", tags=["admin: users"])

Default = Depends(limit_default)
Sensitive = Depends(limit_admin("sensitive"))
Write = Depends(limit_admin("admin-write"))


class AccountOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    is_active: bool
    is_admin: bool
    created_at: datetime
    workspace_count: int


class AccountPageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    items: list[AccountOut]
    total: int
    page: int
    page_size: int


class LinkedAccountOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    provider: str
    provider_user_id: str


class BelongingOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    workspace_id: UUID
    workspace_name: str
    workspace_slug: str
    role: str
    joined_at: datetime


class OwnOrganization(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str


class PersonOut(BaseModel):
    id: UUID
    email: str
    name: str
    avatar_url: str | None
    is_active: bool
    is_admin: bool
    created_at: datetime
    updated_at: datetime
    social_accounts: list[LinkedAccountOut]
    memberships: list[BelongingOut]
    organization: OwnOrganization | None

    @classmethod
    def of(cls, person: Person) -> "PersonOut":
        """All that the panel shows of one person."""
        user = person.user
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            avatar_url=user.avatar_url,
            is_active=user.is_active,
            is_admin=user.is_admin,
            created_at=user.created_at,
            updated_at=user.updated_at,
            social_accounts=[LinkedAccountOut.model_validate(one) for one in person.social_accounts],
            memberships=[BelongingOut.model_validate(one) for one in person.memberships],
            organization=OwnOrganization.model_validate(person.organization) if person.organization else None,
        )


class AccountChangeIn(BaseModel):
    """Null leaves a field as it is."""

    name: Annotated[Text, Field(max_length=4000)] | None = None
    is_active: bool | None = None
    is_admin: bool | None = None


class BulkStatusIn(BaseModel):
    user_ids: Annotated[list[UUID], Field(max_length=accounts.MAX_AT_ONCE)]
    is_active: bool


class BulkStatusOut(StatusOk):
    affected: int


class EnrolmentIn(BaseModel):
    workspace_id: UUID
    role: WorkspaceRole = WorkspaceRole.VIEWER


class TokensRevoked(StatusOk):
    tokens_revoked: int


@router.get("", dependencies=[Default])
async def search(
    session: Session,
    _: Admin,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    search: Annotated[Text | None, Query(max_length=255)] = None,
) -> AccountPageOut:
    """People, newest first; ``search`` looks into name and address."""
    found = await people.search(session, search, page=page, page_size=page_size)
    return AccountPageOut.model_validate(found)


@router.post("/bulk-status", dependencies=[Sensitive])
async def set_status(
    state: CurrentState, session: Session, admin: Admin, body: BulkStatusIn
) -> BulkStatusOut:
    """Activate or deactivate many at once; ``affected`` counts those who have really changed."""
    switched = await accounts.switch_many(
        session, body.user_ids, body.is_active, actor_id=admin.user_id, now=state.now()
    )
    return BulkStatusOut(affected=switched.people)


@router.get("/{user_id}", dependencies=[Default])
async def detail(session: Session, _: Admin, user_id: UUID) -> PersonOut:
    """One person with linked accounts, memberships and organization."""
    return PersonOut.of(await people.detail(session, user_id))


@router.patch("/{user_id}", dependencies=[Default])
async def change(
    state: CurrentState, session: Session, admin: Admin, user_id: UUID, body: AccountChangeIn
) -> PersonOut:
    """Rename, activate or deactivate, promote or demote."""
    await accounts.change(
        session,
        user_id,
        name=body.name,
        is_active=body.is_active,
        is_admin=body.is_admin,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return PersonOut.of(await people.detail(session, user_id))


@router.post("/{user_id}/workspaces", status_code=201, dependencies=[Default])
async def add_to_workspace(
    state: CurrentState, session: Session, admin: Admin, user_id: UUID, body: EnrolmentIn
) -> StatusOk:
    """Make the person a member of a workspace."""
    await people.add_to_workspace(
        session, user_id, body.workspace_id, body.role, actor_id=admin.user_id, now=state.now()
    )
    return StatusOk()


@router.post("/{user_id}/revoke-tokens", dependencies=[Write])
async def revoke_tokens(state: CurrentState, session: Session, admin: Admin, user_id: UUID) -> TokensRevoked:
    """End every session of the person."""
    revoked = await users.revoke(session, user_id, actor_id=admin.user_id, now=state.now())
    return TokensRevoked(tokens_revoked=revoked)


@router.delete("/{user_id}", status_code=204, dependencies=[Sensitive])
async def delete(state: CurrentState, session: Session, admin: Admin, user_id: UUID) -> None:
    """Delete the person with all that was given to him."""
    await people.delete(session, user_id, actor_id=admin.user_id, now=state.now())
