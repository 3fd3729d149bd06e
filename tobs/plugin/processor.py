"""Processors: plugins that were found and configured, and are ready to work."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
from msgspec import Struct

from tobs.model import FileKind
from tobs.plugin.api import API_VERSION, Band, Bound, Plugin, Sees, hooks_of
from tobs.plugin.configuration import config_digest
from tobs.plugin.protocol import Opening, PluginRef, encode

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Processor(Struct, frozen=True):
    """A configured plugin and the reference by which a worker process loads it.

    ``digest`` identifies its configuration.
    """

    plugin: Plugin[Any]
    ref: PluginRef
    digest: str

    @classmethod
    def of(cls, plugin: Plugin[Any], ref: PluginRef) -> Processor:
        """Make a processor of ``plugin``, which its worker process loads by ``ref``."""
        return cls(plugin, ref, config_digest(plugin.config))

    @property
    def name(self) -> str:
        """Return the name of the plugin."""
        return self.plugin.name

    def has(self, hook: str) -> bool:
        """Return whether the plugin has a hook (``process``, ``enrich``, ...)."""
        return hook in hooks_of(type(self.plugin)) and hook not in self.plugin.unused

    @property
    def opening(self) -> Opening:
        """Return the first frame for a worker process."""
        return Opening(self.ref, encode(self.plugin.config), self.plugin.memory_limit)


def declaration_faults(plugin: type[Plugin[Any]]) -> list[str]:
    """Return the faults in a plugin's declarations, one sentence each; empty if there are none."""
    faults = []
    if not _NAME.fullmatch(plugin.name):
        faults.append(f"the name {plugin.name!r} is not of small letters, digits and hyphens")
    if not plugin.version:
        faults.append("it has no version")
    if plugin.api > API_VERSION:
        faults.append(f"it needs version {plugin.api} of the plugin interface, this tobs has {API_VERSION}")
    hooks = hooks_of(plugin)
    if not hooks:
        faults.append("it has none of the methods tobs calls, such as process")
    if ("process" in hooks and not plugin.handles) or not plugin.handles <= set(get_args(FileKind)):
        faults.append(f"it handles {sorted(plugin.handles) or 'nothing'}; kinds are {', '.join(get_args(FileKind))}")
    for what, value, allowed in (
        ("band", plugin.band, get_args(Band)),
        ("bound", plugin.bound, get_args(Bound)),
        ("sees", plugin.sees, get_args(Sees)),
    ):
        if value not in allowed:
            faults.append(f"its {what} is {value!r}; allowed are {', '.join(allowed)}")
    if plugin.time_limit <= 0 or plugin.memory_limit <= 0 or plugin.batch < 1:
        faults.append("its time_limit, memory_limit and batch have to be above zero")
    if plugin.processes < 0:
        faults.append("its number of processes is below zero")
    if not issubclass(plugin.config_type, msgspec.Struct):
        faults.append("its configuration type is no msgspec.Struct")
    return faults
