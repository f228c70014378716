"""Registered actions over the JSON API of the panel (``admin.md`` §6)."""

from uuid import uuid4

import pytest

from sentinel.roles import roles
from sentinel.roles.models import RoleAction, ServiceAction
from tests.contract.service_actions import registered
from tests.races import use
from tests.stage import Stage

pytestmark = pytest.mark.anyio

PATH = "/admin/api/service-actions"


async def test_admin_6_actions_are_listed_by_service_and_name(stage: Stage) -> None:
    await registered(stage, "wiki:read", "notes:write", "notes:read", "notes:read.all", "notes:read-all")
    async with stage.panel() as http:
        found = (await http.get(PATH)).json()
        named = [(one["service_name"], one["action"]) for one in found]
        notes = (await http.get(PATH, params={"service_name": "notes"})).json()
        none = (await http.get(PATH, params={"service_name": "%"})).json()
        refused = await http.get(PATH, params={"service_name": "a\x00"})
    assert named == [
        ("notes", "read"),
        ("notes", "read-all"),
        ("notes", "read.all"),
        ("notes", "write"),
        ("wiki", "read"),
    ]
    assert found[0].keys() == {"id", "service_name", "action", "description", "created_at"}
    assert notes == found[:4]
    assert none == []
    assert refused.status_code == 422


async def test_admin_6_a_deleted_action_leaves_every_role(stage: Stage) -> None:
    [action, other] = await registered(stage, "notes:read", "notes:write")
    workspace = await stage.workspace()
    role = await use(stage, roles.create, workspace.id, name="reader")
    await use(stage, roles.add_actions, role.id, [action.id, other.id])
    async with stage.panel() as http:
        assert (await http.delete(f"{PATH}/{action.id}")).status_code == 204
        assert (await http.delete(f"{PATH}/{action.id}")).status_code == 404
    assert [row.action for row in await stage.all(ServiceAction)] == ["write"]
    assert await stage.count(RoleAction) == 1
    [entry] = await stage.activities("service_action_deleted")
    assert entry.detail == {"service_name": "notes", "action": "read", "roles": 1}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_AD_5_and_AD_6_actions_are_for_administrators_alone(stage: Stage, method: str) -> None:
    [action] = await registered(stage, "notes:read")
    url = PATH if method == "GET" else f"{PATH}/{action.id}"
    assert (await stage.client.request(method, url)).status_code == 401
    async with stage.panel() as http:
        if method == "DELETE":
            assert (await http.delete(f"{PATH}/{uuid4()}")).status_code == 404
            http.headers.pop("X-Requested-With")
            assert (await http.delete(url)).status_code == 403
    assert await stage.count(ServiceAction) == 1
    assert await stage.activities() == []
