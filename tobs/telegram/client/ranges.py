"""The ranges of an account's message ids in which a takeout session lets private chats and basic groups be walked.

Source: https://core.telegram.org/method/messages.getSplitRanges
"""

from __future__ import annotations

from collections.abc import Sequence

from telethon.tl import functions

from tobs.errors import RequestRefused
from tobs.telegram.client.shards import Span
from tobs.telegram.net.invoker import Invoker


class Ranges:
    """Asks once for each takeout session."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self._takeout = 0
        self._offered: Sequence[Span] = ()

    async def offered(self) -> Sequence[Span]:
        """The ranges of the open takeout session, both ends inclusive; none outside of one, or where it has none."""
        takeout = self._invoker.takeout_id
        if takeout and takeout != self._takeout:
            self._takeout, self._offered = takeout, ()
            try:
                found = await self._invoker(functions.messages.GetSplitRangesRequest())
            except RequestRefused:
                return ()  # one worker does
            self._offered = [(one.min_id, one.max_id) for one in found]
        return self._offered if takeout else ()
