"""Replace files by those that plugins made of them, once and completely, and record it in the archive.

A file is identified by the content that came from Telegram, so that it is not downloaded again and is in the vault
once; ``changed`` in its row is the hash of the content that replaced it.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from msgspec.structs import replace

from tobs.archive import Archive, FileRow, MediaRow
from tobs.media.chain import Processed, Produced
from tobs.model.mime import suffix_of
from tobs.pipeline.context.run_context import RunContext
from tobs.vault.attach import attach_file, content_of

_DIGEST = re.compile("[0-9a-f]{64}")


def attach_edited(context: RunContext, row: MediaRow, file: FileRow, body: Produced) -> FileRow:
    """Replace ``file`` by ``body``, which a plugin made of it for the message of ``row``; return the new row.

    The archive is updated first: after a crash in between, ``finish_edits`` does the rest. A file is changed only for
    its first message, so that the order of work does not matter. It is never changed after an edit by the owner, or
    if ``body`` was made of other content. The modification time stays.
    """
    if row.message_key != file.owner:
        drop(context, body)
        return file
    path = context.root / file.path
    is_ours = content_of(path) == file.digest
    if not is_ours or body.made_of != file.digest:
        if not is_ours:
            context.events.doubt("media", file.path, "it was changed in the vault, so no plugin replaces it")
        drop(context, body)
        return file
    source, mtime = own_copy(context, body), path.stat().st_mtime
    os.utime(source, (mtime, mtime))
    context.archive.files.set_changed(file.sha256, body.sha256, body.size)
    context.blobs.put(source, body.sha256, file.path, mtime=mtime, replace=True)
    return replace(file, changed=body.sha256, size=body.size)


def drop(context: RunContext, body: Produced) -> None:
    """Remove the staged file of ``body``."""
    if Path(body.path).parent == context.staging:
        Path(body.path).unlink(missing_ok=True)


def is_of(file: FileRow, processed: Processed) -> bool:
    """Report whether the results of the chain are about the current content of ``file``."""
    return processed.body is None or processed.body.sha256 == file.digest


def finish_edits(archive: Archive, root: Path, staging: Path) -> None:
    """Replace files for which a crash came between archive and vault.

    The new content waits in ``staging``, with the modification time of the old file; after an edit by the owner it
    would be another one.
    """
    if not staging.is_dir():
        return
    staged = {path.stem: path for path in staging.iterdir() if _DIGEST.fullmatch(path.stem)}
    for sha256, file in archive.files.with_content(staged).items():
        path = root / file.path
        if file.changed and path.is_file() and (mtime := path.stat().st_mtime) == staged[sha256].stat().st_mtime:
            attach_file(staged[sha256], root, file.path, sha256=sha256, mtime=mtime, replace=True)


def own_copy(context: RunContext, body: Produced) -> Path:
    """Return the staged file of ``body``; a copy if these bytes are another file of the vault."""
    path = Path(body.path)
    if path.parent == context.staging:
        return path
    copy = context.staging / f"{body.sha256}{suffix_of(body.name, '')}"
    shutil.copyfile(path, copy)
    return copy
