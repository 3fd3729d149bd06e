"""Which chats a sync is about: those of the vault, as a rule found by what the archive knows, for no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tobs.archive import Archive
from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.select.selection import fits
from tobs.sources.registry import continuing
from tobs.sources.telegram import TELEGRAM
from tobs.telegram.facade import Telegram


async def choose_tracked(
    archive: Archive, account: int, archive_thread: ArchiveThread, telegram: Telegram, targets: Sequence[str]
) -> dict[int, Chat]:
    """The chats of the vault that ``targets`` name, by id; without targets those that are kept in step.

    Raises UsageError for a vault without chats, TargetNotFound for a target that is not in it.
    """
    here = await archive_thread(_chats_of_vault, archive, account)
    if not here:
        raise UsageError("There is nothing in this vault to keep in step.", "Begin with `tobs export TARGET`.")
    if not targets:
        followed = await archive_thread(archive.updates.tracked, account)
        return {chat_id: chat for chat_id, chat in here.items() if chat_id in followed}
    chosen: dict[int, Chat] = {}
    for target in targets:
        for chat in await _named(telegram, target, here):
            chosen[chat.id] = chat
            if chat.migrated_from in here:
                chosen[chat.migrated_from] = here[chat.migrated_from]
    return chosen


def _chats_of_vault(archive: Archive, account: int) -> dict[int, Chat]:
    followed, sources = archive.updates.tracked(account), archive.chats.sources(account)
    chats = archive.chats.all(account)
    # Others were only seen in passing, or their messages lie under the posts of a channel.
    return {chat.id: chat for chat in chats if chat.id in followed or _is_tracked(archive, chat, sources)}


def _is_tracked(archive: Archive, chat: Chat, sources: Mapping[int, str]) -> bool:
    """Tell if Telegram has what happens in a chat that is in the vault."""
    return continuing(sources[chat.id]).name == TELEGRAM and archive.notes.by_tobs_id(str(chat.id)) is not None


async def _named(telegram: Telegram, target: str, here: dict[int, Chat]) -> list[Chat]:
    """The chats of the vault that a target means. Only a link, a folder or an unknown name is asked of Telegram."""
    exact = [chat for chat in here.values() if chat.title.casefold() == target.strip().casefold()]
    found = exact or [chat for chat in here.values() if fits(target, chat)]
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:5])
        raise TargetNotFound(f"'{target}' fits {len(found)} chats of the vault: {names}.", "Give the id instead.")
    meant = [here[chat.id] for chat in await telegram.expand(target) if chat.id in here]
    if not meant:
        raise TargetNotFound(f"'{target}' is not in this vault.", f"Run `tobs export {target}` first.")
    return meant
