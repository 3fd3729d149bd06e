"""Message ids with holes: which ids a synthetic chat uses, by rank and by id, without holding them.

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
    """The ids of ``count`` messages, 1 in ``sparse`` used; ``sparse=1`` has no holes."""

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
        """The id of message ``rank``, 0 the oldest."""
        if self.sparse == 1:
            return rank + 1
        block, inside = divmod(rank, BLOCK)
        return block * self._span + self._block(block)[inside]

    def rank(self, id: int) -> int:
        """How many messages have a smaller id."""
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
        """Places 1..span of a block's messages, ascending."""
        weights = []
        for index in range(BLOCK + 1):
            chance = splitmix64(self.seed, block, index)
            weights.append((chance & 0xFFFF) ** 24 if chance >> 62 else 0)
        room = self._span - BLOCK
        total = sum(weights) or 1
        places = []
        at = 0
        passed = 0
        for index in range(BLOCK):
            passed += weights[index]
            at = index + 1 + room * passed // total
            places.append(at)
        return tuple(places)
