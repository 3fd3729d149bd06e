from __future__ import annotations

from datetime import UTC
from unicodedata import normalize
from zoneinfo import ZoneInfo

import pytest
from archive_builders import ACCOUNT, CHANNEL, PRIVATE, message, page, photo, want_all, want_none
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tobs.archive import Archive, NoteLink, NoteRow, WrittenNote, pack_base, record_page
from tobs.errors import VaultError
from tobs.model import Action, MessageKey, Reaction, path_key


def key(message_id: int) -> MessageKey:
    return MessageKey.of(ACCOUNT, CHANNEL, message_id)


def claim(archive: Archive, message_id: int, *candidates: str, kind: str = "message") -> NoteRow:
    return archive.notes.claim(
        f"{CHANNEL}/{message_id}" if kind == "message" else f"{kind}/{message_id}",
        kind,
        account=ACCOUNT,
        chat_id=CHANNEL if kind == "message" else 0,
        message_id=message_id,
        candidates=candidates or [f"{message_id}.md"],
    )


def plan(archive: Archive, *ids: int) -> dict[int, NoteRow]:
    """A note for each message."""
    notes = {message_id: claim(archive, message_id) for message_id in ids}
    for message_id, note in notes.items():
        archive.notes.assign(note.id, [key(message_id)])
    return notes


def write(archive: Archive, rows: list[NoteRow]) -> None:
    archive.notes.written(
        [WrittenNote(row.id, row.revision, "hash", pack_base(f"text of {row.path}"), 10, 20) for row in rows]
    )


def test_a_note_keeps_the_path_it_was_given_once(archive: Archive) -> None:
    first = claim(archive, 1, "a.md")
    assert claim(archive, 1, "b.md") == first
    assert archive.notes.by_tobs_id(first.tobs_id) == first


@pytest.mark.parametrize("taken", ["Straße.md", "CAFÉ.md", "cafe\u0301.md", "a/B.md"])
def test_paths_that_a_file_system_may_take_for_one_are_given_once(archive: Archive, taken: str) -> None:
    other = {"Straße.md": "STRASSE.md", "a/B.md": "A/b.md"}.get(taken, "café.md")
    claim(archive, 1, taken)
    assert claim(archive, 2, other, "free.md").path == "free.md"


def test_notes_and_attachments_share_one_namespace(archive: Archive) -> None:
    claim(archive, 1, "Song.md")
    taken = archive.files.claim("aa", key(1), ["song.MD", "song (2).md"], size=5, mime="text/markdown")
    assert taken.path == "song (2).md"
    assert claim(archive, 2, "Song (2).md", "x.md").path == "x.md"
    assert archive.files.claim("aa", key(9), ["other.md"]) == taken == archive.files.get("aa")


def test_a_claim_without_a_free_name_leaves_nothing(archive: Archive) -> None:
    claim(archive, 1, "a.md")
    with pytest.raises(VaultError, match="No free name"):
        claim(archive, 2, "A.md")
    assert archive.notes.by_tobs_id(f"{CHANNEL}/2") is None


@given(st.text(max_size=20))
def test_a_path_key_is_its_own_key(path: str) -> None:
    assert path_key(path_key(path)) == path_key(path)
    assert path_key(normalize("NFD", path)) == path_key(normalize("NFC", path)) == path_key(path)


@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_a_path_key_takes_no_notice_of_case(path: str) -> None:
    assert path_key(path) == path_key(path.upper()) == path_key(path.lower()) == path.lower()


@pytest.mark.parametrize("path", ["Straße", "ÀÉÎ", "Привет", "Ελλάς"])
def test_a_path_key_takes_no_notice_of_case_in_other_scripts_either(path: str) -> None:
    assert path_key(path) == path_key(path.upper()) == path_key(path.lower())


