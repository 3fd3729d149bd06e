"""Changes of comments under the posts of channels: they are messages of another chat, the discussion group."""

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
    """Record edits and deletions of comments under the channels among ``chats``, and find the channels with new ones.

    One request gives the newest id and the pts of a hundred groups. The comments of a group that cannot be read are
    fetched post by post, so its channel counts as one with new comments.
    """
    channels = await archive_thread(_with_comments, context, chats)
    if not channels:
        return
    try:
        listed = {dialog.chat.id: dialog for dialog in await telegram.peer_dialogs(channels.values())}
    except FloodWait:
        raise
    except (RequestRefused, TargetNotFound):
        listed = {}
    for group in await archive_thread(_changed_groups, context, listed.values()):
        try:
            await syncer.fetch_comment_changes(group)
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, f"comments in {group.title}")
    syncer.pending.commented |= await archive_thread(
        _with_new_comments, context, channels, {id: dialog.top for id, dialog in listed.items()}
    )


def _changed_groups(context: RunContext, listed: Iterable[PeerDialog]) -> list[Chat]:
    """Return the groups with changes, without those that are tracked themselves."""
    updates, account = context.archive.updates, context.account
    tracked, changed = updates.tracked(account), list[Chat]()
    for dialog in listed:
        state = updates.state(account, dialog.chat.id)
        if dialog.chat.id not in tracked and (state is None or state.pts != dialog.pts):
            changed.append(dialog.chat)
    return changed


def groups_of(context: RunContext, chats: Iterable[Chat]) -> dict[int, int]:
    """Return the channels whose comments are archived, by their discussion group."""
    return {group: channel for channel, group in _with_comments(context, chats).items()}


def _with_comments(context: RunContext, chats: Iterable[Chat]) -> dict[int, int]:
    wanted = context.archive.comments.are_wanted
    return {
        chat.id: chat.linked_chat for chat in chats if chat.kind == "channel" and chat.linked_chat and wanted(chat.id)
    }


def _with_new_comments(context: RunContext, channels: Mapping[int, int], listed: Mapping[int, int]) -> set[int]:
    cursor = context.archive.comments.cursor
    return {
        channel for channel, group in channels.items() if group not in listed or listed[group] > cursor(channel, group)
    }
