"""Authorization codes and what they are exchanged for (``tokens.md`` §5, ``http-api.md`` A4 and A5)."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from sentinel.app import _sweep
from sentinel.apps.models import LoginApp
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, User
from sentinel.login import codes, sessions
from sentinel.tokens.families import ClientContext, TokenPair
from sentinel.tokens.models import AuthorizationCode, RefreshFamily, RefreshToken
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import PROVIDER, USER_AGENT, Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

CANNOT_ISSUE = {"detail": "Cannot issue tokens for this workspace"}
USED = {"detail": "Invalid or expired code"}


@dataclass(frozen=True)
class World:
    """A member of a workspace who has just come back from the provider of an application."""

    stage: Stage
    user: User
    workspace: Workspace
    app: LoginApp
    pkce: Pkce = field(default_factory=Pkce)

    async def code(self, **changes: Any) -> str:
        """A fresh code, with changed columns if wished."""
        async with self.stage.state.database.transaction() as session:
            code = await codes.issue_code(
                session,
                user_id=self.user.id,
                client_app_id=self.app.id,
                provider=PROVIDER,
                code_challenge=self.pkce.challenge,
                now=self.stage.clock.now(),
            )
            if changes:
                by_hash = AuthorizationCode.code_hash == hashed(code)
                await session.execute(sa.update(AuthorizationCode).where(by_hash).values(**changes))
        return code

    def proof(self, code: str, **changes: Any) -> dict[str, Any]:
        return {"code": code, "code_verifier": self.pkce.verifier} | changes

    async def choices(self, code: str, **changes: Any) -> httpx.Response:
        return await self.stage.client.post("/auth/workspaces", json=self.proof(code, **changes))

    async def exchange(self, code: str, **changes: Any) -> httpx.Response:
        body = self.proof(code, workspace_id=str(self.workspace.id)) | changes
        return await self.stage.client.post("/auth/token", json=body)

    async def in_session(self, session: Any, code: str) -> TokenPair:
        """The exchange as a use case, in a transaction that the test commits."""
        return await sessions.exchange(
            session,
            self.stage.state.issuer,
            code,
            self.pkce.verifier,
            self.workspace.id,
            configured=[PROVIDER],
            context=ClientContext.of("127.0.0.1", USER_AGENT),
            clock=self.stage.clock,
        )

    async def update(self, model: type[Any], id: UUID, **values: Any) -> None:
        await self.stage.execute(sa.update(model).where(model.id == id).values(**values))


@pytest.fixture
async def world(stage: Stage) -> World:
    user = await stage.user(email="ada@example.com")
    return World(stage, user, await stage.workspace(user), await stage.login_app())


def hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def claims_in(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def patiently(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Repeat what a busy machine answers 503: nothing has happened then."""
    answer = await call()
    while answer.status_code == 503:
        answer = await call()
    return answer


# --- the code --------------------------------------------------------------------------------------------------


async def test_AC_1_a_code_is_random_and_stored_as_its_hash_only(world: World) -> None:
    made = {await world.code() for _ in range(20)}
    assert len(made) == 20
    for code in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code), "32 bytes in base64url"
        assert len(base64.urlsafe_b64decode(code + "=")) == 32
    rows = await world.stage.all(AuthorizationCode)
    assert {row.code_hash for row in rows} == {hashed(code) for code in made}
    everything = json.dumps(await world.stage.snapshot())
    assert not any(code in everything for code in made)


async def test_AC_1_a_code_lives_300_seconds_and_not_one_longer(world: World) -> None:
    early, late, last = await world.code(), await world.code(), await world.code()
    world.stage.clock.advance(299.9)
    assert (await world.choices(early)).status_code == 200
    assert (await world.exchange(early)).status_code == 200
    world.stage.clock.advance(0.1)
    for answer in (await world.choices(late), await world.exchange(late)):
        assert (answer.status_code, answer.json()) == (400, USED)
    assert await world.stage.count(AuthorizationCode) == 2
    fresh = await world.code()
    await _sweep(world.stage.state)
    assert [row.code_hash for row in await world.stage.all(AuthorizationCode)] == [hashed(fresh)]
    assert (await world.exchange(last)).status_code == 400
    assert (await world.exchange(fresh)).status_code == 200


async def test_AC_2_the_record_of_a_sign_in(world: World) -> None:
    await world.stage.link(world.user, subject="sub-ada")
    code = await world.stage.code(world.stage.person("ada@example.com", sub="sub-ada"), world.app, world.pkce)
    (row,) = await world.stage.all(AuthorizationCode)
    assert (row.code_hash, row.user_id, row.provider) == (hashed(code), world.user.id, PROVIDER)
    assert (row.client_app_id, row.code_challenge_method) == (world.app.id, "S256")
    assert row.code_challenge == world.pkce.challenge
    assert (row.expires_at - world.stage.clock.now()).total_seconds() == 300
    assert (await world.exchange(code)).status_code == 200


