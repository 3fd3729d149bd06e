"""``tobs verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loguru import logger

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config
from tobs.app.vault import lock_vault

if TYPE_CHECKING:
    from tobs.pipeline.commands.verify.faults import Verification


def verify(context: AppContext) -> Verification:
    """What does not fit in the vault; changes nothing. Raises VaultError."""
    from tobs.pipeline.commands.verify.run import verify as look
    from tobs.vault.workspace import open_workspace

    paths = open_workspace(context.vault, context.home)
    return look(paths.archive, paths.root, context.settings.account)


async def repair(context: AppContext, *, watch: Watch) -> Verification:
    """Mend what can be mended; what a second look finds is left. Raises VaultError."""
    from tobs.pipeline.commands.verify.repair import repair
    from tobs.pipeline.commands.verify.run import after_mending

    before = verify(context)
    if before.ok:
        return before
    if any(fault.kind == "archive" for fault in before.items):
        await _repair_archive(context)
    faults = [*before.items, *(fault for fault in verify(context).items if fault not in before.items)]
    async with open_run_config(context, "verify --repair", [], watch=watch, accept_missing=True) as config:
        await repair(config, faults)
    return after_mending(before, verify(context))


async def _repair_archive(context: AppContext) -> None:
    from tobs.archive import look_for_damage, rebuild_indexes, recover

    # The run that follows says again what there is to remark.
    async with lock_vault(context, context.vault, remark=logger.info) as paths:
        if not look_for_damage(paths.archive).is_unreadable:
            rebuild_indexes(paths.archive)
        if look_for_damage(paths.archive).reasons:
            aside = paths.backups / f"archive-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.damaged"
            recover(paths.archive, aside)
            logger.warning("The damaged archive is kept as {}", aside)
