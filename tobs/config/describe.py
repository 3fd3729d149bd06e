"""Settings as text: ``config show``, ``.env.example`` and the reference page."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from tobs.config.layers import LoadedSettings
from tobs.config.settings import ChatSettings, Settings, is_secret, is_vault_safe


def display_value(value: Any) -> Any:
    """Return a value for display: a secret only as set or not set."""
    if isinstance(value, SecretStr):
        return "(set)"
    if isinstance(value, dict):
        return {name: _display_chat(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _display_chat(chat: ChatSettings) -> dict[str, Any]:
    return {name: display_value(value) for name, value in chat if value is not None}


def setting_rows(loaded: LoadedSettings) -> list[dict[str, Any]]:
    """Return a row per setting: name, value, origin, whether a vault may set it, and its meaning."""
    return [
        {
            "name": name,
            "value": display_value(getattr(loaded.settings, name)),
            "origin": loaded.origins[name],
            "vault_safe": is_vault_safe(name),
            "description": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def env_example() -> str:
    """Return the text of ``.env.example``: every setting as a commented variable; the three required ones come
    first.
    """
    head = (
        "# Copy this file to .env and fill in the first two lines; everything else has a sensible default.\n"
        "# It is read from the folder tobs is started in, never from inside a vault. Keep it to yourself.\n"
    )
    blocks = []
    for name, field in Settings.model_fields.items():
        if name == "chats":
            continue  # a table has no variable
        needed = name in ("api_id", "api_hash", "phone")
        default = "" if is_secret(name) else _text(field.default)
        mark = "" if needed else "# "
        blocks.append(f"# {field.description}\n{mark}TOBS_{name.upper()}={default}\n")
    home = (
        "# Where sessions, accounts and config.toml live (default: the platform's data folder for tobs)\n# TOBS_HOME=\n"
    )
    return "\n".join([head, *blocks, home])


def settings_reference() -> str:
    """Return the text of docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Made from the code by `make reference`. A setting is a key of `config.toml` and, in capitals behind",
        "`TOBS_`, an environment variable. Layers, lowest first: defaults, `$TOBS_HOME/config.toml`,",
        "`<vault>/.tobs/config.toml` (vault-safe settings only, unless trusted), `.env`, environment, command line.",
        "",
        "| setting | default | vault-safe | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = f"`{_text(field.default)}`" if _text(field.default) else ""
        safe = "yes" if is_vault_safe(name) else ""
        lines.append(f"| `{name}` | {default} | {safe} | {field.description} |")
    return "\n".join(lines) + "\n"
