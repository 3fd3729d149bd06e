"""The composition root: the only module that knows every room and puts a command's parts together.

Rooms that are slow to import (Telethon takes a third of a second) are imported by the functions that need them,
so that ``tobs --help`` and ``tobs config show`` answer at once.
"""

from __future__ import annotations

import asyncio
import gc
import getpass
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from loguru import logger
from msgspec import Struct

from tobs.config import (
    LoadedSettings,
    Machine,
    Profile,
    Settings,
    TrustStore,
    load_settings,
    make_profile,
    this_machine,
)
from tobs.config.home import environment, home_folder, make_home
from tobs.config.timezone import local_timezone
from tobs.errors import ConfigError, LoginError, UsageError
from tobs.pipeline.report import Reporter, RunReport

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tobs.model import Chat
    from tobs.pipeline.estimate import Plan
    from tobs.pipeline.filters import Asked
    from tobs.pipeline.selection import Selection
    from tobs.plugin.catalogue import Catalogue, PluginInfo
    from tobs.render.templates import Templates
    from tobs.telegram.client import Account
    from tobs.telegram.settings import TelegramSettings
    from tobs.vault.workspace import Workspace

Watch = Callable[[Reporter], AbstractAsyncContextManager[None]]

#: Asks the person a question (its text, whether the answer is a secret).
Ask = Callable[[str, bool], str]


class Workplace(Struct, frozen=True):
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
    def warnings(self) -> tuple[str, ...]:
        """What was ignored in the configuration."""
        return self.loaded.warnings


class Answers(Struct, frozen=True):
    """What a login is told beforehand; the rest is asked for. With ``show_qr`` (which draws a URL) it is by QR code,
    with ``bot_token`` a bot's."""

    code: str | None = None
    password: str | None = None
    bot_token: str | None = None
    show_qr: Callable[[str], None] | None = None
    ask: Ask | None = None


class Choice(Struct, frozen=True):
    """Which chats beside the targets, and which of their messages (as the command line has them)."""

    all: bool = False
    left: bool = False
    exclude: Sequence[str] = ()
    join: bool = False
    asked: Asked | None = None


def open_workplace(command_line: Mapping[str, Any], *, home: Path | None = None, verbosity: int = 0) -> Workplace:
    """Join the settings for a command and find its vault. Raises ConfigError."""
    from tobs.vault.workspace import find_vault

    _log_to_stderr(verbosity)
    env, cwd = environment(), Path.cwd()
    home = make_home(home or home_folder(env))
    first = load_settings(home=home, env=env, cwd=cwd, command_line=command_line).settings
    vault = Path(first.vault).expanduser().absolute() if first.vault else find_vault(cwd) or cwd / "vault"
    loaded = load_settings(home=home, env=env, cwd=cwd, vault=vault, command_line=command_line)
    machine = this_machine()
    return Workplace(loaded, home, vault, machine, make_profile(loaded.settings, machine))


# Login


async def login(place: Workplace, answers: Answers) -> Account:
    """Log in and keep the session. Raises LoginError, NetworkError, ConfigError."""
    from tobs.telegram.login import CodeAsked, PasswordAsked, login_bot, login_qr
    from tobs.telegram.login import login as log_in

    settings = telegram_settings(place)
    if settings.session_lock == "passphrase" and not settings.passphrase:
        settings = msgspec.structs.replace(settings, passphrase=_new_passphrase())

    async def ask(given: str | None, question: str, secret: bool) -> str:
        if given:
            return given
        if answers.ask is None:
            raise LoginError(f"{question} is needed.", "Run tobs login on a terminal.")
        return await asyncio.to_thread(answers.ask, question, secret)

    async def ask_code(asked: CodeAsked) -> str:
        other = f"; empty: send it {asked.other}, after {asked.seconds} s" if asked.other else ""
        return await ask(answers.code, f"{asked.problem} The code sent {asked.place}{other}".strip(), False)

    async def ask_password(asked: PasswordAsked) -> str:
        hint = f" (hint: {asked.hint})" if asked.hint else ""
        return await ask(answers.password, f"{asked.problem} The password of the account{hint}".strip(), True)

    if answers.bot_token:
        return await login_bot(settings, answers.bot_token)
    if answers.show_qr is not None:
        return await login_qr(settings, show=answers.show_qr, ask_password=ask_password)
    phone = await ask(place.settings.phone, "The phone number, with +", False)
    return await log_in(settings, phone=phone, ask_code=ask_code, ask_password=ask_password)


