"""Notes of what came, written at once, while files of other messages are fetched and processed beside the watch."""

from __future__ import annotations

from collections.abc import Collection

from tobs.archive import Archive
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.session.run_session import RunSession
from tobs.pipeline.sync.run import open_archived_chat
from tobs.pipeline.sync.syncer import PendingChanges


async def write_changed_notes(run: RunSession, context: RunContext, pending: PendingChanges) -> None:
    """The notes that ``pending`` asks for and that wait for no file; the others come with their files."""
    enrichers = run.enrichers(context)
    async with run.writer(context) as writer:
        for chat_id in sorted(pending.changed, reverse=True):
            chat_folder = await run.archive_thread(open_archived_chat, context, chat_id, None, is_changed=True)
            if chat_folder is None:
                continue
            upto = await run.archive_thread(settled_to, context, chat_folder, final=True)
            await enrichers.ask(chat_folder, upto)
            while not (await run.archive_thread(plan_messages, context, chat_folder, upto=upto, final=True)).is_all:
                pass
            await writer.write_messages(chat_folder, final=False)
        await writer.write_summaries()
        await writer.close()


def wants_files(archive: Archive, account: int, chats: Collection[int]) -> bool:
    """Whether files of ``chats`` are still to be fetched."""
    return any(archive.media.wanted(account, chat_id, 1) for chat_id in chats)
