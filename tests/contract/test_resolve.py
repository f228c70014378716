"""Authz mode (``http-api.md`` §3): Z1, discovery and mint, with every check in its order."""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel.app import flush_books
from sentinel.identity.models import Organization, SocialAccount, User
from sentinel.roles.models import Role, RoleAction, ServiceAction, UserRole
from tests.stage import IDP_URL, PROVIDER, Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio
ORIGIN = "https://notes.example.com"


def _id_token(
    stage: Stage, keys: Keys, email: str = "ada@example.com", *, key: RSAKey | None = None, **claims: Any
) -> str:
    """A token as the provider signs it; ``claims`` override, None removes."""
    now = stage.clock.timestamp()
    full = {
        "iss": IDP_URL,
        "sub": f"sub-{email}",
        "aud": "sentinel",
        "iat": now,
        "exp": now + 600,
        "email": email,
        "email_verified": True,
        "name": "Ada Example",
        **claims,
    }
    signed = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(
        {"alg": "RS256", "kid": keys.idp.thumbprint()}, signed, key or keys.idp, algorithms=["RS256"]
    )


async def _resolve(stage: Stage, headers: Mapping[str, str], token: str, **body: Any) -> Any:
    return await stage.client.post(
        "/authz/resolve", headers=dict(headers), json={"idp_token": token, "provider": PROVIDER, **body}
    )


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def test_Z1_discovery_by_key_and_by_origin_lists_where_the_person_may_go(
    stage: Stage, stage_keys: Keys
) -> None:
    """Rules: authorization-7.9."""
    service = await stage.service(allowed_origins=[ORIGIN])
    ada = await stage.user(email="ada@example.com")
    first, second = await stage.workspace(ada, slug="first"), await stage.workspace(slug="second")
    await stage.join(second, ada, "viewer")
    closed = await stage.workspace(ada, slug="closed")
    await stage.restrict(closed, await stage.organization("elsewhere.example"))
    for headers in (service.headers, {"Origin": ORIGIN}):
        answer = await _resolve(stage, headers, _id_token(stage, stage_keys))
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "user": {"id": str(ada.id), "email": "ada@example.com", "name": "Ada Example"},
            "workspaces": [
                {"id": str(first.id), "name": "Acme", "slug": "first", "role": "owner"},
                {"id": str(second.id), "name": "Acme", "slug": "second", "role": "viewer"},
            ],
            "workspace": None,
            "authz_token": None,
            "expires_in": None,
        }
    assert answer.headers["cache-control"] == "no-store"


