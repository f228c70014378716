"""Realms (``http-api.md`` §9, ``tokens.md`` §9, §13, ``authorization.md`` §6) and the organizations directory."""

import asyncio
import base64
import json
from typing import Any

import pytest

from sentinel.apps import realms, scopes, service_apps
from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.errors import Conflict, DomainError, Invalid, NotFound, Unprocessable
from sentinel.permissions.models import Resource
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def _mint(stage: Stage, service: Service, **body: Any) -> Any:
    return await stage.client.post("/realm/m2m-token", headers=service.headers, json=body)


async def _whoami(stage: Stage, service: Service) -> Any:
    return (await stage.client.get("/realm/whoami", headers=service.headers)).json()


async def test_M1_and_SB_6_whoami_follows_joining_and_leaving_at_once(stage: Stage) -> None:
    service = await stage.service("notes")
    assert await _whoami(stage, service) == {
        "service_name": "notes",
        "effective_scope": "notes",
        "realm": None,
    }
    realm = await stage.realm("suite")
    async with stage.state.database.transaction() as session:
        await realms.add_member(session, realm.id, service.app.id, actor_id=None, now=stage.clock.now())
    with stage.statements() as seen:
        assert await _whoami(stage, service) == {
            "service_name": "notes",
            "effective_scope": "suite",
            "realm": {"slug": "suite", "name": "Suite"},
        }
    assert len(seen) == 2
    async with stage.state.database.transaction() as session:
        await realms.remove_member(session, realm.id, service.app.id, actor_id=None, now=stage.clock.now())
    assert (await _whoami(stage, service))["effective_scope"] == "notes"
    assert (await stage.client.get("/realm/whoami")).status_code == 401
    assert [row.action for row in await stage.activities()][-2:] == [
        "realm_member_added",
        "realm_member_removed",
    ]


async def test_M2_and_MM_2_and_MM_3_the_key_says_who_calls_and_the_realm_how_long(stage: Stage) -> None:
    realm = await stage.realm("suite")
    service = await stage.service("notes", realm=realm)
    await stage.service("wiki", realm=realm)
    forged: dict[str, Any] = {"caller": "wiki", "svc": "other", "actions": [], "sub": "x", "target": None}
    with stage.events() as events:
        answer = await _mint(stage, service, **forged)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 300
    assert "realm.m2m.minted" in [event["event"] for event in events]
    claims = _claims(answer.json()["token"])
    assert (claims["svc"], claims["caller"], claims["actions"]) == ("suite", "notes", ["*"])
    assert (claims["aud"], claims["type"], claims["aud_target"]) == ("sentinel:m2m", "m2m", None)
    assert claims["exp"] - claims["iat"] == 300
    assert not {"sub", "email", "wid", "idp_sub"} & set(claims)
    targeted = await _mint(stage, service, target="wiki")
    assert _claims(targeted.json()["token"])["aud_target"] == "wiki"
    async with stage.state.database.transaction() as session:
        await realms.change(session, realm.id, m2m_ttl_s=30, actor_id=None, now=stage.clock.now())
    assert (await _mint(stage, service)).json()["expires_in"] == 30


async def test_M2_and_MM_1_refuses_services_without_an_active_realm_and_unknown_targets(stage: Stage) -> None:
    """Rules: authorization-6.5."""
    realm, other = await stage.realm("suite"), await stage.realm("other")
    alone, member = await stage.service("alone"), await stage.service("notes", realm=realm)
    await stage.service("elsewhere", realm=other)
    asleep = await stage.service("asleep", realm=realm)
    async with stage.state.database.transaction() as session:
        await service_apps.set_active(session, asleep.app.id, False, actor_id=None, now=stage.clock.now())
    cases: list[tuple[Service, dict[str, Any], int]] = [
        (alone, {}, 403),
        (member, {"target": "elsewhere"}, 400),
        (member, {"target": "asleep"}, 400),
        (member, {"target": "nobody"}, 400),
        (member, {"target": 7}, 422),
        (asleep, {}, 401),
    ]
    for service, body, status in cases:
        answer = await _mint(stage, service, **body)
        assert answer.status_code == status, (body, answer.text)
    async with stage.state.database.transaction() as session:
        await realms.change(session, realm.id, is_active=False, actor_id=None, now=stage.clock.now())
    with stage.events() as events:
        assert (await _mint(stage, member)).status_code == 403
    assert "realm.m2m.denied" in [event["event"] for event in events]
    # The shared scope stays (authorization.md §6 rule 5): only minting stops.
    assert (await _whoami(stage, member))["effective_scope"] == "suite"


async def test_MM_5_no_endpoint_takes_an_m2m_token(stage: Stage) -> None:
    realm = await stage.realm("suite")
    service = await stage.service("notes", realm=realm)
    token = (await _mint(stage, service)).json()["token"]
    for headers in (bearer(token), service.headers | bearer(token), {"X-Authz-Token": token}):
        assert (await stage.client.get("/users/me", headers=headers)).status_code == 401
    body = {"service_name": "suite", "action": "a", "workspace_id": "00000000-0000-0000-0000-000000000009"}
    answer = await stage.client.post(
        "/roles/check-action", headers=service.headers | bearer(token), json=body
    )
    assert answer.status_code == 401


