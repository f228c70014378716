"""Workspaces, members and groups as the panel lists them: paged, searchable, with what hangs on each (``admin.md``
§5). Each answer is one statement.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.errors import NotFound
from sentinel.core.listing import Listing, counted
from sentinel.identity import users
from sentinel.identity.models import Organization, User
from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import GroupRole, Role, UserRole
from sentinel.workspaces.models import AllowedOrganization, Group, GroupMembership, Membership, Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceEntry:
    """A workspace in the list."""

    id: UUID
    slug: str
    name: str
    description: str | None
    created_by: UUID | None
    created_at: datetime
    member_count: int


MANY_RESOURCES = 10_000
"""The resources of a workspace are counted so far, on each of its pages; one more says that it has more."""


@dataclass(frozen=True, slots=True)
class WorkspaceDetail:
    """A workspace and how much is in it. ``allowed_count`` counts organizations on its list; 0 means open to all.
    ``resource_count`` ends at one more than :data:`MANY_RESOURCES`.
    """

    id: UUID
    slug: str
    name: str
    description: str | None
    created_by: UUID | None
    created_at: datetime
    member_count: int
    group_count: int
    role_count: int
    allowed_count: int
    resource_count: int


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """A workspace as a choice."""

    id: UUID
    name: str
    slug: str


COUNTED = 100
"""What a member has in a workspace is counted so far, for each of a page; one more says that it is more."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member, and what he has in this workspace, counted to :data:`COUNTED` and one more: a removal takes the first
    three and leaves what he owns.
    """

    user_id: UUID
    email: str
    name: str
    is_active: bool
    role: str
    joined_at: datetime
    group_count: int
    role_count: int
    share_count: int
    owned_count: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group in the list."""

    id: UUID
    name: str
    description: str | None
    created_at: datetime
    member_count: int
    role_count: int


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """A group, the workspace around it, and what a deletion would take."""

    id: UUID
    name: str
    description: str | None
    created_at: datetime
    workspace_id: UUID
    workspace_name: str
    member_count: int
    share_count: int
    roles: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class GroupMemberRow:
    """Somebody in a group, with his role in the workspace."""

    user_id: UUID
    email: str
    name: str
    is_active: bool
    role: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who is bound to a role directly."""

    user_id: UUID
    email: str
    name: str
    is_active: bool
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class Admissible:
    """An organization that a workspace admits (``listed``) or could admit."""

    id: UUID
    name: str
    slug: str
    enabled: bool
    listed: bool


async def search(
    session: AsyncSession, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[WorkspaceEntry]:
    """Workspaces whose name or slug contains ``text`` whatever the case, newest first; all without a text."""
    base = sa.select(
        Workspace.id,
        Workspace.slug,
        Workspace.name,
        Workspace.description,
        Workspace.created_by,
        Workspace.created_at,
    )
    if text:
        base = base.where(
            sa.or_(contains_folded(Workspace.name, text), contains_folded(Workspace.slug, text))
        )
    return await listing.read(
        session,
        WorkspaceEntry,
        base,
        lambda c: (c.created_at.desc(), c.id.desc()),
        page=page,
        page_size=page_size,
        beside=lambda shown: [counted(Membership, Membership.workspace_id == shown.c.id, of=shown)],
        searched=bool(text),
    )


async def names(session: AsyncSession) -> list[WorkspaceName]:
    """Every workspace by name."""
    rows = await session.execute(
        sa.select(Workspace.id, Workspace.name, Workspace.slug).order_by(Workspace.name, Workspace.id)
    )
    return [WorkspaceName(*row) for row in rows]


async def detail(session: AsyncSession, workspace_id: UUID) -> WorkspaceDetail:
    """One workspace with its counts. Raises :class:`NotFound`."""
    counts = [
        counted(table, table.workspace_id == Workspace.id, of=Workspace)
        for table in (Membership, Group, Role, AllowedOrganization)
    ]
    resources = (
        sa.select(sa.literal(1)).where(Resource.workspace_id == workspace_id).limit(MANY_RESOURCES + 1)
    )
    counts.append(sa.select(sa.func.count()).select_from(resources.subquery("some")).scalar_subquery())
    row = (
        await session.execute(
            sa.select(
                Workspace.id,
                Workspace.slug,
                Workspace.name,
                Workspace.description,
                Workspace.created_by,
                Workspace.created_at,
                *counts,
            ).where(Workspace.id == workspace_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Workspace not found", reason="workspace_not_found")
    return WorkspaceDetail(*row)


async def members(
    session: AsyncSession, workspace_id: UUID, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[MemberRow]:
    """Members whose name or address contains ``text``, newest first. Nobody when the workspace does not exist."""
    base = sa.select(Membership.user_id.label("id"), Membership.joined_at).where(
        Membership.workspace_id == workspace_id
    )
    if text:
        base = base.join(User, User.id == Membership.user_id).where(users.matching(text))

    def row(
        user_id: UUID, joined_at: datetime, email: str, name: str, is_active: bool, role: str, *counts: int
    ) -> MemberRow:
        return MemberRow(user_id, email, name, is_active, role, joined_at, *counts)

    def beside(shown: Any) -> list[Any]:
        group = sa.select(Group.workspace_id).where(Group.id == GroupMembership.group_id)
        role = sa.select(Role.workspace_id).where(Role.id == UserRole.role_id)
        resource = sa.select(Resource.workspace_id).where(Resource.id == Share.resource_permission_id)
        shared = sa.and_(Share.grantee_type == "user", Share.grantee_id == shown.c.id)
        return [
            *_person(shown),
            _role(workspace_id, shown),
            _here(workspace_id, GroupMembership, GroupMembership.user_id == shown.c.id, group, shown),
            _here(workspace_id, UserRole, UserRole.user_id == shown.c.id, role, shown),
            _here(workspace_id, Share, shared, resource, shown),
            _here(workspace_id, Resource, Resource.owner_id == shown.c.id, None, shown),
        ]

    return await listing.read(
        session,
        row,
        base,
        lambda c: (c.joined_at.desc(), c.id.desc()),
        page=page,
        page_size=page_size,
        beside=beside,
        searched=bool(text),
    )


def _role(workspace: Any, shown: Any) -> Any:
    """The role in a workspace of the people whose ids are shown."""
    role = sa.select(Membership.role).where(
        Membership.workspace_id == workspace, Membership.user_id == shown.c.id
    )
    return role.correlate(shown).scalar_subquery()


def _person(shown: Any) -> list[Any]:
    """Address, name and state of the people whose ids are shown."""
    return [
        sa.select(column).where(User.id == shown.c.id).correlate(shown).scalar_subquery()
        for column in (User.email, User.name, User.is_active)
    ]


def _here(
    workspace_id: UUID, table: Any, condition: Any, place: "sa.Select[UUID] | None", shown: Any
) -> "sa.ScalarSelect[int]":
    """How many rows of ``table`` that fit are of the workspace, counted to :data:`COUNTED` and one more; ``place``
    finds the workspace of a row that does not name it itself. Looked up and not joined: that goes by what the person
    has, which is little as a rule, and never by what the workspace has.
    """
    found = place.correlate(table).scalar_subquery() if place is not None else table.workspace_id
    some = sa.select(sa.literal(1)).select_from(table).where(condition, found == workspace_id)
    some = some.limit(COUNTED + 1).correlate(shown)
    return sa.select(sa.func.count()).select_from(some.subquery("some")).scalar_subquery()


async def groups(
    session: AsyncSession, workspace_id: UUID, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[GroupRow]:
    """Groups whose name contains ``text``, newest first. None when the workspace does not exist."""
    base = sa.select(Group.id, Group.name, Group.description, Group.created_at).where(
        Group.workspace_id == workspace_id
    )
    if text:
        base = base.where(contains_folded(Group.name, text))
    return await listing.read(
        session,
        GroupRow,
        base,
        lambda c: (c.created_at.desc(), c.id.desc()),
        page=page,
        page_size=page_size,
        beside=lambda shown: [
            counted(GroupMembership, GroupMembership.group_id == shown.c.id, of=shown),
            counted(GroupRole, GroupRole.group_id == shown.c.id, of=shown),
        ],
        searched=bool(text),
    )


async def group(session: AsyncSession, workspace_id: UUID, group_id: UUID) -> GroupDetail:
    """One group of a workspace, with the roles bound to it by name. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(
                Group.id,
                Group.name,
                Group.description,
                Group.created_at,
                Workspace.id,
                Workspace.name,
                counted(GroupMembership, GroupMembership.group_id == Group.id, of=Group),
                counted(Share, Share.grantee_type == "group", Share.grantee_id == Group.id, of=Group),
                Role.id,
                Role.name,
            )
            .join(Workspace, Workspace.id == Group.workspace_id)
            .outerjoin(GroupRole, GroupRole.group_id == Group.id)
            .outerjoin(Role, Role.id == GroupRole.role_id)
            .where(Group.id == group_id, Group.workspace_id == workspace_id)
            .order_by(Role.name, Role.id)
        )
    ).all()
    if not rows:
        raise NotFound("Group not found", reason="group_not_found")
    bound = tuple((row[8], row[9]) for row in rows if row[8] is not None)
    return GroupDetail(*rows[0][:8], roles=bound)


