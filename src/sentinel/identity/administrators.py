"""The panel's administrators: one always remains, and nobody shuts himself out (AD-8 of ``admin.md``)."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Conflict
from sentinel.identity.models import User


async def hold(session: AsyncSession, user_ids: Collection[UUID]) -> Sequence[User]:
    """The users of those ids together with every active administrator, held until the transaction ends.

    Whoever may take an administrator away begins with this, before any other row of a user: all are taken in the
    order of their ids, so two of them queue, and the second counts who is left after the first. Without ids nobody
    is held.
    """
    if not user_ids:
        return []
    found = await session.execute(
        sa.select(User)
        .where(sa.or_(User.id.in_(user_ids), sa.and_(User.is_admin, User.is_active)))
        .order_by(User.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.scalars().all()


def require_rest(held: Sequence[User], losing: Collection[UUID], *, actor_id: UUID | None) -> None:
    """Check that the users of ``losing`` may be deactivated, demoted or deleted, all at once.

    ``held`` is the answer of :func:`hold` for them. Raises :class:`Conflict` when ``actor_id`` is one of them
    (``own_account``) and when no active administrator would be left (``last_admin``).
    """
    if actor_id is not None and actor_id in losing:
        raise Conflict("You cannot deactivate, demote or delete yourself", reason="own_account")
    active = {user.id for user in held if user.is_admin and user.is_active}
    if active and active <= set(losing):
        raise Conflict(
            "The last active administrator cannot be deactivated, demoted or deleted", reason="last_admin"
        )
