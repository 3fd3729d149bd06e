"""The request log: every call that the sandbox received, in the order of arrival."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec


class LogEntry(msgspec.Struct, kw_only=True):
    """A call. ``n`` rises by one from 1; ``time`` is Unix seconds of the sandbox's clock.

    ``error`` is the rpc error of the answer ("FLOOD_WAIT_2"); None for a result, or while there is no answer yet.
    ``request`` is the TL request without its wrappers, for tests in the same process.
    """

    n: int = 0
    time: float
    method: str
    wrappers: tuple[str, ...]
    connection: int
    dc: int
    auth_key_id: int
    request: Any
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the entry as ``/log`` answers it."""
        fields = msgspec.structs.asdict(self)
        del fields["request"]
        return fields


class RequestLog:
    """A ring of the last ``size`` calls."""

    def __init__(self, size: int = 200_000) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self.last = 0

    def add(self, entry: LogEntry) -> LogEntry:
        """Number an entry and append it."""
        self.last += 1
        entry.n = self.last
        self._entries.append(entry)
        return entry

    def since(self, n: int = 0) -> list[LogEntry]:
        """Return the calls after number ``n``."""
        return [entry for entry in self._entries if entry.n > n]

    def calls(self, method: str) -> list[LogEntry]:
        """Return the calls of one method, such as "messages.getHistory"."""
        return [entry for entry in self._entries if entry.method == method]
