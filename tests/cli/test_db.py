import asyncio
import os
import stat
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.migrations import upgrade
from tests.cli.terminal import Terminal


def test_upgrade_makes_the_tables_and_repeats_without_harm(bare_terminal: Terminal) -> None:
    assert "from an empty database" in bare_terminal.ok("db", "upgrade")
    assert "is up to date" in bare_terminal.ok("db", "upgrade")
    status = bare_terminal.json("db", "status")
    assert status["up_to_date"] is True
    assert status["revision"] == status["head"]
    assert bare_terminal.json("users", "list") == []


def test_status_of_an_empty_database_fails(bare_terminal: Terminal) -> None:
    result = bare_terminal.run("db", "status")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "revision\thead\tup to date"
    assert result.stdout.splitlines()[1].split("\t")[0::2] == ["-", "no"]
    result = bare_terminal.run("db", "status", "--json")
    assert result.exit_code == 1
    assert '"revision": null' in result.stdout


def test_status_of_a_migrated_database(terminal: Terminal) -> None:
    assert terminal.ok("db", "status").splitlines()[1].endswith("\tyes")


def test_newer_database_is_left_alone(terminal: Terminal) -> None:
    async def work(session: AsyncSession) -> None:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    terminal.session(work)
    assert "newer version" in terminal.refused("db", "upgrade")
    assert "9999" in terminal.run("db", "status").stdout
    assert "9999" in terminal.refused("users", "list")


def test_a_new_file_of_sqlite_is_private_and_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    """Root restores a backup, and the service opens the file."""
    folder = tmp_path / "var"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    previous = os.umask(0)
    try:
        asyncio.run(upgrade(f"sqlite+aiosqlite:///{folder / 'sentinel.db'}"))
    finally:
        os.umask(previous)
    files = {file.name: file.stat() for file in folder.iterdir()}
    assert {"sentinel.db", "sentinel.db.lock"} <= set(files)
    for name, found in files.items():
        assert stat.S_IMODE(found.st_mode) == 0o600, name
        assert (found.st_uid, found.st_gid) == (folder.stat().st_uid, folder.stat().st_gid), name
