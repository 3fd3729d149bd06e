"""Calls of the plugins' hooks ``run_started`` and ``run_ended``."""

from __future__ import annotations

import asyncio

import msgspec

from tobs.errors import PluginError
from tobs.pipeline.context.report import ReportBuilder
from tobs.plugin.api import FinishedRun, Run
from tobs.plugin.catalogue import Catalogue
from tobs.plugin.host import Host, PluginFailure
from tobs.plugin.processor import Processor


async def announce_start(host: Host, catalogue: Catalogue, report: ReportBuilder) -> None:
    """Call ``run_started`` of the plugins that have it; failures are reported."""
    await _call(host, catalogue.having("run_started"), report, _run(report))


async def announce_end(host: Host, catalogue: Catalogue, report: ReportBuilder, error: str = "") -> None:
    """Call ``run_ended`` of the plugins that have it; ``error`` is the error that ended the run early. Failures are
    reported: the report is closed once more after this."""
    plugins = catalogue.having("run_ended")
    if plugins:
        await _call(host, plugins, report, finished_run(report, error))


def finished_run(report: ReportBuilder, error: str = "") -> FinishedRun:
    """Return the finished run for plugins; ``error`` is the error that ended it early."""
    finished = report.finish()
    return FinishedRun(_run(report), finished.ok, finished.finished, error, msgspec.to_builtins(finished))


async def _call(host: Host, plugins: tuple[Processor, ...], report: ReportBuilder, run: Run | FinishedRun) -> None:
    for reply in await asyncio.gather(*(_call_one(host, plugin, run) for plugin in plugins)):
        if reply is not None:
            report.events.problem(f"plugin {reply.plugin}", reply.item, reply.reason)


async def _call_one(host: Host, plugin: Processor, run: Run | FinishedRun) -> PluginFailure | None:
    try:
        reply = await host.notify(plugin, run)
    except PluginError as error:
        # A strict host does not raise here either: the run has not begun its work, or has done all of it.
        return PluginFailure(plugin.name, "the run", str(error))
    return reply if isinstance(reply, PluginFailure) else None


def _run(report: ReportBuilder) -> Run:
    started = report.report
    return Run(started.run_id, started.command, tuple(started.targets), started.started)
