"""Organizations and their domains over JSON (``admin.md`` §8)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from sentinel.admin.api.users import AccountPageOut
from sentinel.admin.session import Admin, limit_admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.text import Text
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.identity import organization_admin
from sentinel.identity.organization_admin import SLUG_LENGTH
from sentinel.identity.text import NAME_LENGTH
from sentinel.workspaces import people

router = APIRouter(prefix="/admin/api/organizations", tags=["admin: organizations"])

Default = Depends(limit_default)
Name = Annotated[Text, Field(min_length=1, max_length=NAME_LENGTH)]


class OrganizationEntryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    is_public: bool
    enabled: bool
    domain_count: int
    user_count: int


class DomainOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    domain: str
    include_subdomains: bool


class OrganizationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    is_public: bool
    enabled: bool
    user_count: int
    domains: list[DomainOut]


class OrganizationIn(BaseModel):
    name: Name
    slug: Annotated[Text, Field(min_length=1, max_length=SLUG_LENGTH)]


class OrganizationChangeIn(BaseModel):
    """Null leaves a field as it is."""

    name: Name | None = None
    enabled: bool | None = None


class DomainIn(BaseModel):
    domain: Annotated[Text, Field(min_length=1, max_length=253)]
    include_subdomains: bool = False


@router.get("", dependencies=[Default])
async def index(session: Session, _: Admin) -> list[OrganizationEntryOut]:
    """Every organization, the public one first."""
    return [OrganizationEntryOut.model_validate(one) for one in await organization_admin.list_all(session)]


@router.post("", status_code=201, dependencies=[Depends(limit_admin("sensitive"))])
async def create(
    state: CurrentState, session: Session, admin: Admin, body: OrganizationIn
) -> OrganizationOut:
    """Make an organization without domains, enabled."""
    made = await organization_admin.create(
        session, name=body.name, slug=body.slug, actor_id=admin.user_id, now=state.now()
    )
    return OrganizationOut.model_validate(made)


@router.get("/{organization_id}", dependencies=[Default])
async def detail(session: Session, _: Admin, organization_id: UUID) -> OrganizationOut:
    """One organization with its domains."""
    return OrganizationOut.model_validate(await organization_admin.get(session, organization_id))


@router.patch("/{organization_id}", dependencies=[Default])
async def change(
    state: CurrentState, session: Session, admin: Admin, organization_id: UUID, body: OrganizationChangeIn
) -> OrganizationOut:
    """Rename an organization or switch it."""
    changed = await organization_admin.change(
        session,
        organization_id,
        name=body.name,
        enabled=body.enabled,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return OrganizationOut.model_validate(changed)


@router.delete("/{organization_id}", status_code=204, dependencies=[Default])
async def delete(state: CurrentState, session: Session, admin: Admin, organization_id: UUID) -> None:
    """Delete an organization with its domains."""
    await organization_admin.delete(session, organization_id, actor_id=admin.user_id, now=state.now())


@router.post(
    "/{organization_id}/domains", status_code=201, dependencies=[Depends(limit_admin("admin-write"))]
)
async def add_domain(
    state: CurrentState, session: Session, admin: Admin, organization_id: UUID, body: DomainIn
) -> DomainOut:
    """Claim a mail domain; people follow at their next sign-in."""
    added = await organization_admin.add_domain(
        session,
        organization_id,
        domain=body.domain,
        include_subdomains=body.include_subdomains,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return DomainOut.model_validate(added)


@router.delete("/{organization_id}/domains/{domain_id}", status_code=204, dependencies=[Default])
async def remove_domain(
    state: CurrentState, session: Session, admin: Admin, organization_id: UUID, domain_id: UUID
) -> None:
    """Give up a mail domain."""
    await organization_admin.remove_domain(
        session, organization_id, domain_id, actor_id=admin.user_id, now=state.now()
    )


@router.get("/{organization_id}/users", dependencies=[Default])
async def users(
    session: Session,
    _: Admin,
    organization_id: UUID,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AccountPageOut:
    """The people whose stored organization it is, by address."""
    found = await people.of_organization(session, organization_id, page=page, page_size=page_size)
    return AccountPageOut.model_validate(found)
