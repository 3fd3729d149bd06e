"""What gathers around a chat: a forum's topics, the comments of a channel's posts, the tags of Saved Messages,
stories."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from tobs.model import Chat, Message, Page, Topic
from tobs.telegram.client.comments import CommentCount, comment_counts
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.saved import react_to_saved, tag_titles
from tobs.telegram.client.stories import StorySample, every_story, sample_stories, single_story
from tobs.telegram.client.topics import every_topic, topics_by_id
from tobs.telegram.net.invoker import Invoker


class ChatExtras:
    """Asks about what is no message; as ``Telegram``, whose part this is."""

    def __init__(self, invoker: Invoker, peers: PeerDirectory, *, me: int) -> None:
        self._invoker = invoker
        self._peers = peers
        self._me = me

    async def topics(self, chat_id: int, ids: Sequence[int] = ()) -> list[Topic]:
        """The topics of a forum by id: all of them, or those of ``ids`` (at most 100) that are there."""
        if ids:
            return await topics_by_id(self._invoker, self._peers, chat_id, ids)
        return await every_topic(self._invoker, self._peers, chat_id)

    def known_chat(self, chat_id: int) -> Chat:
        """What an answer told of a channel or supergroup that may not be asked about itself: its names."""
        return self._peers.known_chat(chat_id)

    async def comment_counts(self, chat_id: int, ids: Sequence[int]) -> dict[int, CommentCount]:
        """How many comments at most 100 posts of a channel have now, those that can be commented; one request."""
        return await comment_counts(self._invoker, self._peers, chat_id, ids)

    def stories(self, peer_id: int) -> AsyncIterator[Page]:
        """Every story of a peer that the account may see, page by page."""
        return every_story(self._invoker, self._peers, peer_id, me=self._me)

    async def sample_stories(self, peer_id: int) -> StorySample:
        """How many stories a peer has, and some of them; a request or two for each list of them."""
        return await sample_stories(self._invoker, self._peers, peer_id, me=self._me)

    async def story(self, peer_id: int, story_id: int) -> Message | None:
        """A story by its id; None when it is gone."""
        return await single_story(self._invoker, self._peers, peer_id, story_id)

    async def tag_titles(self) -> dict[str, str]:
        """What the account calls the tags of its Saved Messages, those that have a title, by their emoji."""
        return await tag_titles(self._invoker)

    async def react_to_saved(self, message_id: int, emoji: str) -> None:
        """React to a message to oneself. Raises RequestRefused."""
        await react_to_saved(self._invoker, message_id, emoji)
