"""Which notes are made again: all, those of chats, those of a period. Found by what the archive knows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, marked_channel
from tobs.pipeline.desk import Desk
from tobs.pipeline.selection import fits

_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(?:c/(\d+)|(\w+))", re.IGNORECASE)
_FOLDER = "folder:"


class Scope(Struct, frozen=True):
    """``chats``: those that were named (none: everything); ``since`` and ``until`` are Unix seconds (0: no bound)."""

    chats: tuple[Chat, ...] = ()
    since: float = 0
    until: float = 0

    @property
    def is_everything(self) -> bool:
        """Whether every note is meant."""
        return not self.chats and not self.has_period

    @property
    def has_period(self) -> bool:
        """Whether only messages of a period are meant."""
        return bool(self.since or self.until)


def chats_here(desk: Desk) -> list[Chat]:
    """The chats that have a note of their own in this vault."""
    notes = desk.archive.notes
    return [chat for chat in desk.archive.chats.all(desk.account) if notes.by_tobs_id(str(chat.id)) is not None]


def named_chats(desk: Desk, targets: Sequence[str]) -> list[Chat]:
    """The chats of the vault that ``targets`` name, each once. Raises TargetNotFound, UsageError."""
    here = chats_here(desk)
    found = {chat.id: chat for target in targets for chat in [_named(target, here)]}
    return list(found.values())


def _named(target: str, here: Sequence[Chat]) -> Chat:
    text = target.strip()
    if text.lower().startswith(_FOLDER):
        raise UsageError(f"'{target}': only Telegram knows what is in a folder.", "Name the chats.")
    if link := _LINK.match(text):
        text = str(marked_channel(int(link[1]))) if link[1] else f"@{link[2]}"
    exact = [chat for chat in here if chat.title.casefold() == text.casefold()]
    found = exact or [chat for chat in here if fits(text, chat) or str(chat.migrated_from or "") == text]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:5])
        raise TargetNotFound(f"'{target}' fits {len(found)} chats of the vault: {names}.", "Give the id instead.")
    raise TargetNotFound(f"'{target}' is not in this vault.", "Export it first.")


def mark_stale(desk: Desk, scope: Scope) -> None:
    """Mark the notes of ``scope`` as to be made again."""
    notes, account = desk.archive.notes, desk.account
    if scope.is_everything:
        notes.mark_all_stale()
        return
    until = scope.until or float("inf")
    for chat in scope.chats or chats_here(desk):
        for chat_id in (chat.id, chat.migrated_from):
            if chat_id and scope.has_period:
                notes.mark_stale_between(account, chat_id, scope.since, until)
            elif chat_id:
                notes.mark_stale_in(account, chat_id)


def restore(desk: Desk, scope: Scope) -> None:
    """Want back the notes and files of ``scope`` that their owner deleted. Files have to be fetched again."""
    archive = desk.archive
    ids = [one for chat in scope.chats for one in (chat.id, chat.migrated_from) if one]
    with archive.transaction():
        archive.notes.restored(desk.account, ids if scope.chats else None)
        for files in archive.files.all():
            for file in files:
                if file.is_lost and (not ids or file.owner.chat_id in ids):
                    archive.media.want_again(file.sha256)
                    archive.files.forget(file.sha256)
