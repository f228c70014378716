"""Without the database nobody comes in and nothing is used up (VR-14)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from sentinel.login import codes
from tests.servers import Postgres
from tests.stage import PROVIDER, Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class World:
    """A member of a workspace with everything that he and his service can show."""

    stage: Stage
    reads: list[tuple[str, str, dict[str, str], dict[str, Any] | None]]
    """One call for each way to be let in."""
    uses: list[tuple[str, dict[str, Any]]]
    """Calls that use something up, in an order in which all of them can succeed."""

    async def read_all(self) -> list[httpx.Response]:
        return [
            await self.stage.client.request(method, path, headers=headers, json=body)
            for method, path, headers, body in self.reads
        ]

    async def use_all(self) -> list[httpx.Response]:
        return [await self.stage.client.post(path, json=body) for path, body in self.uses]


async def furnish(stage: Stage) -> World:
    user = await stage.user()
    workspace, notes, app = await stage.workspace(user), await stage.service("notes"), await stage.login_app()
    resource = await stage.resource(workspace, user)
    pkce = Pkce()
    session = await stage.session(user, workspace, app)
    async with stage.state.database.transaction() as transaction:
        code = await codes.issue_code(
            transaction,
            user_id=user.id,
            client_app_id=app.id,
            provider=PROVIDER,
            code_challenge=pkce.challenge,
            now=stage.clock.now(),
        )
    access = await stage.as_user(user, workspace)
    authz = await stage.authz_token(user, workspace, "notes")
    of_service = f"/permissions/resource/notes/document/{resource.resource_id}"
    question = {"service_name": "notes", "resource_type": "document"}
    checks = {"checks": [question | {"resource_id": str(resource.resource_id), "action": "view"}]}
    wish = question | {"action": "view", "workspace_id": str(workspace.id)}
    visibility = f"/permissions/{resource.id}/visibility"
    proof = {"code": code, "code_verifier": pkce.verifier}
    return World(
        stage,
        [
            ("GET", "/workspaces", access, None),
            ("PATCH", "/users/me", access, {"name": "Ada"}),
            ("GET", "/users/me", access, None),
            ("GET", "/users/me", {"X-Authz-Token": authz}, None),
            ("GET", "/users/me", notes.headers | bearer(authz), None),
            ("GET", "/users/me", notes.headers | access | {"X-Authz-Token": authz}, None),
            ("GET", of_service, notes.headers, None),
            ("POST", "/permissions/check", notes.headers | access, checks),
            ("POST", "/permissions/accessible", notes.headers | bearer(authz), wish),
            ("POST", "/roles/check-action", notes.headers | access, wish),
            ("PATCH", visibility, notes.headers, {"visibility": "private"}),
            ("PATCH", visibility, notes.headers | access, {"visibility": "workspace"}),
        ],
        [
            ("/auth/workspaces", proof),
            ("/auth/token", proof | {"workspace_id": str(workspace.id)}),
            ("/auth/refresh", {"refresh_token": session.refresh.token}),
        ],
    )


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503, (answer.request.url, answer.text)
    assert answer.json() == {"detail": "Service temporarily unavailable"}
    assert int(answer.headers["retry-after"]) > 0


async def test_VR_14_without_the_database_nobody_comes_in(stage: Stage) -> None:
    """Rules: A4, A5, A6."""
    world = await furnish(stage)
    before = await stage.snapshot("service_apps")
    async with stage.without_database():
        for answer in [*await world.read_all(), *await world.use_all()]:
            refused(answer)
        # What is wrong by itself needs no database to be refused.
        assert (await stage.client.get("/users/me", headers=bearer("x.y.z"))).status_code == 401
    # Nothing was used up, nobody was logged out.
    assert await stage.snapshot("service_apps") == before
    for answer in [*await world.read_all(), *await world.use_all()]:
        assert answer.status_code == 200, (answer.request.url, answer.text)


async def test_VR_14_a_broken_denylist_never_lets_a_token_pass(stage: Stage) -> None:
    """The table of revoked tokens is gone: no answer may treat that as an empty one."""
    world = await furnish(stage)
    await stage.execute(sa.text("ALTER TABLE revoked_tokens RENAME TO hidden"))
    for answer in await world.read_all():
        assert answer.status_code >= 500, answer.request.url
    await stage.execute(sa.text("ALTER TABLE hidden RENAME TO revoked_tokens"))
    for answer in await world.read_all():
        assert answer.status_code == 200, (answer.request.url, answer.text)


class Line:
    """The way to PostgreSQL, which a test can cut: open connections break, new ones are refused."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        ends = {writer, back}
        self._ends |= ends
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        self._ends -= ends

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65536):
                sink.write(chunk)
                await sink.drain()
        sink.close()
        with suppress(ConnectionError):
            await sink.wait_closed()


@asynccontextmanager
async def line_to(database_url: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to the database of a URL, and the URL that goes through it."""
    url = make_url(database_url)
    assert url.port is not None
    line = Line(url.port)
    await line.mend()
    try:
        yield line, url.set(port=line.port).render_as_string(hide_password=False)
    finally:
        await line.cut()


async def test_VR_14_a_cut_line_to_postgresql_is_503_and_heals(postgresql_url: str, stage_keys: Keys) -> None:
    async with line_to(postgresql_url) as (line, url), open_stage(url, stage_keys) as stage:
        world = await furnish(stage)
        await line.cut()
        # First the pooled connections break, then new ones are refused.
        for _ in range(2):
            for answer in [*await world.read_all(), *await world.use_all()]:
                refused(answer)
        await line.mend()
        for answer in [*await world.read_all(), *await world.use_all()]:
            assert answer.status_code == 200, (answer.request.url, answer.text)


async def test_VR_14_a_database_that_takes_no_connection_is_503(
    postgresql_url: str, stage_keys: Keys, postgres: Postgres
) -> None:
    """Closed for maintenance, and then dropped: no connection, whatever the server's reason."""
    name = make_url(postgresql_url).database
    async with open_stage(postgresql_url, stage_keys) as stage:
        world = await furnish(stage)
        for statement in (
            f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false',
            f'DROP DATABASE "{name}" WITH (FORCE)',
        ):
            postgres.execute(statement)
            await stage.state.database.close()
            for answer in [*await world.read_all(), *await world.use_all()]:
                refused(answer)
