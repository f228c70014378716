"""The synchronous clients against the real server, from threads (``sentinel_auth.sync``)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

from sentinel_auth import Retry, SentinelError, calls, sync
from sentinel_auth.connection import SyncConnection
from tests.sdk.furniture import Line, World
from tests.stage import PROVIDER, Keys

pytestmark = pytest.mark.anyio
T = TypeVar("T")


class Bridge(httpx.BaseTransport):
    """From a thread to the application in the event loop."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._line.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


async def in_a_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def test_everything_an_application_does_with_permissions(world: World) -> None:
    bridge, document = Bridge(world.line), uuid4()
    owner, other = world.token(world.editor), world.token(world.other)

    def work() -> None:
        with sync.PermissionClient(world.url, "notes", world.service.key, transport=bridge) as client:
            record = client.register_resource(
                "document", document, world.workspace.id, world.editor.id, "private"
            )
            assert client.get_resource_acl("document", document) == record
            assert client.can(other, "document", document, "view") is False
            assert client.share(owner, "document", document, "user", world.other.id) == {"status": "ok"}
            assert client.can(other, "document", document, "view") is True
            assert client.get_enriched_resource_acl("document", document)["owner_name"] == "Edda Editor"
            assert client.accessible(other, "document", "view", world.workspace.id) == ([document], False)
            client.unshare(owner, "document", document, "user", world.other.id)
            assert client.accessible(other, "document", "view", world.workspace.id, limit=3) == ([], False)
            assert (
                client.update_visibility(owner, "document", document, "workspace")["visibility"]
                == "workspace"
            )
            client.deregister_resource("document", document)
            with pytest.raises(SentinelError) as gone:
                client.get_resource_acl("document", document)
            assert gone.value.status_code == 404
            assert client.search_workspace_members(other, world.workspace.id, "olga")[0]["role"] == "owner"
            groups = client.list_groups(other, world.workspace.id)
            assert len(client.get_group_members(other, world.workspace.id, groups[0]["id"])) == 1

    await in_a_thread(work)


async def test_roles_and_sign_in(world: World, stage_keys: Keys) -> None:
    bridge = Bridge(world.line)
    await world.stage.link(world.viewer, subject="sub-viewer@example.com")
    token, id_token = world.token(world.viewer), world.id_token(stage_keys)

    def work() -> dict[str, Any]:
        with sync.RoleClient(world.url, "notes", world.service.key, transport=bridge) as roles:
            assert [one["action"] for one in roles.register_actions([{"action": "a:b"}])] == ["a:b"]
            assert roles.check_action(token, "a:b", world.workspace.id) is False
            assert roles.get_user_actions(token, world.workspace.id) == []
        with sync.AuthzClient(world.url, world.service.key, transport=bridge) as client:
            return client.resolve(id_token, PROVIDER, world.workspace.id)

    assert (await in_a_thread(work))["workspace"]["slug"] == "acme"


async def test_a_client_is_shared_by_threads(world: World) -> None:
    bridge = Bridge(world.line)
    document = (await world.stage.resource(world.workspace, world.viewer)).resource_id
    with sync.PermissionClient(world.url, "notes", world.service.key, transport=bridge) as client:
        answers = await asyncio.gather(
            *(
                in_a_thread(lambda: client.can(world.token(world.viewer), "document", document, "edit"))
                for _ in range(20)
            )
        )
    assert answers == [True] * 20


async def test_second_tries(world: World) -> None:
    pauses: list[float] = []
    line = SyncConnection(
        world.url, world.service.key, transport=Bridge(world.line), retry=Retry(), sleep=pauses.append
    )
    world.line.answers = [httpx.ConnectError("x"), httpx.Response(503, headers={"Retry-After": "2"})]
    assert (await in_a_thread(lambda: line.send(calls.jwks())))["keys"]
    assert pauses[1] == 2.0
    world.line.cut = True
    with pytest.raises(httpx.ConnectError):
        await in_a_thread(lambda: line.send(calls.m2m_token()))
    assert len(pauses) == 2
    with pytest.raises(httpx.ConnectError):
        await in_a_thread(lambda: line.send(calls.jwks()))
    assert len(pauses) == 4
    line.close()


async def test_a_pool_keeps_no_cookies(world: World) -> None:
    line = SyncConnection(world.url, world.service.key, transport=Bridge(world.line))
    for _ in range(2):
        world.line.answers = [httpx.Response(200, json={}, headers={"Set-Cookie": "session=hers; Path=/"})]
        await in_a_thread(lambda: line.send(calls.jwks()))
    line.close()
    assert ["cookie" in request.headers for request in world.line.requests] == [False, False]
