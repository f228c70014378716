"""Verification at the edge without asking Sentinel: rotation, clocks, a broken line (``tokens.md`` §14)."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from sentinel.app import _reload_keys
from sentinel.tokens.keyring import generate_pair
from sentinel_auth import JWTAuthMiddleware, Sentinel
from tests.sdk.furniture import World, application, bearer, browser, furnish, signed
from tests.stage import Keys, open_stage

pytestmark = pytest.mark.anyio

FETCH = "GET /.well-known/jwks.json"


@pytest.fixture
async def rotating(
    anyio_backend: object, database_url: str, stage_keys: Keys, tmp_path: Path
) -> AsyncIterator[World]:
    """A world whose key files may be replaced; the retired key file holds the first key."""
    private, public, retired = (tmp_path / name for name in ("private.pem", "public.pem", "retired.pem"))
    shutil.copy(stage_keys.private, private)
    for path in (public, retired):
        shutil.copy(stage_keys.public, path)
    keys = Keys(private, public, stage_keys.idp)
    async with open_stage(database_url, keys, jwt_previous_public_key_paths=(retired,)) as stage:
        yield await furnish(stage)


async def rotate(world: World, folder: Path, *, keep_old: bool) -> None:
    generate_pair(folder / "new.pem", folder / "new.pub", bits=2048)
    (folder / "new.pem").replace(folder / "private.pem")
    shutil.copy(folder / "new.pub", folder / "public.pem")
    if not keep_old:
        shutil.copy(folder / "new.pub", folder / "retired.pem")
    (folder / "new.pub").unlink()
    world.stage.clock.advance(31)
    await _reload_keys(world.stage.state)


async def status(http: httpx.AsyncClient, token: str) -> int:
    return (await http.get("/me", headers=bearer(token))).status_code


async def test_SE_4_a_new_key_is_fetched_when_a_token_names_it(rotating: World, tmp_path: Path) -> None:
    world = rotating
    async with browser(application(world.sentinel())) as http:
        old = world.token(world.viewer)
        assert await status(http, old) == 200
        await rotate(world, tmp_path, keep_old=True)
        new = await world.stage.access_token(world.viewer, world.workspace)
        assert await status(http, new) == 200
        assert await status(http, old) == 200
        assert world.line.asked == [FETCH, FETCH]


async def test_K_10_and_L36_a_key_that_was_withdrawn_is_dropped(rotating: World, tmp_path: Path) -> None:
    world = rotating
    async with browser(application(world.sentinel())) as http:
        old = await world.stage.access_token(world.viewer, world.workspace)
        assert await status(http, old) == 200
        await rotate(world, tmp_path, keep_old=False)
        assert await status(http, await world.stage.access_token(world.viewer, world.workspace)) == 200
        assert await status(http, old) == 401


async def test_L36_a_withdrawn_key_is_dropped_in_time_without_any_new_token(
    rotating: World, tmp_path: Path
) -> None:
    world = rotating
    async with browser(application(world.sentinel())) as http:
        old = await world.stage.access_token(world.viewer, world.workspace)
        assert await status(http, old) == 200
        await rotate(world, tmp_path, keep_old=False)
        world.stage.clock.advance(300)
        assert await status(http, old) == 401


async def test_L36_unknown_key_names_lead_to_one_look_a_minute(world: World) -> None:
    stranger = RSAKey.generate_key(2048)
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        for number in range(20):
            assert await status(http, signed(stranger, {"sub": "x"}, kid=f"k-{number}")) == 401
        assert world.line.asked == [FETCH] * 2
        world.stage.clock.advance(61)
        assert await status(http, signed(stranger, {"sub": "x"})) == 401
        assert await status(http, world.token(world.viewer)) == 200
        assert world.line.asked == [FETCH] * 3


async def test_SE_1_the_edge_never_asks_about_a_person(world: World) -> None:
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        with world.stage.statements() as statements:
            for _ in range(5):
                assert await status(http, world.token(world.viewer)) == 200
    assert world.line.asked == [FETCH]
    assert len(statements) == 0


async def test_a_broken_line_stops_nobody_whose_key_is_known_for_an_hour(world: World) -> None:
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        world.line.cut = True
        for minutes in (1, 10, 40):
            world.stage.clock.advance(60 * minutes)
            token = await world.stage.access_token(world.viewer, world.workspace)
            assert await status(http, token) == 200
        world.stage.clock.advance(60 * 10)
        token = await world.stage.access_token(world.viewer, world.workspace)
        assert await status(http, token) == 503
        world.line.cut = False
        world.stage.clock.advance(3)
        assert await status(http, token) == 200


async def test_a_broken_line_is_not_tried_by_every_request(world: World) -> None:
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        world.stage.clock.advance(301)
        world.line.cut = True
        world.line.requests.clear()
        for _ in range(10):
            assert await status(http, await world.stage.access_token(world.viewer, world.workspace)) == 200
        assert len(world.line.requests) <= 3


async def test_a_silent_issuer_holds_up_nobody_whose_key_is_at_hand(world: World) -> None:
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        world.stage.clock.advance(301)
        token = await world.stage.access_token(world.viewer, world.workspace)
        asked, answered = asyncio.Event(), asyncio.Event()

        async def silence(request: httpx.Request) -> None:
            asked.set()
            await answered.wait()

        world.line.meanwhile = silence
        first = asyncio.create_task(status(http, token))
        async with asyncio.timeout(30):  # the test fails instead of standing still
            await asked.wait()
            assert await asyncio.gather(*(status(http, token) for _ in range(20))) == [200] * 20
            assert not first.done()
            answered.set()
            assert await first == 200
    assert world.line.asked == [FETCH] * 2


async def test_keys_that_are_too_old_serve_nobody_while_they_are_fetched(
    rotating: World, tmp_path: Path
) -> None:
    world = rotating
    async with browser(application(world.sentinel())) as http:
        old = world.token(world.viewer)
        assert await status(http, old) == 200
        await rotate(world, tmp_path, keep_old=False)
        world.stage.clock.advance(3600)
        asked, answered = asyncio.Event(), asyncio.Event()

        async def silence(request: httpx.Request) -> None:
            asked.set()
            await answered.wait()

        world.line.meanwhile = silence
        first = asyncio.create_task(status(http, signed(RSAKey.generate_key(2048), {"sub": "x"})))
        await asked.wait()
        second = asyncio.create_task(status(http, old))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not second.done()
        answered.set()
        assert (await first, await second) == (401, 401)


async def test_keys_are_asked_for_once_with_five_seconds_of_patience(world: World) -> None:
    async with browser(application(world.sentinel())) as http:
        world.line.cut = True
        assert await status(http, world.token(world.viewer)) == 503
        assert world.line.asked == [FETCH]
        patience = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)
        assert world.line.requests[0].extensions["timeout"] == patience


@pytest.mark.parametrize("minutes", [0, 6], ids=["fresh", "stale"])
async def test_a_key_that_could_not_be_looked_up_is_503_and_not_a_wrong_token(
    rotating: World, tmp_path: Path, minutes: int
) -> None:
    world = rotating
    async with browser(application(world.sentinel())) as http:
        assert await status(http, world.token(world.viewer)) == 200
        await rotate(world, tmp_path, keep_old=True)
        world.stage.clock.advance(60 * minutes)
        new = await world.stage.access_token(world.viewer, world.workspace)
        world.line.requests.clear()
        world.line.cut = True
        assert [await status(http, new) for _ in range(10)] == [503] * 10
        assert await status(http, world.token(world.viewer)) == 200
        assert world.line.asked == [FETCH]
        world.line.cut = False
        world.stage.clock.advance(3)
        assert await status(http, new) == 200


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-11, 401), (-9, 200), (0, 200), (899, 200), (909, 200), (911, 401)]
)
async def test_clocks_may_be_ten_seconds_apart(world: World, seconds: int, expected: int) -> None:
    """The application's clock stands that many seconds after the moment of issue; the token lives 900."""
    issued = world.seconds()
    token = await world.stage.access_token(world.viewer, world.workspace)
    offset = int(issued) + seconds
    sentinel = world.sentinel(clock=lambda: float(offset))
    async with browser(application(sentinel)) as http:
        answer = await http.get("/me", headers=bearer(token))
    assert answer.status_code == expected
    if seconds > 900 and expected == 401:
        assert answer.json() == {"detail": "Token has expired"}


async def test_SE_4_a_pinned_key_does_not_rotate(rotating: World, tmp_path: Path, stage_keys: Keys) -> None:
    world = rotating
    app = FastAPI()
    app.add_middleware(JWTAuthMiddleware, public_key=stage_keys.public.read_text(), clock=world.seconds)
    async with browser(app) as http:
        old = world.token(world.viewer)
        assert await status(http, old) == 404
        await rotate(world, tmp_path, keep_old=True)
        assert await status(http, await world.stage.access_token(world.viewer, world.workspace)) == 401
        assert await status(http, old) == 404


async def test_SE_2_the_audience_cannot_be_left_out() -> None:
    nothing: list[Any] = [None, "", []]
    for audience in nothing:
        with pytest.raises(ValueError, match="idp_audience"):
            Sentinel(
                "http://localhost", "notes", "sk_x", idp_jwks_url="http://localhost", idp_audience=audience
            )
