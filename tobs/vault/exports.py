"""Files that plugins made of a run for other programs: stored in ``.tobs/exports``, which Obsidian does not show."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tobs.config.vault_paths import TOBS
from tobs.vault.attach import attach_file


def attach_export(file: Path, root: Path, plugin: str, *, mtime: float) -> str:
    """Move ``file`` into the folder of ``plugin``, over an earlier one of its name, dated ``mtime`` (Unix seconds).
    Returns its path in the vault. Raises as ``attach_file`` does."""
    path = f"{TOBS}/exports/{plugin}/{file.name}"
    with file.open("rb") as made:
        digest = hashlib.file_digest(made, "sha256").hexdigest()
    attach_file(file, root, path, sha256=digest, mtime=mtime, replace=True)
    return path
