"""Loading of plugin classes by reference, for the catalogue and for worker processes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tobs.plugin.api import Plugin
from tobs.plugin.protocol import PluginRef


class NoPlugin(Exception):
    """Raised for a module that is listed as a plugin but defines none; the text says why."""


def load_module(module: str, path: str = "") -> ModuleType:
    """Import ``module``; with a ``path`` load that file or package folder under the name.

    Exceptions raised by the module at import are not caught.
    """
    if not path:
        return importlib.import_module(module)
    source = _source(Path(path))
    known = sys.modules.get(module)
    if known is not None and known.__file__ == str(source):
        return known
    spec = importlib.util.spec_from_file_location(module, source)
    if spec is None or spec.loader is None:
        raise NoPlugin(f"{source.name} is no Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # before it runs, because modules of a package import each other through it
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        del sys.modules[module]
        raise
    return loaded


def plugin_classes(module: ModuleType) -> list[type[Plugin[Any]]]:
    """Return the plugins of a module: those it defines, or that a package imports from its own modules."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Plugin)
        and value is not Plugin
        and value.name
        and _belongs(value, module)
    ]


def _belongs(plugin: type[Plugin[Any]], module: ModuleType) -> bool:
    """Return whether ``plugin`` is defined in ``module`` or, if that is a package, in its folder.

    Modules of a package may import each other under another name than the one it was loaded as.
    """
    if plugin.__module__ == module.__name__ or plugin.__module__.startswith(f"{module.__name__}."):
        return True
    source, own = getattr(sys.modules.get(plugin.__module__), "__file__", None), module.__file__
    if not source or not own or Path(own).name != "__init__.py":
        return False
    return Path(source).resolve().is_relative_to(Path(own).resolve().parent)


def load_class(ref: PluginRef) -> type[Plugin[Any]]:
    """Return the class named by ``ref``. Raises NoPlugin, and the exceptions of its module at import."""
    value = getattr(load_module(ref.module, ref.path), ref.attribute, None)
    if not (isinstance(value, type) and issubclass(value, Plugin)):
        raise NoPlugin(f"{ref.module} has no plugin {ref.attribute}")
    return value


def _source(path: Path) -> Path:
    return path / "__init__.py" if path.is_dir() else path
