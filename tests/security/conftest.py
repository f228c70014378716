"""What the tests of the lessons share: a small town, furnished once a module, and one real server in front of it."""

import http.client
import json
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Workspace
from tests.served import Served, World, environment, furnish, serving
from tests.stage import Keys, Service, Stage, bearer, open_stage

BASE_URL = "https://auth.example.com"


@dataclass(frozen=True)
class Town:
    """Two workspaces that have nothing to do with each other, and a service for each."""

    stage: Stage
    owner: User
    viewer: User
    workspace: Workspace
    service: Service
    resource: Resource
    stranger: User
    elsewhere: Workspace
    other_service: Service

    async def token(self, user: User | None = None, workspace: Workspace | None = None) -> str:
        return await self.stage.access_token(user or self.owner, workspace or self.workspace)

    async def as_owner(self) -> dict[str, str]:
        """Key of the service and token of the owner."""
        return self.service.headers | bearer(await self.token())

    def question(self, resource: Resource | None = None, action: str = "view") -> dict[str, str]:
        resource = resource or self.resource
        return {
            "service_name": resource.service_name,
            "resource_type": resource.resource_type,
            "resource_id": str(resource.resource_id),
            "action": action,
        }


async def build(stage: Stage) -> Town:
    owner = await stage.user("Olive Owner")
    workspace = await stage.workspace(owner)
    viewer = await stage.member(workspace)
    stranger = await stage.user("Sam Stranger")
    return Town(
        stage,
        owner,
        viewer,
        workspace,
        await stage.service("notes"),
        await stage.resource(workspace, owner, visibility="private"),
        stranger,
        await stage.workspace(stranger),
        await stage.service("wiki"),
    )


@pytest.fixture(scope="module")
async def town(
    anyio_backend: Any, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, stage_keys: Keys
) -> AsyncIterator[Town]:
    """For what no database has a say in; tests leave it as they find it."""
    file = tmp_path_factory.mktemp("town") / "sentinel.db"
    shutil.copyfile(sqlite_template, file)
    async with open_stage(f"sqlite+aiosqlite:///{file}", stage_keys) as stage:
        yield await build(stage)


@pytest.fixture
async def place(stage: Stage) -> Town:
    """The same in a fresh database of its own, once on SQLite and once on PostgreSQL."""
    return await build(stage)


@dataclass(frozen=True)
class Answer:
    """What a server sent back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Front:
    """A real ``sentinel serve`` that says it stands behind a proxy, and the world behind it."""

    served: Served
    world: World

    def say(self, request: bytes | str) -> Answer:
        """Send bytes as they are, and read one answer."""
        raw = request if isinstance(request, bytes) else request.encode("latin-1")
        with closing(socket.create_connection(("127.0.0.1", self.served.port), timeout=20)) as connection:
            connection.sendall(raw)
            answer = http.client.HTTPResponse(connection, method=raw.split(b" ", 1)[0].decode("latin-1"))
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read())

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        host: str | None = "Host: auth.example.com",
    ) -> Answer:
        """One request with the right host, exactly these headers and this body."""
        lines = [f"{method} {path} HTTP/1.1", *([host] if host is not None else [])]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.say("\r\n".join(lines).encode("latin-1") + b"\r\nConnection: close\r\n\r\n" + body)

    def check(self, headers: Mapping[str, str], path: str = "/permissions/check", **more: Any) -> Answer:
        """A question that the owner gets 200 for."""
        body = json.dumps(self.world.question()).encode()
        return self.ask(
            path, method="POST", headers={"Content-Type": "application/json", **headers}, body=body, **more
        )


@pytest.fixture(scope="module")
def front(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, stage_keys: Keys
) -> Iterator[Front]:
    """One server a module."""
    folder = tmp_path_factory.mktemp("front")
    shutil.copyfile(sqlite_template, folder / "sentinel.db")
    url = f"sqlite+aiosqlite:///{folder}/sentinel.db"
    world = furnish(url, stage_keys, base_url=BASE_URL)
    variables = environment(
        url,
        stage_keys,
        BASE_URL=BASE_URL,
        ALLOWED_HOSTS="auth.example.com,127.0.0.1",
        BEHIND_PROXY="true",
        GITHUB_CLIENT_ID="an-id",
        GITHUB_CLIENT_SECRET="a-secret-of-github",
        RATE_LIMIT_AUTH_ADMIN="4/hour",
        RATE_LIMIT_FAILED_AUTH="1000000/minute",
        RATE_LIMIT_READ="1000000/minute",
    )
    with serving(variables, folder) as served:
        yield Front(served, world)
