"""The ceiling: what the same server, driver and database manage when nothing is decided.

A bare ASGI endpoint under the product's own uvicorn settings reads the whole request and answers with one row, found
by primary key with a prepared statement. ``/verified`` checks the RS256 signature of the bearer token first, every
time. ``/rows`` fetches the ids of the showroom and encodes them: what an unlimited answer cannot do without.
"""

import base64
import json
import os
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
import uvicorn
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy.engine import make_url

from bench.data import SHOWROOM_TYPE
from sentinel.cli.server import UVICORN

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONNECTIONS = 20
ONE = "SELECT resource_id, visibility FROM resource_permissions WHERE id = $1"
ROWS = (
    "SELECT resource_id FROM resource_permissions WHERE workspace_id = $1 AND service_name = $2 "
    "AND resource_type = $3 ORDER BY created_at, id"
)


class Bare:
    """The endpoint. Its database is opened when the server starts."""

    def __init__(self, url: str, public_key: Path, showroom: UUID) -> None:
        self._url = make_url(url)
        self._showroom = showroom
        key = load_pem_public_key(public_key.read_bytes())
        assert isinstance(key, RSAPublicKey)
        self._key = key
        self._padding, self._hash = PKCS1v15(), SHA256()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        _, kind, name = scope["path"].split("/")
        if kind == "rows":
            content = json.dumps({"ids": await self._rows()}, separators=(",", ":")).encode()
        else:
            if kind == "verified":
                self._verify(scope)
            content = await self._one(name)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _verify(self, scope: Scope) -> None:
        token = next(value for name, value in scope["headers"] if name == b"authorization")[7:]
        signed, _, signature = token.rpartition(b".")
        self._key.verify(base64.urlsafe_b64decode(signature + b"=="), signed, self._padding, self._hash)

    async def _one(self, name: str) -> bytes:
        if self._lite is not None:
            found, visibility = self._lite.execute(ONE.replace("$1", "?"), (UUID(name).hex,)).fetchone()
        else:
            found, visibility = await self._pool.fetchrow(ONE, UUID(name))
        return f'{{"resource_id":"{found}","visibility":"{visibility}"}}'.encode()

    async def _rows(self) -> list[str]:
        if self._lite is not None:
            statement = ROWS.replace("$1", "?").replace("$2", "?").replace("$3", "?")
            rows = self._lite.execute(statement, (self._showroom.hex, "notes", SHOWROOM_TYPE)).fetchall()
            return [str(UUID(row[0])) for row in rows]
        rows = await self._pool.fetch(ROWS, self._showroom, "notes", SHOWROOM_TYPE)
        return [str(row[0]) for row in rows]

    async def _live(self, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        self._lite: sqlite3.Connection | None = None
        if self._url.get_backend_name() == "sqlite":
            assert self._url.database
            self._lite = sqlite3.connect(self._url.database, isolation_level=None)
        else:
            url = self._url
            self._pool = await asyncpg.create_pool(
                host=url.host,
                port=url.port,
                user=url.username,
                password=url.password,
                database=url.database,
                ssl=False,
                min_size=CONNECTIONS,
                max_size=CONNECTIONS,
                # The driver's own pool sends a second statement whenever a connection comes back; the ceiling is one.
                reset=_nothing,
            )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._lite is None:
            await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _nothing(_connection: asyncpg.Connection) -> None:
    """There is nothing to reset: the one statement leaves no trace in its session."""


def environment(url: str, public_key: Path, showroom: UUID) -> dict[str, str]:
    """What :func:`application` needs to know."""
    return {"CEILING_URL": url, "CEILING_KEY": str(public_key), "CEILING_SHOWROOM": str(showroom)}


def application(variables: Mapping[str, str] = os.environ) -> Bare:
    """The endpoint of one worker process."""
    return Bare(variables["CEILING_URL"], Path(variables["CEILING_KEY"]), UUID(variables["CEILING_SHOWROOM"]))


def main(port: int, workers: int) -> None:
    """Serve until the process is told to end."""
    uvicorn.run(
        "bench.ceiling:application",
        factory=True,
        host="127.0.0.1",
        port=port,
        workers=workers if workers > 1 else None,
        **UVICORN,
    )
