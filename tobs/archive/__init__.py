"""The store of record: everything Telegram returned, exactly once. The only package that uses SQL."""

from tobs.archive.backups import BackupFacts, back_up, inspect_backup, integrity_faults, put_back, set_aside
from tobs.archive.comments import Comment, Post, Thread
from tobs.archive.digests import SyncStart
from tobs.archive.enrichments import AskedPlugin, PendingMessage, PluginPage, StoredEnrichment
from tobs.archive.files import FileRow
from tobs.archive.ledger import Ledger
from tobs.archive.links import NoteLink
from tobs.archive.media import Decide, MediaDecision, MediaRow, MediaState
from tobs.archive.messages import Version
from tobs.archive.new_since import ExportCursor
from tobs.archive.notes import AdoptedNote, MessageLocation, NoteRow, StoredMessage, WrittenNote, pack_base
from tobs.archive.planning import NoteDraft
from tobs.archive.raw import RawMessage
from tobs.archive.record import Recorded, deleted_keys, record_changes, record_page
from tobs.archive.recovery import Damage, find_damage, rebuild_indexes, recover
from tobs.archive.relayout import RetiredNote, SuccessorNote
from tobs.archive.replaced import ReplacedText, Replacement, UndoableRun
from tobs.archive.runs import RunRow
from tobs.archive.store import Archive, open_archive
from tobs.archive.summaries import ChatSummary, PersonSummary
from tobs.archive.topics import KnownTopic, TopicSummary

__all__ = [
    "AdoptedNote",
    "Archive",
    "AskedPlugin",
    "BackupFacts",
    "ChatSummary",
    "Comment",
    "Damage",
    "Decide",
    "ExportCursor",
    "FileRow",
    "KnownTopic",
    "Ledger",
    "MediaDecision",
    "MediaRow",
    "MediaState",
    "MessageLocation",
    "NoteDraft",
    "NoteLink",
    "NoteRow",
    "PendingMessage",
    "PersonSummary",
    "PluginPage",
    "Post",
    "RawMessage",
    "Recorded",
    "ReplacedText",
    "Replacement",
    "RetiredNote",
    "RunRow",
    "StoredEnrichment",
    "StoredMessage",
    "SuccessorNote",
    "SyncStart",
    "Thread",
    "TopicSummary",
    "UndoableRun",
    "Version",
    "WrittenNote",
    "back_up",
    "deleted_keys",
    "find_damage",
    "inspect_backup",
    "integrity_faults",
    "open_archive",
    "pack_base",
    "put_back",
    "rebuild_indexes",
    "record_changes",
    "record_page",
    "recover",
    "set_aside",
]
