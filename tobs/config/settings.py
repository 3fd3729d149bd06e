"""Settings of tobs: type, default, meaning, and whether a vault may set them.

A setting marked *vault-safe* may stand in a vault's own ``.tobs/config.toml``: it lays out notes but cannot choose a
server, a URL, a path outside the vault, or code to run (invariant 10).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from tobs.config.units import parse_duration, parse_rate, parse_size
from tobs.model import FileKind

ProfileName = Literal["conservative", "balanced", "aggressive", "custom"]
Layout = Literal["auto", "message", "day", "month"]
Size = Annotated[int, BeforeValidator(parse_size)]
Rate = Annotated[int, BeforeValidator(parse_rate)]
Duration = Annotated[float, BeforeValidator(parse_duration)]

ALL_KINDS: tuple[FileKind, ...] = ("photo", "video", "round", "gif", "sticker", "audio", "voice", "document")


def _comma_list(value: Any) -> Any:
    """Split ``photo, audio`` to a list; ``all`` and ``none`` are handled by the fields that support them."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _kinds(value: Any) -> Any:
    names = _comma_list(value)
    if names in (["all"], ["none"]):
        return list(ALL_KINDS) if names == ["all"] else []
    return names


NameList = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
Kinds = Annotated[tuple[FileKind, ...], BeforeValidator(_kinds)]

_SAFE: dict[str, Any] = {"vault_safe": True}


def vault_safe(default: Any, description: str, **more: Any) -> Any:
    """Return a field that a vault's own configuration may set."""
    return Field(default, description=description, json_schema_extra=_SAFE, **more)


