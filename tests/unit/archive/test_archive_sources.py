"""Which source a chat came from: stored with it, and found out for archives that did not say it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from archive_builders import ACCOUNT, CHANNEL, PRIVATE, message, page, want_all

from tobs.archive import Archive, open_archive, record_page
from tobs.archive.database import connect
from tobs.archive.encoding import encode
from tobs.archive.migrate import migrate, shipped_migrations
from tobs.archive.recovery import recover
from tobs.model import Chat, FileItem

LIVE, IMPORTED, BOTH, SEEN, INBOX = -1000000000005, -1000000000006, -1000000000007, -1000000000008, 1


def archive_of_version_1(path: Path) -> None:
    """A vault of the first schema: a live chat, an imported one, one of both sources, one only seen, and the inbox."""
    database = connect(path)
    migrate(database, shipped_migrations()[:1])
    database.run_many(
        "INSERT INTO raw_pages (id, source, layer, data) VALUES (?, ?, 0, x'')", [(1, "telegram"), (2, "desktop")]
    )
    for chat_id in (LIVE, IMPORTED, BOTH, SEEN, INBOX):
        chat = Chat(chat_id, "saved" if chat_id == INBOX else "channel", "Pier")
        owner = ACCOUNT if chat_id > 0 else 0
        database.run("INSERT INTO chats VALUES (?, ?, 'Pier', '', ?)", (owner, chat_id, encode(chat)))
    for row, (chat_id, message_id, raw_page) in enumerate(
        [
            (LIVE, 1, 1),
            (LIVE, 2, None),
            (IMPORTED, 1, 2),
            (IMPORTED, 2, 2),
            (BOTH, 1, 2),
            (BOTH, 2, 1),
            (INBOX, 1, None),
        ],
        1,
    ):
        told = message(message_id, chat_id=chat_id)
        database.run(
            "INSERT INTO message_rows (row, account, chat_id, id, date, kind, sender_id, album_id, topic_id, edited,"
            " raw_page, state, model) VALUES (?, ?, ?, ?, ?, 'message', 0, 0, 0, 0, ?, x'', ?)",
            (row, ACCOUNT if chat_id > 0 else 0, chat_id, message_id, told.date, raw_page, encode(told)),
        )
    database.close()


EXPECTED = {LIVE: "telegram", IMPORTED: "desktop", BOTH: "telegram", SEEN: "telegram", INBOX: "inbox"}


def test_an_archive_of_the_first_schema_learns_the_sources_of_its_chats(tmp_path: Path) -> None:
    archive_of_version_1(tmp_path / "archive.db")
    with open_archive(tmp_path / "archive.db", clock=lambda: 0.0) as archive:
        assert archive.chats.sources(ACCOUNT) == EXPECTED
        assert {chat_id: archive.chats.source(ACCOUNT, chat_id) for chat_id in EXPECTED} == EXPECTED
        assert archive.messages.count(ACCOUNT, LIVE) == 2


def test_a_recovered_archive_of_the_first_schema_keeps_its_chats_and_learns_their_sources(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    archive_of_version_1(path)
    assert recover(path, tmp_path / "aside.db") == 0
    assert not list(tmp_path.glob("*.v1")), "the damaged archive is kept already"
    with open_archive(path, clock=lambda: 0.0, read_only=True) as archive:
        assert archive.chats.sources(ACCOUNT) == EXPECTED
        assert archive.messages.count(ACCOUNT, IMPORTED) == 2


def test_what_is_seen_of_a_chat_later_leaves_its_source(archive: Archive) -> None:
    archive.chats.put(ACCOUNT, Chat(PRIVATE, "private", "Ada"))
    assert archive.chats.source(ACCOUNT, PRIVATE) == archive.chats.source(ACCOUNT, 99) == "telegram"
    archive.chats.set_source(ACCOUNT, PRIVATE, "desktop")
    archive.chats.put(ACCOUNT, Chat(PRIVATE, "private", "Ada Byron"))
    archive.chats.see(ACCOUNT, [Chat(PRIVATE, "private", "Ada King")])
    assert archive.chats.source(ACCOUNT, PRIVATE) == "desktop"
    chat = archive.chats.get(ACCOUNT, PRIVATE)
    assert chat is not None and chat.title == "Ada King"
    assert archive.chats.former_titles(PRIVATE) == ["Ada", "Ada Byron"]


def test_a_chat_that_is_known_by_another_id_keeps_its_source(archive: Archive) -> None:
    archive.chats.put(ACCOUNT, Chat(CHANNEL, "group", "Pier"))
    archive.chats.set_source(ACCOUNT, CHANNEL, "desktop")
    archive.rename_chat(CHANNEL, CHANNEL - 1)
    assert archive.chats.sources(ACCOUNT) == {CHANNEL - 1: "desktop"}


def test_files_are_found_by_the_date_of_their_message_however_many_there_are(archive: Archive) -> None:
    files = [FileItem("document", name=f"{number}.txt", size=number, path=f"{number}.txt") for number in range(1, 3001)]
    record_page(archive, ACCOUNT, page([message(item.size, media=item) for item in files], high=3000), want_all)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection: sqlite3.Connection = archive._database._connection
    connection.set_progress_handler(count, 100)
    wanted = [message(7).date, message(2990).date, 5]
    found = archive.media.dated(ACCOUNT, CHANNEL, wanted)
    connection.set_progress_handler(None, 0)
    assert [(row.item.name, row.date) for row in sorted(found, key=lambda row: row.message_id)] == [
        ("7.txt", wanted[0]),
        ("2990.txt", wanted[1]),
    ]
    assert steps < 20, "no more than a few rows are read"
    archive.messages.mark_deleted([row.message_key for row in found])
    assert archive.media.dated(ACCOUNT, CHANNEL, wanted) == []
