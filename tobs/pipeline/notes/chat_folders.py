"""Folders of chats: a chat gets its note, folder, tables and layout, or is filed in the folder of another chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace

from tobs.archive import NoteRow
from tobs.model import Chat, Topic, story_peer
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.message_folders import folder_key, folder_of, layout_of
from tobs.vault.layout import (
    VAULT_BASE,
    VAULT_INDEX,
    LayoutName,
    chat_base_path,
    chat_candidates,
    choose_layout,
)


def open_chat(
    context: RunContext,
    chat: Chat,
    *,
    parent: ChatFolder | None = None,
    is_part: bool = False,
    messages: int | None = None,
    source: str = "",
) -> ChatFolder:
    """Give ``chat`` its note, folder and layout, or file it in those of ``parent``.

    The data of the chat is recorded; its note becomes stale if they changed. ``messages`` is the number of messages
    for the choice of a layout, if it is not that of its own history. ``source`` is the name of its source (empty: the
    recorded one).
    """
    archive = context.archive
    if parent is not None:
        archive.chats.put(context.account, chat, source=source)
        return ChatFolder(chat, parent.note_id, parent.folder, parent.filed_under, parent.layout, is_part)
    with archive.transaction():
        if chat.migrated_from:
            _take_over_group(context, chat)
        before = archive.chats.get(context.account, chat.id)
        archive.chats.put(context.account, chat, source=source)
        note = archive.notes.claim(
            str(chat.id),
            "chat",
            account=context.account,
            chat_id=chat.id,
            message_id=0,
            candidates=chat_candidates(chat.title, chat.id),
        )
        if before is not None and _fields_in_note(before) != _fields_in_note(chat):
            archive.notes.mark_stale([note.id])
        _claim_bases(context, note)
        layout = _layout(context, chat.id, messages if messages is not None else chat.count or 0)
    return ChatFolder(chat, note.id, folder_of(archive, note), chat.id, layout, is_part)


def _take_over_group(context: RunContext, chat: Chat) -> None:
    """Give ``chat`` the note, tables, folder and layout of the basic group that it grew from, if the vault has them.

    So there is one note for both.
    """
    archive, old, new = context.archive, str(chat.migrated_from), str(chat.id)
    if archive.notes.by_tobs_id(old) is None or archive.notes.by_tobs_id(new) is not None:
        return
    for part in ("", "/base"):
        archive.notes.take_over(old + part, new + part, context.account, chat.id)
    if (folder := archive.meta.get(folder_key(old))) is not None:
        archive.meta.set(folder_key(new), folder)
        archive.meta.set(folder_key(old), None)
    layout = archive.chats.layout(context.account, chat.migrated_from)
    if layout is not None:
        archive.chats.set_layout(context.account, chat.id, *layout)


def known_folder(context: RunContext, chat: Chat) -> ChatFolder:
    """Return the folder that an earlier run gave to a chat, or that of the chat in which it is filed.

    Without either, the note id is 0 and the folder is empty.
    """
    archive = context.archive
    note = archive.notes.by_tobs_id(str(chat.id))
    if note is None and (host := _host(context, chat)) is not None:
        chat_folder = known_folder(context, host)
        chat = replace(chat, top=archive.messages.newest_id(context.account, chat.id))
        return replace(
            chat_folder,
            chat=chat,
            filed_under=host.id if chat.migrated_to else chat.id,
            is_filed_elsewhere=not chat.migrated_to,
        )
    layout = layout_of(archive, context.account, chat.id)
    return ChatFolder(chat, note.id if note else 0, folder_of(archive, note) if note else "", chat.id, layout)


def _host(context: RunContext, chat: Chat) -> Chat | None:
    """Return the chat in whose folder ``chat`` is filed if it has no note of its own.

    That is the supergroup that a group became, the peer of stories, or the channel whose posts a group discusses.
    """
    chats = context.archive.chats
    if host := chat.migrated_to or story_peer(chat.id):
        return chats.get(context.account, host)
    channels = context.archive.comments.channels_of(chat.id) if chat.kind == "supergroup" else []
    return next(
        (known for channel_id in channels if (known := chats.get(context.account, channel_id)) is not None), None
    )


def _layout(context: RunContext, chat_id: int, messages: int) -> LayoutName:
    """Return the layout of a chat, and choose it if the chat is new; ``messages`` is the number of its messages."""
    known = context.archive.chats.layout(context.account, chat_id)
    if known is None:
        known = choose_layout(context.layout, messages)
        context.archive.chats.set_layout(context.account, chat_id, *known)
    return cast("LayoutName", known[0])


def open_topics(context: RunContext, chat: Chat, topics: Sequence[Topic]) -> None:
    """Record the current topics of ``chat``; its note becomes stale if they changed."""
    archive = context.archive
    with archive.transaction():
        if archive.topics.put(context.account, chat.id, topics):
            note = archive.notes.by_tobs_id(str(chat.id))
            archive.notes.mark_stale([note.id] if note else [])


def _claim_bases(context: RunContext, note: NoteRow) -> None:
    """Claim the paths of the Obsidian bases of the chat of ``note`` and of the vault, and of the list of all
    chats."""
    for tobs_id, chat_id, path in (
        ("base", 0, VAULT_BASE),
        (f"{note.chat_id}/base", note.chat_id, chat_base_path(note.path)),
        ("index", 0, VAULT_INDEX),
    ):
        kind = "index" if tobs_id == "index" else "base"
        context.archive.notes.claim(
            tobs_id, kind, account=context.account, chat_id=chat_id, message_id=0, candidates=[path]
        )


def _fields_in_note(chat: Chat) -> tuple[object, ...]:
    """Return the fields of a chat that its note shows, without counters that change by themselves (invariant 4)."""
    photo = chat.photo.remote.key if chat.photo is not None and chat.photo.remote is not None else ""
    return (chat.title, chat.username, chat.about, chat.kind, chat.pinned, chat.linked_chat, chat.migrated_from, photo)
