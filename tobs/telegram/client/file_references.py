"""Renewal of expired file references by fetching the message of the file again.

Source: https://core.telegram.org/api/file-references
"""

from __future__ import annotations

from loguru import logger

from tobs.errors import FloodWait, RequestRefused, TargetNotFound
from tobs.model import Message, MessageKey, RemoteFile, message_files, story_peer
from tobs.telegram.client.chat_extras import ChatExtras
from tobs.telegram.client.files import renewed_reference
from tobs.telegram.client.history import History
from tobs.telegram.net.events import OnEvent, ReferenceRenewed
from tobs.telegram.stores import PostOf


class FileReferences:
    """Renewal of file references; fetches the messages again."""

    def __init__(self, history: History, chat_extras: ChatExtras, post_of: PostOf, on_event: OnEvent) -> None:
        self._history = history
        self._chat_extras = chat_extras
        self._post_of = post_of
        self._on_event = on_event

    async def __call__(self, key: MessageKey, stale: RemoteFile) -> RemoteFile | None:
        """Return ``stale`` with a fresh reference; None when the message is gone or has another file now."""
        message = await self._refetch_message(key)
        files = message_files(message) if message is not None else ()
        fresh = renewed_reference(stale, files)
        if fresh is not None:
            self._on_event(ReferenceRenewed(key.chat_id, key.id))
        return fresh

    async def _refetch_message(self, key: MessageKey) -> Message | None:
        if peer := story_peer(key.chat_id):
            return await self._chat_extras.story(peer, key.id)
        try:
            return await self._history.message(key.chat_id, key.id)
        except FloodWait:
            raise
        except (RequestRefused, TargetNotFound) as refused:
            # Messages of an unreadable discussion group can be read only as comments of the channel's posts.
            post = await self._post_of(key.chat_id, key.id)
            if post is None:
                raise
            logger.debug("message {} of {}: {}; requested as a comment", key.id, key.chat_id, refused)
            return await self._history.message_in_thread(*post, key.id)
