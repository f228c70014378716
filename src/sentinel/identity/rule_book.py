"""Every organization and domain rule at one moment, to judge many people by without asking for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import Organization, OrganizationDomain
from sentinel.identity.organizations import (
    NO_ORGANIZATION,
    RULE_COLUMNS,
    Standing,
    candidate_domains,
    effective_for,
)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """What :func:`~sentinel.identity.organizations.standing` would say, for anybody."""

    organizations: Mapping[UUID, Standing]
    rules: Mapping[str, Any]
    public: Sequence[Any]

    def standing(self, stored: UUID | None, email: str) -> Standing:
        """The effective organization of a user whose stored one is ``stored`` (``authorization.md`` §7 rule 10)."""
        found = stored
        if stored is None:
            named = [self.rules[domain] for domain in candidate_domains(email) if domain in self.rules]
            found = effective_for(email, [*named, *self.public])
        return self.organizations.get(found, NO_ORGANIZATION) if found is not None else NO_ORGANIZATION


async def load(session: AsyncSession) -> RuleBook:
    """Read all organizations with their rules: one statement."""
    rows = (
        await session.execute(
            sa.select(*RULE_COLUMNS, Organization.slug)
            .select_from(Organization)
            .outerjoin(OrganizationDomain, OrganizationDomain.organization_id == Organization.id)
        )
    ).all()
    return RuleBook(
        organizations={row[0]: Standing(row[0], row.slug, row[2], row[1]) for row in rows},
        # No two rules share a domain, so one row a domain is all there is.
        rules={row.domain: row for row in rows if row.domain is not None},
        public=[row for row in rows if row[2]],
    )
