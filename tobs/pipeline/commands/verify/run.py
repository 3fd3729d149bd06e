"""A verification from its beginning to its end."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec.structs import replace

from tobs.archive import Damage, find_damage, open_archive
from tobs.pipeline.commands.verify.checks import check_all
from tobs.pipeline.commands.verify.faults import Fault, Verification
from tobs.pipeline.select.archived_chats import stored_account


def verify(archive_path: Path, root: Path, account_name: str) -> Verification:
    """Look through the vault at ``root``; changes nothing. Raises VaultError for an archive that cannot be opened."""
    damage = find_damage(archive_path)
    if damage.is_unreadable:
        # What else there is cannot be held against such an archive.
        found = Verification()
    else:
        archive = open_archive(archive_path, clock=time.time, read_only=True)
        try:
            found = check_all(archive, root, stored_account(archive, account_name))
        finally:
            archive.close()
    for fault in _of_archive(archive_path, damage):
        found.find(fault)
    return found


def _of_archive(path: Path, damage: Damage) -> list[Fault]:
    remedy = "Run `tobs verify --repair`, or put a backup back with `tobs restore`."
    return [Fault("archive", path.name, reason, remedy) for reason in damage.reasons]


def after_mending(before: Verification, after: Verification) -> Verification:
    """The first look with what the second did not find any more; what that found anew is told too."""
    left = {fault.key for fault in after.items}
    known = {fault.key for fault in before.items}
    items = [replace(fault, mended=fault.key not in left) for fault in before.items]
    items += [fault for fault in after.items if fault.key not in known]
    return Verification(ok=after.ok, items=items, checked=after.checked, coverage=after.coverage)