async def test_AC_3_no_code_when_the_pair_is_no_longer_registered_at_the_callback(world: World) -> None:
    """Rules: RO-2."""
    person = world.stage.person("ada@example.com")
    started = await world.stage.start(world.app, world.pkce)
    callback = await world.stage.at_provider(started, person)
    await world.update(LoginApp, world.app.id, redirect_uris=["https://elsewhere.example.com/"])
    assert (await world.stage.client.get(callback)).status_code == 400
    assert await world.stage.count(AuthorizationCode) == 0


async def test_AC_4_and_L16_of_parallel_exchanges_one_wins(world: World) -> None:
    code = await world.code()
    answers = await asyncio.gather(*(patiently(lambda: world.exchange(code)) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert await world.stage.count(RefreshFamily) == 1
    assert await world.stage.count(RefreshToken) == 1
    (winner,) = [answer for answer in answers if answer.status_code == 200]
    access = bearer(winner.json()["access_token"])
    assert (await world.stage.client.get("/users/me", headers=access)).status_code == 200


async def test_AC_4_two_workers_exchange_one_code_once(
    world: World, database_url: str, stage_keys: Keys
) -> None:
    async with open_stage(database_url, stage_keys, clock=world.stage.clock) as other:
        elsewhere = replace(world, stage=other)
        for _ in range(5):
            code = await world.code()
            answers = await asyncio.gather(world.exchange(code), elsewhere.exchange(code))
            assert sorted(answer.status_code for answer in answers) == [200, 400]
    assert await world.stage.count(RefreshFamily) == 5


# --- workspaces behind a code ----------------------------------------------------------------------------------


async def test_AC_5_and_A4_the_list_needs_the_proof_and_uses_nothing_up(world: World) -> None:
    stage = world.stage
    second = await stage.workspace(name="Second")
    await stage.join(second, world.user, "viewer")
    await stage.workspace(name="Of others")
    partner = await stage.organization("partner.example")
    closed = await stage.workspace(name="Closed")
    await stage.join(closed, world.user, "admin")
    await stage.restrict(closed, partner)
    code = await world.code()
    for _ in range(2):
        listed = await world.choices(code)
        assert (listed.status_code, listed.json()) == (
            200,
            [
                {
                    "id": str(workspace.id),
                    "name": workspace.name,
                    "slug": workspace.slug,
                    "role": role,
                }
                for workspace, role in ((world.workspace, "owner"), (second, "viewer"))
            ],
        )
    # Possession of the code alone discloses nothing, and a wrong guess takes it from nobody.
    with stage.events() as events:
        refused = await world.choices(code, code_verifier=Pkce().verifier)
        assert refused.status_code == 400
        assert (await world.choices("unknown")).status_code == 400
    assert [line["reason"] for line in events if line["event"] == "auth.token.rejected"] == [
        "pkce_mismatch",
        "unknown_code",
    ]
    for body in ({"code": code}, world.proof(code, code_verifier="")):
        assert (await stage.client.post("/auth/workspaces", json=body)).status_code == 422
    assert (await stage.client.get("/auth/workspaces", params={"code": code})).status_code == 405
    for refusal, workspace in ((200, world.workspace), (400, second)):
        answer = await world.exchange(code, workspace_id=str(workspace.id))
        assert answer.status_code == refusal
    assert (await world.choices(code)).status_code == 400


async def test_A4_what_cannot_be_had_is_not_listed(world: World) -> None:
    partner = await world.stage.organization("partner.example")
    await world.update(User, world.user.id, organization_id=partner.id)
    code = await world.code()
    assert len((await world.choices(code)).json()) == 1
    await world.update(Organization, partner.id, enabled=False)
    answer = await world.choices(code)
    assert (answer.status_code, answer.json()) == (200, [])
    await world.update(User, world.user.id, is_active=False)
    with world.stage.events() as events:
        answer = await world.choices(code)
    assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})
    assert ("auth.token.rejected", "inactive_user") in [(line["event"], line["reason"]) for line in events]


# --- the proof -------------------------------------------------------------------------------------------------


async def test_AC_6_only_the_verifier_of_the_challenge_is_a_proof(world: World) -> None:
    verifier, challenge = world.pkce.verifier, world.pkce.challenge
    for guess in (challenge, verifier[:-1] + "!", verifier + "A", verifier.swapcase(), "é" * 43):
        code = await world.code()
        answer = await world.exchange(code, code_verifier=guess)
        assert answer.status_code == 400, guess
        assert await world.stage.count(AuthorizationCode) == 0
    # The comparison is over the digest: a challenge that is the verifier itself, as "plain" has it, proves nothing.
    for changes in (
        {"code_challenge": verifier},
        {"code_challenge_method": "plain", "code_challenge": verifier},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": None},
        {"code_challenge": f"{challenge}="},
    ):
        assert (await world.choices(await world.code(**changes))).status_code == 400, changes
        assert (await world.exchange(await world.code(**changes))).status_code == 400, changes
    assert await world.stage.count(RefreshFamily) == 0
    assert (await world.exchange(await world.code())).status_code == 200


