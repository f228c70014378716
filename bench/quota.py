"""A part of a core for each of some processes, by the control groups of Linux.

On a machine with few cores several workers cannot have one each. With half a core for every one of them it can still be
seen whether two do twice the work of one, or stand in each other's way.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 10_000
"""Microseconds after which everybody has his part anew."""


def available() -> bool:
    """Whether this machine lets us do that: control groups of either version, and the rights to make some."""
    with suppress(OSError), part_of_a_core([], 0.5):
        return True
    return False


@contextmanager
def part_of_a_core(pids: Sequence[int], part: float) -> Iterator[list[Path]]:
    """Each of the processes gets at most ``part`` of one core, inside; yields their groups. Raises :class:`OSError`."""
    with ExitStack() as stack:
        groups = [stack.enter_context(_group(f"sentinel-bench-{pid}", part)) for pid in pids or [os.getpid()]]
        for pid, group in zip(pids, groups, strict=False):
            home = _home(pid) / "cgroup.procs"
            (group / "cgroup.procs").write_text(str(pid))
            stack.callback(_move, pid, home)
        yield groups


@contextmanager
def _group(name: str, part: float) -> Iterator[Path]:
    first = (ROOT / "cpu").is_dir()
    group = (ROOT / "cpu" if first else ROOT) / name
    group.mkdir()
    try:
        quota = int(PERIOD * part)
        if first:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        yield group
    finally:
        group.rmdir()


def _home(pid: int) -> Path:
    """The group that a process is in now."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            return ROOT / "cpu" / path.lstrip("/")
        if number == "0" and not (ROOT / "cpu").is_dir():
            return ROOT / path.lstrip("/")
    raise OSError(f"process {pid} is in no control group for processors")


def _move(pid: int, procs: Path) -> None:
    # It may have ended meanwhile.
    with suppress(ProcessLookupError):
        procs.write_text(str(pid))
