"""Notes and attachments that are not where they were: moved, deleted, put back, or too many to be believed."""

from __future__ import annotations

import pytest
from pipeline_builders import CHANNEL, attached, exported, file_of, message, note, photo, record, settled, stale, write

from tobs.errors import VaultError
from tobs.model import Reply
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.vault_scan import scan_vault


def look(context: RunContext, *, accept: bool = False) -> None:
    scan_vault(context.archive, context.root, context.events, accept_missing=accept)


async def test_a_vault_without_its_notes_is_refused_though_every_attachment_is_there(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, *(message(number) for number in range(1, 31)))
    attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    for number in range(1, 31):
        file_of(context, note(context, number)).unlink()
    with pytest.raises(VaultError, match=r"30 of 34 notes are missing from the vault"):
        look(context)
    assert {note(context, number).state for number in range(1, 31)} == {"written"}
    assert report.report.notes.deleted == 0


async def test_a_vault_without_its_attachments_is_refused_though_every_note_is_there(context: RunContext) -> None:
    await exported(context, message(1))
    files = [attached(context, f"Telegram/Observatory/media/{one}.jpg", b"%d" % one) for one in range(30)]
    for file in files:
        (context.root / file.path).unlink()
    with pytest.raises(VaultError, match=r"30 of 30 attachments are missing from the vault"):
        look(context)
    assert not any(file.is_lost for found in context.archive.files.all() for file in found)


async def test_what_is_missing_and_accepted_counts_as_deleted(context: RunContext, report: ReportBuilder) -> None:
    await exported(context, *(message(number) for number in range(1, 31)))
    file = attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    for number in range(1, 31):
        file_of(context, note(context, number)).unlink()
    (context.root / file.path).unlink()
    look(context, accept=True)
    assert {note(context, number).state for number in range(1, 31)} == {"deleted"}
    assert report.report.notes.deleted == 30
    (found,) = [one for rows in context.archive.files.all() for one in rows]
    assert found.is_lost


async def test_a_vault_in_which_everything_is_in_its_place_is_left_alone(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, message(1), message(2))
    attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    look(context)
    assert stale(context) == set() and note(context, 1).state == "written"
    assert (report.report.notes.moved, report.report.notes.deleted) == (0, 0)


async def test_a_moved_note_is_followed_and_what_links_to_it_is_stale(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, message(1), message(2), message(3, reply=Reply(message_id=2)), message(4))
    before = file_of(context, note(context, 2))
    (context.root / "Mine").mkdir()
    before.rename(context.root / "Mine" / "Kept.md")
    look(context)
    assert (note(context, 2).path, note(context, 2).state) == ("Mine/Kept.md", "written")
    assert stale(context) == {f"{CHANNEL.id}/3"}
    assert (report.report.notes.moved, report.report.notes.deleted) == (1, 0)


async def test_a_deleted_note_stays_deleted_and_what_links_to_it_is_stale(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, message(1), message(2), message(3, reply=Reply(message_id=2)), message(4))
    file_of(context, note(context, 2)).unlink()
    look(context)
    assert note(context, 2).state == "deleted" and stale(context) == {f"{CHANNEL.id}/3"}
    assert (report.report.notes.moved, report.report.notes.deleted) == (0, 1)
    look(context)
    assert report.report.notes.deleted == 1


async def test_a_deleted_note_that_its_owner_puts_back_is_a_note_again(context: RunContext) -> None:
    await exported(context, message(1), message(2))
    here, elsewhere = file_of(context, note(context, 1)), file_of(context, note(context, 2))
    texts = here.read_bytes(), elsewhere.read_bytes()
    here.unlink()
    look(context)
    elsewhere.unlink()
    look(context)
    assert (note(context, 1).state, note(context, 2).state) == ("deleted", "deleted")
    settled(context)
    here.write_bytes(texts[0])
    look(context)
    assert note(context, 1).state == "written" and stale(context) == {f"{CHANNEL.id}/1"}
    # The second lies elsewhere; it is found when something else is looked for.
    (context.root / "back.md").write_bytes(texts[1])
    here.unlink()
    look(context)
    assert (note(context, 2).state, note(context, 2).path) == ("written", "back.md")
    assert f"{CHANNEL.id}/2" in stale(context)


async def test_a_strange_file_at_the_place_of_a_deleted_note_is_not_that_note(context: RunContext) -> None:
    await exported(context, message(1))
    place = file_of(context, note(context, 1))
    place.unlink()
    look(context)
    place.write_text("My own words.")
    look(context)
    assert note(context, 1).state == "deleted"


async def test_of_two_copies_the_one_as_it_was_written_is_the_note_and_the_other_is_told(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, message(1))
    place = file_of(context, note(context, 1))
    text = place.read_text()
    place.unlink()
    (context.root / "a.md").write_text(text + "\nMore.\n")
    (context.root / "longer name.md").write_text(text)
    look(context)
    assert note(context, 1).path == "longer name.md"
    told = [one.what for one in report.finish().recovered]
    assert told == ["a.md is a copy of longer name.md and is left alone"]


