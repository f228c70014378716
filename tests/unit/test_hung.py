"""What becomes of a test that stands still (``tests/hung.py``)."""

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
import os, pytest

@pytest.mark.parametrize("number", range(9))
def test_of_nine(number):
    if number in (0, 4, 8):
        os._exit(1)
"""


def test_a_process_that_dies_fails_the_test_it_was_at_and_no_other(tmp_path: Path) -> None:
    """In every place of its part, also where one test alone is left for the process that comes next."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_xdist_make_scheduler")
    for folder in ("faults", "elsewhere"):  # one is dealt out whole, the other in handfuls
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"test_{folder}.py").write_text(DIES)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    outcome = subprocess.run(
        [*command, tmp_path],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "6 failed, 12 passed" in outcome.stdout, outcome.stdout + outcome.stderr
