"""What an import left open, closed with Telegram: files that the export left out, and the id of the group that a
supergroup grew from."""

from __future__ import annotations

from tobs.archive import Decide, record_page
from tobs.model import Chat
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.sources.registry import SOURCES
from tobs.telegram.facade import Telegram

#: Messages asked for at a time: the most that Telegram gives.
_BATCH = 100


def record_old_group(context: RunContext, chat: Chat) -> None:
    """Where an import could not tell which group ``chat`` grew from, it is known now."""
    for kind in SOURCES.values() if chat.migrated_from else ():
        if kind.unknown_group is not None:
            context.archive.rename_chat(kind.unknown_group(chat.id), chat.migrated_from)


async def complete_imported(
    context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, chat: Chat, decide: Decide
) -> None:
    """Ask Telegram for the messages whose files an import left out: then they are wanted like any others. Nothing is
    asked where nothing was imported."""
    after = 0
    while ids := await archive_thread(
        context.archive.media.left_out, context.account, chat.id, after=after, limit=_BATCH
    ):
        page, gone = await telegram.messages_by_id(chat.id, ids)
        await archive_thread(record_page, context.archive, context.account, page, decide)
        if gone:
            await archive_thread(
                context.archive.media.lost, context.account, chat.id, gone, "the message is gone from Telegram"
            )
        after = ids[-1]
