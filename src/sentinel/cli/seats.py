"""How many connections each worker holds, seen by all of them, so that none takes more than its part.

All workers listen on one socket, and proxies and services keep their connections for minutes. Whoever is awake first
would take all that wait there, and have all the work from then on, while the others have none.
"""

from collections.abc import Hashable
from multiprocessing import get_context
from typing import Any, NamedTuple

PATIENCE = 3
"""How often a worker leaves a connection to those that have fewer, before it takes it all the same."""
PAUSE = 0.001
"""Seconds that it leaves them each time."""
_ABSENT = 2**31
"""In place of a number, while there is no worker."""


class Seat(NamedTuple):
    """The place of one worker among ``counts``, which is shared between processes."""

    counts: Any
    place: int

    def vacate(self) -> None:
        """Say that there is no worker here: nobody waits for it."""
        self.counts[self.place] = _ABSENT

    def note(self, connections: int) -> None:
        """Say how many connections the worker holds."""
        self.counts[self.place] = connections

    def has_more_than_others(self) -> bool:
        """Whether another worker holds at least two connections fewer."""
        return bool(self.counts[self.place] > min(self.counts) + 1)


def seats(workers: int) -> list[Seat]:
    """A seat for each of some worker processes, all of them vacant."""
    # Goes along with what a process is started with; the memory has no name, and ends with the last process.
    counts = get_context("spawn").RawArray("l", [_ABSENT] * workers)
    return [Seat(counts, place) for place in range(workers)]


class Counted(set[Any]):
    """A set of connections whose size is told, from :meth:`begin` to :meth:`end`."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self._seat = seat
        self._told = False

    def begin(self) -> None:
        """The worker takes connections."""
        self._told = True
        self._seat.note(len(self))

    def end(self) -> None:
        """It takes no more."""
        self._told = False
        self._seat.vacate()

    def add(self, one: Hashable) -> None:
        super().add(one)
        self._tell()

    def discard(self, one: Hashable) -> None:
        super().discard(one)
        self._tell()

    def _tell(self) -> None:
        if self._told:
            self._seat.note(len(self))
