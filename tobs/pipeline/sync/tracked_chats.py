"""The chats of a sync: those of the vault, found in the archive, usually without a request."""

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
    """Return the chats of the vault that ``targets`` name, by id; without targets all tracked chats.

    Raises UsageError for a vault without chats, TargetNotFound for a target that is not in it.
    """
    archived = await archive_thread(_chats_of_vault, archive, account)
    if not archived:
        raise UsageError("This vault has no chats to sync.", "Begin with `tobs export TARGET`.")
    if not targets:
        tracked = await archive_thread(archive.updates.tracked, account)
        return {chat_id: chat for chat_id, chat in archived.items() if chat_id in tracked}
    selected: dict[int, Chat] = {}
    for target in targets:
        for chat in await _named(telegram, target, archived):
            selected[chat.id] = chat
            if chat.migrated_from in archived:
                selected[chat.migrated_from] = archived[chat.migrated_from]
    return selected


def _chats_of_vault(archive: Archive, account: int) -> dict[int, Chat]:
    tracked, sources = archive.updates.tracked(account), archive.chats.sources(account)
    chats = archive.chats.all(account)
    # Other chats were only mentioned, or their messages are comments under the posts of a channel.
    return {chat.id: chat for chat in chats if chat.id in tracked or _is_tracked(archive, chat, sources)}


def _is_tracked(archive: Archive, chat: Chat, sources: Mapping[int, str]) -> bool:
    """Return whether a chat has a note in the vault and Telegram sends its changes."""
    return continuing(sources[chat.id]).name == TELEGRAM and archive.notes.by_tobs_id(str(chat.id)) is not None


async def _named(telegram: Telegram, target: str, archived: dict[int, Chat]) -> list[Chat]:
    """Return the chats of the vault that a target means. Only a link, a folder or an unknown name needs a request."""
    exact = [chat for chat in archived.values() if chat.title.casefold() == target.strip().casefold()]
    found = exact or [chat for chat in archived.values() if fits(target, chat)]
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:5])
        raise TargetNotFound(f"'{target}' fits {len(found)} chats of the vault: {names}.", "Give the id instead.")
    meant = [archived[chat.id] for chat in await telegram.expand(target) if chat.id in archived]
    if not meant:
        raise TargetNotFound(f"'{target}' is not in this vault.", f"Run `tobs export {target}` first.")
    return meant
