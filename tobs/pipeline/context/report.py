"""The run report: what a run did, what did not work, and what came right after a retry (invariant 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

import msgspec
from msgspec import Struct

from tobs.errors import TobsError
from tobs.model.clock import Clock
from tobs.model.outcomes import NoteOutcome, ProcessorCounts

#: Which counts an outcome is told in: a merged note was brought up to date, and the owner's words in it were kept.
_COUNTED: dict[NoteOutcome, tuple[str, ...]] = {
    "merged": ("updated", "preserved"),
    "conflict": ("conflicts", "preserved"),
}


class MessageCounts(Struct):
    """Messages by what happened to them."""

    fetched: int = 0
    new: int = 0
    edited: int = 0
    deleted: int = 0
    skipped: int = 0


class NoteCounts(Struct):
    """Notes by outcome. ``preserved``: with words of the owner, which were kept; those that also got something new are
    among ``updated``, those where both changed the same place among ``conflicts``; ``moved`` by their owner."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    preserved: int = 0
    conflicts: int = 0
    deleted: int = 0
    moved: int = 0


class MediaCounts(Struct):
    """Media files by outcome; ``bytes`` were transferred in this run, ``postponed`` are left to a later one."""

    wanted: int = 0
    downloaded: int = 0
    reused: int = 0
    failed: int = 0
    unavailable: int = 0
    postponed: int = 0
    bytes: int = 0


class IdlePlugin(Struct, frozen=True):
    """A plugin that did not run, or not to the end: ``state`` is ``missing`` (something it needs), ``untrusted``,
    ``broken`` or ``switched off`` (it kept failing); ``reason`` says why and what to do."""

    name: str
    state: str
    reason: str


class FloodCounts(Struct):
    """Flood waits met and the seconds they took."""

    waits: int = 0
    seconds: float = 0.0


class TakeoutStatus(Struct, frozen=True):
    """Whether a takeout session was used. ``state``: ``none`` (nothing was asked of Telegram), ``off`` (not wanted),
    ``used``, ``late`` (allowed while the run was under way), ``delayed`` (not allowed in time), ``refused``, ``ended``
    (by Telegram, in the middle); ``reason`` is a sentence where it was not used throughout."""

    state: str = "none"
    scopes: tuple[str, ...] = ()
    reason: str = ""


class Problem(Struct, frozen=True):
    """Something that did not work in the end."""

    what: str
    item: str
    reason: str
    retryable: bool = True


class Conflict(Struct, frozen=True):
    """A place in a note that its owner and Telegram both changed: the owner's words stay, ``new`` begins what Telegram
    has there (the note tells it below them)."""

    note: str
    new: str


class Doubt(Struct, frozen=True):
    """Something that is done, and worth a look: a file that plays longer or shorter than Telegram says."""

    what: str
    item: str
    reason: str


class Relaid(Struct, frozen=True):
    """A chat that got another layout, and how many notes the old one had."""

    chat: str
    layout: str
    notes: int


class KeptNote(Struct, frozen=True):
    """What the owner wrote into a note of the old layout that no single new note stands for: it is kept ``beside`` the
    new ones."""

    note: str
    beside: str


class Change(Struct, frozen=True):
    """What a rehearsal (``--dry-run``) would do to a note; ``diff`` shows it where that was asked for."""

    note: str
    outcome: str
    diff: str = ""


class Rendering(Struct):
    """What `tobs render` did beside making notes: chats laid out anew, the owner's words kept apart, how many notes got
    links of theirs brought up to date; and in a rehearsal what it would do to each note."""

    layouts: list[Relaid] = msgspec.field(default_factory=list)
    kept: list[KeptNote] = msgspec.field(default_factory=list)
    relinked: int = 0
    changes: list[Change] | None = None


class Recovered(Struct, frozen=True):
    """Something that went wrong and came right."""

    what: str
    times: int


