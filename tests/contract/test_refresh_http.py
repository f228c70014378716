"""Refreshing over HTTP: A6. What happens inside a family is told by the tests of RF-1 to RF-13."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel.apps.models import LoginApp
from sentinel.identity.models import Organization, User
from sentinel.tokens.claims import TokenType
from sentinel.tokens.families import TokenPair
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

REFUSED = b'{"detail":"Invalid refresh token"}'


async def refresh(stage: Stage, token: Any, **headers: str) -> httpx.Response:
    return await stage.client.post("/auth/refresh", json={"refresh_token": token}, headers=headers)


def require_refused(answer: httpx.Response, why: object = None) -> None:
    """One status, one body, one set of headers for every failure (RF-13)."""
    assert (answer.status_code, answer.content) == (401, REFUSED), why
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def part(value: object) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def tampered(token: str, **changes: Any) -> str:
    """The token with other claims under the old signature."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{part(claims | changes)}.{signature}"


async def session(stage: Stage) -> tuple[User, Workspace, TokenPair]:
    """A member with a session, no owner of anything."""
    user = await stage.user()
    workspace = await stage.workspace(await stage.user())
    await stage.join(workspace, user, "editor")
    return user, workspace, await stage.session(user, workspace)


async def test_A6_answers_a_fresh_pair(stage: Stage) -> None:
    user, workspace, pair = await session(stage)
    with stage.events() as lines:
        answer = await refresh(stage, pair.refresh.token)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    fresh = answer.json()
    assert fresh.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (fresh["token_type"], fresh["expires_in"]) == ("bearer", 900)
    claims = stage.state.verifier.user(fresh["access_token"], allow=frozenset({TokenType.ACCESS}))
    assert (claims.user_id, claims.workspace_id) == (user.id, workspace.id)
    old = stage.state.verifier.refresh(pair.refresh.token)
    new = stage.state.verifier.refresh(fresh["refresh_token"])
    assert new.family_id == old.family_id
    assert new.jti != old.jti
    (event,) = [line for line in lines if line["event"] == "auth.token.refreshed"]
    assert (event["actor"], event["workspace_id"]) == (str(user.id), str(workspace.id))
    assert (await refresh(stage, fresh["refresh_token"])).status_code == 200
    assert (await stage.client.get(f"/auth/refresh?refresh_token={pair.refresh.token}")).status_code == 405


async def test_A6_what_is_no_refresh_token_touches_no_family(stage: Stage) -> None:
    """Rules: A6, RF-9, RF-13"""
    user, workspace, pair = await session(stage)
    token, access = pair.refresh.token, pair.access.token
    authz = await stage.authz_token(user, workspace, "notes")
    public = (stage.settings.jwt_public_key_path).read_bytes()
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    foreign = RSAKey.generate_key(2048)
    signed = jwt.encode({"alg": "RS256", "kid": kid}, claims, foreign, algorithms=["RS256"])
    embedded = {"alg": "RS256", "kid": kid, "jwk": foreign.as_dict(private=False)}
    cases = [
        *("", "x", "a.b.c", "..", ".", "é", "\U0001f980", " " + token, token + ".", "null", "x" * 4096),
        *(access, authz),
        *(token[:-4], token[1:], f"{head}.{body}.", f"{head}.{body}"),
        f"{part({'alg': 'none'})}.{body}.",
        f"{part({'alg': 'none', 'kid': kid})}.{body}.{signature}",
        f"{part({'alg': 'HS256', 'kid': kid})}.{body}.{signature}",
        f"{part(embedded)}.{body}.{signed.split('.')[2]}",
        signed,
        tampered(token, exp=claims["exp"] + 9999),
        tampered(token, aud="sentinel:access", type="access"),
        tampered(token, sub=str(uuid4())),
        tampered(token, fid=str(uuid4())),
        public.decode(),
    ]
    before = await stage.snapshot()
    for case in cases:
        with stage.events() as lines:
            require_refused(await refresh(stage, case), case)
        (event,) = [line for line in lines if line.get("category") == "security"]
        assert (event["event"], event["outcome"]) == ("auth.token.refresh_rejected", "denied")
        assert event["reason"]
        assert not case or len(case) < 5 or case not in repr(lines)
    assert await stage.snapshot() == before
    assert (await refresh(stage, token)).status_code == 200


