"""``tobs verify``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loguru import logger

from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.run_config import open_run_config
from tobs.app.threads import in_thread
from tobs.app.vault import lock_vault
from tobs.model.requests import VerifyRequest

if TYPE_CHECKING:
    from tobs.pipeline.commands.verify_checks import Verification


async def verify(request: VerifyRequest, context: AppContext, events: Events) -> Verification:
    """Check the vault, and repair it if the request says so. Raises VaultError."""
    return await _repair(context, events) if request.repair else await in_thread(lambda: _check(context))


def _check(context: AppContext) -> Verification:
    from tobs.pipeline.commands.verify import verify as check
    from tobs.vault.workspace import open_workspace

    paths = open_workspace(context.vault, context.home)
    return check(paths.archive, paths.root, context.settings.account)


async def _repair(context: AppContext, events: Events) -> Verification:
    """Repair what can be repaired, and check again: faults that are found once more are left."""
    from tobs.pipeline.commands.verify import after_repair, repair

    before = await in_thread(lambda: _check(context))
    if before.ok:
        return before
    if any(fault.kind == "archive" for fault in before.items):
        await _repair_archive(context)
    found = await in_thread(lambda: _check(context))
    faults = [*before.items, *(fault for fault in found.items if fault not in before.items)]
    async with open_run_config(context, "verify --repair", [], events=events, accept_missing=True) as config:
        await repair(config, faults)
    return after_repair(before, await in_thread(lambda: _check(context)))


async def _repair_archive(context: AppContext) -> None:
    from tobs.archive import find_damage, rebuild_indexes, recover

    # The run that follows says again what there is to remark.
    async with lock_vault(context, context.vault, remark=logger.info) as paths:
        if not find_damage(paths.archive).is_unreadable:
            rebuild_indexes(paths.archive)
        if find_damage(paths.archive).reasons:
            aside = paths.backups / f"archive-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.damaged"
            recover(paths.archive, aside)
            logger.warning("The damaged archive is kept as {}", aside)
