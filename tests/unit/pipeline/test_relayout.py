"""Chats laid out anew: every message has its note in the new layout, and nothing of the owner's is lost."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from pipeline_builders import CHANNEL, DAY, START, exported, file_of, message, named, note, stale, write

from tobs.model import Reply
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.relayout import change_layout, finish_relayouts, resume_relayouts, transfer_owner_text


def on_day(number: int, day: int, **fields: Any) -> Any:
    return message(number, date=START + day * DAY, **fields)


async def laid_out(context: RunContext, layout: str) -> None:
    """What `tobs render --layout` does with one chat."""
    folders = change_layout(context, CHANNEL, layout)  # type: ignore[arg-type]
    transfer_owner_text(context)
    await write(context, *folders)
    finish_relayouts(context)


async def test_days_take_the_place_of_messages_and_the_other_way_round(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, on_day(1, 0), on_day(2, 0), on_day(3, 1))
    paths = [file_of(context, note(context, number)) for number in (1, 2, 3)]
    await laid_out(context, "day")
    assert not any(path.exists() for path in paths)
    first = file_of(context, named(context, f"{CHANNEL.id}/2023-11-14")).read_text()
    assert "words of 1" in first and "words of 2" in first and "words of 3" not in first
    rendering = report.report.rendering
    assert rendering is not None
    assert [(one.chat, one.layout, one.notes) for one in rendering.layouts] == [("Observatory", "day", 3)]
    await laid_out(context, "message")
    assert all(path.exists() for path in paths) and "words of 2" in paths[1].read_text()
    assert not (context.root / "Telegram/Observatory/2023/2023-11-14.md").exists()
    assert stale(context) == set()


async def test_a_chat_that_is_laid_out_so_already_is_left_alone(context: RunContext, report: ReportBuilder) -> None:
    await exported(context, on_day(1, 0))
    assert change_layout(context, CHANNEL, "message") == [] and report.report.rendering is None
    assert change_layout(context, CHANNEL, "auto") == []


async def test_links_of_the_owner_lead_to_the_new_notes(context: RunContext, report: ReportBuilder) -> None:
    await exported(context, on_day(1, 0), on_day(2, 0))
    link = note(context, 2).path.removesuffix(".md")
    (context.root / "mine.md").write_text(f"See [[{link}|the second]] and [[elsewhere]].\n")
    await laid_out(context, "day")
    day = named(context, f"{CHANNEL.id}/2023-11-14").path.removesuffix(".md")
    assert (context.root / "mine.md").read_text() == f"See [[{day}#^m2|the second]] and [[elsewhere]].\n"
    assert report.report.rendering is not None and report.report.rendering.relinked == 1
    await laid_out(context, "month")
    month = named(context, f"{CHANNEL.id}/2023-11").path.removesuffix(".md")
    assert f"[[{month}#^m2|the second]]" in (context.root / "mine.md").read_text()


async def test_words_of_the_owner_are_in_the_note_that_shows_the_same_messages(context: RunContext) -> None:
    await exported(context, on_day(1, 0), on_day(2, 1))
    path = file_of(context, note(context, 1))
    path.write_text(path.read_text() + "\nMy own words.\n")
    await laid_out(context, "day")
    text = file_of(context, named(context, f"{CHANNEL.id}/2023-11-14")).read_text()
    assert "My own words." in text and "words of 1" in text and not path.exists()


async def test_words_of_the_owner_that_no_single_note_stands_for_are_kept_beside(
    context: RunContext, report: ReportBuilder
) -> None:
    daily = replace(context, layout="day")
    await exported(daily, on_day(1, 0), on_day(2, 0))
    path = file_of(context, named(context, f"{CHANNEL.id}/2023-11-14"))
    path.write_text(path.read_text() + "\nMy own words.\n")
    await laid_out(context, "message")
    assert not path.exists() and report.report.rendering is not None
    (kept,) = report.report.rendering.kept
    text = (context.root / kept.beside).read_text()
    assert "My own words." in text and "tobs_id" not in text.partition("---\n\n")[0]
    assert "My own words." not in file_of(context, note(context, 1)).read_text()


async def test_a_deleted_note_stays_deleted_in_another_layout(context: RunContext) -> None:
    await exported(context, on_day(1, 0), on_day(2, 0), on_day(3, 1))
    file_of(context, note(context, 3)).unlink()
    context.archive.notes.mark_deleted([note(context, 3).id])
    await laid_out(context, "day")
    assert not any("words of 3" in path.read_text() for path in (context.root / "Telegram").rglob("2023*.md"))


async def test_a_run_that_was_stopped_in_the_middle_is_gone_on_with(context: RunContext) -> None:
    await exported(context, on_day(1, 0), on_day(2, 0, reply=Reply(message_id=1)), on_day(3, 1))
    paths = [file_of(context, note(context, number)) for number in (1, 2, 3)]
    folders = change_layout(context, CHANNEL, "day")
    assert folders and all(path.exists() for path in paths)
    resume_relayouts(context)
    finish_relayouts(context)  # nothing is written yet, so nothing is taken away
    assert all(path.exists() for path in paths)
    await write(context, *folders)
    finish_relayouts(context)
    assert not any(path.exists() for path in paths)
    assert file_of(context, named(context, f"{CHANNEL.id}/2023-11-15")).exists()


async def test_a_dry_run_tells_what_would_be_removed_and_removes_nothing(
    context: RunContext, report: ReportBuilder
) -> None:
    await exported(context, on_day(1, 0), on_day(2, 0))
    path = file_of(context, note(context, 1))
    (context.root / "mine.md").write_text(f"See [[{note(context, 2).path.removesuffix('.md')}]].\n")
    dry = replace(context, render_context=replace(context.render_context, is_dry_run=True))
    folders = change_layout(dry, CHANNEL, "day")
    await write(dry, *folders)
    # What is said to be changed anyway (the note of the chat) is not counted again.
    finish_relayouts(dry, previewed={named(context, str(CHANNEL.id)).path})
    assert path.exists() and "#^m2" not in (context.root / "mine.md").read_text()
    rendering = report.report.rendering
    assert rendering is not None and rendering.relinked == 1
    removed = {one.note for one in rendering.changes or [] if one.outcome == "removed"}
    assert removed == {note.path for note in context.archive.relayouts.retired(after=0)} and len(removed) == 2


@pytest.mark.parametrize("layout", ["day", "month"])
async def test_a_canvas_of_the_owner_shows_the_new_notes(context: RunContext, layout: str) -> None:
    await exported(context, on_day(1, 0))
    canvas = context.root / "mine.canvas"
    canvas.write_text(f'{{"nodes":[{{"id":"1","type":"file","file":"{note(context, 1).path}"}}]}}')
    await laid_out(context, layout)
    name = "2023-11-14" if layout == "day" else "2023-11"
    assert named(context, f"{CHANNEL.id}/{name}").path in canvas.read_text()