async def test_A6_expired_is_refused(stage: Stage) -> None:
    _, _, pair = await session(stage)
    before = await stage.snapshot()
    stage.clock.advance(7 * 86400 + 11)
    require_refused(await refresh(stage, pair.refresh.token))
    assert await stage.snapshot() == before


async def test_A6_every_other_failure_looks_the_same_and_ends_the_family(stage: Stage) -> None:
    """Rules: A6, RF-5, RF-7, RF-13"""
    acme = await stage.organization("acme.example.net")
    closed = await stage.organization("closed.example.net", enabled=False)

    def users(**values: Any) -> Callable[[UUID, UUID], Any]:
        return lambda user, _: sa.update(User).where(User.id == user).values(**values)

    def no_membership(user: UUID, workspace: UUID) -> Any:
        return sa.delete(Membership).where(Membership.user_id == user, Membership.workspace_id == workspace)

    def revoked(user: UUID, _: UUID) -> Any:
        return (
            sa.update(RefreshFamily).where(RefreshFamily.user_id == user).values(revoked_at=stage.clock.now())
        )

    cases: list[tuple[str, Callable[[UUID, UUID], Any] | None]] = [
        ("inactive_user", users(is_active=False)),
        ("org_disabled", users(organization_id=closed.id)),
        ("outdated_epoch", users(token_epoch=1)),
        ("not_a_member", no_membership),
        ("org_not_permitted", None),
        ("reused", None),
        ("revoked", revoked),
    ]
    for reason, change in cases:
        user, workspace, pair = await session(stage)
        if change:
            await stage.execute(change(user.id, workspace.id))
        elif reason == "org_not_permitted":
            await stage.restrict(workspace, acme)
        else:
            assert (await refresh(stage, pair.refresh.token)).status_code == 200
        require_refused(await refresh(stage, pair.refresh.token), reason)
        families = await stage.all(RefreshFamily, RefreshFamily.user_id == user.id)
        assert [family.revoked_at is not None for family in families] == [True], reason
        if reason != "revoked":
            assert await stage.count(RefreshToken, RefreshToken.family_id == families[0].id) == 0
        require_refused(await refresh(stage, pair.refresh.token), f"{reason}, again")
    ended = {(row.detail or {})["reason"]: row for row in await stage.activities("token_family_revoked")}
    assert ended.keys() == {reason for reason, _ in cases[:5]}
    for row in ended.values():
        assert (row.target_type, row.actor_id) == ("user", row.target_id)
        assert UUID((row.detail or {})["family_id"])
    reuse = await stage.activities("refresh_reuse_detected")
    assert reuse
    assert (reuse[0].detail or {}).keys() == {"family_id", "ip", "user_agent"}


async def test_A6_of_people_workspaces_and_apps_that_are_gone(stage: Stage) -> None:
    for table in (User, Workspace):
        user, workspace, pair = await session(stage)
        row = user if table is User else workspace
        await stage.execute(sa.delete(table).where(table.id == row.id))
        require_refused(await refresh(stage, pair.refresh.token), table)
    # A login app that was switched off without revoking its sessions keeps them (DL-9).
    _, _, pair = await session(stage)
    await stage.execute(sa.update(LoginApp).values(is_active=False))
    assert (await refresh(stage, pair.refresh.token)).status_code == 200


async def test_A6_after_the_public_switch_sessions_go_on(stage: Stage) -> None:
    """``authorization.md`` §7 rule 6."""
    _, _, pair = await session(stage)
    await stage.execute(sa.update(Organization).where(Organization.is_public).values(enabled=False))
    assert (await refresh(stage, pair.refresh.token)).status_code == 200


async def test_A6_malformed_bodies_are_422_and_touch_nothing(stage: Stage) -> None:
    _, _, pair = await session(stage)
    before = await stage.snapshot()
    for body in (
        {},
        {"token": pair.refresh.token},
        {"refresh_token": None},
        {"refresh_token": 7},
        {"refresh_token": [pair.refresh.token]},
        {"refresh_token": "x" * 4097},
        {"refresh_token": pair.refresh.token + "\x00"},
        [pair.refresh.token],
        pair.refresh.token,
        None,
    ):
        answer = await stage.client.post("/auth/refresh", json=body)
        assert answer.status_code == 422, body
        assert pair.refresh.token not in answer.text
    assert await stage.snapshot() == before
    assert (await refresh(stage, pair.refresh.token)).status_code == 200


