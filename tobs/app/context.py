"""Context of every command: the settings of all layers, and the folders they are about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tobs.app.prompt import NoPrompt, Prompt
from tobs.config import LoadedSettings, Machine, Profile, Settings, load_settings, make_profile, this_machine
from tobs.config.home import environment, home_folder, make_home
from tobs.config.vault_paths import VaultPaths, find_vault


class AppContext(Struct, frozen=True):
    """The settings of all layers, the folders, the machine, and the ``prompt`` that asks a person. ``given`` are the
    settings of the command line, ``cwd`` is the folder whose ``.env`` counts: both are used to read the settings
    again."""

    loaded: LoadedSettings
    home: Path
    vault: Path
    machine: Machine
    profile: Profile
    given: Mapping[str, Any]
    cwd: Path
    prompt: Prompt

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
        """Sentences about what was ignored in the configuration."""
        return self.loaded.warnings


def open_app_context(
    command_line: Mapping[str, Any], *, cwd: Path, home: Path | None = None, prompt: Prompt | None = None
) -> AppContext:
    """Join the settings for a command and find its vault, from the absolute folder ``cwd`` on. Raises ConfigError."""
    env = environment()
    home = make_home(home or home_folder(env))
    first = load_settings(home=home, env=env, cwd=cwd, command_line=command_line).settings
    vault = cwd / Path(first.vault).expanduser() if first.vault else find_vault(cwd) or cwd / "vault"
    return _load(command_line, cwd, home, vault, prompt or NoPrompt())


def with_settings(context: AppContext, **given: Any) -> AppContext:
    """``context`` with more settings of the command line (None: not given). Raises ConfigError."""
    given = {name: value for name, value in given.items() if value is not None}
    return reopen(context, **given) if given else context


def reopen(context: AppContext, **given: Any) -> AppContext:
    """Read the settings of ``context`` again, with more ``given`` ones; the vault stays. Raises ConfigError."""
    return _load({**context.given, **given}, context.cwd, context.home, context.vault, context.prompt)


def _load(given: Mapping[str, Any], cwd: Path, home: Path, vault: Path, prompt: Prompt) -> AppContext:
    loaded = load_settings(home=home, env=environment(), cwd=cwd, vault=vault, command_line=given)
    machine = this_machine()
    return AppContext(loaded, home, vault, machine, make_profile(loaded.settings, machine), given, cwd, prompt)
