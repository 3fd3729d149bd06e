"""A message to oneself is answered with a reaction once it is in the vault, where its owner asked for that."""

from __future__ import annotations

from tobs.archive import Archive
from tobs.errors import FloodWait, RequestRefused
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.telegram.facade import Telegram


async def answer_saved(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, reaction: str) -> None:
    """React to what came into Saved Messages since the last answer; ``reaction`` empty: nothing is sent.

    What is there when answers begin is left alone. One that Telegram refuses is told and not tried again; what stops
    it before (a flood wait, the network) is met again by the next call, and a reaction sent twice is one reaction.
    """
    due = await archive_thread(_due, context.archive, context.account, is_on=bool(reaction))
    for message_id in due:
        try:
            await telegram.chat_extras.react_to_saved(message_id, reaction)
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, f"reaction to message {message_id} of Saved Messages")
        await archive_thread(context.archive.meta.set, _key(context.account), str(message_id))


def _due(archive: Archive, account: int, *, is_on: bool) -> list[int]:
    """The messages to oneself that are still to be answered, oldest first."""
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
