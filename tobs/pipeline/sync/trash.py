"""Notes of messages that were deleted on Telegram, moved to the vault's trash when its owner wants that."""

from __future__ import annotations

from tobs.archive import Replacement
from tobs.model.events import NotesCounted
from tobs.pipeline.context.run_context import RunContext
from tobs.render.frontmatter import managed_hash
from tobs.vault.decide import KnownNote, is_written_by_tobs
from tobs.vault.read import read_batch
from tobs.vault.trash import move_to_trash


def trash_emptied(context: RunContext) -> int:
    """Move notes of which every message is gone to the trash; how many. One that its owner wrote into stays, and is
    marked like any other. Notes that point there are stale: their links lead to Telegram again."""
    archive, root = context.archive, context.root
    rows = archive.notes.emptied()
    moved: list[int] = []
    for row, found in zip(rows, read_batch(root, [row.path for row in rows]), strict=True):
        if found is not None and is_written_by_tobs(
            KnownNote(row.tobs_id, row.state, row.text_hash), found, managed_hash
        ):
            move_to_trash(root, row.path)
            moved.append(row.id)
    with archive.transaction():
        archive.replaced.keep(context.events.run_id, [Replacement(note_id, b"", "") for note_id in moved])
        archive.notes.mark_deleted(moved)
        archive.notes.mark_stale(archive.links.linking_to(moved))
    context.events.emit(NotesCounted(removed=len(moved)))
    return len(moved)