def test_messages_are_unplanned_until_they_are_in_a_note(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page(message(n) for n in (5, 2, 9, 7)), want_all)
    archive.messages.mark_deleted([key(2)])
    assert [one.id for one in archive.messages.unplanned(ACCOUNT, CHANNEL, 8, 10)] == [5, 7]
    plan(archive, 5)
    assert [one.id for one in archive.messages.unplanned(ACCOUNT, CHANNEL, 100, 1)] == [7]


def test_stale_notes_come_in_id_order_a_batch_after_the_other(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page(message(n) for n in range(1, 8)), want_all)
    plan(archive, 7, 3, 1, 5)
    claim(archive, 4, kind="person")
    first = archive.notes.stale(ACCOUNT, CHANNEL, limit=2)
    assert [row.message_id for row in first] == [1, 3]
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, CHANNEL, after=first[-1])] == [5, 7]
    assert [row.kind for row in archive.notes.stale(ACCOUNT, None, kinds=["person"])] == ["person"]
    assert len(archive.notes.stale(ACCOUNT, None)) == 5


def test_a_written_note_is_stale_no_more_and_its_text_is_kept(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)]), want_all)
    plan(archive, 1)
    write(archive, archive.notes.stale(ACCOUNT, CHANNEL))
    note = archive.notes.by_tobs_id(f"{CHANNEL}/1")
    assert note is not None
    assert (note.state, note.is_stale, note.text_hash, note.size, note.mtime_ns) == ("written", False, "hash", 10, 20)
    assert archive.notes.bases([note.id]) == {note.id: "text of 1.md"}
    assert [row.id for row in archive.notes.written_notes()] == [note.id]


def test_an_edit_between_rendering_and_writing_leaves_the_note_stale(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, "old")]), want_all)
    plan(archive, 1)
    being_rendered = archive.notes.stale(ACCOUNT, CHANNEL)
    record_page(archive, ACCOUNT, page([message(1, "new")]), want_all)
    write(archive, being_rendered)
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [1]


def test_a_note_waits_for_its_files_when_only_ready_ones_are_asked_for(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1), message(2, media=photo(5))]), want_all)
    plan(archive, 1, 2)
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, CHANNEL, ready_only=True)] == [1]
    [wanted] = archive.media.wanted(ACCOUNT, CHANNEL, 10)
    archive.media.failed(wanted.key, "gave up", retryable=True)
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, CHANNEL, ready_only=True)] == [1, 2]


def test_the_messages_of_notes_come_with_their_files_in_id_order(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(n, album_id=1, media=photo(n)) for n in (2, 1)]), want_none)
    record_page(archive, ACCOUNT, page([message(3)]), want_none)
    album, single = claim(archive, 1), claim(archive, 3)
    archive.notes.assign(album.id, [key(2), key(1)])
    archive.notes.assign(single.id, [key(3)])
    stored = archive.notes.stored([single.id, album.id, 999])
    assert [one.message.id for one in stored[album.id]] == [1, 2]
    assert [[row.item.remote.id for row in one.media if row.item.remote] for one in stored[album.id]] == [[1], [2]]
    assert [one.media for one in stored[single.id]] == [()]
    assert stored[999] == []


def test_a_late_part_of_an_album_finds_its_note(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, album_id=5), message(3, album_id=5)]), want_all)
    note = plan(archive, 1)[1]
    assert archive.notes.of_album(ACCOUNT, CHANNEL, 5, 3) == (note.id, 1)
    assert archive.notes.of_album(ACCOUNT, CHANNEL, 6, 3) is None


def test_a_deleted_note_stays_deleted_and_is_no_target(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1), message(2)]), want_all)
    notes = plan(archive, 1, 2)
    write(archive, archive.notes.stale(ACCOUNT, CHANNEL))
    archive.notes.mark_deleted([notes[1].id])
    archive.notes.mark_all_stale()
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [2]
    shown = archive.notes.locations([key(1), key(2), key(3)])
    assert {number: one.path for number, one in shown.items()} == {key(2): "2.md"}
    assert archive.notes.location(ACCOUNT, CHANNEL, 1) is None
    assert archive.notes.location(ACCOUNT, CHANNEL, 2) == ("2.md", 0, False)
    assert archive.notes.locations([key(1), key(2), key(3)]) == {key(2): ("2.md", 0, False)}