def _new_passphrase() -> str:
    first = _ask_passphrase("New passphrase of the session file: ")
    if not first or _ask_passphrase("Once more: ") != first:
        raise LoginError("The two passphrases differ, or are empty.", "Run tobs login again.")
    return first


def _ask_passphrase(question: str) -> str:
    if not sys.stdin.isatty():
        raise LoginError("The session file wants a passphrase and there is no terminal.", "Set TOBS_PASSPHRASE.")
    return getpass.getpass(question)


async def who(place: Workplace) -> Account:
    """Who is logged in. Raises LoginError."""
    from tobs.telegram.login import check_login

    return await check_login(telegram_settings(place))


async def logout(place: Workplace) -> bool:
    """End the session; False when there was none."""
    from tobs.telegram.login import logout as log_out

    return await log_out(telegram_settings(place))


async def list_chats(place: Workplace, pattern: str) -> list[Chat]:
    """The chats of the account whose title or username contains ``pattern``."""
    from tobs.telegram.client import open_telegram

    async with open_telegram(telegram_settings(place)) as telegram:
        return [chat async for chat in telegram.chats(pattern)]


def telegram_settings(place: Workplace) -> TelegramSettings:
    """The way to Telegram; asks for the passphrase of a locked session.

    Raises ConfigError when credentials or the server's key are missing, LoginError when there is no one to ask.
    """
    from tobs.telegram.session import SessionFile
    from tobs.telegram.settings import ServerAddress, TelegramSettings

    settings, profile = place.settings, place.profile
    if settings.api_id is None or settings.api_hash is None:
        raise ConfigError(
            "The API id or the API hash is missing.",
            "Get both at https://my.telegram.org/apps and set TOBS_API_ID and TOBS_API_HASH (see .env.example).",
        )
    server = None
    if settings.server:
        host, _, port = settings.server.rpartition(":")
        key = _read_key(settings.server_key) if settings.server_key else ""
        server = ServerAddress(host, int(port), settings.server_dc, key)
    made = TelegramSettings(
        api_id=settings.api_id,
        api_hash=settings.api_hash.get_secret_value(),
        sessions=place.home / "sessions",
        account=settings.account,
        session=_secret(settings.session),
        session_lock=settings.session_lock,
        passphrase=_secret(settings.passphrase),
        proxy=_secret(settings.proxy),
        server=server,
        workers=profile.workers,
        flood_threshold=profile.flood_threshold,
        request_timeout=profile.timeout,
    )
    if not made.passphrase and SessionFile(made).wants_passphrase():
        passphrase = _ask_passphrase(f"Passphrase of the session of '{made.account}': ")
        return msgspec.structs.replace(made, passphrase=passphrase)
    return made


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


