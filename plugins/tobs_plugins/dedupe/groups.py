"""Find groups of photos that look alike, without comparing every pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tobs_plugins.dedupe.looks import BITS, Look

#: Largest average difference in brightness (of 255) of photos that look alike: a second check.
_FARTHEST = 12.0


def similar_groups(looks: Sequence[Look], most: int) -> list[list[int]]:
    """Group the indexes of photos that look alike, in the order of the first photo of each group.

    Two photos are alike if they differ in at most ``most`` bits; each photo of a group is alike with at least one other
    in it. If the bits are cut into ``most + 1`` bands, two such photos agree in at least one band: only these are
    compared.
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
    """Cut ``BITS`` bits into ``count`` parts: (first, last) of each, last excluded."""
    return [(BITS * n // count, BITS * (n + 1) // count) for n in range(count)]


def _alike(one: Look, other: Look, most: int) -> bool:
    return one.differs(other) <= most and one.distance(other) <= _FARTHEST
