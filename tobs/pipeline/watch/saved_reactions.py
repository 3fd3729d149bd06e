"""Reactions to messages in Saved Messages that are in the vault, if the owner has set one."""

from __future__ import annotations

from tobs.archive import Archive
from tobs.errors import FloodWait, RequestRefused
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.telegram.facade import Telegram


async def answer_saved(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, reaction: str) -> None:
    """React to the messages in Saved Messages that are newer than the last reaction; with an empty ``reaction`` send
    nothing.

    Messages that are older than the setting get no reaction. A reaction that Telegram refuses is reported and not tried
    again. After a flood wait or a network error the next call continues; a reaction sent twice is one reaction.
    """
    unanswered = await archive_thread(_unanswered, context.archive, context.account, is_on=bool(reaction))
    for message_id in unanswered:
        try:
            await telegram.chat_extras.react_to_saved(message_id, reaction)
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, f"reaction to message {message_id} of Saved Messages")
        await archive_thread(context.archive.meta.set, _key(context.account), str(message_id))


def _unanswered(archive: Archive, account: int, *, is_on: bool) -> list[int]:
    """Return the ids of the messages that still get a reaction, oldest first."""
    key, newest = _key(account), archive.messages.newest_id(account, account)
    last = archive.meta.get(key)
    if not is_on:
        if last is not None:
            archive.meta.set(key, None)
        return []
    if last is None:
        archive.meta.set(key, str(newest))
        return []
    return [message.id for message in archive.messages.range(account, account, int(last) + 1, newest)]


def _key(account: int) -> str:
    return f"answered/{account}"
