from __future__ import annotations

import sqlite3

import pytest
from archive_builders import ACCOUNT, CHANNEL, PRIVATE, message, page, photo, want_all, want_none
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tobs.archive import Archive, MediaDecision, Recorded, open_archive, record_page
from tobs.errors import VaultError
from tobs.model import Chat, FileItem, Message, MessageKey, Person, Reaction


def key(message_id: int, chat_id: int = CHANNEL) -> MessageKey:
    return MessageKey.of(ACCOUNT, chat_id, message_id)


def rows_of_view(archive: Archive) -> list[int]:
    with sqlite3.connect(archive.path) as outside:
        found = [row[0] for row in outside.execute("SELECT id FROM messages ORDER BY id")]
    outside.close()
    return found


def test_a_page_recorded_twice_is_there_once(archive: Archive) -> None:
    one = page([message(3), message(5)])
    assert record_page(archive, ACCOUNT, one, want_all) == Recorded(new=2, edited=0, unchanged=0)
    assert record_page(archive, ACCOUNT, one, want_all) == Recorded(new=0, edited=0, unchanged=2)
    assert rows_of_view(archive) == [3, 5]
    assert archive.messages.get(key(5)) == message(5)
    assert archive.coverage.covered(ACCOUNT, CHANNEL) == [(1, 100)]


def test_a_message_twice_in_a_page_is_there_once_as_it_came_last(archive: Archive) -> None:
    recorded = record_page(archive, ACCOUNT, page([message(3, "old"), message(3, "new")]), want_all)
    assert recorded.new == 1
    assert archive.messages.get(key(3)) == message(3, "new")


def test_an_edit_keeps_the_older_version_and_makes_the_note_stale(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(3, "first")], raw=b"one", layer=229), want_all)
    note = settled_note(archive, 3)
    recorded = record_page(archive, ACCOUNT, page([message(3, "second", edited=9)], raw=b"two", layer=230), want_all)

    assert recorded == Recorded(new=0, edited=1, unchanged=0)
    assert archive.messages.get(key(3)) == message(3, "second", edited=9)
    assert [(v.replaced_at, v.message.text) for v in archive.messages.versions(key(3))] == [(1_700_000_000.0, "first")]
    assert [row.id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [note]
    raw = archive.raw.of(key(3))
    assert raw is not None and (raw.layer, raw.index, raw.data) == (230, 0, b"two")


def test_counters_are_stored_without_a_version_or_a_stale_note(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(3, views=5)], raw=b"one"), want_all)
    settled_note(archive, 3)
    counted = message(3, views=6, reactions=(Reaction(2, "👍"),))
    assert record_page(archive, ACCOUNT, page([counted], raw=b"two"), want_all).unchanged == 1

    assert archive.messages.get(key(3)) == counted
    assert archive.messages.versions(key(3)) == []
    assert archive.notes.stale(ACCOUNT, CHANNEL) == []
    raw = archive.raw.of(key(3))
    assert raw is not None and raw.data == b"one"


def test_rows_point_at_their_message_in_the_raw_page(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(9), message(4), message(2)], raw=b"TL" * 100, layer=229), want_all)
    for index, message_id in enumerate([9, 4, 2]):
        raw = archive.raw.of(key(message_id))
        assert raw is not None
        assert (raw.source, raw.layer, raw.index, raw.data) == ("telegram", 229, index, b"TL" * 100)


def test_a_page_without_raw_bytes_leaves_none(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)]), want_all)
    assert archive.raw.of(key(1)) is None


def test_private_messages_are_each_accounts_own_and_found_without_their_chat(archive: Archive) -> None:
    for account in (7, 8):
        record_page(archive, account, page([message(3, f"to {account}", chat_id=PRIVATE)]), want_all)
        record_page(archive, account, page([message(3)]), want_all)
    assert archive.messages.located(8, [3, 4]) == [MessageKey(8, PRIVATE, 3)]
    found = archive.messages.get(MessageKey(8, PRIVATE, 3))
    assert found is not None and found.text == "to 8"
    assert archive.messages.count(7, CHANNEL) == 1