async def test_AC_7_length_of_the_verifier_and_codes_without_challenge(world: World) -> None:
    code = await world.code()
    for length in (0, 42, 129):
        for answer in (
            await world.choices(code, code_verifier="v" * length),
            await world.exchange(code, code_verifier="v" * length),
        ):
            assert answer.status_code == 422, length
    assert (await world.exchange(code)).status_code == 200, "what is malformed uses nothing up"
    for length in (43, 128):
        pkce = Pkce("v" * length)
        code = await replace(world, pkce=pkce).code()
        assert (await world.exchange(code, code_verifier=pkce.verifier)).status_code == 200
    for challenge in (None, ""):
        code = await world.code(code_challenge=challenge)
        assert (await world.choices(code)).status_code == 400
        assert (await world.exchange(code)).status_code == 400
        assert await world.stage.count(AuthorizationCode) == 0


# --- the exchange ----------------------------------------------------------------------------------------------


async def test_A5_and_RF_1_an_exchange_opens_one_family_and_issues_a_pair(world: World) -> None:
    stage = world.stage
    partner = await stage.organization("partner.example")
    await world.update(User, world.user.id, organization_id=partner.id)
    await stage.restrict(world.workspace, partner)
    groups = [await stage.group(world.workspace, world.user) for _ in range(2)]
    await stage.group(await stage.workspace(world.user), world.user)
    code, commits = await world.code(), 0

    def count(_: Any) -> None:
        nonlocal commits
        commits += 1

    engine = stage.state.database.engine.sync_engine
    event.listen(engine, "commit", count)
    with stage.statements() as seen, stage.events() as events:
        answer = await world.exchange(code)
    event.remove(engine, "commit", count)
    assert (len(seen) <= 6, commits) == (True, 1), seen.texts
    assert answer.status_code == 200
    body = answer.json()
    assert (body.keys(), body["token_type"], body["expires_in"]) == (
        {"access_token", "refresh_token", "token_type", "expires_in"},
        "bearer",
        900,
    )
    assert answer.headers["cache-control"] == "no-store"
    access, refresh = claims_in(body["access_token"]), claims_in(body["refresh_token"])
    now = stage.clock.timestamp()
    assert set(access.pop("groups")) == {str(group.id) for group in groups}
    UUID(access.pop("jti"))
    assert access == {
        "iss": stage.settings.base_url,
        "sub": str(world.user.id),
        "aud": "sentinel:access",
        "type": "access",
        "email": "ada@example.com",
        "name": "Ada Example",
        "wid": str(world.workspace.id),
        "wslug": world.workspace.slug,
        "wrole": "owner",
        "oid": str(partner.id),
        "oslug": partner.slug,
        "opub": False,
        "iat": now,
        "exp": now + 900,
        "ep": 0,
    }
    (family,) = await stage.all(RefreshFamily)
    assert (family.user_id, family.workspace_id) == (world.user.id, world.workspace.id)
    assert (family.client_app_id, family.revoked_at) == (world.app.id, None)
    assert (family.last_ip, family.last_user_agent) == ("127.0.0.1", USER_AGENT)
    UUID(refresh.pop("jti"))
    assert refresh == {
        "iss": stage.settings.base_url,
        "sub": str(world.user.id),
        "fid": str(family.id),
        "aud": "sentinel:refresh",
        "type": "refresh",
        "iat": now,
        "exp": now + 7 * 86400,
        "ep": 0,
    }
    issued = [line for line in events if line["event"] == "auth.token.issued"]
    assert [(line["outcome"], line["actor"]) for line in issued] == [("success", str(world.user.id))]


async def test_A5_organization_claims_of_somebody_without_any(world: World) -> None:
    await world.update(Organization, PUBLIC_ORGANIZATION_ID, enabled=False)
    await world.update(User, world.user.id, organization_id=None)
    access = claims_in((await world.exchange(await world.code())).json()["access_token"])
    assert (access["oid"], access["oslug"], access["opub"], access["groups"]) == (None, None, False, [])


Change = Callable[[World], Awaitable[Any]]


async def no_membership(world: World) -> None:
    await world.stage.execute(sa.delete(Membership))


async def other_organizations_only(world: World) -> None:
    await world.stage.restrict(world.workspace, await world.stage.organization("partner.example"))


