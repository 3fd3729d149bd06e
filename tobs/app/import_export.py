"""``tobs import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from tobs.app.context import AppContext, with_settings
from tobs.app.events import Events
from tobs.app.plugins import ask_trust
from tobs.app.run_config import open_run_config
from tobs.config.home import local_timezone
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.model.requests import ImportPlanRequest, ImportRequest

if TYPE_CHECKING:
    from tobs.model import Chat
    from tobs.pipeline.commands.import_preview import ImportPlan


async def import_export(request: ImportRequest, context: AppContext, events: Events) -> RunReport:
    """Import a Telegram Desktop export, or the content of another source, into the vault. Raises TobsError for errors
    that end the run; the report has the others."""
    from tobs.pipeline.commands.import_export import ImportRun
    from tobs.pipeline.media.wanted import media_policy
    from tobs.sources import SourceConfig
    from tobs.sources.desktop import open_desktop
    from tobs.sources.registry import source_reading

    context = with_settings(context, **msgspec.structs.asdict(request.fetch))
    ask_trust(context)
    policy = media_policy(context.settings, any_size=request.fetch.max_size is None)
    path, zone = Path(request.path), _zone(context, request.timezone)
    run_config = open_run_config(
        context, "import", [_reported(path)], events=events, accept_missing=request.accept_missing
    )
    if (other := source_reading(path)) is not None:
        source_config = SourceConfig(path=path, zone=zone, mode=request.media_mode)
        async with other.open(source_config) as source, run_config as config:
            return await ImportRun(config, policy).run_source(source)
    # A path that is no export makes no vault.
    async with (
        open_desktop(path, zone=zone, mode=request.media_mode, chat=_html_chat(context, path, request.chat)) as export,
        run_config as config,
    ):
        return await ImportRun(config, policy).run(export)


async def plan_import(request: ImportPlanRequest, context: AppContext, events: Events) -> ImportPlan:
    """Compare a Telegram Desktop export with the archive; nothing is changed. Raises UsageError, VaultError."""
    from tobs.pipeline.commands.import_preview import plan_import as plan
    from tobs.pipeline.commands.import_preview import plan_source
    from tobs.sources import SourceConfig
    from tobs.sources.registry import source_reading

    path = Path(request.path)
    if (other := source_reading(path)) is not None:
        async with other.open(SourceConfig(path=path, zone=_zone(context, request.timezone))) as source:
            return await plan_source(source, archive_path=context.paths.archive, account_name=context.settings.account)
    return await plan(
        path,
        zone=_zone(context, request.timezone),
        archive_path=context.paths.archive,
        account_name=context.settings.account,
        chat=_html_chat(context, path, request.chat),
    )


def _html_chat(context: AppContext, path: Path, asked: str) -> Chat | None:
    """The chat of an export in HTML; None for an export that names its chats."""
    from tobs.pipeline.commands.import_html_chat import chat_of_html
    from tobs.sources.desktop import title_of_html

    title = title_of_html(path)
    if title is None:
        return None
    return chat_of_html(title, asked.strip(), archive_path=context.paths.archive, account_name=context.settings.account)


def _zone(context: AppContext, asked: str) -> ZoneInfo:
    """The time zone of the exporting computer: as asked for, else the vault's. Raises UsageError."""
    name = asked or context.settings.timezone or local_timezone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"There is no time zone {name!r}.", "Give an IANA name such as Europe/Berlin.") from error


def _reported(path: Path) -> str:
    """The name of the export for the report, which does not say where it lies."""
    return path.name or str(path)