async def test_Z1_mints_a_token_bound_to_scope_subject_and_workspace(stage: Stage, stage_keys: Keys) -> None:
    service = await stage.service()
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada)
    action = ServiceAction(id=uuid4(), service_name="notes", action="write", created_at=stage.clock.now())
    foreign = ServiceAction(id=uuid4(), service_name="wiki", action="read", created_at=stage.clock.now())
    role = Role(id=uuid4(), workspace_id=workspace.id, name="Writer", created_at=stage.clock.now())
    await stage.add(action, foreign, role)
    await stage.add(
        RoleAction(id=uuid4(), role_id=role.id, service_action_id=action.id),
        RoleAction(id=uuid4(), role_id=role.id, service_action_id=foreign.id),
        UserRole(id=uuid4(), user_id=ada.id, role_id=role.id, assigned_at=stage.clock.now()),
    )
    answer = await _resolve(
        stage, service.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["workspace"] == {"id": str(workspace.id), "slug": workspace.slug, "role": "owner"}
    assert (body["expires_in"], body["workspaces"]) == (300, None)
    claims = _claims(body["authz_token"])
    assert (claims["aud"], claims["type"]) == ("sentinel:authz", "authz")
    assert (claims["svc"], claims["idp_sub"], claims["actions"]) == (
        "notes",
        "sub-ada@example.com",
        ["write"],
    )
    assert (claims["wid"], claims["wrole"]) == (str(workspace.id), "owner")
    assert claims["exp"] - claims["iat"] == 300
    assert not {"email", "name", "groups"} & set(claims)
    # With the key it is the person's token, on every surface that takes one.
    me = await stage.client.get("/users/me", headers=service.headers | bearer(body["authz_token"]))
    assert me.json()["email"] == "ada@example.com"


async def test_Z1_group_shares_work_in_authz_mode_and_directory_takes_the_header(
    stage: Stage, stage_keys: Keys
) -> None:
    """Rules: authorization-5.1."""
    service, wiki = await stage.service(), await stage.service("wiki")
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    ada = await stage.member(workspace, "viewer", email="ada@example.com")
    group = await stage.group(workspace, ada)
    resource = await stage.resource(workspace, owner, visibility="private")
    await stage.share(resource, group, "edit")
    id_token = _id_token(stage, stage_keys)
    minted = await _resolve(stage, service.headers, id_token, workspace_id=str(workspace.id))
    token = minted.json()["authz_token"]
    question = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(resource.resource_id),
        "action": "edit",
    }
    checked = await stage.client.post(
        "/permissions/check", headers=service.headers | bearer(token), json={"checks": [question]}
    )
    assert checked.json()["results"][0]["allowed"] is True
    # SB-1: another service cannot use it.
    foreign = await stage.client.get("/users/me", headers=wiki.headers | bearer(token))
    assert foreign.status_code == 403
    # VR-11: the browser's directory calls, with the provider's token beside it.
    browser = bearer(id_token) | {"X-Authz-Token": token}
    for path in ("/users/me", f"/workspaces/{workspace.id}/members", f"/workspaces/{workspace.id}/groups"):
        assert (await stage.client.get(path, headers=browser)).status_code == 200, path


async def test_Z1_minting_needs_a_key_an_origin_is_not_enough(stage: Stage, stage_keys: Keys) -> None:
    """Rules: RO-8, SK-9."""
    service = await stage.service(allowed_origins=[ORIGIN])
    workspace = await stage.workspace(await stage.user(email="ada@example.com"))
    token = _id_token(stage, stage_keys)
    refused = await _resolve(stage, {"Origin": ORIGIN}, token, workspace_id=str(workspace.id))
    assert refused.status_code == 403
    # SK-9: a wrong key never falls back to a registered origin.
    for key in ("sk_wrong", "", "x" * 1000):
        wrong = await _resolve(stage, {"Origin": ORIGIN, "X-Service-Key": key}, token)
        assert wrong.status_code == 401, key
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": ORIGIN.upper()}, {"Origin": "null"}):
        assert (await _resolve(stage, headers, token)).status_code == 401, headers
    assert (await _resolve(stage, service.headers, token)).status_code == 200


async def test_Z1_refuses_tokens_that_are_not_the_providers_for_us_now(
    stage: Stage, stage_keys: Keys
) -> None:
    service = await stage.service()
    now = stage.clock.timestamp()
    wrong: dict[str, str] = {
        "signature": _id_token(stage, stage_keys, key=RSAKey.generate_key(2048)),
        "issuer": _id_token(stage, stage_keys, iss=IDP_URL + "/"),
        "audience": _id_token(stage, stage_keys, aud="another"),
        "expired": _id_token(stage, stage_keys, exp=now - 60),
        "unverified": _id_token(stage, stage_keys, email_verified="true"),
        "no email": _id_token(stage, stage_keys, email=None),  # type: ignore[arg-type]
        "garbage": "not-a-token",
        "ours": stage.state.issuer.refresh(user_id=uuid4(), family_id=uuid4(), epoch=0).token,
    }
    for name, token in wrong.items():
        with stage.events() as events:
            answer = await _resolve(stage, service.headers, token)
        assert answer.status_code == 400, (name, answer.text)
        assert [e["event"] for e in events if e["event"].startswith("authz")] == [
            "authz.idp.validation_failed"
        ], name
        assert token not in answer.text
    unknown = await stage.client.post(
        "/authz/resolve",
        headers=service.headers,
        json={"idp_token": _id_token(stage, stage_keys), "provider": "google"},
    )
    assert unknown.status_code == 400
    assert await stage.count(User) == 0


