"""Where results of plugins are kept: the protocol that the archive fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ResultKey(NamedTuple):
    """What a result depends on. ``config`` is a digest of the plugin's configuration and of everything it
    was shown of the item beside the file's bytes."""

    sha256: str
    plugin: str
    version: str
    config: str


class ResultStore(Protocol):
    """Keeps results across runs, so that no file is processed twice. Batched: one trip to the database each."""

    async def get(self, keys: Sequence[ResultKey]) -> Sequence[bytes | None]:
        """The stored result (JSON) of each key, None where there is none."""
        ...

    async def put(self, rows: Sequence[tuple[ResultKey, bytes]]) -> None:
        """Store results (JSON), each over an earlier one of the same key."""
        ...
