"""The faults of a vault, and the checks that find them.

No check changes anything or holds more than a batch of notes.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from tobs.archive import Archive, Ledger, NoteRow
from tobs.model import Chat, story_peer
from tobs.pipeline.notes.vault_scan import batches
from tobs.render.frontmatter import managed_hash
from tobs.vault.decide import plain_text, read_properties, text_hash
from tobs.vault.merge import BrokenFrontMatter, link_targets, read_front_matter, split_note
from tobs.vault.moved_notes import is_conflict_copy, properties_at, visible_files
from tobs.vault.read import read_batch
from tobs.vault.workspace import temporary_files

#: `archive`: the database itself; `gap`: ids of a chat never fetched; `unreadable`: messages that could not be read;
#: `unplanned`: messages without a note; `missing`, `stale`, `outdated`, `foreign`, `front matter`: a note that is not
#: there, not up to date, older than the archive, another file, not to be read; `copy`: a second note with one id;
#: `link`, `embed`: leads to nothing; `attachment`: is not there; `content`: holds something else; `wanted`: files still
#: to be fetched; `temporary`: left by a run that was killed.
FaultKind = Literal[
    "archive",
    "gap",
    "unreadable",
    "unplanned",
    "missing",
    "stale",
    "outdated",
    "foreign",
    "front matter",
    "copy",
    "link",
    "embed",
    "attachment",
    "content",
    "wanted",
    "temporary",
]


class Fault(Struct, frozen=True):
    """A fault. ``item`` is the path, chat or table; ``remedy`` the advice if ``--repair`` cannot help; ``mended``: it
    was repaired."""

    kind: FaultKind
    item: str
    reason: str
    remedy: str = ""
    mended: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Return the key that identifies the fault in another check."""
        return self.kind, self.item, self.reason


class Verification(Struct):
    """The result of ``tobs verify``: faults as ``items``, the numbers of things checked, and the ledger of each
    chat's ids."""

    ok: bool = True
    items: list[Fault] = msgspec.field(default_factory=list)
    checked: dict[str, int] = msgspec.field(default_factory=dict)
    coverage: list[Ledger] = msgspec.field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self.items.append(fault)
        self.ok = False

    def count(self, what: str, number: int = 1) -> None:
        """Add ``number`` checked things of the kind ``what``."""
        self.checked[what] = self.checked.get(what, 0) + number


_BATCH = 500
_BLOCK = re.compile(r"(?:^|[ \t])\^([A-Za-z0-9-]+)[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[\[([^\[\]\n|#]+?)(?:#\^([A-Za-z0-9-]+))?(?:#[^\[\]\n|]*?)?(?:\\?\|[^\[\]\n]*)?\]\]")

_EXPORT_AGAIN = "Run `tobs export` or `tobs sync` for the chat."
_REPAIR = "Run `tobs verify --repair`."
_FOREIGN = "`tobs verify --repair` follows notes whose names were exchanged; move another file away."


def check_all(archive: Archive, root: Path, account: int) -> Verification:
    """Run all checks."""
    verification = Verification()
    check_completeness(verification, archive, account)
    check_notes(verification, archive, root)
    check_attachments(verification, archive, root)
    check_copies(verification, archive, root)
    for path in temporary_files(root):
        verification.add(Fault("temporary", path, "a run that was killed left it", _REPAIR))
    return verification


def check_completeness(verification: Verification, archive: Archive, account: int) -> None:
    """Check that every id of tracked chats is accounted for, and that messages of all chats have notes and files."""
    followed = archive.updates.tracked(account)
    for chat_id in followed:
        ledger = archive.ledgers.of(account, chat_id)
        name = _name(archive.chats.get(account, chat_id), chat_id)
        verification.coverage.append(ledger)
        verification.count("messages", ledger.saved + ledger.service)
        if ledger.never_fetched:
            verification.add(Fault("gap", name, _gaps_text(ledger), "Run `tobs sync --fill`."))
        for message_id, reason in archive.coverage.unreadable(account, chat_id):
            verification.add(Fault("unreadable", name, f"message {message_id}: {reason}", "Run `tobs sync --fill`."))
        _check_messages(verification, archive, account, chat_id, name, upto=0 if ledger.never_fetched else ledger.top)
    for chat in archive.chats.all(account, stories=True):
        if chat.id not in followed and (top := archive.messages.newest_id(account, chat.id)):
            verification.count("messages", archive.messages.count(account, chat.id))
            for topic in archive.coverage.topics(account, chat.id):
                ledger = archive.ledgers.of_topic(account, chat.id, topic)
                verification.coverage.append(ledger)
                if ledger.never_fetched:
                    reason = f"topic {topic}: {_gaps_text(ledger)}"
                    verification.add(
                        Fault("gap", _name(chat, chat.id), reason, f"Run the export with --topic {topic} again.")
                    )
            _check_messages(verification, archive, account, chat.id, _name(chat, chat.id), upto=top)


def _gaps_text(ledger: Ledger) -> str:
    """Describe the ids that were never fetched."""
    gaps = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ledger.gaps[:5])
    more = f" and {len(ledger.gaps) - 5} more" if len(ledger.gaps) > 5 else ""
    return f"{ledger.never_fetched} ids were never fetched: {gaps}{more}"


def _check_messages(
    verification: Verification, archive: Archive, account: int, chat_id: int, name: str, *, upto: int
) -> None:
    """Check that the messages of a chat up to id ``upto`` have notes, and that no file is still to be fetched."""
    if archive.messages.unplanned_dates(account, chat_id, upto):
        verification.add(Fault("unplanned", name, "messages have no note yet", _EXPORT_AGAIN))
    states = archive.media.counts(account, chat_id)
    if wanted := states.get("wanted", 0) + states.get("staged", 0):
        verification.add(Fault("wanted", name, f"files still to be fetched: {wanted}", "Run `tobs process`."))


