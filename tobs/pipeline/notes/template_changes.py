"""Find templates and post-render plugins that changed since the last run, and mark their notes stale."""

from __future__ import annotations

import msgspec

from tobs.pipeline.context.run_context import RunContext
from tobs.render.templates import OF_KIND

_KEY = "templates"


def mark_changed_templates(context: RunContext) -> list[str]:
    """Mark the notes stale that changed templates or post-render plugins made; return their kinds.

    The new digests are stored in the archive.
    """
    archive, templates, post_render = (
        context.archive,
        context.render_context.templates,
        context.render_context.post_render,
    )
    after = f"; {post_render.digest}" if post_render is not None else ""
    digests = {kind: templates.digest(*names) + after for kind, names in OF_KIND.items()}
    stored = archive.meta.get(_KEY)
    before = msgspec.json.decode(stored, type=dict[str, str]) if stored else {}
    changed = [kind for kind, digest in digests.items() if before.get(kind, digest) != digest]
    if before != digests:
        with archive.transaction():
            if changed:
                archive.notes.mark_all_stale(changed)
            archive.meta.set(_KEY, msgspec.json.encode(digests).decode())
    return changed
