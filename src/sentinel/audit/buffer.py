"""Activity rows of things that happen too often for a row each: one row a period, with a count.

Collected in memory and written in batches, off the request; several processes add to the same row. What is
remembered here is bookkeeping, so it may be lost with a process, and can never fail a request.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.activity import ACTIONS
from sentinel.audit.models import Activity
from sentinel.core.clock import Clock
from sentinel.core.database import Database, upsert
from sentinel.core.errors import Unavailable
from sentinel.core.logging import audit_event

Period = Literal["minute", "day"]
LENGTH: dict[Period, timedelta] = {"minute": timedelta(minutes=1), "day": timedelta(days=1)}
NAMESPACE = UUID("3f0a6f3e-8f3f-4a44-9c53-0d9a3e0d5a11")
MAX_PENDING = 20_000
"""Rows that are kept while the database is away; what comes on top is not recorded."""
BATCH = 500

users = sa.table("users", sa.column("id", sa.Uuid()))
workspaces = sa.table("workspaces", sa.column("id", sa.Uuid()))


@dataclass(slots=True)
class Pending:
    """One row as it stands; ``written`` is the count that the database has already."""

    action: str
    actor_id: UUID
    workspace_id: UUID
    detail: dict[str, Any]
    period: datetime
    ends: datetime
    count: int = 0
    written: int = 0


class ActivityBuffer:
    """The buffered activity of one process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pending: dict[UUID, Pending] = {}

    def note(
        self, action: str, *, per: Period, actor_id: UUID, workspace_id: UUID, detail: dict[str, str]
    ) -> None:
        """Count ``action`` of a person, one row for each ``per`` and ``detail``.

        Raises :class:`ValueError` for an action outside the vocabulary.
        """
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is not an activity")
        now = self._clock.now()
        period = now.replace(second=0, microsecond=0)
        if per == "day":
            period = period.replace(hour=0, minute=0)
        name = [action, period.isoformat(), str(actor_id), str(workspace_id), sorted(detail.items())]
        row_id = uuid5(NAMESPACE, json.dumps(name))
        row = self._pending.get(row_id)
        if row is None:
            if len(self._pending) >= MAX_PENDING:
                return
            ends = period + LENGTH[per]
            row = self._pending[row_id] = Pending(action, actor_id, workspace_id, dict(detail), period, ends)
        row.count += 1

    async def flush(self) -> None:
        """Write what is new; with the database away it is kept for the next time."""
        fresh = {row_id: row.count for row_id, row in self._pending.items() if row.count > row.written}
        if fresh:
            try:
                async with self._database.transaction() as session:
                    await self._write(session, fresh)
            except (Unavailable, IntegrityError):
                # The latter when somebody left in this very moment; the next round leaves him out.
                return
            for row_id, count in fresh.items():
                self._pending[row_id].written = count
        self._forget_past()

    async def _write(self, session: AsyncSession, fresh: dict[UUID, int]) -> None:
        rows = {row_id: self._pending[row_id] for row_id in fresh}
        people = await _existing(session, users, {row.actor_id for row in rows.values()})
        tenants = await _existing(session, workspaces, {row.workspace_id for row in rows.values()})
        # Sorted, so that two processes that flush at once take the rows in one order.
        for row_id, row in sorted(rows.items()):
            known = await session.scalar(sa.select(Activity.detail).where(Activity.id == row_id))
            before = int((known or {}).get("count", 0))
            insert = upsert(session, Activity).values(
                id=row_id,
                action=row.action,
                actor_id=row.actor_id if row.actor_id in people else None,
                target_type="user",
                target_id=row.actor_id,
                workspace_id=row.workspace_id if row.workspace_id in tenants else None,
                detail={**row.detail, "count": before + fresh[row_id] - row.written},
                created_at=row.period,
            )
            await session.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_={"detail": insert.excluded.detail})
            )
            if known is None:
                audit_event(
                    "audit.activity",
                    outcome="success",
                    action=row.action,
                    actor=str(row.actor_id),
                    target_type="user",
                    target_id=str(row.actor_id),
                    workspace_id=str(row.workspace_id),
                )

    def _forget_past(self) -> None:
        """Drop rows whose period is over and that are written."""
        now = self._clock.now()
        over = [
            row_id for row_id, row in self._pending.items() if row.written == row.count and row.ends <= now
        ]
        for row_id in over:
            del self._pending[row_id]


async def _existing(session: AsyncSession, table: Any, ids: Iterable[UUID]) -> set[UUID]:
    wanted, found = list(ids), set[UUID]()
    for start in range(0, len(wanted), BATCH):
        rows = await session.execute(
            sa.select(table.c.id).where(table.c.id.in_(wanted[start : start + BATCH]))
        )
        found.update(rows.scalars())
    return found
