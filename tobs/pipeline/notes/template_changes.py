"""Templates and plugins with the last word that changed since the last run: the notes they make are stale, and only
those."""

from __future__ import annotations

import msgspec

from tobs.pipeline.context.run_context import RunContext
from tobs.render.templates import OF_KIND

_KEY = "templates"


def mark_changed_templates(context: RunContext) -> list[str]:
    """Mark the notes stale whose templates, or whose last word, are others than when they were made; the kinds of them.
    Their digests are kept in the archive."""
    archive, templates, last = context.archive, context.render_context.templates, context.render_context.post_render
    after = f"; {last.digest}" if last is not None else ""
    now = {kind: templates.digest(*names) + after for kind, names in OF_KIND.items()}
    kept = archive.meta.get(_KEY)
    before = msgspec.json.decode(kept, type=dict[str, str]) if kept else {}
    changed = [kind for kind, digest in now.items() if before.get(kind, digest) != digest]
    if before != now:
        with archive.transaction():
            if changed:
                archive.notes.mark_all_stale(changed)
            archive.meta.set(_KEY, msgspec.json.encode(now).decode())
    return changed
