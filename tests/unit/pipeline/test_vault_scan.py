"""Notes and attachments that are not where they were: moved, deleted, put back, or too many to be believed."""

from __future__ import annotations

import pytest
from pipeline_builders import CHANNEL, attached, exported, file_of, message, note, photo, record, settled, stale, write

from tobs.errors import VaultError
from tobs.model import Reply
from tobs.pipeline.desk import Desk
from tobs.pipeline.presence import look_after


def look(desk: Desk, *, accept: bool = False) -> None:
    look_after(desk.archive, desk.root, desk.reporter, accept_missing=accept)


async def test_a_vault_without_its_notes_is_refused_though_every_attachment_is_there(desk: Desk) -> None:
    await exported(desk, *(message(number) for number in range(1, 31)))
    attached(desk, "Telegram/Observatory/media/1.jpg", b"jpeg")
    for number in range(1, 31):
        file_of(desk, note(desk, number)).unlink()
    with pytest.raises(VaultError, match=r"30 of 34 notes are missing from the vault"):
        look(desk)
    assert {note(desk, number).state for number in range(1, 31)} == {"written"}
    assert desk.reporter.report.notes.deleted == 0


async def test_a_vault_without_its_attachments_is_refused_though_every_note_is_there(desk: Desk) -> None:
    await exported(desk, message(1))
    files = [attached(desk, f"Telegram/Observatory/media/{one}.jpg", b"%d" % one) for one in range(30)]
    for file in files:
        (desk.root / file.path).unlink()
    with pytest.raises(VaultError, match=r"30 of 30 attachments are missing from the vault"):
        look(desk)
    assert not any(file.is_lost for found in desk.archive.files.all() for file in found)


async def test_what_is_missing_and_accepted_counts_as_deleted(desk: Desk) -> None:
    await exported(desk, *(message(number) for number in range(1, 31)))
    file = attached(desk, "Telegram/Observatory/media/1.jpg", b"jpeg")
    for number in range(1, 31):
        file_of(desk, note(desk, number)).unlink()
    (desk.root / file.path).unlink()
    look(desk, accept=True)
    assert {note(desk, number).state for number in range(1, 31)} == {"deleted"}
    assert desk.reporter.report.notes.deleted == 30
    (found,) = [one for rows in desk.archive.files.all() for one in rows]
    assert found.is_lost


async def test_a_vault_in_which_everything_is_in_its_place_is_left_alone(desk: Desk) -> None:
    await exported(desk, message(1), message(2))
    attached(desk, "Telegram/Observatory/media/1.jpg", b"jpeg")
    look(desk)
    assert stale(desk) == set() and note(desk, 1).state == "written"
    assert (desk.reporter.report.notes.moved, desk.reporter.report.notes.deleted) == (0, 0)


async def test_a_moved_note_is_followed_and_what_links_to_it_is_stale(desk: Desk) -> None:
    await exported(desk, message(1), message(2), message(3, reply=Reply(message_id=2)), message(4))
    before = file_of(desk, note(desk, 2))
    (desk.root / "Mine").mkdir()
    before.rename(desk.root / "Mine" / "Kept.md")
    look(desk)
    assert (note(desk, 2).path, note(desk, 2).state) == ("Mine/Kept.md", "written")
    assert stale(desk) == {f"{CHANNEL.id}/3"}
    assert (desk.reporter.report.notes.moved, desk.reporter.report.notes.deleted) == (1, 0)


async def test_a_deleted_note_stays_deleted_and_what_links_to_it_is_stale(desk: Desk) -> None:
    await exported(desk, message(1), message(2), message(3, reply=Reply(message_id=2)), message(4))
    file_of(desk, note(desk, 2)).unlink()
    look(desk)
    assert note(desk, 2).state == "deleted" and stale(desk) == {f"{CHANNEL.id}/3"}
    assert (desk.reporter.report.notes.moved, desk.reporter.report.notes.deleted) == (0, 1)
    look(desk)
    assert desk.reporter.report.notes.deleted == 1


async def test_a_deleted_note_that_its_owner_puts_back_is_a_note_again(desk: Desk) -> None:
    await exported(desk, message(1), message(2))
    here, elsewhere = file_of(desk, note(desk, 1)), file_of(desk, note(desk, 2))
    texts = here.read_bytes(), elsewhere.read_bytes()
    here.unlink()
    look(desk)
    elsewhere.unlink()
    look(desk)
    assert (note(desk, 1).state, note(desk, 2).state) == ("deleted", "deleted")
    settled(desk)
    here.write_bytes(texts[0])
    look(desk)
    assert note(desk, 1).state == "written" and stale(desk) == {f"{CHANNEL.id}/1"}
    # The second lies elsewhere; it is found when something else is looked for.
    (desk.root / "back.md").write_bytes(texts[1])
    here.unlink()
    look(desk)
    assert (note(desk, 2).state, note(desk, 2).path) == ("written", "back.md")
    assert f"{CHANNEL.id}/2" in stale(desk)


async def test_a_strange_file_at_the_place_of_a_deleted_note_is_not_that_note(desk: Desk) -> None:
    await exported(desk, message(1))
    place = file_of(desk, note(desk, 1))
    place.unlink()
    look(desk)
    place.write_text("My own words.")
    look(desk)
    assert note(desk, 1).state == "deleted"


