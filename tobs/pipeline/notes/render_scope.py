"""Which notes are made again: all, those of chats, those of a period."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tobs.pipeline.context.run_context import ChatFolder, RunContext


class Scope(Struct, frozen=True):
    """The chats, and whether they were ``named`` (else everything is meant); ``since`` and ``until`` are Unix seconds
    (0: no bound)."""

    chat_folders: Sequence[ChatFolder]
    named: bool = False
    since: float = 0
    until: float = 0


def mark_stale(context: RunContext, scope: Scope) -> None:
    """Mark the notes of ``scope`` as to be made again."""
    notes = context.archive.notes
    if not scope.named and not scope.since and not scope.until:
        notes.mark_all_stale()
        return
    for chat_folder in scope.chat_folders:
        if scope.since or scope.until:
            notes.mark_stale_between(context.account, chat_folder.chat.id, scope.since, scope.until or float("inf"))
        else:
            notes.mark_stale_in(context.account, chat_folder.chat.id)


def restore(context: RunContext, scope: Scope) -> None:
    """Want back the notes and files of ``scope`` that their owner deleted. Files have to be fetched again."""
    archive = context.archive
    ids = [chat_folder.chat.id for chat_folder in scope.chat_folders] if scope.named else []
    with archive.transaction():
        archive.notes.restore_deleted(context.account, ids if scope.named else None)
        for files in archive.files.all():
            for file in files:
                if file.is_lost and (not ids or file.owner.chat_id in ids):
                    archive.media.want_again(file.sha256)
                    archive.files.forget(file.sha256)
