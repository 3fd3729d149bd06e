"""Which plugins there are, where they come from, and which of them run.

They come from three places. tobs's own (``tobs_plugins``) and installed packages (entry points of the group
``tobs.plugins``) run unless switched off. A vault's own (``<vault>/.tobs/plugins``) are copied out of the
vault first and run only when the copy's content is trusted: the vault may change at any time (a sync, a
malicious sender), and what was checked must be what runs.
"""

from __future__ import annotations

import importlib.metadata
import pkgutil
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from loguru import logger
from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import ConfigError, UsageError
from tobs.model import FileKind
from tobs.plugin.api import Band, Plugin, hooks_of
from tobs.plugin.configuration import Option, assign_variables, describe_config, read_config
from tobs.plugin.loading import NoPlugin, load_module, plugin_classes
from tobs.plugin.ordering import Place, sort_places
from tobs.plugin.processor import Processor, declaration_faults
from tobs.plugin.protocol import PluginRef

GROUP = "tobs.plugins"
SHIPPED = "tobs_plugins"

#: Source code is small; a larger folder is something else, and copying it would fill the disk.
_MAX_VAULT_PLUGIN = 20 * 2**20

#: ``ready`` runs; ``off`` was switched off, or not on; ``missing`` lacks something on this machine; ``untrusted`` is a
#: vault's and nobody said it may run; ``broken`` cannot be loaded.
State = Literal["ready", "off", "missing", "untrusted", "broken"]
Origin = Literal["tobs", "installed", "vault"]


class PluginInfo(Struct, frozen=True):
    """A plugin as ``tobs plugins list`` and ``info`` show it. ``order`` is its place in the chain from 1, 0
    for one that does not run; ``source`` the module or path; ``reason`` why it is not ready and what to do."""

    name: str
    origin: Origin
    source: str
    state: State = "ready"
    reason: str = ""
    version: str = ""
    summary: str = ""
    band: Band | None = None
    after: tuple[str, ...] = ()
    order: int = 0
    hooks: tuple[str, ...] = ()
    handles: tuple[FileKind, ...] = ()
    options: tuple[Option, ...] = ()


class Catalogue(Struct, frozen=True):
    """All ``plugins`` that were found, and those that run (``ready``), in their order."""

    plugins: tuple[PluginInfo, ...]
    ready: tuple[Processor, ...]

    @property
    def processors(self) -> tuple[Processor, ...]:
        """Those that work on files."""
        return self.having("process")

    def having(self, hook: str) -> tuple[Processor, ...]:
        """Those that have a hook, in their order."""
        return tuple(one for one in self.ready if one.has(hook))


class VaultPlugins(Struct, frozen=True):
    """The vault's own plugins: the ``folder`` they are in, a ``private`` folder outside the vault for the copies
    that run (it has to last as long as the run), and whether the content of a path is trusted."""

    folder: Path
    private: Path
    trusts: Callable[[Path], bool]


class _Taken(Struct, frozen=True):
    """A plugin of a module that was looked at; ``plugin`` and ``ref`` are there when it is to run."""

    info: PluginInfo
    plugin: type[Plugin[Any]] | None = None
    ref: PluginRef | None = None


class _Found(Struct, frozen=True):
    """A module that may hold plugins, not imported yet; or one that must not be, with the reason."""

    name: str
    origin: Origin
    module: str
    path: str = ""
    source: str = ""
    untrusted: str = ""


def load_plugins(
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    variables: Mapping[str, str] | None = None,
    off: Collection[str] = (),
    on: Collection[str] = (),
    vault: VaultPlugins | None = None,
) -> Catalogue:
    """Find all plugins, configure and order them. ``settings`` has each plugin's table by its name, ``variables``
    what the environment says (see ``assign_variables``), which wins. ``off`` names those that are not to run; one that
    is ``opt_in`` runs when it is named in ``on`` or has been configured.

    Raises ConfigError for a wrong configuration and for plugins that wait for each other. A plugin that cannot
    be loaded is listed as broken.
    """
    plugins: dict[str, PluginInfo] = {}
    chosen: dict[str, _Taken] = {}
    for found in _find(vault):
        for taken in _take(found, off):
            info = taken.info
            if info.name in plugins:
                if found.origin != "tobs" and plugins[info.name].source != info.source:
                    reason = f"the name is taken by {plugins[info.name].source}"
                    plugins[f"{info.name} ({info.source})"] = replace(info, state="broken", reason=reason)
                continue
            plugins[info.name] = info
            chosen[info.name] = taken
    told = assign_variables(
        variables or {}, {info.name: [option.name for option in info.options] for info in plugins.values()}
    )
    processors: dict[str, Processor] = {}
    for name, taken in chosen.items():
        if taken.plugin is not None and taken.ref is not None:
            values = {**(settings or {}).get(name, {}), **told.get(name, {})}
            if taken.plugin.opt_in and not values and name not in on:
                reason = f'it runs when it is asked for: plugins_on = "{name}", or any option of its own'
                plugins[name] = replace(taken.info, state="off", reason=reason)
                continue
            plugins[name], processor = _configure(taken.info, taken.plugin, taken.ref, values)
            if processor is not None:
                processors[name] = processor
    order = sort_places(Place(p.name, p.plugin.band, p.plugin.after) for p in processors.values())
    for number, name in enumerate(order, 1):
        plugins[name] = replace(plugins[name], order=number)
    listed = sorted(plugins.values(), key=lambda info: (info.order or len(plugins) + 1, info.name, info.source))
    return Catalogue(tuple(listed), tuple(processors[name] for name in order))


