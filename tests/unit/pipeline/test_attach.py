"""Fetched files that move into the vault, and what plugins found about them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    START,
    document,
    exported,
    message,
    named,
    photo,
    record,
    settled,
    stale,
)

from tobs.archive import FileRow, MediaRow
from tobs.media.chain import Processed, Produced
from tobs.model import FileItem
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.placing import place_media, staged_path
from tobs.pipeline.plan import open_chat, plan_messages
from tobs.plugin import Section
from tobs.plugin.host import PluginFailure

NONE = Processed()
MEDIA = "Telegram/Observatory/media"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetched(desk: Desk, number: int, item: FileItem, data: bytes) -> MediaRow:
    """A message whose file was fetched and waits in the staging folder."""
    record(desk, message(number, media=item), low=number)
    (row,) = [one for one in desk.archive.media.wanted(ACCOUNT, CHANNEL.id, 100) if one.message_id == number]
    desk.archive.media.staged(row.key, sha256(data), len(data))
    (row,) = [one for one in desk.archive.media.placeable(ACCOUNT, CHANNEL.id, 100) if one.message_id == number]
    staged_path(desk.staging, row).write_bytes(data)
    return row


def file(desk: Desk, data: bytes) -> FileRow:
    found = desk.archive.files.get(sha256(data))
    assert found is not None
    return found


def failure(plugin: str) -> Processed:
    return Processed(failures=(PluginFailure(plugin, "song.mp3", "it broke"),))


def of(**parts: Processed) -> Processed:
    """What a chain of these plugins found."""
    return Processed(parts=parts)


@pytest.fixture
def place(desk: Desk) -> ChatPlace:
    return open_chat(desk, CHANNEL)


def test_a_file_moves_to_its_name_with_the_date_of_its_message_and_its_note_is_stale(
    desk: Desk, place: ChatPlace
) -> None:
    row = fetched(desk, 5, photo(), b"jpeg")
    plan_messages(desk, place, upto=5, final=True)
    settled(desk)
    place_media(desk, place, [(row, NONE)])
    target = desk.root / MEDIA / "2023-11-15 5 photo.jpg"
    assert (target.read_bytes(), target.stat().st_mtime) == (b"jpeg", START + 5 * 3600)
    assert list(desk.staging.iterdir()) == []
    assert f"{CHANNEL.id}/5" in stale(desk)
    assert desk.archive.media.placeable(ACCOUNT, CHANNEL.id, 100) == []
    assert desk.reporter.report.media.reused == 0 and not desk.reporter.report.problems


def test_the_day_in_a_name_is_that_of_the_vaults_time_zone(desk: Desk, place: ChatPlace) -> None:
    # 22:13 UTC and an hour: still the 14th; two hours: the 15th.
    rows = [fetched(desk, number, photo(number), b"jpeg%d" % number) for number in (1, 2)]
    place_media(desk, place, [(row, NONE) for row in rows])
    assert sorted(path.name for path in (desk.root / MEDIA).iterdir()) == [
        "2023-11-14 1 photo.jpg",
        "2023-11-15 2 photo.jpg",
    ]


def test_a_file_that_is_in_the_vault_already_is_not_placed_twice(desk: Desk, place: ChatPlace) -> None:
    first = fetched(desk, 1, document(7, "paper.pdf"), b"pdf!")
    place_media(desk, place, [(first, NONE)])
    second = fetched(desk, 2, document(8, "other.pdf"), b"pdf!")
    place_media(desk, place, [(second, NONE)])
    assert [path.name for path in (desk.root / MEDIA).iterdir()] == ["paper.pdf"]
    assert list(desk.staging.iterdir()) == [] and desk.reporter.report.media.reused == 1
    assert file(desk, b"pdf!").owner.id == 1


def test_a_name_that_is_taken_gets_the_id_of_the_message(desk: Desk, place: ChatPlace) -> None:
    for number, data in ((1, b"one!"), (2, b"two!")):
        place_media(desk, place, [(fetched(desk, number, document(number, "paper.pdf"), data), NONE)])
    assert sorted(path.name for path in (desk.root / MEDIA).iterdir()) == ["paper (2).pdf", "paper.pdf"]


def test_what_the_owner_put_at_that_place_stays(desk: Desk, place: ChatPlace) -> None:
    (desk.root / MEDIA).mkdir(parents=True)
    (desk.root / MEDIA / "paper.pdf").write_bytes(b"mine")
    place_media(desk, place, [(fetched(desk, 1, document(7, "paper.pdf"), b"pdf!"), NONE)])
    assert (desk.root / MEDIA / "paper.pdf").read_bytes() == b"mine"
    assert (desk.root / MEDIA / "paper (1).pdf").read_bytes() == b"pdf!"


def test_a_known_file_whose_place_another_one_took_is_told_and_nothing_is_written_over(
    desk: Desk, place: ChatPlace
) -> None:
    row = fetched(desk, 1, document(7, "paper.pdf"), b"pdf!")
    place_media(desk, place, [(row, NONE)])
    desk.archive.files.set_lost(sha256(b"pdf!"), lost=True)
    (desk.root / MEDIA / "paper.pdf").unlink()
    (desk.root / MEDIA / "paper.pdf").symlink_to(desk.root / "nowhere")
    staged_path(desk.staging, row).write_bytes(b"pdf!")
    place_media(desk, place, [(row, NONE)])
    assert (desk.root / MEDIA / "paper.pdf").is_symlink()
    assert [(one.what, one.item) for one in desk.reporter.report.problems] == [("media", f"{MEDIA}/paper.pdf")]


def test_a_lost_file_that_is_fetched_again_is_there_again(desk: Desk, place: ChatPlace) -> None:
    row = fetched(desk, 1, document(7, "paper.pdf"), b"pdf!")
    place_media(desk, place, [(row, NONE)])
    (desk.root / MEDIA / "paper.pdf").unlink()
    desk.archive.files.set_lost(sha256(b"pdf!"), lost=True)
    staged_path(desk.staging, row).write_bytes(b"pdf!")
    place_media(desk, place, [(row, NONE)])
    assert not file(desk, b"pdf!").is_lost and (desk.root / MEDIA / "paper.pdf").read_bytes() == b"pdf!"


# what plugins found


def found_again(desk: Desk, place: ChatPlace, *runs: Processed) -> FileRow:
    """What is kept about one file that goes through the chain so often (more)."""
    item = document(7, "song.mp3", mime="audio/mpeg")
    row = MediaRow(1, 1, CHANNEL.id, 1, 0, "key", 0, START, "staged", "", False, 0, 0, sha256(b"song"), 4, item)
    if desk.archive.files.get(sha256(b"song")) is None:
        row = fetched(desk, 1, item, b"song")
    for processed in runs:
        place_media(desk, place, [(row, processed)])
    return file(desk, b"song")


def test_what_a_plugin_found_stays_when_it_fails_the_next_time(desk: Desk, place: ChatPlace) -> None:
    transcript = Processed(fields={"words": 7}, sections=(Section("Transcript", "Hello there."),), tags=("talk",))
    kept = found_again(desk, place, of(whisper=transcript), of(whisper=failure("whisper")))
    assert kept.found["whisper"]["words"] == 7
    assert kept.found["whisper"]["sections"][0]["text"] == "Hello there."
    assert kept.found["whisper"]["failures"] == ["whisper"] and kept.found["whisper"]["tags"] == ["talk"]


def test_a_failure_is_forgotten_once_the_plugin_works(desk: Desk, place: ChatPlace) -> None:
    kept = found_again(desk, place, of(whisper=failure("whisper")), of(whisper=Processed(fields={"words": 7})))
    assert kept.found == {"whisper": {"words": 7}}


def test_what_a_plugin_found_is_replaced_by_what_it_finds_now(desk: Desk, place: ChatPlace) -> None:
    before, now = Processed(fields={"title": "Old", "year": 1}), Processed(fields={"title": "New"})
    assert found_again(desk, place, of(tags=before), of(tags=now)).found == {"tags": {"title": "New"}}
    assert found_again(desk, place, of(tags=before), of(tags=NONE)).found == {}


def test_plugins_that_are_not_there_today_keep_what_they_found_and_their_place(desk: Desk, place: ChatPlace) -> None:
    one, two = Processed(fields={"title": "One"}), Processed(fields={"title": "Two"})
    kept = found_again(desk, place, of(tags=one, cover=two, words=one), of(words=two, tags=two))
    assert list(kept.found.items()) == [
        ("words", {"title": "Two"}),
        ("tags", {"title": "Two"}),
        ("cover", {"title": "Two"}),
    ]


def test_a_plugin_that_stood_first_and_is_not_there_today_stays_first(desk: Desk, place: ChatPlace) -> None:
    one = Processed(fields={"title": "One"})
    assert list(found_again(desk, place, of(cover=one, tags=one), of(tags=one)).found) == ["cover", "tags"]


def produced(desk: Desk, data: bytes, name: str, role: str) -> Produced:
    path = desk.staging / f"{sha256(data)}{Path(name).suffix}"
    path.write_bytes(data)
    return Produced(sha256(data), len(data), name, role, "cover", str(path))


def test_files_that_a_plugin_made_lie_beside_the_file_and_are_named_by_their_role(desk: Desk, place: ChatPlace) -> None:
    cover, small = produced(desk, b"cover", "c.jpg", "cover"), produced(desk, b"small", "s.ogg", "embed")
    kept = found_again(desk, place, of(cover=Processed(files=(cover,), embed=small, plays=61.26)))
    assert kept.found["cover"] == {
        "plays": 61.3,
        "files": [{"role": "cover", "path": f"{MEDIA}/song cover.jpg"}],
        "embed": f"{MEDIA}/song.ogg",
    }
    assert (desk.root / MEDIA / "song cover.jpg").read_bytes() == b"cover"
    assert (desk.root / MEDIA / "song.ogg").read_bytes() == b"small"
    assert list(desk.staging.iterdir()) == []


def test_a_made_file_that_is_there_already_is_not_placed_twice(desk: Desk, place: ChatPlace) -> None:
    first = of(cover=Processed(files=(produced(desk, b"cover", "c.jpg", "cover"),)))
    kept = found_again(desk, place, first)
    again = of(cover=Processed(files=(produced(desk, b"cover", "c.jpg", "cover"),)))
    assert found_again(desk, place, again).found == kept.found
    assert sorted(path.name for path in (desk.root / MEDIA).iterdir()) == ["song cover.jpg", "song.mp3"]
    assert list(desk.staging.iterdir()) == []


@pytest.mark.parametrize(
    ("told", "plays", "doubted"),
    [(100, 100.0, False), (100, 105.0, False), (100, 105.1, True), (100, 94.8, True), (3, 5.0, False), (3, 5.1, True)],
)
def test_a_file_that_plays_much_longer_than_telegram_says_is_doubted(
    desk: Desk, place: ChatPlace, told: int, plays: float, doubted: bool
) -> None:
    row = fetched(desk, 1, document(7, "song.mp3", mime="audio/mpeg", duration=told), b"song")
    place_media(desk, place, [(row, of(tags=Processed(fields={"duration": plays})))])
    assert [one.item for one in desk.reporter.report.doubts] == ([f"{MEDIA}/song.mp3"] if doubted else [])


def test_what_a_plugin_measured_counts_before_what_the_file_says_of_itself(desk: Desk, place: ChatPlace) -> None:
    row = fetched(desk, 1, document(7, "song.mp3", mime="audio/mpeg", duration=100), b"song")
    place_media(desk, place, [(row, of(tags=Processed(fields={"duration": 10.0}, plays=100.0)))])
    assert desk.reporter.report.doubts == []


# the notes of audio


def audio(desk: Desk, place: ChatPlace, item: FileItem, found: Processed = NONE) -> str:
    """The path of the note that an audio file gets."""
    row = fetched(desk, 1, item, b"song")
    place_media(desk, place, [(row, found)])
    return named(desk, f"audio/{sha256(b'song')}").path


def test_an_audio_file_has_a_note_called_after_what_it_is(desk: Desk, place: ChatPlace) -> None:
    item = document(7, "track.mp3", kind="audio", title="Fade", performer="They")
    assert audio(desk, place, item) == "Telegram/Audio/They - Fade.md"
    assert f"audio/{sha256(b'song')}" in stale(desk)


def test_what_a_plugin_read_in_the_file_names_its_note_before_what_telegram_says(desk: Desk, place: ChatPlace) -> None:
    item = document(7, "track.mp3", kind="audio", title="Fade", performer="They")
    found = of(tags=Processed(fields={"title": "Rise", "performer": "We"}))
    assert audio(desk, place, item, found) == "Telegram/Audio/We - Rise.md"


def test_audio_without_a_title_is_called_after_chat_date_and_name(desk: Desk, place: ChatPlace) -> None:
    assert audio(desk, place, document(7, "track.mp3", kind="audio")) == (
        "Telegram/Audio/Observatory 2023-11-14 1 track.md"
    )


def test_a_voice_message_is_called_after_chat_and_date_whatever_its_file_is_called(
    desk: Desk, place: ChatPlace
) -> None:
    assert audio(desk, place, document(7, "a.ogg", kind="voice")) == (
        "Telegram/Audio/Observatory 2023-11-14 1 voice message.md"
    )


def test_other_files_have_no_note_of_their_own(desk: Desk, place: ChatPlace) -> None:
    place_media(desk, place, [(fetched(desk, 1, document(7, "song.mp3"), b"song"), NONE)])
    assert desk.archive.notes.by_tobs_id(f"audio/{sha256(b'song')}") is None


async def test_each_message_that_carries_it_makes_the_note_of_an_audio_file_stale(desk: Desk) -> None:
    place = await exported(desk)
    item = document(7, "track.mp3", kind="audio", title="Fade")
    place_media(desk, place, [(fetched(desk, 1, item, b"song"), NONE)])
    settled(desk)
    place_media(desk, place, [(fetched(desk, 2, document(8, "track.mp3", kind="audio", title="Fade"), b"song"), NONE)])
    assert f"audio/{sha256(b'song')}" in stale(desk)
