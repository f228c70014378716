"""The stored databases of earlier versions, made by ``scripts/store_release.py``."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.engine import make_url

from sentinel.core.clock import ManualClock
from tests.stage import Keys, Stage, open_stage
from tests.upgrades.world import World

FOLDER = Path(__file__).parent / "stored"
RELEASES = sorted(path.name for path in FOLDER.iterdir())


@dataclass(frozen=True)
class Release:
    """One version as it was stored from one of the two databases."""

    name: str
    kind: str
    revision: str
    rows: dict[str, int]
    world: World
    public_key: str

    @classmethod
    def read(cls, name: str, kind: str) -> "Release":
        stored = json.loads((FOLDER / name / f"{kind}.json").read_text(encoding="utf-8"))
        return cls(
            name,
            kind,
            stored["revision"],
            stored["rows"],
            World.load(stored),
            "\n".join(stored["public_key"]) + "\n",
        )

    async def load(self, url: str) -> None:
        """Put the database, as that version left it, into an empty one of the same kind."""
        sql = (FOLDER / self.name / f"{self.kind}.sql").read_text(encoding="utf-8")
        if self.kind == "sqlite":
            path = make_url(url).database
            assert path
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(sql)
            return
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    @asynccontextmanager
    async def opened(self, url: str, keys: Keys) -> AsyncIterator[Stage]:
        """The service of today on that database, at the moment when it was stored, knowing the public key of then."""
        former = keys.public.with_name(f"{self.name}-{self.kind}.pem")
        former.write_text(self.public_key)
        async with open_stage(
            url,
            keys,
            clock=ManualClock(self.world.asked_at),
            base_url=self.world.base_url,
            jwt_previous_public_key_paths=(former,),
        ) as stage:
            yield stage