async def test_Z1_the_nonce_must_match_when_it_is_sent(stage: Stage, stage_keys: Keys) -> None:
    """Rules: EV-10."""
    service = await stage.service()
    with_nonce = _id_token(stage, stage_keys, nonce="n-1")
    assert (await _resolve(stage, service.headers, with_nonce, nonce="n-1")).status_code == 200
    assert (await _resolve(stage, service.headers, with_nonce)).status_code == 200
    assert (await _resolve(stage, service.headers, with_nonce, nonce="n-2")).status_code == 400
    assert (
        await _resolve(stage, service.headers, _id_token(stage, stage_keys), nonce="n-1")
    ).status_code == 400


async def test_Z1_the_audiences_of_the_app_replace_ours(stage: Stage, stage_keys: Keys) -> None:
    """Rules: EV-7."""
    service = await stage.service(allowed_idp_audiences=["spa-1", "spa-2"])
    for audience, status in {"spa-1": 200, "spa-2": 200, "sentinel": 400, "spa": 400}.items():
        token = _id_token(stage, stage_keys, aud=audience)
        assert (await _resolve(stage, service.headers, token)).status_code == status, audience


async def test_Z1_refusals_after_the_token_leave_an_audit_row(stage: Stage, stage_keys: Keys) -> None:
    """Rules: authorization-7.9."""
    service = await stage.service()
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    linked = await stage.user(email="linked@example.com")
    await stage.link(linked, provider="google", subject="g-1")
    await stage.user(email="gone@example.com", is_active=False)
    away = await stage.organization("off.example", enabled=False)
    suspended = await stage.member(workspace, email="susp@here.example", organization_id=away.id)
    outside = await stage.workspace(await stage.user(email="out@example.com"), slug="outside")
    await stage.restrict(outside, await stage.organization("else.example"))
    cases: list[tuple[str, str | None, int, str]] = [
        ("linked@example.com", None, 409, "cross_provider_conflict"),
        ("gone@example.com", None, 403, "inactive_user"),
        ("new@off.example", None, 403, "org_not_permitted"),
        ("ada@example.com", str(workspace.id), 403, "not_a_member"),
        ("ada@example.com", str(uuid4()), 403, "unknown_workspace"),
        ("out@example.com", str(outside.id), 403, "org_not_permitted"),
    ]
    for email, workspace_id, status, reason in cases:
        body = {"workspace_id": workspace_id} if workspace_id else {}
        answer = await _resolve(stage, service.headers, _id_token(stage, stage_keys, email), **body)
        assert answer.status_code == status, (email, answer.text)
        row = (await stage.activities("login_failed"))[-1]
        assert row.detail is not None
        assert (row.detail["reason"], row.detail["flow"]) == (reason, "authz"), email
        assert set(answer.json()) == {"detail"}
    # All of 403 inside a workspace read alike: nobody learns which workspaces exist.
    assert suspended.organization_id == away.id


async def test_Z1_the_kill_switch_of_an_organization_ends_minting(stage: Stage, stage_keys: Keys) -> None:
    """Rules: authorization-7.4, authorization-7.7."""
    service = await stage.service()
    organization = await stage.organization("corp.example")
    ada = await stage.user(email="ada@corp.example", organization_id=organization.id)
    workspace = await stage.workspace(ada)
    token = _id_token(stage, stage_keys, "ada@corp.example")
    assert (await _resolve(stage, service.headers, token, workspace_id=str(workspace.id))).status_code == 200
    await stage.execute(
        sa.update(Organization).where(Organization.id == organization.id).values(enabled=False)
    )
    assert (await _resolve(stage, service.headers, token, workspace_id=str(workspace.id))).status_code == 403
    assert (await _resolve(stage, service.headers, token)).status_code == 403


