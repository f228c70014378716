"""The tier and limit of the calls of http-api.md §8. P1 authenticates in its own statement, so all is tried on it."""

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from sentinel.apps.models import ServiceApp
from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.tokens.models import RevokedToken
from sentinel.workspaces.models import Workspace
from tests.contract.test_check import allowed, as_authz, as_user, ask, item, named
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def test_P1_needs_key_and_token(stage: Stage) -> None:
    """§0.7: the hot call authenticates in its own statement, so every refusal of the tier is tried on it.

    Rules: VR-4, VR-6, VR-7, VR-8, VR-9, VR-10, VR-12, VR-13, SK-4.
    """
    notes, wiki, boss = await stage.service(), await stage.service("wiki"), await stage.user()
    asleep = await stage.service("asleep", allowed_origins=["https://notes.example.com"])
    await stage.execute(sa.update(ServiceApp).where(ServiceApp.id == asleep.app.id).values(is_active=False))
    workspace, other = await stage.workspace(boss), await stage.workspace()
    dismissed = await stage.member(workspace, "admin", is_active=False)
    resource = await stage.resource(workspace, boss)
    key, token = notes.headers, await stage.access_token(boss, workspace)
    authz = await stage.authz_token(boss, workspace, "notes")
    pair = await stage.session(boss, workspace)
    issuer, subject = stage.state.issuer, await stage.subject(boss, workspace)
    admin = issuer.admin(user_id=boss.id, email=boss.email, name=boss.name, epoch=0).token
    revoked = issuer.access(subject)
    await stage.add(RevokedToken(jti=revoked.jti, expires_at=revoked.expires_at))
    vanished = await stage.access_token(boss, Workspace(id=uuid4(), slug="gone", name="Gone"))
    header, payload, signature = token.split(".")
    cases: dict[str, tuple[dict[str, str], int]] = {
        "nothing": ({}, 401),
        "key alone": (key, 401),
        "token alone": (bearer(token), 401),
        "authz token alone": (bearer(authz), 401),
        "unknown key": (bearer(token) | {"X-Service-Key": "sk_" + "x" * 43}, 401),
        "empty key": (bearer(token) | {"X-Service-Key": ""}, 401),
        "hash instead of key": (bearer(token) | {"X-Service-Key": notes.app.key_hash}, 401),
        "key of a sleeping app": (bearer(token) | asleep.headers, 401),
        "registered origin": (bearer(token) | {"Origin": "https://notes.example.com"}, 401),
        "basic": (key | {"Authorization": f"Basic {token}"}, 401),
        "no scheme": (key | {"Authorization": token}, 401),
        "empty bearer": (key | {"Authorization": "Bearer "}, 401),
        "garbage": (key | bearer("a.b.c"), 401),
        "bad signature": (key | bearer(f"{header}.{payload}.{signature[::-1]}"), 401),
        "no signature": (key | bearer(f"{header}.{payload}."), 401),
        "too long": (key | bearer("x" * 8193), 401),
        "other slot": (key | {"X-Authz-Token": authz}, 401),
        "refresh token": (key | bearer(pair.refresh.token), 401),
        "admin token": (key | bearer(admin), 401),
        "revoked": (key | bearer(revoked.token), 401),
        "inactive person": (key | bearer(await stage.access_token(dismissed, workspace, "owner")), 401),
        "authz token of another scope": (wiki.headers | bearer(authz), 403),
        "not a member": (key | bearer(await stage.access_token(boss, other, "owner")), 403),
        "workspace that does not exist": (key | bearer(vanished), 403),
        "access token": (key | bearer(token), 200),
        "authz token": (key | bearer(authz), 200),
        "authz token beside another in its own slot": (key | bearer(token) | {"X-Authz-Token": "x"}, 200),
    }
    for name, (headers, status) in cases.items():
        with stage.events() as events:
            answer = await ask(stage, headers, item(resource, resource_id=str(uuid4())))
        assert answer.status_code == status, name
        refusals = named(events, "auth.guard.rejected")
        if status == 200:
            assert not refusals, name
        else:
            assert isinstance(answer.json()["detail"], str) and set(answer.json()) == {"detail"}, name
            assert [line["guard"] for line in refusals] == ["service_and_user"], name
            assert not named(events, "permission.check.denied"), name
        if status == 403:
            assert answer.headers.get("www-authenticate") is None
    not_a_member = await ask(stage, key | bearer(vanished), item(resource))
    assert not_a_member.json() == {"detail": "Not a member of this workspace"}
    await stage.execute(sa.update(User).where(User.id == boss.id).values(token_epoch=1))
    for outdated in (token, authz):
        assert (await ask(stage, key | bearer(outdated), item(resource))).status_code == 401
    fresh = key | bearer(await stage.access_token(boss, workspace))
    assert (await ask(stage, fresh, item(resource))).status_code == 200
    stage.clock.advance(24 * 3600)
    assert (await ask(stage, fresh, item(resource))).status_code == 401


