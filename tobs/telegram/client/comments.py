"""How many comments the posts of a channel have now, and which is the newest.

Source: https://core.telegram.org/api/discussion
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from telethon.tl import functions

from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.net.invoker import Invoker


class CommentCount(NamedTuple):
    """Telegram's count of a post's comments, and the id of the newest in the discussion group (0: not told)."""

    number: int
    newest: int


async def comment_counts(
    invoker: Invoker, directory: PeerDirectory, chat_id: int, ids: Sequence[int]
) -> dict[int, CommentCount]:
    """Of at most a hundred posts those that can be commented; no view is counted."""
    peer = await directory.input_peer(chat_id)
    answer = await invoker(functions.messages.GetMessagesViewsRequest(peer, list(ids), increment=False))
    directory.remember(answer.users, answer.chats)
    found = zip(ids, (views.replies for views in answer.views), strict=False)
    return {
        post_id: CommentCount(replies.replies, replies.max_id or 0)
        for post_id, replies in found
        if replies is not None and replies.comments
    }
