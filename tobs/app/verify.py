"""``tobs verify``."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loguru import logger

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config

if TYPE_CHECKING:
    from tobs.pipeline.commands.verify.faults import Verification
    from tobs.vault.workspace import Workspace


def verify(context: AppContext) -> Verification:
    """What does not fit in the vault; changes nothing. Raises VaultError."""
    from tobs.pipeline.commands.verify.run import verify as look
    from tobs.vault.workspace import open_workspace

    workspace = open_workspace(context.vault)
    return look(workspace.archive, workspace.root, context.settings.account)


async def repair(context: AppContext, *, watch: Watch) -> Verification:
    """Mend what can be mended; what a second look finds is left. Raises VaultError."""
    from tobs.pipeline.commands.verify.repair import repair
    from tobs.pipeline.commands.verify.run import after_mending
    from tobs.vault.workspace import open_workspace

    before = verify(context)
    if before.ok:
        return before
    workspace = open_workspace(context.vault)
    if any(fault.kind == "archive" for fault in before.items):
        await _mend_archive(workspace)
    faults = [*before.items, *(fault for fault in verify(context).items if fault not in before.items)]
    async with open_run_config(context, "verify --repair", [], watch=watch, accept_missing=True) as config:
        await repair(config, faults)
    return after_mending(before, verify(context))


async def _mend_archive(workspace: Workspace) -> None:
    from tobs.archive import look_for_damage, rebuild_indexes, recover
    from tobs.vault.lock import write_lock
    from tobs.vault.workspace import make_folders

    make_folders(workspace)
    async with write_lock(workspace.tobs, clock=time.time, sleep=asyncio.sleep):
        if not look_for_damage(workspace.archive).is_unreadable:
            rebuild_indexes(workspace.archive)
        if look_for_damage(workspace.archive).reasons:
            aside = workspace.backups / f"archive-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.damaged"
            recover(workspace.archive, aside)
            logger.warning("The damaged archive is kept as {}", aside)
