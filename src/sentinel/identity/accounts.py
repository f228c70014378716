"""What an administrator changes of people: one by one, or many at once (``admin.md`` §4)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.errors import Unprocessable
from sentinel.identity import administrators, users
from sentinel.identity.models import User
from sentinel.identity.users import ProfileChange
from sentinel.tokens.revocation import revoke_users

MAX_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of a wish for several: how many people have really changed, and the sessions that have ended."""

    people: int
    sessions: int


async def change(
    session: AsyncSession,
    user_id: UUID,
    *,
    name: str | None = None,
    is_active: bool | None = None,
    is_admin: bool | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> User:
    """Change what may change of a person; None leaves a field as it is. Every real change is one activity.

    Deactivating and demoting revoke the person. Raises :class:`NotFound`, :class:`Unprocessable` for a name made of
    markup alone, :class:`Conflict` as AD-8 demands.
    """
    if is_active is False or is_admin is False:
        # Before the person's own row, which the order of the administrators' rows must not depend on.
        await administrators.hold(session, [user_id])
    user = await users.edit(session, user_id, ProfileChange(name), actor_id=actor_id, now=now)
    if is_active is not None:
        await users.set_active(session, user_id, is_active, actor_id=actor_id, now=now)
    if is_admin is not None:
        await users.set_admin(session, user_id, is_admin, actor_id=actor_id, now=now)
    return user


async def switch_many(
    session: AsyncSession, user_ids: Collection[UUID], active: bool, *, actor_id: UUID | None, now: datetime
) -> Switched:
    """Activate or deactivate up to 500 people at once; ids that nobody has are ignored.

    Raises :class:`Unprocessable` for more ids, and :class:`Conflict` as AD-8 demands; nobody is changed then.
    """
    if len(user_ids) > MAX_AT_ONCE:
        raise Unprocessable(f"At most {MAX_AT_ONCE} people at once", field="user_ids")
    wanted = set(user_ids)
    held = await administrators.hold(session, wanted)
    changed = [user for user in held if user.id in wanted and user.is_active != active]
    ids = [user.id for user in changed]
    ended = 0
    if not active:
        administrators.require_rest(held, ids, actor_id=actor_id)
        ended = await revoke_users(session, ids, reason="user_deactivated", now=now)
    await session.execute(sa.update(User).where(User.id.in_(ids)).values(is_active=active, updated_at=now))
    await activity.record_all(
        session,
        "user_activated" if active else "user_deactivated",
        target_type="user",
        targets=[(user_id, None, {"bulk": True}) for user_id in ids],
        actor_id=actor_id,
        now=now,
    )
    await activity.record(
        session,
        "bulk_status_change",
        target_type="system",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        detail={"is_active": active, "affected": len(ids)},
        now=now,
    )
    return Switched(len(ids), ended)