def test_deleted_notes_are_restored_but_for_those_whose_messages_telegram_deleted(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page(message(n) for n in range(1, 6)), want_all)
    notes = plan(archive, 1, 2, 3)
    archive.notes.assign(notes[3].id, [key(4)])
    person = claim(archive, 9, kind="person")
    write(archive, archive.notes.stale(ACCOUNT, None))
    archive.notes.mark_deleted([notes[1].id, notes[2].id, notes[3].id, person.id])
    archive.messages.mark_deleted([key(2), key(3)])
    assert archive.notes.restore_deleted(ACCOUNT, [PRIVATE]) == 0
    # Of the third note one message is left; the note about a person has none.
    assert archive.notes.restore_deleted(ACCOUNT) == 3
    states = {row.message_id: row.state for row in archive.notes.rows([*(row.id for row in notes.values()), person.id])}
    assert states == {1: "planned", 2: "deleted", 3: "planned", 9: "planned"}
    assert {row.message_id for row in archive.notes.stale(ACCOUNT, None)} >= {1, 3, 9}


def test_deleted_notes_of_one_chat_are_restored_alone(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)]), want_all)
    notes = plan(archive, 1)
    archive.notes.mark_deleted([notes[1].id])
    assert archive.notes.restore_deleted(ACCOUNT, [CHANNEL]) == 1


def test_a_link_heals_when_its_target_has_a_note(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1), message(2)]), want_all)
    note = plan(archive, 1)[1]
    archive.links.set({note.id: [NoteLink(ACCOUNT, CHANNEL, 2, False), NoteLink(ACCOUNT, PRIVATE, 9, False)]}, {})
    assert archive.links.resolvable() == []
    plan(archive, 2)
    assert archive.links.resolvable() == [note.id]
    archive.links.set({note.id: [NoteLink(ACCOUNT, CHANNEL, 2, True)]}, {})
    assert archive.links.resolvable() == []


def test_notes_become_stale_by_message_file_chat_and_kind(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, media=photo(5)), message(2)]), want_all)
    plan(archive, 1, 2)
    claim(archive, 3, kind="person")
    archive.media.staged("photo/5/y", "aa", 3)
    notes = archive.notes

    def stale_after(mark: object) -> list[str]:
        notes.settle([(row.id, row.revision) for row in notes.stale(ACCOUNT, None)])
        mark()  # type: ignore[operator]
        return [row.path for row in notes.stale(ACCOUNT, None)]

    recount = page([message(1, media=photo(5)), replace(message(2), views=7)])
    assert stale_after(lambda: record_page(archive, ACCOUNT, recount, want_all)) == [], "counters need not be shown"
    assert stale_after(lambda: notes.mark_outdated_stale(ACCOUNT, CHANNEL)) == ["2.md"]
    assert stale_after(lambda: notes.mark_outdated_stale(ACCOUNT, CHANNEL)) == []
    assert stale_after(lambda: notes.mark_stale_in(ACCOUNT, CHANNEL)) == ["1.md", "2.md"]
    assert stale_after(lambda: notes.mark_all_stale(["person"])) == ["3.md"]
    assert stale_after(lambda: archive.files.set_plugin_fields("aa", {"tags": {"title": "x"}})) == []


def test_processed_fields_of_a_file_make_its_notes_stale_once(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, media=photo(5))]), want_all)
    plan(archive, 1)
    archive.media.staged("photo/5/y", "aa", 3)
    archive.files.claim("aa", key(1), ["media/1.jpg"])
    for expected in (1, 0):
        archive.notes.settle([(row.id, row.revision) for row in archive.notes.stale(ACCOUNT, None)])
        archive.files.set_plugin_fields("aa", {"tags": {"title": "x"}})
        assert len(archive.notes.stale(ACCOUNT, None)) == expected
    found = archive.files.get("aa")
    assert found is not None and found.fields == {"title": "x"}