def _name(chat: Chat | None, chat_id: int) -> str:
    """Return the name of a chat for a fault."""
    if chat is None:
        return str(chat_id)
    return f"stories of {chat.title} ({peer})" if (peer := story_peer(chat_id)) else f"{chat.title} ({chat_id})"


def check_notes(verification: Verification, archive: Archive, root: Path) -> None:
    """Check that notes exist, are readable and up to date, and that their links have targets."""
    links = _LinkCheck(verification, root)
    for rows in batches(archive.notes.written_notes(), _BATCH):
        texts: list[bytes | None] = read_batch(root, [row.path for row in rows])
        bases = archive.notes.bases([row.id for row in rows])
        for row, data in zip(rows, texts, strict=True):
            verification.count("notes" if row.path.endswith(".md") else "bases")
            text = _check_note(verification, row, data, bases.get(row.id, ""))
            if text is not None:
                links.check(row.path, text, bases.get(row.id, text))
    links.check_blocks()
    for row in archive.notes.planned_notes():
        if row.is_stale:
            verification.add(Fault("stale", row.path, "the run that should have written it was stopped", _REPAIR))


def _check_note(verification: Verification, row: NoteRow, data: bytes | None, base: str) -> str | None:
    """Check a note; return its text if its links can be checked, else None."""
    if data is None:
        verification.add(Fault("missing", row.path, "the note is not there", _REPAIR))
        return None
    text = plain_text(data)
    if not row.path.endswith(".md"):
        return None
    if text is None or (read_properties(text).tobs_id not in (row.tobs_id, "")):
        verification.add(Fault("foreign", row.path, f"it is not the note {row.tobs_id}", _FOREIGN))
        return None
    if row.is_stale:
        verification.add(Fault("stale", row.path, "it is not up to date", _REPAIR))
    if text_hash(text) == row.text_hash:
        return text
    head, _ = split_note(text)
    try:
        read_front_matter(head or "")
    except BrokenFrontMatter as error:
        verification.add(Fault("front matter", row.path, str(error), "Correct the properties of the note."))
        return None
    stored = read_properties(text).tobs_hash
    if stored and stored == managed_hash(text) and stored != read_properties(base).tobs_hash and not row.is_stale:
        verification.add(Fault("outdated", row.path, "it has another text of tobs than the one written last", _REPAIR))
    return text


class _LinkCheck:
    """Checks the links that tobs wrote; those of the owner are not checked."""

    def __init__(self, verification: Verification, root: Path) -> None:
        self._verification = verification
        self._root = root
        self._existing: dict[str, bool] = {}
        self._blocks: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def check(self, path: str, text: str, base: str) -> None:
        """Check the links of the note at ``path``."""
        ours = set(link_targets(base)) if base != text else None
        for mark, target, block in _LINK.findall(text):
            self._verification.count("embeds" if mark else "links")
            if ours is not None and target not in ours:
                continue
            file = self._file(target)
            if file is None:
                kind, remedy = ("embed" if mark else "link"), _REPAIR
                self._verification.add(Fault(kind, path, f"[[{target}]] leads to nothing", remedy))  # type: ignore[arg-type]
            elif block:
                self._blocks[file].setdefault(block, path)

    def check_blocks(self) -> None:
        """Check the blocks that links name, after all notes."""
        for file, blocks in self._blocks.items():
            data = read_batch(self._root, [file])[0]
            existing = set(_BLOCK.findall(plain_text(data or b"") or ""))
            for block, path in blocks.items():
                if block not in existing:
                    self._verification.add(Fault("link", path, f"[[{file}#^{block}]] leads to no block", _REPAIR))

    def _file(self, target: str) -> str | None:
        """Return the path of the file that a link names; None if there is none."""
        return next((path for path in (f"{target}.md", target) if self._is_there(path)), None)

    def _is_there(self, path: str) -> bool:
        if path not in self._existing:
            if len(self._existing) > 200_000:
                self._existing.clear()
            self._existing[path] = (self._root / path).is_file()
        return self._existing[path]


def check_attachments(verification: Verification, archive: Archive, root: Path) -> None:
    """Check that attachments exist with their SHA-256."""
    for files in archive.files.all():
        for file in (each for each in files if not each.is_lost):
            verification.count("attachments")
            path = root / file.path
            if not path.is_file():
                verification.add(Fault("attachment", file.path, "the file is not there", _FETCH_AGAIN))
            elif sha256_of(path) != file.digest:
                verification.add(Fault("content", file.path, "the file is not what was downloaded", _FETCH_AGAIN))


_FETCH_AGAIN = "Run `tobs verify --repair`, then `tobs process` fetches it again."


def check_copies(verification: Verification, archive: Archive, root: Path) -> None:
    """Check that no note exists twice, as a copy or as a conflict of a sync tool."""
    for files in visible_files(root):
        notes = [file.path for file in files if file.path.endswith(".md")]
        known = archive.notes.at_paths(notes)
        unknown = {path: properties_at(root, path).tobs_id for path in notes if path not in known}
        rows = archive.notes.many(tobs_id for tobs_id in unknown.values() if tobs_id)
        for path, tobs_id in unknown.items():
            row = rows.get(tobs_id)
            if row is not None and row.state == "written" and row.path != path and (root / row.path).is_file():
                reason = "a sync tool could not merge it with" if is_conflict_copy(path) else "it has the same id as"
                verification.add(
                    Fault("copy", path, f"{reason} {row.path}", "Take over what you want to keep, and remove it.")
                )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
