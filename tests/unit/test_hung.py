"""What becomes of a test that stands still (``tests/hung.py``)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import hung

OPTIONS = " ".join(tomllib.loads(Path("pyproject.toml").read_text())["tool"]["pytest"]["addopts"])

STANDS = """
import asyncio, sys, threading
from pathlib import Path
from tests import hung

async def waits_for_ever():
    await asyncio.Event().wait()

async def stands():
    task = asyncio.create_task(waits_for_ever(), name="the one that waits")
    await task

with hung.watched("test_of_this", Path(sys.argv[1]), 0.5):
    {how}
"""


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("asyncio.run(stands())", ["the one that waits", "waits_for_ever", "Event.wait"]),
        ("lock = threading.Lock(); lock.acquire(); lock.acquire()", ["lock.acquire()"]),
        (
            "other = threading.Thread(target=threading.Event().wait, name='other'); other.start(); other.join()",
            ["other.join()", "thread other", "self._cond.wait(timeout)"],
        ),
    ],
)
def test_a_test_that_stands_still_ends_and_says_where(how: str, seen: list[str], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(STANDS.format(how=how))
    outcome = subprocess.run(
        [sys.executable, program, tmp_path], env={"PYTHONPATH": str(Path.cwd())}, timeout=60, check=False
    )
    assert outcome.returncode == 1
    [word] = hung.words(tmp_path)
    for part in ("test_of_this took more than", "thread MainThread:", *seen):
        assert part in word


def test_one_that_ends_in_time_leaves_no_word(tmp_path: Path) -> None:
    with hung.watched("test_of_this", tmp_path, 60):
        pass
    assert hung.words(tmp_path) == []


DIES = """
import os

def test_alive(): pass
def test_dead(): os._exit(1)
def test_alone(): pass
"""


@pytest.mark.parametrize("folder", ["faults", "elsewhere"], ids=["dealt out whole", "in handfuls"])
def test_a_process_that_dies_fails_the_test_it_was_at_and_ends_the_run(folder: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_xdist_make_scheduler")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "test_three.py").write_text(DIES)
    options = [
        "-o",
        f"addopts={OPTIONS}",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
    ]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *options, tmp_path],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 1
    assert "crashed while running" in outcome.stdout and "test_dead" in outcome.stdout
    assert "1 failed" in outcome.stdout, outcome.stdout + outcome.stderr
