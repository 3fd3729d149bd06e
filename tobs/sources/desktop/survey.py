"""What is in an export, found out in one pass that keeps nothing: chats, how many messages, people, files, gaps."""

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
from tobs.sources.desktop.messages import Place, people_of, unknown_keys
from tobs.sources.desktop.raw import open_raw
from tobs.sources.desktop.rich import rich_files
from tobs.sources.desktop.stream import NotJson, Truncated
from tobs.sources.desktop.values import moment, whole, words

_TITLES = {"saved_messages": "Saved Messages", "replies": "Replies", "verification_codes": "Verification Codes"}
#: What stands beside the chats of a whole account. tobs has no place for it, and says so.
_NOT_TAKEN = (
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


class Ids(Struct):
    """Message ids of a chat: how many, the lowest and the highest."""

    count: int = 0
    low: int = 0
    high: int = 0

    def add(self, message_id: int) -> None:
        """One more."""
        self.low = min(self.low, message_id) if self.count else message_id
        self.high = max(self.high, message_id)
        self.count += 1


class FoundChat(Struct):
    """The ``index``-th chat of an export. ``ids`` are by marked chat id: its own, and of the group it grew from;
    ``files`` counts files by kind and whether the export has them (``here``, ``left out``, ``gone``)."""

    index: int
    chat: Chat
    place: Place
    ids: dict[int, Ids]
    files: Counter[tuple[str, str]]
    first: int = 0
    last: int = 0


class Survey(Struct):
    """What an export has. ``me`` is the marked id of who exported (0: not known), ``names`` ids of people by name (0
    where several have it), ``unknown`` counts keys that tobs does not know, ``not_taken`` what is not about
    messages, ``broken`` says where the file ends too early (empty: it is whole)."""

    chats: list[FoundChat]
    names: dict[str, int]
    me: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    not_taken: Counter[str] = field(default_factory=Counter)
    broken: str = ""


def survey(files: ExportFiles, *, zone: tzinfo) -> Survey:
    """What the export has. Raises UsageError for what is no export."""
    found = Survey([], {})
    raw: list[tuple[dict[str, Any], _Counts]] = []
    with open_raw(files) as export:
        try:
            for chat in export.chats:
                counts = _Counts()
                raw.append((chat.header, counts))
                for told in chat.messages:
                    counts.add(told, zone, found)
        except Truncated as error:
            found.broken = f"The file ends after {error.at:,} characters, in the middle of a value."
        except NotJson as error:
            if not raw:
                raise _no_export() from error
            found.broken = f"There is no JSON at character {error.at:,}; what comes before it is read."
    if not raw:
        raise _no_export()
    person = export.rest.get("personal_information")
    found.me = whole(person.get("user_id")) if isinstance(person, dict) else 0
    found.not_taken = _not_taken(export.rest)
    for index, (header, counts) in enumerate(raw):
        _settle(found, index, header, counts)
    if not found.chats:
        raise _no_export()
    return found


def _no_export() -> UsageError:
    return UsageError(
        "This is no Telegram Desktop export.",
        "Export the chat as machine-readable JSON (Telegram Desktop: ⋮, Export chat history) and give its result.json.",
    )


class _Counts:
    """What a chat's messages add up to, before it is known which chat it is."""

    def __init__(self) -> None:
        self.new = Ids()
        self.old = Ids()
        self.files: Counter[tuple[str, str]] = Counter()
        self.first = 0
        self.last = 0
        self.senders: set[int] = set()

    def add(self, told: dict[str, Any], zone: tzinfo, found: Survey) -> None:
        message_id = whole(told.get("id"))
        (self.old if message_id < 0 else self.new).add(message_id if message_id > 0 else message_id + SHIFT)
        if date := moment(told, "date", zone):
            self.first = self.first or date
            self.last = max(self.last, date)
        self.files.update((item.kind, state_of(item)) for item in _files(told))
        found.unknown.update(unknown_keys(told))
        sender = peer_id(told.get("from_id"))
        if sender > 0 and len(self.senders) < _SENDERS:
            self.senders.add(sender)
        for person in people_of(told):
            if not person.is_deleted:
                known = found.names.setdefault(person.name, person.id)
                if known != person.id:
                    found.names[person.name] = 0


#: A private chat has two senders; more say nothing about who exported.
_SENDERS = 3


def _files(told: dict[str, Any]) -> list[FileItem]:
    """Every file a message names."""
    found = [photo_of(told)] if "photo" in told else []
    found += [file_of(told)] if "file" in told else []
    return [*found, *rich_files(told.get("rich_message"))]


def state_of(item: FileItem) -> str:
    """Whether the export names a file (`here`), left it out, or could not get it (`gone`)."""
    return "here" if item.path else "left out" if item.elsewhere else "gone"


def _settle(found: Survey, index: int, header: dict[str, Any], counts: _Counts) -> None:
    """Say which chat it was."""
    kind = kind_of(header.get("type"))
    chat_id = chat_id_of(kind, header.get("id")) if kind else 0
    if kind is None or not chat_id:
        found.not_taken["chats without a known type or id"] += 1
        return
    if kind == "saved":
        found.me = found.me or chat_id
    others = counts.senders - {chat_id}
    if kind == "private" and len(others) == 1 and len(counts.senders) == 2:
        found.me = found.me or next(iter(others))
    title = words(header.get("name")) or _TITLES.get(words(header.get("type")), "")
    old_group = unknown_group(chat_id) if counts.old.count else 0
    chat = Chat(
        chat_id,
        kind,
        title or f"Deleted Account {chat_id}",
        top=counts.new.high,
        count=counts.new.count,
        is_public=is_public(header.get("type")),
        migrated_from=old_group,
    )
    ids = {chat_id: counts.new} | ({old_group: counts.old} if old_group else {})
    found.chats.append(
        FoundChat(index, chat, Place(chat_id, old_group, found.me, title), ids, counts.files, counts.first, counts.last)
    )


def _not_taken(rest: dict[str, Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key in _NOT_TAKEN:
        value = rest.get(key)
        if isinstance(value, dict):
            value = value.get("list", value)
        if value:
            counts[key] = len(value)
    known = {*_HEADER, *_NOT_TAKEN, "about", "personal_information"}
    counts.update({f"unknown key {key}": 1 for key in rest if key not in known})
    return counts
