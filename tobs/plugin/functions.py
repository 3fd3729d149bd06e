"""Template functions of plugins: collected in the process that checks templates, opened again in render workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from loguru import logger
from msgspec import Struct

from tobs.plugin.api import Plugin
from tobs.plugin.loading import load_class
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import Opening


class Functions(Struct, frozen=True):
    """Template functions ``by_name``.

    ``digest`` identifies the plugins that provide them, ``openings`` allow another process to load them, ``faults`` are
    plugins that failed, with the reason.
    """

    by_name: dict[str, Callable[..., object]] = {}
    digest: str = ""
    openings: tuple[Opening, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()


def gather_functions(plugins: Iterable[Processor]) -> Functions:
    """Collect the template functions of ``plugins``, which come in their order; for equal names the later
    plugin wins.
    """
    by_name: dict[str, Callable[..., object]] = {}
    made_by, openings, faults = [], [], []
    for one in plugins:
        try:
            by_name |= _functions(one.plugin)
        except Exception as error:  # noqa: BLE001 - the border to foreign code: it may raise anything, and all of it is reported
            logger.info("plugin {} has no template functions: {!r}", one.name, error)
            faults.append((one.name, f"{type(error).__name__}: {error}"))
            continue
        made_by.append(f"{one.name} {one.plugin.version} {one.digest}")
        openings.append(one.opening)
    return Functions(by_name, "; ".join(made_by), tuple(openings), tuple(faults))


def open_functions(openings: Iterable[Opening]) -> dict[str, Callable[..., object]]:
    """Load template functions in another process. Raises the exceptions of the plugins' code."""
    by_name: dict[str, Callable[..., object]] = {}
    for opening in openings:
        by_name |= _functions(open_plugin(opening))
    return by_name


def open_plugin(opening: Opening) -> Plugin[Any]:
    """Load a plugin in another process. Raises the exceptions of its code."""
    plugin_class = load_class(opening.ref)
    config = msgspec.msgpack.decode(opening.config, type=plugin_class.config_type)
    return plugin_class(config)


def _functions(plugin: Plugin[Any]) -> dict[str, Callable[..., object]]:
    functions = dict(plugin.template_functions())
    for name, function in functions.items():
        if not (isinstance(name, str) and name.isidentifier() and callable(function)):
            raise TypeError(f"{name!r} is no function with a name that templates can use")
    return functions
