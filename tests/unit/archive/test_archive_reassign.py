"""Rows that turn out to be somebody else's: imported before a login, or under a group that was not known yet."""

from __future__ import annotations

import sqlite3

from archive_builders import ACCOUNT, message, page, want_all

from tobs.archive import Archive, record_page
from tobs.archive.reassign import TABLES
from tobs.model import Chat, MessageKey, Reply


def test_every_table_about_chats_is_known_to_moving(archive: Archive) -> None:
    with sqlite3.connect(archive.path) as outside:
        names = [name for (name,) in outside.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: {row[1] for row in outside.execute(f"PRAGMA table_info({table})")} for table in names}
    outside.close()
    # What has no account is about channels and supergroups alone.
    about = {table for table, has in columns.items() if {"account", "chat_id"} <= has}
    assert about | {"chats"} == set(TABLES)


def test_private_chats_of_nobody_become_the_accounts_and_channels_stay_everybodys(archive: Archive) -> None:
    private, channel = 77, -1000000000077
    for chat_id in (private, channel):
        record_page(archive, 0, page([message(3, chat_id=chat_id)]), want_all, source="desktop")
        archive.chats.put(0, Chat(chat_id, "private" if chat_id > 0 else "channel", "Pier"))
    archive.adopt(ACCOUNT)
    assert archive.messages.get(MessageKey(ACCOUNT, private, 3)) is not None
    assert archive.messages.get(MessageKey(0, channel, 3)) is not None
    assert archive.coverage.covered(ACCOUNT, private) and archive.coverage.covered(0, channel)
    archive.adopt(ACCOUNT)


def test_a_group_whose_id_is_known_now_keeps_its_messages_and_notes(archive: Archive) -> None:
    before, after = -500000000077, -123
    archive.chats.put(ACCOUNT, Chat(before, "group", "Pier"))
    told = [message(3, chat_id=before), message(4, chat_id=before, reply=Reply(message_id=3, chat_id=before))]
    record_page(archive, ACCOUNT, page(told), want_all, source="desktop")
    note = archive.notes.claim(
        f"{before}/3", "message", account=ACCOUNT, chat_id=before, message_id=3, candidates=iter(["a.md"])
    )
    archive.notes.assign(note.id, [MessageKey(ACCOUNT, before, 3)])
    assert archive.rename_chat(before, after) and not archive.rename_chat(before, after)
    moved = archive.messages.get(MessageKey(ACCOUNT, after, 4))
    assert moved is not None and moved.chat_id == after and moved.reply == Reply(message_id=3, chat_id=after)
    found = archive.notes.by_tobs_id(f"{after}/3")
    assert found is not None and (found.id, found.path, found.chat_id) == (note.id, "a.md", after)
    assert archive.messages.get(MessageKey(ACCOUNT, before, 3)) is None
