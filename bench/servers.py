"""The servers of a benchmark: PostgreSQL and Redis of its own, from wheels, on disk and as safe as in production."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import ClassVar

from tests.servers import PrivatePostgres, open_run


class BenchPostgres(PrivatePostgres):
    """PostgreSQL with the settings of a small production server: nothing acknowledged is lost in a crash."""

    OPTIONS: ClassVar[dict[str, str]] = PrivatePostgres.OPTIONS | {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "autovacuum": "on",
        "shared_buffers": "4GB",
        "effective_cache_size": "8GB",
        "max_wal_size": "4GB",
        "random_page_cost": "1.1",
    }


@contextmanager
def run_on_disk() -> Iterator[Path]:
    """The directory of this benchmark's servers; at the end they are stopped and it is removed."""
    with tempfile.TemporaryDirectory(prefix="sentinel-bench-", ignore_cleanup_errors=True) as room:
        Path(room).chmod(0o711)  # PostgreSQL's own user passes through
        with open_run(Path(room)) as directory:
            yield directory


@cache
def all_cores() -> tuple[int, ...]:
    """The cores that this process might use when it was started; later it is bound to some of them."""
    return tuple(sorted(os.sched_getaffinity(0)))


def pin(pid: int, cores: Sequence[int]) -> None:
    """Bind a process, with the threads that it has now, to ``cores``."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores)
