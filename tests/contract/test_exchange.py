"""From a code to tokens over HTTP: A4 and A5, in every cell of their tables."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.models import LoginApp
from sentinel.identity.models import Organization, User
from sentinel.tokens.claims import TokenType
from sentinel.tokens.models import AuthorizationCode, RefreshFamily, RefreshToken
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

CANNOT = {"detail": "Cannot issue tokens for this workspace"}
BAD_CODE = {"detail": "Invalid or expired code"}
WRONG_VERIFIER = "w" * 64


@dataclass
class World:
    """One person who has signed in, with one workspace of his own."""

    stage: Stage
    app: LoginApp
    user: User
    workspace: Workspace
    pkce: Pkce = field(default_factory=Pkce)

    async def code(self) -> str:
        person = self.stage.idp.people["ada"]
        return await self.stage.code(person, self.app, self.pkce)

    def proof(self, code: str, /, **changes: Any) -> dict[str, Any]:
        body = {"code": code, "code_verifier": self.pkce.verifier} | changes
        return {name: value for name, value in body.items() if value is not None}

    async def list(self, code: str, /, **changes: Any) -> httpx.Response:
        """A4."""
        return await self.stage.client.post("/auth/workspaces", json=self.proof(code, **changes))

    async def exchange(
        self, code: str, workspace: Workspace | UUID | None = None, /, **changes: Any
    ) -> httpx.Response:
        """A5."""
        target = workspace if isinstance(workspace, UUID) else (workspace or self.workspace).id
        body = self.proof(code, workspace_id=str(target)) | changes
        return await self.stage.client.post(
            "/auth/token", json={name: value for name, value in body.items() if value is not None}
        )

    async def refused(self, answer: httpx.Response, status: int, body: dict[str, str]) -> None:
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers["cache-control"] == "no-store"
        assert await self.stage.count(RefreshFamily) == 0


@pytest.fixture
async def world(stage: Stage) -> World:
    app, person = await stage.login_app(), stage.person("ada@example.com", sub="ada")
    assert (await stage.sign_in(person, app, Pkce())).status_code == 302
    (user,) = await stage.all(User)
    await stage.execute(sa.delete(AuthorizationCode))
    return World(stage, app, user, await stage.workspace(user, name="First"))


@pytest.fixture
async def limited(database_url: str, stage_keys: Keys) -> AsyncIterator[Stage]:
    """A stage with limits that a few calls reach."""
    options: dict[str, Any] = {
        "rate_limit_enabled": True,
        "rate_limit_auth": "4/minute",
        "rate_limit_failed_auth": "2/minute",
    }
    async with open_stage(database_url, stage_keys, **options) as stage:
        yield stage


def reasons(lines: list[Any], event: str) -> list[str]:
    return [line["reason"] for line in lines if line["event"] == event]


# ── A4 ──


async def test_A4_lists_what_the_person_can_have_tokens_for(world: World) -> None:
    """Rules: authorization-7.9."""
    stage = world.stage
    acme = await stage.organization("acme.example.net")
    member = await stage.workspace(name="Second")
    await stage.join(member, world.user, "viewer")
    restricted = await stage.workspace(name="Restricted")
    await stage.join(restricted, world.user, "admin")
    await stage.restrict(restricted, acme)
    await stage.workspace(await stage.user(), name="Another's")
    code = await world.code()
    before = await stage.snapshot()
    for _ in range(2):
        answer = await world.list(code)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == [
            {"id": str(row.id), "name": row.name, "slug": row.slug, "role": role}
            for row, role in ((world.workspace, "owner"), (member, "viewer"))
        ]
    assert await stage.snapshot() == before, "the code is not used up"
    await stage.execute(sa.update(User).values(organization_id=acme.id))
    assert [row["name"] for row in (await world.list(code)).json()] == ["First", "Second", "Restricted"]
    await stage.execute(sa.update(Organization).where(Organization.id == acme.id).values(enabled=False))
    assert (await world.list(code)).json() == []
    assert (await world.exchange(code)).status_code == 403


async def test_A4_refusals(world: World) -> None:
    stage = world.stage
    code = await world.code()
    before = await stage.snapshot()
    with stage.events() as lines:
        unknown = await world.list("no such code")
        mismatch = await world.list(code, code_verifier=WRONG_VERIFIER)
        digest = await world.list(code, code_verifier=world.pkce.challenge)
    assert (unknown.status_code, unknown.json()) == (400, BAD_CODE)
    for answer in (mismatch, digest):
        assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid code verifier"})
    assert reasons(lines, "auth.token.rejected") == ["unknown_code", "pkce_mismatch", "pkce_mismatch"]
    assert await stage.snapshot() == before
    for verb in ("GET", "HEAD", "PUT", "DELETE"):
        answer = await stage.client.request(
            verb, f"/auth/workspaces?code={code}&code_verifier={world.pkce.verifier}"
        )
        assert answer.status_code == 405, "possession of the code alone discloses nothing"
    await stage.execute(sa.update(User).values(is_active=False))
    gone = await world.list(code)
    assert (gone.status_code, gone.json()) == (404, {"detail": "User not found"})
    await stage.execute(sa.update(User).values(is_active=True))
    await stage.execute(sa.update(AuthorizationCode).values(code_challenge=None))
    bare = await world.list(code)
    assert (bare.status_code, bare.json()) == (400, {"detail": "Code was issued without PKCE"})
    stage.clock.advance(300)
    assert (await world.list(code)).json() == BAD_CODE
    used = await world.code()
    assert (await world.exchange(used)).status_code == 200
    assert (await world.list(used)).json() == BAD_CODE
    deleted = await world.code()
    await stage.execute(sa.delete(User).where(User.id == world.user.id))
    assert (await world.list(deleted)).status_code == 400, "the code went with the person"


# ── A5 ──


async def test_A5_exchanges_a_code_for_a_pair(world: World) -> None:
    stage = world.stage
    code = await world.code()
    with stage.events() as lines:
        answer = await world.exchange(code)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    pair = answer.json()
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 900)
    claims = stage.state.verifier.user(pair["access_token"], allow=frozenset({TokenType.ACCESS}))
    assert (claims.user_id, claims.workspace_id) == (world.user.id, world.workspace.id)
    assert (await stage.client.get("/users/me", headers=bearer(pair["access_token"]))).status_code == 200
    refresh = stage.state.verifier.refresh(pair["refresh_token"])
    (family,) = await stage.all(RefreshFamily)
    assert refresh.family_id == family.id
    assert (family.user_id, family.workspace_id) == (world.user.id, world.workspace.id)
    assert (family.client_app_id, family.last_ip) == (world.app.id, "127.0.0.1")
    assert (family.last_user_agent, family.revoked_at) == ("stage/1.0", None)
    assert await stage.count(RefreshToken) == 1
    assert await stage.count(AuthorizationCode) == 0
    (issued,) = [line for line in lines if line["event"] == "auth.token.issued"]
    assert (issued["actor"], issued["workspace_id"]) == (str(world.user.id), str(world.workspace.id))
    assert pair["access_token"] not in repr(lines)
    with stage.events() as lines:
        again = await world.exchange(code)
    assert (again.status_code, again.json()) == (400, BAD_CODE)
    assert reasons(lines, "auth.token.rejected") == ["unknown_code"]
    assert (await stage.client.get("/auth/token")).status_code == 405


async def test_A5_expires_in_follows_the_setting(sqlite_url: str, stage_keys: Keys) -> None:
    async with open_stage(sqlite_url, stage_keys, access_token_expire_minutes=7) as stage:
        app, pkce = await stage.login_app(), Pkce()
        code = await stage.code(stage.person("ada@example.com"), app, pkce)
        (user,) = await stage.all(User)
        workspace = await stage.workspace(user)
        body = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(workspace.id)}
        pair = (await stage.client.post("/auth/token", json=body)).json()
        assert pair["expires_in"] == 420
        headers = bearer(pair["access_token"])
        stage.clock.advance(timedelta(minutes=7, seconds=-1).total_seconds())
        assert (await stage.client.get("/users/me", headers=headers)).status_code == 200
        stage.clock.advance(12)
        assert (await stage.client.get("/users/me", headers=headers)).status_code == 401


async def test_A5_every_refusal_uses_the_code_up(world: World) -> None:
    """Rules: A5, AC-8"""
    stage = world.stage
    acme = await stage.organization("acme.example.net")
    closed = await stage.organization("closed.example.net", enabled=False)
    foreign = await stage.workspace(await stage.user())
    restricted = await stage.workspace(world.user)
    await stage.restrict(restricted, acme)

    def user(**values: Any) -> Any:
        return sa.update(User).where(User.id == world.user.id).values(**values)

    def app(**values: Any) -> Any:
        return sa.update(LoginApp).values(**values)

    def codes(**values: Any) -> Any:
        return sa.update(AuthorizationCode).values(**values)

    home = world.workspace
    not_configured = {"detail": "The sign-in provider is no longer configured"}
    not_found, no_workspace = {"detail": "User not found"}, {"detail": "Workspace not found"}
    cases: list[tuple[Any, Any, Workspace | UUID, int, dict[str, str], str]] = [
        (None, None, foreign, 403, CANNOT, "not_a_member"),
        (None, None, restricted, 403, CANNOT, "org_not_permitted"),
        (user(organization_id=closed.id), user(organization_id=None), home, 403, CANNOT, "org_disabled"),
        (user(organization_id=None), None, restricted, 403, CANNOT, "org_not_permitted"),
        (user(is_active=False), user(is_active=True), home, 404, not_found, "inactive_user"),
        (user(is_active=False), user(is_active=True), foreign, 404, not_found, "inactive_user"),
        (user(is_active=False), user(is_active=True), uuid4(), 404, not_found, "inactive_user"),
        (None, None, uuid4(), 404, no_workspace, "unknown_workspace"),
        (app(is_active=False), app(is_active=True), home, 400, BAD_CODE, "app_inactive"),
        (codes(provider="gone"), None, home, 400, not_configured, "provider_not_configured"),
        (
            codes(code_challenge=None),
            None,
            home,
            *(400, {"detail": "Code was issued without PKCE"}, "no_challenge"),
        ),
    ]
    for before, after, workspace, status, body, reason in cases:
        code = await world.code()
        if before is not None:
            await stage.execute(before)
        rest = await stage.snapshot("authorization_codes")
        with stage.events() as lines:
            answer = await world.exchange(code, workspace)
        await world.refused(answer, status, body)
        assert reasons(lines, "auth.token.rejected") == [reason]
        assert await stage.snapshot("authorization_codes") == rest, "nothing else was written"
        assert await stage.count(AuthorizationCode) == 0, reason
        if after is not None:
            await stage.execute(after)
        await world.refused(await world.exchange(code), 400, BAD_CODE)
    code = await world.code()
    await world.refused(
        await world.exchange(code, code_verifier=WRONG_VERIFIER), 400, {"detail": "Invalid code verifier"}
    )
    await world.refused(await world.exchange(code), 400, BAD_CODE)
    code = await world.code()
    stage.clock.advance(300)
    await world.refused(await world.exchange(code), 400, BAD_CODE)
    code = await world.code()
    await stage.execute(sa.delete(Membership).where(Membership.workspace_id == home.id))
    await world.refused(await world.exchange(code), 403, CANNOT)


async def test_A4_and_A5_malformed_bodies_are_422_and_use_nothing_up(world: World) -> None:
    stage = world.stage
    code = await world.code()
    before = await stage.snapshot()
    both: list[tuple[dict[str, Any], str]] = [
        ({"code": None}, "code"),
        ({"code_verifier": None}, "code_verifier"),
        ({"code_verifier": "v" * 42}, "code_verifier"),
        ({"code_verifier": "v" * 129}, "code_verifier"),
        ({"code_verifier": ""}, "code_verifier"),
        ({"code_verifier": 7}, "code_verifier"),
        ({"code_verifier": ["v" * 43]}, "code_verifier"),
        ({"code": {"$ne": ""}}, "code"),
        ({"code": True}, "code"),
        ({"code": "c" * 5000}, "code"),
        ({"code": "c\x00"}, "code"),
    ]
    cases = [(await world.list(code, **changes), name) for changes, name in both]
    cases += [(await world.exchange(code, **changes), name) for changes, name in both]
    cases += [
        (await world.exchange(code, workspace_id=value), "workspace_id")
        for value in (None, "", "first", 7, f"{world.workspace.id}x")
    ]
    for answer, name in cases:
        assert answer.status_code == 422, answer.text
        (problem, *_) = answer.json()["detail"]
        assert problem.keys() == {"loc", "msg", "type"}
        assert problem["loc"] == ["body", name]
    assert await stage.snapshot() == before
    assert (await world.exchange(code)).status_code == 200


async def test_A5_and_L15_further_fields_change_nothing(world: World) -> None:
    stage = world.stage
    other = await stage.user()
    extra = {
        "user_id": str(other.id),
        "sub": str(other.id),
        "wrole": "owner",
        "role": "owner",
        "is_admin": True,
        "token_epoch": 99,
        "ep": 99,
        "expires_in": 10**9,
        "client_app_id": str(uuid4()),
        "organization_id": str(uuid4()),
        "groups": [str(uuid4())],
    }
    viewed = await stage.workspace(other)
    await stage.join(viewed, world.user, "viewer")
    code = await world.code()
    before = await stage.snapshot("authorization_codes", "refresh_families", "refresh_tokens")
    assert [row["role"] for row in (await world.list(code, **extra)).json()] == ["owner", "viewer"]
    answer = await world.exchange(code, viewed, **extra)
    assert answer.json()["expires_in"] == 900
    claims = stage.state.verifier.user(answer.json()["access_token"], allow=frozenset({TokenType.ACCESS}))
    assert (claims.user_id, claims.workspace_role, claims.epoch) == (world.user.id, "viewer", 0)
    (family,) = await stage.all(RefreshFamily)
    assert (family.user_id, family.client_app_id) == (world.user.id, world.app.id)
    assert await stage.snapshot("authorization_codes", "refresh_families", "refresh_tokens") == before


async def test_A4_and_A5_without_database_are_503(world: World) -> None:
    code = await world.code()
    async with world.stage.without_database():
        answers = [await world.list(code), await world.exchange(code)]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (503, {"detail": "Service temporarily unavailable"})
        assert int(answer.headers["retry-after"]) > 0
    assert (await world.exchange(code)).status_code == 200, "the code outlived the outage"


async def test_A4_and_A5_are_limited_per_address_and_route(limited: Stage) -> None:
    body = {"code": "c", "code_verifier": "v" * 43, "workspace_id": "x"}
    for path, status in (("/auth/workspaces", 400), ("/auth/token", 422)):
        answers = [await limited.client.post(path, json=body) for _ in range(5)]
        if status == 422:
            assert [answer.status_code for answer in answers] == [422] * 4 + [429]
        else:
            # Guessed codes are counted by themselves, over all routes.
            assert [answer.status_code for answer in answers] == [400, 400, 429, 429, 429]
        assert answers[-1].json() == {"detail": "Too many requests"}
        assert answers[-1].headers["retry-after"] == "60"
    limited.clock.advance(60)
    good = body | {"workspace_id": str(uuid4())}
    assert [(await limited.client.post("/auth/token", json=good)).status_code for _ in range(3)] == [
        *(400, 400, 429)
    ]
