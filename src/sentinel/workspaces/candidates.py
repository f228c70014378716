"""Whom a dialog of the panel can add: people to a workspace, members to a group or role, groups to a role, a person
to workspaces.

Each answer is one statement. It holds those that were chosen before and, beside them, those that fit the text.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.database import contains_folded
from sentinel.identity.models import User
from sentinel.roles.models import GroupRole, UserRole
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace

SHOWN = 20
"""How many that fit are shown beside the chosen ones; a longer text finds the others."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody or something to choose. ``about`` is an address or a description; ``standing`` the role in the
    workspace, None for who is not a member and for groups; ``taken`` says that it is there already.
    """

    id: UUID
    name: str
    about: str | None
    is_active: bool
    standing: str | None
    taken: bool
    chosen: bool


async def for_workspace(
    session: AsyncSession, workspace_id: UUID, text: str | None = None, chosen: Collection[UUID] = ()
) -> list[Candidate]:
    """People of the installation; ``taken`` are the members."""
    here = sa.and_(Membership.user_id == User.id, Membership.workspace_id == workspace_id)
    base = sa.select(
        User.id, User.name, User.email, User.is_active, Membership.role, Membership.id.is_not(None)
    ).outerjoin(Membership, here)
    return await _read(session, base, User.id, (User.name, User.email), text, chosen)


async def for_group(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Members of the workspace; ``taken`` are those in the group."""
    inside = sa.and_(GroupMembership.user_id == User.id, GroupMembership.group_id == group_id)
    base = _members(workspace_id, GroupMembership.id.is_not(None)).outerjoin(GroupMembership, inside)
    return await _read(session, base, User.id, (User.name, User.email), text, chosen)


async def for_role(
    session: AsyncSession,
    workspace_id: UUID,
    role_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Members of the workspace; ``taken`` are those bound to the role directly."""
    bound = sa.and_(UserRole.user_id == User.id, UserRole.role_id == role_id)
    base = _members(workspace_id, UserRole.id.is_not(None)).outerjoin(UserRole, bound)
    return await _read(session, base, User.id, (User.name, User.email), text, chosen)


async def groups_for_role(
    session: AsyncSession,
    workspace_id: UUID,
    role_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Groups of the workspace; ``taken`` are those bound to the role."""
    bound = sa.and_(GroupRole.group_id == Group.id, GroupRole.role_id == role_id)
    base = (
        sa.select(
            Group.id,
            Group.name,
            Group.description,
            sa.true(),
            sa.cast(sa.null(), sa.Text),
            GroupRole.id.is_not(None),
        )
        .outerjoin(GroupRole, bound)
        .where(Group.workspace_id == workspace_id)
    )
    return await _read(session, base, Group.id, (Group.name,), text, chosen)


async def workspaces_for(
    session: AsyncSession, user_id: UUID, text: str | None = None, chosen: Collection[UUID] = ()
) -> list[Candidate]:
    """Workspaces of the installation; ``taken`` are those that the person is a member of."""
    his = sa.and_(Membership.workspace_id == Workspace.id, Membership.user_id == user_id)
    base = sa.select(
        Workspace.id,
        Workspace.name,
        Workspace.slug,
        sa.true(),
        Membership.role,
        Membership.id.is_not(None),
    ).outerjoin(Membership, his)
    return await _read(session, base, Workspace.id, (Workspace.name, Workspace.slug), text, chosen)


def _members(workspace_id: UUID, taken: Any) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(User.id, User.name, User.email, User.is_active, Membership.role, taken)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id)
    )


async def _read(
    session: AsyncSession,
    base: sa.Select[*tuple[Any, ...]],
    identity: Any,
    searched: tuple[Any, ...],
    text: str | None,
    chosen: Collection[UUID],
) -> list[Candidate]:
    picked = identity.in_(chosen)
    columns = base.add_columns(picked.label("chosen"))
    fits = sa.or_(*(contains_folded(column, text) for column in searched)) if text else sa.true()
    taken = base.selected_columns[5]
    # Who can be added comes first, so that a page of members does not hide everybody else.
    order = (taken, searched[0], identity)
    rows = await session.execute(
        sa.union_all(
            sa.select(columns.where(picked).order_by(*order).subquery("picked")),
            sa.select(columns.where(fits, sa.not_(picked)).order_by(*order).limit(SHOWN).subquery("fitting")),
        )
    )
    found = [
        Candidate(one, name, about, bool(is_active), standing, bool(taken), bool(picked))
        for one, name, about, is_active, standing, taken, picked in rows
    ]
    return sorted(found, key=lambda one: (not one.chosen, one.taken, one.name.casefold(), str(one.id)))
