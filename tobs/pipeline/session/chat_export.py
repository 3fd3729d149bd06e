"""Export of the chats of a run, one after the other, each with all its histories, the oldest first."""

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
_SHOWN_TOPICS = 20


class ChatExporter(Struct, frozen=True):
    """Exports chats. ``senders`` are the marked ids of the senders in ``filters``; ``comments`` says whether comments
    under the posts of channels are archived (None: as before), ``stories`` whether stories are wanted."""

    stages: ChatStages
    telegram: Telegram
    filters: Filters
    senders: Sequence[int]
    comments: bool | None = None
    stories: bool = False

    @property
    def context(self) -> RunContext:
        """The context of the run."""
        return self.stages.context

    @property
    def archive_thread(self) -> ArchiveThread:
        """The archive's thread."""
        return self.stages.archive_thread

    async def export_all(self, chosen: Sequence[SelectedChat]) -> list[ChatFolder]:
        """Export all of ``chosen`` and return their folders. A chat that Telegram refuses is skipped and reported,
        unless it is the only one."""
        chat_folders: list[ChatFolder] = []
        if self.comments:
            # A discussion group that is exported too finds the folders of its channel's posts.
            chosen = sorted(chosen, key=lambda selected: selected.chat.kind != "channel")
        async with self.telegram.prefetch.chats(await self._prefetch_items(chosen)):
            for selected in chosen:
                try:
                    chat_folders += await self.export(selected)
                except FloodWait:
                    raise
                except (RequestRefused, TargetNotFound) as error:
                    if len(chosen) == 1:
                        if selected.chat.title not in error.message:
                            error.message = f"{selected.chat.title}: {error.message}"
                        raise
                    self.context.events.failed(error, selected.chat.title)
        return chat_folders

    async def _prefetch_items(self, chosen: Sequence[SelectedChat]) -> list[PrefetchItem]:
        """Return the requests that may be sent before the turn of a chat. The update state is stored first, so that the
        next sync gets all later changes."""
        if len(chosen) < 2:
            return []
        common = next((item.chat for item in chosen if not is_channel_id(item.chat.id)), None)
        if common is not None:
            await store_states(self.context, self.archive_thread, self.telegram, common)
        new = await self.archive_thread(self._unknown, chosen)
        return [PrefetchItem(item.chat.id, not item.is_full, item.chat.id in new) for item in chosen if not item.topics]

    def _unknown(self, chosen: Sequence[SelectedChat]) -> set[int]:
        """Return the ids of chats without archived messages, if whole histories are wanted."""
        if not self.filters.is_empty:
            return set()
        watermark = self.context.archive.coverage.watermark
        return {item.chat.id for item in chosen if not watermark(self.context.account, item.chat.id)}

    async def export(self, chosen: SelectedChat) -> list[ChatFolder]:
        """Export a chat with the history of the basic group that it was upgraded from; return the folders of both."""
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
        is_upgraded = parts[0].chat.id != chat.id
        host = await self.archive_thread(open_chat, context, chat, messages=messages) if is_upgraded else None
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
            if await self.archive_thread(self._are_comments_wanted, chat):
                chat_folders.append(await self.export_comments(chat, chat_folders[-1], parts[-1].within))
            else:
                context.events.emit(
                    RemarkMade(f"{chat.title}: comments under its posts are left out; --comments fetches them")
                )
        if self.stories and chat.kind != "group":
            chat_folders.append(await self._stories(chat, host=chat_folders[-1] if is_upgraded else chat_folders[0]))
        return chat_folders

    async def _stories(self, chat: Chat, host: ChatFolder) -> ChatFolder:
        """Export the stories of a peer to a folder of its chat."""
        context, stories = self.context, stories_chat(chat)
        chat_folder = await self.archive_thread(
            open_chat, context, stories, parent=replace(host, filed_under=stories.id), is_part=True
        )
        source = stories_source(self.telegram, chat)
        await self.stages.run(source, chat_folder, [(1, stories.top)])
        return chat_folder

    def _are_comments_wanted(self, chat: Chat) -> bool:
        """Return whether the comments of a channel are archived, by the option of this run or of an earlier one."""
        comments = self.context.archive.comments
        if self.comments is not None:
            comments.set_wanted(chat.id, wanted=self.comments)
        return comments.are_wanted(chat.id)

    async def export_comments(self, chat: Chat, host: ChatFolder, within: Gap | None) -> ChatFolder:
        """Export the comments under the posts of a channel, and write the notes of these posts, which link to them."""
        context = self.context
        workers = self.stages.limits.downloads
        found = await find_comments(context, self.archive_thread, self.telegram, chat, within=within, workers=workers)
        found = found or await self.archive_thread(left_comments, context, self.telegram, chat)
        if found is None:
            return host
        # The messages belong to the group; their notes are in the channel's folder.
        parent = replace(host, filed_under=found.group.id)
        chat_folder = await self.archive_thread(open_chat, context, found.group, parent=parent, is_part=True)
        await self.stages.run(found.source, chat_folder, found.gaps, recording=found.recording)
        await self.stages.writer.write_messages(host, final=True)
        return chat_folder

    async def update_topics(self, source: Source, chat: Chat, *, wanted: Sequence[int]) -> None:
        """Store the topics of a forum, which name its folders. Raises TargetNotFound for a ``wanted`` topic that does
        not exist."""
        if not chat.is_forum or source.topics is None:
            raise TargetNotFound(f"'{chat.title}' has no topics.", "Leave out --topic.")
        topics = await source.topics(chat.id)
        missing = set(wanted) - {topic.id for topic in topics}
        if missing:
            known = ", ".join(f"{topic.title} ({topic.id})" for topic in topics[:_SHOWN_TOPICS])
            raise TargetNotFound(f"'{chat.title}' has no topic {min(missing)}.", f"Its topics: {known}.")
        await self.archive_thread(open_topics, self.context, chat, topics)
