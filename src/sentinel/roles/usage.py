"""How often which action was allowed to whom, by day (R2). Collected in memory and written in batches, so that it
costs a check nothing and cannot fail one.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.clock import Clock
from sentinel.core.database import Database, upsert
from sentinel.core.errors import Unavailable
from sentinel.roles.models import ActionUsage

MAX_PENDING = 50_000
"""Counters that are kept while the database is away; what comes on top is not counted."""
BATCH = 500

memberships = sa.table(
    "workspace_memberships", sa.column("workspace_id", sa.Uuid()), sa.column("user_id", sa.Uuid())
)


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """Somebody and an action in a workspace, on a day (UTC)."""

    day: date
    workspace_id: UUID
    user_id: UUID
    service_name: str
    action: str


class UsageCounter:
    """The counts of one process. :meth:`flush` adds them to the database's; other processes add theirs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counts: Counter[Use] = Counter()

    def allowed(self, workspace_id: UUID, user_id: UUID, service_name: str, action: str) -> None:
        """Count an allowed action."""
        use = Use(self._clock.now().date(), workspace_id, user_id, service_name, action)
        if use in self._counts or len(self._counts) < MAX_PENDING:
            self._counts[use] += 1

    async def flush(self) -> None:
        """Write what has been collected; with the database away it is kept for the next time."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        try:
            async with self._database.transaction() as session:
                await _add(session, counts)
        except (Unavailable, IntegrityError):
            # The latter when somebody left in this very moment; the next round leaves him out.
            self._counts.update(counts)


async def _add(session: AsyncSession, counts: Counter[Use]) -> None:
    present = await _members(session, {use.user_id for use in counts})
    # Sorted, so that two processes that flush at once take the rows in one order.
    rows = [
        {
            "day": use.day,
            "workspace_id": use.workspace_id,
            "user_id": use.user_id,
            "service_name": use.service_name,
            "action": use.action,
            "count": counts[use],
        }
        for use in sorted(counts)
        if (use.workspace_id, use.user_id) in present
    ]
    for start in range(0, len(rows), BATCH):
        insert = upsert(session, ActionUsage).values(rows[start : start + BATCH])
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["day", "workspace_id", "user_id", "service_name", "action"],
                set_={"count": ActionUsage.count + insert.excluded.count},
            )
        )


async def _members(session: AsyncSession, user_ids: set[UUID]) -> set[tuple[UUID, UUID]]:
    """Who of these people is a member of what; nothing is kept of those who have left."""
    wanted, found = list(user_ids), set[tuple[UUID, UUID]]()
    for start in range(0, len(wanted), BATCH):
        rows = await session.execute(
            sa.select(memberships.c.workspace_id, memberships.c.user_id).where(
                memberships.c.user_id.in_(wanted[start : start + BATCH])
            )
        )
        found.update((row.workspace_id, row.user_id) for row in rows)
    return found
