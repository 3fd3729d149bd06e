"""The store of record: everything Telegram returned, exactly once. The only room that speaks SQL."""

from tobs.archive.backups import BackupFacts, back_up, inspect_backup, integrity_faults, put_back, set_aside
from tobs.archive.comments import Comment, Post, Thread
from tobs.archive.digests import SyncMark
from tobs.archive.enrichments import Maker, Page, Said, Unasked
from tobs.archive.files import FileRow
from tobs.archive.ledger import Ledger
from tobs.archive.links import NoteLink
from tobs.archive.media import Decide, MediaDecision, MediaRow, MediaState
from tobs.archive.messages import Version
from tobs.archive.new_since import Mark
from tobs.archive.notes import AdoptedNote, NoteRow, Shown, StoredMessage, WrittenNote, pack_base
from tobs.archive.planning import NoteDraft
from tobs.archive.raw import RawMessage
from tobs.archive.record import Recorded, deleted_keys, record_changes, record_page
from tobs.archive.recovery import Damage, look_for_damage, rebuild_indexes, recover
from tobs.archive.relayout import Retired, Successor
from tobs.archive.replaced import ReplacedText, Replacement, UndoableRun
from tobs.archive.runs import RunRow
from tobs.archive.store import Archive, open_archive
from tobs.archive.summaries import ChatSummary, PersonSummary
from tobs.archive.topics import KnownTopic, TopicSummary

__all__ = [
    "AdoptedNote",
    "Archive",
    "BackupFacts",
    "ChatSummary",
    "Comment",
    "Damage",
    "Decide",
    "FileRow",
    "KnownTopic",
    "Ledger",
    "Maker",
    "Mark",
    "MediaDecision",
    "MediaRow",
    "MediaState",
    "NoteDraft",
    "NoteLink",
    "NoteRow",
    "Page",
    "PersonSummary",
    "Post",
    "RawMessage",
    "Recorded",
    "ReplacedText",
    "Replacement",
    "Retired",
    "RunRow",
    "Said",
    "Shown",
    "StoredMessage",
    "Successor",
    "SyncMark",
    "Thread",
    "TopicSummary",
    "Unasked",
    "UndoableRun",
    "Version",
    "WrittenNote",
    "back_up",
    "deleted_keys",
    "inspect_backup",
    "integrity_faults",
    "look_for_damage",
    "open_archive",
    "pack_base",
    "put_back",
    "rebuild_indexes",
    "record_changes",
    "record_page",
    "recover",
    "set_aside",
]
