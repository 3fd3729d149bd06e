"""The order of the chain: bands first, then ``after``, then the name."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import get_args

from msgspec import Struct

from tobs.errors import ConfigError
from tobs.plugin.api import Band

BANDS: tuple[Band, ...] = get_args(Band)


class Place(Struct, frozen=True):
    """Where a plugin wants to stand."""

    name: str
    band: Band
    after: tuple[str, ...] = ()


def sort_places(places: Iterable[Place]) -> list[str]:
    """The names in the order they run. An ``after`` that names no plugin of the chain says nothing.

    Raises ConfigError naming the plugins when they wait for each other, or for one of a later band.
    """
    known = {place.name: place for place in places}
    order: list[str] = []
    for band in BANDS:
        members = [place for place in known.values() if place.band == band]
        for place in members:
            for name in place.after:
                if name in known and BANDS.index(known[name].band) > BANDS.index(band):
                    raise ConfigError(
                        f"Plugin {place.name} ({band}) wants to run after {name}, which belongs to the later band "
                        f"{known[name].band}.",
                        f"Switch one of them off (plugins_off), or change the band of {place.name}.",
                    )
        order += _sort_band(members)
    return order


def _sort_band(members: list[Place]) -> list[str]:
    names = {place.name for place in members}
    sorter = TopologicalSorter({place.name: sorted(names.intersection(place.after)) for place in members})
    try:
        sorter.prepare()
    except CycleError as error:
        ring = " -> ".join(reversed(error.args[1]))
        raise ConfigError(
            f"These plugins wait for each other: {ring}.", "Switch one of them off (plugins_off)."
        ) from error
    order: list[str] = []
    waiting: list[str] = []
    while sorter.is_active():
        # One at a time, so that the name decides between all that could be next, whatever became ready when.
        waiting = sorted([*waiting, *sorter.get_ready()])
        name = waiting.pop(0)
        order.append(name)
        sorter.done(name)
    return order