async def test_of_two_equal_copies_the_one_with_the_shorter_path_that_no_sync_tool_made_is_the_note(
    context: RunContext,
) -> None:
    await exported(context, message(1))
    place = file_of(context, note(context, 1))
    text = place.read_text()
    place.unlink()
    for name in ("x (conflicted copy).md", "the name.md", "the long name.md"):
        (context.root / name).write_text(text)
    look(context)
    assert note(context, 1).path == "the name.md"


async def test_what_a_killed_run_left_in_folders_of_the_owner_goes(context: RunContext) -> None:
    await exported(context, message(1), message(2))
    for folder in ("Notes", "Files", "Mine"):
        (context.root / folder).mkdir()
        (context.root / folder / ".tobs-0123456789ab-0").write_text("half a note")
    file_of(context, note(context, 1)).rename(context.root / "Notes" / "Kept.md")
    attached(context, "Files/1.jpg", b"jpeg")
    look(context)
    look(context)
    left = [
        folder for folder in ("Notes", "Files", "Mine") if (context.root / folder / ".tobs-0123456789ab-0").exists()
    ]
    assert left == ["Mine"]


async def test_an_attachment_is_known_by_its_bytes_wherever_it_lies(context: RunContext) -> None:
    await exported(context, message(1, media=photo()))
    file = attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    (context.root / "Pictures").mkdir()
    (context.root / "Pictures" / "other.jpg").write_bytes(b"gepj")
    (context.root / file.path).rename(context.root / "Pictures" / "z.jpg")
    look(context)
    found = context.archive.files.get(file.sha256)
    assert found is not None and (found.path, found.is_lost) == ("Pictures/z.jpg", False)


async def test_a_lost_attachment_that_is_put_back_is_there_again(context: RunContext) -> None:
    await exported(context, message(1))
    file = attached(context, "media/1.jpg", b"jpeg")
    (context.root / file.path).unlink()
    look(context)
    found = context.archive.files.get(file.sha256)
    assert found is not None and found.is_lost
    (context.root / file.path).write_bytes(b"jpeg")
    look(context)
    found = context.archive.files.get(file.sha256)
    assert found is not None and not found.is_lost


async def test_a_note_that_is_only_in_icloud_stops_the_run_and_nothing_is_taken_for_deleted(
    context: RunContext,
) -> None:
    await exported(context, message(1))
    place = file_of(context, note(context, 1))
    place.rename(place.with_name(f".{place.name}.icloud"))
    with pytest.raises(VaultError, match="is in iCloud"):
        look(context)
    assert note(context, 1).state == "written"


async def test_notes_whose_names_were_exchanged_are_followed_when_one_is_missed(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, message(1, "A longer note."), message(2), message(3))
    one, two, three = (file_of(context, note(context, number)) for number in (1, 2, 3))
    one.rename(context.root / "spare.md")
    two.rename(one)
    (context.root / "spare.md").rename(two)
    three.unlink()
    paths = note(context, 1).path, note(context, 2).path
    look(context)
    assert (note(context, 2).path, note(context, 1).path) == paths
    assert note(context, 3).state == "deleted" and report.report.notes.moved == 2


async def test_an_exchange_of_names_is_found_when_a_note_turns_out_to_be_another_one(context: RunContext) -> None:
    """Nothing is missing, so no scan finds it: it shows when a note is to be written and another one lies there."""
    place = await exported(context, message(1, "A longer note."), message(2), message(3, reply=Reply(message_id=1)))
    one, two = (file_of(context, note(context, number)) for number in (1, 2))
    one.rename(context.root / "spare.md")
    two.rename(one)
    (context.root / "spare.md").rename(two)
    paths = note(context, 1).path, note(context, 2).path
    record(context, message(1, "edited"), high=0)
    await write(context, place)
    assert (note(context, 2).path, note(context, 1).path) == paths
    assert "edited" in two.read_text() and "edited" not in one.read_text()
    assert f"[[{paths[1].removesuffix('.md')}" in file_of(context, note(context, 3)).read_text()
    assert stale(context) == set()


async def test_a_chat_whose_folder_its_owner_moved_is_filed_there_from_now_on(context: RunContext) -> None:
    place = await exported(context, message(1), message(2))
    (context.root / place.folder).rename(context.root / "Stars")
    look(context, accept=True)
    later = await exported(context, message(3), low=3)
    assert later.folder == "Stars" and note(context, 3).path.startswith("Stars/")


@pytest.mark.parametrize("name", ["My observatory.md", "Stars/Observatory.md"])
async def test_a_chat_whose_note_alone_was_moved_is_filed_where_its_folder_is(context: RunContext, name: str) -> None:
    place = await exported(context, message(1), message(2))
    chat = context.archive.notes.by_tobs_id(str(CHANNEL.id))
    assert chat is not None
    (context.root / name).parent.mkdir(exist_ok=True)
    (context.root / chat.path).rename(context.root / name)
    look(context)
    later = await exported(context, message(3), low=3)
    assert later.folder == place.folder and note(context, 3).path.startswith(f"{place.folder}/")
