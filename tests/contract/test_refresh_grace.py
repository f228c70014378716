"""Repeating a refresh whose answer was lost (``tokens.md`` RF-6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from sentinel.identity.models import User
from sentinel.tokens.families import TokenPair
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import BASE_URL, USER_AGENT, Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class World:
    """A member of a workspace with one session."""

    stage: Stage
    user: User
    workspace: Workspace
    first: TokenPair

    async def refresh(self, token: str, *, agent: str = USER_AGENT, ip: str = "127.0.0.1") -> httpx.Response:
        """A6, a second after whatever was before."""
        self.stage.clock.advance(1)
        transport = httpx.ASGITransport(self.stage.app, client=(ip, 1))
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
            headers = {"User-Agent": agent}
            return await http.post("/auth/refresh", json={"refresh_token": token}, headers=headers)

    async def rotated(self, token: str | None = None) -> dict[str, str]:
        answer = await self.refresh(token or self.first.refresh.token)
        assert answer.status_code == 200, answer.text
        pair: dict[str, str] = answer.json()
        return pair

    async def refused(self, token: str, **client: str) -> None:
        assert (await self.refresh(token, **client)).status_code == 401

    async def lets_in(self, access_token: str) -> bool:
        answer = await self.stage.client.get("/users/me", headers=bearer(access_token))
        return answer.status_code == 200

    async def ended(self, *access_tokens: str, reason: str = "refresh_reuse") -> None:
        """The family is over: marked, without records, and none of its access tokens lets in."""
        (family,) = await self.stage.all(RefreshFamily)
        assert family.revoke_reason == reason
        assert await self.stage.count(RefreshToken) == 0
        for token in access_tokens:
            assert not await self.lets_in(token)


@asynccontextmanager
async def world_with(database_url: str, keys: Keys, **settings: Any) -> AsyncIterator[World]:
    async with open_stage(database_url, keys, **settings) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        yield World(stage, user, workspace, await stage.session(user, workspace))


async def test_RF_6_without_a_window_a_repetition_is_reuse(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys) as world:
        second = await world.rotated()
        await world.refused(world.first.refresh.token)
        await world.ended(second["access_token"])


async def test_RF_6_a_lost_answer_can_be_asked_for_again(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys, refresh_reuse_grace_seconds=30) as world:
        lost = await world.rotated()
        again = await world.rotated(world.first.refresh.token)
        assert again["refresh_token"] != lost["refresh_token"]
        assert not await world.lets_in(lost["access_token"]), (
            "the fresh pair stands in the place of the lost one"
        )
        assert await world.lets_in(again["access_token"])
        assert await world.stage.count(RefreshToken, RefreshToken.consumed_at.is_(None)) == 1
        once_more = await world.rotated(world.first.refresh.token)
        third = await world.rotated(once_more["refresh_token"])
        assert await world.stage.activities("refresh_reuse_detected") == []
        # What was replaced is dead, and showing it is reuse.
        await world.refused(lost["refresh_token"])
        await world.ended(third["access_token"])


async def test_RF_6_the_window_counts_from_the_first_use(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys, refresh_reuse_grace_seconds=30) as world:
        await world.rotated()
        for _ in range(2):
            world.stage.clock.advance(13)
            pair = await world.rotated(world.first.refresh.token)
        world.stage.clock.advance(1)
        await world.refused(world.first.refresh.token)
        await world.ended(pair["access_token"])


async def test_RF_6_what_the_window_does_not_cover(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys, refresh_reuse_grace_seconds=60) as first:
        stage = first.stage

        async def fresh() -> World:
            await stage.execute(sa.delete(RefreshFamily))
            return World(stage, first.user, first.workspace, await stage.session(first.user, first.workspace))

        # The successor has been used.
        world = await fresh()
        second = await world.rotated()
        third = await world.rotated(second["refresh_token"])
        await world.refused(world.first.refresh.token)
        await world.ended(third["access_token"])
        # The same by the predecessor of a token that was replaced.
        world = await fresh()
        second = await world.rotated()
        await world.rotated(second["refresh_token"])
        third = await world.rotated(second["refresh_token"])
        await world.refused(world.first.refresh.token)
        await world.ended(third["access_token"])
        # Another client: one of the two marks is enough.
        for client in ({"agent": "thief/1.0"}, {"ip": "203.0.113.9"}):
            world = await fresh()
            second = await world.rotated()
            await world.refused(world.first.refresh.token, **client)
            await world.ended(second["access_token"])
        # The window opens no gate that is closed.
        world = await fresh()
        second = await world.rotated()
        await stage.execute(sa.delete(Membership))
        await world.refused(world.first.refresh.token)
        await world.ended(second["access_token"], reason="not_a_member")


async def test_RF_6_two_uses_in_one_instant_are_judged_strictly(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys, refresh_reuse_grace_seconds=60) as world:
        http = world.stage.client
        body = {"refresh_token": world.first.refresh.token}
        second = (await http.post("/auth/refresh", json=body)).json()
        third = (await http.post("/auth/refresh", json=second)).json()
        assert (await http.post("/auth/refresh", json=body)).status_code == 401
        await world.ended(third["access_token"])


async def test_RF_6_parallel_repetitions_leave_one_token(database_url: str, stage_keys: Keys) -> None:
    async with world_with(database_url, stage_keys, refresh_reuse_grace_seconds=60) as world:
        body = {"refresh_token": world.first.refresh.token}
        answers = await asyncio.gather(
            *(world.stage.client.post("/auth/refresh", json=body) for _ in range(10))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await world.stage.count(RefreshToken, RefreshToken.consumed_at.is_(None)) == 1
        alive = [answer.json() for answer in answers if await world.lets_in(answer.json()["access_token"])]
        assert len(alive) == 1
        await world.rotated(alive[0]["refresh_token"])
