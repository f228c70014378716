"""The origins of registered apps, as CORS knows them (``http-api.md`` §0.5)."""

from collections.abc import AsyncIterator

from fastapi import Depends

from sentinel.api.state import CurrentState, State
from sentinel.apps import login_apps, service_apps
from sentinel.core.errors import Unavailable
from sentinel.core.logging import app_event


async def refresh_origins(state: State) -> None:
    """Read the origins of all active apps, so that CORS answers for them. With the database away they stay."""
    try:
        async with state.database.reading() as session:
            dynamic = await login_apps.active_origins(session) | await service_apps.active_origins(session)
    except Unavailable:
        return
    if state.origins.replace(dynamic):
        app_event("app.cors.refreshed", origins=len(dynamic))


async def _refreshing(state: CurrentState) -> AsyncIterator[None]:
    yield
    await refresh_origins(state)


REFRESHES_ORIGINS = Depends(_refreshing, scope="function")
"""For routes that change apps, in their ``dependencies``: entered before the request's session, so left after it, when
the change is committed. This worker knows at once, the others within seconds.
"""
