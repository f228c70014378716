"""What becomes of a test that stands still (``tests/hung.py``)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import hung

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
    module = tmp_path / folder / "test_three.py"
    module.parent.mkdir()
    module.write_text(DIES)
    options = ["-v", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *options, "--rootdir", str(tmp_path), str(module)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert "crashed while running" in outcome.stdout and "test_dead" in outcome.stdout
    assert " 1 failed, " in outcome.stdout.splitlines()[-1], outcome.stdout
    assert "replacing crashed worker" not in outcome.stdout
