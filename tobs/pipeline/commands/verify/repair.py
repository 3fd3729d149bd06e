"""What can be mended: notes are written again, lost files wanted again. A run like any other, without Telegram."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.pipeline.commands.verify.checks import sha256_of
from tobs.pipeline.commands.verify.faults import Fault
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.select.archived_chats import archived_folders, stored_account
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.vault.trash import move_to_trash

#: Faults of notes that writing them again mends. Of those that lie at each other's place the paths are set right.
_WRITTEN_AGAIN = frozenset({"stale", "outdated", "foreign", "link", "embed"})


async def repair(config: RunConfig, faults: Sequence[Fault]) -> RunReport:
    """Mend what can be mended of ``faults``. Raises VaultError."""
    async with open_run(config) as run:
        context = run.context(await run.archive_thread(stored_account, run.archive, config.settings.account))
        await run.archive_thread(_prepare, context, faults)
        async with run.writer(context) as writer:
            try:
                chat_folders = await run.archive_thread(archived_folders, context, ())
            except UsageError:
                chat_folders = []
            for chat_folder in chat_folders:
                upto = await run.archive_thread(settled_to, context, chat_folder, final=True)
                while not (await run.archive_thread(plan_messages, context, chat_folder, upto=upto, final=True)).is_all:
                    pass
                await writer.write_messages(chat_folder, final=True)
            await finish_notes(context, run.archive_thread, writer, chat_folders)
    return run.report


def _prepare(context: RunContext, faults: Sequence[Fault]) -> None:
    """Say in the archive what has to be done again."""
    archive, root = context.archive, context.root
    with archive.transaction():
        # The run took missing notes and files for deleted ones; here their owner asks for them.
        archive.notes.restore_at([fault.item for fault in faults if fault.kind == "missing"])
        archive.notes.mark_stale_at([fault.item for fault in faults if fault.kind in _WRITTEN_AGAIN])
        gone = {fault.item for fault in faults if fault.kind in ("attachment", "content")}
        if not gone:
            return
        for files in archive.files.all():
            for file in (each for each in files if each.path in gone):
                path = root / file.path
                if path.is_file():
                    if sha256_of(path) == file.digest:
                        continue
                    # It may be the owner's own work.
                    move_to_trash(root, file.path)
                archive.media.want_again(file.sha256)
                archive.files.forget(file.sha256)
