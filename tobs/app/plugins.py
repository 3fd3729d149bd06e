"""The plugins there are."""

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
    from tobs.plugin.catalogue import Catalogue, PluginInfo
    from tobs.plugin.functions import Functions


def list_plugins(context: AppContext) -> Sequence[PluginInfo]:
    """All plugins, those that run first and in their order."""
    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        return load_catalogue(context, context.paths.plugins, Path(private)).plugins


async def run_plugin(context: AppContext, name: str, arguments: Sequence[str]) -> str:
    """Run the command of the plugin ``name``; what it says. Raises UsageError for one that has none or does not run,
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
    """What is known of the plugin ``name``. Raises UsageError."""
    known = {info.name: info for info in plugins}
    # One that is not trusted is not looked into: it goes by the name of its file.
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
    """What plugins give to templates, where there is no run that has them."""
    from tobs.plugin.functions import gather_functions

    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        catalogue = load_catalogue(context, context.paths.plugins, Path(private))
        yield gather_functions(catalogue.having("template_functions"))


class Untrusted(Struct, frozen=True):
    """A plugin of the vault whose content (``digest``) nobody has trusted."""

    path: Path
    digest: str


def untrusted_plugins(context: AppContext) -> list[Untrusted]:
    """The vault's plugins that do not run because their content is not trusted; those that cannot be are left
    out."""
    from tobs.plugin.catalogue import is_trustable, vault_plugin_paths

    store = TrustStore(context.home)
    paths = [path for path in vault_plugin_paths(context.paths.plugins) if is_trustable(path)]
    return [Untrusted(path, content_hash(path)) for path in paths if not store.trusts(path)]


def trust_plugin(context: AppContext, plugin: Untrusted) -> bool:
    """Trust a plugin, unless its content is another one by now."""
    if content_hash(plugin.path) != plugin.digest:
        return False
    TrustStore(context.home).add(plugin.path)
    return True


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
