"""``tobs export`` and ``tobs plan``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from tobs.app.context import AppContext, with_settings
from tobs.app.events import Events
from tobs.app.plugins import ask_trust
from tobs.app.run_config import open_run_config
from tobs.app.telegram import saying_waits, telegram_settings, without_pause
from tobs.config.home import local_timezone
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.model.requests import ChatSelection, ExportRequest, MessageFilter, PlanRequest
from tobs.pipeline.context.report import start_report

if TYPE_CHECKING:
    from tobs.pipeline.commands.estimate import Plan
    from tobs.pipeline.select.selection import Selection


async def export(request: ExportRequest, context: AppContext, events: Events) -> RunReport:
    """Export chats into the vault. Raises TobsError for errors that end the run; the report has the others."""
    from tobs.pipeline.commands.export import ExportRun

    context = with_settings(context, **msgspec.structs.asdict(request.fetch))
    ask_trust(context)
    chats = _with_configured_targets(context, request.chats, "export")
    settings = telegram_settings(context)
    selection = _selection(context, chats, request.messages, time.time())
    async with open_run_config(
        context,
        request.name,
        _reported_targets(chats),
        events=events,
        accept_missing=request.accept_missing,
        strict=request.strict,
        media_later=request.media_later,
    ) as config:
        return await ExportRun(config, settings).export(selection)


async def plan(request: PlanRequest, context: AppContext, events: Events) -> Plan:
    """Estimate an export with a few requests a chat; nothing is changed. Raises TobsError."""
    from tobs.pipeline.commands.plan import PlanConfig, make_plan

    context = with_settings(context, **msgspec.structs.asdict(request.fetch))
    chats = _with_configured_targets(context, request.chats, "plan for")
    selection = _selection(context, chats, request.messages, time.time())
    report = start_report("plan", "plan", _reported_targets(chats), time.time)
    config = PlanConfig(
        settings=context.settings,
        profile=context.profile,
        telegram=without_pause(telegram_settings(context)),
        archive=context.paths.archive,
        zone=ZoneInfo(context.settings.timezone or local_timezone()),
    )
    return await make_plan(config, selection, report=report, on_event=saying_waits(events.say))


def _with_configured_targets(context: AppContext, chats: ChatSelection, verb: str) -> ChatSelection:
    """``chats``, with the configured targets if it names none. Raises UsageError if there are none either."""
    if chats.targets or chats.all or chats.left:
        return chats
    if not context.settings.targets:
        raise UsageError(
            f"There is no target to {verb}.", "Name one, such as @channel; tobs chats lists what the account can see."
        )
    return msgspec.structs.replace(chats, targets=tuple(context.settings.targets))


def _selection(context: AppContext, chats: ChatSelection, messages: MessageFilter, now: float) -> Selection:
    """The chats and filters of a request, parsed. Raises UsageError."""
    from tobs.pipeline.select.filters import read_filters
    from tobs.pipeline.select.selection import Selection

    zone = ZoneInfo(context.settings.timezone or local_timezone())
    return Selection(
        targets=tuple(target.strip() for target in chats.targets),
        all=chats.all,
        left=chats.left,
        exclude=chats.exclude,
        join=chats.join,
        comments=chats.comments,
        stories=chats.stories,
        filters=read_filters(messages, now=now, zone=zone),
    )


def _reported_targets(chats: ChatSelection) -> Sequence[str]:
    """The targets as the report names them."""
    targets = [target.strip() for target in chats.targets]
    return [*targets, *(["--all"] if chats.all else []), *(["--left"] if chats.left else [])]
