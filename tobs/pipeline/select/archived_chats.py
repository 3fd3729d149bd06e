"""Find the account and the chats of a vault in its archive, without Telegram."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from tobs.archive import Archive
from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, marked_channel, story_peer
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.chat_folders import known_folder
from tobs.pipeline.select.selection import fits

#: A link that names a chat by its id or its username.
_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(?:c/(\d+)|(\w{4,32}))", re.IGNORECASE)


def store_account(archive: Archive, name: str, account: int) -> None:
    """Store the user id of the account ``name`` of the settings.

    The first account gets what was imported before any login.
    """
    if not stored_account(archive, name):
        archive.adopt(account)
    archive.meta.set(f"account/{name}", str(account))


def stored_account(archive: Archive, name: str) -> int:
    """Return the user id of the account ``name``; 0 (which sees channels and supergroups) if it is not stored."""
    return int(archive.meta.get(f"account/{name}") or 0)


def archived_folders(context: RunContext, targets: Sequence[str]) -> list[ChatFolder]:
    """Return the chats of the vault that ``targets`` name (none: all), by id.

    Each comes with all that is filed in its folder: its old group, stories, comments. Raises TargetNotFound for a
    target that is not in the vault or fits several chats, UsageError for an empty vault.
    """
    chats = context.archive.chats.all(context.account, stories=True)
    chat_folders = [chat_folder for chat in chats if (chat_folder := _chat_folder(context, chat)) is not None]
    if not chat_folders:
        raise UsageError("There are no chats in this vault.", "Begin with `tobs export TARGET`.")
    chat_folders.sort(key=lambda chat_folder: chat_folder.is_filed_elsewhere)
    if not targets:
        return chat_folders
    named = {_named(chat_folders, target.strip()).note_id for target in targets}
    return [chat_folder for chat_folder in chat_folders if chat_folder.note_id in named]


def _named(chat_folders: Sequence[ChatFolder], target: str) -> ChatFolder:
    if link := _LINK.match(target):
        target = str(marked_channel(int(link[1]))) if link[1] else f"@{link[2]}"
    own = [
        chat_folder
        for chat_folder in chat_folders
        if not (chat_folder.is_filed_elsewhere or chat_folder.chat.migrated_to)
    ]
    others = [
        chat_folder for chat_folder in chat_folders if chat_folder not in own and not story_peer(chat_folder.chat.id)
    ]
    matches = _fitting(own, target) or _fitting(others, target)
    if not matches:
        raise TargetNotFound(f"'{target}' is not in this vault.", f"Run `tobs export {target}` first.")
    if len(matches) > 1:
        names = ", ".join(f"{chat_folder.chat.title} ({chat_folder.chat.id})" for chat_folder in matches[:5])
        raise TargetNotFound(f"'{target}' fits {len(matches)} chats of the vault: {names}.", "Give the id instead.")
    return matches[0]


def _fitting(chat_folders: Sequence[ChatFolder], target: str) -> list[ChatFolder]:
    exact = [chat_folder for chat_folder in chat_folders if chat_folder.chat.title.casefold() == target.casefold()]
    return exact or [chat_folder for chat_folder in chat_folders if fits(target, chat_folder.chat)]


def _chat_folder(context: RunContext, chat: Chat) -> ChatFolder | None:
    """Return the folder of a chat; None for a chat that has none.

    A chat without messages up to the watermark counts as a part.
    """
    archive, chat_folder = context.archive, known_folder(context, chat)
    if not chat_folder.note_id:
        return None
    watermark = archive.coverage.watermark(context.account, chat.id)
    return replace(chat_folder, is_part=not archive.messages.has_upto(context.account, chat.id, watermark))