async def organization_disabled(world: World) -> None:
    disabled = await world.stage.organization("partner.example", enabled=False)
    await world.update(User, world.user.id, organization_id=disabled.id)


async def disabled_though_listed(world: World) -> None:
    await organization_disabled(world)
    (organization,) = await world.stage.all(Organization, Organization.is_public.is_(False))
    await world.stage.restrict(world.workspace, organization)


async def no_organization_in_a_restricted_workspace(world: World) -> None:
    await world.update(User, world.user.id, organization_id=None)
    await world.update(Organization, PUBLIC_ORGANIZATION_ID, enabled=False)
    await other_organizations_only(world)


async def app_deleted(world: World) -> None:
    await world.stage.execute(sa.delete(LoginApp))


async def app_inactive(world: World) -> None:
    await world.update(LoginApp, world.app.id, is_active=False)


async def user_deleted(world: World) -> None:
    await world.stage.execute(sa.delete(User))


async def user_inactive(world: World) -> None:
    await world.update(User, world.user.id, is_active=False)


async def workspace_deleted(world: World) -> None:
    await world.stage.execute(sa.delete(Workspace))


async def provider_gone(world: World) -> None:
    await world.stage.execute(sa.update(AuthorizationCode).values(provider="yesterday"))


REFUSED: list[tuple[Change, int, str]] = [
    (no_membership, 403, "not_a_member"),
    (other_organizations_only, 403, "org_not_permitted"),
    (no_organization_in_a_restricted_workspace, 403, "org_not_permitted"),
    (organization_disabled, 403, "org_disabled"),
    (disabled_though_listed, 403, "org_disabled"),
    (user_inactive, 404, "inactive_user"),
    (user_deleted, 400, "unknown_code"),
    (workspace_deleted, 404, "unknown_workspace"),
    (app_inactive, 400, "app_inactive"),
    (app_deleted, 400, "unknown_code"),
    (provider_gone, 400, "provider_not_configured"),
]


@pytest.mark.parametrize(("change", "status", "reason"), REFUSED, ids=[case[0].__name__ for case in REFUSED])
async def test_AC_9_and_L17_and_AC_8_no_tokens_in_this_state(
    world: World, change: Change, status: int, reason: str
) -> None:
    """Rules: A5, DL-5."""
    code = await world.code()
    await change(world)
    before = await world.stage.snapshot("authorization_codes")
    with world.stage.events() as events:
        answer = await world.exchange(code)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json() == CANNOT_ISSUE, "one text for all"
    assert [
        (line["outcome"], line["reason"]) for line in events if line["event"] == "auth.token.rejected"
    ] == [("denied", reason)]
    assert not [line for line in events if line["event"] == "auth.token.issued"]
    # Nothing is written but that the code is used up.
    assert await world.stage.snapshot("authorization_codes") == before
    assert await world.stage.count(AuthorizationCode) == 0
    again = await world.exchange(code)
    assert (again.status_code, again.json()) == (400, USED)


async def test_AC_9_states_that_do_not_stand_in_the_way(world: World) -> None:
    """The public switch closes sign-in and touches nobody who is in; a list admits those whom it names."""
    await world.update(Organization, PUBLIC_ORGANIZATION_ID, enabled=False)
    assert (await world.exchange(await world.code())).status_code == 200
    partner = await world.stage.organization("example.com")
    await world.update(User, world.user.id, organization_id=None)
    await world.stage.restrict(world.workspace, partner)
    answer = await world.exchange(await world.code())
    assert answer.status_code == 200, "by the organization of the address, as none is stored"
    assert claims_in(answer.json()["access_token"])["oid"] == str(partner.id)


async def test_AC_8_a_failed_exchange_leaves_the_code_used_up(world: World) -> None:
    stranger = await world.stage.workspace(await world.stage.user())
    for changes, status in (
        ({"code_verifier": Pkce().verifier}, 400),
        ({"workspace_id": str(uuid4())}, 404),
        ({"workspace_id": str(stranger.id)}, 403),
    ):
        code = await world.code()
        assert (await world.exchange(code, **changes)).status_code == status
        again = await world.exchange(code)
        assert (again.status_code, again.json()) == (400, USED), changes
    assert await world.stage.count(RefreshFamily) == 0


async def test_AC_8_an_exchange_that_breaks_leaves_the_code_used_up(world: World) -> None:
    code = await world.code()
    await world.stage.forbid_inserts("refresh_tokens")
    with world.stage.events() as events:
        answer = await world.exchange(code)
    assert answer.status_code in (403, 500)
    assert set(answer.json()) == {"detail"} and "forbids" not in answer.text
    assert not [line for line in events if line["event"] == "auth.token.issued"]
    assert await world.stage.count(AuthorizationCode) == await world.stage.count(RefreshFamily) == 0