async def group_members(
    session: AsyncSession, group_id: UUID, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[GroupMemberRow]:
    """People in a group whose name or address contains ``text``, newest first. Nobody when there is no such group."""
    base = sa.select(GroupMembership.user_id.label("id"), GroupMembership.added_at).where(
        GroupMembership.group_id == group_id
    )
    if text:
        base = base.join(User, User.id == GroupMembership.user_id).where(users.matching(text))
    workspace = sa.select(Group.workspace_id).where(Group.id == group_id).scalar_subquery()

    def row(
        user_id: UUID, added_at: datetime, email: str, name: str, is_active: bool, role: str
    ) -> GroupMemberRow:
        return GroupMemberRow(user_id, email, name, is_active, role, added_at)

    return await listing.read(
        session,
        row,
        base,
        lambda c: (c.added_at.desc(), c.id.desc()),
        page=page,
        page_size=page_size,
        beside=lambda shown: [*_person(shown), _role(workspace, shown)],
        searched=bool(text),
    )


async def holders(
    session: AsyncSession, role_id: UUID, text: str | None = None, *, page: int = 1, page_size: int = 20
) -> Listing[Holder]:
    """People bound to a role whose name or address contains ``text``, newest first. Nobody without the role."""
    base = sa.select(UserRole.user_id.label("id"), UserRole.assigned_at).where(UserRole.role_id == role_id)
    if text:
        base = base.join(User, User.id == UserRole.user_id).where(users.matching(text))

    def row(user_id: UUID, assigned_at: datetime, email: str, name: str, is_active: bool) -> Holder:
        return Holder(user_id, email, name, is_active, assigned_at)

    return await listing.read(
        session,
        row,
        base,
        lambda c: (c.assigned_at.desc(), c.id.desc()),
        page=page,
        page_size=page_size,
        beside=_person,
        searched=bool(text),
    )


ORGANIZATIONS = 50
"""Organizations that are offered beside the listed and the chosen ones; a longer text finds the others."""


async def organizations(
    session: AsyncSession, workspace_id: UUID, text: str | None = None, chosen: Collection[UUID] = ()
) -> list[Admissible]:
    """What can be on the list of a workspace, by name: the organizations that are, disabled ones too, those of
    ``chosen``, and of the others the first whose name or slug contains ``text``.
    """
    listed = sa.exists().where(
        AllowedOrganization.organization_id == Organization.id,
        AllowedOrganization.workspace_id == workspace_id,
    )
    columns = (Organization.id, Organization.name, Organization.slug, Organization.enabled)
    kept = sa.or_(listed, sa.and_(Organization.enabled, Organization.id.in_(chosen)))
    others = sa.select(*columns, sa.false().label("listed")).where(
        sa.not_(Organization.is_public), Organization.enabled, sa.not_(kept)
    )
    if text:
        others = others.where(
            sa.or_(contains_folded(Organization.name, text), contains_folded(Organization.slug, text))
        )
    offered = others.order_by(Organization.name, Organization.id).limit(ORGANIZATIONS).subquery("offered")
    present = sa.select(*columns, listed.label("listed")).where(sa.not_(Organization.is_public), kept)
    rows = await session.execute(sa.union_all(present, sa.select(offered)))
    found = [
        Admissible(one, name, slug, bool(on), bool(is_listed)) for one, name, slug, on, is_listed in rows
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), str(one.id)))
