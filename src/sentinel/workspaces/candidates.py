"""Whom a dialog of the panel can add: people to a workspace, members to a group or role, groups to a role, a person
to workspaces.

Each answer is one statement. It holds those that were chosen before and, beside them, those that fit the text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.identity import users
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
    here = sa.exists().where(Membership.user_id == User.id, Membership.workspace_id == workspace_id)
    return await _people(session, workspace_id, sa.true(), here, text, chosen)


async def for_group(
    session: AsyncSession,
    workspace_id: UUID,
    group_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Members of the workspace; ``taken`` are those in the group."""
    here = sa.exists().where(Membership.user_id == User.id, Membership.workspace_id == workspace_id)
    inside = sa.exists().where(GroupMembership.user_id == User.id, GroupMembership.group_id == group_id)
    return await _people(session, workspace_id, here, inside, text, chosen)


async def for_role(
    session: AsyncSession,
    workspace_id: UUID,
    role_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Members of the workspace; ``taken`` are those bound to the role directly."""
    here = sa.exists().where(Membership.user_id == User.id, Membership.workspace_id == workspace_id)
    bound = sa.exists().where(UserRole.user_id == User.id, UserRole.role_id == role_id)
    return await _people(session, workspace_id, here, bound, text, chosen)


async def groups_for_role(
    session: AsyncSession,
    workspace_id: UUID,
    role_id: UUID,
    text: str | None = None,
    chosen: Collection[UUID] = (),
) -> list[Candidate]:
    """Groups of the workspace; ``taken`` are those bound to the role."""
    bound = sa.exists().where(GroupRole.group_id == Group.id, GroupRole.role_id == role_id)
    columns = (Group.id, Group.name, Group.description, sa.true(), sa.cast(sa.null(), sa.Text))
    fits = contains_folded(Group.name, text) if text else None
    of_workspace = Group.workspace_id == workspace_id
    return await _read(session, columns, of_workspace, fits, bound, (Group.name,), chosen)


async def workspaces_for(
    session: AsyncSession, user_id: UUID, text: str | None = None, chosen: Collection[UUID] = ()
) -> list[Candidate]:
    """Workspaces of the installation; ``taken`` are those that the person is a member of."""
    his = sa.exists().where(Membership.workspace_id == Workspace.id, Membership.user_id == user_id)
    role = (
        sa.select(Membership.role)
        .where(Membership.workspace_id == Workspace.id, Membership.user_id == user_id)
        .correlate(Workspace)
        .scalar_subquery()
    )
    columns = (Workspace.id, Workspace.name, Workspace.slug, sa.true(), role)
    fits = (
        sa.or_(contains_folded(Workspace.name, text), contains_folded(Workspace.slug, text)) if text else None
    )
    # Cut by slug, which has an index, as people are by address.
    return await _read(session, columns, sa.true(), fits, his, (Workspace.slug,), chosen)


async def _people(
    session: AsyncSession,
    workspace_id: UUID,
    among: Any,
    taken: Any,
    text: str | None,
    chosen: Collection[UUID],
) -> list[Candidate]:
    standing = (
        sa.select(Membership.role)
        .where(Membership.user_id == User.id, Membership.workspace_id == workspace_id)
        .correlate(User)
        .scalar_subquery()
    )
    columns = (User.id, User.name, User.email, User.is_active, standing)
    fits = users.matching(text) if text else None
    # Cut by address, which has an index: the first few are found without sorting everybody.
    return await _read(session, columns, among, fits, taken, (User.email,), chosen)


async def _read(
    session: AsyncSession,
    columns: tuple[Any, ...],
    among: Any,
    fits: Any,
    taken: Any,
    order: tuple[Any, ...],
    chosen: Collection[UUID],
) -> list[Candidate]:
    """``order`` is one column that has an index. What fits a text is gone through once, unless it is so much that the
    first few are soon come across.
    """
    identity = columns[0]
    picked = identity.in_(chosen)

    def part(name: str, is_taken: Any, is_chosen: bool, number: Any, *conditions: Any) -> Any:
        flags = (is_taken.label("taken"), sa.literal(is_chosen).label("chosen"), number.label("number"))
        found = sa.select(*columns, *flags).where(among, *conditions).order_by(*order, identity)
        # SQLite takes no limit inside a union, but one inside a subquery.
        return sa.select(found.limit(None if is_chosen else SHOWN).subquery(name))

    async def fetch(free: Any, there: Any, number: Any) -> Sequence[Any]:
        parts = (
            part("picked", taken, True, number, picked),
            part("free", sa.false(), False, number, *free),
            part("taken", sa.true(), False, number, *there),
        )
        return (await session.execute(sa.union_all(*parts))).all()

    rows: Sequence[Any] = ()
    number = 0
    if fits is not None:
        hits = (
            sa.select(identity.label("id"), order[0].label("place"), taken.label("taken"))
            .where(among, fits, sa.not_(picked))
            .limit(listing.MANY + 1)
            .cte("hits")
        )

        def first(is_taken: Any) -> Any:
            few = sa.select(hits.c.id).where(is_taken).order_by(hits.c.place, hits.c.id).limit(SHOWN)
            return identity.in_(sa.select(few.subquery().c.id))

        counted = sa.select(sa.func.count()).select_from(hits).scalar_subquery()
        rows = await fetch([first(sa.not_(hits.c.taken))], [first(hits.c.taken)], counted)
        number = rows[0].number if rows else 0
    if fits is None or number > listing.MANY:
        wanted = () if fits is None else (fits,)
        rows = await fetch(
            (*wanted, sa.not_(taken), sa.not_(picked)),
            (*wanted, taken, sa.not_(picked)),
            sa.literal(0),
        )
    found = [
        Candidate(one, name, about, bool(is_active), standing, bool(is_taken), bool(is_chosen))
        for one, name, about, is_active, standing, is_taken, is_chosen, _ in rows
    ]
    # Who can be added comes first, so that a page of members does not hide everybody else.
    found.sort(key=lambda one: (not one.chosen, one.taken, one.name.casefold(), str(one.id)))
    return found[: SHOWN + sum(one.chosen for one in found)]
