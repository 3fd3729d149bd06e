"""The main job for one chat: history and media are fetched while notes are planned, rendered and written."""

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

#: Rounds of mending: a note written in one round may be what another one waits for.
_HEALINGS = 5


class Limits(Struct, frozen=True):
    """What a run may use at a time: pages waiting to be recorded, files being fetched. And of files in all."""

    queue_pages: int
    downloads: int
    download_limits: DownloadLimits = DownloadLimits()


class ChatStages(Struct, frozen=True):
    """The stages that every chat of a run goes through: its messages are recorded, its files fetched and processed,
    plugins asked, notes planned and written. ``policy`` says which files are wanted."""

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
        """Bring ``chat`` up to message id ``top`` into archive and vault; goes on where an earlier run stopped.

        ``within`` are the ids wanted when it is only a part of the chat, ``topic`` the one that alone is; ``parent`` is
        the place of the chat that this one belongs to.
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
        """Fetch the ids of ``gaps`` (none: what is new was recorded already); what the chat has in the archive gets its
        files and notes. ``recording``: see ``fetch_and_record``."""
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
            state.is_placed = True
            state.for_notes.set()

        plan = _plan_notes(context, archive_thread, self.enrichers, chat_folder, state)
        await run_stages(fetch(), media(), plan, _write_notes(context, self.writer, chat_folder, state))


class _State:
    """How far the stages of one chat are, and the events that wake them."""

    def __init__(self, *, has_files: bool) -> None:
        self._has_files = has_files
        self.is_fetched = False
        self.is_planned = False
        self.is_placed = False
        self.for_plan = asyncio.Event()
        self.for_media = asyncio.Event()
        self.for_notes = asyncio.Event()

    def recorded(self, page: Recorded) -> None:
        """A page was recorded. Media hear of it only once there is a file: a channel of texts never asks for one."""
        self._has_files |= page.wanted + page.reused > 0
        self.for_plan.set()
        if self._has_files:
            self.for_media.set()

    def fetched(self) -> None:
        """No further page is to come."""
        self.is_fetched = True
        self.for_plan.set()
        self.for_media.set()


async def _plan_notes(
    context: RunContext, archive_thread: ArchiveThread, enrichers: Enrichers, chat_folder: ChatFolder, state: _State
) -> None:
    """Give notes their paths as messages come behind the watermark, when plugins have been asked about these."""
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
    """Write notes as they are planned and their media placed, until everything is."""
    while True:
        state.for_notes.clear()
        final = state.is_planned and state.is_placed
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
    """After all chats: the notes about chats, people and audio, and the links that can be mended now. Of chats that are
    not among ``chat_folders`` only notes that wait for no file, unless ``with_waiting``."""
    context.events.emit(PhaseStarted("finishing"))
    for chat_folder in await archive_thread(_with_stale_notes, context, chat_folders):
        await writer.write_messages(chat_folder, final=with_waiting)
    await writer.write_summaries()
    # What still cannot be mended (its template fails on it) is left stale, to the next run.
    for _ in range(_HEALINGS):
        if context.render_context.is_dry_run or not await writer.resolve_links():
            break
        for chat_folder in await archive_thread(_with_stale_notes, context, chat_folders):
            await writer.write_messages(chat_folder, final=True)
        await writer.write_summaries()
    await writer.write_index()
    await writer.close()


def _with_stale_notes(context: RunContext, chat_folders: Sequence[ChatFolder]) -> list[ChatFolder]:
    """The chats of this run, and those of earlier ones that point at what came now."""
    archive, known = context.archive, {chat_folder.chat.id: chat_folder for chat_folder in chat_folders}
    for chat in archive.chats.all(context.account, stories=True):
        if chat.id not in known and archive.notes.stale(context.account, chat.id, kinds=MESSAGE_NOTES, limit=1):
            known[chat.id] = known_folder(context, chat)
    return list(known.values())


async def run_stages(*stages: Coroutine[Any, Any, None]) -> None:
    """Run stages side by side; the first error stops the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for stage in stages:
                group.create_task(stage)
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to tell: one of tobs's if there is any."""
    flat: list[BaseException] = []
    pending: list[BaseException] = [errors]
    while pending:
        error = pending.pop(0)
        pending += error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        flat += [] if isinstance(error, BaseExceptionGroup) else [error]
    return next((error for error in flat if isinstance(error, TobsError)), flat[0])
