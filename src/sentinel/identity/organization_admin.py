"""Managing organizations and their mail domains (``admin.md`` §8). What they mean for people is decided in
``organizations.py``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded, upsert
from sentinel.core.errors import Conflict, Invalid, NotFound, Unprocessable
from sentinel.core.listing import Listing
from sentinel.identity import rule_book
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, OrganizationDomain, User
from sentinel.identity.organizations import DomainMalformed, normalise_domain
from sentinel.identity.text import label
from sentinel.tokens.revocation import revoke_users

SLUG = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]")
SLUG_LENGTH = 63
BATCH = 500
"""How many ids one statement names."""


@dataclass(frozen=True, slots=True)
class OrganizationEntry:
    """An organization as the list shows it; ``user_count`` counts the people whose stored organization it is."""

    id: UUID
    name: str
    slug: str
    is_public: bool
    enabled: bool
    domain_count: int
    user_count: int


@dataclass(frozen=True, slots=True)
class OrganizationDetail:
    """An organization with its domain rules, by domain."""

    id: UUID
    name: str
    slug: str
    is_public: bool
    enabled: bool
    user_count: int
    domains: tuple[OrganizationDomain, ...]


_USER_COUNT = (
    sa.select(sa.func.count())
    .select_from(User)
    .where(User.organization_id == Organization.id)
    .correlate(Organization)
    .scalar_subquery()
)
_DOMAIN_COUNT = (
    sa.select(sa.func.count())
    .select_from(OrganizationDomain)
    .where(OrganizationDomain.organization_id == Organization.id)
    .correlate(Organization)
    .scalar_subquery()
)
_SHOWN = (Organization.id, Organization.name, Organization.slug, Organization.is_public, Organization.enabled)


async def list_all(session: AsyncSession) -> list[OrganizationEntry]:
    """Every organization, the public one first, then by name."""
    rows = await session.execute(
        sa.select(*_SHOWN, _DOMAIN_COUNT, _USER_COUNT).order_by(
            Organization.is_public.desc(), Organization.name, Organization.id
        )
    )
    return [OrganizationEntry(*row) for row in rows]


async def browse(
    session: AsyncSession, text: str | None = None, *, page: int = 1
) -> Listing[OrganizationEntry]:
    """A page of organizations, the public one first, then by name; ``text`` is a part of name, slug or domain."""
    statement = sa.select(*_SHOWN, _DOMAIN_COUNT, _USER_COUNT).order_by(
        Organization.is_public.desc(), Organization.name, Organization.id
    )
    if text:
        claiming = sa.select(OrganizationDomain.organization_id).where(
            contains_folded(OrganizationDomain.domain, text)
        )
        statement = statement.where(
            sa.or_(
                contains_folded(Organization.name, text),
                contains_folded(Organization.slug, text),
                Organization.id.in_(claiming),
            )
        )
    return await listing.objects(session, OrganizationEntry, statement, page=page)


async def entry(session: AsyncSession, organization_id: UUID) -> OrganizationEntry:
    """One organization as the list shows it, in one statement. Raises :class:`NotFound`."""
    row = (
        await session.execute(
            sa.select(*_SHOWN, _DOMAIN_COUNT, _USER_COUNT).where(Organization.id == organization_id)
        )
    ).one_or_none()
    if row is None:
        raise _unknown()
    return OrganizationEntry(*row)


async def get(session: AsyncSession, organization_id: UUID) -> OrganizationDetail:
    """One organization with its domains. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(*_SHOWN, _USER_COUNT.label("user_count"), OrganizationDomain)
            .outerjoin(OrganizationDomain, OrganizationDomain.organization_id == Organization.id)
            .where(Organization.id == organization_id)
            .order_by(OrganizationDomain.domain)
        )
    ).all()
    if not rows:
        raise _unknown()
    first = rows[0]
    return OrganizationDetail(
        id=first.id,
        name=first.name,
        slug=first.slug,
        is_public=first.is_public,
        enabled=first.enabled,
        user_count=first.user_count,
        domains=tuple(row[-1] for row in rows if row[-1] is not None),
    )