async def test_A6_and_L15_further_fields_change_nothing(stage: Stage) -> None:
    user, workspace, pair = await session(stage)
    other = await stage.workspace(user)
    body = {
        "refresh_token": pair.refresh.token,
        "workspace_id": str(other.id),
        "user_id": str(uuid4()),
        "wrole": "owner",
        "ep": 9,
        "is_admin": True,
    }
    answer = await stage.client.post("/auth/refresh", json=body)
    claims = stage.state.verifier.user(answer.json()["access_token"], allow=frozenset({TokenType.ACCESS}))
    assert (claims.user_id, claims.workspace_id) == (user.id, workspace.id)
    assert (claims.workspace_role, claims.epoch) == ("editor", 0)


async def test_A6_without_database_is_503_and_the_token_survives(stage: Stage) -> None:
    _, _, pair = await session(stage)
    async with stage.without_database():
        answer = await refresh(stage, pair.refresh.token)
    assert (answer.status_code, answer.json()) == (503, {"detail": "Service temporarily unavailable"})
    assert int(answer.headers["retry-after"]) > 0
    assert (await refresh(stage, pair.refresh.token)).status_code == 200


async def test_A6_a_whole_life(stage: Stage) -> None:
    """Sign in, exchange, refresh three times, log out: what a browser client does."""
    app, pkce = await stage.login_app(), Pkce()
    code = await stage.code(stage.person("ada@example.com"), app, pkce)
    (user,) = await stage.all(User)
    workspace = await stage.workspace(user)
    proof = {"code": code, "code_verifier": pkce.verifier}
    (choice,) = (await stage.client.post("/auth/workspaces", json=proof)).json()
    assert choice["id"] == str(workspace.id)
    pair = (await stage.client.post("/auth/token", json=proof | {"workspace_id": choice["id"]})).json()
    for _ in range(3):
        stage.clock.advance(901)
        assert (await stage.client.get("/users/me", headers=bearer(pair["access_token"]))).status_code == 401
        pair = (await refresh(stage, pair["refresh_token"])).json()
        assert (await stage.client.get("/users/me", headers=bearer(pair["access_token"]))).status_code == 200
    assert (await stage.client.post("/auth/logout", headers=bearer(pair["access_token"]))).status_code == 200
    require_refused(await refresh(stage, pair["refresh_token"]))


async def test_A6_is_limited_per_family_and_else_per_address(database_url: str, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_auth": "2/minute"}
    async with open_stage(database_url, stage_keys, **options) as stage:
        # One address, many families: each may refresh.
        for _ in range(3):
            _, _, pair = await session(stage)
            token = pair.refresh.token
            for _ in range(2):
                answer = await refresh(stage, token)
                assert answer.status_code == 200
                token = answer.json()["refresh_token"]
            before = await stage.snapshot()
            limited = await refresh(stage, token)
            assert (limited.status_code, limited.json()) == (429, {"detail": "Too many requests"})
            assert limited.headers["retry-after"] == "60"
            assert await stage.snapshot() == before, "the token is still unused"
        # Whatever has no signature of ours counts for the address.
        garbage = [(await refresh(stage, f"garbage {number}")).status_code for number in range(3)]
        assert garbage == [401, 401, 429]
        stage.clock.advance(60)
        assert (await refresh(stage, token)).status_code == 200


async def test_A6_forged_tokens_count_as_failed_attempts(sqlite_url: str, stage_keys: Keys) -> None:
    options: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_failed_auth": "2/minute"}
    async with open_stage(sqlite_url, stage_keys, **options) as stage:
        _, _, pair = await session(stage)
        forged = tampered(pair.refresh.token, sub=str(uuid4()))
        assert [(await refresh(stage, forged)).status_code for _ in range(3)] == [401, 401, 429]
        # A genuine token is not held up by the attempts of others at the same address.
        assert (await refresh(stage, pair.refresh.token)).status_code == 200
