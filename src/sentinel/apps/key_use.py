"""When a service key was last used: remembered on use, written in batches, never part of an answer (SK-7)."""

from datetime import timedelta
from uuid import UUID

from sentinel.apps.authentication import ServiceCaller, note_key_use
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import Unavailable

PRECISION = timedelta(minutes=1)


class KeyUse:
    """Collects the apps whose stamp is more than a minute old; :meth:`flush` writes them in one statement."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pending: set[UUID] = set()

    def note(self, caller: ServiceCaller) -> None:
        """Remember a use. The set is bounded by the number of service apps."""
        if caller.app_id is None:
            return
        if caller.last_used_at is None or self._clock.now() - caller.last_used_at >= PRECISION:
            self._pending.add(caller.app_id)

    async def flush(self) -> None:
        """Write what has been collected; with the database away it is kept for the next time."""
        if not self._pending:
            return
        pending, self._pending = self._pending, set()
        try:
            async with self._database.transaction() as session:
                await note_key_use(session, pending, now=self._clock.now())
        except Unavailable:
            self._pending |= pending
