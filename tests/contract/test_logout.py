"""The end of all sessions: A7."""

import pytest
import sqlalchemy as sa

from sentinel.identity.models import User
from sentinel.tokens.models import RefreshFamily, RefreshToken, RevokedToken
from sentinel.workspaces.models import Membership
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def test_A7_ends_every_session_of_the_person(stage: Stage) -> None:
    """Rules: A7, DL-2"""
    user, other = await stage.user(), await stage.user()
    here, there = await stage.workspace(user), await stage.workspace(user)
    await stage.join(here, other)
    service = await stage.service("notes")
    first, second = await stage.session(user, here), await stage.session(user, there)
    foreign = await stage.session(other, here)
    authz = await stage.authz_token(user, here, "notes")
    flex = service.headers | bearer(authz)
    assert (await stage.client.get("/users/me", headers=flex)).status_code == 200
    with stage.events() as lines:
        answer = await stage.client.post("/auth/logout", headers=bearer(first.access.token))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert answer.headers["clear-site-data"] == '"cookies", "storage"'
    assert answer.headers["cache-control"] == "no-store"
    for pair in (first, second):
        dead = await stage.client.get("/users/me", headers=bearer(pair.access.token))
        assert dead.status_code == 401
        body = {"refresh_token": pair.refresh.token}
        assert (await stage.client.post("/auth/refresh", json=body)).status_code == 401
    assert (await stage.client.get("/users/me", headers=flex)).status_code == 401, "authz tokens end too"
    again = await stage.client.post("/auth/logout", headers=bearer(first.access.token))
    assert again.status_code == 401
    assert "clear-site-data" not in again.headers
    # Nobody else is concerned.
    assert (await stage.client.get("/users/me", headers=bearer(foreign.access.token))).status_code == 200
    body = {"refresh_token": foreign.refresh.token}
    assert (await stage.client.post("/auth/refresh", json=body)).status_code == 200
    epochs = {row.id: row.token_epoch for row in await stage.all(User)}
    assert epochs == {user.id: 1, other.id: 0}
    assert await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_not(None)) == 2
    denied = {row.jti for row in await stage.all(RevokedToken)}
    assert {first.access.jti, second.access.jti} <= denied
    (row,) = await stage.activities("user_logout")
    assert (row.actor_id, row.target_type, row.target_id) == (user.id, "user", user.id)
    events = [line["event"] for line in lines if line.get("category") == "security"]
    assert sorted(events) == ["auth.token.family_revoked", "auth.token.family_revoked", "auth.token.revoked"]
    # Signing in again works at once, in the same second.
    assert (await stage.client.get("/users/me", headers=await stage.as_user(user, here))).status_code == 200


async def test_A7_needs_an_access_token(stage: Stage) -> None:
    user = await stage.user()
    workspace = await stage.workspace(user)
    service = await stage.service("notes")
    pair = await stage.session(user, workspace)
    authz = await stage.authz_token(user, workspace, "notes")
    access = pair.access.token
    before = await stage.snapshot()
    for headers in (
        {},
        {"Authorization": access},
        {"Authorization": f"bearer {access}"},
        {"Authorization": "Bearer "},
        bearer("garbage"),
        bearer(access[:-2]),
        bearer(pair.refresh.token),
        bearer(authz),
        service.headers | bearer(authz),
        service.headers,
        {"X-Authz-Token": authz},
        {"Cookie": f"admin_token={access}"},
    ):
        answer = await stage.client.post("/auth/logout", headers=headers)
        assert answer.status_code == 401, headers
        assert isinstance(answer.json()["detail"], str)
        assert "clear-site-data" not in answer.headers
    assert await stage.snapshot() == before
    for verb in ("GET", "DELETE", "PUT"):
        assert (await stage.client.request(verb, "/auth/logout", headers=bearer(access))).status_code == 405
    assert (await stage.client.post("/auth/logout?all=false", headers=bearer(access))).status_code == 200


async def test_A7_ignores_bodies_and_asks_for_no_membership(stage: Stage) -> None:
    user, victim = await stage.user(), await stage.user()
    workspace = await stage.workspace(user)
    for body in (b"", b"{", b'{"user_id": "%s"}' % str(victim.id).encode(), b"\xff"):
        headers = await stage.as_user(user, workspace) | {"Content-Type": "application/json"}
        answer = await stage.client.post("/auth/logout", content=body, headers=headers)
        assert answer.status_code == 200, body
    headers = await stage.as_user(user, workspace)
    await stage.execute(sa.delete(Membership))
    assert (await stage.client.post("/auth/logout", headers=headers)).status_code == 200
    assert {row.id: row.token_epoch for row in await stage.all(User)} == {user.id: 5, victim.id: 0}


async def test_A7_and_DL_11_no_audit_row_does_not_keep_anybody_in(stage: Stage) -> None:
    user = await stage.user()
    workspace = await stage.workspace(user)
    pair = await stage.session(user, workspace)
    await stage.forbid_inserts("activity_logs")
    with stage.events() as lines:
        answer = await stage.client.post("/auth/logout", headers=bearer(pair.access.token))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert [line["reason"] for line in lines if line["event"] == "audit.write_failed"] == ["user_logout"]
    dead = await stage.client.get("/users/me", headers=bearer(pair.access.token))
    assert dead.status_code == 401
    assert await stage.count(RefreshToken) == 0
    assert not await stage.activities("user_logout")


async def test_A7_without_database_is_503(stage: Stage) -> None:
    user = await stage.user()
    pair = await stage.session(user, await stage.workspace(user))
    async with stage.without_database():
        answer = await stage.client.post("/auth/logout", headers=bearer(pair.access.token))
    assert (answer.status_code, answer.json()) == (503, {"detail": "Service temporarily unavailable"})
    assert "clear-site-data" not in answer.headers


async def test_A7_has_the_default_limit(sqlite_url: str, stage_keys: Keys) -> None:
    async with open_stage(
        sqlite_url, stage_keys, rate_limit_enabled=True, rate_limit_default="2/minute"
    ) as stage:
        answers = [(await stage.client.post("/auth/logout")).status_code for _ in range(3)]
        assert answers == [401, 401, 429]
