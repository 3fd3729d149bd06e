from __future__ import annotations

from archive_builders import ACCOUNT, CHANNEL, message, page, photo, want_all, want_none

from tobs.archive import Archive, MediaDecision, record_page
from tobs.model import FileItem, Message, MessageKey, PaidMedia


def fill(archive: Archive, *messages: Message) -> None:
    record_page(archive, ACCOUNT, page(messages), want_all)


def wanted_ids(archive: Archive) -> list[int]:
    return [row.message_id for row in archive.media.wanted(ACCOUNT, CHANNEL, 100)]


def placeable_ids(archive: Archive, **options: int) -> list[int]:
    return [row.message_id for row in archive.media.attachable(ACCOUNT, CHANNEL, 100, **options)]


def test_each_file_is_wanted_once_oldest_first(archive: Archive) -> None:
    fill(archive, message(3, media=photo(1)), message(1, media=photo(2)), message(2, media=photo(1)))
    rows = archive.media.wanted(ACCOUNT, CHANNEL, 10)
    assert [(row.message_id, row.key, row.item.remote) for row in rows] == [
        (1, "photo/2/y", photo(2).remote),
        (2, "photo/1/y", photo(1).remote),
    ]
    assert [row.message_id for row in archive.media.wanted(ACCOUNT, CHANNEL, 10, after=rows[0])] == [2]


def test_what_is_fetched_for_one_message_is_fetched_for_all(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)), message(2, media=photo(1)))
    archive.media.staged("photo/1/y", "aa", 1000)
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"staged": 2}
    recorded = record_page(archive, ACCOUNT, page([message(3, media=photo(1))]), want_all)
    assert (recorded.wanted, recorded.reused) == (0, 1)
    assert [(row.message_id, row.state, row.sha256) for row in archive.media.with_hash("aa")] == [
        (1, "staged", "aa"),
        (2, "staged", "aa"),
        (3, "staged", "aa"),
    ]


def test_files_are_placed_in_order_up_to_the_first_still_wanted(archive: Archive) -> None:
    # Message 5 is older than message 4: the date comes first.
    fill(archive, *(message(n, media=photo(n)) for n in (1, 2, 3)), message(4, media=photo(4)))
    fill(archive, message(5, media=photo(5), date=message(4).date - 1))
    for n in (1, 3, 4, 5):
        archive.media.staged(f"photo/{n}/y", f"hash {n}", 1)
    assert placeable_ids(archive) == [1]
    archive.media.unavailable("photo/2/y", "not in the source")
    assert placeable_ids(archive) == [1, 3, 5, 4]
    assert placeable_ids(archive, upto=3) == [1, 3]
    archive.media.attached(row.id for row in archive.media.attachable(ACCOUNT, CHANNEL, 2))
    assert placeable_ids(archive) == [5, 4]


def test_failed_files_are_wanted_again_where_that_may_help(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)), message(2, media=photo(2)))
    archive.media.set_offset("photo/1/y", 512)
    archive.media.failed("photo/1/y", "connection lost", retryable=True)
    archive.media.failed("photo/2/y", "refused", retryable=False)
    assert wanted_ids(archive) == []
    assert archive.media.retry_failed(ACCOUNT, CHANNEL) == 1
    [row] = archive.media.wanted(ACCOUNT, CHANNEL, 10)
    assert (row.message_id, row.attempts, row.offset, row.reason) == (1, 1, 512, "")


def test_a_lost_staged_file_is_wanted_again(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)))
    archive.media.staged("photo/1/y", "aa", 1000)
    archive.media.unstage("photo/1/y")
    [row] = archive.media.wanted(ACCOUNT, CHANNEL, 10)
    assert (row.sha256, row.size, row.offset) == (None, 0, 0)


def test_an_edit_that_replaces_the_file_wants_the_new_one(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)))
    archive.media.staged("photo/1/y", "aa", 1000)
    fill(archive, message(1, media=photo(2)))
    assert wanted_ids(archive) == [1]
    assert archive.media.with_hash("aa") == []
    fill(archive, message(1, media=photo(1)))
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"wanted": 1}


