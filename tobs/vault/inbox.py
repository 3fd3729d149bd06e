"""The inbox folder of the vault: files that wait, and removal of those that are in the vault by now."""

from __future__ import annotations

from pathlib import Path

from tobs.model import DroppedFile
from tobs.vault.folders import unwritable


def inbox_files(folder: Path) -> list[DroppedFile]:
    """Return the files that wait in the inbox, by name. Notes, hidden files, links, empty files (most are still being
    written) and tobs's own files are left out."""
    found: list[DroppedFile] = []
    try:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.suffix in (".md", ".base") or path.is_symlink() or not path.is_file():
                continue
            stat = path.stat()
            if stat.st_size:
                found.append(DroppedFile(path.name, stat.st_size, stat.st_mtime))
    except FileNotFoundError:
        return found
    except OSError as error:
        raise unwritable(error, folder) from error
    return found


def remove_from_inbox(folder: Path, file: DroppedFile) -> None:
    """Remove a file that is in the vault by now, unless it was changed since it was read."""
    path = folder / file.name
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime) == (file.size, file.changed):
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(error, path) from error
