"""The plugins there are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tobs.app.workplace import Workplace
from tobs.config import TrustStore

if TYPE_CHECKING:
    from tobs.plugin.catalogue import Catalogue, PluginInfo


def list_plugins(place: Workplace) -> Sequence[PluginInfo]:
    """All plugins, those that run first and in their order."""
    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        return load_catalogue(place, place.vault / ".tobs" / "plugins", Path(private)).plugins


def load_catalogue(place: Workplace, folder: Path, private: Path) -> Catalogue:
    """The plugins of tobs, of installed packages, and of the vault's ``folder`` as far as they are trusted."""
    from tobs.plugin.catalogue import VaultPlugins, load_plugins

    trusts = TrustStore(place.home).trusts
    return load_plugins(
        settings=place.loaded.plugins,
        variables=place.loaded.plugin_variables,
        off=place.settings.plugins_off,
        vault=VaultPlugins(folder, private, trusts),
    )
