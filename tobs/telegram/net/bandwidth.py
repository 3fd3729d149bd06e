"""How fast files may come: a rate that all transfers of an account share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Bandwidth:
    """Hands out bytes at ``rate`` a second (0: as many as asked for). Who asks first is served first.

    What is asked for at once is paid for by those who come after it, so that no burst exceeds the rate in the long run.
    """

    def __init__(
        self,
        rate: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    async def take(self, size: int) -> None:
        """Wait until ``size`` more bytes may come."""
        if not self._rate:
            return
        now = self._clock()
        start = max(now, self._free_at)
        self._free_at = start + size / self._rate
        if start > now:
            await self._sleep(start - now)
