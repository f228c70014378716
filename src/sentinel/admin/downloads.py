"""CSV files to take away, for the JSON API and the pages alike."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.api.state import State
from sentinel.login.admin_session import AdminCaller
from sentinel.workspaces import csv_export
from sentinel.workspaces.csv_export import Export


async def download(
    state: State, session: AsyncSession, admin: AdminCaller, export: Export
) -> StreamingResponse:
    """All people or all workspaces as a file that is sent while it is read. That it was taken is an activity.

    ``session`` is that of the request, a GET, which only reads; it is closed, so that one connection is held at a time.
    """
    await session.close()
    async with state.database.transaction() as writing:
        await csv_export.note(writing, export, actor_id=admin.user_id, now=state.now())
    return StreamingResponse(
        _pieces(state, export),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{export}.csv"', "Cache-Control": "no-store"},
    )


async def _pieces(state: State, export: Export) -> AsyncIterator[str]:
    async with state.database.reading() as session:
        async for piece in csv_export.lines(session, export):
            yield piece
