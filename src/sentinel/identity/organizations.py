"""Which organization a person belongs to, and whether it may sign in (``authorization.md`` §7)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import idna
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import Organization, OrganizationDomain

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


class DomainMalformed(ValueError):
    """The text is not a mail domain that a rule could be written for (rule 2)."""


@dataclass(frozen=True, slots=True)
class DomainRule:
    """One organization as the resolution sees it; ``domain`` is None for the public organization."""

    organization_id: UUID
    enabled: bool
    is_public: bool
    domain: str | None
    include_subdomains: bool


def email_domain(email: str) -> str:
    """The normalised domain of an address. Raises :class:`DomainMalformed`."""
    local, at, domain = email.strip().partition("@")
    if not local or not at or "@" in domain:
        raise DomainMalformed("an address has exactly one @")
    return normalise_domain(domain)


def normalise_domain(value: str) -> str:
    """``value`` as a lower-case, IDNA-encoded host name of at least two labels (rule 2).

    Raises :class:`DomainMalformed`.
    """
    text = value.strip().lower()
    if not text or len(text) > 253 or "\x00" in text or "@" in text:
        raise DomainMalformed("a domain has 1 to 253 characters and no @")
    if text.startswith(".") or text.endswith(".") or "." not in text:
        raise DomainMalformed("a domain has at least two labels and no dot at either end")
    if text.isascii():
        encoded = text
    else:
        try:
            encoded = idna.encode(text, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise DomainMalformed("a domain that IDNA cannot encode") from error
    # Full-width dots and the like become dots under IDNA: a domain that looks like one label would become two.
    if encoded.count(".") != text.count("."):
        raise DomainMalformed("IDNA changes the number of labels")
    if len(encoded) > 253 or not _HOST.fullmatch(encoded):
        raise DomainMalformed("a domain holds letters, digits and hyphens")
    return encoded


def choose(domain: str, rules: Iterable[DomainRule]) -> UUID | None:
    """The organization for a normalised mail domain, or None when it may not sign in (rules 3 to 5)."""
    rules = list(rules)
    if found := _match(domain, [rule for rule in rules if rule.enabled and not rule.is_public]):
        return found.organization_id
    if _match(domain, [rule for rule in rules if not rule.enabled and not rule.is_public]):
        return None
    public = next((rule for rule in rules if rule.is_public), None)
    return public.organization_id if public and public.enabled else None


def _match(domain: str, rules: list[DomainRule]) -> DomainRule | None:
    matching = [
        rule
        for rule in rules
        if rule.domain is not None
        and (rule.domain == domain or (rule.include_subdomains and domain.endswith(f".{rule.domain}")))
    ]
    # The exact rule is the longest one that can match, so the longest wins in both cases of rule 3.
    return max(matching, key=lambda rule: len(rule.domain or ""), default=None)


RULE_COLUMNS = (
    Organization.id,
    Organization.enabled,
    Organization.is_public,
    OrganizationDomain.domain,
    OrganizationDomain.include_subdomains,
)


def select_rules(email: str, *more: Any) -> sa.Select[*tuple[Any, ...]]:
    """A statement for the rules that ``email`` could fall under, one row each; ``more`` columns are read beside
    them. There is always the row of the public organization. Read it with :func:`choose_for`.
    """
    return (
        sa.select(*RULE_COLUMNS, *more)
        .select_from(Organization)
        .outerjoin(OrganizationDomain, OrganizationDomain.organization_id == Organization.id)
        .where(sa.or_(OrganizationDomain.domain.in_(candidate_domains(email)), Organization.is_public))
    )


def candidate_domains(email: str) -> list[str]:
    """The domains that a rule for ``email`` could name: its own and every one above it; none when malformed."""
    domain = _domain_or_none(email)
    labels = domain.split(".") if domain else []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def choose_for(email: str, rows: Iterable[Any]) -> UUID | None:
    """:func:`choose` for the rows of :func:`select_rules`.

    A malformed domain belongs to no organization, not even to the public one: no rule could ever keep it out (rule 2).
    """
    domain = _domain_or_none(email)
    if domain is None:
        return None
    return choose(domain, [DomainRule(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows])


async def resolve(session: AsyncSession, email: str) -> UUID | None:
    """The id of the organization that ``email`` belongs to now, or None when no organization admits it."""
    return choose_for(email, (await session.execute(select_rules(email))).all())


def effective_for(email: str, rows: Iterable[Any]) -> UUID | None:
    """The organization that :func:`choose_for` finds, or the disabled one that kept it from finding any: for the
    gates a person whom that one claims is its own, so its kill switch reaches him (rules 4, 7 and 10).
    """
    rows = list(rows)
    domain = _domain_or_none(email)
    chosen = choose_for(email, rows)
    if chosen is not None or domain is None:
        return chosen
    rules = [DomainRule(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]
    refusing = _match(domain, [rule for rule in rules if not rule.enabled and not rule.is_public])
    return refusing.organization_id if refusing else None


def _domain_or_none(email: str) -> str | None:
    try:
        return email_domain(email)
    except DomainMalformed:
        return None


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's effective organization for the gates (rule 10): stored, or resolved from the address."""

    organization_id: UUID | None
    slug: str | None = None
    is_public: bool = False
    enabled: bool = False

    @property
    def suspended(self) -> bool:
        """Whether the kill switch holds: an own organization that is disabled and not the public one (rule 7)."""
        return self.organization_id is not None and not self.enabled and not self.is_public


NO_ORGANIZATION = Standing(None)


async def standing(session: AsyncSession, stored: UUID | None, email: str) -> Standing:
    """The effective organization of a user whose stored one is ``stored`` (rule 10)."""
    organization_id = stored
    if stored is None:
        organization_id = effective_for(email, (await session.execute(select_rules(email))).all())
    if organization_id is None:
        return NO_ORGANIZATION
    row = (
        await session.execute(
            sa.select(Organization.id, Organization.slug, Organization.is_public, Organization.enabled).where(
                Organization.id == organization_id
            )
        )
    ).one_or_none()
    return Standing(row.id, row.slug, row.is_public, row.enabled) if row else NO_ORGANIZATION
