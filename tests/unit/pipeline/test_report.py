"""What the report of a run says of the events of the run."""

from __future__ import annotations

import json

import pytest

from tobs.errors import VaultError
from tobs.model import events as e
from tobs.pipeline.context.report import ReportBuilder, start_report


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def report(clock: Clock) -> ReportBuilder:
    return start_report("7", "export", ["@a"], clock)


def test_counts_of_every_kind_add_up(report: ReportBuilder) -> None:
    for _ in range(2):
        report.events.emit(e.MessagesCounted(fetched=5, new=3, edited=1, deleted=2, skipped=4))
        report.events.emit(e.MediaCounted(1, 2, 3, 4, 5, 6, 7))
        report.events.emit(e.ProcessorCounted("tags", done=1, cached=2, skipped=3, failed=4))
        report.events.emit(e.RequestsCounted(9))
        report.events.emit(e.ContentLeftOut("polls", 3))
    found = json.loads(report.finish().to_json())
    assert found["messages"] == {"fetched": 10, "new": 6, "edited": 2, "deleted": 4, "skipped": 8}
    assert list(found["media"].values()) == [2, 4, 6, 8, 10, 12, 14]
    assert found["processors"] == {"tags": {"done": 2, "cached": 4, "skipped": 6, "failed": 8}}
    assert (found["requests"], found["left_out"]) == (9, {"polls": 6})


def test_a_merged_note_counts_as_updated_and_preserved_and_a_conflict_as_both_too(report: ReportBuilder) -> None:
    outcomes = {"created": 1, "updated": 2, "unchanged": 3, "merged": 4, "conflict": 5, "preserved": 6, "deleted": 7}
    report.events.emit(e.NotesCounted(outcomes, moved=8, removed=9))  # type: ignore[arg-type]
    notes = report.report.notes
    assert (notes.created, notes.updated, notes.unchanged) == (1, 6, 3)
    assert (notes.preserved, notes.conflicts, notes.deleted, notes.moved) == (15, 5, 16, 8)


def test_the_same_item_is_a_problem_once_a_kind(report: ReportBuilder) -> None:
    for what in ("media", "media", "plugin tags"):
        report.events.problem(what, "a.mp3", "broken")
    report.events.problem("media", "b.mp3", "gone", retryable=False)
    report.events.failed(VaultError("It is full.", "Make room."), "b.mp3")
    found = [(one.what, one.item, one.retryable) for one in report.report.problems]
    assert found == [
        ("media", "a.mp3", True),
        ("plugin tags", "a.mp3", True),
        ("media", "b.mp3", False),
        ("VaultError", "b.mp3", True),
    ]
    finished = report.finish()
    assert (finished.ok, finished.exit_code) == (False, 1)


def test_a_run_without_a_problem_is_ok(report: ReportBuilder, clock: Clock) -> None:
    clock.now += 60
    finished = report.finish()
    assert (finished.ok, finished.exit_code) == (True, 0)
    assert (finished.started, finished.finished) == ("1970-01-01T00:16:40+00:00", "1970-01-01T00:17:40+00:00")
    assert (finished.run_id, finished.command, finished.targets) == ("7", "export", ["@a"])


def test_doubts_and_remarks_are_told_once_and_what_came_right_is_counted(report: ReportBuilder) -> None:
    for _ in range(2):
        report.events.doubt("media", "a.mp3", "it plays longer")
        report.events.emit(e.RemarkMade("no story"))
        report.events.recovered("a lost connection")
        report.events.emit(e.ConflictFound("a.md", "new"))
    report.events.doubt("media", "b.mp3", "it plays longer")
    found = report.finish()
    assert [one.item for one in found.doubts] == ["a.mp3", "b.mp3"]
    assert found.remarks == ["no story"] and found.exit_code == 0
    assert [(one.what, one.times) for one in found.recovered] == [("a lost connection", 2)]
    assert [one.note for one in found.conflicts] == ["a.md", "a.md"]


