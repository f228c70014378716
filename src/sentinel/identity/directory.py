"""The organizations directory (``http-api.md`` §10)."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import Organization


async def list_organizations(session: AsyncSession, *, include_disabled: bool) -> Sequence[Organization]:
    """Organizations, the public one first, then by name (O1)."""
    statement = sa.select(Organization).order_by(
        Organization.is_public.desc(), Organization.name, Organization.id
    )
    if not include_disabled:
        statement = statement.where(Organization.enabled)
    return (await session.execute(statement)).scalars().all()
