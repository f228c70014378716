"""A person in a workspace, read fresh for a token, with every gate that stands before it (AC-9, RF-7, RF-10)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.models import LoginApp
from sentinel.identity.models import Organization, User
from sentinel.identity.organizations import Standing, standing
from sentinel.roles.grants import actions_of
from sentinel.tokens.claims import OrganizationClaims, TokenSubject
from sentinel.workspaces.models import AllowedOrganization, Group, GroupMembership, Membership, Workspace

_MEMBERS_GROUPS = (
    sa.select(sa.func.aggregate_strings(sa.cast(Group.id, sa.Text()), ","))
    .join(GroupMembership, GroupMembership.group_id == Group.id)
    .where(GroupMembership.user_id == User.id, Group.workspace_id == Workspace.id)
    .correlate(User, Workspace)
    .scalar_subquery()
)
_LISTED = sa.exists().where(AllowedOrganization.workspace_id == Workspace.id).correlate(Workspace)
_ADMITTED = (
    sa.exists()
    .where(
        AllowedOrganization.workspace_id == Workspace.id,
        AllowedOrganization.organization_id == User.organization_id,
    )
    .correlate(User, Workspace)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was found. Each gate can be asked by itself, since callers answer them differently."""

    user: User | None
    workspace_exists: bool
    app_active: bool
    own: Standing
    admitted: bool
    subject: TokenSubject | None
    actions: tuple[str, ...] = ()
    """Granted actions under the scope that was asked for, when one was."""

    @property
    def refusal(self) -> str | None:
        """The first gate that is closed, in a word; None when tokens may be issued."""
        if self.user is None:
            return "unknown_user"
        if not self.user.is_active:
            return "inactive_user"
        if not self.workspace_exists:
            return "unknown_workspace"
        if self.subject is None:
            return "not_a_member"
        if self.own.suspended:
            return "org_disabled"
        if not self.admitted:
            return "org_not_permitted"
        return None


async def load(
    session: AsyncSession,
    user_id: UUID,
    workspace_id: UUID,
    *,
    client_app_id: UUID | None = None,
    scope: str | None = None,
) -> Candidate:
    """Read user, workspace, membership, groups, organization, allow-list and login app in one statement; with
    ``scope`` the actions that are granted under it as well.
    """
    granted: Any = sa.null() if scope is None else actions_of(user_id, workspace_id, scope)
    row = (
        await session.execute(
            sa.select(
                User,
                Workspace.id,
                Workspace.slug,
                Membership.role,
                Organization.id,
                Organization.slug,
                Organization.is_public,
                Organization.enabled,
                _MEMBERS_GROUPS,
                _LISTED,
                _ADMITTED,
                LoginApp.is_active,
                granted,
            )
            .select_from(User)
            .outerjoin(Workspace, Workspace.id == workspace_id)
            .outerjoin(
                Membership,
                sa.and_(Membership.user_id == User.id, Membership.workspace_id == Workspace.id),
            )
            .outerjoin(Organization, Organization.id == User.organization_id)
            .outerjoin(LoginApp, LoginApp.id == client_app_id)
            .where(User.id == user_id)
        )
    ).one_or_none()
    if row is None:
        return Candidate(None, False, False, Standing(None), False, None)
    (
        user,
        found_id,
        slug,
        role,
        org_id,
        org_slug,
        org_public,
        org_enabled,
        groups,
        listed,
        admitted,
        app,
        actions,
    ) = row
    own = Standing(org_id, org_slug, bool(org_public), bool(org_enabled))
    if org_id is None:
        own = await standing(session, None, user.email)
        if listed and own.organization_id is not None:
            admitted = await _is_listed(session, workspace_id, own.organization_id)
    subject = None
    if role is not None:
        organization = None
        if own.organization_id is not None and own.slug is not None:
            organization = OrganizationClaims(own.organization_id, own.slug, own.is_public)
        subject = TokenSubject(
            user_id=user.id,
            email=user.email,
            name=user.name,
            epoch=user.token_epoch,
            workspace_id=workspace_id,
            workspace_slug=slug,
            workspace_role=role,
            group_ids=tuple(sorted(UUID(text) for text in groups.split(","))) if groups else (),
            organization=organization,
        )
    return Candidate(
        user,
        found_id is not None,
        bool(app),
        own,
        bool(admitted or not listed),
        subject,
        tuple(actions.split(",")) if actions else (),
    )


async def _is_listed(session: AsyncSession, workspace_id: UUID, organization_id: UUID) -> bool:
    return bool(
        await session.scalar(
            sa.select(
                sa.exists().where(
                    AllowedOrganization.workspace_id == workspace_id,
                    AllowedOrganization.organization_id == organization_id,
                )
            )
        )
    )