def test_files_left_to_a_later_run_are_counted_and_told_once_and_a_fault_is_a_problem(report: ReportBuilder) -> None:
    notices: list[str] = []
    report.events.subscribe(lambda event: notices.append(event.text) if isinstance(event, e.NoticeShown) else None)
    report.events.postponed(3, "Club", "the budget is spent", is_fault=False)
    report.events.postponed(2, "Club", "the budget is spent", is_fault=False)
    assert report.report.media.postponed == 5 and len(notices) == 1 and report.report.problems == []
    report.events.postponed(1, "Club", "the disk is full", is_fault=True)
    (problem,) = report.report.problems
    assert problem.item == "files of Club" and len(notices) == 1
    assert [one.times for one in report.finish().recovered] == [1]


def test_a_flood_wait_counts_as_long_as_it_was_waited_for(report: ReportBuilder, clock: Clock) -> None:
    report.events.flood_wait("messages.getHistory", 30)
    clock.now += 30
    report.events.flood_wait("messages.getHistory", 100)
    clock.now += 40
    finished = report.finish()
    assert (finished.flood.waits, finished.flood.seconds) == (2, 70.0)
    assert [(one.what, one.times) for one in finished.recovered] == [("flood wait on messages.getHistory", 2)]


def test_a_pause_that_an_earlier_run_met_is_a_wait_and_one_that_was_counted_is_not_counted_again(
    report: ReportBuilder, clock: Clock
) -> None:
    report.events.paused("messages.getHistory", clock.now + 500)
    assert (report.report.flood.waits, report.report.flood.seconds) == (1, 500.0)
    report.events.paused("messages.getHistory", clock.now + 500.5)
    assert report.report.flood.waits == 1
    report.events.paused("messages.getHistory", clock.now + 502)
    assert report.report.flood.waits == 2


def test_how_a_takeout_went_and_what_a_rendering_did_are_in_the_report(report: ReportBuilder) -> None:
    report.events.emit(e.TakeoutChanged("used", ("files",)))
    report.events.emit(e.TakeoutChanged("ended", None, "Telegram ended it"))
    takeout = report.report.takeout
    assert (takeout.state, takeout.scopes, takeout.reason) == ("ended", ("files",), "Telegram ended it")
    assert report.report.rendering is None
    report.events.emit(e.LinksUpdated(2))
    report.events.emit(e.LinksUpdated(3))
    report.events.emit(e.ChatRelaid("Club", "day", 7))
    rendering = report.report.rendering
    assert rendering is not None and rendering.relinked == 5 and rendering.changes is None
    assert [(one.chat, one.layout, one.notes) for one in rendering.layouts] == [("Club", "day", 7)]
    report.events.emit(e.NoteChangePreviewed("a.md", "updated", "-a"))
    assert rendering.changes is not None and [one.note for one in rendering.changes] == ["a.md"]


def test_a_dry_run_that_would_change_nothing_says_so(report: ReportBuilder) -> None:
    report.events.emit(e.RenderingStarted(dry_run=True))
    assert report.report.rendering is not None and report.report.rendering.changes == []


def test_plugins_exports_and_targets_are_listed(report: ReportBuilder) -> None:
    report.events.emit(e.PluginIdled("whisper", "missing", "it needs a model"))
    report.events.emit(e.ExportWritten("exports/a.jsonl"))
    report.events.emit(e.TargetsResolved(("@b", "@c")))
    assert [(one.name, one.state) for one in report.report.plugins] == [("whisper", "missing")]
    assert (report.report.exports, report.report.targets) == (["exports/a.jsonl"], ["@b", "@c"])


def test_whoever_unsubscribes_hears_nothing_more(report: ReportBuilder) -> None:
    heard: list[e.RunEvent] = []
    report.events.subscribe(heard.append)
    report.events.emit(e.LinksUpdated(1))
    report.events.unsubscribe(heard.append)
    report.events.emit(e.LinksUpdated(1))
    assert len(heard) == 1 and report.events.now == 1000.0
