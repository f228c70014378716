"""Realms over the JSON API of the panel (``admin.md`` §7)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from sentinel.apps import realms
from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.errors import NotFound
from sentinel.permissions.models import Resource
from tests.races import in_a_row, use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

PATH = "/admin/api/realms"
WISH = {"name": "Office Suite", "slug": "suite"}


async def test_admin_7_realms_have_the_shape_of_the_contract(stage: Stage) -> None:
    first = await stage.realm("first")
    async with stage.panel() as http:
        made = await http.post(PATH, json=WISH)
        realm = made.json()
        assert made.status_code == 201
        assert realm == WISH | {
            "id": realm["id"],
            "m2m_ttl_s": 300,
            "is_active": True,
            "created_at": realm["created_at"],
        }
        assert (await http.get(f"{PATH}/{realm['id']}")).json() == realm
        assert [one["id"] for one in (await http.get(PATH)).json()] == [realm["id"], str(first.id)]
        url = f"{PATH}/{realm['id']}"
        changed = await http.patch(
            url, json={"name": "S", "m2m_ttl_s": 30, "is_active": False, "slug": "other"}
        )
        assert changed.json() == realm | {"name": "S", "m2m_ttl_s": 30, "is_active": False}
        assert (await http.patch(url, json={"m2m_ttl_s": 29})).status_code == 422
        assert (await http.patch(url, json={"name": ""})).status_code == 422
        assert (await http.delete(url)).status_code == 204
        assert (await http.get(url)).status_code == 404
    actions = sorted(row.action for row in await stage.activities())
    assert actions == ["realm_created", "realm_deleted", "realm_updated"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "a" * 256}, 422),
        ({"slug": "Suite"}, 422),
        ({"slug": "s"}, 422),
        ({"m2m_ttl_s": 29}, 422),
        ({"m2m_ttl_s": 3601}, 422),
        ({"slug": "notes"}, 400),
        ({"slug": "taken"}, 409),
        ({"slug": "left"}, 409),
    ],
)
async def test_admin_7_and_SB_2_and_SB_3_refused_realms_leave_nothing(
    stage: Stage, change: dict[str, Any], status: int
) -> None:
    await stage.service("notes")
    await stage.realm("taken")
    await stage.resource(await stage.workspace(), None, service_name="left")
    async with stage.panel() as http:
        before = await stage.snapshot()
        assert (await http.post(PATH, json=WISH | change)).status_code == status
        assert await stage.snapshot() == before


async def test_admin_7_members_join_and_leave_with_a_warning(stage: Stage) -> None:
    realm, other = await stage.realm("suite"), await stage.realm("other")
    notes, wiki = await stage.service("notes"), await stage.service("wiki")
    await stage.resource(await stage.workspace(), None, service_name="notes")
    async with stage.panel() as http:
        url = f"{PATH}/{realm.id}/members"
        joined = await http.post(f"{url}/{notes.app.id}")
        assert (joined.status_code, joined.json()) == (
            201,
            {"id": str(notes.app.id), "name": "Notes", "service_name": "notes", "has_grants": True},
        )
        assert (await http.post(f"{url}/{notes.app.id}")).status_code == 201  # a no-op
        assert (await http.post(f"{PATH}/{other.id}/members/{notes.app.id}")).status_code == 409
        assert (await http.post(f"{url}/{wiki.app.id}")).json()["has_grants"] is False
        assert (await http.get(url)).json()[0] == joined.json()
        whoami = await stage.client.get("/realm/whoami", headers=notes.headers)
        assert whoami.json()["effective_scope"] == "suite"
        assert (await http.delete(f"{url}/{notes.app.id}")).status_code == 204
        assert (await http.delete(f"{url}/{notes.app.id}")).status_code == 404
        assert [one["service_name"] for one in (await http.get(url)).json()] == ["wiki"]
        for missing in (f"{url}/{uuid4()}", f"{PATH}/{uuid4()}/members/{notes.app.id}"):
            assert (await http.post(missing)).status_code == 404
            assert (await http.delete(missing)).status_code == 404
        assert (await http.get(f"{PATH}/{uuid4()}/members")).status_code == 404
    told = sorted(
        (row.action, (row.detail or {})["service_name"])
        for row in await stage.activities()
        if row.target_type == "realm"
    )
    assert told == [
        ("realm_member_added", "notes"),
        ("realm_member_added", "wiki"),
        ("realm_member_removed", "notes"),
    ]


async def test_authorization_8_members_of_a_deleted_realm_stand_alone_and_its_rows_stay(stage: Stage) -> None:
    realm = await stage.realm("suite")
    notes = await stage.service("notes", realm=realm)
    await stage.resource(await stage.workspace(), None, service_name="suite")
    async with stage.panel() as http:
        assert (await http.delete(f"{PATH}/{realm.id}")).status_code == 204
        assert (await http.post(PATH, json=WISH)).status_code == 409
    [app] = await stage.all(ServiceApp)
    assert app.realm_id is None
    assert await stage.count(Resource) == 1
    whoami = await stage.client.get("/realm/whoami", headers=notes.headers)
    assert whoami.json()["effective_scope"] == "notes"


async def test_SB_2_of_fifty_realms_of_one_slug_one_wins(stage: Stage) -> None:
    async with stage.panel() as http:
        answers = await asyncio.gather(*(http.post(PATH, json=WISH) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert await stage.count(Realm) == 1


async def test_changing_a_realm_that_is_deleted_meanwhile_is_404(
    postgresql_url: str, stage_keys: Keys
) -> None:
    async with open_stage(postgresql_url, stage_keys) as stage:
        realm = await stage.realm("suite")
        _, refused = await in_a_row(
            stage,
            lambda session: realms.delete(session, realm.id, actor_id=None, now=stage.clock.now()),
            use(stage, realms.change, realm.id, name="New"),
        )
        assert isinstance(refused, NotFound)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/{id}"),
        ("PATCH", "/{id}"),
        ("DELETE", "/{id}"),
        ("GET", "/{id}/members"),
        ("POST", "/{id}/members/{app}"),
        ("DELETE", "/{id}/members/{app}"),
    ],
)
async def test_AD_5_and_AD_6_realms_are_for_administrators_alone(
    stage: Stage, method: str, path: str
) -> None:
    realm = await stage.realm("other")
    service = await stage.service("notes", realm=realm)
    url = PATH + path.format(id=realm.id, app=service.app.id)
    body = WISH if method in ("POST", "PATCH") else None
    before = await stage.snapshot()
    assert (await stage.client.request(method, url, json=body)).status_code == 401
    async with stage.panel() as http:
        if path:
            missing = PATH + path.format(id=uuid4(), app=service.app.id)
            assert (await http.request(method, missing, json=body)).status_code == 404
        if method != "GET":
            http.headers.pop("X-Requested-With")
            assert (await http.request(method, url, json=body)).status_code == 403
    assert await stage.snapshot("users") == {name: rows for name, rows in before.items() if name != "users"}
