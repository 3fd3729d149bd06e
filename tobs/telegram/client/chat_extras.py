"""Requests about a chat beside its messages: forum topics, comment counts, stories, tags of Saved Messages.

Sources: https://core.telegram.org/api/discussion https://core.telegram.org/api/saved-messages
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from telethon.tl import functions, types

from tobs.model import Chat, Message, Page, Topic
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.stories import StorySample, all_stories, sample_stories, story_by_id
from tobs.telegram.client.topics import all_topics, topics_by_id
from tobs.telegram.convert.messages import tag_of
from tobs.telegram.net.invoker import Invoker


class CommentCount(NamedTuple):
    """Telegram's count of a post's comments, and the newest one's id in the discussion group (0: not given)."""

    number: int
    newest: int


class ChatExtras:
    """The part of ``Telegram`` for topics, comment counts, stories and saved tags. ``me`` is the account's user id."""

    def __init__(self, invoker: Invoker, peers: PeerDirectory, *, me: int) -> None:
        self._invoker = invoker
        self._peers = peers
        self._me = me

    async def topics(self, chat_id: int, ids: Sequence[int] = ()) -> list[Topic]:
        """Return the topics of a forum by id: all of them, or the existing ones of ``ids`` (at most 100)."""
        if ids:
            return await topics_by_id(self._invoker, self._peers, chat_id, ids)
        return await all_topics(self._invoker, self._peers, chat_id)

    async def known_chat(self, chat_id: int) -> Chat:
        """Return a channel or supergroup as earlier answers named it, without a request. Raises TargetNotFound."""
        return await self._peers.known_chat(chat_id)

    async def comment_counts(self, chat_id: int, ids: Sequence[int]) -> dict[int, CommentCount]:
        """Count the comments of at most 100 posts of a channel by one request; no view is counted.

        Posts that cannot be commented are missing in the result.
        """
        peer = await self._peers.input_peer(chat_id)
        request = functions.messages.GetMessagesViewsRequest(peer, list(ids), increment=False)
        answer = await self._invoker(request)
        self._peers.remember(answer.users, answer.chats)
        found = zip(ids, (views.replies for views in answer.views), strict=False)
        return {
            post_id: CommentCount(replies.replies, replies.max_id or 0)
            for post_id, replies in found
            if replies is not None and replies.comments
        }

    def stories(self, peer_id: int) -> AsyncIterator[Page]:
        """Yield every story of a peer that the account may see, as pages."""
        return all_stories(self._invoker, self._peers, peer_id, me=self._me)

    async def sample_stories(self, peer_id: int) -> StorySample:
        """Return the number of stories of a peer and a page of each list; one or two requests for each list."""
        return await sample_stories(self._invoker, self._peers, peer_id, me=self._me)

    async def story(self, peer_id: int, story_id: int) -> Message | None:
        """Return a story by its id; None when it is gone."""
        return await story_by_id(self._invoker, self._peers, peer_id, story_id)

    async def tag_titles(self) -> dict[str, str]:
        """Return the titles of the account's saved-message tags by emoji; tags without a title are left out."""
        answer = await self._invoker(functions.messages.GetSavedReactionTagsRequest(hash=0))
        if not isinstance(answer, types.messages.SavedReactionTags):
            return {}
        return {tag_of(tag.reaction): tag.title for tag in answer.tags if tag.title}

    async def react_to_saved(self, message_id: int, emoji: str) -> None:
        """React to a message in Saved Messages; for a premium account the reaction is a tag. Raises RequestRefused.

        This is the only request of tobs that changes something in a chat.
        """
        reactions = [types.ReactionEmoji(emoji)]
        await self._invoker(
            functions.messages.SendReactionRequest(types.InputPeerSelf(), message_id, reaction=reactions)
        )