class ChatSettings(BaseModel):
    """Settings for a single chat (``[chats."@name"]``); None means the same as for all chats."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    media: Kinds | None = None
    max_size: Size | None = Field(None, ge=0)


class Settings(BaseModel):
    """The settings of a command, all layers merged.

    Field names are the keys of config.toml; the environment variable of a field is its name in capitals after
    ``TOBS_``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_id: int | None = Field(None, description="API id of your application, from https://my.telegram.org/apps")
    api_hash: SecretStr | None = Field(None, description="API hash that goes with the API id; a secret")
    account: str = Field("default", description="Name of the account to use", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    phone: str = Field("", description="Phone number of the account, with +; set it to skip the question at login")
    session: SecretStr | None = Field(
        None,
        description="Path of a session file (default: under TOBS_HOME), or a Telethon string session",
    )
    session_lock: Literal["none", "passphrase", "keyring"] = Field(
        "none", description="Encryption of session files: with a passphrase, or with a key in the system's keyring"
    )
    passphrase: SecretStr | None = Field(
        None, description="Passphrase of an encrypted session file; set it to skip the question"
    )
    vault: str = Field("", description="Folder of the vault")

    profile: ProfileName = Field("balanced", description="Resources to use: workers, downloads, memory, waits")
    workers: int | None = Field(None, ge=1, le=64, description="Number of connections that fetch history (profile)")
    downloads: int | None = Field(None, ge=1, le=32, description="Number of files fetched at the same time (profile)")
    batch: int | None = Field(
        None, ge=10, le=5000, description="Number of notes rendered and written together (profile)"
    )
    memory: Size | None = Field(None, ge=50_000_000, description="Memory budget, such as 1GB (profile)")
    timeout: Duration | None = Field(None, gt=0, description="Time limit of a request, such as 45s (profile)")
    flood_threshold: Duration | None = Field(
        None, ge=0, description="Longest flood wait without a pause; a longer one pauses the run (profile)"
    )
    flood_patience: Duration = Field(
        "1d",
        ge=0,
        validate_default=True,
        description="Longest flood wait for which a run pauses, such as 6h; a longer one ends the run",
    )
    bandwidth: Rate | None = Field(None, ge=1_000, description="Maximum rate of file downloads, such as 5MB/s")
    media_budget: Size | None = Field(None, ge=0, description="Maximum size of all files of a run, such as 2GB")
    disk_floor: Size = Field(500_000_000, ge=0, description="Free disk space that downloads must leave, such as 500MB")
    takeout: bool = Field(True, description="Fetch in a takeout session, which has fewer flood waits")

    server: str = Field("", description="host:port of another server (a test DC, a self-hosted one, the sandbox)")
    server_key: str = Field("", description="File with that server's RSA public key, PEM")
    server_dc: int = Field(2, ge=1, le=1000, description="Number of that server's data centre")
    proxy: SecretStr | None = Field(
        None, description="Proxy: socks5://HOST:PORT, http://USER:PASSWORD@HOST:PORT, mtproto://SECRET@HOST:PORT"
    )
    log_level: Literal["trace", "debug", "info", "warning", "error"] = Field(
        "info", description="Level of messages in the log file under .tobs/logs"
    )

    watch_answer: str = Field(
        "",
        description="Reaction that `tobs watch` adds to a message to yourself (Saved Messages) when it is in the vault,"
        " such as 👍; tobs writes nothing else into chats ([watch] answer)",
        max_length=16,
    )

    plugins_on: NameList = Field((), description="Plugins to switch on that are off by default, such as links")

    targets: NameList = vault_safe((), "Targets for commands without targets")
    comments: bool = vault_safe(False, "Fetch the comments under the posts of channels")
    layout: Layout = vault_safe(
        "auto",
        "Notes of a new chat: one for each message, day or month; auto: message up to 10,000 messages, else day",
    )
    media: Kinds = vault_safe(ALL_KINDS, "Kinds of media to download: all, none, or a list such as photo,audio")
    max_size: Size = vault_safe(50_000_000, "Largest file to download, such as 50MB", ge=0)
    chats: dict[str, ChatSettings] = vault_safe(
        {},
        'Media and max_size of single chats, by @username, id or whole title: a table [chats."@name"] of config.toml',
    )
    timezone: str = vault_safe("", "IANA time zone of dates in the vault; the first run stores it permanently")
    language: Literal["en", "de"] = vault_safe("en", "Language of the texts that tobs adds to notes")
    property_prefix: str = vault_safe(
        "", "Prefix of tobs's properties in front matter", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,20}$|^$"
    )
    tag_prefix: str = vault_safe("", "Prefix of tags made from hashtags, such as telegram/", pattern=r"^[\w/-]{0,40}$")
    line_breaks: Literal["soft", "two-space"] = vault_safe(
        "soft", "Line breaks inside a message: plain, or with two spaces before them"
    )
    deleted: Literal["mark", "keep", "trash"] = vault_safe(
        "mark", "Notes of messages deleted on Telegram: mark them, keep them unchanged, or move them to .trash"
    )
    digest: bool = vault_safe(False, "List the changes of the last sync in the note of the chat: new, edited, deleted")
    keep_versions: bool = vault_safe(False, "Show earlier versions of edited messages, folded below the message")
    counters: bool = vault_safe(
        False, "Refresh views, reactions and polls of recent messages with each sync and update their notes"
    )
    refresh: Duration = vault_safe(
        "7d", "Age of messages up to which counters are refreshed, such as 7d", ge=0, validate_default=True
    )
    watch_every: Duration = vault_safe(
        "15m",
        "Interval in which `tobs watch` checks for changes that Telegram does not push ([watch] every)",
        ge=1,
        validate_default=True,
    )
    watch_quiet: str = vault_safe(
        "",
        "Hours in which `tobs watch` sends no requests, such as 23:00-07:00 ([watch] quiet)",
        pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
    )
    plugins_off: NameList = vault_safe((), "Plugins to switch off")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone; write it like Europe/Berlin")
        return value

    @field_validator("server")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{value!r} is not an address; write it as host:port")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of the vault; UTC until the first run has stored one."""
        return ZoneInfo(self.timezone or "UTC")


def is_vault_safe(name: str) -> bool:
    """Return whether a vault's own configuration may set ``name``."""
    extra = Settings.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("vault_safe"))


def is_secret(name: str) -> bool:
    """Return whether ``name`` must never be shown."""
    return "SecretStr" in str(Settings.model_fields[name].annotation)
