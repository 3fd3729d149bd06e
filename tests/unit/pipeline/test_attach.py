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
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.attach import attach_media, staged_path
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.planning import plan_messages
from tobs.plugin import Section
from tobs.plugin.host import PluginFailure

NONE = Processed()
MEDIA = "Telegram/Observatory/media"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetched(context: RunContext, number: int, item: FileItem, data: bytes) -> MediaRow:
    """A message whose file was fetched and waits in the staging folder."""
    record(context, message(number, media=item), low=number)
    (row,) = [one for one in context.archive.media.wanted(ACCOUNT, CHANNEL.id, 100) if one.message_id == number]
    context.archive.media.staged(row.key, sha256(data), len(data))
    (row,) = [one for one in context.archive.media.attachable(ACCOUNT, CHANNEL.id, 100) if one.message_id == number]
    staged_path(context.staging, row).write_bytes(data)
    return row


def file(context: RunContext, data: bytes) -> FileRow:
    found = context.archive.files.get(sha256(data))
    assert found is not None
    return found


def failure(plugin: str) -> Processed:
    return Processed(failures=(PluginFailure(plugin, "song.mp3", "it broke"),))


def of(**parts: Processed) -> Processed:
    """What a chain of these plugins found."""
    return Processed(parts=parts)


@pytest.fixture
def folder(context: RunContext) -> ChatFolder:
    return open_chat(context, CHANNEL)


def test_a_file_moves_to_its_name_with_the_date_of_its_message_and_its_note_is_stale(
    context: RunContext, report: ReportBuilder, folder: ChatFolder
) -> None:
    row = fetched(context, 5, photo(), b"jpeg")
    plan_messages(context, folder, upto=5, final=True)
    settled(context)
    attach_media(context, folder, [(row, NONE)])
    target = context.root / MEDIA / "2023-11-15 5 photo.jpg"
    assert (target.read_bytes(), target.stat().st_mtime) == (b"jpeg", START + 5 * 3600)
    assert list(context.staging.iterdir()) == []
    assert f"{CHANNEL.id}/5" in stale(context)
    assert context.archive.media.attachable(ACCOUNT, CHANNEL.id, 100) == []
    assert report.report.media.reused == 0 and not report.report.problems


def test_the_day_in_a_name_is_that_of_the_vaults_time_zone(context: RunContext, folder: ChatFolder) -> None:
    # 22:13 UTC and an hour: still the 14th; two hours: the 15th.
    rows = [fetched(context, number, photo(number), b"jpeg%d" % number) for number in (1, 2)]
    attach_media(context, folder, [(row, NONE) for row in rows])
    assert sorted(path.name for path in (context.root / MEDIA).iterdir()) == [
        "2023-11-14 1 photo.jpg",
        "2023-11-15 2 photo.jpg",
    ]


def test_a_file_that_is_in_the_vault_already_is_not_attached_twice(
    context: RunContext, report: ReportBuilder, folder: ChatFolder
) -> None:
    first = fetched(context, 1, document(7, "paper.pdf"), b"pdf!")
    attach_media(context, folder, [(first, NONE)])
    second = fetched(context, 2, document(8, "other.pdf"), b"pdf!")
    attach_media(context, folder, [(second, NONE)])
    assert [path.name for path in (context.root / MEDIA).iterdir()] == ["paper.pdf"]
    assert list(context.staging.iterdir()) == [] and report.report.media.reused == 1
    assert file(context, b"pdf!").owner.id == 1


def test_a_name_that_is_taken_gets_the_id_of_the_message(context: RunContext, folder: ChatFolder) -> None:
    for number, data in ((1, b"one!"), (2, b"two!")):
        attach_media(context, folder, [(fetched(context, number, document(number, "paper.pdf"), data), NONE)])
    assert sorted(path.name for path in (context.root / MEDIA).iterdir()) == ["paper (2).pdf", "paper.pdf"]


def test_what_the_owner_put_at_that_place_stays(context: RunContext, folder: ChatFolder) -> None:
    (context.root / MEDIA).mkdir(parents=True)
    (context.root / MEDIA / "paper.pdf").write_bytes(b"mine")
    attach_media(context, folder, [(fetched(context, 1, document(7, "paper.pdf"), b"pdf!"), NONE)])
    assert (context.root / MEDIA / "paper.pdf").read_bytes() == b"mine"
    assert (context.root / MEDIA / "paper (1).pdf").read_bytes() == b"pdf!"


