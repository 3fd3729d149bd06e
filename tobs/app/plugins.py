"""The plugins of tobs, of installed packages and of the vault."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.config import TrustStore
from tobs.config.home import environment
from tobs.config.trust import content_hash
from tobs.errors import UsageError

if TYPE_CHECKING:
    from tobs.model import FileKind
    from tobs.plugin import Item, MessageItem, RenderedNote
    from tobs.plugin.catalogue import Catalogue, PluginInfo
    from tobs.plugin.functions import Functions
    from tobs.plugin.testing import Trial


def list_plugins(context: AppContext) -> Sequence[PluginInfo]:
    """All plugins; first those that run, in their order."""
    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        return load_catalogue(context, context.paths.plugins, Path(private)).plugins


async def run_plugin(context: AppContext, name: str, arguments: Sequence[str]) -> str:
    """Run the command of the plugin ``name`` and return its answer. Raises UsageError if it has none or does not run,
    PluginError when it fails."""
    from tobs.plugin.host import Done, Host

    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        catalogue = load_catalogue(context, context.paths.plugins, Path(private))
        plugin = next((one for one in catalogue.having("command") if one.name == name), None)
        if plugin is None:
            raise _no_command(catalogue, name)
        async with Host(env=environment(), strict=True) as host:
            reply = await host.command(plugin, arguments, context.vault)
    return reply.result or "" if isinstance(reply, Done) else ""


def find_plugin(plugins: Sequence[PluginInfo], name: str) -> PluginInfo:
    """Description of the plugin ``name``. Raises UsageError."""
    known = {info.name: info for info in plugins}
    # A plugin that is not trusted is not read: it is known by the name of its file.
    info = known.get(name) or known.get(name.replace("-", "_"))
    if info is None:
        raise UsageError(f"There is no plugin {name!r}.", f"There are: {', '.join(sorted(known))}.")
    return info


def _no_command(catalogue: Catalogue, name: str) -> UsageError:
    info = find_plugin(catalogue.plugins, name)
    if info.state != "ready":
        return UsageError(f"The plugin {name} does not run ({info.state}): {info.reason}.", "")
    having = ", ".join(one.name for one in catalogue.having("command")) or "none"
    return UsageError(f"The plugin {name} has no command.", f"Plugins with one: {having}.")


@contextmanager
def plugin_functions(context: AppContext) -> Iterator[Functions]:
    """Open the template functions of plugins outside a run."""
    from tobs.plugin.functions import gather_functions

    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        catalogue = load_catalogue(context, context.paths.plugins, Path(private))
        yield gather_functions(catalogue.having("template_functions"))


class Untrusted(Struct, frozen=True):
    """A plugin of the vault whose content (``digest``) nobody has trusted."""

    path: Path
    digest: str


class TrustedPlugin(Struct, frozen=True):
    """A plugin of the vault that is trusted with this content."""

    path: str
    sha256: str


class NewPlugin(Struct, frozen=True):
    """The files of a new plugin and its test; ``in_vault`` if it lies among the vault's plugins."""

    plugin: Path
    test: Path
    in_vault: bool


def untrusted_plugins(context: AppContext) -> list[Untrusted]:
    """The vault's plugins that do not run because their content is not trusted, without those that cannot be
    trusted."""
    from tobs.plugin.catalogue import is_trustable, vault_plugin_paths

    store = TrustStore(context.home)
    paths = [path for path in vault_plugin_paths(context.paths.plugins) if is_trustable(path)]
    return [Untrusted(path, content_hash(path)) for path in paths if not store.trusts(path)]


def ask_trust(context: AppContext) -> None:
    """Ask about each plugin of the vault that is not trusted as it is now. If nobody can be asked, nothing is trusted
    and the report names what did not run."""
    for plugin in untrusted_plugins(context):
        notice = (
            f"The vault brings a plugin that you have not trusted as it is now: {plugin.path}\n"
            "A plugin is a program with your rights. Read it before you say yes."
        )
        if context.prompt.confirm(notice, "Let it run from now on?") and not _trust(context, plugin):
            context.prompt.tell("It changed while you were asked: it does not run.")


def _trust(context: AppContext, plugin: Untrusted) -> bool:
    """Trust a plugin, unless its content has changed."""
    if content_hash(plugin.path) != plugin.digest:
        return False
    TrustStore(context.home).add(plugin.path)
    return True


def trust_plugin(context: AppContext, name: str) -> TrustedPlugin:
    """Trust the vault's plugin ``name`` as it is now. Raises UsageError, ConfigError."""
    from tobs.plugin.catalogue import require_trustable, vault_plugin_paths

    folder = context.paths.plugins
    paths = {path.stem: path for path in vault_plugin_paths(folder)}
    path = paths.get(name) or paths.get(name.replace("-", "_"))
    if path is None:
        there = f"There are: {', '.join(paths)}." if paths else f"There is none in {folder}."
        raise UsageError(f"The vault has no plugin {name!r}.", there)
    require_trustable(path)
    return TrustedPlugin(str(path), TrustStore(context.home).add(path))


def new_plugin(context: AppContext, name: str, into: Path | None) -> NewPlugin:
    """Write a plugin with a test into a folder (None: the vault's plugins, else the working directory). Raises
    UsageError."""
    from tobs.plugin.scaffold import new_plugin as write_plugin

    paths = context.paths
    folder = into or (paths.plugins if paths.tobs.is_dir() else context.cwd)
    plugin, made_test = write_plugin(folder.absolute(), name)
    return NewPlugin(plugin, made_test, in_vault=folder == paths.plugins)


async def try_plugin(
    context: AppContext, path: Path, files: Sequence[tuple[FileKind | None, Path]], *, with_samples: bool
) -> Sequence[Trial]:
    """Run the plugin at ``path`` on ``files`` and their kinds (None: guessed from the name), and on sample messages
    and notes. Raises UsageError for a path that does not exist."""
    from tobs.plugin.testing import make_item, sample_messages, sample_notes, try_plugins

    for missing in (each for each in (path, *(file for _, file in files)) if not each.exists()):
        raise UsageError(f"{missing} does not exist.", "Name a file that is there.")
    with tempfile.TemporaryDirectory(prefix="tobs-try-") as work:
        items: list[Item | MessageItem | RenderedNote] = [
            make_item(file, Path(work) / str(n), kind=kind) for n, (kind, file) in enumerate(files)
        ]
        items += [*sample_messages(), *sample_notes()] if with_samples else []
        loaded = context.loaded
        return await try_plugins(
            path, items, env=environment(), settings=loaded.plugins, variables=loaded.plugin_variables
        )


def load_catalogue(context: AppContext, folder: Path, private: Path) -> Catalogue:
    """The plugins of tobs, of installed packages, and of the vault's ``folder`` as far as they are trusted."""
    from tobs.plugin.catalogue import VaultPlugins, load_plugins

    trusts = TrustStore(context.home).trusts
    return load_plugins(
        settings=context.loaded.plugins,
        variables=context.loaded.plugin_variables,
        off=context.settings.plugins_off,
        on=context.settings.plugins_on,
        vault=VaultPlugins(folder, private, trusts),
    )
