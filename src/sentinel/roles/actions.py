"""Actions that services register (``http-api.md`` R1, ``authorization.md`` §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import ServiceCaller
from sentinel.core.database import upsert
from sentinel.roles.models import ServiceAction


@dataclass(frozen=True, slots=True)
class ActionWish:
    """An action as a service declares it; ``description`` None leaves a stored one as it is."""

    name: str
    description: str | None = None


async def register(
    session: AsyncSession,
    caller: ServiceCaller,
    service_name: str,
    wishes: Sequence[ActionWish],
    *,
    now: datetime,
) -> list[ServiceAction]:
    """Register actions of a scope, in one statement; returns them sorted by name (R1).

    Of several wishes for one action the last counts. Actions that are not named stay. Raises :class:`Forbidden`
    out of scope.
    """
    caller.require_scope(service_name)
    latest = {wish.name: wish.description for wish in wishes}
    if not latest:
        return []
    # Sorted, so that two services that register at once take the rows in one order.
    rows = [
        {
            "id": uuid4(),
            "service_name": service_name,
            "action": name,
            "description": latest[name],
            "created_at": now,
        }
        for name in sorted(latest)
    ]
    insert = upsert(session, ServiceAction).values(rows)
    stored = await session.execute(
        insert.on_conflict_do_update(
            index_elements=["service_name", "action"],
            set_={"description": sa.func.coalesce(insert.excluded.description, ServiceAction.description)},
        ).returning(ServiceAction)
    )
    return sorted(stored.scalars(), key=lambda action: action.action)
