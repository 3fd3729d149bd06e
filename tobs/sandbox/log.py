"""The request log: every call the sandbox was sent, in the order of arrival."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec


class LogEntry(msgspec.Struct):
    """One call. ``n`` rises by one from 1; ``time`` is Unix seconds of the sandbox's clock.

    ``error`` is the rpc error it was answered with ("FLOOD_WAIT_2"), None when it was answered or not yet;
    ``request`` the TL request without its wrappers, for tests in the same process.
    """

    n: int
    time: float
    method: str
    wrappers: tuple[str, ...]
    connection: int
    dc: int
    auth_key_id: int
    request: Any
    error: str | None = None

    def shown(self) -> dict[str, Any]:
        """The entry as ``/log`` gives it."""
        fields = msgspec.structs.asdict(self)
        del fields["request"]
        return fields


class RequestLog:
    """A ring of the last ``size`` calls."""

    def __init__(self, size: int = 200_000) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=size)
        self.last = 0

    def add(
        self, time: float, method: str, wrappers: tuple[str, ...], *, connection: int, dc: int, key: int, request: Any
    ) -> LogEntry:
        """Note one call."""
        self.last += 1
        entry = LogEntry(self.last, time, method, wrappers, connection, dc, key, request)
        self._entries.append(entry)
        return entry

    def since(self, n: int = 0) -> list[LogEntry]:
        """The calls after number ``n``."""
        return [entry for entry in self._entries if entry.n > n]

    def calls(self, method: str) -> list[LogEntry]:
        """The calls of one method, as "messages.getHistory"."""
        return [entry for entry in self._entries if entry.method == method]
