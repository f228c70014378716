"""How large the installation is: people, workspaces, groups, resources (``admin.md`` §3)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Group, Membership, Workspace

EXACTLY = 100_000
"""So many resources are counted in a moment; more of them can be estimated."""


@dataclass(frozen=True, slots=True)
class Census:
    """How many there are of each; ``estimated`` says that resources are so many or nearly so."""

    users: int
    active_users: int
    workspaces: int
    groups: int
    resources: int
    estimated: bool = False

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


async def census(session: AsyncSession, *, exact: bool = True) -> Census:
    """Count everything now: one statement. Unless ``exact``, resources beyond :data:`EXACTLY` are as many as the
    statistics of the database say, where it keeps some: to count a million takes longer than all the rest.
    """
    people = sa.select(
        sa.func.count().label("all"), sa.func.count().filter(User.is_active).label("active")
    ).select_from(User)
    counted = people.subquery("people")
    workspaces, groups, resources = (
        sa.select(sa.func.count()).select_from(model).scalar_subquery()
        for model in (Workspace, Group, Resource)
    )
    estimate = sa.cast(sa.null(), sa.BigInteger) if exact else _estimate(session)
    users, active, of_workspaces, of_groups, about, of_resources = (
        await session.execute(
            sa.select(
                counted.c.all,
                counted.c.active,
                workspaces,
                groups,
                estimate,
                sa.case((estimate.is_(None), resources)),
            )
        )
    ).one()
    return Census(users, active, of_workspaces, of_groups, about or of_resources, estimated=about is not None)


def _estimate(session: AsyncSession) -> Any:
    """How many resources there are by the statistics of the database; null without any, and when they are few."""
    if session.get_bind().dialect.name != "postgresql":
        return sa.cast(sa.null(), sa.BigInteger)
    catalogue = sa.table("pg_class", sa.column("oid"), sa.column("reltuples"))
    rows = sa.cast(catalogue.c.reltuples, sa.BigInteger)
    ours = catalogue.c.oid == sa.func.to_regclass(Resource.__tablename__)
    return sa.select(rows).where(ours, rows > EXACTLY).scalar_subquery()


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
