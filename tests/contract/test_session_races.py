"""Races for sessions: whatever comes first, nothing slips through a revocation (``tokens.md`` DL-11)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.app import _sweep
from sentinel.apps import login_apps
from sentinel.apps.models import LoginApp
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.login import codes, sessions
from sentinel.tokens import families, revocation
from sentinel.tokens.families import ClientContext, TokenPair
from sentinel.tokens.models import AuthorizationCode, RefreshFamily, RefreshToken
from sentinel.tokens.sweep import sweep
from sentinel.workspaces.models import Workspace
from tests.races import in_a_row
from tests.stage import PROVIDER, USER_AGENT, Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

CONTEXT = ClientContext.of("127.0.0.1", USER_AGENT)


@dataclass(frozen=True)
class World:
    """A member of a workspace who signs in through an application."""

    stage: Stage
    user: User
    workspace: Workspace
    app: LoginApp
    pkce: Pkce = field(default_factory=Pkce)

    async def code(self) -> str:
        async with self.stage.state.database.transaction() as session:
            return await codes.issue_code(
                session,
                user_id=self.user.id,
                client_app_id=self.app.id,
                provider=PROVIDER,
                code_challenge=self.pkce.challenge,
                now=self.stage.clock.now(),
            )

    async def session(self) -> TokenPair:
        return await self.stage.session(self.user, self.workspace, self.app)

    async def exchange(self, code: str) -> httpx.Response:
        body = {"code": code, "code_verifier": self.pkce.verifier, "workspace_id": str(self.workspace.id)}
        return await patiently(lambda: self.stage.client.post("/auth/token", json=body))

    async def refresh(self, token: str) -> httpx.Response:
        body = {"refresh_token": token}
        return await patiently(lambda: self.stage.client.post("/auth/refresh", json=body))

    async def in_session(self, session: AsyncSession, code: str) -> TokenPair:
        """The exchange as a use case, in a transaction that the test commits."""
        return await sessions.exchange(
            session,
            self.stage.state.issuer,
            code,
            self.pkce.verifier,
            self.workspace.id,
            configured=[PROVIDER],
            context=CONTEXT,
            clock=self.stage.clock,
        )

    async def set_active(self, active: bool) -> None:
        async with self.stage.state.database.transaction() as session:
            now = self.stage.clock.now()
            await users.set_active(session, self.user.id, active, actor_id=None, now=now)

    async def unusable(self, access_token: str, refresh_token: str) -> None:
        """Neither token of a pair opens anything."""
        answer = await self.stage.client.get("/users/me", headers=bearer(access_token))
        assert answer.status_code == 401
        assert (await self.refresh(refresh_token)).status_code == 401

    async def nothing_of(self, answers: list[httpx.Response]) -> None:
        """Of what these answers brought nothing is usable."""
        for answer in answers:
            if answer.status_code == 200:
                await self.unusable(answer.json()["access_token"], answer.json()["refresh_token"])


async def furnish(stage: Stage) -> World:
    user = await stage.user()
    return World(stage, user, await stage.workspace(user), await stage.login_app())


@pytest.fixture
async def world(stage: Stage) -> World:
    return await furnish(stage)


@pytest.fixture
async def postgres_world(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[World]:
    """For races that SQLite cannot have, as it writes one transaction at a time."""
    async with open_stage(postgresql_url, stage_keys) as stage:
        yield await furnish(stage)


async def patiently(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Repeat what a busy machine answers 503: nothing has happened then."""
    answer = await call()
    while answer.status_code == 503:
        answer = await call()
    return answer


# --- on both databases -----------------------------------------------------------------------------------------


async def test_DL_2_and_DL_11_nothing_survives_logouts_among_refreshes(world: World) -> None:
    """Rules: A7, RF-3."""
    pairs = [await world.session() for _ in range(4)]

    async def log_out(pair: TokenPair) -> httpx.Response:
        headers = bearer(pair.access.token)
        return await patiently(lambda: world.stage.client.post("/auth/logout", headers=headers))

    calls = []
    for pair in pairs:
        calls += [world.refresh(pair.refresh.token), log_out(pair), world.refresh(pair.refresh.token)]
        calls += [world.refresh(pair.refresh.token), log_out(pair)]
    assert len(calls) == 20
    # Where a token is used twice before, that ends the session, and there is nothing to log out of; here it is not.
    pairs.append(await world.session())
    calls += [world.refresh(pairs[-1].refresh.token), log_out(pairs[-1])]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert any(answer.status_code == 200 and "ok" in answer.json() for answer in answers)
    await world.nothing_of([answer for answer in answers if "access_token" in answer.json()])
    for pair in pairs:
        await world.unusable(pair.access.token, pair.refresh.token)
    assert await world.stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 0


