"""The processor chain: verified files pass the processors in order, and their results are merged and stored.

A result is stored by the inputs it depends on (content, plugin, version, configuration). A file that comes twice, in a
batch or years apart, is processed once.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import msgspec
from loguru import logger
from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import TransferFailed
from tobs.media.staging import stage_file
from tobs.model import FileItem, Message, message_state
from tobs.model.mime import suffix_of, type_of_name
from tobs.model.outcomes import ProcessorCounts
from tobs.plugin.api import FieldValue, Item, Result, Section
from tobs.plugin.host import Done, Host, PluginFailure
from tobs.plugin.processor import Processor
from tobs.plugin.results import ResultKey, ResultStore

#: Function that writes the thumbnail of a file to a path. Raises TransferFailed.
FetchThumbnail = Callable[[Path], Awaitable[object]]


class Incoming(Struct, frozen=True):
    """A verified file at the start of the chain: the bytes at ``path`` and the ``message`` in chat ``chat`` that
    carries it.

    ``size`` is in bytes, ``sha256`` in hex; ``label`` names the file in reports; ``thumbnail`` is set if the source has
    a thumbnail that can be fetched.
    """

    path: Path
    sha256: str
    size: int
    item: FileItem
    message: Message
    chat: str
    label: str
    thumbnail: FetchThumbnail | None = None


class Produced(Struct, frozen=True, omit_defaults=True):
    """A file made by a plugin.

    ``role`` is its role for the item (``cover``), ``name`` the name given by the plugin. ``path`` is its location:
    staged, or where ``locate`` found these bytes. ``made_of`` is the SHA-256 of the file it replaces in the vault.
    """

    sha256: str
    size: int
    name: str
    role: str
    plugin: str
    path: str = ""
    made_of: str = ""


class Processed(Struct, frozen=True, omit_defaults=True):
    """Results of all processors for one file, merged in their order.

    ``embed`` is another form of the file, shown by notes in its place; the original stays. ``body`` replaces the file
    in the vault. ``parts`` are the results by plugin, without plugins that were not called.
    """

    fields: dict[str, FieldValue] = {}
    sections: tuple[Section, ...] = ()
    tags: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    files: tuple[Produced, ...] = ()
    embed: Produced | None = None
    body: Produced | None = None
    plays: float = 0.0
    failures: tuple[PluginFailure, ...] = ()
    parts: dict[str, Processed] = {}


#: Function that returns the path of the bytes with this SHA-256 (for example in the vault), or None.
Locate = Callable[[str], Awaitable[Path | None]]


_PARALLEL_THUMBNAILS = 4


async def _not_located(_: str) -> Path | None:
    return None


class Chain:
    """The processors of a run, applied to batches of files.

    ``staging`` holds produced files until they are attached to the vault; every item gets a work folder below it.
    ``force`` ignores and replaces stored results. If ``only`` names plugins, only those run, and stored results of the
    others are used. Run batches one after the other: a batch uses all workers of the host.
    """

    def __init__(
        self,
        processors: Sequence[Processor],
        host: Host,
        results: ResultStore,
        *,
        staging: Path,
        locate: Locate = _not_located,
        force: bool = False,
        only: Collection[str] = (),
    ) -> None:
        self._processors = tuple(processors)
        self._host = host
        self._results = results
        self._staging = staging
        self._work = staging / "work"
        self._locate = locate
        self._force = force
        self._only = frozenset(only)
        self._numbers = count(1)
        self._swept = False
        self.counts = {processor.name: ProcessorCounts() for processor in self._processors}

    async def run(self, files: Sequence[Incoming]) -> list[Processed]:
        """Pass ``files`` through the chain and return a result per file, in their order.

        Does not fail because of a plugin (except with a strict ``Host``). Raises VaultUnwritable if the disk refuses.
        """
        if not self._swept:
            # Folders of a killed run; their numbers start again at 1.
            await asyncio.to_thread(_remove_folders, [self._work])
            self._swept = True
        entries = [_ChainFile(file) for file in files]
        for processor in self._processors:
            handled = [entry for entry in entries if entry.file.item.kind in processor.plugin.handles]
            if handled:
                await self._step(processor, handled)
        return [entry.processed for entry in entries]

    async def _step(self, processor: Processor, entries: Sequence[_ChainFile]) -> None:
        """Apply a processor to all files it handles."""
        keyed = [(_key(processor, entry), entry) for entry in entries]
        is_selected = not self._only or processor.name in self._only
        found = {} if self._force and is_selected else await self._stored([key for key, _ in keyed])
        # Of several equal files only the first is processed.
        unique: dict[ResultKey, _ChainFile] = {}
        for key, entry in keyed:
            if key not in found and is_selected:
                unique.setdefault(key, entry)
        fresh, failures = await self._work_on(processor, unique)
        if fresh:
            await self._results.put([(key, _encode_stored(value)) for key, value in _with_changed(fresh)])
        counts = self.counts[processor.name]
        counts.done += len(fresh)
        counts.cached -= len(fresh)
        for key, entry in keyed:
            if (result := found.get(key) or fresh.get(key)) is not None:
                counts.cached += 1
                entry.join(processor.name, result)
            elif (failure := failures.get(key)) is not None:
                counts.failed += 1
                entry.join(processor.name, Processed(failures=(replace(failure, item=entry.file.label),)))
            elif is_selected:
                counts.skipped += 1

    async def _work_on(
        self, processor: Processor, unique: Mapping[ResultKey, _ChainFile]
    ) -> tuple[dict[ResultKey, Processed], dict[ResultKey, PluginFailure]]:
        """Run ``processor`` on files; returns (results, failures).

        A key in neither of them was skipped because the plugin is off.
        """
        fresh: dict[ResultKey, Processed] = {}
        failures: dict[ResultKey, PluginFailure] = {}
        items = {key: self._item(processor, entry) for key, entry in unique.items()}
        folders = [item.work for item in items.values()]
        try:
            if processor.plugin.thumbnails:
                failures = await _fetch_thumbnails(processor, items, unique)
            replies = await self._host.run(processor, list(items.values()))
            for (key, item), reply in zip(items.items(), replies, strict=True):
                match reply:
                    case Done(result=result):
                        fresh[key] = await self._stage_result(processor, item, result)
                    case PluginFailure():
                        failures[key] = reply
        finally:
            await asyncio.to_thread(_remove_folders, folders)
        return fresh, failures

    async def _stored(self, keys: Sequence[ResultKey]) -> dict[ResultKey, Processed]:
        """Load stored results that are still usable: readable, and with all their files available."""
        wanted = list(dict.fromkeys(keys))
        found = {}
        for key, body in zip(wanted, await self._results.get(wanted), strict=True):
            if body is None:
                continue
            try:
                stored = _decode_stored(body)
            except msgspec.MsgspecError as error:
                logger.info("a stored result of {} is not used: {}", key.plugin, error)
                continue
            located = await self._with_paths(stored)
            if located is not None:
                found[key] = located
        return found

    async def _with_paths(self, stored: Processed) -> Processed | None:
        """Fill in the paths of the files of a stored result; None if one of them is gone."""
        files = [await self._find(produced) for produced in stored.files]
        embed = await self._find(stored.embed) if stored.embed else None
        body = await self._find(stored.body) if stored.body else None
        if None in files or (stored.embed and embed is None) or (stored.body and body is None):
            return None
        return replace(stored, files=tuple(file for file in files if file), embed=embed, body=body)

    async def _find(self, produced: Produced) -> Produced | None:
        staged = self._staging / f"{produced.sha256}{suffix_of(produced.name, '')}"
        path = staged if staged.exists() else await self._locate(produced.sha256)
        return replace(produced, path=str(path)) if path else None

    def _item(self, processor: Processor, entry: _ChainFile) -> Item:
        work = self._work / f"{processor.name}-{next(self._numbers)}"
        item = Item(
            path=entry.path,
            kind=entry.file.item.kind,
            mime=entry.mime,
            sha256=entry.sha256,
            size=entry.size,
            work=work,
            label=entry.file.label,
        )
        if processor.plugin.sees == "content":
            return item
        # Without the remote part, because its reference changes each time the message is fetched.
        file = replace(entry.file.item, remote=None)
        return replace(item, file=file, message=entry.file.message, chat=entry.file.chat)

    async def _stage_result(self, processor: Processor, item: Item, result: Result | None) -> Processed:
        """Hash the files of ``result`` and move them from the work folder to the staging folder."""
        if result is None:
            return Processed()
        made: dict[Path, Produced] = {}
        roles = [(new.path, new.role) for new in result.files]
        if result.replacement is not None:
            roles.append((result.replacement, "body" if result.in_place else "embed"))
        for path, role in roles:
            if path not in made:
                staged = await asyncio.to_thread(stage_file, path, self._staging, suffix_of(path.name, ""))
                made[path] = Produced(staged.sha256, staged.size, path.name, role, processor.name, str(staged.path))
        form = made[result.replacement] if result.replacement is not None else None
        return Processed(
            fields=result.fields,
            sections=result.sections,
            tags=result.tags,
            related=result.related,
            files=tuple(made[new.path] for new in result.files),
            embed=None if result.in_place else form,
            body=replace(form, made_of=item.sha256) if form and result.in_place else None,
            plays=result.plays,
        )


class _ChainFile:
    """A file in the chain: its current form and the results so far."""

    def __init__(self, file: Incoming) -> None:
        self.file = file
        self.path = file.path
        self.sha256 = file.sha256
        self.size = file.size
        self.mime = file.item.mime
        # Not the suffix of the path: the same file has other names in staging and in the vault.
        self.suffix = suffix_of(file.item.name, file.item.mime)
        self.processed = Processed()

    def join(self, plugin: str, found: Processed) -> None:
        """Merge the result of a plugin: later fields win, lists are extended without duplicates."""
        so_far = self.processed
        if found.body is not None and so_far.embed is not None:
            # The file to replace is itself another form of the original, which stays.
            found = replace(found, embed=found.body, body=None)
        elif found.body is not None and so_far.body is not None:
            found = replace(found, body=replace(found.body, made_of=so_far.body.made_of))
        self.processed = Processed(
            fields=so_far.fields | found.fields,
            sections=so_far.sections + found.sections,
            tags=_unique(so_far.tags + found.tags),
            related=_unique(so_far.related + found.related),
            files=_unique(so_far.files + found.files),
            embed=found.embed or so_far.embed,
            body=found.body or so_far.body,
            plays=found.plays or so_far.plays,
            failures=so_far.failures + found.failures,
            parts={**so_far.parts, plugin: found},
        )
        form = found.embed or found.body
        if form is not None:
            self.path, self.sha256, self.size = Path(form.path), form.sha256, form.size
        if found.embed is not None:
            self.mime, self.suffix = type_of_name(found.embed.name), suffix_of(found.embed.name, "")


def _with_changed(fresh: Mapping[ResultKey, Processed]) -> Iterator[tuple[ResultKey, Processed]]:
    """Yield ``fresh``, and for each file replaced by a plugin also the result for the new content.

    The new content needs no further change.
    """
    for key, found in fresh.items():
        yield key, found
        if found.body is not None:
            yield key._replace(sha256=found.body.sha256), replace(found, body=None)


async def _fetch_thumbnails(
    processor: Processor, items: dict[ResultKey, Item], entries: Mapping[ResultKey, _ChainFile]
) -> dict[ResultKey, PluginFailure]:
    """Fetch the thumbnails of ``items``.

    Items with a temporary failure are removed and tried again by a later run, because a result without thumbnail would
    be stored for good.
    """
    failures = {}
    at_unique = asyncio.Semaphore(_PARALLEL_THUMBNAILS)

    async def fetch_one(key: ResultKey, fetch: FetchThumbnail) -> None:
        path = items[key].new_file("thumbnail")
        try:
            async with at_unique:
                await fetch(path)
        except TransferFailed as error:
            if error.retryable:
                reason = f"the thumbnail could not be fetched: {error.message}"
                failures[key] = PluginFailure(processor.name, items.pop(key).label, reason)
        else:
            items[key] = replace(items[key], thumbnail=path)

    fetches = {key: entries[key].file.thumbnail for key in items}
    await asyncio.gather(*(fetch_one(key, fetch) for key, fetch in fetches.items() if fetch is not None))
    return failures


def _key(processor: Processor, entry: _ChainFile) -> ResultKey:
    """Return the key of a result: a digest of the bytes and of everything else the processor sees of the item."""
    seen: list[object] = [processor.digest, entry.file.item.kind, entry.mime, entry.suffix]
    if processor.plugin.sees == "message":
        seen += [replace(entry.file.item, remote=None), message_state(entry.file.message), entry.file.chat]
    digest = hashlib.blake2b(_encode(seen), digest_size=16).hexdigest()
    return ResultKey(entry.sha256, processor.name, processor.plugin.version, digest)


_T = TypeVar("_T")


def _unique(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def _remove_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


_encode = msgspec.json.Encoder().encode
_decode_stored = msgspec.json.Decoder(Processed).decode


def _encode_stored(processed: Processed) -> bytes:
    """Encode a result for storage, without the current paths of its files."""
    embed = replace(processed.embed, path="") if processed.embed else None
    body = replace(processed.body, path="") if processed.body else None
    files = tuple(replace(file, path="") for file in processed.files)
    return _encode(replace(processed, files=files, embed=embed, body=body))
