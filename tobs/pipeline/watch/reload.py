"""What notes are made by changed while a watch was on: templates, plugins, configuration. Only what they make is made
again."""

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

_SHOWN = ("language", "property_prefix", "tag_prefix", "line_breaks", "deleted", "keep_versions")


def changes_rendering(before: Settings, now: Settings) -> bool:
    """Whether notes look otherwise by other settings."""
    return any(getattr(before, name) != getattr(now, name) for name in _SHOWN)


async def apply_changed_sources(
    run: RunSession, context: RunContext, fetch: FetchFile, changed: Collection[str], *, is_other: bool
) -> None:
    """Mark the notes stale that changed templates make, all of them where ``is_other``. If ``changed`` (vault paths,
    files of TOBS_HOME) names a plugin or what is trusted, plugins work on what is here; ``fetch`` brings what they want
    beside the files."""
    await run.archive_thread(mark_changed_templates, context)
    if is_other:
        await run.archive_thread(context.archive.notes.mark_all_stale)
    if any(path.startswith(PLUGINS) or path == TRUST for path in changed):
        await _process_again(run, context, fetch)


async def _process_again(run: RunSession, context: RunContext, fetch: FetchFile) -> None:
    """Every plugin on everything that is here; what was found before, by the same version, is not found out again."""
    await run.archive_thread(forget_plugins, context, run.config.catalogue)
    chat_folders = await run.archive_thread(archived_folders, context, ())
    async with run.chain() as chain, run.writer(context) as writer:
        again = Reprocessing(context, run.archive_thread, chain, fetch)
        for chat_folder in chat_folders:
            await again.run(chat_folder)
            await writer.write_messages(chat_folder, final=True)
        await finish_notes(context, run.archive_thread, writer, chat_folders)
