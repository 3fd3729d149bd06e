"""Exporters: plugins that export new messages of a run to files under ``.tobs/exports``.

Each gets the messages since its last successful export, so messages of a killed run, or of one on which the plugin
failed, come with the next run. A new exporter begins with the first run in which it is on.
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
    """The exporters of a run. ``root`` is the vault; in ``staging`` files wait until they are attached."""

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
        """Begin a run: a new exporter gets the messages from now on."""
        if self._plugins:
            await self._archive_thread(self._begin, report.events.now)

    async def export_new(self, report: ReportBuilder, error: str = "") -> None:
        """Call each exporter with its new messages, and attach the files that it wrote. Failures are reported."""
        for plugin in [plugin for plugin in self._plugins if plugin.name not in self._host.off]:
            work = self._work / plugin.name
            try:
                await self._export_new(plugin, work, report, error)
            except PluginError as failed:
                report.events.problem(f"plugin {plugin.name}", "new messages of the run", str(failed))
            except TobsError as failed:
                report.events.failed(failed, f"exports of {plugin.name}")
            finally:
                await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    async def _export_new(self, plugin: Processor, work: Path, report: ReportBuilder, error: str) -> None:
        source = work / "new"
        count, upto = await self._archive_thread(self._write_new, plugin.name, source, report.events.now)
        if count:
            run = finished_run(report, error)
            reply = await self._host.export(plugin, Export(run, count, source, work / "made", self._root))
            if isinstance(reply, PluginFailure):
                report.events.problem(f"plugin {reply.plugin}", reply.item, reply.reason)
            if not isinstance(reply, Done):
                return
            for path in reply.result.files if reply.result else ():
                attached = await asyncio.to_thread(
                    attach_export, path, self._root, plugin.name, mtime=report.events.now
                )
                report.events.emit(ExportWritten(attached))
            for remark in reply.result.remarks if reply.result else ():
                report.events.doubt(f"plugin {plugin.name}", remark.item, remark.reason)
            report.events.emit(ProcessorCounted(plugin.name, done=1))
        await self._archive_thread(self._archive.new_since.set_cursor, plugin.name, upto)

    def _begin(self, now: float) -> None:
        new_since = self._archive.new_since
        for name in [plugin.name for plugin in self._plugins if new_since.cursor(plugin.name) is None]:
            new_since.set_cursor(name, new_since.current(now))

    def _write_new(self, name: str, source: Path, now: float) -> tuple[int, ExportCursor]:
        """Write the new messages of an exporter into the file ``source``. Return their number and the next cursor."""
        new_since = self._archive.new_since
        since, upto = new_since.cursor(name) or ExportCursor(), new_since.current(now)
        source.parent.mkdir(parents=True, exist_ok=True)
        with source.open("wb") as file:
            return write_messages(file, chain.from_iterable(new_since.since(since))), upto


@asynccontextmanager
async def exporting(exporters: Exporters, report: ReportBuilder) -> AsyncIterator[Exporters]:
    """Begin ``exporters`` and export at the end of the run, also after an error. Messages of a run that its owner stops
    are exported by the next run."""
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
