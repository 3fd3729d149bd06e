"""Comments under the posts of channels: they come in another chat, the discussion group, as new messages there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tobs.errors import FloodWait, RequestRefused, TargetNotFound
from tobs.model import Chat
from tobs.pipeline.desk import Desk
from tobs.pipeline.keeper import Keeper
from tobs.telegram.client import Telegram


async def commented(desk: Desk, keeper: Keeper, telegram: Telegram, chats: Iterable[Chat]) -> set[int]:
    """The channels among ``chats`` with comments that are not here yet, as far as a hundred groups a request tell: the
    newest id of a group is another one. A group that may not be read has to be asked post by post."""
    channels = await keeper(_with_comments, desk, chats)
    if not channels:
        return set()
    try:
        listed = {one.chat.id: one.top for one in await telegram.listed(channels.values())}
    except FloodWait:
        raise
    except (RequestRefused, TargetNotFound):
        listed = {}
    return await keeper(_due, desk, channels, listed)


def groups_of(desk: Desk, chats: Iterable[Chat]) -> dict[int, int]:
    """The channels whose comments are kept, by their discussion group."""
    return {group: channel for channel, group in _with_comments(desk, chats).items()}


def _with_comments(desk: Desk, chats: Iterable[Chat]) -> dict[int, int]:
    wanted = desk.archive.comments.wanted
    return {
        chat.id: chat.linked_chat for chat in chats if chat.kind == "channel" and chat.linked_chat and wanted(chat.id)
    }


def _due(desk: Desk, channels: Mapping[int, int], listed: Mapping[int, int]) -> set[int]:
    cursor = desk.archive.comments.cursor
    return {
        channel for channel, group in channels.items() if group not in listed or listed[group] > cursor(channel, group)
    }