def test_a_deleted_message_leaves_the_view_and_comes_back_when_it_is_seen_again(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(3), message(4)]), want_all)
    note = settled_note(archive, 3)
    assert archive.messages.mark_deleted([key(3), key(99)]) == 1
    assert archive.messages.mark_deleted([key(3)]) == 0
    assert rows_of_view(archive) == [4]
    assert archive.messages.get(key(3)) is None
    assert archive.messages.count(ACCOUNT, CHANNEL) == 1
    assert archive.notes.stored([note])[note][0].deleted_at == 1_700_000_000.0
    assert [row.id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [note]

    assert record_page(archive, ACCOUNT, page([message(3)]), want_all).edited == 1
    assert rows_of_view(archive) == [3, 4]
    assert archive.messages.versions(key(3)) == []


def test_a_failure_anywhere_in_a_page_leaves_nothing_of_it(archive: Archive) -> None:
    def broken(message: Message, item: FileItem) -> MediaDecision:
        raise RuntimeError("between two statements")

    bad = page([message(1), message(2, media=photo(1))], people=(Person(5, "Ann"),), chats=(chat(),), raw=b"raw")
    with pytest.raises(RuntimeError):
        record_page(archive, ACCOUNT, bad, broken)
    assert rows_of_view(archive) == []
    assert archive.coverage.covered(ACCOUNT, CHANNEL) == []
    assert archive.people.get(5) is None and archive.chats.all(ACCOUNT) == []
    # The filter has seen the ids all the same; they are new nevertheless.
    assert record_page(archive, ACCOUNT, bad, want_all).new == 2


def test_an_inner_transaction_that_fails_takes_back_only_itself(archive: Archive) -> None:
    with archive.transaction():
        archive.meta.set("outer", "kept")
        with pytest.raises(RuntimeError), archive.transaction():
            archive.meta.set("inner", "lost")
            raise RuntimeError
    assert (archive.meta.get("outer"), archive.meta.get("inner")) == ("kept", None)


def test_a_page_without_ids_of_its_own_settles_none(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(50)], low=1, high=0), want_all)
    assert archive.coverage.covered(ACCOUNT, CHANNEL) == []


def test_a_message_of_another_chat_is_no_part_of_a_page(archive: Archive) -> None:
    with pytest.raises(ValueError, match="in a page of chat"):
        record_page(archive, ACCOUNT, page([message(1), message(2, chat_id=PRIVATE)]), want_all)


def test_a_model_that_cannot_be_read_is_a_vault_error(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)]), want_all)
    with sqlite3.connect(archive.path) as outside:
        outside.execute("UPDATE message_rows SET model = x'7b'")
    outside.close()
    with pytest.raises(VaultError, match="cannot be read"):
        archive.messages.get(key(1))


def test_ranges_are_read_in_batches_in_id_order(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page(message(n) for n in range(1, 1203)), want_none)
    assert [one.id for one in archive.messages.range(ACCOUNT, CHANNEL, 5, 1200)] == list(range(5, 1201))
    assert archive.messages.newest_id(ACCOUNT, CHANNEL) == 1202


