"""Recognize the notes of a vault whose archive is lost, by the ids in their front matter, at any path."""

from __future__ import annotations

import re

from tobs.archive import AdoptedNote
from tobs.model import stories_of
from tobs.pipeline.context.run_context import RunContext
from tobs.vault.moved_notes import is_conflict_copy, properties_at, visible_files

_MESSAGE = re.compile(r"(-?\d+)/(\d+)")
_STORY = re.compile(r"(-?\d+)/story/(\d+)")
_CHAT = re.compile(r"-?\d+")
_TOPIC = re.compile(r"(-?\d+)/topic/(\d+)")
_PERIOD = re.compile(r"(-?\d+)(?:/topic/\d+|(/stories))?/(\d{4}-\d\d(-\d\d)?)")
_OTHER = re.compile(r"(person)/-?\d+|(audio)/[0-9a-f]{64}")


def adopt_notes(context: RunContext) -> None:
    """Enter the notes of the vault into an archive without notes, each with its path.

    Their texts are made when their messages are fetched again; the hash in a note then shows whether the owner
    changed it.
    """
    archive, root = context.archive, context.root
    if archive.notes.count():
        return
    paths: dict[str, str] = {}
    for files in visible_files(root):
        for path in (file.path for file in files if file.path.endswith(".md")):
            tobs_id = properties_at(root, path).tobs_id
            if tobs_id and (tobs_id not in paths or _rank(path) < _rank(paths[tobs_id])):
                paths[tobs_id] = path
    notes = [note for tobs_id, path in paths.items() if (note := _adopted(tobs_id, path)) is not None]
    with archive.transaction():
        archive.notes.adopt(context.account, notes)
        # A chat with notes of days or months keeps this layout, whatever its size is today.
        for chat_id, layout in {note.chat_id: note.kind for note in notes if note.period}.items():
            archive.chats.set_layout(context.account, chat_id, layout, "found in the vault")
    if notes:
        context.events.recovered(f"the archive was empty; {len(notes)} notes of the vault were recognized by their ids")


def _rank(path: str) -> tuple[bool, int, str]:
    """Return a sort key for notes with the same id: the lowest is the note, the others are copies."""
    return is_conflict_copy(path), len(path), path


def _adopted(tobs_id: str, path: str) -> AdoptedNote | None:
    """Return the note for an id, or None for an id of another kind."""
    if match := _MESSAGE.fullmatch(tobs_id):
        return AdoptedNote(tobs_id, "message", int(match[1]), int(match[2]), path)
    if match := _STORY.fullmatch(tobs_id):
        return AdoptedNote(tobs_id, "message", stories_of(int(match[1])), int(match[2]), path)
    if match := _PERIOD.fullmatch(tobs_id):
        chat_id = stories_of(int(match[1])) if match[2] else int(match[1])
        return AdoptedNote(tobs_id, "day" if match[4] else "month", chat_id, 0, path, match[3])
    if match := _TOPIC.fullmatch(tobs_id):
        return AdoptedNote(tobs_id, "topic", int(match[1]), int(match[2]), path)
    if tobs_id == "index":
        return AdoptedNote(tobs_id, "index", 0, 0, path)
    if _CHAT.fullmatch(tobs_id):
        return AdoptedNote(tobs_id, "chat", int(tobs_id), 0, path)
    if match := _OTHER.fullmatch(tobs_id):
        return AdoptedNote(tobs_id, match[1] or match[2], 0, 0, path)
    return None
