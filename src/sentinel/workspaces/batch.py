"""Adding several at once: all that can be, and a reason for each of the others (``admin.md`` §2)."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import DomainError, Unavailable, Unprocessable
from sentinel.identity.models import User
from sentinel.workspaces.models import Group, Workspace

MAX_BATCH = 100
"""How many one dialog adds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one of several could not be added; ``label`` names him if anybody knows him."""

    id: UUID
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a wish for several."""

    added: tuple[UUID, ...]
    failures: tuple[Failure, ...]


def wanted(ids: Collection[UUID], field: str) -> list[UUID]:
    """``ids`` once each and in one order, so that two batches take rows in the same. Raises :class:`Unprocessable`
    for more than :data:`MAX_BATCH`.
    """
    found = sorted(set(ids))
    if len(found) > MAX_BATCH:
        raise Unprocessable(f"Add at most {MAX_BATCH} at once", field=field)
    return found


async def people(
    session: AsyncSession, user_ids: Collection[UUID], add: Callable[[UUID], Awaitable[object]]
) -> Batch:
    """Run ``add`` for each of some people. It has to refuse before it writes anything."""
    return await _each(session, wanted(user_ids, "user_id"), add, User.id, User.email)


async def groups(
    session: AsyncSession, group_ids: Collection[UUID], add: Callable[[UUID], Awaitable[object]]
) -> Batch:
    """Run ``add`` for each of some groups. It has to refuse before it writes anything."""
    return await _each(session, wanted(group_ids, "group_id"), add, Group.id, Group.name)


async def workspaces(
    session: AsyncSession, workspace_ids: Collection[UUID], add: Callable[[UUID], Awaitable[object]]
) -> Batch:
    """Run ``add`` for each of some workspaces. It has to refuse before it writes anything."""
    return await _each(session, wanted(workspace_ids, "workspace_id"), add, Workspace.id, Workspace.name)


async def _each(
    session: AsyncSession,
    ids: Sequence[UUID],
    add: Callable[[UUID], Awaitable[object]],
    identity: Any,
    name: Any,
) -> Batch:
    added: list[UUID] = []
    refused: dict[UUID, str] = {}
    for one in ids:
        try:
            await add(one)
        except Unavailable:
            raise
        except DomainError as refusal:
            refused[one] = refusal.detail
        else:
            added.append(one)
    labels: dict[UUID, str] = {}
    if refused:
        rows = await session.execute(sa.select(identity, name).where(identity.in_(refused)))
        labels = {row[0]: row[1] for row in rows}
    failures = [Failure(one, labels.get(one, str(one)), reason) for one, reason in refused.items()]
    return Batch(tuple(added), tuple(failures))
