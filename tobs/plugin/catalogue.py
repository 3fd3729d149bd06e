"""Discovery of plugins: which exist, where they come from, and which run.

There are three origins. The plugins of tobs (``tobs_plugins``) and of installed packages (entry points of the group
``tobs.plugins``) run unless switched off. The plugins of a vault (``<vault>/.tobs/plugins``) are copied out of the
vault first and run only if the content of the copy is trusted: the vault may change at any time (by a sync or a
malicious sender), and the checked content must be the content that runs.
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
from tobs.plugin.ordering import OrderEntry, sort_plugins
from tobs.plugin.processor import Processor, declaration_faults
from tobs.plugin.protocol import PluginRef

GROUP = "tobs.plugins"
SHIPPED = "tobs_plugins"

#: Largest plugin of a vault in bytes; a larger folder is not source code, and copying it could fill the disk.
_MAX_VAULT_PLUGIN = 20 * 2**20

#: ``ready`` runs; ``off`` was switched off, or not on; ``missing`` lacks something on this machine; ``untrusted`` is
#: a vault's without the user's trust; ``broken`` cannot be loaded.
State = Literal["ready", "off", "missing", "untrusted", "broken"]
Origin = Literal["tobs", "installed", "vault"]


class PluginInfo(Struct, frozen=True):
    """A plugin as shown by ``tobs plugins list`` and ``info``.

    ``order`` is its position in the chain from 1, 0 if it does not run; ``source`` is the module or path; ``reason``
    says why it is not ready and how to change that.
    """

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
        """Return the plugins that process files."""
        return self.having("process")

    def having(self, hook: str) -> tuple[Processor, ...]:
        """Return the plugins with a hook, in their order."""
        return tuple(one for one in self.ready if one.has(hook))


class VaultPlugins(Struct, frozen=True):
    """The plugins of the vault.

    ``folder`` contains them; ``private`` is a folder outside the vault for the copies that run (it must exist as long
    as the run); ``trusts`` returns whether the content of a path is trusted.
    """

    folder: Path
    private: Path
    trusts: Callable[[Path], bool]


class _LoadedPlugin(Struct, frozen=True):
    """A plugin of an imported module; ``plugin`` and ``ref`` are set if it is to run."""

    info: PluginInfo
    plugin: type[Plugin[Any]] | None = None
    ref: PluginRef | None = None


class _Candidate(Struct, frozen=True):
    """A module that may contain plugins, not imported yet; or one that must not be imported, with the reason."""

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
    """Find, configure and order all plugins.

    ``settings`` has the table of each plugin by name; ``variables`` are values from the environment (see
    ``assign_variables``), which win. ``off`` names plugins that must not run; a plugin that is ``opt_in`` runs if it is
    named in ``on`` or has been configured.

    Raises ConfigError for a wrong configuration and for plugins that wait for each other. A plugin that cannot be
    loaded is listed as broken.
    """
    plugins: dict[str, PluginInfo] = {}
    by_name: dict[str, _LoadedPlugin] = {}
    for candidate in _candidates(vault):
        for loaded in _load_candidate(candidate, off):
            info = loaded.info
            if info.name in plugins:
                if candidate.origin != "tobs" and plugins[info.name].source != info.source:
                    reason = f"the name is taken by {plugins[info.name].source}"
                    plugins[f"{info.name} ({info.source})"] = replace(info, state="broken", reason=reason)
                continue
            plugins[info.name] = info
            by_name[info.name] = loaded
    from_variables = assign_variables(
        variables or {}, {info.name: [option.name for option in info.options] for info in plugins.values()}
    )
    processors: dict[str, Processor] = {}
    for name, loaded in by_name.items():
        if loaded.plugin is not None and loaded.ref is not None:
            values = {**(settings or {}).get(name, {}), **from_variables.get(name, {})}
            if loaded.plugin.opt_in and not values and name not in on:
                reason = f'it runs when it is asked for: plugins_on = "{name}", or any option of its own'
                plugins[name] = replace(loaded.info, state="off", reason=reason)
                continue
            plugins[name], processor = _configure(loaded.info, loaded.plugin, loaded.ref, values)
            if processor is not None:
                processors[name] = processor
    order = sort_plugins(OrderEntry(p.name, p.plugin.band, p.plugin.after) for p in processors.values())
    for number, name in enumerate(order, 1):
        plugins[name] = replace(plugins[name], order=number)
    listed = sorted(plugins.values(), key=lambda info: (info.order or len(plugins) + 1, info.name, info.source))
    return Catalogue(tuple(listed), tuple(processors[name] for name in order))


def _candidates(vault: VaultPlugins | None) -> Iterator[_Candidate]:
    """Yield candidates in the order in which they win a name. A shipped plugin is also an entry point; it
    counts once.
    """
    seen = set()
    for module in _shipped_modules():
        seen.add(module)
        yield _Candidate(module.rpartition(".")[2], "tobs", module, source=module)
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        if entry.module not in seen:
            seen.add(entry.module)
            yield _Candidate(entry.name, "installed", entry.module, source=entry.value)
    if vault is not None:
        yield from _vault_plugins(vault)


def _shipped_modules() -> list[str]:
    try:
        package = load_module(SHIPPED)
    except ModuleNotFoundError:
        return []
    return sorted(f"{SHIPPED}.{part.name}" for part in pkgutil.iter_modules(package.__path__))


def vault_plugin_paths(folder: Path) -> list[Path]:
    """Return the files and package folders in ``folder`` that may be plugins."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.suffix == ".py" or (path / "__init__.py").is_file()]


