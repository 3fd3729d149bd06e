"""Stale notes on their way to the disk, and what becomes of those that cannot be written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    exported,
    file_of,
    key,
    message,
    named,
    note,
    photo,
    plan,
    record,
    settled,
    stale,
    write,
)

from tobs.archive import NoteRow
from tobs.model import Chat, Person, Reply
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.note_writer import NoteWriter, fitting_batch, mark_changed_templates
from tobs.pipeline.notes.render_pool import RenderPool
from tobs.render.builtin import load_builtin
from tobs.render.templates import Templates

BROKEN = "{% if messages[0].text == 'words of 2' %}{{ nothing.here }}{% endif %}{{ messages[0].text }}"


def with_template(context: RunContext, text: str) -> RunContext:
    """The same run with another template for messages."""
    templates = Templates(lambda name: (text, True) if name == "message.md.j2" else load_builtin(name))
    return replace(context, render_context=replace(context.render_context, templates=templates))


async def test_every_note_is_created_once_and_left_alone_then(context: RunContext, report: ReportBuilder) -> None:
    folder = await exported(context, message(1), message(2), people=(Person(7, "Anna"),))
    notes = report.report.notes
    # Two messages, the chat and the list of chats; tables are no notes.
    assert (notes.created, notes.updated, notes.unchanged) == (4, 0, 0) and stale(context) == set()
    stamps = {path: path.stat().st_mtime_ns for path in context.root.rglob("*.md")}
    assert len(stamps) == 4
    context.archive.notes.mark_all_stale()
    await write(context, folder)
    assert (notes.created, notes.unchanged) == (4, 4)
    assert {path: path.stat().st_mtime_ns for path in context.root.rglob("*.md")} == stamps


async def test_a_note_whose_template_fails_is_told_and_tried_again_by_the_next_run(
    context: RunContext, report: ReportBuilder
) -> None:
    broken = with_template(context, BROKEN)
    folder = await exported(broken, message(1), message(2), message(3))
    assert not file_of(context, note(context, 2)).exists() and file_of(context, note(context, 3)).exists()
    (problem,) = report.report.problems
    assert (problem.what, problem.item) == ("TemplateBroken", note(context, 2).path)
    assert stale(context) == {f"{CHANNEL.id}/2"}
    await write(context, folder)
    assert file_of(context, note(context, 2)).exists() and stale(context) == set()


async def test_a_note_whose_front_matter_the_owner_broke_is_told_and_left(
    context: RunContext, report: ReportBuilder
) -> None:
    folder = await exported(context, message(1), message(2))
    path = file_of(context, note(context, 1))
    path.write_text(path.read_text().replace("tobs_id:", "x: [\ntobs_id:", 1))
    text = path.read_text()
    record(context, message(1, "edited"), high=0)
    await write(context, folder)
    assert path.read_text() == text and [one.what for one in report.report.problems] == ["front matter"]
    assert stale(context) == {f"{CHANNEL.id}/1"}


async def test_words_of_the_owner_are_merged_and_a_conflict_is_told(context: RunContext, report: ReportBuilder) -> None:
    folder = await exported(context, message(1), message(2), message(3))
    for number, old, new in ((1, "words of 1", "words of 1\n\nMine."), (2, "words of 2", "My words.")):
        path = file_of(context, note(context, number))
        path.write_text(path.read_text().replace(old, new))
    record(context, message(1, "edited", views=5), message(2, "edited"), high=0)
    await write(context, folder)
    merged = file_of(context, note(context, 1)).read_text()
    assert "edited" in merged and "Mine." in merged
    notes = report.report.notes
    assert (notes.conflicts, notes.preserved) == (1, 2)
    assert [one.note for one in report.report.conflicts] == [note(context, 2).path]
    assert stale(context) == set()


async def test_a_note_deleted_while_the_run_goes_on_is_left_to_the_next_look(
    context: RunContext, report: ReportBuilder
) -> None:
    folder = await exported(context, message(1), message(2))
    file_of(context, note(context, 1)).unlink()
    record(context, message(1, "edited"), high=0)
    await write(context, folder)
    assert not file_of(context, note(context, 1)).exists() and note(context, 1).state == "written"
    assert stale(context) == {f"{CHANNEL.id}/1"} and report.report.notes.deleted == 0


async def test_links_lead_to_notes_that_come_later_too(context: RunContext) -> None:
    await exported(context, message(1, reply=Reply(message_id=5)))
    assert "t.me/observatory/5" in file_of(context, note(context, 1)).read_text()
    await exported(context, message(5), low=2)
    target = note(context, 5).path.removesuffix(".md")
    assert f"[[{target}" in file_of(context, note(context, 1)).read_text()


async def test_only_notes_whose_files_are_settled_are_written_before_the_end(context: RunContext) -> None:
    folder = open_chat(context, CHANNEL)
    record(context, message(1), message(2, media=photo()), message(3))
    plan(context, folder)
    async with ArchiveThread() as thread, RenderPool(context.render_context, thread, processes=0) as pool:
        writer = NoteWriter(context, thread, pool)
        assert await writer.write_messages(folder, final=False) == 2
        assert not file_of(context, note(context, 2)).exists()
        assert await writer.write_messages(folder, final=True) == 1
        assert await writer.write_summaries() > 0 and await writer.write_summaries() == 0
        await writer.write_index()
    assert stale(context) == set()


async def test_batches_are_all_written_however_many_there_are(context: RunContext) -> None:
    small = replace(context, batch=3)
    await exported(small, *(message(number) for number in range(1, 21)))
    assert len(list(context.root.rglob("*words of*.md"))) == 20


def row(note_id: int) -> NoteRow:
    return NoteRow(note_id, f"-5/{note_id}", "day", 0, -5, 0, f"{note_id}.md", "planned", 1, 0, "", 0, 0, "2024-01-01")


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=20))
def test_notes_of_many_messages_are_read_together_only_while_they_are_few(sizes: list[int]) -> None:
    rows = [row(number) for number in range(len(sizes))]
    taken = fitting_batch(rows, dict(enumerate(sizes)))
    assert taken == rows[: len(taken)] and taken
    assert len(taken) == 1 or sum(sizes[: len(taken)]) <= max(2_000, sizes[0])
    if len(taken) < len(rows):
        assert sum(sizes[: len(taken) + 1]) > max(2_000, sizes[0])


async def test_a_changed_template_makes_the_notes_of_its_kind_stale_and_only_those(context: RunContext) -> None:
    assert mark_changed_templates(context) == []
    await exported(context, message(1), message(2))
    assert mark_changed_templates(context) == [] and stale(context) == set()
    other = with_template(context, "{{ messages[0].text }}")
    assert mark_changed_templates(other) == ["message", "day", "month"]
    assert stale(context) == {f"{CHANNEL.id}/1", f"{CHANNEL.id}/2"}
    settled(context)
    assert mark_changed_templates(other) == [] and stale(context) == set()


async def test_the_list_of_chats_is_written_when_a_chat_is(context: RunContext) -> None:
    await exported(context, message(1))
    index = file_of(context, named(context, "index"))
    assert "Observatory" in index.read_text()
    other = Chat(-1000000000009, "channel", "Planetarium", top=5)
    await exported(context, message(1, chat=other), chat=other)
    assert "Planetarium" in index.read_text()


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def test_in_a_dry_run_nothing_is_written_and_what_would_be_is_answered(context: RunContext) -> None:
    folder = await exported(context, message(1))
    record(context, message(1, "edited"), high=0)
    before = contents(context.root)
    dry = replace(context, render_context=replace(context.render_context, is_dry_run=True))
    changes: list[tuple[str, str] | None] = []
    async with ArchiveThread() as thread, RenderPool(dry.render_context, thread, processes=0) as pool:
        writer = NoteWriter(dry, thread, pool, on_result=lambda result: changes.append(result.change))
        await writer.write_messages(folder, final=True)
    assert contents(context.root) == before
    (change,) = changes
    assert change is not None and "words of 1" in change[0] and "edited" in change[1]
    assert context.archive.notes.bases([note(context, 1).id])[note(context, 1).id] == change[0]
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, key(1).id)
