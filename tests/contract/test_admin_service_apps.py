"""Service apps over the JSON API of the panel (``admin.md`` §7): keys are shown once, changes count at once."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sentinel.apps import service_apps
from sentinel.apps.models import ServiceApp
from sentinel.core.errors import NotFound
from sentinel.permissions.models import Resource
from sentinel.roles.models import ServiceAction
from tests.contract.service_actions import registered
from tests.contract.test_admin_client_apps import may_call
from tests.races import at_once, in_a_row, use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

PATH = "/admin/api/service-apps"
ORIGIN = "https://notes.example.com"
WISH = {
    "name": "Notes",
    "service_name": "notes",
    "allowed_origins": [ORIGIN],
    "allowed_idp_audiences": ["notes-client"],
}


async def works(stage: Stage, key: str) -> bool:
    """Whether a key is accepted."""
    answer = await stage.client.get("/realm/whoami", headers={"X-Service-Key": key})
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def test_T2_and_SK_2_the_key_is_in_the_answer_that_made_it_and_nowhere_else(stage: Stage) -> None:
    admin = await stage.user("Root", is_admin=True)
    async with stage.panel(admin) as http:
        with stage.events() as lines:
            made = await http.post(PATH, json=WISH)
            app = made.json()
            rotated = (await http.post(f"{PATH}/{app['id']}/rotate-key", json={"overlap_minutes": 5})).json()
            later = [
                (await http.get(PATH)).text,
                (await http.get(f"{PATH}/{app['id']}")).text,
                (await http.patch(f"{PATH}/{app['id']}", json={"name": "Notes 2"})).text,
                (await http.get("/admin/api/activity")).text,
                (await http.get("/admin/api/system/settings")).text,
            ]
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = app.pop("api_key")
    assert app == WISH | {
        "id": app["id"],
        "realm_id": None,
        "key_prefix": f"{key[:7]}****",
        "is_active": True,
        "last_used_at": None,
        "created_by": str(admin.id),
        "created_at": app["created_at"],
        "updated_at": app["created_at"],
    }
    for secret in (key, rotated["api_key"]):
        assert len(secret) == 46
        assert all(secret not in text for text in later)
        assert secret not in str(lines)
        assert secret not in str(await stage.snapshot())
    [stored] = await stage.all(ServiceApp)
    assert stored.key_hash == hashlib.sha256(rotated["api_key"].encode()).hexdigest()
    assert stored.previous_key_hash == hashlib.sha256(key.encode()).hexdigest()
    for action in ("service_app_created", "service_app_key_rotated"):
        [entry] = await stage.activities(action)
        assert (entry.actor_id, str(entry.target_id)) == (admin.id, app["id"])


async def test_admin_7_service_apps_are_listed_newest_first_without_a_key(stage: Stage) -> None:
    realm = await stage.realm()
    first, second = await stage.service("notes"), await stage.service("wiki", realm=realm)
    async with stage.panel() as http:
        found = (await http.get(PATH)).json()
        one = (await http.get(f"{PATH}/{second.app.id}")).json()
    assert [app["id"] for app in found] == [str(second.app.id), str(first.app.id)]
    assert found[0] == one
    assert one["realm_id"] == str(realm.id)
    assert not {"api_key", "key_hash", "previous_key_hash"} & one.keys()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "a" * 256}, 422),
        ({"service_name": "Notes"}, 422),
        ({"service_name": "-notes"}, 422),
        ({"service_name": "a"}, 422),
        ({"allowed_origins": [ORIGIN + "/"]}, 422),
        ({"allowed_origins": ["*"]}, 422),
        ({"allowed_origins": ["null"]}, 422),
        ({"allowed_origins": [f"https://h{number}.example" for number in range(51)]}, 422),
        ({"allowed_idp_audiences": [""]}, 422),
        ({"allowed_idp_audiences": ["a\x00b"]}, 422),
        ({"service_name": "suite"}, 400),
        ({"service_name": "taken"}, 409),
        ({"service_name": "left"}, 409),
        ({"allowed_origins": ["https://taken.example"]}, 409),
    ],
)
async def test_admin_7_and_SB_3_and_RO_10_refused_service_apps_leave_nothing(
    stage: Stage, change: dict[str, Any], status: int
) -> None:
    """Rules: RO-6, RO-10, SB-2, SB-3."""
    await stage.realm("suite")
    await stage.service("taken", allowed_origins=["https://taken.example"])
    await stage.resource(await stage.workspace(), None, service_name="left")
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await http.post(
            PATH, content=json.dumps(WISH | change).encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status, answer.text
        assert await stage.snapshot() == before


async def test_admin_7_only_what_may_change_of_a_service_app_changes(stage: Stage) -> None:
    notes = await stage.service("notes")
    async with stage.panel() as http:
        url = f"{PATH}/{notes.app.id}"
        body = {"name": "N", "allowed_origins": ["HTTPS://Notes.Example.com:443"], "service_name": "other"}
        changed = (await http.patch(url, json=body)).json()
        stage.clock.advance(1)
        assert (changed["name"], changed["allowed_origins"]) == ("N", [ORIGIN])
        assert changed["service_name"] == "notes"
        assert (await http.patch(url, json={})).json() == changed
        assert (await http.patch(url, json={"name": "N", "is_active": True})).json() == changed
        assert (await http.patch(url, json={"name": "M", "allowed_origins": ["x"]})).status_code == 422
        off = (await http.patch(url, json={"is_active": False, "allowed_idp_audiences": ["a"]})).json()
        assert (off["is_active"], off["allowed_idp_audiences"], off["name"]) == (False, ["a"], "N")
    details = [row.detail for row in await stage.activities("service_app_updated")]
    assert details == [
        {"app": "N", "name": "N", "allowed_origins": [ORIGIN]},
        {"app": "N", "allowed_idp_audiences": ["a"], "is_active": False},
    ]


async def test_SK_4_and_SK_5_switching_a_service_counts_from_the_next_request_on(stage: Stage) -> None:
    async with stage.panel() as http:
        app = (await http.post(PATH, json=WISH)).json()
        key, url = app["api_key"], f"{PATH}/{app['id']}"
        assert await works(stage, key)
        assert await may_call(stage, ORIGIN)
        await http.patch(url, json={"is_active": False})
        # With no active service and outside development, a key is still refused.
        assert not await works(stage, key)
        assert not await may_call(stage, ORIGIN)
        await http.patch(url, json={"is_active": True})
        assert await works(stage, key)
        assert await may_call(stage, ORIGIN)
        await http.patch(url, json={"allowed_origins": ["https://other.example"]})
        assert not await may_call(stage, ORIGIN)
        assert await may_call(stage, "https://other.example")
        assert (await http.delete(url)).status_code == 204
        assert not await works(stage, key)
        assert not await may_call(stage, "https://other.example")


async def test_RO_10_an_origin_is_claimed_again_when_a_service_is_switched_on(stage: Stage) -> None:
    old = await stage.service("notes", allowed_origins=[ORIGIN])
    async with stage.panel() as http:
        await http.patch(f"{PATH}/{old.app.id}", json={"is_active": False})
        new = (await http.post(PATH, json=WISH | {"service_name": "wiki"})).json()
        refused = await http.patch(f"{PATH}/{old.app.id}", json={"is_active": True})
        assert refused.status_code == 409
        both = await http.patch(
            f"{PATH}/{old.app.id}", json={"is_active": True, "allowed_origins": ["https://old.example"]}
        )
        assert both.status_code == 200
        assert (
            await http.patch(f"{PATH}/{new['id']}", json={"allowed_origins": ["https://old.example"]})
        ).status_code == 409


async def test_SK_3_a_rotated_key_ends_at_once_or_after_the_overlap(stage: Stage) -> None:
    notes = await stage.service("notes")
    url = f"{PATH}/{notes.app.id}/rotate-key"
    async with stage.panel() as http:
        first = (await http.post(url)).json()["api_key"]
        assert [await works(stage, key) for key in (notes.key, first)] == [False, True]
        second = (await http.post(url, json={"overlap_minutes": 60})).json()["api_key"]
        assert [await works(stage, key) for key in (first, second)] == [True, True]
        for overlap in (-1, 1441, "x", None):
            refused = await http.post(url, json={"overlap_minutes": overlap})
            assert refused.status_code == 422
        stage.clock.advance(timedelta(minutes=60).total_seconds())
        assert [await works(stage, key) for key in (first, second)] == [False, True]
    assert len(await stage.activities("service_app_key_rotated")) == 2


async def test_admin_7_deleting_a_service_purges_what_stands_under_its_own_name(stage: Stage) -> None:
    realm, workspace = await stage.realm("suite"), await stage.workspace()
    alone, member = await stage.service("notes"), await stage.service("wiki", realm=realm)
    for name in ("notes", "wiki", "suite"):
        await stage.resource(workspace, None, service_name=name)
    await registered(stage, "notes:read", "wiki:read", "suite:read")
    async with stage.panel() as http:
        for app in (alone.app, member.app):
            assert (await http.delete(f"{PATH}/{app.id}")).status_code == 204
            assert (await http.delete(f"{PATH}/{app.id}")).status_code == 404
    left = {row.service_name for row in await stage.all(Resource)}
    assert left == {row.service_name for row in await stage.all(ServiceAction)} == {"wiki", "suite"}
    assert len(await stage.activities("service_app_deleted")) == 2


async def test_SB_2_of_fifty_creations_of_one_name_one_wins(stage: Stage) -> None:
    async with stage.panel() as http:
        answers = await asyncio.gather(
            *(http.post(PATH, json=WISH | {"allowed_origins": []}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert await stage.count(ServiceApp) == 1
    assert len(await stage.activities("service_app_created")) == 1


async def test_RO_10_of_fifty_services_that_want_one_origin_one_gets_it(stage: Stage) -> None:
    services = [await stage.service(f"s-{number}") for number in range(50)]
    async with stage.panel() as http:
        answers = await asyncio.gather(
            *(http.patch(f"{PATH}/{one.app.id}", json={"allowed_origins": [ORIGIN]}) for one in services)
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49


async def test_SK_3_of_fifty_rotations_of_one_key_one_wins(stage: Stage) -> None:
    """A form that is sent again and again makes one key, and the key that was shown is the one that works."""
    notes = await stage.service("notes")
    rotations = [
        use(
            stage,
            service_apps.rotate_key,
            notes.app.id,
            overlap=timedelta(),
            replaces=notes.app.key_prefix,
        )
        for _ in range(50)
    ]
    assert await at_once(rotations) == {"done": 1, "key_rotated": 49}


async def test_changing_what_is_deleted_meanwhile_is_404(postgresql_url: str, stage_keys: Keys) -> None:
    async with open_stage(postgresql_url, stage_keys) as stage:
        for change, options in (
            (service_apps.change, {"name": "New"}),
            (service_apps.rotate_key, {"overlap": timedelta()}),
        ):
            app_id = (await stage.service("notes")).app.id

            async def delete(session: Any, app_id: Any = app_id) -> None:
                await service_apps.delete(session, app_id, actor_id=None, now=stage.clock.now())

            _, refused = await in_a_row(stage, delete, use(stage, change, app_id, **options))
            assert isinstance(refused, NotFound)


async def test_L32_creating_and_rotating_count_in_the_sensitive_limit(
    database_url: str, stage_keys: Keys
) -> None:
    async with open_stage(database_url, stage_keys, rate_limit_enabled=True) as stage, stage.panel() as http:
        app = (await http.post(PATH, json=WISH)).json()
        rotate = f"{PATH}/{app['id']}/rotate-key"
        answers = [await http.post(rotate) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        page = await stage.form(http, "/admin/service-apps", {"name": "W", "service_name": "wiki"})
        assert page.status_code == 429
        assert (await http.patch(f"{PATH}/{app['id']}", json={"name": "N"})).status_code == 200
        assert await stage.count(ServiceApp) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/{id}"),
        ("PATCH", "/{id}"),
        ("POST", "/{id}/rotate-key"),
        ("DELETE", "/{id}"),
    ],
)
async def test_AD_5_and_AD_6_service_apps_are_for_administrators_alone(
    stage: Stage, method: str, path: str
) -> None:
    service = await stage.service("other")
    url = PATH + path.format(id=service.app.id)

    async def ask(http: httpx.AsyncClient, url: str) -> int:
        body = None
        if method in ("POST", "PATCH"):
            body = {} if "rotate" in url else WISH
        return (await http.request(method, url, json=body)).status_code

    before = await stage.snapshot()
    assert await ask(stage.client, url) == 401
    assert (await stage.client.get(url, headers=service.headers)).status_code in (401, 405)
    async with stage.panel() as http:
        if path:
            assert await ask(http, PATH + path.format(id=uuid4())) == 404
            assert await ask(http, PATH + path.format(id="x")) == 422
        if method != "GET":
            http.headers.pop("X-Requested-With")
            assert await ask(http, url) == 403
    assert await stage.snapshot("users") == {name: rows for name, rows in before.items() if name != "users"}
