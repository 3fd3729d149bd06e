"""Message ids with holes, computed by rank and by id, so that a synthetic chat needs no list of them.

Messages stand in blocks of ``BLOCK``; block *b* uses ids of ``[b * span + 1, (b + 1) * span]`` with
``span = BLOCK * sparse``. Inside a block the gaps are drawn from the seed with a heavy tail, so that holes of one id
stand beside holes of thousands, and some messages in a row have none between them.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache

from tobs.sandbox.worlds.seeds import splitmix64

BLOCK = 512


class SparseIds:
    """The ids of ``count`` messages; 1 in ``sparse`` ids is used. ``sparse=1`` has no holes."""

    def __init__(self, count: int, sparse: int, seed: int) -> None:
        self.count = count
        self.sparse = sparse
        self.seed = seed
        self._span = BLOCK * sparse
        self._block = lru_cache(maxsize=256)(self._make_block)

    @property
    def top_id(self) -> int:
        return self.at(self.count - 1) if self.count else 0

    def at(self, rank: int) -> int:
        """Return the id of message ``rank``, 0 the oldest."""
        if self.sparse == 1:
            return rank + 1
        block, inside = divmod(rank, BLOCK)
        return block * self._span + self._block(block)[inside]

    def rank(self, id: int) -> int:
        """Return the number of messages with a smaller id."""
        if id <= 1:
            return 0
        if self.sparse == 1:
            return min(id - 1, self.count)
        block, inside = divmod(id - 1, self._span)
        if block * BLOCK >= self.count:
            return self.count
        return min(self.count, block * BLOCK + bisect_left(self._block(block), inside + 1))

    def has(self, id: int) -> bool:
        rank = self.rank(id)
        return id > 0 and rank < self.count and self.at(rank) == id

    def _make_block(self, block: int) -> tuple[int, ...]:
        """Return the offsets 1..span of a block's messages, ascending."""
        weights = []
        for index in range(BLOCK + 1):
            bits = splitmix64(self.seed, block, index)
            weights.append((bits & 0xFFFF) ** 24 if bits >> 62 else 0)
        room = self._span - BLOCK
        total = sum(weights) or 1
        offsets = []
        at = 0
        passed = 0
        for index in range(BLOCK):
            passed += weights[index]
            at = index + 1 + room * passed // total
            offsets.append(at)
        return tuple(offsets)
