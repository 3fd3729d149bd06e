"""Attach processed files: they get their paths and move into the vault, in the order of their messages.

A plugin may replace the content of a file. The file is still identified by the content that came from Telegram, so that
it is not downloaded again and is in the vault once; ``changed`` in its row is the hash of the content that replaced it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace

from tobs.archive import Archive, FileRow, MediaRow
from tobs.media.chain import Processed, Produced
from tobs.model.events import MediaCounted
from tobs.model.mime import suffix_of
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.render.catalogue import catalogue
from tobs.vault.attach import attach_file, content_of
from tobs.vault.attachments import attachment_candidates
from tobs.vault.layout import audio_candidates
from tobs.vault.names import numbered

#: The accepted difference between measured and announced duration, in seconds and as a share: both are rounded.
_SECONDS_OFF, _SHARE_OFF = 2.0, 0.05


def staged_path(staging: Path, row: MediaRow) -> Path:
    """Return the path of the downloaded file of ``row`` in staging. A file that an earlier version staged may have
    another suffix: its name begins with the hash all the same."""
    path = staging / f"{row.sha256}{suffix_of(row.item.name, row.item.mime)}"
    return path if path.exists() else next(iter(sorted(staging.glob(f"{row.sha256}*"))), path)


def attach_media(context: RunContext, chat_folder: ChatFolder, files: Sequence[tuple[MediaRow, Processed]]) -> None:
    """Attach ``files``, given in the order of their messages; their notes become stale."""
    for row, processed in files:
        _attach_one(context, chat_folder, row, processed)


def _attach_one(context: RunContext, chat_folder: ChatFolder, row: MediaRow, processed: Processed) -> None:
    archive = context.archive
    staged = staged_path(context.staging, row)
    known = archive.files.get(row.sha256 or "")
    if known is not None and context.blobs.has(known.path):
        staged.unlink(missing_ok=True)
        context.events.emit(MediaCounted(reused=1))
        file = attach_edited(context, row, known, processed.body) if processed.body else known
    else:
        file = _attach_new(context, chat_folder, row, known, processed.body)
        staged.unlink(missing_ok=True)
    if is_of(file, processed):
        file = store_plugin_fields(context, row, file, processed)
    _check_duration(context, row, file)
    with archive.transaction():
        if row.item.kind in ("audio", "voice"):
            _claim_audio_note(context, chat_folder, row, file.fields)
        archive.media.attached([row.id])


def _attach_new(
    context: RunContext, chat_folder: ChatFolder, row: MediaRow, known: FileRow | None, body: Produced | None
) -> FileRow:
    """Attach the file of ``row``, or ``body``, which a plugin made to replace it."""
    archive, sha256 = context.archive, row.sha256 or ""
    if body is not None and known is not None and known.owner != row.message_key:
        drop(context, body)
        body = None
    changed, size = (body.sha256, body.size) if body else ("", row.size)
    day = datetime.fromtimestamp(row.date, context.zone).date()
    label = catalogue(context.render_context.options.language)(f"name.{row.item.kind}")
    names = attachment_candidates(chat_folder.folder, row.item, day, row.message_id, row.ordinal, what=label)
    candidates = context.blobs.free_paths(names, changed or sha256)
    file = known or archive.files.claim(sha256, row.message_key, candidates, size=size, mime=row.item.mime)
    if (file.changed, file.size) != (changed, size):
        archive.files.set_changed(sha256, changed, size)
        file = replace(file, changed=changed, size=size)
    source = own_copy(context, body) if body else staged_path(context.staging, row)
    if not context.blobs.put(source, file.digest, file.path, mtime=row.date):
        context.events.problem("media", file.path, "another file is at its path; it was left as it is")
    if file.is_lost:
        archive.files.set_lost(sha256, lost=False)
    return file


def _check_duration(context: RunContext, row: MediaRow, file: FileRow) -> None:
    """Compare the duration that plugins measured with that of Telegram; a difference is reported as a doubt, not a
    fault."""
    measured, announced = file.fields.get("plays") or file.fields.get("duration"), row.item.duration
    if (
        isinstance(measured, int | float)
        and announced
        and abs(measured - announced) > max(_SECONDS_OFF, announced * _SHARE_OFF)
    ):
        context.events.doubt("media", file.path, f"it plays {measured:.0f} s, Telegram says {announced:.0f} s")


def store_plugin_fields(context: RunContext, row: MediaRow, file: FileRow, processed: Processed) -> FileRow:
    """Store the results of the chain for ``file`` and return its new row.

    They replace earlier results of the same plugins; results of plugins that fail or are missing now stay.
    """
    new = {}
    for plugin, part in processed.parts.items():
        if part.failures:
            new[plugin] = {**file.plugin_fields.get(plugin, {}), "failures": [plugin]}
        else:
            new[plugin] = _stored_fields(context, row, file, part)
    joined = {**file.plugin_fields, **new}
    fields = {plugin: joined[plugin] for plugin in _in_order(file.plugin_fields, new) if joined[plugin]}
    context.archive.files.set_plugin_fields(file.sha256, fields)
    return replace(file, plugin_fields=fields)


def _in_order(before: Iterable[str], new: Iterable[str]) -> list[str]:
    """Return the plugins in the order of the chain ``new``; a plugin outside it keeps its position of ``before``."""
    order, seen = list(new), list(before)
    for position, plugin in enumerate(seen):
        if plugin not in order:
            earlier = next(
                (earlier_plugin for earlier_plugin in reversed(seen[:position]) if earlier_plugin in order), None
            )
            order.insert(order.index(earlier) + 1 if earlier else 0, plugin)
    return order


def _stored_fields(context: RunContext, row: MediaRow, file: FileRow, processed: Processed) -> dict[str, Any]:
    """Return the results of a plugin as the archive stores them; the files it made are attached beside the file."""
    fields: dict[str, Any] = dict(processed.fields)
    if processed.sections:
        fields["sections"] = list(msgspec.to_builtins(processed.sections))
    for name in ("tags", "related"):
        if values := getattr(processed, name):
            fields[name] = list(values)
    if processed.plays:
        fields["plays"] = round(processed.plays, 1)
    made = [_attach_produced(context, row, file, produced) for produced in processed.files]
    if made:
        fields["files"] = made
    if processed.embed is not None:
        fields["embed"] = _attach_produced(context, row, file, processed.embed)["path"]
    return fields


def _attach_produced(context: RunContext, row: MediaRow, file: FileRow, produced: Produced) -> dict[str, str]:
    """Attach a file that a plugin made: `song cover.jpg` beside `song.mp3`."""
    parent = PurePosixPath(file.path)
    suffix = suffix_of(produced.name, "")
    stem = str(parent.with_suffix("")) + ("" if produced.role == "embed" else f" {produced.role}")
    candidates = context.blobs.free_paths(numbered(stem, suffix), produced.sha256)
    claimed = context.archive.files.claim(produced.sha256, row.message_key, candidates, size=produced.size)
    made = Path(produced.path)
    if not context.blobs.has(claimed.path):
        context.blobs.put(made, produced.sha256, claimed.path, mtime=row.date)
    elif made.parent == context.staging:
        made.unlink(missing_ok=True)
    return {"role": produced.role, "path": claimed.path}


def _claim_audio_note(context: RunContext, chat_folder: ChatFolder, row: MediaRow, fields: dict[str, Any]) -> None:
    """Claim the note of an audio file; it becomes stale with each message that has the file, because it counts
    them."""
    day = datetime.fromtimestamp(row.date, context.zone).date()
    word = catalogue(context.render_context.options.language)(f"name.{row.item.kind}")
    label = word if row.item.kind == "voice" else PurePosixPath(row.item.name).stem or word
    otherwise = f"{chat_folder.chat.title} {day.isoformat()} {row.message_id} {label}"
    performer = str(fields.get("performer") or row.item.performer)
    title = str(fields.get("title") or row.item.title)
    note = context.archive.notes.claim(
        f"audio/{row.sha256}",
        "audio",
        account=context.account,
        chat_id=0,
        message_id=0,
        candidates=audio_candidates(performer, title, row.sha256 or "", otherwise=otherwise),
    )
    if not note.is_stale:
        context.archive.notes.mark_stale([note.id])


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
