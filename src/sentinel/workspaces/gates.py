"""Whether a person's organization is admitted to a workspace (``authorization.md`` §7 rules 7 to 10)."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import Organization, User
from sentinel.identity.organizations import NO_ORGANIZATION, Standing, standing
from sentinel.workspaces.models import AllowedOrganization, Membership, Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A workspace that a person can get tokens for."""

    id: UUID
    name: str
    slug: str
    role: str


def allowed(own: Standing, allow_list: frozenset[UUID]) -> bool:
    """The gate itself: an own organization that is suspended closes everything; an empty list is open to all."""
    if own.suspended:
        return False
    return not allow_list or own.organization_id in allow_list


async def admits(session: AsyncSession, user: User, workspace_id: UUID) -> bool:
    """Whether ``user`` may be a member of the workspace, by organization alone."""
    own = await standing(session, user.organization_id, user.email)
    rows = await session.execute(
        sa.select(AllowedOrganization.organization_id).where(AllowedOrganization.workspace_id == workspace_id)
    )
    return allowed(own, frozenset(rows.scalars()))


async def choices(session: AsyncSession, user: User) -> list[WorkspaceChoice]:
    """The workspaces that ``user`` can really get tokens for, by creation (A4)."""
    own = NO_ORGANIZATION
    if user.organization_id is None:
        own = await standing(session, None, user.email)
    # A stored organization is read beside the workspaces: this is part of every discovery (design: round-trip budget).
    rows = await session.execute(
        sa.select(
            Workspace.id,
            Workspace.name,
            Workspace.slug,
            Membership.role,
            AllowedOrganization.organization_id,
            Organization.id.label("own_id"),
            Organization.slug.label("own_slug"),
            Organization.is_public.label("own_public"),
            Organization.enabled.label("own_enabled"),
        )
        .join(Membership, Membership.workspace_id == Workspace.id)
        .outerjoin(AllowedOrganization, AllowedOrganization.workspace_id == Workspace.id)
        .outerjoin(Organization, Organization.id == user.organization_id)
        .where(Membership.user_id == user.id)
        .order_by(Workspace.created_at, Workspace.id)
    )
    found: dict[UUID, tuple[WorkspaceChoice, set[UUID]]] = {}
    for row in rows:
        if row.own_id is not None:
            own = Standing(row.own_id, row.own_slug, row.own_public, row.own_enabled)
        choice = WorkspaceChoice(row.id, row.name, row.slug, row.role)
        _, listed = found.setdefault(row.id, (choice, set()))
        if row.organization_id is not None:
            listed.add(row.organization_id)
    return [choice for choice, listed in found.values() if allowed(own, frozenset(listed))]
