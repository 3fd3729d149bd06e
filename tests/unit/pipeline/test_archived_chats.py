"""The chats of a vault, named without Telegram; and a vault whose archive was lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    exported,
    file_of,
    message,
    named,
    note,
    plan,
    record,
    started,
    workbench,
)

from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, Person
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.adoption import adopt_notes
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.select.archived_chats import archived_folders, store_account, stored_account
from tobs.pipeline.select.selection import SelectedChat, _with_more, fits

GROUP = Chat(-1000000000003, "supergroup", "Observatory talk", username="talk", top=9)


def titles(context: RunContext, *targets: str) -> list[str]:
    return [one.chat.title for one in archived_folders(context, targets)]


def test_an_empty_vault_is_told(context: RunContext) -> None:
    with pytest.raises(UsageError, match="no chats in this vault") as caught:
        archived_folders(context, ())
    assert "tobs export" in caught.value.remedy
    context.archive.chats.put(ACCOUNT, CHANNEL)
    with pytest.raises(UsageError):
        archived_folders(context, ())


@pytest.mark.parametrize(
    "target",
    [
        "observatory",
        " @observatory ",
        "https://t.me/observatory",
        "t.me/observatory/7",
        "https://t.me/c/1/7",
        str(CHANNEL.id),
    ],
)
def test_a_chat_is_named_by_title_username_id_or_link(context: RunContext, target: str) -> None:
    open_chat(context, CHANNEL)
    open_chat(context, GROUP)
    assert titles(context, target) == ["Observatory"]
    assert sorted(titles(context)) == ["Observatory", "Observatory talk"]


def test_a_target_that_fits_none_or_several_is_told_with_what_to_do(context: RunContext) -> None:
    open_chat(context, CHANNEL)
    open_chat(context, replace(GROUP, title="My observatory talk"))
    open_chat(context, replace(GROUP, id=-1000000000004, title="Another talk"))
    with pytest.raises(TargetNotFound, match="'planets' is not in this vault"):
        archived_folders(context, ["planets"])
    with pytest.raises(TargetNotFound, match="fits 2 chats") as caught:
        archived_folders(context, ["talk"])
    assert "id" in caught.value.remedy


def test_what_is_filed_in_the_folder_of_a_chat_comes_with_it(context: RunContext) -> None:
    grown = replace(GROUP, migrated_from=-55, title="Club")
    folder = open_chat(context, grown)
    old = Chat(-55, "group", "Old club", migrated_to=grown.id)
    open_chat(context, old, parent=folder)
    open_chat(context, CHANNEL)
    assert sorted(titles(context, "Club")) == ["Club", "Old club"]
    assert sorted(titles(context)) == ["Club", "Observatory", "Old club"]


def test_a_chat_of_which_nothing_up_to_the_watermark_is_here_came_in_part(context: RunContext) -> None:
    open_chat(context, CHANNEL)
    record(context, message(50), low=45, high=50)
    (found,) = archived_folders(context, ())
    assert found.is_part
    record(context, message(1), low=1, high=44)
    (found,) = archived_folders(context, ())
    assert not found.is_part


def test_the_first_account_of_a_vault_gets_what_was_imported_before(context: RunContext) -> None:
    private = Chat(77, "private", "Anna", top=3)
    assert stored_account(context.archive, "default") == 0
    context.archive.chats.put(0, private)
    store_account(context.archive, "default", ACCOUNT)
    assert stored_account(context.archive, "default") == ACCOUNT and stored_account(context.archive, "other") == 0
    assert context.archive.chats.get(ACCOUNT, 77) is not None
    context.archive.chats.put(0, replace(private, id=78))
    store_account(context.archive, "default", ACCOUNT)
    assert context.archive.chats.get(ACCOUNT, 78) is None


@pytest.mark.parametrize(
    ("pattern", "fit"),
    [
        ("OBSERV", True),
        ("@Observatory", True),
        ("@observ", False),
        (str(CHANNEL.id), True),
        ("1000000000001", False),
        ("me", False),
        ("", False),
        ("  ", False),
        ("planets", False),
    ],
)
def test_a_pattern_fits_an_id_a_username_or_a_part_of_the_title(pattern: str, fit: bool) -> None:
    assert fits(pattern, CHANNEL) is fit
    assert fits("me", Chat(1, "saved", "Saved Messages"))


def test_a_chat_that_two_targets_name_is_had_whole_or_with_the_topics_of_both() -> None:
    whole, one, two = SelectedChat(GROUP, True), SelectedChat(GROUP, True, (4, 5)), SelectedChat(GROUP, False, (5, 6))
    assert _with_more(None, one) == one
    assert _with_more(one, two).topics == (4, 5, 6)
    assert _with_more(one, whole).topics == _with_more(whole, one).topics == ()


# a lost archive

HERS = message(1, "Hello.", sender_id=7), message(2, "Hello again.", sender_id=7)


async def test_notes_of_a_vault_whose_archive_is_lost_are_recognized_by_their_ids(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with workbench(first) as context:
        await exported(context, *HERS, people=(Person(7, "Anna"),))
        path = file_of(context, note(context, 1))
        (context.root / "Mine").mkdir()
        path.rename(context.root / "Mine" / "Kept.md")
        shutil.copy(file_of(context, note(context, 2)), context.root / "a (conflicted copy).md")
        expected = {tobs_id: named(context, tobs_id).path for tobs_id in (f"{CHANNEL.id}/2", str(CHANNEL.id), "index")}
    report = started()
    with workbench(second, report) as context:
        shutil.rmtree(context.root)
        shutil.copytree(first / "vault", context.root)
        (context.root / "mine.md").write_text("My own words.")
        adopt_notes(context)
        assert note(context, 1).path == "Mine/Kept.md"
        assert {tobs_id: named(context, tobs_id).path for tobs_id in expected} == expected
        assert named(context, "person/7").kind == "person" and named(context, "index").kind == "index"
        (told,) = report.finish().recovered
        assert "5 notes of the vault were recognized" in told.what
        # Messages that are fetched again get their notes where they lie.
        before = (context.root / "Mine/Kept.md").stat().st_mtime_ns
        await exported(context, *HERS, people=(Person(7, "Anna"),))
        assert (context.root / "Mine/Kept.md").stat().st_mtime_ns == before
        adopt_notes(context)
        assert len(report.finish().recovered) == 1


@pytest.mark.parametrize(
    ("tobs_id", "kind", "chat", "number", "period"),
    [
        ("-5/7", "message", -5, 7, ""),
        ("-5", "chat", -5, 0, ""),
        ("-5/topic/4", "topic", -5, 4, ""),
        ("-5/2024-01-02", "day", -5, 0, "2024-01-02"),
        ("-5/2024-01", "month", -5, 0, "2024-01"),
        ("-5/topic/4/2024-01", "month", -5, 0, "2024-01"),
        ("person/7", "person", 0, 0, ""),
        ("audio/" + "ab" * 32, "audio", 0, 0, ""),
        ("index", "index", 0, 0, ""),
    ],
)
def test_an_id_tells_what_a_note_is(
    context: RunContext, report: ReportBuilder, tobs_id: str, kind: str, chat: int, number: int, period: str
) -> None:
    (context.root / "note.md").write_text(f'---\ntobs_id: "{tobs_id}"\n---\n\nHello.\n')
    (context.root / "strange.md").write_text('---\ntobs_id: "something/else"\n---\n\nHello.\n')
    adopt_notes(context)
    row = named(context, tobs_id)
    assert (row.kind, row.chat_id, row.message_id, row.period) == (kind, chat, number, period)
    assert context.archive.notes.by_tobs_id("something/else") is None
    layout = context.archive.chats.layout(ACCOUNT, chat) if period else None
    assert layout is None or layout[0] == kind


async def test_days_go_on_where_there_are_some(context: RunContext) -> None:
    (context.root / "day.md").write_text(f'---\ntobs_id: "{CHANNEL.id}/2023-11-14"\n---\n\nHello.\n')
    adopt_notes(context)
    folder = open_chat(context, CHANNEL)
    assert folder.layout == "day"
    record(context, message(1))
    plan(context, folder)
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 1) == named(context, f"{CHANNEL.id}/2023-11-14").id
