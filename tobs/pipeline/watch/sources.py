"""What notes are made by changed while a watch was on: templates, plugins, configuration. Only what they make is made
again."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from tobs.config import Settings
from tobs.pipeline.desk import Desk
from tobs.pipeline.export import finish_notes
from tobs.pipeline.kept import kept_places
from tobs.pipeline.opened import OpenRun
from tobs.pipeline.reprocess import Reprocessing, drop_plugins

# The kinds of notes each template is used for; another one concerns them all.
_MADE_BY = {
    "message.md.j2": ("message", "day", "month"),
    "day.md.j2": ("day", "month"),
    "chat.md.j2": ("chat",),
    "topic.md.j2": ("topic",),
    "person.md.j2": ("person",),
    "audio.md.j2": ("audio",),
}
_SHOWN = ("language", "property_prefix", "tag_prefix", "line_breaks", "deleted", "keep_versions")


def is_shown_otherwise(before: Settings, now: Settings) -> bool:
    """Whether notes look otherwise by other settings."""
    return any(getattr(before, name) != getattr(now, name) for name in _SHOWN)


async def take_up_sources(run: OpenRun, desk: Desk, changed: Collection[str], *, is_other: bool) -> None:
    """Mark the notes stale that ``changed`` (vault paths) make, all of them where ``is_other``; have changed plugins
    work on what is there."""
    templates = [PurePosixPath(path).name for path in changed if path.startswith(".tobs/templates/")]
    if is_other or any(name not in _MADE_BY for name in templates):
        await run.keeper(desk.archive.notes.mark_all_stale)
    elif templates:
        kinds = sorted({kind for name in templates for kind in _MADE_BY[name]})
        await run.keeper(desk.archive.notes.mark_all_stale, kinds)
    if any(path.startswith(".tobs/plugins/") for path in changed):
        await _process_again(run, desk)


async def _process_again(run: OpenRun, desk: Desk) -> None:
    """Every plugin on everything that is here; what was found before, by the same version, is not found out again."""
    await run.keeper(drop_plugins, desk, run.means.catalogue)
    places = await run.keeper(kept_places, desk, ())
    async with run.chain() as chain, run.writer(desk) as writer:
        again = Reprocessing(desk, run.keeper, chain)
        for place in places:
            await again.run(place)
            await writer.write_messages(place, final=True)
        await finish_notes(desk, run.keeper, writer, places)
