"""The furnished world of the client library's tests, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.sdk.furniture import Line, World, furnish
from tests.stage import Furnished


@pytest.fixture
async def world(copied_stage: Furnished) -> AsyncIterator[World]:
    async with copied_stage(furnish) as (stage, model):
        yield replace(model, stage=stage, line=Line(stage), tokens=dict(model.tokens))