async def test_DL_5_nothing_survives_a_deactivation_among_refreshes_and_exchanges(world: World) -> None:
    """Rules: DL-6, DL-11, L17."""
    pairs = [await world.session() for _ in range(4)]
    ready = [await world.code() for _ in range(4)]
    first = [world.refresh(pair.refresh.token) for pair in pairs[:2]] + [
        world.exchange(one) for one in ready[:2]
    ]
    second = [world.refresh(pair.refresh.token) for pair in pairs[2:]] + [
        world.exchange(one) for one in ready[2:]
    ]
    *answers, _ = await asyncio.gather(*first, *second, world.set_active(False))
    done = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert {answer.status_code for answer in done} <= {200, 401, 404}
    await world.set_active(True)
    await world.nothing_of(done)
    for pair in pairs:
        await world.unusable(pair.access.token, pair.refresh.token)


# --- step by step on PostgreSQL --------------------------------------------------------------------------------


async def test_AC_8_a_workspace_that_vanishes_in_the_moment_of_the_exchange(postgres_world: World) -> None:
    world = postgres_world
    code = await world.code()
    _, answer = await in_a_row(
        world.stage,
        lambda session: session.execute(sa.delete(Workspace).where(Workspace.id == world.workspace.id)),
        world.exchange(code),
    )
    assert answer.status_code == 403
    assert await world.stage.count(AuthorizationCode) == await world.stage.count(RefreshFamily) == 0


@pytest.mark.parametrize("deleted", [False, True])
async def test_DL_9_and_DL_11_no_exchange_slips_through_while_an_app_is_closed(
    postgres_world: World, deleted: bool
) -> None:
    world, database, now = (
        postgres_world,
        postgres_world.stage.state.database,
        postgres_world.stage.clock.now(),
    )

    async def close(session: Any) -> None:
        if deleted:
            await login_apps.delete(session, world.app.id, actor_id=None, now=now)
        else:
            await login_apps.change(
                session,
                world.app.id,
                is_active=False,
                revoke_sessions=True,
                allow_plain_http=False,
                actor_id=None,
                now=now,
            )

    async def close_now() -> None:
        async with database.transaction() as session:
            await close(session)

    # The exchange is under way when the app is closed: its session ends with the others.
    code = await world.code()
    pair, refusal = await in_a_row(world.stage, lambda session: world.in_session(session, code), close_now())
    assert refusal is None
    (family,) = await world.stage.all(RefreshFamily)
    assert family.revoked_at is not None
    body = {"refresh_token": pair.refresh.token}
    assert (await world.stage.client.post("/auth/refresh", json=body)).status_code == 401
    assert (await world.stage.client.get("/users/me", headers=bearer(pair.access.token))).status_code == 401
    # The closing is under way when the exchange comes: it finds the app closed.
    other = replace(world, app=await world.stage.login_app())
    code = await other.code()
    world = other
    _, answer = await in_a_row(world.stage, close, other.exchange(code))
    assert answer.status_code == 400
    assert await world.stage.count(RefreshFamily) == 1
    assert await world.stage.count(AuthorizationCode) == 0


async def test_DL_5_no_exchange_slips_through_while_a_person_is_deactivated(postgres_world: World) -> None:
    """Rules: VR-9, L17."""
    world = postgres_world
    async with world.stage.state.database.transaction() as exchanging:
        pair = await world.in_session(exchanging, await world.code())
        await world.set_active(False)
    await world.set_active(True)
    # The family is younger than the revocation, but its tokens are of the epoch before.
    await world.unusable(pair.access.token, pair.refresh.token)
    (family,) = await world.stage.all(RefreshFamily)
    assert family.revoke_reason == "outdated_epoch"


