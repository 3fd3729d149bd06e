"""A run is taken back: its notes hold again what they held, around what their owner wrote since."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from pipeline_builders import CHANNEL, exported, file_of, key, message, note, stale, started, write

from tobs.errors import UsageError
from tobs.model import Reply
from tobs.model.report import RunReport
from tobs.pipeline.commands.undo import _restore_run, _selected_run
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.run import move_deleted_to_trash


def begin(context: RunContext, run_id: str) -> RunContext:
    """Another run on the same vault."""
    context.archive.runs.start(run_id, "export", [])
    return replace(context, events=started(run_id).events)


def undone(context: RunContext, run_id: str = "second") -> RunReport:
    """Another run takes the notes of a run back; its report."""
    context.archive.runs.start(f"undo {run_id}", "undo", [])
    report = started(f"undo {run_id}")
    _restore_run(replace(context, events=report.events), run_id)
    return report.report


async def edited(context: RunContext, number: int, text: str) -> str:
    """A second run writes the edit of a message; the text of its note before it."""
    before = file_of(context, note(context, number)).read_text()
    place = await exported(context, message(number, text), low=number)
    assert file_of(context, note(context, number)).read_text() != before
    await write(context, place)
    return before


async def test_a_note_that_a_run_wrote_over_holds_again_what_it_held(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1), message(2))
    before = await edited(begin(context, "second"), 1, "edited")
    undo = undone(context)
    assert file_of(context, note(context, 1)).read_text() == before
    assert undo.notes.updated == 1
    # It is up to date until its message changes again.
    assert stale(context) == set()
    # And the undo can be undone.
    undone(context, "undo second")
    assert "edited" in file_of(context, note(context, 1)).read_text()


async def test_what_the_owner_wrote_since_stays_in_a_note_that_is_restore_run(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1), message(2))
    await edited(begin(context, "second"), 1, "edited")
    place = file_of(context, note(context, 1))
    place.write_text(place.read_text() + "\nMy own words.\n")
    undo = undone(context)
    text = place.read_text()
    assert "words of 1" in text and "edited" not in text and "My own words." in text
    counts = undo.notes
    assert (counts.updated, counts.preserved, counts.conflicts) == (1, 1, 0)


async def test_where_the_owner_changed_the_same_place_it_is_a_conflict(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1))
    await edited(begin(context, "second"), 1, "edited")
    place = file_of(context, note(context, 1))
    place.write_text(place.read_text().replace("edited", "edited by me"))
    undo = undone(context)
    assert "edited by me" in place.read_text()
    assert undo.notes.conflicts == 1
    assert [one.note for one in undo.conflicts] == [note(context, 1).path]


async def test_a_note_that_a_later_run_changed_too_is_told_and_left(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1))
    await edited(begin(context, "second"), 1, "edited")
    await edited(begin(context, "third"), 1, "edited twice")
    undo = undone(context)
    assert "edited twice" in file_of(context, note(context, 1)).read_text()
    (problem,) = undo.problems
    assert (problem.what, problem.item, problem.retryable) == ("undo", note(context, 1).path, False)


async def test_a_note_that_its_owner_deleted_stays_away(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1))
    await edited(begin(context, "second"), 1, "edited")
    file_of(context, note(context, 1)).unlink()
    undo = undone(context)
    assert not file_of(context, note(context, 1)).exists()
    assert undo.notes.deleted == 1


async def test_a_note_whose_front_matter_the_owner_broke_is_told_and_left(context: RunContext) -> None:
    await exported(begin(context, "first"), message(1))
    await edited(begin(context, "second"), 1, "edited")
    place = file_of(context, note(context, 1))
    place.write_text(place.read_text().replace("tobs_id:", "tobs_id: [", 1))
    text = place.read_text()
    undo = undone(context)
    assert place.read_text() == text
    assert [one.what for one in undo.problems] == ["front matter"]


async def test_notes_that_a_run_made_go_to_the_trash_and_what_links_to_them_is_rendered_again(
    context: RunContext,
) -> None:
    await exported(begin(context, "first"), message(1))
    await exported(begin(context, "second"), message(2), message(3), low=2)
    place = await exported(begin(context, "third"), message(4, reply=Reply(message_id=2)), low=4)
    linking, target = file_of(context, note(context, 4)), note(context, 2).path.removesuffix(".md")
    assert f"[[{target}" in linking.read_text()
    undo = undone(context)
    assert not file_of(context, note(context, 2)).exists() and not file_of(context, note(context, 3)).exists()
    assert sorted(path.name for path in (context.root / ".trash").rglob("*.md")) == sorted(
        file_of(context, note(context, number)).name for number in (2, 3)
    )
    assert note(context, 2).state == "deleted" and undo.notes.deleted == 2
    assert f"{CHANNEL.id}/4" in stale(context)
    await write(context, place)
    assert f"[[{target}" not in linking.read_text()


async def test_a_note_that_a_run_moved_to_the_trash_is_put_back_unless_its_owner_put_something_there(
    context: RunContext,
) -> None:
    await exported(begin(context, "first"), message(1), message(2))
    texts = [file_of(context, note(context, number)).read_text() for number in (1, 2)]
    context.archive.messages.mark_deleted([key(1), key(2)])
    assert move_deleted_to_trash(begin(context, "second")) == 2
    mine = file_of(context, note(context, 2))
    mine.write_text("Mine.")
    undo = undone(context)
    assert file_of(context, note(context, 1)).read_text() == texts[0] and mine.read_text() == "Mine."
    assert (undo.notes.created, undo.notes.preserved) == (1, 1) and note(context, 1).state == "written"


async def test_a_note_that_the_run_made_and_its_owner_wrote_into_stays(context: RunContext) -> None:
    begin(context, "first")
    await exported(begin(context, "second"), message(1), message(2))
    place = file_of(context, note(context, 1))
    place.write_text(place.read_text() + "\nMine.\n")
    file_of(context, note(context, 2)).unlink()
    undo = undone(context)
    assert "Mine." in place.read_text() and note(context, 1).state == "written"
    assert undo.notes.preserved == 1


async def test_the_last_run_that_changed_notes_is_the_last_one(context: RunContext) -> None:
    with pytest.raises(UsageError, match="Run last changed no note"):
        _selected_run(context, "last")
    await exported(begin(context, "first"), message(1))
    await edited(begin(context, "second"), 1, "edited")
    begin(context, "idle")
    assert _selected_run(context, "last") == "second" and _selected_run(context, "first") == "first"
    with pytest.raises(UsageError, match="Run idle changed no note"):
        _selected_run(context, "idle")