async def test_P1_repeated_credentials_count_as_none(stage: Stage) -> None:
    """Rules: L03, L05."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    token = await stage.access_token(boss, workspace)
    key = ("X-Service-Key", notes.key)
    authorization = ("Authorization", f"Bearer {token}")
    body = {"checks": [item(resource)]}
    for headers in ([key, key, authorization], [key, authorization, authorization]):
        answer = await stage.client.post("/permissions/check", headers=headers, json=body)
        assert answer.status_code == 401
    answer = await stage.client.post("/permissions/check", headers=[key, authorization], json=body)
    assert answer.status_code == 200


async def test_SB_1_and_P1_an_authz_token_is_bound_to_its_scope(stage: Stage) -> None:
    notes, wiki, boss = await stage.service(), await stage.service("wiki"), await stage.user()
    workspace = await stage.workspace(boss)
    of_notes = await stage.resource(workspace, boss)
    of_wiki = await stage.resource(workspace, boss, service_name="wiki")
    right = await as_authz(stage, notes, boss, workspace, "notes")
    assert await allowed(stage, right, item(of_notes)) == [True]
    for scope in ("wiki", "note", "notes2", "NOTES"):
        wrong = await as_authz(stage, notes, boss, workspace, scope)
        answer = await ask(stage, wrong, item(of_notes))
        assert answer.status_code == 403, scope
        assert answer.json() == {"detail": "Token was issued for another service"}
    # The token's scope does not widen the key's.
    assert (await ask(stage, right, item(of_wiki))).status_code == 403
    assert (await ask(stage, await as_user(stage, wiki, boss, workspace), item(of_wiki))).status_code == 200


async def test_P1_development_without_apps_opens_every_scope(database_url: str, stage_keys: Keys) -> None:
    """§0.7, development exception: no key, no scope, but still a person; it ends with the first active app."""
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        boss = await stage.user()
        workspace = await stage.workspace(boss)
        stranger = await stage.user()
        one = await stage.resource(workspace, boss)
        two = await stage.resource(workspace, boss, service_name="wiki")
        access = await stage.as_user(boss, workspace)
        authz = bearer(await stage.authz_token(boss, workspace, "anything"))
        for headers in (access, authz, access | {"X-Service-Key": "sk_wrong"}):
            assert await allowed(stage, headers, item(one), item(two, "edit")) == [True, True]
        assert (await ask(stage, {}, item(one))).status_code == 401
        outsider = await stage.as_user(stranger, workspace)
        assert (await ask(stage, outsider, item(one))).status_code == 403
        memos = await stage.service("memos")
        for headers in (access, authz):
            assert (await ask(stage, headers, item(one))).status_code == 401
        assert (await ask(stage, memos.headers | access, item(one))).status_code == 403
        await stage.execute(sa.update(ServiceApp).values(is_active=False))
        assert await allowed(stage, access, item(one), item(two)) == [True, True]
    async with open_stage(database_url, stage_keys, debug=False) as stage:
        access = bearer(await stage.access_token(boss, workspace))
        assert (await ask(stage, access, item(one))).status_code == 401


async def test_P1_to_P9_are_counted_for_the_service(database_url: str, stage_keys: Keys) -> None:
    """§0.8: one bucket a service for all routes of §8, except P5, which has the read limit.

    Rules: P1, P2, P3, P4, P5, P6, P7, P8, P9.
    """
    limits: dict[str, Any] = {
        "rate_limit_enabled": True,
        "rate_limit_service": "8/minute",
        "rate_limit_read": "2/minute",
    }
    async with open_stage(database_url, stage_keys, **limits) as stage:
        notes, wiki, boss = await stage.service(), await stage.service("wiki"), await stage.user()
        workspace = await stage.workspace(boss)
        resource = await stage.resource(workspace, boss)
        user = await stage.as_user(boss, workspace)
        grantee = {"grantee_type": "user", "grantee_id": str(boss.id), "permission": "view"}
        path = f"/permissions/resource/notes/document/{resource.resource_id}"
        kind = {"service_name": "notes", "resource_type": "document"}
        accessible = kind | {"action": "view", "workspace_id": str(workspace.id)}
        register = kind | {
            "resource_id": str(resource.resource_id),
            "workspace_id": str(workspace.id),
            "owner_id": str(boss.id),
        }
        calls: list[tuple[str, str, Any]] = [
            ("POST", "/permissions/check", {"checks": [item(resource)]}),
            ("POST", "/permissions/accessible", accessible),
            ("POST", "/permissions/register", register),
            ("GET", path, None),
            ("POST", f"/permissions/{resource.id}/share", grantee),
            ("DELETE", f"/permissions/{resource.id}/share", grantee),
            ("PATCH", f"/permissions/{resource.id}/visibility", {"visibility": "private"}),
            ("DELETE", path, None),
        ]
        for method, url, body in calls:
            answer = await stage.client.request(method, url, headers=notes.headers | user, json=body)
            assert answer.is_success, (method, url, answer.text)
        for method, url, body in calls:
            answer = await stage.client.request(method, url, headers=notes.headers | user, json=body)
            assert (answer.status_code, answer.json()) == (429, {"detail": "Too many requests"}), url
            assert answer.headers["retry-after"].isdigit()
        assert await stage.count(Resource) == 0
        for status in (404, 404, 429):
            answer = await stage.client.get(f"{path}/enriched", headers=notes.headers)
            assert answer.status_code == status
        other = await ask(stage, wiki.headers | user, item(resource, service_name="wiki"))
        assert other.status_code == 200, "one service's requests do not count for another"
