"""The layers of settings, lowest first.

defaults < ``$TOBS_HOME/config.toml`` < ``<vault>/.tobs/config.toml`` < ``.env`` of the working directory < environment
< command line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from msgspec import Struct
from pydantic import ValidationError

from tobs.config.settings import Settings, is_vault_safe
from tobs.config.trust import TrustStore
from tobs.config.vault_paths import find_vault, vault_config
from tobs.errors import ConfigError

#: Variables with the prefix that are not settings: the home folder, values for plugins, shared test data.
_PLUGIN = "TOBS_PLUGIN_"
_NO_SETTINGS = ("TOBS_HOME", _PLUGIN, "TOBS_SHARED")


class LoadedSettings(Struct, frozen=True):
    """The settings, the layer each one came from, and values for plugins.

    ``plugins`` are their tables by name; ``plugin_variables`` are the values of ``TOBS_PLUGIN_<NAME>_<FIELD>`` by the
    part after the prefix, in small letters (only the plugins tell name and field apart). ``warnings`` are ignored
    settings with the reasons. Values of plugins may be secrets: they are not shown.
    """

    settings: Settings
    origins: dict[str, str]
    plugins: dict[str, dict[str, Any]] = {}
    plugin_variables: dict[str, str] = {}
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"LoadedSettings({self.settings!r}, plugins={sorted(self.plugins)})"


def load_settings(
    *,
    home: Path,
    env: Mapping[str, str],
    cwd: Path,
    vault: Path | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> LoadedSettings:
    """Merge the layers. ``command_line`` has the values given there (None: not given). Raises ConfigError."""
    warnings: list[str] = []
    layers: list[tuple[str, dict[str, Any]]] = [(str(home / "config.toml"), _toml(home / "config.toml"))]
    if vault is not None:
        path = vault_config(vault)
        layers.append((str(path), _vault_layer(path, home, warnings)))
    dotenv = _dotenv(cwd)
    layers.append((".env", _variables(dotenv)))
    layers.append(("environment", _variables(env)))
    given = {name: value for name, value in (command_line or {}).items() if value is not None}
    layers.append(("command line", given))

    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, layer in layers:
        for name, value in layer.items():
            if name not in Settings.model_fields:
                raise ConfigError(f"{origin} sets {name!r}, which is not a setting.", _suggestion(name))
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
            origins[name] = origin
    if isinstance(values.get("chats"), dict):
        values["chats"] = {which: _without(table, given) for which, table in values["chats"].items()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _config_error(error, origins) from error
    variables = _plugin_variables(dotenv) | _plugin_variables(env)
    return LoadedSettings(settings, origins, _plugin_tables(home, vault), variables, tuple(warnings))


def _without(table: Any, given: Mapping[str, Any]) -> Any:
    """Remove settings of a chat that the command line sets for all chats."""
    return {name: value for name, value in table.items() if name not in given} if isinstance(table, dict) else table


def _plugin_variables(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_PLUGIN).lower(): value for name, value in env.items() if name.startswith(_PLUGIN) and value
    }


def _plugin_tables(home: Path, vault: Path | None) -> dict[str, dict[str, Any]]:
    """Read ``[plugins.NAME]`` from TOBS_HOME, then from a trusted vault."""
    files = [home / "config.toml"]
    if vault is not None and TrustStore(home).trusts(vault_config(vault)):
        files.append(vault_config(vault))
    tables: dict[str, dict[str, Any]] = {}
    for path in files:
        for name, table in _read_toml(path).get("plugins", {}).items():
            if not isinstance(table, dict):
                raise ConfigError(f"{path}: plugins.{name} is not a table.", f"Write it as [plugins.{name}].")
            tables.setdefault(name, {}).update(table)
    return tables


def _toml(path: Path) -> dict[str, Any]:
    values = {name: value for name, value in _read_toml(path).items() if name != "plugins"}
    table = values.pop("watch", None)
    if isinstance(table, dict):
        # [watch] every = "15m" is the setting watch_every.
        values |= {f"watch_{name}": value for name, value in table.items()}
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", "Correct its permissions or its encoding.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.", "Correct that line.") from error


def _vault_layer(path: Path, home: Path, warnings: list[str]) -> dict[str, Any]:
    """Read the file of a vault: only vault-safe settings, unless the user has trusted exactly this content."""
    values = _toml(path)
    unsafe = [name for name in values if name in Settings.model_fields and not is_vault_safe(name)]
    if unsafe and not TrustStore(home).trusts(path):
        warnings.append(
            f"{path} sets {', '.join(unsafe)}, which a vault may not: ignored. If you wrote it: tobs config trust."
        )
        return {name: value for name, value in values.items() if name not in unsafe}
    return values


def _dotenv(cwd: Path) -> dict[str, str]:
    path = cwd / ".env"
    if not path.is_file():
        return {}
    inside = find_vault(cwd)
    if inside is not None:
        raise ConfigError(
            f"{path} lies inside the vault {inside}: vaults are shared and synced, secrets must not be.",
            "Move the file out of the vault, or put its values into config.toml under TOBS_HOME.",
        )
    try:
        return {name: value or "" for name, value in dotenv_values(path, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", "Correct its permissions or its encoding.") from error


def _variables(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings among ``env``; an empty variable counts as not set."""
    return {
        name.removeprefix("TOBS_").lower(): value
        for name, value in env.items()
        if name.startswith("TOBS_") and value != "" and not name.startswith(_NO_SETTINGS)
    }


def _suggestion(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return f"{hint}See them all: tobs config show."


def _config_error(error: ValidationError, origins: Mapping[str, str]) -> ConfigError:
    """Describe the first error as a sentence; values of secrets are not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    reason = str(first["msg"]).removeprefix("Value error, ")
    setting = ".".join(str(part) for part in first["loc"]) if name == "chats" else name
    origin = origins.get(name, "default")
    return ConfigError(f"{setting} ({origin}): {reason}.", "Correct it, or see: tobs config show.")