class RunReport(Struct):
    """What ``--json`` prints and ``--report`` writes. Times are ISO 8601, UTC. ``left_out``: what a source has that
    has no place in the vault, counted; ``exports``: files in the vault that plugins made of what the run brought."""

    run_id: str
    command: str
    targets: list[str]
    started: str
    finished: str = ""
    ok: bool = False
    messages: MessageCounts = msgspec.field(default_factory=MessageCounts)
    notes: NoteCounts = msgspec.field(default_factory=NoteCounts)
    media: MediaCounts = msgspec.field(default_factory=MediaCounts)
    processors: dict[str, ProcessorCounts] = msgspec.field(default_factory=dict)
    plugins: list[IdlePlugin] = msgspec.field(default_factory=list)
    flood: FloodCounts = msgspec.field(default_factory=FloodCounts)
    requests: int = 0
    takeout: TakeoutStatus = TakeoutStatus()
    problems: list[Problem] = msgspec.field(default_factory=list)
    conflicts: list[Conflict] = msgspec.field(default_factory=list)
    recovered: list[Recovered] = msgspec.field(default_factory=list)
    doubts: list[Doubt] = msgspec.field(default_factory=list)
    remarks: list[str] = msgspec.field(default_factory=list)
    left_out: dict[str, int] = msgspec.field(default_factory=dict)
    exports: list[str] = msgspec.field(default_factory=list)
    rendering: Rendering | None = None

    def to_json(self) -> bytes:
        """The report as one JSON document."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @property
    def exit_code(self) -> int:
        """0 when all is done, 1 when something did not work."""
        return 1 if self.problems else 0


class Reporter:
    """Gathers one run's report while the stages work. Its counts are also what progress is shown from."""

    def __init__(self, run_id: str, command: str, targets: Sequence[str], clock: Clock) -> None:
        self._clock = clock
        self._recovered: Counter[str] = Counter()
        self._failed_items: set[tuple[str, str]] = set()
        self._doubts: set[Doubt] = set()
        self.report = RunReport(run_id, command, list(targets), started=iso_time(clock()))
        self.phase = "starting"
        self.chat = ""
        self.expected_messages = 0
        self.expected_notes = 0
        self.notices: list[str] = []
        self._waiting_until = 0.0
        self.waits_for = ""
        self._paused_until = 0.0

    @property
    def now(self) -> float:
        """The time, Unix seconds."""
        return self._clock()

    def problem(self, what: str, item: str, reason: str, *, retryable: bool = True) -> None:
        """Tell something that did not work; the same item is told once a kind."""
        if (what, item) not in self._failed_items:
            self._failed_items.add((what, item))
            self.report.problems.append(Problem(what, item, reason, retryable))

    def doubt(self, what: str, item: str, reason: str) -> None:
        """Tell something that is done and worth a look, once."""
        doubt = Doubt(what, item, reason)
        if doubt not in self._doubts:
            self._doubts.add(doubt)
            self.report.doubts.append(doubt)

    def remark(self, text: str) -> None:
        """Tell something about what was done that is no trouble, once."""
        if text not in self.report.remarks:
            self.report.remarks.append(text)

    def count_note(self, outcome: NoteOutcome) -> None:
        """Count what became of a note."""
        for name in _COUNTED.get(outcome, (outcome,)):
            setattr(self.report.notes, name, getattr(self.report.notes, name) + 1)

    def conflict(self, note: str, new: str) -> None:
        """Tell a place that the owner of a note and Telegram both changed."""
        self.report.conflicts.append(Conflict(note, new))

    def count_processor(self, name: str, *, done: int = 0, cached: int = 0, skipped: int = 0, failed: int = 0) -> None:
        """Count items of a processor by what became of them."""
        counts = self.report.processors.setdefault(name, ProcessorCounts())
        counts.done += done
        counts.cached += cached
        counts.skipped += skipped
        counts.failed += failed

    def failed(self, error: TobsError, item: str) -> None:
        """Tell an error that ended the work on ``item``."""
        self.problem(type(error).__name__, item, str(error))

    def recovered(self, what: str) -> None:
        """Count something that came right by itself."""
        self._recovered[what] += 1

    def postponed(self, count: int, chat: str, reason: str, *, is_fault: bool) -> None:
        """Count files of a chat that this run leaves to a later one, because of its limits or by a fault."""
        self.report.media.postponed += count
        if is_fault:
            return self.problem("media", f"files of {chat}", f"left to a later run: {reason}")
        told = f"Files of {chat} are left to a later run (or tobs process): {reason}"
        if told not in self.notices:
            self.notice(told)
            self.recovered(told)

    def left_out(self, what: str, count: int) -> None:
        """Count what a source has and the vault has no place for."""
        self.report.left_out[what] = self.report.left_out.get(what, 0) + count

    def notice(self, text: str) -> None:
        """Tell the owner something while the run goes on, such as what to press in Telegram."""
        self.notices.append(text)

    def takeout(self, state: str, scopes: Sequence[str] = (), reason: str = "") -> None:
        """Tell whether a takeout session is used, and why not."""
        self.report.takeout = TakeoutStatus(state, tuple(scopes), reason)

    def waited(self, method: str, seconds: float) -> None:
        """Count a flood wait and show it until it is over."""
        self.report.flood.waits += 1
        self.report.flood.seconds += seconds
        self._waiting_until = self._clock() + seconds
        self.waits_for = method
        self.recovered(f"flood wait on {method}")

    def paused(self, method: str, until: float) -> None:
        """Show until its end (Unix seconds) a flood wait so long that the run pauses; one that an earlier run met is
        counted here."""
        if until > self._waiting_until + 1:
            self.waited(method, until - self._clock())
        self._paused_until = until

    def seconds_to_wait(self) -> int:
        """Seconds left of the flood wait the run is in, 0 when it is in none."""
        return max(0, ceil(self._waiting_until - self._clock()))

    def paused_until(self) -> float:
        """When the pause ends that the run is in (Unix seconds), 0 when it is in none."""
        return self._paused_until if self._paused_until > self._clock() else 0.0

    def finish(self) -> RunReport:
        """Close the report. A flood wait that the run did not wait for to its end counts as long as it did."""
        self.report.flood.seconds -= min(self.report.flood.seconds, max(0.0, self._waiting_until - self._clock()))
        self._waiting_until = self._paused_until = 0.0
        self.report.recovered = [Recovered(what, times) for what, times in sorted(self._recovered.items())]
        self.report.ok = not self.report.problems
        self.report.finished = iso_time(self._clock())
        return self.report


def iso_time(unix: float) -> str:
    """``unix`` seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
