"""The mail domains of an organization as the panel lists them (``admin.md`` §8)."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.listing import Listing
from sentinel.identity.models import OrganizationDomain


@dataclass(frozen=True, slots=True)
class DomainEntry:
    """A domain rule in a list."""

    id: UUID
    domain: str
    include_subdomains: bool


async def search(
    session: AsyncSession, organization_id: UUID, text: str | None = None, *, page: int = 1, page_size: int
) -> Listing[DomainEntry]:
    """A page of the domains of an organization, by domain; ``text`` is a part of it, whatever the case. None when the
    organization does not exist.
    """
    base = sa.select(
        OrganizationDomain.id, OrganizationDomain.domain, OrganizationDomain.include_subdomains
    ).where(OrganizationDomain.organization_id == organization_id)
    if text:
        base = base.where(contains_folded(OrganizationDomain.domain, text))
    return await listing.read(
        session,
        DomainEntry,
        base,
        lambda row: (row.domain,),
        page=page,
        page_size=page_size,
        searched=bool(text),
    )
