"""What every command begins with: the settings of all layers, and the folders they are about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tobs.app.logs import log_to_stderr
from tobs.config import LoadedSettings, Machine, Profile, Settings, load_settings, make_profile, this_machine
from tobs.config.home import environment, home_folder, make_home
from tobs.config.vault_paths import VaultPaths, find_vault


class AppContext(Struct, frozen=True):
    """What a command works with: the settings of all layers, the folders, the machine."""

    loaded: LoadedSettings
    home: Path
    vault: Path
    machine: Machine
    profile: Profile

    @property
    def settings(self) -> Settings:
        """The joined settings."""
        return self.loaded.settings

    @property
    def paths(self) -> VaultPaths:
        """Paths of the vault, which need not have been made yet. Raises VaultError, VaultNewer."""
        from tobs.vault.workspace import locate_vault

        return locate_vault(self.vault, self.home)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was ignored in the configuration."""
        return self.loaded.warnings


def open_app_context(
    command_line: Mapping[str, Any], *, home: Path | None = None, verbosity: int | None = 0
) -> AppContext:
    """Join the settings for a command and find its vault; ``verbosity`` None leaves the log as it is. Raises
    ConfigError."""
    if verbosity is not None:
        log_to_stderr(verbosity)
    env, cwd = environment(), Path.cwd()
    home = make_home(home or home_folder(env))
    first = load_settings(home=home, env=env, cwd=cwd, command_line=command_line).settings
    vault = Path(first.vault).expanduser().absolute() if first.vault else find_vault(cwd) or cwd / "vault"
    loaded = load_settings(home=home, env=env, cwd=cwd, vault=vault, command_line=command_line)
    machine = this_machine()
    return AppContext(loaded, home, vault, machine, make_profile(loaded.settings, machine))
