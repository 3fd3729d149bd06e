"""``tobs import``: the chats of an export into archive and vault, as if they had been fetched."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive
from tobs.media import MediaPolicy
from tobs.model import Person
from tobs.model.events import ContentLeftOut
from tobs.model.report import RunReport
from tobs.pipeline.commands.import_source import import_source
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.select.archived_chats import store_account, stored_account
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.sources import Source
from tobs.sources.desktop import DesktopExport, ExportSummary


class ImportRun(Struct, frozen=True):
    """An import; ``policy`` says which files are taken over."""

    config: RunConfig
    policy: MediaPolicy

    async def run(self, export: DesktopExport) -> RunReport:
        """Import every chat of ``export``. Raises TobsError for an error that ends the run."""
        async with open_run(self.config) as run:
            report_summary(self.config.events, export.summary)
            context = run.context(
                await run.archive_thread(_account, run.archive, self.config.settings.account, export.summary)
            )
            await run.archive_thread(_see_people, run.archive, export.summary)
            await run.archive_thread(_know_old_groups, context, export.summary)
            async with export.reading() as source:
                await import_source(run, context, source, self.policy)
        return run.report

    async def run_source(self, source: Source) -> RunReport:
        """Import every chat of any other source, for the account of the vault."""
        async with open_run(self.config) as run:
            account = await run.archive_thread(stored_account, run.archive, self.config.settings.account)
            await import_source(run, run.context(account), source, self.policy)
        return run.report


def _account(archive: Archive, name: str, summary: ExportSummary) -> int:
    """Return the user id whose private chats these are: from the vault, else from the export; 0 if neither has it."""
    known = stored_account(archive, name)
    if not known and summary.exporter_id:
        store_account(archive, name, summary.exporter_id)
    return known or summary.exporter_id


def _see_people(archive: Archive, summary: ExportSummary) -> None:
    """Record the people whom the export names with an id, before their first message."""
    ids = {marked: name for name, marked in summary.names.items() if marked}
    here = archive.people.many(list(ids))
    archive.people.see([Person(marked, name) for marked, name in ids.items() if marked not in here])


def _know_old_groups(context: RunContext, summary: ExportSummary) -> None:
    """File old messages of a supergroup under the basic group that it grew from, where Telegram named that group."""
    for one in summary.chats:
        known = context.archive.chats.get(context.account, one.chat.id)
        if known is not None and known.migrated_from and one.identity.old_group in one.id_ranges:
            one.id_ranges[known.migrated_from] = one.id_ranges.pop(one.identity.old_group)
            one.identity = replace(one.identity, old_group=known.migrated_from)


def report_summary(events: RunEvents, summary: ExportSummary) -> None:
    """Report the content of an export that is not imported, and the place where the file ends too early."""
    if summary.broken:
        events.problem("export", "result.json", summary.broken, retryable=False)
    for what, count in summary.ignored.items():
        events.emit(ContentLeftOut(what, count))
    for key, count in summary.unknown_keys.items():
        events.emit(ContentLeftOut(f"key {key}", count))
