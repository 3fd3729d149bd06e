"""Exporters: plugins that hand on what a run brought, in files under ``.tobs/exports``.

Each is told of what came since it was told last: what a killed run brought, or one on which the plugin failed, comes
with the next. One that is new begins with the run it is first part of.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

from tobs.archive import Archive, ExportCursor
from tobs.errors import PluginError, TobsError
from tobs.model.events import ExportWritten, ProcessorCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.session.run_hooks import finished_run
from tobs.plugin.api import Export
from tobs.plugin.host import Done, Host, PluginFailure
from tobs.plugin.new_messages import write_messages
from tobs.plugin.processor import Processor
from tobs.vault.exports import attach_export


class Exporters:
    """The exporters of a run. ``root`` is the vault, in ``staging`` files wait to be placed."""

    def __init__(
        self,
        plugins: Sequence[Processor],
        host: Host,
        archive: Archive,
        archive_thread: ArchiveThread,
        *,
        root: Path,
        staging: Path,
    ) -> None:
        self._plugins = plugins
        self._host = host
        self._archive = archive
        self._archive_thread = archive_thread
        self._root = root
        self._work = staging / "exports"

    async def begin(self, report: ReportBuilder) -> None:
        """A run begins: who was never told is told of what comes from here on."""
        if self._plugins:
            await self._archive_thread(self._begin, report.events.now)

    async def export_new(self, report: ReportBuilder, error: str = "") -> None:
        """Tell each exporter what came since it was told last, and place what it made. What fails is in the report."""
        for one in [one for one in self._plugins if one.name not in self._host.off]:
            work = self._work / one.name
            try:
                await self._export_new(one, work, report, error)
            except PluginError as failed:
                report.events.problem(f"plugin {one.name}", "what the run brought", str(failed))
            except TobsError as failed:
                report.events.failed(failed, f"exports of {one.name}")
            finally:
                await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    async def _export_new(self, one: Processor, work: Path, report: ReportBuilder, error: str) -> None:
        source = work / "brought"
        count, upto = await self._archive_thread(self._gather, one.name, source, report.events.now)
        if count:
            run = finished_run(report, error)
            reply = await self._host.export(one, Export(run, count, source, work / "made", self._root))
            if isinstance(reply, PluginFailure):
                report.events.problem(f"plugin {reply.plugin}", reply.item, reply.reason)
            if not isinstance(reply, Done):
                return
            for path in reply.result.files if reply.result else ():
                placed = await asyncio.to_thread(attach_export, path, self._root, one.name, mtime=report.events.now)
                report.events.emit(ExportWritten(placed))
            for remark in reply.result.remarks if reply.result else ():
                report.events.doubt(f"plugin {one.name}", remark.item, remark.reason)
            report.events.emit(ProcessorCounted(one.name, done=1))
        await self._archive_thread(self._archive.new_since.set_cursor, one.name, upto)

    def _begin(self, now: float) -> None:
        new_since = self._archive.new_since
        for name in [one.name for one in self._plugins if new_since.cursor(one.name) is None]:
            new_since.set_cursor(name, new_since.current(now))

    def _gather(self, name: str, source: Path, now: float) -> tuple[int, ExportCursor]:
        """Write what is new for an exporter into the file ``source``; how many messages, and up to where."""
        new_since = self._archive.new_since
        mark, upto = new_since.cursor(name) or ExportCursor(), new_since.current(now)
        source.parent.mkdir(parents=True, exist_ok=True)
        with source.open("wb") as file:
            return write_messages(file, chain.from_iterable(new_since.since(mark))), upto


@asynccontextmanager
async def exporting(exporters: Exporters, report: ReportBuilder) -> AsyncIterator[Exporters]:
    """The exporters of a run, told at its end, well or not; what was stopped by its owner is told by the next one."""
    await exporters.begin(report)
    error = ""
    try:
        yield exporters
    except TobsError as raised:
        error = str(raised)
        raise
    finally:
        if not isinstance(sys.exception(), asyncio.CancelledError):
            await exporters.export_new(report, error)