def test_years_are_counted_in_the_zone_of_the_vault(archive: Archive) -> None:
    # 2019-12-31 23:30, 2020-01-01 00:30 UTC
    dates = (1_577_835_000, 1_577_838_600)
    record_page(archive, ACCOUNT, page(message(n, date=date, sender_id=n) for n, date in enumerate(dates, 1)), want_all)
    assert archive.summaries.of_chat(ACCOUNT, CHANNEL, UTC).years == ((2019, 1, 0, 1), (2020, 1, 0, 2))
    summary = archive.summaries.of_chat(ACCOUNT, CHANNEL, ZoneInfo("Asia/Kathmandu"))
    assert (summary.messages, summary.first, summary.last) == (2, (1, dates[0]), (2, dates[1]))
    assert summary.years == ((2020, 2, 0, 1),)
    for person in (1, 2):
        of_person = archive.summaries.of_person(person)
        assert (of_person.messages, of_person.chats) == (1, ((CHANNEL, 1),))
    empty = archive.summaries.of_chat(ACCOUNT, PRIVATE, UTC)
    assert (empty.messages, empty.first, empty.years) == (0, None, ())


def test_what_plugins_found_adds_up_and_the_later_one_s_word_counts(archive: Archive) -> None:
    archive.files.claim("aa", MessageKey(0, CHANNEL, 1), iter(["a.mp3"]))
    archive.files.set_plugin_fields(
        "aa", {"tags": {"title": "x", "tags": ["one"]}, "own": {"title": "y", "tags": ["one", "two"]}}
    )
    file = archive.files.get("aa")
    assert file is not None and file.fields == {"title": "y", "tags": ["one", "two"]}
    assert archive.files.forget_others(["tags"]) == 1
    file = archive.files.get("aa")
    assert file is not None and file.fields == {"title": "x", "tags": ["one"]}
    assert archive.files.forget_others(["tags"]) == 0


def test_pins_and_titles_of_a_chat_are_found_and_no_text_can_pretend_to_be_one(archive: Archive) -> None:
    def told(kind: str, title: str) -> Action:
        return Action(kind, {"title": title})

    said = [
        message(1, kind="service", action=told("channel_create", "One")),
        message(2, text='"pinned":true', pinned=False),
        message(3, pinned=True),
        message(4, kind="service", action=told("topic_create", "A topic")),
        message(5, kind="service", action=told("chat_edit_title", "Two")),
        message(6, pinned=True),
    ]
    record_page(archive, ACCOUNT, page(said), want_all)
    assert archive.summaries.pinned(ACCOUNT, CHANNEL) == [6, 3]
    assert archive.summaries.titles(ACCOUNT, CHANNEL) == ["One", "Two"]
    archive.messages.set_pinned([key(3)], pinned=False)
    assert archive.summaries.pinned(ACCOUNT, CHANNEL) == [6]


def test_custom_emoji_are_asked_about_once_and_their_notes_are_stale_then(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, reactions=(Reaction(2, custom_id=7),)), message(2)]), want_all)
    notes = {message_id: claim(archive, message_id) for message_id in (1, 2)}
    for message_id, note in notes.items():
        archive.notes.assign(note.id, [key(message_id)])
    archive.notes.settle([(row.id, row.revision) for row in archive.notes.stale(ACCOUNT, None)])
    assert archive.emoji.unknown(10) == [7] and archive.emoji.name(7) == ""
    archive.emoji.put({7: "🔥"})
    assert archive.emoji.unknown(10) == [] and archive.emoji.name(7) == "🔥"
    assert [row.message_id for row in archive.notes.stale(ACCOUNT, None)] == [1]
