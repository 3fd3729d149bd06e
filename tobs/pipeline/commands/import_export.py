"""``tobs import``: the chats of an export into archive and vault, as if they had been fetched."""

from __future__ import annotations

from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive
from tobs.media import MediaPolicy
from tobs.model import Chat, Person
from tobs.model.events import ChatStarted, ContentLeftOut, WorkExpected
from tobs.model.report import RunReport
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.planning import open_chat
from tobs.pipeline.select.archived_chats import store_account, stored_account
from tobs.pipeline.session.chat_stages import ChatStages, finish_notes
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.sources.desktop import ChatReader, DesktopExport, ExportedChat, ExportSummary


class ImportRun(Struct, frozen=True):
    """An import; ``policy`` says which files are taken over."""

    config: RunConfig
    policy: MediaPolicy

    async def run(self, export: DesktopExport) -> RunReport:
        """Import every chat of ``export``. What ends the run is raised; the report is kept all the same."""
        async with open_run(self.config) as run:
            events = self.config.events
            report_summary(events, export.summary)
            context = run.context(
                await run.archive_thread(_account, run.archive, self.config.settings.account, export.summary)
            )
            await run.archive_thread(_see_people, run.archive, export.summary)
            await run.archive_thread(_know_old_groups, context, export.summary)
            events.emit(
                WorkExpected(sum(ids.count for chat in export.summary.chats for ids in chat.id_ranges.values()))
            )
            chat_folders: list[ChatFolder] = []
            async with run.stages(context, self.policy) as stages, aclosing(export.chats()) as chats:
                async for reader in chats:
                    chat_folders += await self._import_chat(stages, reader)
                await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
            await run.archive_thread(export.remove_moved_files)
        return run.report

    async def _import_chat(self, stages: ChatStages, reader: ChatReader) -> list[ChatFolder]:
        """One chat, with what is there of the group it grew from."""
        context, archive_thread, found = stages.context, stages.archive_thread, reader.chat
        host = await archive_thread(_open_host, context, found)
        chat_folders: dict[int, ChatFolder] = {}
        while chat_id := await reader.next_chat():
            chat_folder = chat_folders.get(chat_id)
            if chat_folder is None:
                chat_folder = chat_folders[chat_id] = await archive_thread(_open_part, context, found, host, chat_id)
            context.events.emit(ChatStarted(host.chat.title))
            await stages.run(reader.source, chat_folder, [(1, chat_folder.chat.top)])
        await archive_thread(_settle, context, found)
        return [host, *(chat_folder for chat_id, chat_folder in chat_folders.items() if chat_id != host.chat.id)]


def _account(archive: Archive, name: str, summary: ExportSummary) -> int:
    """Whose private chats these are: as the vault knows it, else as the export tells; 0 where neither does."""
    known = stored_account(archive, name)
    if not known and summary.exporter_id:
        store_account(archive, name, summary.exporter_id)
    return known or summary.exporter_id


def _see_people(archive: Archive, summary: ExportSummary) -> None:
    """Everybody whom the export names with an id is known before the first message tells of them."""
    ids = {marked: name for name, marked in summary.names.items() if marked}
    here = archive.people.many(list(ids))
    archive.people.see([Person(marked, name) for marked, name in ids.items() if marked not in here])


def _know_old_groups(context: RunContext, summary: ExportSummary) -> None:
    """Where Telegram told which group a supergroup grew from, its old messages are filed there."""
    for one in summary.chats:
        known = context.archive.chats.get(context.account, one.chat.id)
        if known is not None and known.migrated_from and one.identity.old_group in one.id_ranges:
            one.id_ranges[known.migrated_from] = one.id_ranges.pop(one.identity.old_group)
            one.identity = replace(one.identity, old_group=known.migrated_from)


def _open_host(context: RunContext, found: ExportedChat) -> ChatFolder:
    """The place of a chat. What Telegram itself told of it is not replaced."""
    known = context.archive.chats.get(context.account, found.chat.id)
    messages = sum(ids.count for ids in found.id_ranges.values())
    chat = found.chat if known is None else replace(known, top=max(known.top, found.chat.top))
    return open_chat(context, chat, is_part=True, messages=messages)


def _open_part(context: RunContext, found: ExportedChat, host: ChatFolder, chat_id: int) -> ChatFolder:
    """The place of the messages of ``chat_id``: the chat's own, or those of the group it grew from, inside it."""
    if chat_id == host.chat.id:
        return host
    known = context.archive.chats.get(context.account, chat_id)
    top = max(found.id_ranges[chat_id].high, known.top if known else 0)
    old = known or Chat(chat_id, "group", host.chat.title, migrated_to=host.chat.id)
    return open_chat(context, replace(old, top=top), parent=host, is_part=True)


def _settle(context: RunContext, found: ExportedChat) -> None:
    """An export has every message between its first and its last: a later run goes on from there."""
    for chat_id, ids in found.id_ranges.items():
        if ids.count:
            context.archive.coverage.add(context.account, chat_id, max(1, ids.low), ids.high, ())


def report_summary(events: RunEvents, summary: ExportSummary) -> None:
    """Tell what of an export is not taken over, and where it breaks off."""
    if summary.broken:
        events.problem("export", "result.json", summary.broken, retryable=False)
    for what, count in summary.ignored.items():
        events.emit(ContentLeftOut(what, count))
    for key, count in summary.unknown_keys.items():
        events.emit(ContentLeftOut(f"key {key}", count))
