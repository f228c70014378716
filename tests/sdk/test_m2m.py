"""Tokens between services, end to end (``python-sdk.md`` §2, ``tokens.md`` §9)."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import Depends, FastAPI
from joserfc.jwk import RSAKey

from sentinel.apps.models import Realm
from sentinel_auth import Sentinel, SentinelError, SystemAuth
from tests.sdk.furniture import World, bearer, browser, signed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def realm(world: World) -> Realm:
    return await world.stage.realm("suite")


async def member(world: World, realm: Realm, name: str) -> Sentinel:
    service = await world.stage.service(name, realm=realm)
    return Sentinel(
        world.url, name, service.key, "proxy", issuer=world.url, transport=world.line, clock=world.seconds
    )


def receiver(sentinel: Sentinel) -> FastAPI:
    app = FastAPI(lifespan=sentinel.lifespan)

    @app.post("/internal/reindex")
    async def reindex(caller: SystemAuth = Depends(sentinel.require_system)) -> list[object]:
        return [caller.caller, caller.svc, caller.actions, caller.can("anything")]

    sentinel.protect(app, exclude_paths=["/internal"])
    return app


async def test_MM_4_two_services_of_a_realm_call_each_other(world: World, realm: Realm) -> None:
    caller, called = await member(world, realm, "letters"), await member(world, realm, "search")
    async with called.lifespan(None), browser(receiver(called)) as http:
        token = await caller.mint_m2m_token()
        answer = await http.post("/internal/reindex", headers=bearer(token))
        assert answer.json() == ["letters", "suite", ["*"], True]
        assert called.verify_m2m_token(token) == SystemAuth("letters", ["*"], "suite")
        assert await called.averify_m2m_token(token) == called.verify_m2m_token(token)
        for headers in ({}, {"Authorization": "Basic x"}, bearer("x")):
            assert (await http.post("/internal/reindex", headers=headers)).status_code == 401
        user = bearer(world.token(world.viewer))
        assert (await http.post("/internal/reindex", headers=user)).status_code == 401


async def test_minting_is_shared_and_renewed_after_four_fifths_of_its_life(
    world: World, realm: Realm
) -> None:
    sentinel = await member(world, realm, "letters")
    tokens = await asyncio.gather(*(sentinel.mint_m2m_token() for _ in range(30)))
    assert len(set(tokens)) == 1
    assert world.line.asked == ["POST /realm/m2m-token"]
    assert world.line.requests[0].content == b"{}"
    world.stage.clock.advance(239)
    assert await sentinel.mint_m2m_token() == tokens[0]
    world.stage.clock.advance(2)
    assert await sentinel.mint_m2m_token() != tokens[0]
    assert len(world.line.requests) == 2


async def test_MM_1_outside_a_realm_there_is_nothing_to_mint(world: World) -> None:
    sentinel = world.sentinel()
    errors = await asyncio.gather(*(sentinel.mint_m2m_token() for _ in range(3)), return_exceptions=True)
    assert {error.status_code for error in errors if isinstance(error, SentinelError)} == {403}
    assert len({id(error) for error in errors}) == 3
    world.line.answers = [httpx.Response(201, json={"token": "x", "expires_in": 300})]
    with pytest.raises(SentinelError) as error:
        await sentinel.mint_m2m_token()
    assert error.value.status_code == 201


async def test_every_wrong_token_has_its_status(world: World, realm: Realm) -> None:
    sentinel = await member(world, realm, "letters")
    token = await sentinel.mint_m2m_token()
    with pytest.raises(SentinelError) as early:
        sentinel.verify_m2m_token(token)
    assert early.value.status_code == 503
    await sentinel.fetch_sentinel_public_key()
    with pytest.raises(SentinelError) as standalone:
        sentinel.verify_m2m_token(token)
    assert standalone.value.status_code == 403
    await sentinel.fetch_whoami()
    issuer = world.stage.state.issuer

    def m2m(slug: str = "suite", target: str | None = None, seconds: int = 300) -> str:
        made: str = issuer.m2m(
            realm_slug=slug, caller="search", target=target, lifetime=timedelta(seconds=seconds)
        ).token
        return made

    assert sentinel.verify_m2m_token(m2m(target="letters")).caller == "search"
    stranger = signed(RSAKey.generate_key(2048), {"aud": "sentinel:m2m", "type": "m2m"})
    cases = [
        (m2m("other"), 403),
        (m2m(target="search"), 403),
        (m2m(seconds=-60), 401),
        (world.token(world.viewer), 401),
        (stranger, 401),
        ("", 401),
    ]
    for wrong, status in cases:
        for verify in (sentinel.verify_m2m_token, sentinel.averify_m2m_token):
            with pytest.raises(SentinelError) as error:
                outcome = verify(wrong)
                if not isinstance(outcome, SystemAuth):
                    await outcome
            assert error.value.status_code == status
    assert sentinel.sentinel_public_key is not None
    assert sentinel.sentinel_public_key.startswith("-----BEGIN PUBLIC KEY-----")


async def test_keys_that_cannot_be_fetched_are_503(world: World, realm: Realm) -> None:
    caller, called = await member(world, realm, "letters"), await member(world, realm, "search")
    token = await caller.mint_m2m_token()
    world.line.cut = True
    async with browser(receiver(called)) as http:
        assert (await http.post("/internal/reindex", headers=bearer(token))).status_code == 503