def _find(vault: VaultPlugins | None) -> Iterator[_Found]:
    """Candidates, those that win a name first. A shipped plugin is also an entry point: it counts once."""
    seen = set()
    for module in _shipped_modules():
        seen.add(module)
        yield _Found(module.rpartition(".")[2], "tobs", module, source=module)
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        if entry.module not in seen:
            seen.add(entry.module)
            yield _Found(entry.name, "installed", entry.module, source=entry.value)
    if vault is not None:
        yield from _vault_plugins(vault)


def _shipped_modules() -> list[str]:
    try:
        package = load_module(SHIPPED)
    except ModuleNotFoundError:
        return []
    return sorted(f"{SHIPPED}.{part.name}" for part in pkgutil.iter_modules(package.__path__))


def vault_plugin_paths(folder: Path) -> list[Path]:
    """The files and package folders in ``folder`` that may be plugins."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.suffix == ".py" or (path / "__init__.py").is_file()]


def require_trustable(path: Path) -> None:
    """Raises UsageError for a plugin of a vault that could not run even if it were trusted."""
    if fault := _untrustable_reason(path):
        raise UsageError(f"The plugin {path} cannot be trusted: {fault}.", "Replace it with plain files.")


def is_trustable(path: Path) -> bool:
    """Whether a plugin of a vault could run if it were trusted."""
    return not _untrustable_reason(path)


def _vault_plugins(vault: VaultPlugins) -> Iterator[_Found]:
    for path in vault_plugin_paths(vault.folder):
        found = _Found(path.stem, "vault", f"tobs_vault_plugins_{path.stem}", source=str(path))
        copy = vault.private / path.name
        if fault := _untrustable_reason(path):
            yield replace(found, untrusted=fault)
            continue
        _copy(path, copy)
        if vault.trusts(copy):
            yield replace(found, path=str(copy))
        else:
            _remove(copy)
            yield replace(found, untrusted=f"its content is not trusted; read it, then: tobs plugins trust {path.stem}")


def _untrustable_reason(path: Path) -> str:
    """Why the plugin at ``path`` is not even copied; empty when it is."""
    parts = [path, *path.rglob("*")]
    if any(part.is_symlink() or not (part.is_file() or part.is_dir()) for part in parts):
        return "it holds a link or a special file, so what runs could change unseen"
    if sum(part.stat().st_size for part in parts) > _MAX_VAULT_PLUGIN:
        return f"it is larger than {_MAX_VAULT_PLUGIN // 2**20} MiB"
    return ""


def _copy(path: Path, copy: Path) -> None:
    _remove(copy)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        # Without __pycache__, which the trusted hash does not cover.
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(path, copy, follow_symlinks=False)


def _remove(copy: Path) -> None:
    if copy.is_dir() and not copy.is_symlink():
        shutil.rmtree(copy)
    else:
        copy.unlink(missing_ok=True)


def _take(found: _Found, off: Collection[str]) -> Iterator[_Taken]:
    """The plugins of one module."""
    bare = PluginInfo(found.name, found.origin, found.source)
    if found.untrusted:
        yield _Taken(replace(bare, state="untrusted", reason=found.untrusted))
        return
    try:
        classes = plugin_classes(load_module(found.module, found.path))
        if not classes:
            raise NoPlugin("it defines no plugin with a name")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to foreign code: it may raise anything
        logger.info("plugin module {} cannot be loaded: {!r}", found.source, error)
        yield _Taken(replace(bare, state="broken", reason=f"{type(error).__name__}: {error}"))
        return
    for plugin_class in classes:
        try:
            faults = declaration_faults(plugin_class)
            info = replace(bare, name=str(plugin_class.name)) if faults else _describe(bare, plugin_class)
        except (TypeError, AttributeError) as error:
            yield _Taken(replace(bare, state="broken", reason=f"its declarations are malformed: {error}"))
            continue
        if faults:
            yield _Taken(replace(info, state="broken", reason="; ".join(faults)))
        elif plugin_class.name in off:
            yield _Taken(replace(info, state="off", reason="switched off by plugins_off"))
        else:
            yield _Taken(info, plugin_class, PluginRef(found.module, plugin_class.__qualname__, found.path))


def _describe(bare: PluginInfo, plugin_class: type[Plugin[Any]]) -> PluginInfo:
    return replace(
        bare,
        name=str(plugin_class.name),
        version=str(plugin_class.version),
        summary=str(plugin_class.summary),
        band=plugin_class.band,
        after=tuple(plugin_class.after),
        hooks=hooks_of(plugin_class),
        handles=tuple(sorted(plugin_class.handles)),
        options=describe_config(plugin_class.config_type),
    )


def _configure(
    info: PluginInfo, plugin_class: type[Plugin[Any]], ref: PluginRef, values: Mapping[str, Any]
) -> tuple[PluginInfo, Processor | None]:
    config = read_config(plugin_class.name, plugin_class.config_type, values)
    try:
        plugin = plugin_class(config)
        processor = Processor.of(plugin, ref)
        missing = plugin.available()
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        logger.info("plugin {} cannot be made: {!r}", plugin_class.name, error)
        return replace(info, state="broken", reason=f"{type(error).__name__}: {error}"), None
    if missing is not None:
        return replace(info, state="missing", reason=f"{missing.what} is missing; {missing.install}"), None
    return info, processor
