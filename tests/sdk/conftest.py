"""The furnished world of the client library's tests, on SQLite and on PostgreSQL."""

import pytest

from tests.sdk.furniture import World, furnish
from tests.stage import Stage


@pytest.fixture
async def world(stage: Stage) -> World:
    return await furnish(stage)
