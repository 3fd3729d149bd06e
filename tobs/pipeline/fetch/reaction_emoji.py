"""Custom emoji among reactions: Telegram is asked once which emoji stands for each."""

from __future__ import annotations

from loguru import logger

from tobs.errors import RequestRefused
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.telegram.facade import Telegram

#: As many as Telegram answers at a time. Source: https://core.telegram.org/method/messages.getCustomEmojiDocuments
_TOGETHER = 200


async def fetch_reaction_emoji(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram) -> bool:
    """Ask about the custom emoji that nothing is known of; whether there were any. Their notes are stale then."""
    emoji = context.archive.emoji
    asked = False
    while ids := await archive_thread(emoji.unknown, _TOGETHER):
        try:
            told = await telegram.custom_emoji(ids)
        except RequestRefused as refused:
            logger.info("Telegram does not tell custom emoji: {}", refused)
            return asked
        await archive_thread(emoji.put, {one: told.get(one, "") for one in ids})
        asked = True
    return asked
