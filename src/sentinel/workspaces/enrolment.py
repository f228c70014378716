"""Existing people become members of any workspace by an administrator's wish (``admin.md`` §2, §5).

Administrators act with the power of an owner and may grant every role, in the self-serve mode too.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import NotFound
from sentinel.identity import rule_book
from sentinel.identity.models import User
from sentinel.workspaces import batch, gates, members
from sentinel.workspaces.batch import Batch, Failure
from sentinel.workspaces.members import NOT_PERMITTED, MemberEntry
from sentinel.workspaces.models import AllowedOrganization, Workspace
from sentinel.workspaces.roles import WorkspaceRole


async def by_email(
    session: AsyncSession,
    workspace_id: UUID,
    email: str,
    role: WorkspaceRole,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> MemberEntry:
    """Make the user of that address a member.

    Raises :class:`NotFound` without the workspace, :class:`Invalid` for an unknown or already present person, or one
    whose organization is not permitted.
    """
    await hold(session, workspace_id)
    return await members.add_by_email(session, workspace_id, email, role, actor_id=actor_id, now=now)


async def several(
    session: AsyncSession,
    workspace_id: UUID,
    user_ids: Collection[UUID],
    role: WorkspaceRole,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Batch:
    """Make up to 100 people members with one role: all who can be, and a reason for each of the others.

    Raises :class:`NotFound` without the workspace, :class:`Unprocessable` for too many.
    """
    wanted = batch.wanted(user_ids, "user_id")
    await hold(session, workspace_id)
    found = await session.execute(
        sa.select(User)
        .where(User.id.in_(wanted))
        # In one order, and held from being deleted before they are members.
        .order_by(User.id)
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    people = {user.id: user for user in found.scalars()}
    book = await rule_book.load(session)
    listed = await session.execute(
        sa.select(AllowedOrganization.organization_id).where(AllowedOrganization.workspace_id == workspace_id)
    )
    allow_list = frozenset(listed.scalars())
    added: list[UUID] = []
    failures: list[Failure] = []
    for user_id in wanted:
        user = people.get(user_id)
        if user is None:
            failures.append(Failure(user_id, str(user_id), "There is no such user"))
        elif not gates.allowed(book.standing(user.organization_id, user.email), allow_list):
            failures.append(Failure(user_id, user.email, NOT_PERMITTED))
        elif await members.join(session, user, workspace_id, role, actor_id=actor_id, now=now) is None:
            failures.append(Failure(user_id, user.email, "Already a member of this workspace"))
        else:
            added.append(user_id)
    return Batch(tuple(added), tuple(failures))


async def hold(session: AsyncSession, workspace_id: UUID) -> None:
    """Keep a workspace from being deleted until the transaction ends. Raises :class:`NotFound`."""
    held = await session.execute(
        sa.select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(read=True, key_share=True)
    )
    if held.scalar_one_or_none() is None:
        raise NotFound("Workspace not found", reason="workspace_not_found")
