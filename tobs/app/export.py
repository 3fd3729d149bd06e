"""``tobs export`` and ``tobs plan``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config
from tobs.app.telegram import Say, saying_waits, telegram_settings, without_pause
from tobs.config.home import local_timezone
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.pipeline.context.report import start_report

if TYPE_CHECKING:
    from tobs.pipeline.commands.estimate import Plan
    from tobs.pipeline.select.filters import FilterOptions
    from tobs.pipeline.select.selection import Selection


class Choice(Struct, frozen=True):
    """Which chats beside the targets, and which of their messages (as the command line has them)."""

    all: bool = False
    left: bool = False
    exclude: Sequence[str] = ()
    join: bool = False
    comments: bool | None = None
    stories: bool = False
    asked: FilterOptions | None = None


async def export(
    context: AppContext,
    targets: Sequence[str],
    *,
    watch: Watch,
    accept_missing: bool = False,
    strict: bool = False,
    media_later: bool = False,
    command: str = "export",
    choice: Choice | None = None,
) -> RunReport:
    """Bring ``targets`` into the vault. Raises TobsError for what ends a run; the rest is in the report."""
    from tobs.pipeline.commands.export import ExportRun

    choice = choice or Choice()
    if not targets and not choice.all and not choice.left:
        raise UsageError(
            "There is no target to export.", "Name one, such as @channel; tobs chats lists what the account can see."
        )
    settings = telegram_settings(context)
    selection = _selection(context, targets, choice, time.time())
    told = _told_targets(selection)
    async with open_run_config(
        context, command, told, watch=watch, accept_missing=accept_missing, strict=strict, media_later=media_later
    ) as config:
        return await ExportRun(config, settings).export(selection)


async def plan(context: AppContext, targets: Sequence[str], choice: Choice, *, say: Say) -> Plan:
    """What an export of ``targets`` would do, at the cost of a few requests; changes nothing."""
    from tobs.pipeline.commands.plan import make_plan

    if not targets and not choice.all and not choice.left:
        raise UsageError(
            "There is no target to plan for.", "Name one, such as @channel; tobs chats lists what the account can see."
        )
    selection = _selection(context, targets, choice, time.time())
    report = start_report("plan", "plan", _told_targets(selection), time.time)
    return await make_plan(
        settings=context.settings,
        profile=context.profile,
        telegram_settings=without_pause(telegram_settings(context)),
        archive_path=context.paths.archive,
        selection=selection,
        zone=ZoneInfo(context.settings.timezone or local_timezone()),
        report=report,
        on_event=saying_waits(say),
    )


def _selection(context: AppContext, targets: Sequence[str], choice: Choice, now: float) -> Selection:
    """What the owner asked for, read. Raises UsageError."""
    from tobs.pipeline.select.filters import FilterOptions, read_filters
    from tobs.pipeline.select.selection import Selection

    zone = ZoneInfo(context.settings.timezone or local_timezone())
    return Selection(
        targets=tuple(target.strip() for target in targets),
        all=choice.all,
        left=choice.left,
        exclude=tuple(choice.exclude),
        join=choice.join,
        comments=choice.comments,
        stories=choice.stories,
        filters=read_filters(choice.asked or FilterOptions(), now=now, zone=zone),
    )


def _told_targets(selection: Selection) -> list[str]:
    """The targets as the report names them."""
    return [*selection.targets, *(["--all"] if selection.all else []), *(["--left"] if selection.left else [])]
