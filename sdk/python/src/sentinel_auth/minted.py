"""Tokens that were minted for us, kept until most of their life is over, each minted once however many ask."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from sentinel_auth.cache import CAPACITY
from sentinel_auth.errors import copy_of

SHARE_OF_LIFE = 0.8
Mint = Callable[[], Awaitable[tuple[str, float]]]
"""Mints a token: the token, and its life in seconds."""


class MintedTokens:
    """Tokens by key, at most ``capacity`` of them; each is used for 80 % of its life."""

    def __init__(self, *, capacity: int = CAPACITY, clock: Callable[[], float] = time.time) -> None:
        self._capacity = capacity
        self._clock = clock
        self._tokens: OrderedDict[Hashable, tuple[float, str]] = OrderedDict()
        self._under_way: dict[Hashable, asyncio.Task[str]] = {}

    def __repr__(self) -> str:
        return f"MintedTokens({len(self._tokens)})"

    def forget(self) -> None:
        """Forget every token."""
        self._tokens.clear()

    async def get(self, key: Hashable, mint: Mint) -> str:
        """The token kept under ``key``, or a new one. A failure of ``mint`` reaches every caller as his own."""
        kept = self._tokens.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        task = self._under_way.get(key)
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = asyncio.get_running_loop().create_task(self._mint(key, mint))
            self._under_way[key] = task
        try:
            # Shielded: a caller who gives up must not end it for the others.
            return await asyncio.shield(task)
        except Exception as error:
            raise copy_of(error) from None

    async def _mint(self, key: Hashable, mint: Mint) -> str:
        try:
            started = self._clock()
            token, life = await mint()
            self._tokens.pop(key, None)
            while len(self._tokens) >= self._capacity:
                self._tokens.popitem(last=False)
            self._tokens[key] = (started + life * SHARE_OF_LIFE, token)
            return token
        finally:
            self._under_way.pop(key, None)
