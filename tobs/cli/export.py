"""``tobs export``: the main job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import Struct

from tobs.cli import options
from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_report
from tobs.errors import UsageError
from tobs.model.requests import ExportRequest

if TYPE_CHECKING:
    from tobs.model.report import RunReport
    from tobs.model.requests import PlanRequest, RunRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(takes_common(export))


class ExportGroup(Struct, frozen=True):
    """Options of an export that a plan does not have."""

    join: Annotated[bool, typer.Option("--join", help="Join the chats of invite links.")] = False
    media_later: Annotated[
        bool, typer.Option("--media-later", help="Download no media now; tobs process fetches them.")
    ] = False
    media_budget: options.MediaBudget = None
    bandwidth: options.Bandwidth = None
    strict: options.Strict = False
    accept_missing: options.AcceptMissing = False


def export(
    common: Common,
    fetch: options.FetchGroup,
    chats: options.ChatGroup,
    messages: options.MessageGroup,
    own: ExportGroup,
    targets: options.Targets = None,
) -> int:
    """Export chats into the vault; an export that was interrupted continues."""
    if fetch.no_media and own.media_later:
        raise UsageError("--media-later and --no-media exclude each other.", "Give one of them.")
    request = ExportRequest(
        chats=chats.request(targets, join=own.join),
        messages=messages.request(),
        fetch=fetch.request(media_budget=own.media_budget, bandwidth=own.bandwidth),
        media_later=own.media_later,
        strict=own.strict,
        accept_missing=own.accept_missing,
    )
    return run_and_give(common, request)


def run_and_give(common: Common, request: RunRequest) -> int:
    """Execute a request that is a run and output its report; the exit code."""
    from tobs.app.execute import execute

    return give_report(common, asyncio.run(execute(request, common.open(**settings_of(request)), common.events)))


def settings_of(request: RunRequest | PlanRequest) -> dict[str, Any]:
    """Return the settings that a request brings along: they go before every other layer, also before a wrong one."""
    fetch = getattr(request, "fetch", None)
    settings = msgspec.structs.asdict(fetch) if fetch is not None else {}
    return settings | {"counters": True} if getattr(request, "counters", False) else settings


def give_report(common: Common, report: RunReport) -> int:
    """Output a run report; the exit code it stands for."""
    give(common, report, lambda: show_report(stdout, report))
    return report.exit_code
