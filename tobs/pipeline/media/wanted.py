"""Which files are wanted of which chat."""

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
    """Which media the settings want, in general and of single chats; with ``any_size`` whatever their size."""
    wishes = [
        ChatMediaPolicy(which, None if one.media is None else frozenset(one.media), None if any_size else one.max_size)
        for which, one in settings.chats.items()
    ]
    return MediaPolicy(frozenset(settings.media), sys.maxsize if any_size else settings.max_size, tuple(wishes))


def media_decision(context: RunContext, policy: MediaPolicy) -> Decide:
    """What the owner wants, as the archive asks it, in the keeper's thread."""

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
    """What is wanted of ``chat``; of a basic group what is wanted of the supergroup that it became."""
    grown = context.archive.chats.get(context.account, chat.migrated_to) if policy.chats and chat.migrated_to else None
    return policy.of(grown or chat)


def want_media(context: RunContext, chat: Chat, policy: MediaPolicy) -> int:
    """What failed before is tried again, and what is wanted is what this run's owner wants. How many files of ``chat``
    are still to come into the vault."""
    archive = context.archive
    archive.media.retry_failed(context.account, chat.id)
    reconsider(context, chat, policy)
    counts = archive.media.counts(context.account, chat.id)
    waiting = counts.get("wanted", 0) + counts.get("staged", 0)
    context.events.emit(MediaCounted(wanted=waiting))
    return waiting


def reconsider(context: RunContext, chat: Chat, policy: MediaPolicy) -> None:
    """Judge the files of ``chat`` again, where other ones are wanted than before."""
    archive, now = context.archive, policy_of(context, chat, policy)
    key, wanted = f"media_policy/{chat.id}", f"{sorted(now.kinds)} {now.max_size}"
    if archive.meta.get(key) != wanted:
        archive.media.reconsider(context.account, chat.id, media_decision(context, policy))
        archive.meta.set(key, wanted)