async def test_DL_5_no_rotation_slips_through_while_a_person_is_deactivated(postgres_world: World) -> None:
    """Rules: RF-8, DL-11."""
    world, state = postgres_world, postgres_world.stage.state
    old = await world.session()
    subject = await world.stage.subject(world.user, world.workspace)
    now = world.stage.clock.now()

    async def rotate(session: AsyncSession) -> TokenPair:
        claims = state.verifier.refresh(old.refresh.token)
        used = await families.consume(session, claims, context=CONTEXT, grace=timedelta(), now=now)
        return await families.issue_pair(
            session, state.issuer, subject, family_id=used.family_id, issued_at=used.consumed_at
        )

    new, refusal = await in_a_row(world.stage, rotate, world.set_active(False))
    assert refusal is None
    assert await world.stage.count(RefreshToken) == 0
    await world.set_active(True)
    for pair in (old, new):
        await world.unusable(pair.access.token, pair.refresh.token)


async def test_DL_8_revocations_take_people_and_families_in_one_order(postgres_world: World) -> None:
    """Two revocations of many cannot wait for each other when neither holds what comes later in the order."""
    world, stage = postgres_world, postgres_world.stage
    # Stored from the last to the first, so that the order of the table is the wrong one.
    crowd = sorted([await stage.user() for _ in range(6)], key=lambda user: user.id, reverse=True)
    await stage.execute(sa.delete(User).where(User.id.in_([user.id for user in crowd])))
    for user in crowd:
        await stage.execute(sa.insert(User).values(id=user.id, email=user.email, name=user.name))
    ids = [user.id for user in crowd]
    many = sorted([uuid4() for _ in range(6)], reverse=True)
    for family_id, user_id in zip(many, ids, strict=True):
        row = {"id": family_id, "user_id": user_id, "workspace_id": world.workspace.id}
        await stage.execute(sa.insert(RefreshFamily).values(row | {"client_app_id": world.app.id}))
    now = stage.clock.now()

    async def revoke_people() -> None:
        async with stage.state.database.transaction() as session:
            await revocation.revoke_users(session, ids, reason="test", now=now)

    async def close_sessions() -> None:
        async with stage.state.database.transaction() as session:
            await revocation.revoke_login_app(session, world.app.id, reason="test", now=now)

    for revoke, key, rows in (
        (close_sessions, RefreshFamily.id, many),
        (revoke_people, User.id, ids),
    ):
        of_first = sa.select(key).where(key == rows[-1]).with_for_update()
        of_rest = sa.select(key).where(key.in_(rows[:-1])).with_for_update(nowait=True)
        _, refusal = await in_a_row(
            stage,
            partial(AsyncSession.execute, statement=of_first),
            revoke(),
            then=partial(AsyncSession.execute, statement=of_rest),
        )
        assert refusal is None
    assert await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 0
    assert {user.token_epoch for user in await stage.all(User, User.id.in_(ids))} == {1}


async def test_RF_2_sweeping_waits_for_nobody(postgres_world: World) -> None:
    world, stage = postgres_world, postgres_world.stage
    held, _ = await world.session(), await world.session()
    await world.code()
    stage.clock.advance(timedelta(days=8).total_seconds())
    async with stage.state.database.transaction() as session:
        by_jti = RefreshToken.jti == held.refresh.jti
        await session.execute(sa.select(RefreshToken.jti).where(by_jti).with_for_update())
        await asyncio.wait_for(_sweep(stage.state), 5)
        assert [row.jti for row in await stage.all(RefreshToken)] == [held.refresh.jti]
        assert await stage.count(AuthorizationCode) == 0
    await _sweep(stage.state)
    assert await stage.count(RefreshToken) == await stage.count(RefreshFamily) == 0


async def test_RF_2_one_process_sweeps_at_a_time(postgres_world: World) -> None:
    world, stage = postgres_world, postgres_world.stage
    await world.session()
    database, lifetime = stage.state.database, stage.state.issuer.lifetimes.refresh
    begun = stage.clock.now()
    stage.clock.advance(timedelta(days=8).total_seconds())
    async with database.transaction() as first, database.transaction() as second:
        # It finds nothing, and so holds no row; that it has not ended keeps the other one away.
        assert await sweep(first, refresh_lifetime=lifetime, now=begun) == 0
        assert await sweep(second, refresh_lifetime=lifetime, now=stage.clock.now()) == 0
    async with database.transaction() as third:
        assert await sweep(third, refresh_lifetime=lifetime, now=stage.clock.now()) == 2
