"""The report of a run, built from its events (invariant 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from msgspec import Struct

from tobs.model import events as e
from tobs.model.clock import Clock
from tobs.model.outcomes import NoteOutcome, ProcessorCounts
from tobs.model.report import (
    Change,
    Conflict,
    Doubt,
    IdlePlugin,
    KeptNote,
    Problem,
    Recovered,
    Relaid,
    Rendering,
    RunReport,
    TakeoutStatus,
    iso_time,
)
from tobs.pipeline.context.events import RunEvents

#: Counts of an outcome in the report: a merged note was updated, and the owner's words in it were preserved.
_COUNTED: dict[NoteOutcome, tuple[str, ...]] = {
    "merged": ("updated", "preserved"),
    "conflict": ("conflicts", "preserved"),
}


class ReportBuilder:
    """Builds the report of a run from its ``events``, which it subscribes to. ``clock`` gives Unix seconds."""

    def __init__(self, run: RunEvents, clock: Clock) -> None:
        self.events = run
        self._clock = clock
        self._recovered: Counter[str] = Counter()
        self._failed_items: set[tuple[str, str]] = set()
        self._doubts: set[Doubt] = set()
        self._waiting_until = 0.0
        self.report = RunReport(run.run_id, run.command, list(run.targets), started=iso_time(clock()))
        run.subscribe(self)

    def __call__(self, event: e.RunEvent) -> None:
        """Add ``event`` to the report."""
        match event:
            case e.MessagesCounted() | e.MediaCounted() | e.NotesCounted() | e.ProcessorCounted():
                self._count(event)
            case e.ProblemFound(what, item, reason, retryable):
                if (what, item) not in self._failed_items:
                    self._failed_items.add((what, item))
                    self.report.problems.append(Problem(what, item, reason, retryable))
            case e.FaultRecovered(what):
                self._recovered[what] += 1
            case e.FloodWaitStarted(_, until, seconds):
                self.report.flood.waits += 1
                self.report.flood.seconds += seconds
                self._waiting_until = until
            case e.TakeoutChanged(state, scopes, reason):
                self.report.takeout = TakeoutStatus(
                    state, self.report.takeout.scopes if scopes is None else scopes, reason
                )
            case e.RenderingStarted() | e.ChatRelaid() | e.OwnerTextKept() | e.LinksUpdated() | e.NoteChangePreviewed():
                self._add_rendering(event)
            case e.RequestsCounted(total):
                self.report.requests = total
            case e.TargetsResolved(targets):
                self.report.targets = list(targets)
            case e.PhaseStarted() | e.ChatStarted() | e.WorkExpected() | e.NoticeShown() | e.RunPaused():
                pass  # progress shows these
            case _:
                self._list(event)

    def _count(self, event: e.MessagesCounted | e.MediaCounted | e.NotesCounted | e.ProcessorCounted) -> None:
        report = self.report
        match event:
            case e.MessagesCounted():
                _add(report.messages, event)
            case e.MediaCounted():
                _add(report.media, event)
            case e.ProcessorCounted(name=name):
                _add(report.processors.setdefault(name, ProcessorCounts()), event)
            case e.NotesCounted(outcomes, moved, removed):
                for outcome, count in outcomes.items():
                    for counter in _COUNTED.get(outcome, (outcome,)):
                        setattr(report.notes, counter, getattr(report.notes, counter) + count)
                report.notes.moved += moved
                report.notes.deleted += removed

    def _list(
        self,
        event: e.DoubtFound | e.ConflictFound | e.RemarkMade | e.ContentLeftOut | e.ExportWritten | e.PluginIdled,
    ) -> None:
        report = self.report
        match event:
            case e.DoubtFound(what, item, reason):
                doubt = Doubt(what, item, reason)
                if doubt not in self._doubts:
                    self._doubts.add(doubt)
                    report.doubts.append(doubt)
            case e.ConflictFound(note, new):
                report.conflicts.append(Conflict(note, new))
            case e.RemarkMade(text):
                if text not in report.remarks:
                    report.remarks.append(text)
            case e.ContentLeftOut(what, count):
                report.left_out[what] = report.left_out.get(what, 0) + count
            case e.ExportWritten(path):
                report.exports.append(path)
            case e.PluginIdled(name, state, reason):
                report.plugins.append(IdlePlugin(name, state, reason))
            case _:
                assert_never(event)

    def _add_rendering(
        self, event: e.RenderingStarted | e.ChatRelaid | e.OwnerTextKept | e.LinksUpdated | e.NoteChangePreviewed
    ) -> None:
        rendering = self.report.rendering = self.report.rendering or Rendering()
        match event:
            case e.RenderingStarted(dry_run):
                rendering.changes = [] if dry_run else None
            case e.ChatRelaid(chat, layout, notes):
                rendering.layouts.append(Relaid(chat, layout, notes))
            case e.OwnerTextKept(note, beside):
                rendering.kept.append(KeptNote(note, beside))
            case e.LinksUpdated(files):
                rendering.relinked += files
            case e.NoteChangePreviewed(note, outcome, diff):
                rendering.changes = rendering.changes if rendering.changes is not None else []
                rendering.changes.append(Change(note, outcome, diff))

    def finish(self) -> RunReport:
        """Close the report. Of a flood wait that goes on, only the seconds waited so far count."""
        flood = self.report.flood
        flood.seconds -= min(flood.seconds, max(0.0, self._waiting_until - self._clock()))
        self._waiting_until = 0.0
        self.report.recovered = [Recovered(what, times) for what, times in sorted(self._recovered.items())]
        self.report.ok = not self.report.problems
        self.report.finished = iso_time(self._clock())
        return self.report


def _add(counts: Struct, event: Struct) -> None:
    """Add the numbers of ``event`` to the counters of the same names."""
    for name in counts.__struct_fields__:
        if more := getattr(event, name):
            setattr(counts, name, getattr(counts, name) + more)


def start_report(run_id: str, command: str, targets: Sequence[str], clock: Clock) -> ReportBuilder:
    """Begin the report of a run; its ``events`` are what stages emit to. ``clock`` gives Unix seconds."""
    return ReportBuilder(RunEvents(run_id, command, targets, clock), clock)
