"""Paths that never lead out of the vault: each part is checked before a folder is made."""

from __future__ import annotations

import os
import re
from errno import EDQUOT, ENOSPC, EROFS
from pathlib import Path

from tobs.errors import VaultError, VaultUnwritable

# A part that is empty, `.` or `..`; a colon is a drive or an alternate stream on Windows, a NUL ends a path early.
_OUTSIDE = re.compile(r"(?:\A|/)\.{0,2}(?:/|\Z)|[\\:\0]")


def absolute(root: str | Path, path: str) -> str:
    """Return the absolute form of the vault path ``path`` (relative, with `/`).

    Raises VaultError for a path that names a place outside the vault: absolute, with `..`, or empty parts.
    """
    if _OUTSIDE.search(path):
        raise VaultError(f"{path!r} is no path inside the vault.")
    return f"{root}{os.sep}{path if os.sep == '/' else path.replace('/', os.sep)}"


def make_folder(root: str | Path, folder: str) -> str:
    """Make the vault folder ``folder`` ('' is the root) if it is missing; return its absolute path.

    Raises VaultError if a link on the way leads outside the vault, VaultUnwritable if it cannot be made.
    """
    if not folder:
        return str(root)
    absolute(root, folder)
    here, inside = str(root), os.path.realpath(root) + os.sep
    for part in folder.split("/"):
        here = f"{here}{os.sep}{part}"
        try:
            Path(here).mkdir()
        except FileExistsError:
            if Path(here).is_symlink() and not os.path.realpath(here).startswith(inside):
                raise VaultError(
                    f"{here} is a link that leads outside the vault; tobs writes nothing there.",
                    "Replace the link with a folder, or give the place it leads to as --vault.",
                ) from None
            if not Path(here).is_dir():
                raise VaultUnwritable(
                    f"{here} is a file, where tobs needs a folder.", "Move or rename that file."
                ) from None
        except OSError as error:
            raise unwritable(error, here) from error
    return here


def unwritable(error: OSError, path: str | Path) -> VaultUnwritable:
    """Return ``error`` as a VaultUnwritable with a message for the owner."""
    if error.errno in (ENOSPC, EDQUOT):
        return VaultUnwritable(
            f"The disk of the vault is full ({path}).", "Free some space and run the same command again."
        )
    if error.errno == EROFS:
        return VaultUnwritable(f"The vault is on a read-only disk ({path}).", "Mount it for writing.")
    reason = error.strerror or str(error)
    return VaultUnwritable(f"{path} cannot be written: {reason}.", "Check the permissions of the vault's folder.")
