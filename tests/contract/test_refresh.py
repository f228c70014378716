"""Rotation of refresh tokens, and what ends a family (``tokens.md`` §6, ``http-api.md`` A6)."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from sentinel.app import _sweep
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, User
from sentinel.tokens.families import TokenPair
from sentinel.tokens.models import RefreshFamily, RefreshToken, RevokedToken
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import BASE_URL, USER_AGENT, Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

REFUSED = (401, {"detail": "Invalid refresh token"})
"""RF-13: one constant for every failure."""


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

    async def refused(self, token: str, **client: str) -> list[Any]:
        """``token`` is refused; returns the log lines of that."""
        with self.stage.events() as lines:
            answer = await self.refresh(token, **client)
        assert (answer.status_code, answer.json()) == REFUSED
        return lines

    async def lets_in(self, access_token: str) -> bool:
        answer = await self.stage.client.get("/users/me", headers=bearer(access_token))
        return answer.status_code == 200

    async def family(self) -> RefreshFamily:
        (family,) = await self.stage.all(RefreshFamily)
        assert isinstance(family, RefreshFamily)
        return family

    async def ended(self, *access_tokens: str, reason: str) -> None:
        """The family is over: marked, without records, and none of its access tokens lets in."""
        family = await self.family()
        assert (family.revoked_at, family.revoke_reason) == (self.stage.clock.now(), reason)
        assert await self.stage.count(RefreshToken) == 0
        for token in access_tokens:
            assert not await self.lets_in(token)

    async def update(self, model: type[Any], id: UUID, **values: Any) -> None:
        await self.stage.execute(sa.update(model).where(model.id == id).values(**values))


async def furnish(stage: Stage) -> World:
    user = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(user)
    return World(stage, user, workspace, await stage.session(user, workspace))


@pytest.fixture
async def world(stage: Stage) -> World:
    return await furnish(stage)


def claims_in(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def named(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


# --- rotation --------------------------------------------------------------------------------------------------


async def test_RF_4_and_A6_a_rotation_renews_the_pair_and_stays_in_its_family(world: World) -> None:
    """Rules: RF-1, RF-2, RF-3."""
    stage, commits = world.stage, 0

    def count(_: Any) -> None:
        nonlocal commits
        commits += 1

    engine = stage.state.database.engine.sync_engine
    event.listen(engine, "commit", count)
    with stage.statements() as seen, stage.events() as lines:
        answer = await world.refresh(world.first.refresh.token)
    event.remove(engine, "commit", count)
    assert (len(seen) <= 6, commits) == (True, 1), seen.texts
    body = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (body.keys(), body["token_type"], body["expires_in"]) == (
        {"access_token", "refresh_token", "token_type", "expires_in"},
        "bearer",
        900,
    )
    assert [line["outcome"] for line in named(lines, "auth.token.refreshed")] == ["success"]
    tokens = [world.first.refresh.token, body["refresh_token"]]
    old, new = (claims_in(token) for token in tokens)
    family = await world.family()
    assert old["fid"] == new["fid"] == str(family.id)
    assert old["jti"] != new["jti"]
    access = claims_in(body["access_token"])
    assert (access["wid"], access["sub"]) == (str(world.workspace.id), str(world.user.id))
    rows = {str(row.jti): row for row in await stage.all(RefreshToken)}
    assert set(rows) == {old["jti"], new["jti"]}
    assert (rows[old["jti"]].consumed_at, rows[new["jti"]].consumed_at) == (stage.clock.now(), None)
    assert str(rows[new["jti"]].access_jti) == access["jti"]
    for _ in range(3):
        body = await world.rotated(body["refresh_token"])
        assert claims_in(body["refresh_token"])["fid"] == str(family.id)
        assert await world.lets_in(body["access_token"])
    assert (await world.family()).user_id == world.user.id
    assert await stage.count(RefreshToken, RefreshToken.consumed_at.is_(None)) == 1


async def test_RF_3_and_L16_of_parallel_uses_one_wins_and_its_family_dies(world: World) -> None:
    """Rules: RF-5."""

    async def use() -> httpx.Response:
        body = {"refresh_token": world.first.refresh.token}
        answer = await world.stage.client.post("/auth/refresh", json=body)
        while answer.status_code == 503:  # a busy machine; nothing has happened then
            answer = await world.stage.client.post("/auth/refresh", json=body)
        return answer

    answers = await asyncio.gather(*(use() for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 49
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    await world.ended(world.first.access.token, winner["access_token"], reason="refresh_reuse")
    await world.refused(winner["refresh_token"])


async def test_RF_2_records_are_kept_as_long_as_a_token_can_be_shown(world: World) -> None:
    stage, week = world.stage, timedelta(days=7)
    second = await world.rotated()
    stage.clock.advance(week.total_seconds() - 3600)
    await _sweep(stage.state)
    assert await stage.count(RefreshToken) == 2, "a used token is still recognised when it is shown again"
    third = await world.rotated(second["refresh_token"])
    stage.clock.advance(3601)
    await _sweep(stage.state)
    assert [str(row.jti) for row in await stage.all(RefreshToken)] == [
        claims_in(third["refresh_token"])["jti"]
    ]
    assert await stage.count(RefreshFamily) == 1
    stage.clock.advance(week.total_seconds())
    await _sweep(stage.state)
    assert await stage.count(RefreshToken) == await stage.count(RefreshFamily) == 0
    await world.refused(third["refresh_token"])


async def test_RF_2_a_revoked_family_is_remembered_while_its_tokens_live(world: World) -> None:
    """Also one that has outlived the life of a token long before it was revoked."""
    clock, day = world.stage.clock, 86400
    clock.advance(6 * day)
    second = await world.rotated()
    third = await world.rotated(second["refresh_token"])
    clock.advance(2 * day)
    await world.refused(second["refresh_token"])
    await _sweep(world.stage.state)
    assert await world.stage.count(RefreshFamily) == 1
    clock.advance(5 * day - 60)
    assert claims_in(third["refresh_token"])["exp"] > clock.timestamp()
    await _sweep(world.stage.state)
    assert await world.stage.count(RefreshFamily) == 1
    await world.refused(third["refresh_token"])
    clock.advance(2 * day + 60)
    await _sweep(world.stage.state)
    assert await world.stage.count(RefreshFamily) == 0


async def test_RF_10_a_new_access_token_says_what_is_true_now(world: World) -> None:
    stage = world.stage
    partner = await stage.organization("partner.example")
    await world.update(User, world.user.id, name="Ada Lovelace", organization_id=partner.id)
    await stage.execute(sa.update(Membership).values(role="editor"))
    group = await stage.group(world.workspace, world.user)
    await world.update(Workspace, world.workspace.id, slug="renamed")
    claims = claims_in((await world.rotated())["access_token"])
    assert (claims["name"], claims["wrole"], claims["wslug"]) == ("Ada Lovelace", "editor", "renamed")
    assert claims["groups"] == [str(group.id)]
    assert (claims["oid"], claims["oslug"], claims["opub"]) == (str(partner.id), partner.slug, False)


# --- reuse -----------------------------------------------------------------------------------------------------


async def test_RF_5_and_RF_8_reuse_revokes_the_family_and_every_access_token_of_it(world: World) -> None:
    stage = world.stage
    other = await stage.session(world.user, world.workspace)
    second = await world.rotated()
    third = await world.rotated(second["refresh_token"])
    family = claims_in(second["refresh_token"])["fid"]
    stage.clock.advance(2)
    lines = await world.refused(second["refresh_token"], agent="thief/1.0", ip="203.0.113.9")
    for token in (world.first.access.token, second["access_token"], third["access_token"]):
        assert not await world.lets_in(token), "also of pairs whose refresh token was rotated before"
        assert await stage.count(RevokedToken, RevokedToken.jti == UUID(claims_in(token)["jti"])) == 1
    assert await world.lets_in(other.access.token)
    (reused,) = await stage.all(RefreshFamily, RefreshFamily.revoked_at.is_not(None))
    assert (str(reused.id), reused.revoke_reason) == (family, "refresh_reuse")
    assert await stage.count(RefreshToken, RefreshToken.family_id == reused.id) == 0
    (activity,) = await stage.activities("refresh_reuse_detected")
    assert (activity.target_type, activity.target_id, activity.actor_id) == (
        "user",
        world.user.id,
        world.user.id,
    )
    assert activity.detail == {"family_id": family, "ip": "203.0.113.9", "user_agent": "thief/1.0"}
    (detected,) = named(lines, "auth.token.reuse_detected")
    assert (detected["outcome"], detected["log_level"]) == ("anomaly", "warning")
    assert len(named(lines, "auth.token.family_revoked")) == 1
    # The thief and the owner are both out; whose tokens are of the other family is in.
    for token in (second["refresh_token"], third["refresh_token"], world.first.refresh.token):
        await world.refused(token)
    await world.rotated(other.refresh.token)


async def test_RF_5_a_token_without_record_is_reuse_as_well(world: World) -> None:
    issuer, family = world.stage.state.issuer, await world.family()
    unknown = issuer.refresh(user_id=world.user.id, family_id=family.id, epoch=0).token
    assert named(await world.refused(unknown), "auth.token.reuse_detected")
    await world.ended(world.first.access.token, reason="refresh_reuse")
    # Of a family that nobody knows: refused and noted, and nothing else is touched.
    other = await world.stage.session(world.user, world.workspace)
    stranger = issuer.refresh(user_id=world.user.id, family_id=uuid4(), epoch=0).token
    assert named(await world.refused(stranger), "auth.token.reuse_detected")
    activity = (await world.stage.activities("refresh_reuse_detected"))[-1]
    assert activity.actor_id == activity.target_id == world.user.id
    # Of somebody else's family: the family stays his.
    (theirs,) = await world.stage.all(RefreshFamily, RefreshFamily.revoked_at.is_(None))
    bob = await world.stage.user("Bob Example")
    await world.refused(issuer.refresh(user_id=bob.id, family_id=theirs.id, epoch=0).token)
    await world.rotated(other.refresh.token)


async def test_RF_5_and_DL_11_a_family_ends_even_when_that_cannot_be_noted(world: World) -> None:
    """Rules: RF-7."""
    other = await world.stage.session(world.user, world.workspace)
    second = await world.rotated()
    await world.stage.forbid_inserts("activity_logs")
    lines = await world.refused(world.first.refresh.token)
    assert [line["reason"] for line in named(lines, "audit.write_failed")] == ["refresh_reuse_detected"]
    assert not await world.lets_in(second["access_token"])
    await world.update(User, world.user.id, is_active=False)
    lines = await world.refused(other.refresh.token)
    assert [line["reason"] for line in named(lines, "audit.write_failed")] == ["token_family_revoked"]
    assert await world.stage.count(RefreshToken) == 0
    assert await world.stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 0


async def test_RF_8_and_DL_1_expired_access_tokens_need_no_entry(world: World) -> None:
    world.stage.clock.advance(900 - 2)
    second = await world.rotated()
    world.stage.clock.advance(1)
    await world.refused(world.first.refresh.token)
    denied = await world.stage.all(RevokedToken)
    assert [str(row.jti) for row in denied] == [claims_in(second["access_token"])["jti"]]
    assert int(denied[0].expires_at.timestamp()) == claims_in(second["access_token"])["exp"]
    world.stage.clock.advance(900)
    await _sweep(world.stage.state)
    assert await world.stage.count(RevokedToken) == 0


# --- what ends a family besides --------------------------------------------------------------------------------


Change = Callable[[World], Awaitable[Any]]


async def user_inactive(world: World) -> None:
    await world.update(User, world.user.id, is_active=False)


async def membership_lost(world: World) -> None:
    await world.stage.execute(sa.delete(Membership))


async def not_on_the_list(world: World) -> None:
    await world.stage.restrict(world.workspace, await world.stage.organization("partner.example"))


async def organization_disabled(world: World) -> None:
    disabled = await world.stage.organization("partner.example", enabled=False)
    await world.update(User, world.user.id, organization_id=disabled.id)


async def epoch_raised(world: World) -> None:
    await world.update(User, world.user.id, token_epoch=1)


async def something_broken(world: World) -> None:
    await world.stage.forbid_inserts("refresh_tokens")


ENDS: list[tuple[Change, str]] = [
    (user_inactive, "inactive_user"),
    (membership_lost, "not_a_member"),
    (not_on_the_list, "org_not_permitted"),
    (organization_disabled, "org_disabled"),
    (epoch_raised, "outdated_epoch"),
    (something_broken, "unexpected_error"),
]


@pytest.mark.parametrize(("change", "reason"), ENDS, ids=[case[0].__name__ for case in ENDS])
async def test_RF_7_and_L17_any_failure_after_the_use_ends_the_family(
    world: World, change: Change, reason: str
) -> None:
    """Rules: VR-9, DL-5."""
    second = await world.rotated()
    await change(world)
    lines = await world.refused(second["refresh_token"])
    assert not named(lines, "auth.token.reuse_detected")
    await world.ended(world.first.access.token, second["access_token"], reason=reason)
    (activity,) = await world.stage.activities("token_family_revoked")
    assert (activity.target_id, activity.actor_id) == (world.user.id, world.user.id)
    assert activity.detail == {"family_id": str((await world.family()).id), "reason": reason}
    assert bool(named(lines, "app.error.unhandled")) is (reason == "unexpected_error")


async def test_RF_7_deleted_persons_and_workspaces_have_no_session(world: World) -> None:
    """The family goes with its row; the answer is the same."""
    await world.stage.execute(sa.delete(Workspace))
    await world.refused(world.first.refresh.token)
    workspace = await world.stage.workspace(world.user)
    session = await world.stage.session(world.user, workspace)
    await world.stage.execute(sa.delete(User))
    await world.refused(session.refresh.token)
    activity = (await world.stage.activities("refresh_reuse_detected"))[-1]
    assert (activity.target_id, activity.actor_id) == (world.user.id, None)


async def test_RF_7_states_that_do_not_end_a_family(world: World) -> None:
    """The public switch and an app that is switched off without its sessions touch nobody who is in."""
    await world.update(Organization, PUBLIC_ORGANIZATION_ID, enabled=False)
    family = await world.family()
    await world.stage.execute(sa.text("UPDATE client_apps SET is_active = false"))
    second = await world.rotated()
    assert await world.lets_in(second["access_token"])
    assert (await world.family()).id == family.id


async def test_RF_9_what_is_no_refresh_token_touches_no_family(world: World) -> None:
    """Rules: RF-13, L05."""
    stage, claims = world.stage, claims_in(world.first.refresh.token)

    def signed(**changes: Any) -> str:
        changed = {name: value for name, value in (claims | changes).items() if value is not ...}
        token: str = stage.state.keyring.sign(changed)
        return token

    now = stage.clock.timestamp()
    tampered = world.first.refresh.token[:-4] + "AAAA"
    before = await stage.snapshot()
    tokens = {
        "": "malformed",
        "x.y.z": "malformed",
        "\u00e9": "malformed",
        tampered: "bad_signature",
        world.first.access.token: "wrong_audience",
        await stage.authz_token(world.user, world.workspace, "notes"): "wrong_audience",
        signed(type="access"): "wrong_type",
        signed(iss="https://elsewhere.example.com"): "wrong_issuer",
        signed(exp=now - 1): "expired",
        signed(iat=now + 3600): "issued_in_future",
        signed(fid=...): "bad_claims",
        signed(sub=...): "bad_claims",
        signed(jti="x"): "bad_claims",
        signed(ep=...): "bad_claims",
    }
    for token, reason in tokens.items():
        lines = await world.refused(token)
        (rejected,) = named(lines, "auth.token.refresh_rejected")
        assert (rejected["outcome"], rejected["reason"]) == ("denied", reason)
        assert not named(lines, "auth.token.reuse_detected")
    assert await stage.snapshot() == before
    bodies: list[Any] = [{}, {"refresh_token": None}, {"refresh_token": "x" * 4097}, []]
    for body in bodies:
        assert (await stage.client.post("/auth/refresh", json=body)).status_code == 422
    assert await stage.snapshot() == before
    await world.rotated()


async def test_RF_9_a_refresh_token_ends_with_its_life(world: World) -> None:
    stage = world.stage
    stage.clock.advance(claims_in(world.first.refresh.token)["exp"] - stage.clock.timestamp() - 2)
    second = await world.rotated()
    await world.rotated(second["refresh_token"])
    lines = await world.refused(world.first.refresh.token)
    assert [line["reason"] for line in named(lines, "auth.token.refresh_rejected")] == ["expired"]
    assert (await world.family()).revoked_at is None


async def test_RF_11_a_new_context_is_noted_and_remembered(world: World) -> None:
    token = (await world.rotated())["refresh_token"]
    assert await world.stage.activities("refresh_context_changed") == []
    long = "agent " * 50
    for agent, ip in (("phone/2.0", "127.0.0.1"), ("phone/2.0", "203.0.113.9"), (long, "203.0.113.9")):
        before = await world.family()
        answer = await world.refresh(token, agent=agent, ip=ip)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
        changed = (await world.stage.activities("refresh_context_changed"))[-1]
        assert (changed.actor_id, changed.target_id) == (world.user.id, world.user.id)
        assert changed.detail == {
            "family_id": str(before.id),
            "old_ip": before.last_ip,
            "old_user_agent": before.last_user_agent,
            "ip": ip,
            "user_agent": agent[:200],
        }
        family = await world.family()
        assert (family.last_ip, family.last_user_agent) == (ip, agent[:200])
    # What differs beyond 200 characters is the same client.
    answer = await world.refresh(token, agent=long + "more", ip="203.0.113.9")
    assert answer.status_code == 200
    assert len(await world.stage.activities("refresh_context_changed")) == 3


async def test_RF_11_a_context_that_cannot_be_noted_breaks_nothing(world: World) -> None:
    await world.stage.forbid_inserts("activity_logs")
    with world.stage.events() as lines:
        answer = await world.refresh(world.first.refresh.token, agent="phone/2.0")
    assert answer.status_code == 200
    assert [line["reason"] for line in named(lines, "audit.write_failed")] == ["refresh_context_changed"]
    assert await world.lets_in(answer.json()["access_token"])
    answer = await world.refresh(answer.json()["refresh_token"], agent="phone/2.0")
    assert answer.status_code == 200


async def test_RF_12_a_family_can_grow_only_so_old(database_url: str, stage_keys: Keys) -> None:
    day = 86400
    for days in (30, 0):
        async with open_stage(database_url, stage_keys, refresh_family_max_days=days) as stage:
            await stage.execute(sa.delete(User))
            world = await furnish(stage)
            created = (await world.family()).created_at
            token = world.first.refresh.token
            for week in range(1, 6):
                stage.clock.advance(
                    (created + timedelta(days=6 * week) - stage.clock.now()).total_seconds() - 1
                )
                pair = await world.rotated(token)
                token = pair["refresh_token"]
            assert (stage.clock.now() - created).total_seconds() == 30 * day
            if days:
                await world.refused(token)
                await world.ended(pair["access_token"], reason="family_too_old")
            else:
                await world.rotated(token)