def _read_key(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The server key {path} cannot be read.", "Set TOBS_SERVER_KEY to a PEM file.") from error


# Plugins


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


# Export


async def export(
    place: Workplace,
    targets: Sequence[str],
    *,
    watch: Watch,
    accept_missing: bool = False,
    command: str = "export",
    choice: Choice | None = None,
) -> RunReport:
    """Bring ``targets`` into the vault. Raises TobsError for what ends a run; the rest is in the report."""
    from tobs.pipeline.run import ExportRun

    choice = choice or Choice()
    if not targets and not choice.all and not choice.left:
        raise UsageError(
            "There is no target to export.", "Name one, such as @channel; tobs chats lists what the account can see."
        )
    # Pages make much garbage and no cycles; see tobs.pipeline.press_worker.
    gc.set_threshold(50_000)
    settings = telegram_settings(place)
    now = time.time()
    selection = _selection(place, targets, choice, now)
    reporter = Reporter(_run_id(now), command, _told_targets(selection), time.time)
    async with open_vault(place, accept_missing=accept_missing) as (workspace, templates):
        with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
            run = ExportRun(
                settings=place.settings,
                profile=place.profile,
                machine=place.machine,
                telegram=settings,
                workspace=workspace,
                templates=templates,
                zone=vault_zone(place, workspace),
                catalogue=load_catalogue(place, workspace.plugins, Path(private)),
                environment=environment(),
                reporter=reporter,
                accept_missing=accept_missing,
            )
            async with watch(reporter):
                return await run.export(selection)


async def plan(place: Workplace, targets: Sequence[str], choice: Choice) -> Plan:
    """What an export of ``targets`` would do, at the cost of a few requests; changes nothing."""
    from tobs.pipeline.plan_run import make_plan

    if not targets and not choice.all:
        raise UsageError(
            "There is no target to plan for.", "Name one, such as @channel; tobs chats lists what the account can see."
        )
    selection = _selection(place, targets, choice, time.time())
    reporter = Reporter("plan", "plan", _told_targets(selection), time.time)
    return await make_plan(
        settings=place.settings,
        profile=place.profile,
        telegram_settings=telegram_settings(place),
        archive_path=place.vault / ".tobs" / "archive.db",
        selection=selection,
        reporter=reporter,
    )


def _selection(place: Workplace, targets: Sequence[str], choice: Choice, now: float) -> Selection:
    """What the owner asked for, read. Raises UsageError."""
    from tobs.pipeline.filters import Asked, read_filters
    from tobs.pipeline.selection import Selection

    zone = ZoneInfo(place.settings.timezone or local_timezone())
    return Selection(
        targets=tuple(target.strip() for target in targets),
        all=choice.all,
        left=choice.left,
        exclude=tuple(choice.exclude),
        join=choice.join,
        filters=read_filters(choice.asked or Asked(), now=now, zone=zone),
    )


def _told_targets(selection: Selection) -> list[str]:
    """The targets as the report names them."""
    return [*selection.targets, *(["--all"] if selection.all else []), *(["--left"] if selection.left else [])]


@asynccontextmanager
async def open_vault(place: Workplace, *, accept_missing: bool) -> AsyncIterator[tuple[Workspace, Templates]]:
    """The vault, locked for writing, swept, with its templates checked. Raises VaultError, TemplateBroken."""
    from tobs.render.samples import check_templates
    from tobs.render.templates import Templates
    from tobs.vault.lock import write_lock
    from tobs.vault.workspace import make_workspace, require_space, sweep

    workspace = make_workspace(place.vault, lambda: str(uuid.uuid4()))
    templates = Templates(_template_loader(workspace.templates, TrustStore(place.home)))
    for broken in check_templates(templates):
        raise broken
    require_space(workspace.root)
    async with write_lock(workspace.tobs, clock=time.time, sleep=asyncio.sleep):
        log = _log_to_file(workspace, place.settings)
        try:
            await asyncio.to_thread(sweep, workspace.root)
            yield workspace, templates
        finally:
            logger.remove(log)


def _template_loader(folder: Path, trust: TrustStore) -> Callable[[str], tuple[str, bool] | None]:
    """The owner's template where there is one (sandboxed unless trusted), else the one tobs brings."""
    from tobs.render.builtin import load_builtin

    def load(name: str) -> tuple[str, bool] | None:
        path = folder / name
        if path.parent != folder or not path.is_file():
            return load_builtin(name)
        try:
            return path.read_text(encoding="utf-8"), trust.trusts(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The template {path} cannot be read: {error}.", "Mend or remove it.") from error

    return load


def vault_zone(place: Workplace, workspace: Workspace) -> ZoneInfo:
    """The vault's time zone. The first run writes it into the vault's configuration, where it stays for good."""
    from tobs.vault.workspace import record_timezone, recorded_timezone

    name = recorded_timezone(workspace)
    if name is None:
        name = place.settings.timezone or local_timezone()
        record_timezone(workspace, name)
    elif place.settings.timezone not in ("", name):
        logger.warning("The vault's time zone stays {}; {} is ignored.", name, place.settings.timezone)
    return ZoneInfo(name)


def _run_id(now: float) -> str:
    """Runs sort by their start."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


# Logging


def _log_to_stderr(verbosity: int) -> None:
    logger.remove()
    if verbosity:
        level = "DEBUG" if verbosity > 1 else "INFO"
        logger.add(
            sys.stderr, level=level, format="{time:HH:mm:ss} {level: <7} {message}", backtrace=False, diagnose=False
        )


def _log_to_file(workspace: Workspace, settings: Settings) -> int:
    """A log under ``.tobs/logs``, kept small. ``diagnose`` stays off: it would print the values of variables."""
    return logger.add(
        workspace.logs / "tobs.log",
        level=settings.log_level.upper(),
        rotation="5 MB",
        retention=5,
        backtrace=False,
        diagnose=False,
    )
