"""Actions of services as their registration leaves them."""

from uuid import uuid4

from sentinel.roles.models import ServiceAction
from tests.stage import Stage


async def registered(stage: Stage, *names: str) -> list[ServiceAction]:
    """Actions, written ``scope:name``."""
    found = []
    for name in names:
        scope, _, action = name.partition(":")
        found.append(
            ServiceAction(id=uuid4(), service_name=scope, action=action, created_at=stage.clock.now())
        )
    await stage.add(*found)
    return found
