"""What ends tokens before their time, and for whom (``tokens.md`` §7)."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from sentinel.apps import login_apps
from sentinel.apps.models import LoginApp
from sentinel.core.clock import ManualClock
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.tokens import revocation
from sentinel.tokens.families import TokenPair
from sentinel.tokens.models import RefreshFamily, RefreshToken, RevokedToken
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.stage import Furnished, Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Person:
    """Somebody with a session in each of two workspaces and with tokens of every kind."""

    stage: Stage
    user: User
    sessions: tuple[TokenPair, TokenPair]
    authz: str
    admin: str

    async def revoked(self) -> None:
        """Every session and every token of the person is over, in all workspaces (§0.9 "revoke user")."""
        http, state = self.stage.client, self.stage.state
        for pair in self.sessions:
            assert (await http.get("/users/me", headers=bearer(pair.access.token))).status_code == 401
            body = {"refresh_token": pair.refresh.token}
            assert (await http.post("/auth/refresh", json=body)).status_code == 401
        assert (await http.get("/users/me", headers={"X-Authz-Token": self.authz})).status_code == 401
        (user,) = await self.stage.all(User, User.id == self.user.id)
        assert user.token_epoch == self.user.token_epoch + 1
        assert state.verifier.admin(self.admin).epoch < user.token_epoch
        for family in await self.stage.all(RefreshFamily, RefreshFamily.user_id == self.user.id):
            assert family.revoked_at is not None

    async def untouched(self) -> None:
        http = self.stage.client
        (user,) = await self.stage.all(User, User.id == self.user.id)
        assert user.token_epoch == self.user.token_epoch
        assert (await http.get("/users/me", headers={"X-Authz-Token": self.authz})).status_code == 200
        for pair in self.sessions:
            assert (await http.get("/users/me", headers=bearer(pair.access.token))).status_code == 200
            assert await self.stage.count(RefreshToken, RefreshToken.jti == pair.refresh.jti) == 1


@dataclass(frozen=True)
class World:
    """Two members of two workspaces and of one group, and the owner of all that."""

    stage: Stage
    owner: User
    workspace: Workspace
    group: Group
    app: LoginApp
    ada: Person
    bob: Person

    @property
    def path(self) -> str:
        return f"/workspaces/{self.workspace.id}"

    async def ask(self, method: str, path: str, **options: Any) -> None:
        """Do something as the owner."""
        headers = await self.stage.as_user(self.owner, self.workspace)
        answer = await self.stage.client.request(method, path, headers=headers, **options)
        assert answer.status_code in (200, 204), answer.text

    async def use(self, case: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        """Run a use case in a transaction of its own."""
        async with self.stage.state.database.transaction() as session:
            return await case(session, *arguments, **options)

    @property
    def by_admin(self) -> dict[str, Any]:
        return {"actor_id": None, "now": self.stage.clock.now()}


async def arrive(stage: Stage, name: str, app: LoginApp, *workspaces: Workspace) -> Person:
    user = await stage.user(name, is_admin=True)
    for workspace in workspaces:
        await stage.join(workspace, user)
    first, second = workspaces
    return Person(
        stage,
        user,
        (await stage.session(user, first, app), await stage.session(user, second, app)),
        await stage.authz_token(user, first, "notes"),
        stage.state.issuer.admin(user_id=user.id, email=user.email, name=name, epoch=0).token,
    )


async def furnish(stage: Stage) -> World:
    owner, app = await stage.user("Owner Example"), await stage.login_app()
    workspaces = await stage.workspace(owner), await stage.workspace(owner)
    ada = await arrive(stage, "Ada Example", app, *workspaces)
    bob = await arrive(stage, "Bob Example", app, *workspaces)
    group = await stage.group(workspaces[0], ada.user)
    return World(stage, owner, workspaces[0], group, app, ada, bob)


@pytest.fixture
async def world(copied_stage: Furnished) -> AsyncIterator[World]:
    async with copied_stage(furnish) as (stage, model):
        ada, bob = replace(model.ada, stage=stage), replace(model.bob, stage=stage)
        yield replace(model, stage=stage, ada=ada, bob=bob)


# --- the denylist ----------------------------------------------------------------------------------------------


async def test_DL_1_an_entry_lives_as_long_as_the_token_it_refuses(world: World) -> None:
    now, jtis = world.stage.clock.now(), [uuid4() for _ in range(3)]
    for jti, seconds in zip(jtis, (60, 0, -60), strict=True):
        await world.use(revocation.deny, jti, now + timedelta(seconds=seconds), now=now)
    await world.use(revocation.deny, jtis[0], now + timedelta(seconds=60), now=now)
    (row,) = await world.stage.all(RevokedToken)
    assert (row.jti, row.expires_at) == (jtis[0], now + timedelta(seconds=60))


async def test_DL_3_an_admin_token_is_denied_by_its_own_id_and_for_its_own_life(world: World) -> None:
    claims = world.stage.state.verifier.admin(world.ada.admin)
    await world.use(revocation.deny, claims.jti, claims.expires_at, now=world.stage.clock.now())
    (row,) = await world.stage.all(RevokedToken)
    payload = world.ada.admin.split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (row.jti, int(row.expires_at.timestamp())) == (UUID(told["jti"]), told["exp"])
    await world.ada.untouched()


# --- logging out -----------------------------------------------------------------------------------------------


async def test_DL_2_and_A7_logging_out_ends_every_session_of_the_person(world: World) -> None:
    shown = world.ada.sessions[1].access
    # A token that belongs to no family is denied by its own id.
    loose = await world.stage.access_token(world.ada.user, world.workspace)
    with world.stage.events() as lines:
        answer = await world.stage.client.post("/auth/logout", headers=bearer(loose))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert answer.headers["clear-site-data"] == '"cookies", "storage"'
    await world.ada.revoked()
    await world.bob.untouched()
    denied = {row.jti for row in await world.stage.all(RevokedToken)}
    assert shown.jti in denied
    assert len(denied) == 3, "both access tokens of the families and the one that was shown"
    assert (await world.stage.client.post("/auth/logout", headers=bearer(loose))).status_code == 401
    (activity,) = await world.stage.activities("user_logout")
    assert (activity.actor_id, activity.target_id) == (world.ada.user.id, world.ada.user.id)
    assert ("auth.token.revoked", "logout") in [(line["event"], line["reason"]) for line in lines]


class TickingClock(ManualClock):
    """A second passes whenever somebody looks at it."""

    def now(self) -> Any:
        self.advance(1)
        return super().now()


async def test_DL_2_the_token_may_expire_during_the_call(database_url: str, stage_keys: Keys) -> None:
    clock = TickingClock()
    async with open_stage(database_url, stage_keys, clock=clock) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        session = await stage.session(user, workspace)
        clock.advance((session.access.expires_at - ManualClock.now(clock)).total_seconds() - 2)
        answer = await stage.client.post("/auth/logout", headers=bearer(session.access.token))
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert ManualClock.now(clock) >= session.access.expires_at
        assert await stage.count(RevokedToken) == 0, "what has expired needs no entry"
        assert await stage.count(RefreshToken) == 0
        assert len(await stage.activities("user_logout")) == 1


# --- every event that revokes a person -------------------------------------------------------------------------


Cause = Callable[[World], Awaitable[Any]]


async def tokens_revoked(world: World) -> None:
    assert await world.use(users.revoke, world.ada.user.id, **world.by_admin) == 2


async def deactivated(world: World) -> None:
    await world.use(users.set_active, world.ada.user.id, False, **world.by_admin)


async def demoted(world: World) -> None:
    await world.use(users.set_admin, world.ada.user.id, False, **world.by_admin)


async def role_changed(world: World) -> None:
    await world.ask("PATCH", f"{world.path}/members/{world.ada.user.id}", json={"role": "editor"})


async def removed_from_workspace(world: World) -> None:
    await world.ask("DELETE", f"{world.path}/members/{world.ada.user.id}")


async def removed_from_group(world: World) -> None:
    await world.ask("DELETE", f"{world.path}/groups/{world.group.id}/members/{world.ada.user.id}")


async def group_deleted(world: World) -> None:
    await world.ask("DELETE", f"{world.path}/groups/{world.group.id}")


async def organization_revoked(world: World) -> None:
    """The revocation that disabling an organization brings along: of every user of it, in one go."""
    partner = await world.stage.organization("partner.example")
    by_id = User.id == world.ada.user.id
    await world.stage.execute(sa.update(User).where(by_id).values(organization_id=partner.id))
    everybody = sa.select(User.id).where(User.organization_id == partner.id)
    await world.use(revocation.revoke_users, everybody, reason="org_disabled", now=world.stage.clock.now())


CAUSES = [
    tokens_revoked,
    deactivated,
    demoted,
    role_changed,
    removed_from_workspace,
    removed_from_group,
    group_deleted,
    organization_revoked,
]


@pytest.mark.parametrize("cause", CAUSES, ids=[cause.__name__ for cause in CAUSES])
async def test_DL_8_and_VR_9_a_revoked_person_is_out_everywhere_and_nobody_else(
    world: World, cause: Cause
) -> None:
    """Rules: DL-4, DL-5, DL-7, DL-10, W8, W9, G4, G7."""
    with world.stage.events() as lines:
        await cause(world)
    ended = [line for line in lines if line["event"] == "auth.token.family_revoked"]
    assert len(ended) == 2 and len({line["family_id"] for line in ended}) == 2
    await world.bob.untouched()
    await world.ada.revoked()
    # A fresh sign-in works at once, unless the person himself is switched off.
    other = await world.stage.all(Workspace, Workspace.id != world.workspace.id)
    fresh = await world.stage.session(world.ada.user, other[0], world.app)
    answer = await world.stage.client.get("/users/me", headers=bearer(fresh.access.token))
    assert answer.status_code == (401 if cause is deactivated else 200)


async def test_DL_10_deleting_a_workspace_revokes_every_member_of_it(world: World) -> None:
    """Rules: W5, VR-9."""
    outsider = await arrive(
        world.stage, "Eve Example", world.app, await world.stage.workspace(), await world.stage.workspace()
    )
    await world.ask("DELETE", world.path)
    await world.ada.revoked()
    await world.bob.revoked()
    await outsider.untouched()
    (owner,) = await world.stage.all(User, User.id == world.owner.id)
    assert owner.token_epoch == 1


async def test_DL_8_what_changes_nothing_revokes_nobody(world: World) -> None:
    """Rules: W8, G6."""
    await world.ask("PATCH", f"{world.path}/members/{world.ada.user.id}", json={"role": "viewer"})
    other = await world.stage.group(world.workspace)
    headers = await world.stage.as_user(world.owner, world.workspace)
    path = f"{world.path}/groups/{other.id}/members/{world.ada.user.id}"
    assert (await world.stage.client.post(path, headers=headers)).status_code == 201
    await world.use(users.set_active, world.ada.user.id, True, **world.by_admin)
    await world.use(users.set_admin, world.ada.user.id, True, **world.by_admin)
    await world.ada.untouched()


async def test_DL_4_the_count_is_of_usable_refresh_tokens(world: World) -> None:
    body = {"refresh_token": world.ada.sessions[0].refresh.token}
    assert (await world.stage.client.post("/auth/refresh", json=body)).status_code == 200
    assert await world.use(users.revoke, world.ada.user.id, **world.by_admin) == 2
    (activity,) = await world.stage.activities("tokens_revoked")
    assert (activity.target_id, activity.detail) == (world.ada.user.id, {"tokens_revoked": 2})
    assert await world.use(users.revoke, world.ada.user.id, **world.by_admin) == 0


async def test_DL_5_a_deactivated_person_comes_in_by_no_way(world: World) -> None:
    """Rules: ID-10, A3."""
    stage = world.stage
    person = stage.person("ada@example.com", sub="sub-ada")
    await stage.link(world.ada.user, subject="sub-ada")
    pkce = Pkce()
    code = await stage.code(person, world.app, pkce)
    await deactivated(world)
    answer = await stage.sign_in(person, world.app, pkce)
    assert answer.status_code == 403
    proof = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(world.workspace.id)}
    assert (await stage.client.post("/auth/token", json=proof)).status_code == 404
    await world.ada.revoked()
    assert await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 2, "those of Bob"


async def test_DL_6_old_tokens_stay_dead_when_a_person_is_activated_again(world: World) -> None:
    await deactivated(world)
    await world.use(users.set_active, world.ada.user.id, True, **world.by_admin)
    await world.ada.revoked()
    assert [row.action for row in await world.stage.activities() if row.action.startswith("user_")] == [
        "user_deactivated",
        "user_activated",
    ]
    fresh = await world.stage.as_user(world.ada.user, world.workspace)
    assert (await world.stage.client.get("/users/me", headers=fresh)).status_code == 200


# --- login apps ------------------------------------------------------------------------------------------------


async def switch_off(world: World, *, revoke_sessions: bool) -> int:
    _, revoked = await world.use(
        login_apps.change,
        world.app.id,
        is_active=False,
        revoke_sessions=revoke_sessions,
        allow_plain_http=False,
        **world.by_admin,
    )
    return int(revoked)


@pytest.mark.parametrize("deleted", [False, True])
async def test_DL_9_a_closed_app_takes_its_own_sessions_along(world: World, deleted: bool) -> None:
    stage = world.stage
    other = await stage.session(world.ada.user, world.workspace, await stage.login_app(name="Other"))
    if deleted:
        assert await world.use(login_apps.delete, world.app.id, **world.by_admin) == 4
    else:
        assert await switch_off(world, revoke_sessions=True) == 4
    for person in (world.ada, world.bob):
        for pair in person.sessions:
            answer = await stage.client.get("/users/me", headers=bearer(pair.access.token))
            assert answer.status_code == 401
            body = {"refresh_token": pair.refresh.token}
            assert (await stage.client.post("/auth/refresh", json=body)).status_code == 401
    # It is the app that was closed, not the person.
    assert (await stage.client.get("/users/me", headers=bearer(other.access.token))).status_code == 200
    body = {"refresh_token": other.refresh.token}
    assert (await stage.client.post("/auth/refresh", json=body)).status_code == 200
    assert {user.token_epoch for user in await stage.all(User)} == {0}
    action = "client_app_deleted" if deleted else "client_app_updated"
    (activity,) = await stage.activities(action)
    assert activity.detail is not None and activity.detail["tokens_revoked"] == 4


async def test_DL_9_an_app_that_is_only_switched_off_leaves_its_sessions(world: World) -> None:
    assert await switch_off(world, revoke_sessions=False) == 0
    await world.ada.untouched()
    body = {"refresh_token": world.ada.sessions[0].refresh.token}
    assert (await world.stage.client.post("/auth/refresh", json=body)).status_code == 200


# --- one transaction -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["revoked_tokens", "activity_logs"])
async def test_DL_11_cause_and_revocation_happen_together_or_not_at_all(world: World, table: str) -> None:
    stage = world.stage
    await stage.forbid_inserts(table)
    before = await stage.snapshot()
    headers = await stage.as_user(world.owner, world.workspace)
    member = f"{world.path}/members/{world.ada.user.id}"
    for method, path in (
        ("PATCH", member),
        ("DELETE", member),
        ("DELETE", f"{world.path}/groups/{world.group.id}"),
        ("DELETE", world.path),
    ):
        answer = await stage.client.request(method, path, headers=headers, json={"role": "editor"})
        assert answer.status_code >= 400, (method, path)
    for cause in (deactivated, demoted, tokens_revoked):
        with pytest.raises(sa.exc.DBAPIError):
            await cause(world)
    with pytest.raises(sa.exc.DBAPIError):
        await switch_off(world, revoke_sessions=True)
    assert await stage.snapshot() == before
    await world.ada.untouched()
    (membership,) = await stage.all(
        Membership, Membership.user_id == world.ada.user.id, Membership.workspace_id == world.workspace.id
    )
    assert membership.role == "viewer"
