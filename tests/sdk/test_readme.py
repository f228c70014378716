"""What the README of the client library says works, in its order, against a server on this machine."""

import asyncio
import re
import socket
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy.dialects import sqlite

from sentinel_auth import AuthenticatedUser, RequestAuth, Sentinel
from tests.sdk.furniture import World, bearer, browser

pytestmark = pytest.mark.anyio

README = Path(__file__).parents[2] / "sdk" / "python" / "README.md"


def blocks() -> dict[str, str]:
    """The Python blocks by the heading they stand under."""
    found: dict[str, str] = {}
    for part in re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        for block in re.findall(r"^( *)```python\n(.*?)^\1```$", part, re.MULTILINE | re.DOTALL):
            heading = part.partition("\n")[0]
            assert heading not in found, f"two blocks under {heading!r}"
            found[heading] = textwrap.dedent(block[1])
    return found


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    """The address of the stage's application on this machine, with the clock of this machine."""
    world.stage.clock.advance(time.time() - world.seconds())
    world.tokens = {
        one.id: await world.stage.access_token(one, world.workspace)
        for one in (world.owner, world.editor, world.viewer, world.other)
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(world.stage.app, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.01)
        yield f"http://localhost:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_every_block_runs(world: World, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_URL", address)
    monkeypatch.setenv("SENTINEL_KEY", world.service.key)
    written = blocks()
    editor, viewer = bearer(world.token(world.editor)), bearer(world.token(world.viewer))
    names: dict[str, Any] = {}

    def run(heading: str) -> None:
        exec(compile(written.pop(heading), f"README: {heading}", "exec"), names)  # noqa: S102

    run("Five minutes")
    app, sentinel = names["app"], names["sentinel"]
    async with sentinel.lifespan(app), browser(app) as http:
        note = (await http.post("/notes?text=Hello", headers=editor)).json()
        assert (await http.get(f"/notes/{note}", headers=editor)).json() == "Hello"
        assert (await http.get(f"/notes/{note}", headers=viewer)).status_code == 404
        assert (
            await http.post(f"/notes/{note}/share?with_user={world.viewer.id}", headers=editor)
        ).status_code == 200
        assert (await http.get(f"/notes/{note}", headers=viewer)).json() == "Hello"
        assert (await http.get(f"/notes/{note}")).status_code == 401
        assert (await http.get("/export", headers=viewer)).status_code == 403

    auth = _auth(world, sentinel)
    run("Questions")
    await names["examples"](auth, names["UUID"](note))
    run("Lists")
    query = await names["my_notes"](auth)
    assert "workspace_id = ? AND notes.id IN" in str(query.compile(dialect=sqlite.dialect()))
    run("Scripts, Django, Flask")
    assert await asyncio.to_thread(names["visibility_of"], note) == "private"
    run("Errors")
    assert await names["may_see"](auth, note) is True
    run("Between services")
    run("Other frameworks")
    async with sentinel.lifespan(None), browser(names["protected"]) as http:
        assert (await http.get("/hello", headers=viewer)).text == "Hello, Vera Viewer"
        assert (await http.get("/hello")).status_code == 401
    async with browser(app) as http:
        assert (await http.post("/health/reindex")).status_code == 401
    run("Tests of your application")
    await names["test_notes_are_private"]()
    run("Authz mode")
    async with browser(names["app"]) as http:
        assert (await http.get("/sentinel/users/me")).status_code == 401
        assert (await http.get("/notes")).status_code == 401
    await sentinel.close()
    assert written == {}


def _auth(world: World, sentinel: Sentinel) -> RequestAuth:
    user = AuthenticatedUser(
        world.editor.id, "editor@example.com", "Edda", world.workspace.id, "acme", "editor"
    )
    return RequestAuth(user, world.token(world.editor), sentinel.permissions, sentinel.roles)