async def create(
    session: AsyncSession, *, name: str, slug: str, actor_id: UUID | None, now: datetime
) -> OrganizationDetail:
    """Make an organization without domains, enabled.

    Raises :class:`Unprocessable` for a malformed name or slug, :class:`Conflict` when the slug is taken.
    """
    if len(slug) > SLUG_LENGTH or not SLUG.fullmatch(slug):
        raise Unprocessable(
            f"Use 2 to {SLUG_LENGTH} lower-case letters, digits and hyphens, none of them at either end",
            field="slug",
        )
    organization = Organization(
        id=uuid4(),
        name=label(name),
        slug=slug,
        is_public=False,
        enabled=True,
        created_by=actor_id,
        created_at=now,
    )
    session.add(organization)
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise Conflict("Organization slug is already taken", reason="slug_taken") from error
    await _record(session, "org_create", organization, actor_id, now, name=organization.name)
    return await get(session, organization.id)


async def change(
    session: AsyncSession,
    organization_id: UUID,
    *,
    name: str | None = None,
    enabled: bool | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> OrganizationDetail:
    """Rename an organization or switch it; None leaves a field as it is.

    Switching off any but the public one revokes everybody who belongs to it: by the stored organization, and, of
    those who have none stored, by the address (``authorization.md`` §7 rules 7 and 10, DL-10). The public one's
    switch is for sign-ins alone and touches no session (rule 6). Raises :class:`NotFound`, :class:`Unprocessable`.
    """
    await _change(session, organization_id, name, enabled, actor_id, now)
    return await get(session, organization_id)


async def switch(
    session: AsyncSession, organization_id: UUID, enabled: bool, *, actor_id: UUID | None, now: datetime
) -> int:
    """Enable or disable an organization as :func:`change` does; returns how many sessions have ended."""
    return await _change(session, organization_id, None, enabled, actor_id, now)


async def _change(
    session: AsyncSession,
    organization_id: UUID,
    name: str | None,
    enabled: bool | None,
    actor_id: UUID | None,
    now: datetime,
) -> int:
    plain = label(name) if name is not None else None
    if enabled is False and organization_id != PUBLIC_ORGANIZATION_ID:
        await _hold_people(session, organization_id)
    organization = await _locked(session, organization_id)
    fields: list[str] = []
    detail: dict[str, object] = {"fields": fields}
    if plain is not None and plain != organization.name:
        organization.name = plain
        fields.append("name")
    switched = enabled is not None and enabled != organization.enabled
    revoked = 0
    if switched:
        fields.append("enabled")
        detail["enabled"] = enabled
        if not enabled and not organization.is_public:
            # Looked for while it is still enabled: of two organizations that claim an address, the enabled one
            # has it.
            unassigned = await _unassigned(session, organization.id)
            revoked = await _revoke(session, organization.id, unassigned, now)
            detail["tokens_revoked"] = revoked
        organization.enabled = bool(enabled)
    await session.flush()
    action = "org_public_toggle" if switched and organization.is_public else "org_update"
    await _record(session, action, organization, actor_id, now, **detail)
    return revoked


async def delete(
    session: AsyncSession, organization_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Delete an organization with its domains; its people have none until their next sign-in.

    Raises :class:`NotFound`; :class:`Invalid` for the public one, and while a workspace's list of allowed
    organizations names it, for a list must not become empty, and so open to all, by accident (rules 6, 11).
    """
    organization = await session.get(Organization, organization_id)
    if organization is None:
        raise _unknown()
    if organization.is_public:
        raise Invalid("The public organization cannot be deleted", reason="organization_public")
    await _hold_people(session, organization.id)
    try:
        async with session.begin_nested():
            deleted = await session.execute(
                sa.delete(Organization).where(Organization.id == organization.id).returning(Organization.id)
            )
            gone = deleted.scalar_one_or_none()
    except IntegrityError as error:
        # The database says so, and not a look beforehand: a list may have named it in this moment.
        raise Invalid(
            "The organization is on the list of allowed organizations of a workspace; remove it there first",
            reason="organization_in_use",
        ) from error
    if gone is None:
        raise _unknown()
    await _record(session, "org_delete", organization, actor_id, now, name=organization.name)


async def add_domain(
    session: AsyncSession,
    organization_id: UUID,
    *,
    domain: str,
    include_subdomains: bool = False,
    actor_id: UUID | None,
    now: datetime,
) -> OrganizationDomain:
    """Claim a mail domain for an organization; people follow at their next sign-in.

    Raises :class:`NotFound`, :class:`Invalid` for a malformed domain and for the public organization (rules 2, 6),
    :class:`Conflict` when any organization has claimed the domain.
    """
    # Held from being deleted, until the domain that refers to it is committed.
    organization = await _locked(session, organization_id, read=True)
    if organization.is_public:
        raise Invalid("The public organization has no domains", reason="organization_public")
    try:
        normal = normalise_domain(domain)
    except DomainMalformed as error:
        raise Invalid("That is not a mail domain, such as example.com", reason="domain_malformed") from error
    values = {
        "id": uuid4(),
        "organization_id": organization.id,
        "domain": normal,
        "include_subdomains": include_subdomains,
        "created_at": now,
    }
    claimed = await session.execute(
        upsert(session, OrganizationDomain)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["domain"])
        .returning(OrganizationDomain.id)
    )
    if claimed.scalar_one_or_none() is None:
        raise Conflict(f"An organization has claimed {normal} already", reason="domain_claimed")
    await _record(
        session,
        "org_domain_add",
        organization,
        actor_id,
        now,
        domain=normal,
        include_subdomains=include_subdomains,
    )
    return OrganizationDomain(**values)


async def remove_domain(
    session: AsyncSession, organization_id: UUID, domain_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Give up a domain; nobody is assigned anew before his next sign-in. Raises :class:`NotFound`."""
    organization = await session.get(Organization, organization_id)
    if organization is None:
        raise _unknown()
    removed = await session.execute(
        sa.delete(OrganizationDomain)
        .where(OrganizationDomain.id == domain_id, OrganizationDomain.organization_id == organization_id)
        .returning(OrganizationDomain.domain)
    )
    domain = removed.scalar_one_or_none()
    if domain is None:
        raise NotFound("Domain not found", reason="domain_not_found")
    await _record(session, "org_domain_remove", organization, actor_id, now, domain=domain)


async def _revoke(session: AsyncSession, organization_id: UUID, unassigned: list[UUID], now: datetime) -> int:
    reason = "organization_disabled"
    assigned = sa.select(User.id).where(User.organization_id == organization_id)
    revoked = await revoke_users(session, assigned, reason=reason, now=now)
    for batch in _batches(unassigned):
        revoked += await revoke_users(session, batch, reason=reason, now=now)
    return revoked


async def _unassigned(session: AsyncSession, organization_id: UUID) -> list[UUID]:
    """Who has no stored organization and falls under this one by address, in the order of ids (rule 10)."""
    book = await rule_book.load(session)
    people = await session.stream(
        sa.select(User.id, User.email).where(User.organization_id.is_(None)).order_by(User.id)
    )
    return [
        user_id
        async for user_id, email in people
        if book.standing(None, email).organization_id == organization_id
    ]


async def _hold_people(session: AsyncSession, organization_id: UUID) -> None:
    """Hold the people of an organization before the organization itself.

    A sign-in holds its person and then the organization that it assigns; the other way round, the two would wait
    for each other. Who is missed here (the address may be written in ways that SQL does not see through) is still
    found once the organization is held.
    """
    rules = await session.execute(
        sa.select(OrganizationDomain.domain, OrganizationDomain.include_subdomains).where(
            OrganizationDomain.organization_id == organization_id
        )
    )
    ends = [
        end for domain, below in rules for end in ([f"@{domain}", f".{domain}"] if below else [f"@{domain}"])
    ]
    claimed = sa.or_(sa.false(), *(User.email.endswith(end, autoescape=True) for end in ends))
    held = (
        sa.select(User.id)
        .where(
            sa.or_(User.organization_id == organization_id, sa.and_(User.organization_id.is_(None), claimed))
        )
        .order_by(User.id)
        .with_for_update(key_share=True)
        .subquery()
    )
    await session.execute(sa.select(sa.func.count()).select_from(held))


async def _locked(session: AsyncSession, organization_id: UUID, *, read: bool = False) -> Organization:
    """An organization that nobody else changes, or with ``read`` that nobody deletes, until the transaction ends.

    Whoever assigns it to somebody, by signing in, waits for a change; and a change waits for whoever is just
    assigning it. So a person who signs in while it is switched off is either revoked, or meets the closed gate.
    """
    organization = (
        await session.execute(
            sa.select(Organization)
            .where(Organization.id == organization_id)
            .with_for_update(read=read, key_share=read)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if organization is None:
        raise _unknown()
    return organization


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _unknown() -> NotFound:
    return NotFound("Organization not found", reason="organization_not_found")


async def _record(
    session: AsyncSession,
    action: str,
    organization: Organization,
    actor_id: UUID | None,
    now: datetime,
    **detail: object,
) -> None:
    await activity.record(
        session,
        action,
        target_type="organization",
        target_id=organization.id,
        actor_id=actor_id,
        detail={"slug": organization.slug, **detail},
        now=now,
    )
