"""Protocol of the store for plugin results, implemented by the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ResultKey(NamedTuple):
    """The key of a stored result.

    ``config`` is a digest of the plugin's configuration and of everything it sees of the item beside the bytes of the
    file.
    """

    sha256: str
    plugin: str
    version: str
    config: str


class ResultStore(Protocol):
    """Store of results across runs, so that no file is processed twice. Calls are batched: one query each."""

    async def get(self, keys: Sequence[ResultKey]) -> Sequence[bytes | None]:
        """Return the stored result (JSON) of each key, None if there is none."""
        ...

    async def put(self, rows: Sequence[tuple[ResultKey, bytes]]) -> None:
        """Store results (JSON), replacing earlier ones of the same key."""
        ...