def test_an_edit_of_the_text_leaves_the_file_alone(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)))
    archive.media.staged("photo/1/y", "aa", 1000)
    fill(archive, message(1, "edited", media=photo(1, reference=b"renewed")))
    [row] = archive.media.with_hash("aa")
    assert row.state == "staged"
    assert row.item == photo(1, reference=b"renewed")


def test_every_file_of_paid_media_has_its_row(archive: Archive) -> None:
    paid = PaidMedia(stars=5, count=2, files=(photo(1), photo(2)))
    fill(archive, message(1, media=paid))
    assert [(row.ordinal, row.key) for row in archive.media.wanted(ACCOUNT, CHANNEL, 9)] == [
        (0, "photo/1/y"),
        (1, "photo/2/y"),
    ]


def test_a_file_that_is_nowhere_on_telegram_is_its_messages_own(archive: Archive) -> None:
    fill(archive, message(1, media=FileItem("photo")), message(2, media=FileItem("photo")))
    archive.media.unavailable(f"message/0/{CHANNEL}/1/0", "not exported")
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"unavailable": 1, "wanted": 1}


def test_a_later_run_may_want_other_files(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1, media=photo(1)), message(2, media=photo(2))]), want_none)
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"skipped": 2}
    assert archive.media.reconsider(ACCOUNT, CHANNEL, want_all) == 2
    archive.media.staged("photo/1/y", "aa", 1000)
    assert archive.media.reconsider(ACCOUNT, CHANNEL, want_none) == 1
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"skipped": 1, "staged": 1}
    assert archive.media.reconsider(ACCOUNT, CHANNEL, want_none) == 0


def test_placing_a_file_makes_its_note_stale(archive: Archive) -> None:
    fill(archive, message(1, media=photo(1)))
    note = archive.notes.claim("x", "message", account=ACCOUNT, chat_id=CHANNEL, message_id=1, candidates=["x.md"])
    archive.notes.assign(note.id, [MessageKey.of(ACCOUNT, CHANNEL, 1)])
    archive.media.staged("photo/1/y", "aa", 1000)
    archive.notes.settle([(row.id, row.revision) for row in archive.notes.stale(ACCOUNT, CHANNEL)])
    archive.media.attached(row.id for row in archive.media.attachable(ACCOUNT, CHANNEL, 9))
    assert [row.id for row in archive.notes.stale(ACCOUNT, CHANNEL)] == [note.id]


def test_the_types_of_what_processors_found_are_known_where_they_agree(archive: Archive) -> None:
    one = {"mood": "calm", "bpm": 90, "loud": True, "keys": ["a"], "odd": 1}
    for sha256, found in (("aa", {"p": one}), ("bb", {"p": {"odd": "x", "bpm": 1.5}, "q": {"mood": "wild"}})):
        archive.files.claim(sha256, MessageKey(0, CHANNEL, 1), [f"{sha256}.mp3"])
        archive.files.set_plugin_fields(sha256, found)
    assert archive.files.plugin_field_types() == {
        "mood": "text",
        "bpm": "number",
        "loud": "checkbox",
        "keys": "multitext",
    }


def test_a_lower_rank_is_fetched_first_and_what_is_put_off_is_in_nobody_s_way(archive: Archive) -> None:
    def decide(message: Message, item: FileItem) -> MediaDecision:
        return MediaDecision("wanted", rank=2 if message.id == 1 else 0)

    record_page(archive, ACCOUNT, page([message(n, media=photo(n)) for n in (1, 2, 3)]), decide)
    assert wanted_ids(archive) == [2, 3, 1]
    [second] = archive.media.wanted(ACCOUNT, CHANNEL, 1)
    assert [row.message_id for row in archive.media.wanted(ACCOUNT, CHANNEL, 9, after=second)] == [3, 1]
    archive.media.staged("photo/2/y", "two", 1)
    assert placeable_ids(archive) == [], "message 1 comes first"
    assert archive.media.postpone(ACCOUNT, CHANNEL, "too much") == 2
    assert wanted_ids(archive) == [] and placeable_ids(archive) == [2]
    assert archive.media.counts(ACCOUNT, CHANNEL) == {"wanted": 2, "staged": 1}
    assert archive.media.retry_failed(ACCOUNT, CHANNEL) == 2
    assert wanted_ids(archive) == [3, 1]
