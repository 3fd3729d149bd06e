"""The run report: the counts of a run, its problems, and what it recovered from (invariant 9)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from tobs.model.outcomes import ProcessorCounts


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
    """The takeout session of the run. ``state``: ``none`` (nothing was asked of Telegram), ``off`` (not wanted),
    ``used``, ``late`` (allowed while the run was under way), ``delayed`` (not allowed in time), ``refused``, ``ended``
    (by Telegram, in the middle); ``reason`` is a sentence where it was not used throughout."""

    state: str = "none"
    scopes: tuple[str, ...] = ()
    reason: str = ""


class Problem(Struct, frozen=True):
    """An item that failed in the end."""

    what: str
    item: str
    reason: str
    retryable: bool = True


class Conflict(Struct, frozen=True):
    """A passage of a note that its owner and Telegram both changed: the owner's words stay; ``new`` is the beginning of
    Telegram's version, which the note shows below them."""

    note: str
    new: str


class Doubt(Struct, frozen=True):
    """A result that is worth a look: a file that plays longer or shorter than Telegram says."""

    what: str
    item: str
    reason: str


class Relaid(Struct, frozen=True):
    """A chat that got another layout, and how many notes the old one had."""

    chat: str
    layout: str
    notes: int


class KeptNote(Struct, frozen=True):
    """Text of the owner in a note of the old layout without one new note for it; the file ``beside`` holds it."""

    note: str
    beside: str


class Change(Struct, frozen=True):
    """A change that a dry run would make to a note; ``diff`` is a unified diff where one was asked for."""

    note: str
    outcome: str
    diff: str = ""


class Rendering(Struct):
    """Results of `tobs render` beside the notes: chats with another layout, text of the owner kept apart, the number of
    files with updated links; in a dry run also the change of each note."""

    layouts: list[Relaid] = msgspec.field(default_factory=list)
    kept: list[KeptNote] = msgspec.field(default_factory=list)
    relinked: int = 0
    changes: list[Change] | None = None


class Recovered(Struct, frozen=True):
    """A fault that was overcome, and how often it happened."""

    what: str
    times: int


class RunReport(Struct):
    """The document that ``--json`` prints and ``--report`` writes. Times are ISO 8601, UTC. ``left_out`` counts what a
    source has and the vault has no place for; ``exports`` are files in the vault that plugins made of new messages."""

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


def iso_time(unix: float) -> str:
    """Return ``unix`` seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
