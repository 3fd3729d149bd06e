"""Which of many photos look alike, without comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tobs_plugins.dedupe.looks import BITS, Look

#: How far photos that differ in few bits may be apart in brightness, of 255: a second look, by other means.
_FARTHEST = 12.0


def groups_alike(looks: Sequence[Look], most: int) -> list[list[int]]:
    """The places of photos that look alike, group by group, in the order of their first. Two are alike when they differ
    in ``most`` bits at most; a group holds all that are alike with one of it.

    Cut into ``most + 1`` bands, two such photos agree in one band at least: only these are compared.
    """
    leader = list(range(len(looks)))

    def leader_of(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for first, last in _bands(most + 1):
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        mask = (1 << (last - first)) - 1
        for place, look in enumerate(looks):
            bucket = buckets[look.bits >> first & mask]
            for other in bucket:
                if leader_of(other) != leader_of(place) and _alike(looks[other], look, most):
                    older, newer = sorted((leader_of(other), leader_of(place)))
                    leader[newer] = older
            bucket.append(place)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(len(looks)):
        members[leader_of(place)].append(place)
    return [group for group in members.values() if len(group) > 1]


def _bands(count: int) -> list[tuple[int, int]]:
    """``BITS`` bits cut into ``count`` parts: (first, last) of each, the last one not in it."""
    return [(BITS * n // count, BITS * (n + 1) // count) for n in range(count)]


def _alike(one: Look, other: Look, most: int) -> bool:
    return one.differs(other) <= most and one.distance(other) <= _FARTHEST
