"""Which organizations a workspace admits (``authorization.md`` §7 rules 8 and 11, ``admin.md`` §5).

No entry means open to all. The gates that ask are in ``gates.py``.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.errors import Conflict, Invalid, NotFound, Unprocessable
from sentinel.identity import rule_book
from sentinel.identity.models import Organization, User
from sentinel.workspaces.gates import allowed
from sentinel.workspaces.models import AllowedOrganization, Membership, Workspace

MAX_ENTRIES = 500

MAX_SHOWN = 100
"""Members who are named before a list is saved; the rest are counted."""
BATCH = 5000
"""Members that one statement reads."""


@dataclass(frozen=True, slots=True)
class ShutOut:
    """A member who is admitted now and would not be any more."""

    user_id: UUID
    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Losses:
    """Who would lose access: how many, and the first 100 of them by address."""

    count: int
    first: tuple[ShutOut, ...]

    @property
    def more(self) -> int:
        """How many are counted but not named."""
        return self.count - len(self.first)


async def get(session: AsyncSession, workspace_id: UUID) -> list[UUID]:
    """The ids of the organizations on the list, by name. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(Workspace.id, Organization.id)
            .outerjoin(AllowedOrganization, AllowedOrganization.workspace_id == Workspace.id)
            .outerjoin(Organization, Organization.id == AllowedOrganization.organization_id)
            .where(Workspace.id == workspace_id)
            .order_by(Organization.name, Organization.id)
        )
    ).all()
    if not rows:
        raise _unknown()
    return [organization_id for _, organization_id in rows if organization_id is not None]


async def replace(
    session: AsyncSession,
    workspace_id: UUID,
    organization_ids: Sequence[UUID],
    *,
    actor_id: UUID | None,
    now: datetime,
) -> list[UUID]:
    """Make ``organization_ids``, at most 500, the whole list; an id that is there twice counts once.

    Nobody is revoked: every gate asks the list from now on, so members who are not admitted keep the access token
    that they have and get no other. Returns the list. Raises :class:`Unprocessable` for too many ids,
    :class:`NotFound`, :class:`Invalid` for an unknown, disabled or public organization, :class:`Conflict` when
    somebody else changes the list at this moment.
    """
    if len(organization_ids) > MAX_ENTRIES:
        raise Unprocessable(f"At most {MAX_ENTRIES} organizations", field="organization_ids")
    wanted = list(dict.fromkeys(organization_ids))
    # Two changes of one list queue here, and neither loses to a deletion of the workspace.
    workspace = await session.scalar(
        sa.select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    )
    if workspace is None:
        raise _unknown()
    await _require_admissible(session, wanted)
    before = set(
        await session.scalars(
            sa.select(AllowedOrganization.organization_id).where(
                AllowedOrganization.workspace_id == workspace_id
            )
        )
    )
    dropped, fresh = before - set(wanted), [one for one in wanted if one not in before]
    await session.execute(
        sa.delete(AllowedOrganization).where(
            AllowedOrganization.workspace_id == workspace_id, AllowedOrganization.organization_id.in_(dropped)
        )
    )
    if fresh:
        try:
            async with session.begin_nested():
                await session.execute(
                    sa.insert(AllowedOrganization),
                    [{"id": uuid4(), "workspace_id": workspace_id, "organization_id": one} for one in fresh],
                )
        except IntegrityError as error:
            raise Conflict(
                "The list has just been changed; read it again", reason="concurrent_change"
            ) from error
    await activity.record(
        session,
        "workspace_allowed_orgs_set",
        target_type="workspace",
        target_id=workspace_id,
        actor_id=actor_id,
        workspace_id=workspace_id,
        detail={"organization_ids": [str(one) for one in wanted]},
        now=now,
    )
    return await get(session, workspace_id)


async def shut_out_by(
    session: AsyncSession, workspace_id: UUID, organization_ids: Collection[UUID]
) -> Losses:
    """The members who are admitted now and would lose access if ``organization_ids`` became the list, by address.

    Who is kept out already, by the present list or because his organization is disabled, loses nothing. Raises
    :class:`NotFound`.
    """
    present = frozenset(await get(session, workspace_id))
    proposed = frozenset(organization_ids)
    if not proposed:
        return Losses(0, ())
    book = await rule_book.load(session)
    count, first = 0, list[ShutOut]()
    async for user_id, email, name, role, stored in _members(session, workspace_id):
        own = book.standing(stored, email)
        if allowed(own, present) and not allowed(own, proposed):
            count += 1
            if len(first) < MAX_SHOWN:
                first.append(ShutOut(user_id, email, name, role))
    return Losses(count, tuple(first))


async def _members(session: AsyncSession, workspace_id: UUID) -> AsyncIterator[Any]:
    """Id, address, name, role and stored organization of every member, by address.

    Read bit by bit: a workspace may have more members than are good to have in memory at once. By statements and not
    by a cursor, which PostgreSQL gives to a transaction only.
    """
    last: str | None = None
    while True:
        statement = (
            sa.select(User.id, User.email, User.name, Membership.role, User.organization_id)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.workspace_id == workspace_id)
            .order_by(User.email)
            .limit(BATCH)
        )
        rows = (
            await session.execute(statement if last is None else statement.where(User.email > last))
        ).all()
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        last = rows[-1].email


async def _require_admissible(session: AsyncSession, wanted: Sequence[UUID]) -> None:
    # Held in one order: none of them is disabled or deleted before the list is committed.
    found = await session.execute(
        sa.select(Organization.id, Organization.name, Organization.enabled, Organization.is_public)
        .where(Organization.id.in_(wanted))
        .order_by(Organization.id)
        .with_for_update(read=True, key_share=True)
    )
    rows = found.all()
    if any(row.is_public for row in rows):
        raise Invalid("The public organization cannot be on the list", reason="organization_public")
    for row in rows:
        if not row.enabled:
            raise Invalid(
                f"{row.name} is disabled: enable it, or take it off the list", reason="organization_disabled"
            )
    known = {row.id for row in rows}
    for one in wanted:
        if one not in known:
            raise Invalid(f"There is no organization with the id {one}", reason="unknown_organization")


def _unknown() -> NotFound:
    return NotFound("Workspace not found", reason="workspace_not_found")
