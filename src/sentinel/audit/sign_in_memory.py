"""What earlier sign-ins of a person looked like: the rows that the anomaly signals compare with (SG-2, SG-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.models import SignInMemory
from sentinel.core.database import upsert

Kind = Literal["country", "device"]

KEPT = timedelta(days=365)
"""How long a value is remembered after it was last seen."""
MAX_REMEMBERED = 500
"""Values of one person that are looked at; those seen last come first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One value, and when it was last seen."""

    kind: str
    value: str
    last_seen: datetime


async def recall(session: AsyncSession, user_id: UUID, *, now: datetime) -> list[Seen]:
    """What is remembered of a person, the latest first: one statement."""
    rows = await session.execute(
        sa.select(SignInMemory.kind, SignInMemory.value, SignInMemory.last_seen)
        .where(SignInMemory.user_id == user_id, SignInMemory.last_seen > now - KEPT)
        .order_by(SignInMemory.last_seen.desc())
        .limit(MAX_REMEMBERED)
    )
    return [Seen(*row) for row in rows]


async def remember(
    session: AsyncSession, user_id: UUID, values: Mapping[Kind, str], known: Sequence[Seen], *, now: datetime
) -> set[str]:
    """Note what is seen ``now``; returns the kinds whose value this call was the first to note.

    A sign-in of the same person that notes the same value waits here until this one is committed; what it reads
    after that, it knows of this one. One statement when all values are in ``known``, or none is; else two.
    """
    before = {(seen.kind, seen.value) for seen in known}
    seen_again = [item for item in values.items() if item in before]
    if seen_again:
        either = [
            sa.and_(SignInMemory.kind == kind, SignInMemory.value == value) for kind, value in seen_again
        ]
        await session.execute(
            sa.update(SignInMemory)
            .where(SignInMemory.user_id == user_id, sa.or_(*either))
            .values(last_seen=now)
        )
    new = [item for item in values.items() if item not in before]
    if not new:
        return set()
    insert = upsert(session, SignInMemory).values(
        [
            {"user_id": user_id, "kind": kind, "value": value, "first_seen": now, "last_seen": now}
            for kind, value in new
        ]
    )
    # What is past its time and not yet swept is as good as gone.
    inserted = await session.execute(
        insert.on_conflict_do_update(
            index_elements=["user_id", "kind", "value"],
            set_={"first_seen": insert.excluded.first_seen, "last_seen": insert.excluded.last_seen},
            where=SignInMemory.last_seen <= now - KEPT,
        ).returning(SignInMemory.kind)
    )
    return set(inserted.scalars())


async def forget(session: AsyncSession, *, now: datetime) -> int:
    """Delete what is past its time; returns the number of rows."""
    # What somebody holds in this moment is left for the next time, as in the sweep of tokens.
    old = (
        sa.select(SignInMemory.user_id, SignInMemory.kind, SignInMemory.value)
        .where(SignInMemory.last_seen <= now - KEPT)
        .with_for_update(skip_locked=True)
    )
    key = sa.tuple_(SignInMemory.user_id, SignInMemory.kind, SignInMemory.value)
    result = await session.execute(sa.delete(SignInMemory).where(key.in_(old)))
    deleted: int = result.rowcount  # type: ignore[attr-defined]
    return deleted
