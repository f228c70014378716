"""``accessible`` as a WHERE clause: the rows a caller sees are those that Sentinel would let him see."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from sentinel.identity.models import User
from sentinel_auth import AuthenticatedUser, RequestAuth
from sentinel_auth.sqlalchemy import accessible_where
from tests.sdk.furniture import World

pytestmark = pytest.mark.anyio

metadata = sa.MetaData()
notes = sa.Table(
    "sdk_notes", metadata, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("workspace_id", sa.Uuid)
)
texts = sa.Table(
    "sdk_texts",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("workspace_id", sa.String(36)),
)


@pytest.fixture
async def rows(world: World, empty_database_url: str) -> AsyncIterator[AsyncConnection]:
    """The application's own tables, in a database of its own."""
    engine = create_async_engine(empty_database_url)
    async with engine.connect() as connection:
        await connection.run_sync(metadata.create_all)
        yield connection
    await engine.dispose()


def auth_of(world: World, user: User, role: str) -> RequestAuth:
    person = AuthenticatedUser(user.id, user.email, user.name, world.workspace.id, "acme", role)
    return RequestAuth(person, world.token(user), world.permissions())


@pytest.mark.parametrize("table", [notes, texts], ids=["uuid", "text"])
async def test_a_list_holds_what_checks_allow(world: World, rows: AsyncConnection, table: sa.Table) -> None:
    elsewhere = await world.stage.workspace(world.owner)
    registered = [
        await world.stage.resource(world.workspace, world.viewer, visibility="private"),
        await world.stage.resource(world.workspace, world.owner, visibility="private"),
        await world.stage.resource(world.workspace, world.owner),
        await world.stage.resource(elsewhere, world.owner),
    ]
    places = [(one.resource_id, one.workspace_id) for one in registered] + [(uuid4(), elsewhere.id)]
    text = table is texts
    kept: list[dict[str, Any]] = [
        {"id": str(one) if text else one, "workspace_id": str(place) if text else place}
        for one, place in places
    ]
    await rows.execute(sa.insert(table), kept)
    for user, role, action, seen in (
        (world.viewer, "viewer", "view", [0, 2]),
        (world.viewer, "viewer", "edit", [0]),
        (world.other, "viewer", "edit", []),
        (world.owner, "owner", "view", [0, 1, 2]),
    ):
        condition = await accessible_where(
            auth_of(world, user, role), "document", action, id=table.c.id, workspace=table.c.workspace_id
        )
        found = {
            UUID(str(one)) for one in (await rows.execute(sa.select(table.c.id).where(condition))).scalars()
        }
        assert found == {places[number][0] for number in seen}


async def test_everything_never_means_other_tenants(world: World, rows: AsyncConnection) -> None:
    elsewhere = uuid4()
    await rows.execute(sa.insert(notes), [{"id": uuid4(), "workspace_id": elsewhere}])
    condition = await accessible_where(
        auth_of(world, world.owner, "owner"), "document", id=notes.c.id, workspace=notes.c.workspace_id
    )
    assert (await rows.execute(sa.select(notes).where(condition))).all() == []
    assert len((await rows.execute(sa.select(notes))).all()) == 1
