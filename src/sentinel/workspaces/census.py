"""How large the installation is: people, workspaces, groups, resources (``admin.md`` §3)."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Group, Membership, Workspace


@dataclass(frozen=True, slots=True)
class Census:
    """How many there are of each."""

    users: int
    active_users: int
    workspaces: int
    groups: int
    resources: int

    @property
    def inactive_users(self) -> int:
        return self.users - self.active_users


@dataclass(frozen=True, slots=True)
class WorkspaceSize:
    """A workspace and how many members it has."""

    id: UUID
    name: str
    slug: str
    member_count: int


async def census(session: AsyncSession) -> Census:
    """Count everything now: one statement."""
    people = sa.select(
        sa.func.count().label("all"), sa.func.count().filter(User.is_active).label("active")
    ).select_from(User)
    counted = people.subquery("people")
    row = (
        await session.execute(
            sa.select(
                counted.c.all,
                counted.c.active,
                *(
                    sa.select(sa.func.count()).select_from(model).scalar_subquery()
                    for model in (Workspace, Group, Resource)
                ),
            )
        )
    ).one()
    return Census(*row)


async def largest_workspaces(session: AsyncSession, *, amount: int) -> tuple[WorkspaceSize, ...]:
    """The workspaces with the most members, those without any last: one statement."""
    members = (
        sa.select(Membership.workspace_id, sa.func.count().label("number"))
        .group_by(Membership.workspace_id)
        .subquery("members")
    )
    number = sa.func.coalesce(members.c.number, 0).label("number")
    rows = await session.execute(
        sa.select(Workspace.id, Workspace.name, Workspace.slug, number)
        .outerjoin(members, members.c.workspace_id == Workspace.id)
        .order_by(number.desc(), Workspace.name, Workspace.id)
        .limit(amount)
    )
    return tuple(WorkspaceSize(*row) for row in rows)
