"""A vault whose archive is lost: its notes are known again by the ids in them, wherever their owner has put them."""

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
    """Give an archive without notes those that lie in the vault, each at its place. What they should say comes when
    their messages are fetched again; whether they are as tobs wrote them, their hash tells then."""
    archive, root = context.archive, context.root
    if archive.notes.count():
        return
    found: dict[str, str] = {}
    for files in visible_files(root):
        for path in (file.path for file in files if file.path.endswith(".md")):
            tobs_id = properties_at(root, path).tobs_id
            if tobs_id and (tobs_id not in found or _rank(path) < _rank(found[tobs_id])):
                found[tobs_id] = path
    notes = [note for tobs_id, path in found.items() if (note := _adopted(tobs_id, path)) is not None]
    with archive.transaction():
        archive.notes.adopt(context.account, notes)
        # Days and months go on where there are some, whatever the chat's size says today.
        for chat_id, layout in {note.chat_id: note.kind for note in notes if note.period}.items():
            archive.chats.set_layout(context.account, chat_id, layout, "found in the vault")
    if notes:
        context.events.recovered(f"the archive was empty; {len(notes)} notes of the vault are known again by their ids")


def _rank(path: str) -> tuple[bool, int, str]:
    """Of two notes with one id the lower is the note, the other a copy."""
    return is_conflict_copy(path), len(path), path


def _adopted(tobs_id: str, path: str) -> AdoptedNote | None:
    """The note as its id tells of it; None for an id of another kind."""
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
