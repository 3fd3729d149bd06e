"""Decide which files of a chat are wanted."""

from __future__ import annotations

import sys
from functools import cache

from tobs.archive import Decide, MediaDecision
from tobs.config import Settings
from tobs.media.policy import ChatMediaPolicy, MediaPolicy, decide_fetch
from tobs.model import Chat, FileItem, Message, story_peer
from tobs.model.events import MediaCounted
from tobs.pipeline.context.run_context import RunContext


def media_policy(settings: Settings, *, any_size: bool = False) -> MediaPolicy:
    """Return the media policy of the settings, for all and for single chats; with ``any_size`` without limits of
    size."""
    chats = [
        ChatMediaPolicy(
            target, None if chat.media is None else frozenset(chat.media), None if any_size else chat.max_size
        )
        for target, chat in settings.chats.items()
    ]
    return MediaPolicy(frozenset(settings.media), sys.maxsize if any_size else settings.max_size, tuple(chats))


def media_decision(context: RunContext, policy: MediaPolicy) -> Decide:
    """Return the function that decides for each file of a message; it runs on the archive thread."""

    @cache
    def wanted_of(chat_id: int) -> MediaPolicy:
        peer = story_peer(chat_id) or chat_id
        chat = context.archive.chats.get(context.account, peer)
        return policy_of(context, chat, policy) if chat is not None else policy

    def decide(message: Message, item: FileItem) -> MediaDecision:
        decision = decide_fetch(message, item, wanted_of(message.chat_id) if policy.chats else policy)
        return MediaDecision(decision.state, decision.reason, decision.rank)

    return decide


def policy_of(context: RunContext, chat: Chat, policy: MediaPolicy) -> MediaPolicy:
    """Return the policy for ``chat``; for a basic group, that of the supergroup that it became."""
    supergroup = (
        context.archive.chats.get(context.account, chat.migrated_to) if policy.chats and chat.migrated_to else None
    )
    return policy.of(supergroup or chat)


def want_media(context: RunContext, chat: Chat, policy: MediaPolicy) -> int:
    """Retry failed files of ``chat`` and apply the current policy; return the number of files that are not attached
    yet."""
    archive = context.archive
    archive.media.retry_failed(context.account, chat.id)
    reconsider(context, chat, policy)
    counts = archive.media.counts(context.account, chat.id)
    waiting = counts.get("wanted", 0) + counts.get("staged", 0)
    context.events.emit(MediaCounted(wanted=waiting))
    return waiting


def reconsider(context: RunContext, chat: Chat, policy: MediaPolicy) -> None:
    """Decide again about the files of ``chat`` if its policy changed."""
    archive, now = context.archive, policy_of(context, chat, policy)
    key, wanted = f"media_policy/{chat.id}", f"{sorted(now.kinds)} {now.max_size}"
    if archive.meta.get(key) != wanted:
        archive.media.reconsider(context.account, chat.id, media_decision(context, policy))
        archive.meta.set(key, wanted)