async def test_SB_4_and_SB_5_members_address_the_slug_and_nothing_else(stage: Stage) -> None:
    """Rules: authorization-6.2."""
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes", realm=realm), await stage.service("wiki", realm=realm)
    for scope, status in {"suite": 201, "notes": 403, "wiki": 403}.items():
        body = {"service_name": scope, "actions": [{"action": "write"}]}
        answer = await stage.client.post("/roles/actions/register", headers=notes.headers, json=body)
        assert answer.status_code == status, scope
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    resource = await stage.resource(workspace, owner, service_name="suite")
    path = f"/permissions/resource/suite/document/{resource.resource_id}"
    for service in (notes, wiki):
        assert (await stage.client.get(path, headers=service.headers)).status_code == 200


async def test_SB_2_and_SB_3_one_namespace_for_slugs_and_service_names(stage: Stage) -> None:
    now = stage.clock.now()
    await stage.service("notes")
    await stage.realm("suite")
    workspace = await stage.workspace(await stage.user())
    await stage.resource(workspace, None, service_name="ghost")
    cases: list[tuple[Any, type[DomainError]]] = [
        (lambda s: realms.create(s, name="N", slug="notes", actor_id=None, now=now), Invalid),
        (lambda s: realms.create(s, name="N", slug="suite", actor_id=None, now=now), Conflict),
        (lambda s: realms.create(s, name="N", slug="ghost", actor_id=None, now=now), Conflict),
        (lambda s: realms.create(s, name="N", slug="Bad_Slug", actor_id=None, now=now), Unprocessable),
        (
            lambda s: realms.create(s, name="N", slug="short", m2m_ttl_s=29, actor_id=None, now=now),
            Unprocessable,
        ),
        (lambda s: service_apps.create(s, name="N", service_name="suite", actor_id=None, now=now), Invalid),
        (lambda s: service_apps.create(s, name="N", service_name="notes", actor_id=None, now=now), Conflict),
        (lambda s: service_apps.create(s, name="N", service_name="ghost", actor_id=None, now=now), Conflict),
    ]
    for number, (attempt, refusal) in enumerate(cases):
        with pytest.raises(refusal):
            async with stage.state.database.transaction() as session:
                await attempt(session)
        assert (await stage.count(ServiceApp), await stage.count(Realm)) == (1, 1), number
    async with stage.state.database.transaction() as session:
        await scopes.purge(session, "ghost")
    assert await stage.count(Resource) == 0
    await stage.service("ghost")


async def test_SB_2_a_race_for_one_name_has_one_winner(stage: Stage) -> None:
    now = stage.clock.now()

    async def attempt(number: int) -> str:
        try:
            async with stage.state.database.transaction() as session:
                if number % 2:
                    await realms.create(session, name="R", slug="prize", actor_id=None, now=now)
                else:
                    await service_apps.create(session, name="S", service_name="prize", actor_id=None, now=now)
        except (Conflict, Invalid):
            return "lost"
        return "won"

    results = await asyncio.gather(*(attempt(number) for number in range(20)))
    assert results.count("won") == 1
    assert await stage.count(ServiceApp) + await stage.count(Realm) == 1


async def test_realms_members_and_deletion(stage: Stage) -> None:
    """``authorization.md`` §6 rules 1, 3, 4.

    Rules: authorization-6.1, authorization-6.3, authorization-6.4.
    """
    now = stage.clock.now()
    realm, other = await stage.realm("suite"), await stage.realm("other")
    service = await stage.service("notes")
    workspace = await stage.workspace(await stage.user())
    await stage.resource(workspace, None, service_name="notes")
    async with stage.state.database.transaction() as session:
        joined = await realms.add_member(session, realm.id, service.app.id, actor_id=None, now=now)
        assert joined.has_grants
        assert await realms.add_member(session, realm.id, service.app.id, actor_id=None, now=now) == joined
        with pytest.raises(Conflict):
            await realms.add_member(session, other.id, service.app.id, actor_id=None, now=now)
        with pytest.raises(NotFound):
            await realms.remove_member(session, other.id, service.app.id, actor_id=None, now=now)
    async with stage.state.database.transaction() as session:
        await realms.delete(session, realm.id, actor_id=None, now=now)
    assert (await _whoami(stage, service))["effective_scope"] == "notes"
    # The rows under its own name are in sight again.
    assert await stage.count(Resource, Resource.service_name == "notes") == 1


async def test_O1_lists_organizations_for_services_public_first(stage: Stage) -> None:
    service = await stage.service()
    await stage.organization("b.example", slug="beta")
    await stage.organization("a.example", slug="alpha", enabled=False)
    answer = await stage.client.get("/organizations", headers=service.headers)
    assert [row["slug"] for row in answer.json()] == ["public", "beta"]
    assert set(answer.json()[0]) == {"id", "slug", "name", "is_public", "enabled"}
    everything = await stage.client.get(
        "/organizations", headers=service.headers, params={"include_disabled": "true"}
    )
    assert {row["slug"] for row in everything.json()} == {"public", "alpha", "beta"}
    assert (await stage.client.get("/organizations")).status_code == 401
