"""What a note costs: front matter and body of real messages out of an archive, without any file."""

from __future__ import annotations

import time
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.e2e.harness import Served
from tobs.archive import open_archive
from tobs.pipeline.context.run_context import RenderContext
from tobs.pipeline.notes.lookups import Lookups
from tobs.render.builtin import load_builtin
from tobs.render.notes import render_message
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions

MESSAGES = 5_000
_ROUNDS = 5


def note_microseconds(world: Served, folder: Path) -> float:
    """Microseconds of CPU a note takes; the best of several rounds."""
    vault = folder / "notes-vault"
    done = world.tobs("export", world.target, "--layout", "message", "--vault", str(vault), "-q")
    assert done.code == 0, done.stderr
    archive = open_archive(vault / ".tobs" / "archive.db", clock=time.time, read_only=True)
    rows = [row for row in archive.notes.written_notes() if row.kind == "message"]
    account = rows[0].account
    chat = archive.chats.get(account, rows[0].chat_id)
    assert chat is not None
    zone = ZoneInfo("UTC")
    templates, options = Templates(load_builtin), RenderOptions(timezone=zone)
    render_context = RenderContext(
        archive=archive, account=account, root=vault, zone=zone, options=options, templates=templates
    )
    stored = archive.notes.stored([row.id for row in rows])
    best = float("inf")
    for _ in range(_ROUNDS):
        lookups = Lookups(render_context, (one for messages in stored.values() for one in messages))
        started = time.process_time()
        for row in rows:
            lookups.begin()
            render_message([one.message for one in stored[row.id]], chat, lookups.links, options, templates)
        best = min(best, time.process_time() - started)
    archive.close()
    return 1e6 * best / len(rows)