@settings(max_examples=25, deadline=None)
@given(
    pages=st.lists(
        st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["a", "b"]), st.integers(0, 2)), max_size=12), max_size=8
    )
)
def test_whatever_pages_come_every_message_is_there_once_as_seen_last(
    pages: list[list[tuple[int, str, int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    last: dict[int, Message] = {}
    path = tmp_path_factory.mktemp("pages") / "archive.db"
    for content in pages:
        with open_archive(path, clock=lambda: 0.0) as archive:  # opened anew: the filter comes from disk
            messages = [message(n, text, views=views) for n, text, views in content]
            unique = {one.id: one for one in messages}
            recorded = record_page(archive, ACCOUNT, page(messages), want_all)
            assert recorded.new == len(unique.keys() - last.keys())
            assert recorded.edited == sum(n in last and last[n].text != one.text for n, one in unique.items())
            last |= unique
    with open_archive(path, clock=lambda: 0.0) as archive:
        assert {one.id: one for one in archive.messages.range(ACCOUNT, CHANNEL, 1, 30)} == last
        assert archive.messages.count(ACCOUNT, CHANNEL) == len(last)


def test_what_only_a_full_request_tells_outlives_a_history_page(archive: Archive) -> None:
    full = replace(chat(), about="what it is", members=10, pinned=(3,), top=50)
    archive.chats.put(ACCOUNT, full)
    record_page(archive, ACCOUNT, page([message(1)], chats=(replace(chat(), title="New", top=40),)), want_all)
    assert archive.chats.get(ACCOUNT, CHANNEL) == replace(full, title="New")
    assert archive.chats.former_titles(CHANNEL) == ["News"]
    assert archive.chats.named(ACCOUNT, "NEWS") == archive.chats.get(ACCOUNT, CHANNEL)


def test_a_person_with_a_new_name_keeps_the_old_one_and_gets_a_stale_note(archive: Archive) -> None:
    archive.people.see([Person(5, "Ann"), Person(6, "Bob")])
    for person in (5, 6):
        note = archive.notes.claim(
            f"person/{person}", "person", account=0, chat_id=0, message_id=0, candidates=[f"{person}.md"]
        )
        archive.notes.settle([(note.id, note.revision)])
    archive.people.see([Person(5, "Anna"), Person(6, "Bob")])
    assert archive.people.former_names(5) == ["Ann"]
    assert [row.tobs_id for row in archive.notes.stale(ACCOUNT, None)] == ["person/5"]


def chat() -> Chat:
    return Chat(CHANNEL, "channel", "News", username="news")


def settled_note(archive: Archive, message_id: int) -> int:
    """A note of one message that is not stale."""
    path = f"Telegram/{message_id}.md"
    note = archive.notes.claim(
        f"{CHANNEL}/{message_id}",
        "message",
        account=ACCOUNT,
        chat_id=CHANNEL,
        message_id=message_id,
        candidates=[path],
    )
    archive.notes.assign(note.id, [key(message_id)])
    archive.notes.settle([(row.id, row.revision) for row in archive.notes.stale(ACCOUNT, CHANNEL)])
    return note.id


def test_what_an_export_says_gives_way_to_what_telegram_says(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(3, "imported")], raw=b"[]"), want_all, source="desktop")
    note = settled_note(archive, 3)
    told = record_page(archive, ACCOUNT, page([message(3, "live")], raw=b"tl"), want_all)
    assert told == Recorded(new=0, edited=0, unchanged=1), "the same message, of which more is known"
    assert archive.messages.versions(key(3)) == []
    assert [row.id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [note]
    again = record_page(
        archive, ACCOUNT, page([message(3, "imported", edited=99)], raw=b"[]"), want_all, source="desktop"
    )
    assert again == Recorded(new=0, edited=0, unchanged=1)
    live = archive.messages.get(key(3))
    assert live is not None and live.text == "live"


def test_an_edit_since_the_export_keeps_what_the_export_had(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(3, "first")], raw=b"[]"), want_all, source="desktop")
    told = record_page(archive, ACCOUNT, page([message(3, "second", edited=9)], raw=b"tl"), want_all)
    assert told.edited == 1
    assert [version.message.text for version in archive.messages.versions(key(3))] == ["first"]


def test_a_file_that_came_with_an_export_is_not_fetched_again(archive: Archive) -> None:
    def with_file(item: FileItem) -> Message:
        return message(3, media=item)

    imported = FileItem("document", size=5, path="files/a.txt")
    record_page(archive, ACCOUNT, page([with_file(imported)], raw=b"[]"), want_all, source="desktop")
    [row] = archive.media.wanted(ACCOUNT, CHANNEL, 9)
    archive.media.staged(row.key, "aa", 5)
    archive.media.attached([row.id])
    live = replace(photo(7), kind="document", size=5)
    record_page(archive, ACCOUNT, page([with_file(live)], raw=b"tl"), want_all)
    assert archive.media.wanted(ACCOUNT, CHANNEL, 9) == []
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"placed": 1}
