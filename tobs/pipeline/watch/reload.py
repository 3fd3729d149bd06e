"""Changes of templates, plugins and configuration during a watch: the notes that depend on them are rendered again."""

from __future__ import annotations

from collections.abc import Collection

from tobs.config import Settings
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.media.reprocess import Reprocessing, forget_plugins
from tobs.pipeline.notes.note_writer import mark_changed_templates
from tobs.pipeline.select.archived_chats import archived_folders
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunSession
from tobs.pipeline.watch.vault_events import PLUGINS, TRUST
from tobs.sources import FetchFile

#: Settings on which the text of notes depends.
_RENDER_SETTINGS = ("language", "property_prefix", "tag_prefix", "line_breaks", "deleted", "keep_versions")


def changes_rendering(before: Settings, now: Settings) -> bool:
    """Return whether a difference between two settings changes the text of notes."""
    return any(getattr(before, name) != getattr(now, name) for name in _RENDER_SETTINGS)


async def apply_changed_sources(
    run: RunSession, context: RunContext, fetch: FetchFile, changed: Collection[str], *, is_other: bool
) -> None:
    """Mark the notes of changed templates as stale, or all notes if ``is_other``. If ``changed`` (vault paths, names of
    files in TOBS_HOME) contains a plugin or the trust file, plugins process archived files and messages; ``fetch``
    fetches other files that they need."""
    await run.archive_thread(mark_changed_templates, context)
    if is_other:
        await run.archive_thread(context.archive.notes.mark_all_stale)
    if any(path.startswith(PLUGINS) or path == TRUST for path in changed):
        await _process_again(run, context, fetch)


async def _process_again(run: RunSession, context: RunContext, fetch: FetchFile) -> None:
    """Run every plugin on all archived files and messages; stored results of the same version are used again."""
    await run.archive_thread(forget_plugins, context, run.config.catalogue)
    chat_folders = await run.archive_thread(archived_folders, context, ())
    async with run.chain() as chain, run.writer(context) as writer:
        reprocessing = Reprocessing(context, run.archive_thread, chain, fetch)
        for chat_folder in chat_folders:
            await reprocessing.run(chat_folder)
            await writer.write_messages(chat_folder, final=True)
        await finish_notes(context, run.archive_thread, writer, chat_folders)
