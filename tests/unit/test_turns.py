"""Work that is done a little in each turn of the event loop (``core/turns.py``)."""

import asyncio
from collections import Counter

import pytest
import uvloop

from sentinel.core.turns import Turns


class Clock:
    """Counts the turns of a loop."""

    def __init__(self) -> None:
        self.turn = 0
        self._tick()

    def _tick(self) -> None:
        self.turn += 1
        asyncio.get_running_loop().call_soon(self._tick)


async def work(turns: Turns, clock: Clock, name: int, done: list[tuple[int, int]]) -> None:
    await turns.take()
    done.append((clock.turn, name))


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=request.param)


def test_no_turn_has_more_work_than_that_and_everybody_has_his_turn(run: asyncio.Runner) -> None:
    async def main() -> list[tuple[int, int]]:
        turns, clock, done, tasks = Turns(3), Clock(), list[tuple[int, int]](), list[asyncio.Task[None]]()
        # Some come at once, some in later turns, one after another and in lots.
        for name, pause in enumerate([0] * 10 + [1] + [0] * 3 + [1, 1, 2, 1, 9] + [0] * 7):
            for _ in range(pause):
                await asyncio.sleep(0)
            tasks.append(asyncio.create_task(work(turns, clock, name, done)))
        await asyncio.wait_for(asyncio.gather(*tasks), 20)
        return done

    with run:
        done = run.run(main())
    assert [name for _, name in done] == list(range(26)), "in the order in which they came"
    assert max(Counter(turn for turn, _ in done).values()) == 3


def test_who_has_little_to_wait_for_does_not_wait_for_all(run: asyncio.Runner) -> None:
    async def main() -> tuple[int, int]:
        turns, clock, done = Turns(2), Clock(), list[tuple[int, int]]()
        tasks = [asyncio.create_task(work(turns, clock, name, done)) for name in range(20)]
        await tasks[0]
        few = len(done)
        await asyncio.gather(*tasks)
        return few, done[-1][0] - done[0][0]

    with run:
        few, took = run.run(main())
    assert few <= 2
    assert took >= 9


def test_who_gives_up_takes_nobodys_turn(run: asyncio.Runner) -> None:
    async def main() -> list[tuple[int, int]]:
        turns, clock, done = Turns(1), Clock(), list[tuple[int, int]]()
        tasks = [asyncio.create_task(work(turns, clock, name, done)) for name in range(6)]
        await asyncio.sleep(0)
        for task in tasks[1:5]:
            task.cancel()
        await asyncio.wait_for(asyncio.wait(tasks), 20)
        await asyncio.wait_for(work(turns, clock, 6, done), 20)
        return done

    with run:
        assert [name for _, name in run.run(main())] == [0, 5, 6]


def test_a_loop_that_ends_in_the_midst_of_it_leaves_nothing_to_the_next() -> None:
    turns = Turns(1)

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(turns.take()) for _ in range(3)]
        loop.call_soon(loop.stop)
        await asyncio.wait(tasks)

    loop = asyncio.new_event_loop()
    left = loop.create_task(leave())
    loop.run_forever()
    assert not left.done()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(left)
    loop.close()
    asyncio.run(asyncio.wait_for(turns.take(), 20))
