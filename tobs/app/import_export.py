"""``tobs import``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config
from tobs.config.home import local_timezone
from tobs.errors import UsageError
from tobs.model.report import RunReport

if TYPE_CHECKING:
    from tobs.model import Chat
    from tobs.pipeline.commands.import_preview import ImportPlan
    from tobs.sources.desktop import MediaMode


async def import_export(
    context: AppContext,
    path: Path,
    *,
    watch: Watch,
    mode: MediaMode = "copy",
    timezone: str = "",
    any_size: bool = True,
    chat: str = "",
    accept_missing: bool = False,
) -> RunReport:
    """Bring the Telegram Desktop export at ``path`` into the vault; dates without a Unix time are local ones of
    ``timezone`` (empty: the vault's), ``any_size`` takes over files of any size; ``chat`` says
    whose messages an export in HTML has.

    Raises TobsError for what ends a run; the rest is in the report.
    """
    from tobs.pipeline.commands.import_export import ImportRun
    from tobs.pipeline.media.wanted import media_policy
    from tobs.sources.desktop import open_desktop

    policy = media_policy(context.settings, any_size=any_size)
    # What is no export makes no vault.
    async with (
        open_desktop(path, zone=_zone(context, timezone), mode=mode, chat=_whose(context, path, chat)) as export,
        open_run_config(context, "import", _told(path), watch=watch, accept_missing=accept_missing) as config,
    ):
        return await ImportRun(config, policy).run(export)


async def plan_import(context: AppContext, path: Path, *, timezone: str = "", chat: str = "") -> ImportPlan:
    """What an import of ``path`` would bring; changes nothing."""
    from tobs.pipeline.commands.import_preview import plan_import as plan

    return await plan(
        path,
        zone=_zone(context, timezone),
        archive_path=context.paths.archive,
        account_name=context.settings.account,
        chat=_whose(context, path, chat),
    )


def _whose(context: AppContext, path: Path, asked: str) -> Chat | None:
    """The chat of an export in HTML; None for one that says it itself."""
    from tobs.pipeline.commands.import_html_chat import chat_of_html
    from tobs.sources.desktop import title_of_html

    title = title_of_html(path)
    if title is None:
        return None
    return chat_of_html(title, asked.strip(), archive_path=context.paths.archive, account_name=context.settings.account)


def _zone(context: AppContext, asked: str) -> ZoneInfo:
    """The zone of the exporting computer: as asked for, else the vault's."""
    name = asked or context.settings.timezone or local_timezone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"There is no time zone {name!r}.", "Give an IANA name such as Europe/Berlin.") from error


def _told(path: Path) -> Sequence[str]:
    """The report names the export, not where it lies."""
    return [path.name or str(path)]
