"""Who takes the next connection."""

import pytest

from sentinel.cli.seats import Counted, seats


def test_a_worker_leaves_connections_to_those_that_have_fewer() -> None:
    first, second, third = seats(3)
    assert [seat.has_more_than_others() for seat in (first, second, third)] == [False] * 3, "nobody is there"
    first.note(5)
    assert not first.has_more_than_others(), "nobody waits for workers that are not there"
    second.note(4)
    third.note(4)
    assert not first.has_more_than_others(), "one more is no difference"
    second.note(3)
    assert first.has_more_than_others()
    assert not second.has_more_than_others() and not third.has_more_than_others()
    second.vacate()
    assert not first.has_more_than_others(), "it has ended"


def test_connections_are_told_while_the_worker_takes_some() -> None:
    mine, other = seats(2)
    other.note(100)
    counted = Counted(mine)
    counted.add("early")
    assert not other.has_more_than_others(), "it does not listen yet"
    counted.begin()
    assert mine.counts[0] == 1
    assert other.has_more_than_others()
    for name in ("one", "two", "two"):
        counted.add(name)
    assert mine.counts[0] == 3
    for name in ("one", "one", "nobody"):
        counted.discard(name)
    assert mine.counts[0] == 2
    counted.end()
    assert not other.has_more_than_others(), "it takes no more"
    counted.discard("two")
    assert not other.has_more_than_others(), "even when its last ones go"
    assert len(counted) == 1


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_worker_has_a_seat(workers: int) -> None:
    made = seats(workers)
    for number, seat in enumerate(made):
        seat.note(number)
    assert list(made[0].counts) == list(range(workers))
