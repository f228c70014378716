"""Questions that are asked in the same tick of the event loop travel in one request."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sentinel_auth.calls import MAX_CHECKS, PermissionCheck, PermissionResult
from sentinel_auth.errors import SentinelError, copy_of

Send = Callable[[str, Sequence[PermissionCheck]], Awaitable[list[PermissionResult]]]
Question = tuple[str, str, str, str]


@dataclass
class _Tick:
    """What one tick of one loop has gathered: (token, service) -> question -> the check and who waits for it."""

    loop: asyncio.AbstractEventLoop
    asked: dict[tuple[str, str], dict[Question, tuple[PermissionCheck, "asyncio.Future[bool]"]]] = field(
        default_factory=dict
    )


class CheckBatch:
    """Gathers checks and sends them at the end of the tick, one request for each token and 100 checks.

    The answer of a batch is the answer of each question on its own: a question that Sentinel finds malformed spoils
    its own answer only, and a failure reaches every waiting caller as an exception of his own.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._tick: _Tick | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, token: str, check: PermissionCheck) -> bool:
        """Whether the check is allowed."""
        loop = asyncio.get_running_loop()
        if self._tick is None or self._tick.loop is not loop:
            self._tick = _Tick(loop)
            loop.call_soon(self._flush, self._tick)
        waiting = self._tick.asked.setdefault((token, check.service_name), {})
        question = (check.service_name, check.resource_type, str(check.resource_id), check.action)
        if question not in waiting:
            waiting[question] = (check, loop.create_future())
        # Shielded: a caller who gives up must not take the answer from others who asked the same.
        return await asyncio.shield(waiting[question][1])

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _flush(self, tick: _Tick) -> None:
        if self._tick is tick:
            self._tick = None
        for (token, _), waiting in tick.asked.items():
            pairs = list(waiting.values())
            for start in range(0, len(pairs), MAX_CHECKS):
                task = tick.loop.create_task(self._answer(token, pairs[start : start + MAX_CHECKS]))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _answer(
        self, token: str, pairs: Sequence[tuple[PermissionCheck, "asyncio.Future[bool]"]]
    ) -> None:
        try:
            results = await self._send(token, [check for check, _ in pairs])
        except SentinelError as error:
            if error.status_code == 422 and len(pairs) > 1:
                await asyncio.gather(*(self._answer(token, [pair]) for pair in pairs))
            else:
                _fail(pairs, error)
        except BaseException as error:
            _fail(pairs, error)
            if not isinstance(error, Exception):
                raise
        else:
            complete = len(results) == len(pairs)
            for place, (_, future) in enumerate(pairs):
                if not future.done():
                    future.set_result(complete and results[place].allowed)


def _fail(pairs: Sequence[tuple[PermissionCheck, "asyncio.Future[bool]"]], error: BaseException) -> None:
    for _, future in pairs:
        if future.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(copy_of(error))
            future.exception()  # seen, even when the caller has gone
