"""The checks. Each takes down what it finds; none changes anything, and none holds more than a batch of notes."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path

from tobs.archive import Archive, Ledger, NoteRow
from tobs.model import Chat, story_peer
from tobs.pipeline.commands.verify.faults import Fault, Verification
from tobs.pipeline.notes.vault_scan import batches
from tobs.render.frontmatter import managed_hash
from tobs.vault.decide import plain_text, read_properties, text_hash
from tobs.vault.merge import BrokenFrontMatter, link_targets, read_front_matter, split_note
from tobs.vault.moved_notes import is_conflict_copy, properties_at, visible_files
from tobs.vault.read import read_batch
from tobs.vault.workspace import temporary_files

_BATCH = 500
_BLOCK = re.compile(r"(?:^|[ \t])\^([A-Za-z0-9-]+)[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[\[([^\[\]\n|#]+?)(?:#\^([A-Za-z0-9-]+))?(?:#[^\[\]\n|]*?)?(?:\\?\|[^\[\]\n]*)?\]\]")

_EXPORT_AGAIN = "Run `tobs export` or `tobs sync` for the chat."
_REPAIR = "Run `tobs verify --repair`."
_FOREIGN = "`tobs verify --repair` follows notes whose names were exchanged; move another file away."


def check_all(archive: Archive, root: Path, account: int) -> Verification:
    """Everything, one after the other."""
    found = Verification()
    check_completeness(found, archive, account)
    check_notes(found, archive, root)
    check_attachments(found, archive, root)
    check_copies(found, archive, root)
    for path in temporary_files(root):
        found.find(Fault("temporary", path, "a run that was killed left it", _REPAIR))
    return found


def check_completeness(found: Verification, archive: Archive, account: int) -> None:
    """Whether every id of the chats that are kept in step is accounted for, and every message has its note: those of
    other chats too (selections, imports, comments, stories)."""
    followed = archive.updates.tracked(account)
    for chat_id in followed:
        ledger = archive.ledgers.of(account, chat_id)
        name = _name(archive.chats.get(account, chat_id), chat_id)
        found.coverage.append(ledger)
        found.count("messages", ledger.saved + ledger.service)
        if ledger.never_fetched:
            found.find(Fault("gap", name, _told_gaps(ledger), "Run `tobs sync --fill`."))
        for message_id, reason in archive.coverage.unreadable(account, chat_id):
            found.find(Fault("unreadable", name, f"message {message_id}: {reason}", "Run `tobs sync --fill`."))
        _check_messages(found, archive, account, chat_id, name, upto=0 if ledger.never_fetched else ledger.top)
    for chat in archive.chats.all(account, stories=True):
        if chat.id not in followed and (top := archive.messages.newest_id(account, chat.id)):
            found.count("messages", archive.messages.count(account, chat.id))
            for topic in archive.coverage.topics(account, chat.id):
                ledger = archive.ledgers.of_topic(account, chat.id, topic)
                found.coverage.append(ledger)
                if ledger.never_fetched:
                    told = f"topic {topic}: {_told_gaps(ledger)}"
                    found.find(Fault("gap", _name(chat, chat.id), told, f"Run the export with --topic {topic} again."))
            _check_messages(found, archive, account, chat.id, _name(chat, chat.id), upto=top)


def _told_gaps(ledger: Ledger) -> str:
    """Which ids were never fetched."""
    gaps = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ledger.gaps[:5])
    more = f" and {len(ledger.gaps) - 5} more" if len(ledger.gaps) > 5 else ""
    return f"{ledger.never_fetched} ids were never fetched: {gaps}{more}"


def _check_messages(found: Verification, archive: Archive, account: int, chat_id: int, name: str, *, upto: int) -> None:
    """Whether the messages of a chat up to id ``upto`` have their notes, and whether the files of all are here."""
    if archive.messages.unplanned_dates(account, chat_id, upto):
        found.find(Fault("unplanned", name, "messages have no note yet", _EXPORT_AGAIN))
    states = archive.media.counts(account, chat_id)
    if wanted := states.get("wanted", 0) + states.get("staged", 0):
        found.find(Fault("wanted", name, f"files still to be fetched: {wanted}", "Run `tobs process`."))


def _name(chat: Chat | None, chat_id: int) -> str:
    """What a fault calls a chat."""
    if chat is None:
        return str(chat_id)
    return f"stories of {chat.title} ({peer})" if (peer := story_peer(chat_id)) else f"{chat.title} ({chat_id})"


def check_notes(found: Verification, archive: Archive, root: Path) -> None:
    """Whether notes are where they should be, are readable, and up to date; and whether their links lead somewhere."""
    links = _LinkCheck(found, root)
    for rows in batches(archive.notes.written_notes(), _BATCH):
        texts: list[bytes | None] = read_batch(root, [row.path for row in rows])
        bases = archive.notes.bases([row.id for row in rows])
        for row, data in zip(rows, texts, strict=True):
            found.count("notes" if row.path.endswith(".md") else "bases")
            text = _check_note(found, row, data, bases.get(row.id, ""))
            if text is not None:
                links.check(row.path, text, bases.get(row.id, text))
    links.check_blocks()
    for row in archive.notes.planned_notes():
        if row.is_stale:
            found.find(Fault("stale", row.path, "the run that should have written it was stopped", _REPAIR))


def _check_note(found: Verification, row: NoteRow, data: bytes | None, base: str) -> str | None:
    """The text of a note whose links can be looked at."""
    if data is None:
        found.find(Fault("missing", row.path, "the note is not there", _REPAIR))
        return None
    text = plain_text(data)
    if not row.path.endswith(".md"):
        return None
    if text is None or (read_properties(text).tobs_id not in (row.tobs_id, "")):
        found.find(Fault("foreign", row.path, f"it is not the note {row.tobs_id}", _FOREIGN))
        return None
    if row.is_stale:
        found.find(Fault("stale", row.path, "it is not up to date", _REPAIR))
    if text_hash(text) == row.text_hash:
        return text
    head, _ = split_note(text)
    try:
        read_front_matter(head or "")
    except BrokenFrontMatter as error:
        found.find(Fault("front matter", row.path, str(error), "Mend the properties of the note."))
        return None
    stored = read_properties(text).tobs_hash
    if stored and stored == managed_hash(text) and stored != read_properties(base).tobs_hash and not row.is_stale:
        found.find(Fault("outdated", row.path, "it holds another text of tobs than the one written last", _REPAIR))
    return text


class _LinkCheck:
    """Follows the links that tobs wrote; those of the owner are theirs."""

    def __init__(self, found: Verification, root: Path) -> None:
        self._found = found
        self._root = root
        self._there: dict[str, bool] = {}
        self._blocks: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def check(self, path: str, text: str, base: str) -> None:
        """The links of the note at ``path``."""
        ours = set(link_targets(base)) if base != text else None
        for mark, target, block in _LINK.findall(text):
            self._found.count("embeds" if mark else "links")
            if ours is not None and target not in ours:
                continue
            file = self._file(target)
            if file is None:
                kind, remedy = ("embed" if mark else "link"), _REPAIR
                self._found.find(Fault(kind, path, f"[[{target}]] leads to nothing", remedy))  # type: ignore[arg-type]
            elif block:
                self._blocks[file].setdefault(block, path)

    def check_blocks(self) -> None:
        """The blocks that links ask for, once all notes were read."""
        for file, blocks in self._blocks.items():
            data = read_batch(self._root, [file])[0]
            there = set(_BLOCK.findall(plain_text(data or b"") or ""))
            for block, path in blocks.items():
                if block not in there:
                    self._found.find(Fault("link", path, f"[[{file}#^{block}]] leads to no block", _REPAIR))

    def _file(self, target: str) -> str | None:
        """The file a link leads to."""
        return next((path for path in (f"{target}.md", target) if self._is_there(path)), None)

    def _is_there(self, path: str) -> bool:
        if path not in self._there:
            if len(self._there) > 200_000:
                self._there.clear()
            self._there[path] = (self._root / path).is_file()
        return self._there[path]


def check_attachments(found: Verification, archive: Archive, root: Path) -> None:
    """Whether attachments are there, and are what they were: size and SHA-256."""
    for files in archive.files.all():
        for file in (each for each in files if not each.is_lost):
            found.count("attachments")
            path = root / file.path
            if not path.is_file():
                found.find(Fault("attachment", file.path, "the file is not there", _FETCH_AGAIN))
            elif sha256_of(path) != file.digest:
                found.find(Fault("content", file.path, "the file is not what was downloaded", _FETCH_AGAIN))


_FETCH_AGAIN = "Run `tobs verify --repair`, then `tobs process` fetches it again."


def check_copies(found: Verification, archive: Archive, root: Path) -> None:
    """Whether a note is there twice: a copy, or what a sync tool could not merge."""
    for files in visible_files(root):
        notes = [file.path for file in files if file.path.endswith(".md")]
        known = archive.notes.at_paths(notes)
        unknown = {path: properties_at(root, path).tobs_id for path in notes if path not in known}
        rows = archive.notes.many(tobs_id for tobs_id in unknown.values() if tobs_id)
        for path, tobs_id in unknown.items():
            row = rows.get(tobs_id)
            if row is not None and row.state == "written" and row.path != path and (root / row.path).is_file():
                what = "a sync tool could not merge it with" if is_conflict_copy(path) else "it has the same id as"
                found.find(Fault("copy", path, f"{what} {row.path}", "Take over what you want to keep, and remove it."))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
