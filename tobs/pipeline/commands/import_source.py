"""Import of a whole source: its chats go through the same stages as fetched ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from tobs.media import MediaPolicy
from tobs.model import Chat
from tobs.model.events import ChatStarted, WorkExpected
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.session.chat_stages import ChatStages, finish_notes
from tobs.pipeline.session.run_session import RunSession
from tobs.sources import Source


async def import_source(run: RunSession, context: RunContext, source: Source, policy: MediaPolicy) -> None:
    """Import every chat of ``source`` in its own order, each with the basic group it was before; ``policy`` says
    which files are wanted. At the end the source removes files that were to be moved."""
    chats = await source.resolve("")
    context.events.emit(WorkExpected(sum(chat.count or 0 for chat in chats)))
    chat_folders: list[ChatFolder] = []
    async with run.stages(context, policy) as stages:
        importer = _Importer(stages, source, chats)
        async for chat in in_order(source, chats):
            await importer.import_next(chat)
        chat_folders = await importer.finish()
        await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
    if source.release is not None:
        await source.release()


async def in_order(source: Source, chats: Sequence[Chat]) -> AsyncIterator[Chat]:
    """Yield the chat whose messages come next, in the source's own order; a chat may come several times."""
    if source.next_chat is None:
        for chat in chats:
            yield chat
        return
    known = {chat.id: chat for chat in chats}
    while chat_id := await source.next_chat():
        yield known[chat_id]


class _Importer:
    """Imports the chats of a source one after the other. Chats without messages get their notes, too."""

    def __init__(self, stages: ChatStages, source: Source, chats: Sequence[Chat]) -> None:
        self._stages = stages
        self._source = source
        self._chats = {chat.id: chat for chat in chats}
        self._hosts = [chat for chat in chats if chat.migrated_to not in self._chats]
        self._next = 0  # of the hosts
        self._host: ChatFolder | None = None
        self._folders: dict[int, ChatFolder] = {}

    async def import_next(self, chat: Chat) -> None:
        """Import the messages of ``chat`` that come next."""
        context, archive_thread = self._stages.context, self._stages.archive_thread
        host_id = chat.migrated_to if chat.migrated_to in self._chats else chat.id
        await self._open_hosts(host_id)
        host = self._folders[host_id]
        folder = self._folders.get(chat.id)
        if folder is None:
            folder = await archive_thread(_open_group, context, chat, host, self._source.name)
            self._folders[chat.id] = folder
        context.events.emit(ChatStarted(host.chat.title))
        await self._stages.run(self._source, folder, [(1, folder.chat.top)])

    async def finish(self) -> list[ChatFolder]:
        """Open the chats without messages; return the folders of all chats."""
        await self._open_hosts(0)
        for chat in self._hosts:
            await self._settle(self._folders[chat.id])  # also a chat that came again after others
        return list(self._folders.values())

    async def _open_hosts(self, upto: int) -> None:
        """Open the chats in their order, up to the chat with the id ``upto`` (0: all). Each settles the one before."""
        while upto not in self._folders and self._next < len(self._hosts):
            chat = self._hosts[self._next]
            self._next += 1
            if self._host is not None:
                await self._settle(self._host)
            self._host = await self._stages.archive_thread(
                _open_host, self._stages.context, chat, self._messages_of(chat), self._source.name
            )
            self._folders[chat.id] = self._host

    def _messages_of(self, host: Chat) -> int:
        """Count the messages that the source has of a chat and of the basic group it was before."""
        return sum(one.count or 0 for one in self._chats.values() if host.id in (one.id, one.migrated_to))

    async def _settle(self, host: ChatFolder) -> None:
        """Store the ids whose messages were all read by now: a later run does not ask for them."""
        context, settled = self._stages.context, self._source.settled
        if settled is None:
            return
        for chat in self._chats.values():
            for low, high in settled(chat.id) if host.chat.id in (chat.id, chat.migrated_to) else ():
                add = context.archive.coverage.add
                await self._stages.archive_thread(add, context.account, chat.id, low, high, ())


def _open_host(context: RunContext, chat: Chat, messages: int, source: str) -> ChatFolder:
    """Open the folder of a chat. Data that Telegram sent about it are not replaced."""
    known = context.archive.chats.get(context.account, chat.id)
    if known is not None:
        chat, source = replace(known, top=max(known.top, chat.top)), ""
    return open_chat(context, chat, is_part=True, messages=messages, source=source)


def _open_group(context: RunContext, group: Chat, host: ChatFolder, source: str) -> ChatFolder:
    """Open the chat's folder for the basic group that the chat was before."""
    known = context.archive.chats.get(context.account, group.id)
    top = max(group.top, known.top if known else 0)
    chat = replace(known or replace(group, title=host.chat.title, count=None), top=top)
    return open_chat(context, chat, parent=host, is_part=True, source="" if known else source)
