"""Summary of an export, made in a single pass with constant memory: chats, numbers of messages, people, files, gaps."""

from __future__ import annotations

from collections import Counter
from datetime import tzinfo
from typing import Any

from msgspec import Struct, field

from tobs.errors import UsageError
from tobs.model import Chat, FileItem
from tobs.sources.desktop.files import ExportFiles
from tobs.sources.desktop.ids import SHIFT, chat_id_of, is_public, kind_of, peer_id, unknown_group
from tobs.sources.desktop.media import file_of, photo_of
from tobs.sources.desktop.messages import ChatIdentity, people_of, unknown_keys
from tobs.sources.desktop.raw import open_raw
from tobs.sources.desktop.rich import rich_files
from tobs.sources.desktop.stream import NotJson, Truncated
from tobs.sources.desktop.values import as_int, as_text, unix_time

_TITLES = {"saved_messages": "Saved Messages", "replies": "Replies", "verification_codes": "Verification Codes"}
#: Keys beside the chats in the export of a whole account; tobs reports and ignores them.
_IGNORED = (
    "profile_pictures",
    "stories",
    "profile_music",
    "contacts",
    "frequent_contacts",
    "sessions",
    "web_sessions",
    "other_data",
)
_HEADER = frozenset({"name", "type", "id"})


class IdRange(Struct):
    """Message ids of a chat: how many, the lowest and the highest."""

    count: int = 0
    low: int = 0
    high: int = 0

    def add(self, message_id: int) -> None:
        """Add an id."""
        self.low = min(self.low, message_id) if self.count else message_id
        self.high = max(self.high, message_id)
        self.count += 1


class ExportedChat(Struct):
    """Chat number ``index`` of an export.

    ``id_ranges`` are by marked chat id: of the chat and of the basic group that became it. ``files`` counts files by
    kind and state (``here``, ``left out``, ``gone``). ``first`` and ``last`` are Unix seconds.
    """

    index: int
    chat: Chat
    identity: ChatIdentity
    id_ranges: dict[int, IdRange]
    files: Counter[tuple[str, str]]
    first: int = 0
    last: int = 0


class ExportSummary(Struct):
    """Content of an export.

    ``exporter_id`` is the marked id of the exporting user (0: unknown), ``names`` are ids of people by name (0 if
    several have the name), ``unknown_keys`` counts unknown keys of messages, ``ignored`` counts data that is not about
    messages, ``broken`` describes where the file ends too early (empty: it is complete).
    """

    chats: list[ExportedChat]
    names: dict[str, int]
    exporter_id: int = 0
    unknown_keys: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    broken: str = ""


def summarize(files: ExportFiles, *, zone: tzinfo) -> ExportSummary:
    """Read an export once and summarize it. Raises UsageError for a file that is not an export."""
    summary = ExportSummary([], {})
    chats: list[tuple[dict[str, Any], _ChatTotals]] = []
    with open_raw(files) as export:
        try:
            for chat in export.chats:
                totals = _ChatTotals()
                chats.append((chat.header, totals))
                for raw in chat.messages:
                    totals.add(raw, zone, summary)
        except Truncated as error:
            summary.broken = f"The file ends after {error.at:,} characters, in the middle of a value."
        except NotJson as error:
            if not chats:
                raise _not_an_export() from error
            summary.broken = f"There is no JSON at character {error.at:,}; what comes before it is read."
    if not chats:
        raise _not_an_export()
    person = export.rest.get("personal_information")
    summary.exporter_id = as_int(person.get("user_id")) if isinstance(person, dict) else 0
    summary.ignored = _ignored(export.rest)
    for index, (header, totals) in enumerate(chats):
        _add_chat(summary, index, header, totals)
    if not summary.chats:
        raise _not_an_export()
    return summary


def _not_an_export() -> UsageError:
    return UsageError(
        "This is not a Telegram Desktop export.",
        "Export the chat as machine-readable JSON (Telegram Desktop: ⋮, Export chat history) and give its result.json.",
    )


class _ChatTotals:
    """Totals of a chat's messages, collected before the chat is known."""

    def __init__(self) -> None:
        self.new = IdRange()
        self.old = IdRange()
        self.files: Counter[tuple[str, str]] = Counter()
        self.first = 0
        self.last = 0
        self.senders: set[int] = set()

    def add(self, raw: dict[str, Any], zone: tzinfo, summary: ExportSummary) -> None:
        message_id = as_int(raw.get("id"))
        (self.old if message_id < 0 else self.new).add(message_id if message_id > 0 else message_id + SHIFT)
        if date := unix_time(raw, "date", zone):
            self.first = self.first or date
            self.last = max(self.last, date)
        self.files.update((item.kind, state_of(item)) for item in _files(raw))
        summary.unknown_keys.update(unknown_keys(raw))
        sender = peer_id(raw.get("from_id"))
        if sender > 0 and len(self.senders) < _SENDERS:
            self.senders.add(sender)
        for person in people_of(raw):
            if not person.is_deleted:
                known = summary.names.setdefault(person.name, person.id)
                if known != person.id:
                    summary.names[person.name] = 0


#: Senders recorded per chat: a private chat has two; with more the exporting user cannot be inferred.
_SENDERS = 3


def _files(raw: dict[str, Any]) -> list[FileItem]:
    """Return every file named by a message."""
    found = [photo_of(raw)] if "photo" in raw else []
    found += [file_of(raw)] if "file" in raw else []
    return [*found, *rich_files(raw.get("rich_message"))]


def state_of(item: FileItem) -> str:
    """Return whether a file is in the export (`here`), was excluded (`left out`), or could not be exported (`gone`)."""
    return "here" if item.path else "left out" if item.elsewhere else "gone"


def _add_chat(summary: ExportSummary, index: int, header: dict[str, Any], totals: _ChatTotals) -> None:
    """Identify the chat by its header and add it to the summary."""
    kind = kind_of(header.get("type"))
    chat_id = chat_id_of(kind, header.get("id")) if kind else 0
    if kind is None or not chat_id:
        summary.ignored["chats without a known type or id"] += 1
        return
    if kind == "saved":
        summary.exporter_id = summary.exporter_id or chat_id
    others = totals.senders - {chat_id}
    if kind == "private" and len(others) == 1 and len(totals.senders) == 2:
        summary.exporter_id = summary.exporter_id or next(iter(others))
    title = as_text(header.get("name")) or _TITLES.get(as_text(header.get("type")), "")
    old_group = unknown_group(chat_id) if totals.old.count else 0
    chat = Chat(
        chat_id,
        kind,
        title or f"Deleted Account {chat_id}",
        top=totals.new.high,
        count=totals.new.count,
        is_public=is_public(header.get("type")),
        migrated_from=old_group,
    )
    ids = {chat_id: totals.new} | ({old_group: totals.old} if old_group else {})
    summary.chats.append(
        ExportedChat(
            index,
            chat,
            ChatIdentity(chat_id, old_group, summary.exporter_id, title),
            ids,
            totals.files,
            totals.first,
            totals.last,
        )
    )


def _ignored(rest: dict[str, Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key in _IGNORED:
        value = rest.get(key)
        if isinstance(value, dict):
            value = value.get("list", value)
        if value:
            counts[key] = len(value)
    known = {*_HEADER, *_IGNORED, "about", "personal_information"}
    counts.update({f"unknown key {key}": 1 for key in rest if key not in known})
    return counts
