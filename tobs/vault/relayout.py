"""Files of a chat whose layout changes: the owner's text moves with the note or stays beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tobs.vault.folders import absolute, unwritable
from tobs.vault.names import numbered
from tobs.vault.writer import TEMP_PREFIX

_MARKS = re.compile(r"^(?:tobs_id|tobs_hash):.*\n", re.MULTILINE)


def with_tobs_id(text: str, before: str, after: str) -> str:
    """Return ``text`` of the note ``before`` as text of the note ``after`` (tobs_ids); everything else stays."""
    mark = re.compile(rf"^(tobs_id:[ \t]*[\"']?){re.escape(before)}(?=[\"']?[ \t]*$)", re.MULTILINE)
    return mark.sub(rf"\g<1>{after}", text, count=1)


def as_owner_note(text: str, successor: str) -> str:
    """Return ``text`` as a note of the owner's own: without the properties of tobs, with a link to the note
    ``successor`` (its path without `.md`, and the block) that has the messages now."""
    head, separator, body = text.partition("\n---\n")
    link = f'kept_from: "[[{successor}]]"\n' if successor else ""
    if not text.startswith("---\n") or not separator:
        return text
    properties = _MARKS.sub("", head.removeprefix("---\n") + "\n")
    return f"---\n{link}{properties}---\n{body}"


def owner_note_candidates(before: str, beside: str) -> Iterator[str]:
    """Yield `<folder of beside>/<name of before> (kept).md`: the path for the owner's text in the note ``before``."""
    folder, name = beside.rpartition("/")[0], before.rpartition("/")[2].removesuffix(".md")
    return numbered(f"{folder}/{name} (kept)", ".md")


def remove_notes(root: Path, paths: Sequence[str]) -> None:
    """Remove notes, and the folders below the chat's that are empty then. Raises VaultUnwritable."""
    try:
        for path in paths:
            Path(absolute(root, path)).unlink(missing_ok=True)
        for folder in sorted({path.rpartition("/")[0] for path in paths}, reverse=True):
            _prune(root, folder)
    except OSError as error:
        raise unwritable(error, error.filename or root) from error


def _prune(root: Path, folder: str) -> None:
    """Remove ``folder`` and those above it while they are empty."""
    while folder.count("/") > 1:
        try:
            Path(absolute(root, folder)).rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return  # something is in it
        folder = folder.rpartition("/")[0]


def linking_files(root: Path, begin: str = "") -> Iterator[str]:
    """Yield the path of every note and canvas of the vault, the owner's too; hidden folders (`.obsidian`, `.tobs`) are
    left out."""
    pending = [begin]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(absolute(root, folder) if folder else root) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise unwritable(error, folder or root) from error
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or entry.name.startswith(TEMP_PREFIX):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif entry.name.lower().endswith((".md", ".canvas")) and entry.is_file(follow_symlinks=False):
                yield path
