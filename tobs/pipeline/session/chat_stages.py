"""The stages of a chat, side by side: messages and media are fetched while notes are planned, rendered and written."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from msgspec import Struct

from tobs.archive import Recorded
from tobs.errors import TobsError
from tobs.media import Chain, DownloadLimits, MediaPolicy
from tobs.model import Chat
from tobs.model.events import ChatStarted, PhaseStarted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.fetch.history import FetchTask, Recording, fetch_and_record, missing_ids
from tobs.pipeline.media.download import MediaStage
from tobs.pipeline.media.wanted import media_decision, want_media
from tobs.pipeline.notes.chat_folders import known_folder, open_chat
from tobs.pipeline.notes.enrich import Enrichers
from tobs.pipeline.notes.note_writer import MESSAGE_NOTES, NoteWriter
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.sources import Gap, Source

#: Rounds of resolving links: a note written in one round may be the target of a link in another one.
_RESOLVE_ROUNDS = 5


class Limits(Struct, frozen=True):
    """Limits of a run: pages that wait to be recorded, files that are fetched at a time, and limits of all files."""

    queue_pages: int
    downloads: int
    download_limits: DownloadLimits = DownloadLimits()


class ChatStages(Struct, frozen=True):
    """The stages of every chat of a run: messages are recorded, files fetched and processed, plugins called, notes
    planned and written. ``policy`` says which files are wanted."""

    context: RunContext
    archive_thread: ArchiveThread
    writer: NoteWriter
    chain: Chain
    enrichers: Enrichers
    policy: MediaPolicy
    limits: Limits

    async def export(
        self,
        source: Source,
        chat: Chat,
        *,
        top: int,
        within: Gap | None = None,
        topic: int = 0,
        parent: ChatFolder | None = None,
    ) -> ChatFolder:
        """Export ``chat`` up to message id ``top``; continue where an earlier run stopped.

        ``within`` is the range of wanted ids (None: all), ``topic`` the only wanted topic (0: all); ``parent`` is the
        folder of the chat that this one belongs to.
        """
        self.context.events.emit(ChatStarted(chat.title))
        chat_folder = await self.archive_thread(
            open_chat, self.context, chat, parent=parent, is_part=within is not None, source=source.name
        )
        gaps = await self.archive_thread(missing_ids, self.context, chat.id, top, within, topic)
        await self.run(source, chat_folder, gaps)
        return chat_folder

    async def run(
        self, source: Source, chat_folder: ChatFolder, gaps: Sequence[Gap], *, recording: Recording | None = None
    ) -> None:
        """Fetch the ids of ``gaps`` (none: new messages are already recorded), then the files and notes of all archived
        messages of the chat. ``recording``: see ``fetch_and_record``."""
        context, archive_thread, limits = self.context, self.archive_thread, self.limits
        decide = media_decision(context, self.policy)
        waiting = await archive_thread(want_media, context, chat_folder.chat, self.policy)
        self.writer.expect(min(sum(high - low + 1 for low, high in gaps), chat_folder.chat.count or 0))
        state = _State(has_files=waiting > 0)

        async def fetch() -> None:
            context.events.emit(PhaseStarted("fetching"))
            if gaps:
                await fetch_and_record(
                    context,
                    chat_folder,
                    archive_thread,
                    FetchTask(source, gaps, recording),
                    decide,
                    queue_pages=limits.queue_pages,
                    recorded=state.recorded,
                )
            state.fetched()

        async def media() -> None:
            fetch_file = None if limits.download_limits.later else source.fetch_file
            stage = MediaStage(
                context,
                chat_folder,
                archive_thread,
                fetch_file,
                self.chain,
                downloads=limits.downloads,
                download_limits=limits.download_limits,
            )
            await stage.run(state.for_media, lambda: state.is_fetched, state.for_notes.set)
            state.is_attached = True
            state.for_notes.set()

        plan = _plan_notes(context, archive_thread, self.enrichers, chat_folder, state)
        await run_stages(fetch(), media(), plan, _write_notes(context, self.writer, chat_folder, state))


class _State:
    """The progress of the stages of a chat, and the events that wake them."""

    def __init__(self, *, has_files: bool) -> None:
        self._has_files = has_files
        self.is_fetched = False
        self.is_planned = False
        self.is_attached = False
        self.for_plan = asyncio.Event()
        self.for_media = asyncio.Event()
        self.for_notes = asyncio.Event()

    def recorded(self, page: Recorded) -> None:
        """Wake the stages after a page was recorded; media wait for the first page with files."""
        self._has_files |= page.wanted + page.reused > 0
        self.for_plan.set()
        if self._has_files:
            self.for_media.set()

    def fetched(self) -> None:
        """Wake the stages after the last page."""
        self.is_fetched = True
        self.for_plan.set()
        self.for_media.set()


async def _plan_notes(
    context: RunContext, archive_thread: ArchiveThread, enrichers: Enrichers, chat_folder: ChatFolder, state: _State
) -> None:
    """Plan the notes of messages up to the watermark, after plugins were called for them."""
    while not state.is_planned:
        state.for_plan.clear()
        final = state.is_fetched
        upto = await archive_thread(settled_to, context, chat_folder, final=final)
        await enrichers.ask(chat_folder, upto)
        is_all = False
        while not is_all:
            planned = await archive_thread(plan_messages, context, chat_folder, upto=upto, final=final)
            is_all = planned.is_all
            if planned.units:
                state.for_notes.set()
        if final:
            state.is_planned = True
            state.for_notes.set()
        else:
            await state.for_plan.wait()


async def _write_notes(context: RunContext, writer: NoteWriter, chat_folder: ChatFolder, state: _State) -> None:
    """Write notes as soon as they are planned and their media attached, until all are written."""
    while True:
        state.for_notes.clear()
        final = state.is_planned and state.is_attached
        if state.is_planned and not final:
            context.events.emit(PhaseStarted("media"))
        await writer.write_messages(chat_folder, final=final)
        if final:
            return
        await state.for_notes.wait()


async def finish_notes(
    context: RunContext,
    archive_thread: ArchiveThread,
    writer: NoteWriter,
    chat_folders: Sequence[ChatFolder],
    *,
    with_waiting: bool = False,
) -> None:
    """Write the notes about chats, people and audio, and resolve links, after all chats are exported. Of chats that are
    not among ``chat_folders``, notes that wait for a file are written only ``with_waiting``."""
    context.events.emit(PhaseStarted("finishing"))
    for chat_folder in await archive_thread(_with_stale_notes, context, chat_folders):
        await writer.write_messages(chat_folder, final=with_waiting)
    await writer.write_summaries()
    # A note whose link still cannot be resolved (its template fails) stays stale for the next run.
    for _ in range(_RESOLVE_ROUNDS):
        if context.render_context.is_dry_run or not await writer.resolve_links():
            break
        for chat_folder in await archive_thread(_with_stale_notes, context, chat_folders):
            await writer.write_messages(chat_folder, final=True)
        await writer.write_summaries()
    await writer.write_index()
    await writer.close()


def _with_stale_notes(context: RunContext, chat_folders: Sequence[ChatFolder]) -> list[ChatFolder]:
    """Return the chats of this run, and earlier ones with stale notes, which link to new messages."""
    archive, known = context.archive, {chat_folder.chat.id: chat_folder for chat_folder in chat_folders}
    for chat in archive.chats.all(context.account, stories=True):
        if chat.id not in known and archive.notes.stale(context.account, chat.id, kinds=MESSAGE_NOTES, limit=1):
            known[chat.id] = known_folder(context, chat)
    return list(known.values())


async def run_stages(*stages: Coroutine[Any, Any, None]) -> None:
    """Run stages side by side; the first error stops the others and is raised without its group."""
    try:
        async with asyncio.TaskGroup() as group:
            for stage in stages:
                group.create_task(stage)
    except BaseExceptionGroup as errors:
        raise _error_to_report(errors) from errors


def _error_to_report(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to report: the first TobsError, else the first error."""
    flat: list[BaseException] = []
    pending: list[BaseException] = [errors]
    while pending:
        error = pending.pop(0)
        pending += error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        flat += [] if isinstance(error, BaseExceptionGroup) else [error]
    return next((error for error in flat if isinstance(error, TobsError)), flat[0])
