"""The inbox folder of the vault: what lies in it and waits, and what was taken up and goes."""

from __future__ import annotations

from pathlib import Path

from tobs.model import DroppedFile
from tobs.vault.folders import unwritable


def dropped_files(folder: Path) -> list[DroppedFile]:
    """The files that wait in the inbox, by name. Notes, hidden files, links, empty files (most are about to be filled)
    and what tobs keeps there do not."""
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


def take_away(folder: Path, file: DroppedFile) -> None:
    """Remove a file that lies in the vault by now, unless it was changed since it was taken up."""
    path = folder / file.name
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime) == (file.size, file.changed):
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(error, path) from error