async def test_Z1_a_known_person_costs_three_statements(stage: Stage, stage_keys: Keys) -> None:
    service = await stage.service()
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada)
    token = _id_token(stage, stage_keys)
    await _resolve(stage, service.headers, token)
    with stage.statements() as seen:
        answer = await _resolve(stage, service.headers, token, workspace_id=str(workspace.id))
    assert answer.status_code == 200
    assert len(seen) <= 3, seen.texts


async def test_Z1_one_row_a_day_tells_that_tokens_were_issued(stage: Stage, stage_keys: Keys) -> None:
    service = await stage.service()
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada)
    for _ in range(3):
        with stage.events() as events:
            await _resolve(
                stage, service.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
            )
        assert [e["event"] for e in events].count("authz.token.issued") == 1
    await flush_books(stage.state)
    (row,) = await stage.activities("authz_token_issued")
    assert (row.actor_id, row.workspace_id, (row.detail or {})["count"]) == (ada.id, workspace.id, 3)
    (app,) = await stage.all(type(service.app))
    assert app.last_used_at is not None


async def test_Z1_parallel_first_resolves_make_one_person(stage: Stage, stage_keys: Keys) -> None:
    """Rules: ID-8."""
    service = await stage.service()
    token = _id_token(stage, stage_keys)
    answers = await asyncio.gather(*(_resolve(stage, service.headers, token) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["user"]["id"] for answer in answers}) == 1
    assert (await stage.count(User), await stage.count(SocialAccount)) == (1, 1)


async def test_Z1_malformed_bodies_are_422_and_extra_fields_change_nothing(
    stage: Stage, stage_keys: Keys
) -> None:
    service = await stage.service()
    token = _id_token(stage, stage_keys)
    bad: list[dict[str, Any]] = [
        {},
        {"idp_token": token},
        {"idp_token": "x" * 8193, "provider": PROVIDER},
        {"idp_token": token, "provider": PROVIDER, "workspace_id": "acme"},
        {"idp_token": token, "provider": PROVIDER, "nonce": "n" * 513},
        {"idp_token": token, "provider": "\x00"},
    ]
    for body in bad:
        answer = await stage.client.post("/authz/resolve", headers=service.headers, json=body)
        assert answer.status_code == 422, body
    plus = await _resolve(stage, service.headers, token, is_admin=True, user={"id": "x"}, svc="wiki")
    assert plus.status_code == 200
    assert not (await stage.all(User))[0].is_admin


async def test_Z1_in_development_without_any_app_discovery_is_open_and_minting_is_not(
    database_url: str, stage_keys: Keys
) -> None:
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        ada = await stage.user(email="ada@example.com")
        workspace = await stage.workspace(ada)
        token = _id_token(stage, stage_keys)
        assert (await _resolve(stage, {}, token)).status_code == 200
        minted = await _resolve(stage, {}, token, workspace_id=str(workspace.id))
        assert minted.status_code == 403
        assert "register a service app" in minted.json()["detail"]
        await stage.service()
        assert (await _resolve(stage, {}, token)).status_code == 401


async def test_Z1_a_realm_member_mints_under_the_slug(stage: Stage, stage_keys: Keys) -> None:
    """Rules: SB-1, SB-6, authorization-6.2."""
    realm = await stage.realm("suite")
    notes: Service = await stage.service("notes", realm=realm)
    wiki = await stage.service("wiki", realm=realm)
    alone = await stage.service("alone")
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada)
    minted = await _resolve(
        stage, notes.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
    )
    token = minted.json()["authz_token"]
    assert _claims(token)["svc"] == "suite"
    assert (await stage.client.get("/users/me", headers=wiki.headers | bearer(token))).status_code == 200
    assert (await stage.client.get("/users/me", headers=alone.headers | bearer(token))).status_code == 403
