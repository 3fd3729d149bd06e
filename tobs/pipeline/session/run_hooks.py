"""Plugins that want to know are told that a run starts and that it ended."""

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
    """Tell the plugins that have ``run_started``; what fails there is in the report."""
    await _tell(host, catalogue.having("run_started"), report, _run(report))


async def announce_end(host: Host, catalogue: Catalogue, report: ReportBuilder, error: str = "") -> None:
    """Tell the plugins that have ``run_ended``; ``error`` is what ended the run early. What fails there is in the
    report, which is closed once more after this."""
    told = catalogue.having("run_ended")
    if told:
        await _tell(host, told, report, finished_run(report, error))


def finished_run(report: ReportBuilder, error: str = "") -> FinishedRun:
    """The run as plugins are told of it at its end; ``error`` is what ended it early."""
    finished = report.finish()
    return FinishedRun(_run(report), finished.ok, finished.finished, error, msgspec.to_builtins(finished))


async def _tell(host: Host, plugins: tuple[Processor, ...], report: ReportBuilder, run: Run | FinishedRun) -> None:
    for reply in await asyncio.gather(*(_told(host, one, run) for one in plugins)):
        if reply is not None:
            report.events.problem(f"plugin {reply.plugin}", reply.item, reply.reason)


async def _told(host: Host, plugin: Processor, run: Run | FinishedRun) -> PluginFailure | None:
    try:
        reply = await host.notify(plugin, run)
    except PluginError as error:
        # Also a strict host: there is nothing left to stop, or nothing done yet that would be wrong.
        return PluginFailure(plugin.name, "the run", str(error))
    return reply if isinstance(reply, PluginFailure) else None


def _run(report: ReportBuilder) -> Run:
    started = report.report
    return Run(started.run_id, started.command, tuple(started.targets), started.started)
