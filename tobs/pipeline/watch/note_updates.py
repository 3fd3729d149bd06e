"""Notes of what came, written at once, while files of other messages are fetched and processed beside the watch."""

from __future__ import annotations

from collections.abc import Collection

from tobs.archive import Archive
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.session.run_session import OpenRun
from tobs.pipeline.sync.run import open_kept
from tobs.pipeline.sync.syncer import Brought


async def write_news(run: OpenRun, context: RunContext, brought: Brought) -> None:
    """The notes that ``brought`` asks for and that wait for no file; the others come with their files."""
    enrichers = run.enrichers(context)
    async with run.writer(context) as writer:
        for chat_id in sorted(brought.changed, reverse=True):
            place = await run.keeper(open_kept, context, chat_id, None, is_changed=True)
            if place is None:
                continue
            upto = await run.keeper(settled_to, context, place, final=True)
            await enrichers.ask(place, upto)
            while not (await run.keeper(plan_messages, context, place, upto=upto, final=True)).is_all:
                pass
            await writer.write_messages(place, final=False)
        await writer.write_summaries()
        await writer.close()


def wants_files(archive: Archive, account: int, chats: Collection[int]) -> bool:
    """Whether files of ``chats`` are still to be fetched."""
    return any(archive.media.wanted(account, chat_id, 1) for chat_id in chats)
