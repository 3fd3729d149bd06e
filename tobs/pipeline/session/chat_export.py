"""The chats of a run one after the other: each in full, its histories oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import FloodWait, RequestRefused, TargetNotFound
from tobs.model import Chat, is_channel_id
from tobs.model.events import RemarkMade, WorkExpected
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.fetch.chat_details import fetch_picture, fetch_reaction_emoji
from tobs.pipeline.fetch.comments import find_comments, left_comments
from tobs.pipeline.fetch.history import complete_imported, record_old_group
from tobs.pipeline.fetch.sync_state import follow, store_states
from tobs.pipeline.media.wanted import media_decision
from tobs.pipeline.notes.chat_folders import open_chat, open_topics
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.select.selection import SelectedChat, parts_of
from tobs.pipeline.session.chat_stages import ChatStages
from tobs.sources import Gap, Source
from tobs.sources.telegram import stories_chat, stories_source, telegram_source
from tobs.telegram.client.prefetch import PrefetchItem
from tobs.telegram.facade import Telegram

#: Topics that an error names.
_SHOWN = 20


class ChatExporter(Struct, frozen=True):
    """Exports chats. ``senders`` are the marked ids of those ``filters`` name; ``comments`` says whether those of
    channels' posts are kept (None: as before), ``stories`` whether stories are wanted."""

    stages: ChatStages
    telegram: Telegram
    filters: Filters
    senders: Sequence[int]
    comments: bool | None = None
    stories: bool = False

    @property
    def context(self) -> RunContext:
        """The desk of the run."""
        return self.stages.context

    @property
    def archive_thread(self) -> ArchiveThread:
        """The archive's thread."""
        return self.stages.archive_thread

    async def export_all(self, chosen: Sequence[SelectedChat]) -> list[ChatFolder]:
        """Every chat's places. With several chats, one that Telegram refuses is told and left out."""
        chat_folders: list[ChatFolder] = []
        if self.comments:
            # A discussion group that is exported too finds the folders of its channel's posts.
            chosen = sorted(chosen, key=lambda one: one.chat.kind != "channel")
        async with self.telegram.prefetch.chats(await self._next(chosen)):
            for one in chosen:
                try:
                    chat_folders += await self.export(one)
                except FloodWait:
                    raise
                except (RequestRefused, TargetNotFound) as error:
                    if len(chosen) == 1:
                        if one.chat.title not in error.message:
                            error.message = f"{one.chat.title}: {error.message}"
                        raise
                    self.context.events.failed(error, one.chat.title)
        return chat_folders

    async def _next(self, chosen: Sequence[SelectedChat]) -> list[PrefetchItem]:
        """What may be asked for before a chat's turn comes; nothing before the state is kept since when changes are
        asked for."""
        if len(chosen) < 2:
            return []
        common = next((one.chat for one in chosen if not is_channel_id(one.chat.id)), None)
        if common is not None:
            await store_states(self.context, self.archive_thread, self.telegram, common)
        new = await self.archive_thread(self._unknown, chosen)
        return [PrefetchItem(one.chat.id, not one.is_full, one.chat.id in new) for one in chosen if not one.topics]

    def _unknown(self, chosen: Sequence[SelectedChat]) -> set[int]:
        """The chats whose whole history is wanted and of which nothing is there."""
        if not self.filters.is_empty:
            return set()
        watermark = self.context.archive.coverage.watermark
        return {one.chat.id for one in chosen if not watermark(self.context.account, one.chat.id)}

    async def export(self, chosen: SelectedChat) -> list[ChatFolder]:
        """One chat, with the history of the basic group it grew from; where both are filed."""
        telegram, context = self.telegram, self.context
        if not chosen.is_full:
            chosen = replace(chosen, chat=await telegram.full(chosen.chat.id))
        await store_states(context, self.archive_thread, telegram, chosen.chat)
        topics = self.filters.topics or chosen.topics
        if topics or chosen.chat.is_forum:
            await self.update_topics(telegram_source(telegram), chosen.chat, wanted=topics)
        await self.archive_thread(record_old_group, context, chosen.chat)
        if chosen.chat.kind == "saved":
            await self.archive_thread(
                context.archive.saved.set_titles, context.account, await telegram.chat_extras.tag_titles()
            )
        parts = await parts_of(telegram, chosen, self.filters, self.senders, context.zone)
        chat = parts[-1].chat
        if not topics:
            await self.archive_thread(follow, context, parts, self.filters)
        messages = sum(part.chat.count or 0 for part in parts)
        is_grown = parts[0].chat.id != chat.id
        host = await self.archive_thread(open_chat, context, chat, messages=messages) if is_grown else None
        chat_folders: list[ChatFolder] = []
        for part in parts:
            if self.stages.policy.of(part.chat).kinds:
                decide = media_decision(context, self.stages.policy)
                await complete_imported(context, self.archive_thread, telegram, part.chat, decide)
            count = part.chat.count or 0
            context.events.emit(WorkExpected(min(count, self.filters.limit or count)))
            chat_folders.append(
                await self.stages.export(
                    part.source,
                    part.chat,
                    top=part.chat.top,
                    within=part.within,
                    topic=part.thread,
                    parent=host if part.chat.id != chat.id else None,
                )
            )
        if await fetch_reaction_emoji(context, self.archive_thread, telegram):
            for chat_folder in chat_folders:
                await self.stages.writer.write_messages(chat_folder, final=True)
        await fetch_picture(
            context, self.archive_thread, parts[-1].source.fetch_file, chat_folders[-1], self.stages.policy
        )
        if chat.kind == "channel" and chat.linked_chat:
            if await self.archive_thread(self._wants_comments, chat):
                chat_folders.append(await self.export_comments(chat, chat_folders[-1], parts[-1].within))
            else:
                context.events.emit(
                    RemarkMade(f"{chat.title}: comments under its posts are left out; --comments fetches them")
                )
        if self.stories and chat.kind != "group":
            chat_folders.append(await self._stories(chat, host=chat_folders[-1] if is_grown else chat_folders[0]))
        return chat_folders

    async def _stories(self, chat: Chat, host: ChatFolder) -> ChatFolder:
        """The stories of a peer, in a folder of its chat's."""
        context, stories = self.context, stories_chat(chat)
        chat_folder = await self.archive_thread(
            open_chat, context, stories, parent=replace(host, filed_under=stories.id), is_part=True
        )
        source = stories_source(self.telegram, chat)
        await self.stages.run(source, chat_folder, [(1, stories.top)])
        return chat_folder

    def _wants_comments(self, chat: Chat) -> bool:
        """Whether the comments of a channel are kept: as this run was told, else as an earlier one was."""
        comments = self.context.archive.comments
        if self.comments is not None:
            comments.set_wanted(chat.id, wanted=self.comments)
        return comments.are_wanted(chat.id)

    async def export_comments(self, chat: Chat, host: ChatFolder, within: Gap | None) -> ChatFolder:
        """The comments under the posts of a channel, and the notes of these posts, which lead to them."""
        context = self.context
        workers = self.stages.limits.downloads
        found = await find_comments(context, self.archive_thread, self.telegram, chat, within=within, workers=workers)
        found = found or await self.archive_thread(left_comments, context, self.telegram, chat)
        if found is None:
            return host
        # Messages of the group are of that chat, but lie in the channel's folder.
        parent = replace(host, filed_under=found.group.id)
        chat_folder = await self.archive_thread(open_chat, context, found.group, parent=parent, is_part=True)
        await self.stages.run(found.source, chat_folder, found.gaps, recording=found.recording)
        await self.stages.writer.write_messages(host, final=True)
        return chat_folder

    async def update_topics(self, source: Source, chat: Chat, *, wanted: Sequence[int]) -> None:
        """Keep the topics of a forum as they are now: by these their folders are named. Raises TargetNotFound for one
        that is ``wanted`` and not there."""
        if not chat.is_forum or source.topics is None:
            raise TargetNotFound(f"'{chat.title}' has no topics.", "Leave out --topic.")
        topics = await source.topics(chat.id)
        missing = set(wanted) - {topic.id for topic in topics}
        if missing:
            known = ", ".join(f"{topic.title} ({topic.id})" for topic in topics[:_SHOWN])
            raise TargetNotFound(f"'{chat.title}' has no topic {min(missing)}.", f"Its topics: {known}.")
        await self.archive_thread(open_topics, self.context, chat, topics)
