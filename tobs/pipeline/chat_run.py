"""The chats of a run one after the other: each in full, its histories oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import FloodWait, RequestRefused, TargetNotFound
from tobs.media import Chain, MediaPolicy
from tobs.model import Chat
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.enrich import Enrichers
from tobs.pipeline.export import Limits, export_chat
from tobs.pipeline.filters import Filters
from tobs.pipeline.following import follow, keep_states
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.notes import NoteWriter
from tobs.pipeline.pictures import fetch_picture
from tobs.pipeline.plan import open_chat, open_topics
from tobs.pipeline.selection import Chosen, parts_of
from tobs.telegram.client import Telegram

#: Topics that an error names.
_SHOWN = 20


class ChatExporter(Struct, frozen=True):
    """Exports chats. ``senders`` are the marked ids of those ``filters`` name."""

    desk: Desk
    keeper: Keeper
    writer: NoteWriter
    chain: Chain
    enrichers: Enrichers
    telegram: Telegram
    filters: Filters
    senders: Sequence[int]
    policy: MediaPolicy
    limits: Limits

    async def export_all(self, chosen: Sequence[Chosen]) -> list[ChatPlace]:
        """Every chat's places. With several chats, one that Telegram refuses is told and left out."""
        places: list[ChatPlace] = []
        for one in chosen:
            try:
                places += await self.export(one)
            except FloodWait:
                raise
            except (RequestRefused, TargetNotFound) as error:
                if len(chosen) == 1:
                    raise
                self.desk.reporter.failed(error, one.chat.title)
        return places

    async def export(self, chosen: Chosen) -> list[ChatPlace]:
        """One chat, with the history of the basic group it grew from; where both are filed."""
        telegram, desk = self.telegram, self.desk
        if not chosen.is_full:
            chosen = replace(chosen, chat=await telegram.full(chosen.chat.id))
        await keep_states(desk, self.keeper, telegram, chosen.chat)
        topics = self.filters.topics or chosen.topics
        if topics or chosen.chat.is_forum:
            await self._topics(chosen.chat, wanted=topics)
        parts = await parts_of(telegram, chosen, self.filters, self.senders, desk.zone)
        chat = parts[-1].chat
        if not topics:
            await self.keeper(follow, desk, parts, self.filters)
        messages = sum(part.chat.count or 0 for part in parts)
        is_grown = parts[0].chat.id != chat.id
        host = await self.keeper(open_chat, desk, chat, messages=messages) if is_grown else None
        places: list[ChatPlace] = []
        for part in parts:
            count = part.chat.count or 0
            desk.reporter.expected_messages += min(count, self.filters.limit or count)
            places.append(
                await export_chat(
                    desk,
                    self.keeper,
                    self.writer,
                    self.chain,
                    self.enrichers,
                    part.source,
                    part.chat,
                    top=part.chat.top,
                    policy=self.policy,
                    limits=self.limits,
                    within=part.within,
                    inside=host if part.chat.id != chat.id else None,
                )
            )
        await fetch_picture(desk, self.keeper, parts[-1].source.fetch_file, places[-1], self.policy)
        return places

    async def _topics(self, chat: Chat, *, wanted: Sequence[int]) -> None:
        """Keep the topics of a forum as they are now: by these their folders are named. Raises TargetNotFound for one
        that is ``wanted`` and not there."""
        if not chat.is_forum:
            raise TargetNotFound(f"'{chat.title}' has no topics.", "Leave out --topic.")
        topics = await self.telegram.topics(chat.id)
        missing = set(wanted) - {topic.id for topic in topics}
        if missing:
            known = ", ".join(f"{topic.title} ({topic.id})" for topic in topics[:_SHOWN])
            raise TargetNotFound(f"'{chat.title}' has no topic {min(missing)}.", f"Its topics: {known}.")
        await self.keeper(open_topics, self.desk, chat, topics)
