"""Order of the processor chain: by band, then ``after``, then name."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import get_args

from msgspec import Struct

from tobs.errors import ConfigError
from tobs.plugin.api import Band

BANDS: tuple[Band, ...] = get_args(Band)


class OrderEntry(Struct, frozen=True):
    """The name of a plugin and the declarations that determine its position."""

    name: str
    band: Band
    after: tuple[str, ...] = ()


def sort_plugins(entries: Iterable[OrderEntry]) -> list[str]:
    """Return the names in the order they run. An ``after`` with a plugin that is not in the chain is ignored.

    Raises ConfigError naming the plugins that wait for each other or for one of a later band.
    """
    known = {entry.name: entry for entry in entries}
    order: list[str] = []
    for band in BANDS:
        members = [entry for entry in known.values() if entry.band == band]
        for entry in members:
            for name in entry.after:
                if name in known and BANDS.index(known[name].band) > BANDS.index(band):
                    raise ConfigError(
                        f"Plugin {entry.name} ({band}) wants to run after {name}, which belongs to the later band "
                        f"{known[name].band}.",
                        f"Switch one of them off (plugins_off), or change the band of {entry.name}.",
                    )
        order += _sort_band(members)
    return order


def _sort_band(members: list[OrderEntry]) -> list[str]:
    names = {entry.name for entry in members}
    sorter = TopologicalSorter({entry.name: sorted(names.intersection(entry.after)) for entry in members})
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
        # One at a time, so that names alone decide between all plugins that could be next.
        waiting = sorted([*waiting, *sorter.get_ready()])
        name = waiting.pop(0)
        order.append(name)
        sorter.done(name)
    return order
