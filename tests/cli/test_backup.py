"""``sentinel db backup`` and ``restore``: every table, from either database into either, all or nothing."""

import asyncio
import gzip
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from sentinel.audit.models import Activity
from sentinel.cli.main import app
from sentinel.core.database import Database
from sentinel.identity.models import User
from sentinel.migrations import newest, upgrade
from sentinel.migrations.backup import BATCH, DERIVED
from sentinel.migrations.tables import METADATA
from tests import servers
from tests.cli.terminal import Terminal
from tests.stage import Keys
from tests.upgrades import world
from tests.upgrades.releases import RELEASES, Release

KINDS = ("sqlite", "postgresql")
ROOT = Path(__file__).parents[2]
MANY = 2 * BATCH + 1


@pytest.fixture
def empty(tmp_path: Path, postgres: servers.Postgres) -> Iterator[Callable[[str], Terminal]]:
    """Makes terminals with an empty database of the wanted kind."""
    names: list[str] = []

    def make(kind: str) -> Terminal:
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        if kind == "sqlite":
            return Terminal(folder, f"sqlite+aiosqlite:///{folder / 'sentinel.db'}")
        names.append(postgres.create_database())
        return Terminal(folder, postgres.url_for(names[-1]))

    yield make
    for name in names:
        postgres.drop(name)


def filled(terminal: Terminal, kind: str, name: str = RELEASES[-1], *, current: bool = True) -> Release:
    """Fill the database of ``terminal`` with a stored world, by default brought up to date."""
    release = Release.read(name, kind)
    asyncio.run(release.load(terminal.url))
    if current:
        asyncio.run(upgrade(terminal.url))
    return release


def rows(terminal: Terminal) -> dict[str, list[str]]:
    """Every row of every table, in one order whatever the database."""

    async def work(session: AsyncSession) -> dict[str, list[str]]:
        return {
            table.name: sorted(
                json.dumps(list(row), default=repr, sort_keys=True)
                for row in await session.execute(sa.select(table))
            )
            for table in METADATA.sorted_tables
        }

    return terminal.session(work)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def rewrite(path: Path, change: Callable[[list[Any]], None]) -> None:
    """Change a backup and give it the checksum of what it says now."""
    content = lines(path)[:-1]
    change(content)
    text = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in content)
    end = json.dumps({"sha256": hashlib.sha256(text).hexdigest()}).encode() + b"\n"
    path.write_bytes(gzip.compress(text + end))


@pytest.mark.parametrize("source", KINDS)
def test_what_was_backed_up_is_restored_row_by_row_into_either_database(
    source: str, empty: Callable[[str], Terminal], stage_keys: Keys, tmp_path: Path
) -> None:
    origin = empty(source)
    release = filled(origin, source)
    log = [
        Activity(
            action="user_login",
            target_type="user",
            target_id=uuid4(),
            detail={"n": number, "text": 'Ünïcödé\t"\u2028', "deep": [1.5, None, {"a": True}]},
        )
        for number in range(MANY)
    ]
    origin.add(*log)
    file = tmp_path / "it.backup"
    said = origin.run("db", "backup", str(file))
    assert said.exit_code == 0, said.output
    assert said.stdout == ""
    before = rows(origin)
    # What the database works out for itself is not in the file, and comes back all the same.
    assert before["resource_share_counts"]
    total = sum(len(found) for name, found in before.items() if name not in DERIVED)
    assert f"Backed up {total} rows" in said.stderr

    for target in KINDS:
        copy = empty(target)
        if target != source:
            # One that is as a new installation has it will do as well as one without tables.
            copy.ok("db", "upgrade")
        done = copy.run("db", "restore", str(file))
        assert done.exit_code == 0, done.output
        assert f"Restored {total} rows" in done.stderr
        assert rows(copy) == before
        assert copy.json("db", "status")["up_to_date"] is True
        again = tmp_path / f"{target}.backup"
        copy.ok("db", "backup", str(again))
        assert lines(again)[1:-1] == lines(file)[1:-1]
        # References are watched over as before.
        with pytest.raises(sa.exc.IntegrityError):
            copy.add(User(id=uuid4(), email="x@example.com", name="X", organization_id=uuid4()))

        async def answers(copy: Terminal = copy) -> None:
            async with release.opened(copy.url, stage_keys) as stage:
                await world.hold(stage, release.world)

        asyncio.run(answers())


