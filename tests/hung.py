"""A test that stands still ends the process that runs it, and leaves word of where it stood.

Without this a run on a machine that nobody watches would say nothing at all: not even which test it was.
"""

import asyncio
import faulthandler
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

PATIENCE = 300.0
"""Seconds that one test may take with all that is set up for it. The slowest takes a fifth of it on two cores."""
GRACE = 30.0
"""Seconds more after which a process that cannot even run its handler of signals is ended."""
DULL = re.compile(r"/(?:_pytest|pluggy|xdist|execnet)/")
"""Files of frames that every test has."""
FOLDER = "hung"
"""Within the directory of the run."""


@contextmanager
def watched(test: str, run: Path, patience: float = PATIENCE) -> Iterator[None]:
    """End the process when the block takes more than ``patience`` seconds; ``run`` is where the word is left."""

    def give_up(_signal: int, frame: FrameType | None) -> None:
        folder = run / FOLDER
        folder.mkdir(exist_ok=True)
        (folder / f"{os.getpid()}.txt").write_text("\n".join(report(test, patience, frame)))
        # pytest-xdist counts the test as failed and lets the other processes end what they have.
        os._exit(1)

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, patience)
    faulthandler.dump_traceback_later(patience + GRACE, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def words(run: Path) -> list[str]:
    """What was left by the tests that stood still."""
    return [file.read_text() for file in sorted((run / FOLDER).glob("*.txt"))]


def report(test: str, patience: float, frame: FrameType | None) -> Iterator[str]:
    """Where the main thread stands, at ``frame``, and all other threads and tasks of this process; innermost last."""
    yield f"{test} took more than {patience:.0f} s"
    frames = sys._current_frames()
    for thread in threading.enumerate():
        yield f"thread {thread.name}:"
        yield from _stack(frame if thread is threading.main_thread() else frames.get(thread.ident or 0))
    for task in list(asyncio.tasks._all_tasks):  # type: ignore[attr-defined]
        if not task.done():
            yield f"task {task.get_name()}:"
            yield from _waits(task.get_coro())


def _stack(frame: FrameType | None) -> Iterator[str]:
    for one in traceback.extract_stack(frame) if frame else ():
        if not DULL.search(one.filename):
            yield f"  {one.name} {one.filename}:{one.lineno} {one.line}"


def _waits(waiting: Any) -> Iterator[str]:
    """The places of a coroutine and of what it waits for, and so on."""
    while waiting is not None:
        # Coroutines, generators and asynchronous generators have different names for the same.
        kind = next((kind for kind in ("cr", "gi", "ag") if hasattr(waiting, f"{kind}_frame")), None)
        frame = getattr(waiting, f"{kind}_frame") if kind else None
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        yield f"  {getattr(waiting, '__qualname__', repr(waiting)[:200])} {where}"
        following = "yieldfrom" if kind == "gi" else "await"
        waiting = getattr(waiting, f"{kind}_{following}") if kind else None
