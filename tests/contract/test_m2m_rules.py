"""Tokens between services (``tokens.md`` §9) as the services see them; the rest of MM: test_realms.py."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from tests.contract.test_tiers import PATH_IDS
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio

METHODS = ("get", "put", "post", "patch", "delete")


async def mint(stage: Stage, service: Service, **body: Any) -> httpx.Response:
    return await stage.client.post("/realm/m2m-token", headers=service.headers, json=body)


async def minted(stage: Stage, service: Service, **body: Any) -> str:
    answer = await mint(stage, service, **body)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


async def received(stage: Stage, receiver: Service, token: str) -> int:
    """The status with which a service answers that checks what MM-4 asks for, with what it can know: the published
    keys, its own name and its own scope.
    """
    published = (await stage.client.get("/.well-known/jwks.json")).json()
    me = (await stage.client.get("/realm/whoami", headers=receiver.headers)).json()
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"])
    except JoseError:
        return 401
    claims = decoded.claims
    if (claims["aud"], claims["type"]) != ("sentinel:m2m", "m2m"):
        return 401
    if claims["svc"] != me["effective_scope"] or claims["aud_target"] not in (None, me["service_name"]):
        return 403
    return 200


async def test_MM_1_only_members_of_an_active_realm_mint(stage: Stage) -> None:
    """Over HTTP, by the switches of the panel: each acts on the next request."""
    suite = await stage.realm("suite")
    notes = await stage.service("notes")
    member = f"/admin/api/realms/{suite.id}/members/{notes.app.id}"
    async with stage.panel() as http:

        async def status() -> int:
            return (await mint(stage, notes)).status_code

        assert await status() == 403
        assert (await http.post(member)).status_code == 201
        assert await status() == 200
        for active, expected in ((False, 403), (True, 200)):
            answer = await http.patch(f"/admin/api/realms/{suite.id}", json={"is_active": active})
            assert answer.status_code == 200, answer.text
            assert await status() == expected
        assert (await http.delete(member)).status_code == 204
        assert await status() == 403
        assert (await http.post(member)).status_code == 201
        assert (await http.delete(f"/admin/api/realms/{suite.id}")).status_code == 204
        assert await status() == 403


async def test_MM_4_a_receiver_can_tell_who_may_take_a_token(stage: Stage) -> None:
    suite, office = await stage.realm("suite"), await stage.realm("office")
    notes, wiki, tasks = [await stage.service(name, realm=suite) for name in ("notes", "wiki", "tasks")]
    elsewhere, alone = await stage.service("elsewhere", realm=office), await stage.service("alone")
    receivers = (notes, wiki, tasks, elsewhere, alone)
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    to_all, to_wiki = await minted(stage, notes), await minted(stage, notes, target="wiki")
    claims = jwt.decode(to_all, stage.state.keyring.verification_key(stage.state.keyring.kid)).claims
    stranger = RSAKey.generate_key(2048)
    forged = jwt.encode(
        {"alg": "RS256", "kid": stage.state.keyring.kid}, claims, stranger, algorithms=["RS256"]
    )
    for token, expected in (
        (to_all, [200, 200, 200, 403, 403]),
        (to_wiki, [403, 200, 403, 403, 403]),
        (forged, [401] * 5),
        (await stage.authz_token(ada, workspace, "suite"), [401] * 5),
        (await stage.access_token(ada, workspace), [401] * 5),
    ):
        assert [await received(stage, one, token) for one in receivers] == expected


async def test_MM_5_a_token_between_services_is_as_good_as_none(stage: Stage) -> None:
    """At every operation that there is, in every place where a token can stand, with and without a good key."""
    realm = await stage.realm("suite")
    notes = await stage.service("notes", realm=realm)
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    token = await minted(stage, notes)
    operations = [
        (method.upper(), path)
        for path, methods in stage.app.api.openapi()["paths"].items()
        for method in methods
        if method in METHODS
    ]
    assert len(operations) > 40
    known = {"workspace_id": str(workspace.id), "user_id": str(ada.id)}
    names = {name: str(uuid4()) for name in PATH_IDS} | known
    shown: list[dict[str, str]] = [
        bearer(token),
        {"X-Authz-Token": token},
        {"X-Service-Key": token},
        {"Cookie": f"admin_token={token}", "X-Requested-With": "XMLHttpRequest"},
    ]
    opened = set()
    before = await stage.snapshot("service_apps", "activity_logs")
    for method, path in operations:
        where = path
        while "{" in where:
            start, _, rest = where.partition("{")
            name, _, end = rest.partition("}")
            where = start + names.get(name.partition(":")[0], str(uuid4())) + end
        for key in ({}, notes.headers):
            without = await stage.client.request(method, where, headers=key, json={})
            for headers in shown:
                if key and "X-Service-Key" in headers:
                    continue
                answer = await stage.client.request(method, where, headers=key | headers, json={})
                # What is optional has to be good when it is there (P8, P9).
                place = (method, path, *headers, *key)
                assert answer.status_code in (without.status_code, 401), (place, answer.text)
                if answer.is_success:
                    opened.add(path)
    assert await stage.snapshot("service_apps", "activity_logs") == before
    assert not {
        path for path in opened if path.startswith(("/admin", "/users", "/workspaces", "/permissions"))
    }
    refresh = await stage.client.post("/auth/refresh", json={"refresh_token": token})
    assert refresh.status_code == 401
    resolved = await stage.client.post(
        "/authz/resolve", headers=notes.headers, json={"idp_token": token, "provider": "corp"}
    )
    assert resolved.status_code == 400


async def test_MM_6_every_mint_and_every_denial_is_one_security_event(stage: Stage) -> None:
    suite, office = await stage.realm("suite"), await stage.realm("office", is_active=False)
    notes, _ = [await stage.service(name, realm=suite) for name in ("notes", "wiki")]
    asleep, alone = await stage.service("tasks", realm=office), await stage.service("alone")
    cases: list[tuple[Service, dict[str, Any], int]] = [
        (notes, {}, 200),
        (notes, {"target": "wiki"}, 200),
        (notes, {"target": "alone"}, 400),
        (notes, {"target": "tasks"}, 400),
        (notes, {"target": "nobody"}, 400),
        (asleep, {}, 403),
        (alone, {}, 403),
        (alone, {"target": "wiki"}, 403),
    ]
    for service, body, status in cases:
        with stage.events() as events:
            answer = await mint(stage, service, **body)
        assert answer.status_code == status, answer.text
        [line] = [event for event in events if event["event"].startswith("realm.m2m.")]
        expected = ("realm.m2m.minted", "success") if status == 200 else ("realm.m2m.denied", "denied")
        assert (line["event"], line["outcome"]) == expected, body
        assert (line["category"], line["caller_service"]) == ("security", service.app.service_name)
        assert line["realm"] == "suite" if status == 200 else line["reason"]
        assert answer.json().get("token", "-.-.-") not in str(events)