@pytest.mark.parametrize("source", KINDS)
def test_a_backup_of_an_older_version_is_brought_up_to_date(
    source: str, empty: Callable[[str], Terminal], stage_keys: Keys, tmp_path: Path
) -> None:
    origin, target = empty(source), empty("postgresql" if source == "sqlite" else "sqlite")
    release = filled(origin, source, RELEASES[0], current=False)
    file = tmp_path / "old.backup"
    assert f"revision {release.revision}" in origin.run("db", "backup", str(file)).stderr
    newer = empty(source)
    newer.ok("db", "upgrade")
    assert "without tables" in newer.refused("db", "restore", str(file))
    done = target.run("db", "restore", str(file))
    assert done.exit_code == 0, done.output
    assert f"revision {newest()}, brought up from {release.revision}" in done.stderr

    async def answers() -> None:
        database = Database(target.url)
        async with database.reading() as session:
            assert await world.rows(session) == release.rows
        await database.close()
        async with release.opened(target.url, stage_keys) as stage:
            await world.hold(stage, release.world)

    asyncio.run(answers())


def test_the_file_is_private_never_replaced_and_has_no_half(
    empty: Callable[[str], Terminal], tmp_path: Path
) -> None:
    terminal = empty("sqlite")
    file = tmp_path / "it.backup"
    assert "nothing to back up" in terminal.refused("db", "backup", str(file))
    assert not file.exists()
    filled(terminal, "sqlite")
    terminal.ok("db", "backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert "not replaced" in terminal.refused("db", "backup", str(file))
    assert file.read_bytes() == content
    terminal.session(
        lambda session: session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    )
    assert "newer version" in terminal.refused("db", "backup", str(tmp_path / "no.backup"))
    assert not (tmp_path / "no.backup").exists()
    header = lines(file)[0]
    assert header["format"] == "sentinel-backup" and header["revision"] == newest()
    assert {table["name"] for table in header["tables"]} == METADATA.tables.keys() - DERIVED


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_restored_as_a_whole_or_not_at_all(
    kind: str, empty: Callable[[str], Terminal], tmp_path: Path
) -> None:
    origin = empty("sqlite")
    filled(origin, "sqlite")
    good = tmp_path / "good.backup"
    origin.ok("db", "backup", str(good))
    bad = tmp_path / "bad.backup"
    target = empty(kind)
    target.ok("db", "upgrade")
    untouched = rows(target)

    def refused(*variants: tuple[str, Callable[[list[Any]], None]]) -> None:
        for reason, change in variants:
            bad.write_bytes(good.read_bytes())
            rewrite(bad, change)
            said = target.refused("db", "restore", str(bad))
            # Had one left anything behind, the next would be refused for that.
            assert re.search(reason, said), said

    def drop_the_people(content: list[Any]) -> None:
        people = content.index({"table": "users"}) + 1
        number = next(table["rows"] for table in content[0]["tables"] if table["name"] == "users")
        del content[people : people + number]
        next(table for table in content[0]["tables"] if table["name"] == "users")["rows"] = 0

    refused(
        ("refers to rows that are not in it", drop_the_people),
        ("checksum", lambda content: content.append({"table": "else"})),
    )
    if kind == "postgresql":
        # What is found in the file alone is the same for both.
        assert rows(target) == untouched
        target.ok("db", "restore", str(good))
        assert "not empty" in target.refused("db", "restore", str(good))
        return
    refused(
        ("and has", lambda content: content[0]["tables"][0].update(rows=7)),
        ("newer than this program", lambda content: content[0].update(revision="9999")),
        ("of another program", lambda content: content[0]["tables"][0]["columns"].append("more")),
        ("a form that this program does not know", lambda content: content[0].update(format_version=2)),
        ("not a backup", lambda content: content[0].update(format="else")),
        ("a value that is none", lambda content: content.insert(2, ["one"])),
    )
    packed = good.read_bytes()
    plain = gzip.decompress(packed)
    turned = plain.replace(b"grace@example.com", b"grave@example.com", 1)
    assert turned != plain
    for content, reason in (
        (gzip.compress(turned), "checksum"),
        (packed[: len(packed) // 2], "cut off"),
        (gzip.compress(plain[: plain.rindex(b"{")]), "too early"),
        (gzip.compress(plain + b"[]\n"), "follows its end"),
        (b"", "not a backup"),
        (b"no gzip", "not a backup"),
    ):
        bad.write_bytes(content)
        said = target.refused("db", "restore", str(bad))
        assert reason in said, said
    assert rows(target) == untouched

    target.ok("db", "restore", str(good))
    full = rows(target)
    assert "not empty" in target.refused("db", "restore", str(good))
    assert rows(target) == full


def test_a_database_of_something_else_is_left_alone(empty: Callable[[str], Terminal], tmp_path: Path) -> None:
    origin, target = empty("sqlite"), empty("postgresql")
    filled(origin, "sqlite")
    file = tmp_path / "it.backup"
    origin.ok("db", "backup", str(file))
    target.session(lambda session: session.execute(sa.text("CREATE TABLE theirs (id INTEGER)")))
    assert "something else" in target.refused("db", "restore", str(file))


def test_through_a_pipe(empty: Callable[[str], Terminal], tmp_path: Path) -> None:
    """As it is encrypted: ``sentinel db backup - | … | sentinel db restore -``; the programs are real ones here."""
    origin, target = empty("sqlite"), empty("postgresql")
    filled(origin, "sqlite")
    sentinel = str(Path(sys.executable).with_name("sentinel"))

    def environment(terminal: Terminal) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **terminal.env}

    with subprocess.Popen(
        [sentinel, "db", "backup", "-"], env=environment(origin), stdout=subprocess.PIPE, cwd=tmp_path
    ) as writing:
        read = subprocess.run(
            [sentinel, "db", "restore", "-"],
            env=environment(target),
            stdin=writing.stdout,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (writing.returncode, read.returncode, read.stdout) == (0, 0, ""), read.stderr
    assert rows(target) == rows(origin)


def test_the_commands_of_the_pages_exist() -> None:
    """``docs/deployment/backup.md``, ``upgrades.md`` and ``kubernetes.md``"""
    pages = [ROOT / "docs" / "deployment" / f"{name}.md" for name in ("backup", "upgrades", "kubernetes")]
    found = {
        tuple(re.findall(r"[a-z-]+(?= |$)", words))
        for page in pages
        for words in re.findall(
            r"(?<![\w/-])sentinel ((?:db|check|users|serve|setup)\b[a-z ]*)", page.read_text()
        )
    }
    assert {("db", "backup"), ("db", "restore"), ("db", "status"), ("users", "list")} <= found
    for words in found:
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, words


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_shows_one_moment(kind: str, empty: Callable[[str], Terminal], tmp_path: Path) -> None:
    """Whatever is written while it is being made is not in it, and nobody who writes waits for it."""
    from sentinel.core.clock import Clock
    from sentinel.migrations.backup import back_up

    terminal = empty(kind)
    filled(terminal, kind)
    before = rows(terminal)

    async def work() -> None:
        database, other = Database(terminal.url), Database(terminal.url)
        with (tmp_path / "it.backup").open("wb") as out:

            class Watched:
                """Writes to the database, over another connection, as soon as the first bytes of the file are there."""

                def __init__(self) -> None:
                    self.disturbed = False

                def write(self, data: bytes) -> int:
                    if not self.disturbed:
                        self.disturbed = True
                        self.thread = asyncio.run_coroutine_threadsafe(disturb(), asyncio.get_running_loop())
                    return out.write(data)

                def flush(self) -> None:
                    out.flush()

            async def disturb() -> None:
                async with other.transaction() as session:
                    await session.execute(sa.text("DELETE FROM resource_shares"))
                    await session.execute(sa.text("UPDATE workspaces SET name = 'changed'"))

            watched = Watched()
            await back_up(database, watched, now=Clock().now())  # type: ignore[arg-type]
            await asyncio.wrap_future(watched.thread)
        await database.close()
        await other.close()

    asyncio.run(work())
    after = rows(terminal)
    assert after["resource_shares"] == [] and after["workspaces"] != before["workspaces"]
    copy = empty("sqlite")
    copy.ok("db", "restore", str(tmp_path / "it.backup"))
    assert rows(copy) == before