def require_trustable(path: Path) -> None:
    """Raise UsageError for a plugin of a vault that could not run even if it were trusted."""
    if fault := _untrustable_reason(path):
        raise UsageError(f"The plugin {path} cannot be trusted: {fault}.", "Replace it with plain files.")


def is_trustable(path: Path) -> bool:
    """Return whether a plugin of a vault could run if it were trusted."""
    return not _untrustable_reason(path)


def _vault_plugins(vault: VaultPlugins) -> Iterator[_Candidate]:
    for path in vault_plugin_paths(vault.folder):
        candidate = _Candidate(path.stem, "vault", f"tobs_vault_plugins_{path.stem}", source=str(path))
        copy = vault.private / path.name
        if fault := _untrustable_reason(path):
            yield replace(candidate, untrusted=fault)
            continue
        _copy(path, copy)
        if vault.trusts(copy):
            yield replace(candidate, path=str(copy))
        else:
            _remove(copy)
            yield replace(
                candidate, untrusted=f"its content is not trusted; read it, then: tobs plugins trust {path.stem}"
            )


def _untrustable_reason(path: Path) -> str:
    """Return why the plugin at ``path`` must not be copied; empty if it may."""
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
        # Without __pycache__, which is not part of the trusted hash.
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(path, copy, follow_symlinks=False)


def _remove(copy: Path) -> None:
    if copy.is_dir() and not copy.is_symlink():
        shutil.rmtree(copy)
    else:
        copy.unlink(missing_ok=True)


def _load_candidate(candidate: _Candidate, off: Collection[str]) -> Iterator[_LoadedPlugin]:
    """Yield the plugins of a module."""
    bare = PluginInfo(candidate.name, candidate.origin, candidate.source)
    if candidate.untrusted:
        yield _LoadedPlugin(replace(bare, state="untrusted", reason=candidate.untrusted))
        return
    try:
        classes = plugin_classes(load_module(candidate.module, candidate.path))
        if not classes:
            raise NoPlugin("it defines no plugin with a name")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to foreign code: it may raise anything
        logger.info("plugin module {} cannot be loaded: {!r}", candidate.source, error)
        yield _LoadedPlugin(replace(bare, state="broken", reason=f"{type(error).__name__}: {error}"))
        return
    for plugin_class in classes:
        try:
            faults = declaration_faults(plugin_class)
            info = replace(bare, name=str(plugin_class.name)) if faults else _describe(bare, plugin_class)
        except (TypeError, AttributeError) as error:
            yield _LoadedPlugin(replace(bare, state="broken", reason=f"its declarations are malformed: {error}"))
            continue
        if faults:
            yield _LoadedPlugin(replace(info, state="broken", reason="; ".join(faults)))
        elif plugin_class.name in off:
            yield _LoadedPlugin(replace(info, state="off", reason="switched off by plugins_off"))
        else:
            yield _LoadedPlugin(
                info, plugin_class, PluginRef(candidate.module, plugin_class.__qualname__, candidate.path)
            )


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
