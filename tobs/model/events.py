"""Events of a run: plain structs that stages emit and consumers (report, progress, log) receive, in order.

An event says what happened, never what a consumer is to do with it. Events can be encoded as JSON: the field ``type``
names the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from tobs.model.outcomes import NoteOutcome


class PhaseStarted(Struct, frozen=True, tag=True):
    """The run entered a phase: resolving, fetching, media, rendering, finishing."""

    name: str


class ChatStarted(Struct, frozen=True, tag=True):
    """Work on a chat began; ``title`` is its name."""

    title: str


class TargetsResolved(Struct, frozen=True, tag=True):
    """The targets of the run are known by their final names."""

    targets: tuple[str, ...]


class WorkExpected(Struct, frozen=True, tag=True):
    """More messages or notes are expected; the numbers add up."""

    messages: int = 0
    notes: int = 0


class MessagesCounted(Struct, frozen=True, tag=True):
    """Messages were fetched, recorded, marked deleted, or skipped because they cannot be read."""

    fetched: int = 0
    new: int = 0
    edited: int = 0
    deleted: int = 0
    skipped: int = 0


class NotesCounted(Struct, frozen=True, tag=True):
    """Notes by outcome of their rendering; ``moved`` by their owner, ``removed`` from the vault."""

    outcomes: Mapping[NoteOutcome, int] = {}
    moved: int = 0
    removed: int = 0


class MediaCounted(Struct, frozen=True, tag=True):
    """Files by what happened to them; ``bytes`` were transferred."""

    wanted: int = 0
    downloaded: int = 0
    reused: int = 0
    failed: int = 0
    unavailable: int = 0
    postponed: int = 0
    bytes: int = 0


class ProcessorCounted(Struct, frozen=True, tag=True):
    """Items of one processor by outcome."""

    name: str
    done: int = 0
    cached: int = 0
    skipped: int = 0
    failed: int = 0


class RequestsCounted(Struct, frozen=True, tag=True):
    """The number of requests that the run has sent to Telegram so far."""

    total: int


class PluginIdled(Struct, frozen=True, tag=True):
    """A plugin does not run; ``state`` and ``reason`` as in ``IdlePlugin``."""

    name: str
    state: str
    reason: str


class ProblemFound(Struct, frozen=True, tag=True):
    """An item failed in the end. The same item of the same kind counts once."""

    what: str
    item: str
    reason: str
    retryable: bool = True


class DoubtFound(Struct, frozen=True, tag=True):
    """A result is worth a look. The same doubt counts once."""

    what: str
    item: str
    reason: str


class ConflictFound(Struct, frozen=True, tag=True):
    """The owner of a note and Telegram changed the same passage; ``new`` is the beginning of Telegram's version."""

    note: str
    new: str


class RemarkMade(Struct, frozen=True, tag=True):
    """A fact about the run that is no trouble. The same text counts once."""

    text: str


class FaultRecovered(Struct, frozen=True, tag=True):
    """A fault was overcome without help; events with the same text are counted together."""

    what: str


class NoticeShown(Struct, frozen=True, tag=True):
    """A sentence for the owner while the run goes on, such as what to press in Telegram."""

    text: str


class ContentLeftOut(Struct, frozen=True, tag=True):
    """A source has ``count`` items of a kind that the vault has no place for."""

    what: str
    count: int


class ExportWritten(Struct, frozen=True, tag=True):
    """A plugin wrote a file of new messages to ``path`` in the vault."""

    path: str


class TakeoutChanged(Struct, frozen=True, tag=True):
    """The takeout session changed its state (see ``TakeoutStatus``); ``scopes`` None: as before."""

    state: str
    scopes: tuple[str, ...] | None = ()
    reason: str = ""


class FloodWaitStarted(Struct, frozen=True, tag=True):
    """Telegram asks to wait ``until`` (Unix seconds) before ``method`` is called again."""

    method: str
    until: float
    seconds: float


class RunPaused(Struct, frozen=True, tag=True):
    """The flood wait before ``method`` is so long that nothing is sent ``until`` (Unix seconds) it is over."""

    method: str
    until: float


class RenderingStarted(Struct, frozen=True, tag=True):
    """Notes are rendered again by `tobs render`; in a dry run changes are listed and not made."""

    dry_run: bool = False


class ChatRelaid(Struct, frozen=True, tag=True):
    """A chat got another layout; the old one had ``notes`` notes."""

    chat: str
    layout: str
    notes: int


class OwnerTextKept(Struct, frozen=True, tag=True):
    """Text of the owner in ``note``, for which no single new note stands, went into the file ``beside``."""

    note: str
    beside: str


class LinksUpdated(Struct, frozen=True, tag=True):
    """Links in ``files`` files of the owner lead to the new notes."""

    files: int


class NoteChangePreviewed(Struct, frozen=True, tag=True):
    """A dry run would change a note; ``diff`` is a unified diff where one was asked for."""

    note: str
    outcome: str
    diff: str = ""


RunEvent = (
    PhaseStarted
    | ChatStarted
    | TargetsResolved
    | WorkExpected
    | MessagesCounted
    | NotesCounted
    | MediaCounted
    | ProcessorCounted
    | RequestsCounted
    | PluginIdled
    | ProblemFound
    | DoubtFound
    | ConflictFound
    | RemarkMade
    | FaultRecovered
    | NoticeShown
    | ContentLeftOut
    | ExportWritten
    | TakeoutChanged
    | FloodWaitStarted
    | RunPaused
    | RenderingStarted
    | ChatRelaid
    | OwnerTextKept
    | LinksUpdated
    | NoteChangePreviewed
)

Consumer = Callable[[RunEvent], None]
"""A receiver of events. It is called in the thread that emits, one event at a time."""
