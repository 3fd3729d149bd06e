"""``tobs verify`` and ``tobs verify --repair`` from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tobs.archive import Damage, find_damage, open_archive
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.pipeline.commands.verify_checks import Fault, Verification, check_all, sha256_of
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.select.archived_chats import archived_folders, stored_account
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.vault.trash import move_to_trash


def verify(archive_path: Path, root: Path, account_name: str) -> Verification:
    """Check the vault at ``root``; nothing is changed. Raises VaultError if the archive cannot be opened."""
    damage = find_damage(archive_path)
    if damage.is_unreadable:
        # The vault cannot be checked against such an archive.
        verification = Verification()
    else:
        archive = open_archive(archive_path, clock=time.time, read_only=True)
        try:
            verification = check_all(archive, root, stored_account(archive, account_name))
        finally:
            archive.close()
    for fault in _of_archive(archive_path, damage):
        verification.add(fault)
    return verification


def _of_archive(path: Path, damage: Damage) -> list[Fault]:
    remedy = "Run `tobs verify --repair`, or put a backup back with `tobs restore`."
    return [Fault("archive", path.name, reason, remedy) for reason in damage.reasons]


def after_repair(before: Verification, after: Verification) -> Verification:
    """Return the faults of the first check, with those repaired that the second one does not find, and the new faults
    of the second."""
    left = {fault.key for fault in after.items}
    known = {fault.key for fault in before.items}
    items = [replace(fault, mended=fault.key not in left) for fault in before.items]
    items += [fault for fault in after.items if fault.key not in known]
    return Verification(ok=after.ok, items=items, checked=after.checked, coverage=after.coverage)


#: Faults of notes that are repaired by writing the notes again; exchanged paths are corrected.
_WRITTEN_AGAIN = frozenset({"stale", "outdated", "foreign", "link", "embed"})


async def repair(config: RunConfig, faults: Sequence[Fault]) -> RunReport:
    """Repair ``faults`` as far as possible: write notes again, fetch lost files again. Raises VaultError."""
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
    """Mark in the archive the notes to write and the files to fetch again."""
    archive, root = context.archive, context.root
    with archive.transaction():
        # The scan of the vault counts missing notes as deleted; here the owner wants them back.
        archive.notes.restore_at([fault.item for fault in faults if fault.kind == "missing"])
        archive.notes.mark_stale_at([fault.item for fault in faults if fault.kind in _WRITTEN_AGAIN])
        damaged = {fault.item for fault in faults if fault.kind in ("attachment", "content")}
        if not damaged:
            return
        for files in archive.files.all():
            for file in (each for each in files if each.path in damaged):
                path = root / file.path
                if path.is_file():
                    if sha256_of(path) == file.digest:
                        continue
                    # The owner may have changed it.
                    move_to_trash(root, file.path)
                archive.media.want_again(file.sha256)
                archive.files.forget(file.sha256)