async def test_of_two_copies_the_one_as_it_was_written_is_the_note_and_the_other_is_told(desk: Desk) -> None:
    await exported(desk, message(1))
    place = file_of(desk, note(desk, 1))
    text = place.read_text()
    place.unlink()
    (desk.root / "a.md").write_text(text + "\nMore.\n")
    (desk.root / "longer name.md").write_text(text)
    look(desk)
    assert note(desk, 1).path == "longer name.md"
    told = [one.what for one in desk.reporter.finish().recovered]
    assert told == ["a.md is a copy of longer name.md and is left alone"]


async def test_of_two_equal_copies_the_one_with_the_shorter_path_that_no_sync_tool_made_is_the_note(desk: Desk) -> None:
    await exported(desk, message(1))
    place = file_of(desk, note(desk, 1))
    text = place.read_text()
    place.unlink()
    for name in ("x (conflicted copy).md", "the name.md", "the long name.md"):
        (desk.root / name).write_text(text)
    look(desk)
    assert note(desk, 1).path == "the name.md"


async def test_an_attachment_is_known_by_its_bytes_wherever_it_lies(desk: Desk) -> None:
    await exported(desk, message(1, media=photo()))
    file = attached(desk, "Telegram/Observatory/media/1.jpg", b"jpeg")
    (desk.root / "Pictures").mkdir()
    (desk.root / "Pictures" / "other.jpg").write_bytes(b"gepj")
    (desk.root / file.path).rename(desk.root / "Pictures" / "z.jpg")
    look(desk)
    found = desk.archive.files.get(file.sha256)
    assert found is not None and (found.path, found.is_lost) == ("Pictures/z.jpg", False)


async def test_a_lost_attachment_that_is_put_back_is_there_again(desk: Desk) -> None:
    await exported(desk, message(1))
    file = attached(desk, "media/1.jpg", b"jpeg")
    (desk.root / file.path).unlink()
    look(desk)
    found = desk.archive.files.get(file.sha256)
    assert found is not None and found.is_lost
    (desk.root / file.path).write_bytes(b"jpeg")
    look(desk)
    found = desk.archive.files.get(file.sha256)
    assert found is not None and not found.is_lost


async def test_a_note_that_is_only_in_icloud_stops_the_run_and_nothing_is_taken_for_deleted(desk: Desk) -> None:
    await exported(desk, message(1))
    place = file_of(desk, note(desk, 1))
    place.rename(place.with_name(f".{place.name}.icloud"))
    with pytest.raises(VaultError, match="is in iCloud"):
        look(desk)
    assert note(desk, 1).state == "written"


async def test_notes_whose_names_were_exchanged_are_followed_when_one_is_missed(desk: Desk) -> None:
    await exported(desk, message(1, "A longer note."), message(2), message(3))
    one, two, three = (file_of(desk, note(desk, number)) for number in (1, 2, 3))
    one.rename(desk.root / "spare.md")
    two.rename(one)
    (desk.root / "spare.md").rename(two)
    three.unlink()
    paths = note(desk, 1).path, note(desk, 2).path
    look(desk)
    assert (note(desk, 2).path, note(desk, 1).path) == paths
    assert note(desk, 3).state == "deleted" and desk.reporter.report.notes.moved == 2


async def test_an_exchange_of_names_is_found_when_a_note_turns_out_to_be_another_one(desk: Desk) -> None:
    """Nothing is missing, so no scan finds it: it shows when a note is to be written and another one lies there."""
    place = await exported(desk, message(1, "A longer note."), message(2), message(3, reply=Reply(message_id=1)))
    one, two = (file_of(desk, note(desk, number)) for number in (1, 2))
    one.rename(desk.root / "spare.md")
    two.rename(one)
    (desk.root / "spare.md").rename(two)
    paths = note(desk, 1).path, note(desk, 2).path
    record(desk, message(1, "edited"), high=0)
    await write(desk, place)
    assert (note(desk, 2).path, note(desk, 1).path) == paths
    assert "edited" in two.read_text() and "edited" not in one.read_text()
    assert f"[[{paths[1].removesuffix('.md')}" in file_of(desk, note(desk, 3)).read_text()
    assert stale(desk) == set()


async def test_a_chat_whose_folder_its_owner_moved_is_filed_there_from_now_on(desk: Desk) -> None:
    place = await exported(desk, message(1), message(2))
    (desk.root / place.folder).rename(desk.root / "Stars")
    look(desk, accept=True)
    later = await exported(desk, message(3), low=3)
    assert later.folder == "Stars" and note(desk, 3).path.startswith("Stars/")


async def test_a_chat_whose_note_alone_was_moved_is_filed_where_its_folder_is(desk: Desk) -> None:
    place = await exported(desk, message(1), message(2))
    chat = desk.archive.notes.by_tobs_id(str(CHANNEL.id))
    assert chat is not None
    (desk.root / chat.path).rename(desk.root / "My observatory.md")
    look(desk)
    later = await exported(desk, message(3), low=3)
    assert later.folder == place.folder and note(desk, 3).path.startswith(f"{place.folder}/")