def test_a_known_file_whose_place_another_one_took_is_told_and_nothing_is_written_over(
    context: RunContext, report: ReportBuilder, folder: ChatFolder
) -> None:
    row = fetched(context, 1, document(7, "paper.pdf"), b"pdf!")
    attach_media(context, folder, [(row, NONE)])
    context.archive.files.set_lost(sha256(b"pdf!"), lost=True)
    (context.root / MEDIA / "paper.pdf").unlink()
    (context.root / MEDIA / "paper.pdf").symlink_to(context.root / "nowhere")
    staged_path(context.staging, row).write_bytes(b"pdf!")
    attach_media(context, folder, [(row, NONE)])
    assert (context.root / MEDIA / "paper.pdf").is_symlink()
    assert [(one.what, one.item) for one in report.report.problems] == [("media", f"{MEDIA}/paper.pdf")]


def test_a_lost_file_that_is_fetched_again_is_there_again(context: RunContext, folder: ChatFolder) -> None:
    row = fetched(context, 1, document(7, "paper.pdf"), b"pdf!")
    attach_media(context, folder, [(row, NONE)])
    (context.root / MEDIA / "paper.pdf").unlink()
    context.archive.files.set_lost(sha256(b"pdf!"), lost=True)
    staged_path(context.staging, row).write_bytes(b"pdf!")
    attach_media(context, folder, [(row, NONE)])
    assert not file(context, b"pdf!").is_lost and (context.root / MEDIA / "paper.pdf").read_bytes() == b"pdf!"


# what plugins found


def found_again(context: RunContext, folder: ChatFolder, *runs: Processed) -> FileRow:
    """What is kept about one file that goes through the chain so often (more)."""
    item = document(7, "song.mp3", mime="audio/mpeg")
    row = MediaRow(1, 1, CHANNEL.id, 1, 0, "key", 0, START, "staged", "", False, 0, 0, sha256(b"song"), 4, item)
    if context.archive.files.get(sha256(b"song")) is None:
        row = fetched(context, 1, item, b"song")
    for processed in runs:
        attach_media(context, folder, [(row, processed)])
    return file(context, b"song")


def test_what_a_plugin_found_stays_when_it_fails_the_next_time(context: RunContext, folder: ChatFolder) -> None:
    transcript = Processed(fields={"words": 7}, sections=(Section("Transcript", "Hello there."),), tags=("talk",))
    kept = found_again(context, folder, of(whisper=transcript), of(whisper=failure("whisper")))
    assert kept.plugin_fields["whisper"]["words"] == 7
    assert kept.plugin_fields["whisper"]["sections"][0]["text"] == "Hello there."
    assert kept.plugin_fields["whisper"]["failures"] == ["whisper"] and kept.plugin_fields["whisper"]["tags"] == [
        "talk"
    ]


def test_a_failure_is_forgotten_once_the_plugin_works(context: RunContext, folder: ChatFolder) -> None:
    kept = found_again(context, folder, of(whisper=failure("whisper")), of(whisper=Processed(fields={"words": 7})))
    assert kept.plugin_fields == {"whisper": {"words": 7}}


def test_what_a_plugin_found_is_replaced_by_what_it_finds_now(context: RunContext, folder: ChatFolder) -> None:
    before, now = Processed(fields={"title": "Old", "year": 1}), Processed(fields={"title": "New"})
    assert found_again(context, folder, of(tags=before), of(tags=now)).plugin_fields == {"tags": {"title": "New"}}
    assert found_again(context, folder, of(tags=before), of(tags=NONE)).plugin_fields == {}


def test_plugins_that_are_not_there_today_keep_what_they_found_and_their_order(
    context: RunContext, folder: ChatFolder
) -> None:
    one, two = Processed(fields={"title": "One"}), Processed(fields={"title": "Two"})
    kept = found_again(context, folder, of(tags=one, cover=two, words=one), of(words=two, tags=two))
    assert list(kept.plugin_fields.items()) == [
        ("words", {"title": "Two"}),
        ("tags", {"title": "Two"}),
        ("cover", {"title": "Two"}),
    ]


def test_a_plugin_that_stood_first_and_is_not_there_today_stays_first(context: RunContext, folder: ChatFolder) -> None:
    one = Processed(fields={"title": "One"})
    assert list(found_again(context, folder, of(cover=one, tags=one), of(tags=one)).plugin_fields) == ["cover", "tags"]


def produced(context: RunContext, data: bytes, name: str, role: str) -> Produced:
    path = context.staging / f"{sha256(data)}{Path(name).suffix}"
    path.write_bytes(data)
    return Produced(sha256(data), len(data), name, role, "cover", str(path))


