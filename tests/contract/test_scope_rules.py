"""The names of scopes (``tokens.md`` §13) over the panel and the public surface; the rest of SB: test_realms.py."""

from typing import Any

import httpx
import pytest

from sentinel.apps.models import Realm, ServiceApp
from sentinel.roles.models import ServiceAction
from tests.contract.test_resolve import _claims, _id_token, _resolve
from tests.stage import Keys, Service, Stage, bearer

pytestmark = pytest.mark.anyio


async def realm(http: httpx.AsyncClient, slug: str) -> httpx.Response:
    return await http.post("/admin/api/realms", json={"name": "Name", "slug": slug})


async def service(http: httpx.AsyncClient, name: str) -> httpx.Response:
    return await http.post("/admin/api/service-apps", json={"name": "Name", "service_name": name})


async def test_SB_2_a_name_is_of_a_realm_or_of_a_service(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await service(http, "notes")).status_code == 201
        assert (await realm(http, "suite")).status_code == 201
        before = await stage.snapshot()
        for make, name, status in (
            (realm, "notes", 400),
            (service, "suite", 400),
            (realm, "suite", 409),
            (service, "notes", 409),
        ):
            assert (await make(http, name)).status_code == status, name
        assert await stage.snapshot() == before
        assert (await service(http, "suite-2")).status_code == 201
        assert (await realm(http, "notes-2")).status_code == 201
    assert (await stage.count(ServiceApp), await stage.count(Realm)) == (2, 2)


async def test_SB_3_a_name_with_rows_of_the_one_before_is_reserved_until_they_go(stage: Stage) -> None:
    """Rules: authorization-6.4."""
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    async with stage.panel() as http:
        suite = (await realm(http, "suite")).json()["id"]
        notes = (await service(http, "notes")).json()
        assert (await http.post(f"/admin/api/realms/{suite}/members/{notes['id']}")).status_code == 201
        key = {"X-Service-Key": notes["api_key"]}
        body: dict[str, Any] = {"service_name": "suite", "actions": [{"action": "write"}]}
        registered = await stage.client.post("/roles/actions/register", headers=key, json=body)
        assert registered.status_code == 201
        await stage.resource(workspace, boss, service_name="suite")
        # Deleting the realm lets its member stand alone again and leaves the rows.
        assert (await http.delete(f"/admin/api/realms/{suite}")).status_code == 204
        me = (await stage.client.get("/realm/whoami", headers=key)).json()
        assert (me["effective_scope"], me["realm"]) == ("notes", None)

        async def reserved() -> None:
            for make in (realm, service):
                assert (await make(http, "suite")).status_code == 409

        await reserved()
        purged = await http.delete("/admin/api/permissions/service/suite")
        assert purged.json()["deleted_count"] == 1
        # Nobody has the name any more, so its actions have gone, too.
        assert await stage.count(ServiceAction, ServiceAction.service_name == "suite") == 0
        assert (await service(http, "suite")).status_code == 201


async def test_SB_1_and_SB_5_and_SB_6_a_token_follows_the_scope_of_the_key_that_minted_it(
    stage: Stage, stage_keys: Keys
) -> None:
    """Joining and leaving act on the next request; what was minted before is refused from then on."""
    ada = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(ada)
    suite = await stage.realm("suite")
    notes, wiki = await stage.service("notes"), await stage.service("wiki", realm=suite)

    async def token(by: Service) -> str:
        answer = await _resolve(
            stage, by.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
        )
        assert answer.status_code == 200, answer.text
        minted: str = answer.json()["authz_token"]
        return minted

    async def status(by: Service, shown: str, scope: str) -> list[int]:
        headers = by.headers | bearer(shown)
        wish = {
            "service_name": scope,
            "resource_type": "document",
            "action": "view",
            "workspace_id": str(workspace.id),
        }
        answers = (
            await stage.client.get("/users/me", headers=headers),
            await stage.client.post("/permissions/accessible", headers=headers, json=wish),
        )
        return [answer.status_code for answer in answers]

    own, shared = await token(notes), await token(wiki)
    assert (_claims(own)["svc"], _claims(shared)["svc"]) == ("notes", "suite")
    assert await status(notes, own, "notes") == [200, 200]
    assert await status(notes, shared, "suite") == await status(wiki, own, "notes") == [403, 403]
    member = f"/admin/api/realms/{suite.id}/members/{notes.app.id}"
    async with stage.panel() as http:
        assert (await http.post(member)).status_code == 201
        for by in (notes, wiki):
            assert await status(by, own, "notes") == [403, 403]
            assert await status(by, shared, "suite") == [200, 200]
            # SB-5: not even under its own name.
            assert await status(by, shared, "notes") == [200, 403]
        joined = await token(notes)
        assert _claims(joined)["svc"] == "suite"
        assert (await http.delete(member)).status_code == 204
    assert await status(notes, joined, "suite") == [403, 403]
    assert await status(notes, own, "notes") == [200, 200]
    assert await status(wiki, joined, "suite") == [200, 200]
