"""What plugins make of a file to lie in its place: put there once and whole, with the archive's knowledge.

A file is known by what came from Telegram, so that it is not fetched again and lies in the vault once; ``changed`` in
its row is what lies there instead.
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
    """Let ``body``, which a plugin made of ``file`` for the message of ``row``, lie in its place, with its date;
    ``file`` as it is now.

    The archive knows of it first: after a crash between, ``finish_edits`` does the rest. A file is changed for the
    first message that has it alone, so that it does not matter which was worked on first; and never what the vault's
    owner changed, or when ``body`` was made of what lies there no more.
    """
    if row.message_key != file.owner:
        drop(context, body)
        return file
    path = context.root / file.path
    is_ours = content_of(path) == file.digest
    if not is_ours or body.made_of != file.digest:
        if not is_ours:
            context.events.doubt("media", file.path, "it is not as tobs left it, so no plugin changes it")
        drop(context, body)
        return file
    source, mtime = own_copy(context, body), path.stat().st_mtime
    os.utime(source, (mtime, mtime))
    context.archive.files.set_changed(file.sha256, body.sha256, body.size)
    context.blobs.put(source, body.sha256, file.path, mtime=mtime, replace=True)
    return replace(file, changed=body.sha256, size=body.size)


def drop(context: RunContext, body: Produced) -> None:
    """Remove ``body``, which is not needed."""
    if Path(body.path).parent == context.staging:
        Path(body.path).unlink(missing_ok=True)


def is_of(file: FileRow, processed: Processed) -> bool:
    """Whether what the chain found is about ``file`` as it lies there: not where its ``body`` was not put there."""
    return processed.body is None or processed.body.sha256 == file.digest


def finish_edits(archive: Archive, root: Path, staging: Path) -> None:
    """Bring what plugins made of files to its place where a crash came between: it waits in ``staging``, and has the
    date of what lies there still; the owner's own work would have another one."""
    if not staging.is_dir():
        return
    staged = {path.stem: path for path in staging.iterdir() if _DIGEST.fullmatch(path.stem)}
    for sha256, file in archive.files.with_content(staged).items():
        path = root / file.path
        if file.changed and path.is_file() and (mtime := path.stat().st_mtime) == staged[sha256].stat().st_mtime:
            attach_file(staged[sha256], root, file.path, sha256=sha256, mtime=mtime, replace=True)


def own_copy(context: RunContext, body: Produced) -> Path:
    """The staged file of ``body``; a copy where these bytes lie in the vault, in the place of another file."""
    path = Path(body.path)
    if path.parent == context.staging:
        return path
    copy = context.staging / f"{body.sha256}{suffix_of(body.name, '')}"
    shutil.copyfile(path, copy)
    return copy
