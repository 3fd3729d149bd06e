"""Missing notes: many at once mean an unmounted or half-synced vault, not deletions by the owner."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

from tobs.errors import VaultError
from tobs.vault.folders import absolute

#: More missing notes than this, or a larger share of all, stop a run.
MAX_MISSING = 20
MAX_SHARE = 0.05


def missing_notes(root: Path, paths: Iterable[str]) -> set[str]:
    """Return the ``paths`` (vault paths) without a file. Each folder is listed once: 200,000 notes a second.

    Memory is one folder's names and those of ``paths``: give the notes of one chat at a time.
    """
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders[folder].append(name)
    missing: set[str] = set()
    for folder, names in folders.items():
        here = absolute(root, folder) if folder else str(root)
        present = _names(here)
        # A file system may keep the name in another form or case: what the list lacks is looked up by itself.
        missing.update(
            f"{folder}/{name}" if folder else name
            for name in names
            if name not in present and not os.path.lexists(os.path.join(here, name))  # noqa: PTH118
        )
    return missing


def require_few_missing(
    written: int, missing: int, *, accept: bool, subject: str = "notes are missing from the vault"
) -> None:
    """Raise VaultError if too many of the ``written`` notes (or files; ``subject`` names them) are ``missing`` and that
    is not accepted.

    A single one is an owner's deletion however small the vault.
    """
    if accept or missing <= 1 or (missing <= MAX_MISSING and missing <= written * MAX_SHARE):
        return
    raise VaultError(
        f"{missing} of {written} {subject}: it may not be mounted or synced completely.",
        "Nothing was changed. If you deleted them yourself, run the same command (for a watch: tobs sync) with"
        " --accept-missing.",
    )


def require_on_disk(root: Path, paths: Iterable[str]) -> None:
    """Raise VaultError if one of the missing ``paths`` is only in iCloud: there is a file `.name.icloud` instead."""
    for path in paths:
        folder, _, name = path.rpartition("/")
        if Path(absolute(root, f"{folder}/.{name}.icloud" if folder else f".{name}.icloud")).exists():
            raise VaultError(
                f"{path} is in iCloud, but not on this computer.",
                "Nothing was changed. Download the vault's folder in the Finder (Download Now), then run it again.",
            )


def _names(folder: str) -> set[str]:
    """Return the names in ``folder``, composed; none if it is missing. Raises VaultError if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name if entry.name.isascii() else normalize("NFC", entry.name) for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise VaultError(
            f"The folder {folder} cannot be listed: {error.strerror}.", "Check its permissions and its disk."
        ) from error
