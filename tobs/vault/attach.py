"""Attaching of files: a finished file moves from the staging folder into the vault, durable and dated."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from errno import EXDEV
from pathlib import Path
from secrets import token_hex

from tobs.vault.durable import sync_file, sync_folders
from tobs.vault.folders import absolute, make_folder, unwritable
from tobs.vault.writer import TEMP_PREFIX, WrittenFile, discard


def attach_file(
    staged: Path, root: Path, path: str, *, sha256: str, mtime: float, replace: bool = False
) -> WrittenFile | None:
    """Move the finished file ``staged`` (with the hex digest ``sha256``) to ``path`` in the vault, dated ``mtime``
    (Unix seconds: the message's date).

    A file with that content that is there already counts as attached: a crash came between, and ``staged`` may be
    missing. A file with other content belongs to the owner: the result is None and both files stay, unless ``replace``
    says that it is an older one of tobs. Raises as ``write_batch`` does.
    """
    folder, _, name = path.rpartition("/")
    inside = make_folder(root, folder)
    target = Path(absolute(inside, name))
    try:
        there = _exists(target)
        if there and content_of(target) == sha256:
            staged.unlink(missing_ok=True)
        elif there and not replace:
            return None
        else:
            _move(staged, target, mtime)
            sync_folders([inside])
        stat = target.stat()
    except OSError as error:
        raise unwritable(error, path) from error
    return WrittenFile(path, stat.st_size, stat.st_mtime_ns)


def free_paths(root: Path, paths: Iterable[str], sha256: str) -> Iterator[str]:
    """Yield the ``paths`` at which nothing lies, or the file with ``sha256``: it was put there before a crash, or by an
    archive that was lost since."""
    for path in paths:
        target = Path(absolute(root, path))
        if not _exists(target) or content_of(target) == sha256:
            yield path


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _move(staged: Path, target: Path, mtime: float) -> None:
    """Move ``staged`` to ``target``, durable and dated before its name appears."""
    os.utime(staged, (mtime, mtime))
    sync_file(staged)
    try:
        staged.replace(target)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        # The staging folder lies on another file system (under TOBS_HOME).
        temp = target.with_name(f"{TEMP_PREFIX}{token_hex(6)}-0")
        try:
            shutil.copyfile(staged, temp)
            os.utime(temp, (mtime, mtime))
            sync_file(temp)
            temp.replace(target)
        finally:
            discard(temp)
        staged.unlink()


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex; empty for a folder or a dangling link."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