def test_files_that_a_plugin_made_lie_beside_the_file_and_are_named_by_their_role(
    context: RunContext, folder: ChatFolder
) -> None:
    cover, small = produced(context, b"cover", "c.jpg", "cover"), produced(context, b"small", "s.ogg", "embed")
    kept = found_again(context, folder, of(cover=Processed(files=(cover,), embed=small, plays=61.26)))
    assert kept.plugin_fields["cover"] == {
        "plays": 61.3,
        "files": [{"role": "cover", "path": f"{MEDIA}/song cover.jpg"}],
        "embed": f"{MEDIA}/song.ogg",
    }
    assert (context.root / MEDIA / "song cover.jpg").read_bytes() == b"cover"
    assert (context.root / MEDIA / "song.ogg").read_bytes() == b"small"
    assert list(context.staging.iterdir()) == []


def test_a_made_file_that_is_there_already_is_not_attached_twice(context: RunContext, folder: ChatFolder) -> None:
    first = of(cover=Processed(files=(produced(context, b"cover", "c.jpg", "cover"),)))
    kept = found_again(context, folder, first)
    again = of(cover=Processed(files=(produced(context, b"cover", "c.jpg", "cover"),)))
    assert found_again(context, folder, again).plugin_fields == kept.plugin_fields
    assert sorted(path.name for path in (context.root / MEDIA).iterdir()) == ["song cover.jpg", "song.mp3"]
    assert list(context.staging.iterdir()) == []


@pytest.mark.parametrize(
    ("told", "plays", "doubted"),
    [(100, 100.0, False), (100, 105.0, False), (100, 105.1, True), (100, 94.8, True), (3, 5.0, False), (3, 5.1, True)],
)
def test_a_file_that_plays_much_longer_than_telegram_says_is_doubted(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, told: int, plays: float, doubted: bool
) -> None:
    row = fetched(context, 1, document(7, "song.mp3", mime="audio/mpeg", duration=told), b"song")
    attach_media(context, folder, [(row, of(tags=Processed(fields={"duration": plays})))])
    assert [one.item for one in report.report.doubts] == ([f"{MEDIA}/song.mp3"] if doubted else [])


def test_what_a_plugin_measured_counts_before_what_the_file_says_of_itself(
    context: RunContext, report: ReportBuilder, folder: ChatFolder
) -> None:
    row = fetched(context, 1, document(7, "song.mp3", mime="audio/mpeg", duration=100), b"song")
    attach_media(context, folder, [(row, of(tags=Processed(fields={"duration": 10.0}, plays=100.0)))])
    assert report.report.doubts == []


# the notes of audio


def audio(context: RunContext, folder: ChatFolder, item: FileItem, found: Processed = NONE) -> str:
    """The path of the note that an audio file gets."""
    row = fetched(context, 1, item, b"song")
    attach_media(context, folder, [(row, found)])
    return named(context, f"audio/{sha256(b'song')}").path


def test_an_audio_file_has_a_note_called_after_what_it_is(context: RunContext, folder: ChatFolder) -> None:
    item = document(7, "track.mp3", kind="audio", title="Fade", performer="They")
    assert audio(context, folder, item) == "Telegram/Audio/They - Fade.md"
    assert f"audio/{sha256(b'song')}" in stale(context)


def test_what_a_plugin_read_in_the_file_names_its_note_before_what_telegram_says(
    context: RunContext, folder: ChatFolder
) -> None:
    item = document(7, "track.mp3", kind="audio", title="Fade", performer="They")
    found = of(tags=Processed(fields={"title": "Rise", "performer": "We"}))
    assert audio(context, folder, item, found) == "Telegram/Audio/We - Rise.md"


def test_audio_without_a_title_is_called_after_chat_date_and_name(context: RunContext, folder: ChatFolder) -> None:
    assert audio(context, folder, document(7, "track.mp3", kind="audio")) == (
        "Telegram/Audio/Observatory 2023-11-14 1 track.md"
    )


def test_a_voice_message_is_called_after_chat_and_date_whatever_its_file_is_called(
    context: RunContext, folder: ChatFolder
) -> None:
    assert audio(context, folder, document(7, "a.ogg", kind="voice")) == (
        "Telegram/Audio/Observatory 2023-11-14 1 voice message.md"
    )


def test_other_files_have_no_note_of_their_own(context: RunContext, folder: ChatFolder) -> None:
    attach_media(context, folder, [(fetched(context, 1, document(7, "song.mp3"), b"song"), NONE)])
    assert context.archive.notes.by_tobs_id(f"audio/{sha256(b'song')}") is None


async def test_each_message_that_carries_it_makes_the_note_of_an_audio_file_stale(context: RunContext) -> None:
    folder = await exported(context)
    item = document(7, "track.mp3", kind="audio", title="Fade")
    attach_media(context, folder, [(fetched(context, 1, item, b"song"), NONE)])
    settled(context)
    attach_media(
        context, folder, [(fetched(context, 2, document(8, "track.mp3", kind="audio", title="Fade"), b"song"), NONE)]
    )
    assert f"audio/{sha256(b'song')}" in stale(context)
