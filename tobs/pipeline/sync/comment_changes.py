"""Comments under the posts of channels: they come in another chat, the discussion group, as new messages there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tobs.errors import FloodWait, RequestRefused, TargetNotFound
from tobs.model import Chat
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.syncer import Syncer
from tobs.telegram.facade import Telegram
from tobs.telegram.sync.updates import PeerDialog


async def fetch_comment_changes(
    syncer: Syncer, context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, chats: Iterable[Chat]
) -> None:
    """Edits and deletions of comments under the channels among ``chats``, and which of these have new comments, as far
    as a hundred groups a request tell: by the newest id of a group, and its pts. A group that may not be read has to be
    asked post by post."""
    channels = await archive_thread(_with_comments, context, chats)
    if not channels:
        return
    try:
        listed = {one.chat.id: one for one in await telegram.peer_dialogs(channels.values())}
    except FloodWait:
        raise
    except (RequestRefused, TargetNotFound):
        listed = {}
    for group in await archive_thread(_moved, context, listed.values()):
        try:
            await syncer.fetch_comment_changes(group)
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, f"comments in {group.title}")
    syncer.pending.commented |= await archive_thread(
        _due, context, channels, {id: one.top for id, one in listed.items()}
    )


def _moved(context: RunContext, listed: Iterable[PeerDialog]) -> list[Chat]:
    """The groups in which something happened, but those that are kept in step themselves."""
    updates, account = context.archive.updates, context.account
    followed, moved = updates.tracked(account), list[Chat]()
    for one in listed:
        state = updates.state(account, one.chat.id)
        if one.chat.id not in followed and (state is None or state.pts != one.pts):
            moved.append(one.chat)
    return moved


def groups_of(context: RunContext, chats: Iterable[Chat]) -> dict[int, int]:
    """The channels whose comments are kept, by their discussion group."""
    return {group: channel for channel, group in _with_comments(context, chats).items()}


def _with_comments(context: RunContext, chats: Iterable[Chat]) -> dict[int, int]:
    wanted = context.archive.comments.are_wanted
    return {
        chat.id: chat.linked_chat for chat in chats if chat.kind == "channel" and chat.linked_chat and wanted(chat.id)
    }


def _due(context: RunContext, channels: Mapping[int, int], listed: Mapping[int, int]) -> set[int]:
    cursor = context.archive.comments.cursor
    return {
        channel for channel, group in channels.items() if group not in listed or listed[group] > cursor(channel, group)
    }
