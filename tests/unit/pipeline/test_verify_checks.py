"""What a verification finds, each thing once, and what a repair asks for again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    attached,
    exported,
    file_of,
    message,
    note,
    photo,
    plan,
    record,
    stale,
    write,
)

from tobs.model import Reply
from tobs.pipeline.commands.verify import _prepare
from tobs.pipeline.commands.verify_checks import Fault, Verification, check_all, sha256_of
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.vault_scan import scan_vault


def checked(context: RunContext) -> Verification:
    return check_all(context.archive, context.root, ACCOUNT)


def faults(context: RunContext) -> list[tuple[str, str]]:
    return [(fault.kind, fault.item) for fault in checked(context).items]


async def vault(context: RunContext) -> ChatFolder:
    """Three notes, the second answers the first; a file; the chat is kept in step."""
    folder = await exported(context, message(1), message(2, reply=Reply(message_id=1)), message(3))
    context.archive.updates.track(ACCOUNT, CHANNEL.id, 3)
    await write(context, folder)
    return folder


async def test_a_vault_in_order_has_no_fault_and_everything_is_counted(context: RunContext) -> None:
    await vault(context)
    attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    found = checked(context)
    assert found.items == [] and found.ok
    counted = found.checked
    assert (counted["messages"], counted["attachments"], counted["bases"]) == (3, 1, 2)
    assert counted["notes"] == 5 and counted["links"] > 0


async def test_ids_that_were_never_fetched_and_messages_that_could_not_be_read_are_told(context: RunContext) -> None:
    await vault(context)
    context.archive.coverage.add(ACCOUNT, CHANNEL.id, 6, 7, ((6, "a field that tobs did not expect"),))
    context.archive.updates.raise_top(ACCOUNT, CHANNEL.id, 9)
    told = {fault.kind: fault.reason for fault in checked(context).items}
    assert set(told) == {"gap", "unreadable"}
    assert "4-5" in told["gap"] and "message 6" in told["unreadable"]


async def test_messages_without_a_note_and_files_still_to_come_are_told(context: RunContext) -> None:
    await vault(context)
    record(context, message(4, media=photo()), low=4)
    context.archive.updates.raise_top(ACCOUNT, CHANNEL.id, 4)
    assert {kind for kind, _ in faults(context)} == {"unplanned", "wanted"}


async def test_a_note_that_is_gone_another_one_or_out_of_date_is_told(context: RunContext) -> None:
    await vault(context)
    one, three = file_of(context, note(context, 1)), file_of(context, note(context, 3))
    one.write_text(three.read_text())
    three.unlink()
    context.archive.notes.mark_stale([note(context, 2).id])
    found = faults(context)
    assert ("foreign", note(context, 1).path) in found and ("missing", note(context, 3).path) in found
    assert ("stale", note(context, 2).path) in found


async def test_a_planned_note_that_was_never_written_is_told(context: RunContext) -> None:
    await vault(context)
    record(context, message(4), low=4)
    folder = open_chat(context, CHANNEL)
    plan(context, folder)
    assert ("stale", note(context, 4).path) in faults(context)


async def test_front_matter_that_cannot_be_read_is_told_but_words_of_the_owner_are_no_fault(
    context: RunContext,
) -> None:
    await vault(context)
    one, three = file_of(context, note(context, 1)), file_of(context, note(context, 3))
    three.write_text(three.read_text() + "\nMine, [[nowhere]].\n")
    assert faults(context) == []
    one.write_text(one.read_text().replace("tobs_id:", "x: [\ntobs_id:", 1))
    assert faults(context) == [("front matter", note(context, 1).path)]


async def test_a_note_that_holds_an_older_text_of_tobs_is_told(context: RunContext) -> None:
    folder = await vault(context)
    path = file_of(context, note(context, 3))
    before = path.read_text()
    record(context, message(3, "edited"), high=0)
    await write(context, folder)
    path.write_text(before)
    assert faults(context) == [("outdated", note(context, 3).path)]


async def test_links_of_tobs_that_lead_nowhere_are_told(context: RunContext) -> None:
    await vault(context)
    context.archive.notes.mark_deleted([note(context, 1).id])
    file_of(context, note(context, 1)).unlink()
    found = [fault for fault in checked(context).items if fault.item == note(context, 2).path]
    assert {fault.kind for fault in found} == {"link"} and "leads to nothing" in found[0].reason


async def test_attachments_that_are_gone_or_changed_are_told(context: RunContext) -> None:
    await vault(context)
    gone, changed = attached(context, "a.jpg", b"one"), attached(context, "b.jpg", b"two")
    lost = attached(context, "c.jpg", b"three")
    context.archive.files.set_lost(lost.sha256, lost=True)
    (context.root / "a.jpg").unlink()
    (context.root / "c.jpg").unlink()
    (context.root / "b.jpg").write_bytes(b"owt")
    assert sorted(faults(context)) == [("attachment", gone.path), ("content", changed.path)]
    assert sha256_of(context.root / "b.jpg") != changed.sha256


async def test_a_copy_of_a_note_and_what_a_sync_tool_left_are_told(context: RunContext) -> None:
    await vault(context)
    text = file_of(context, note(context, 1)).read_text()
    (context.root / "copy.md").write_text(text)
    (context.root / "x (conflicted copy).md").write_text(text)
    (context.root / "mine.md").write_text("nothing of tobs")
    reasons = {fault.item: fault.reason for fault in checked(context).items if fault.kind == "copy"}
    assert set(reasons) == {"copy.md", "x (conflicted copy).md"}
    assert "same id" in reasons["copy.md"] and "sync tool" in reasons["x (conflicted copy).md"]


async def test_what_a_killed_run_left_is_told(context: RunContext) -> None:
    await vault(context)
    (context.root / "Telegram" / ".tobs-0123456789ab-0").write_text("half")
    assert [kind for kind, _ in faults(context)] == ["temporary"]


async def test_notes_of_days_have_the_blocks_that_links_name(context: RunContext) -> None:
    daily = replace(context, layout="day")
    await exported(daily, message(1), message(2, reply=Reply(message_id=1)))
    assert faults(context) == []
    row = context.archive.notes.by_tobs_id(f"{CHANNEL.id}/2023-11-14")
    assert row is not None
    path = context.root / row.path
    path.write_text(path.read_text().replace("^m1", "^m9"))
    assert any("leads to no block" in fault.reason for fault in checked(context).items)


# what a repair asks for


def ask(context: RunContext, kind: str, item: str) -> None:
    _prepare(context, [Fault(kind, item, "")])  # type: ignore[arg-type]


async def test_a_missing_note_is_written_again_when_its_owner_asks_for_it(context: RunContext) -> None:
    folder = await vault(context)
    path = file_of(context, note(context, 3))
    path.unlink()
    scan_vault(context.archive, context.root, context.events, accept_missing=False)
    await write(context, folder)
    assert not path.exists()
    ask(context, "missing", note(context, 3).path)
    await write(context, folder)
    assert path.exists()


@pytest.mark.parametrize(
    ("kind", "again"),
    [("stale", True), ("outdated", True), ("foreign", True), ("link", True), ("embed", True), ("front matter", False)],
)
async def test_notes_that_can_be_written_again_are_stale(context: RunContext, kind: str, again: bool) -> None:
    await vault(context)
    ask(context, kind, note(context, 3).path)
    assert stale(context) == ({f"{CHANNEL.id}/3"} if again else set())


@pytest.mark.parametrize("kind", ["attachment", "content"])
async def test_a_file_that_is_gone_or_another_is_wanted_again_and_the_owners_goes_to_the_trash(
    context: RunContext, kind: str
) -> None:
    await exported(context, message(1, media=photo()))
    (row,) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5)
    file = attached(context, "a.jpg", b"jpeg")
    context.archive.media.staged(row.key, file.sha256, 4)
    context.archive.media.attached([row.id])
    (context.root / "a.jpg").write_bytes(b"mine")
    ask(context, kind, "a.jpg")
    assert context.archive.files.get(file.sha256) is None
    assert [one.message_id for one in context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5)] == [1]
    assert not (context.root / "a.jpg").exists() and (context.root / ".trash" / "a.jpg").read_bytes() == b"mine"


async def test_a_file_that_is_whole_after_all_stays(context: RunContext) -> None:
    await vault(context)
    file = attached(context, "a.jpg", b"jpeg")
    ask(context, "content", "a.jpg")
    assert context.archive.files.get(file.sha256) == file and (context.root / "a.jpg").exists()
