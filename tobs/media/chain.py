"""The chain: verified files go through the processors in order; what these find is joined and kept.

A result is stored by what it depends on (content, plugin, version, configuration), so a file met twice, in one
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
from tobs.media.staging import settle
from tobs.model import FileItem, Message, message_state
from tobs.model.mime import suffix_of, type_of_name
from tobs.plugin.api import FieldValue, Item, Result, Section
from tobs.plugin.host import Done, Host, PluginFailure
from tobs.plugin.processor import Processor
from tobs.plugin.results import ResultKey, ResultStore

#: Writes the thumbnail that the source has of a file to a path. Raises TransferFailed.
FetchThumbnail = Callable[[Path], Awaitable[object]]


class Incoming(Struct, frozen=True):
    """A verified file at the start of the chain: the bytes at ``path``, and the message ``item`` came with in
    the chat titled ``chat``. ``label`` is how a report names it; ``thumbnail`` is there where the source has one and
    can be asked."""

    path: Path
    sha256: str
    size: int
    item: FileItem
    message: Message
    chat: str
    label: str
    thumbnail: FetchThumbnail | None = None


class Produced(Struct, frozen=True, omit_defaults=True):
    """A file that a plugin made. ``role`` is what it is to the item (``cover``), ``name`` what the plugin called
    it. ``path`` is where it is: staged, or where ``locate`` said that these bytes are already. ``made_of`` is the hash
    of the file in whose place it is to lie."""

    sha256: str
    size: int
    name: str
    role: str
    plugin: str
    path: str = ""
    made_of: str = ""


class Processed(Struct, frozen=True, omit_defaults=True):
    """What the chain found out about one file; all processors' results joined, in their order.

    ``embed`` is the form of the file a note shows when a plugin made another one; the original stays. ``body`` is what
    a plugin made of the file to lie in its place. ``parts`` is the same by plugin, without those that were not asked.
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


class Counts(Struct):
    """How often a processor worked, was spared by a stored result, was off, and failed (items)."""

    done: int = 0
    cached: int = 0
    skipped: int = 0
    failed: int = 0


#: Where bytes with this SHA-256 are kept, if tobs still has them (in the vault, for example).
Locate = Callable[[str], Awaitable[Path | None]]


_THUMBNAILS_AT_ONCE = 4


async def _nowhere(_: str) -> Path | None:
    return None


class Chain:
    """The processors of a run, over batches of files.

    ``staging`` is where produced files wait to be placed; below it every item gets its work folder. ``force``
    ignores stored results (and replaces them). Where ``only`` names plugins, they alone work; of the others what is
    stored is used. Run one batch after the other: within a batch all workers of
    the host are used.
    """

    def __init__(
        self,
        processors: Sequence[Processor],
        host: Host,
        results: ResultStore,
        *,
        staging: Path,
        locate: Locate = _nowhere,
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
        self.counts = {processor.name: Counts() for processor in self._processors}

    async def run(self, files: Sequence[Incoming]) -> list[Processed]:
        """Send ``files`` through the chain; what was found out about each, in their order.

        Never fails because of a plugin (but see ``Host``'s strict); raises VaultUnwritable when the disk does.
        """
        if not self._swept:
            # What a killed run left; the numbers of the folders start again at 1.
            await asyncio.to_thread(_remove_folders, [self._work])
            self._swept = True
        passages = [_Passage(file) for file in files]
        for processor in self._processors:
            takers = [passage for passage in passages if passage.file.item.kind in processor.plugin.handles]
            if takers:
                await self._step(processor, takers)
        return [passage.processed for passage in passages]

    async def _step(self, processor: Processor, passages: Sequence[_Passage]) -> None:
        """One processor over all files it handles."""
        keyed = [(_key(processor, passage), passage) for passage in passages]
        works = not self._only or processor.name in self._only
        found = {} if self._force and works else await self._stored([key for key, _ in keyed])
        # Of several equal files only the first is processed.
        firsts: dict[ResultKey, _Passage] = {}
        for key, passage in keyed:
            if key not in found and works:
                firsts.setdefault(key, passage)
        fresh, failures = await self._work_on(processor, firsts)
        if fresh:
            await self._results.put([(key, _encode_stored(value)) for key, value in _with_changed(fresh)])
        counts = self.counts[processor.name]
        counts.done += len(fresh)
        counts.cached -= len(fresh)
        for key, passage in keyed:
            if (result := found.get(key) or fresh.get(key)) is not None:
                counts.cached += 1
                passage.join(processor.name, result)
            elif (failure := failures.get(key)) is not None:
                counts.failed += 1
                passage.join(processor.name, Processed(failures=(replace(failure, item=passage.file.label),)))
            elif works:
                counts.skipped += 1

    async def _work_on(
        self, processor: Processor, firsts: Mapping[ResultKey, _Passage]
    ) -> tuple[dict[ResultKey, Processed], dict[ResultKey, PluginFailure]]:
        """Have ``processor`` work; what is in neither answer was skipped because it is off."""
        fresh: dict[ResultKey, Processed] = {}
        failures: dict[ResultKey, PluginFailure] = {}
        items = {key: self._item(processor, passage) for key, passage in firsts.items()}
        folders = [item.work for item in items.values()]
        try:
            if processor.plugin.thumbnails:
                failures = await _bring_thumbnails(processor, items, firsts)
            replies = await self._host.run(processor, list(items.values()))
            for (key, item), reply in zip(items.items(), replies, strict=True):
                match reply:
                    case Done(result=result):
                        fresh[key] = await self._settled(processor, item, result)
                    case PluginFailure():
                        failures[key] = reply
        finally:
            await asyncio.to_thread(_remove_folders, folders)
        return fresh, failures

    async def _stored(self, keys: Sequence[ResultKey]) -> dict[ResultKey, Processed]:
        """Stored results that can still be used: readable, and with all of their files at hand."""
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
        """``stored`` with the places of its files; None when one of them is gone."""
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

    def _item(self, processor: Processor, passage: _Passage) -> Item:
        work = self._work / f"{processor.name}-{next(self._numbers)}"
        item = Item(
            path=passage.path,
            kind=passage.file.item.kind,
            mime=passage.mime,
            sha256=passage.sha256,
            size=passage.size,
            work=work,
            label=passage.file.label,
        )
        if processor.plugin.sees == "content":
            return item
        # Without the remote part: its reference is renewed each time a message is fetched.
        file = replace(passage.file.item, remote=None)
        return replace(item, file=file, message=passage.file.message, chat=passage.file.chat)

    async def _settled(self, processor: Processor, item: Item, result: Result | None) -> Processed:
        """``result`` with its files hashed and moved out of the work folder."""
        if result is None:
            return Processed()
        made: dict[Path, Produced] = {}
        roles = [(new.path, new.role) for new in result.files]
        if result.replacement is not None:
            roles.append((result.replacement, "body" if result.in_place else "embed"))
        for path, role in roles:
            if path not in made:
                settled = await asyncio.to_thread(settle, path, self._staging, suffix_of(path.name, ""))
                made[path] = Produced(settled.sha256, settled.size, path.name, role, processor.name, str(settled.path))
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


class _Passage:
    """One file's way through the chain: the form it has now, and what was found so far."""

    def __init__(self, file: Incoming) -> None:
        self.file = file
        self.path = file.path
        self.sha256 = file.sha256
        self.size = file.size
        self.mime = file.item.mime
        # Not the path's: the same file is called otherwise in staging and in the vault.
        self.suffix = suffix_of(file.item.name, file.item.mime)
        self.processed = Processed()

    def join(self, plugin: str, found: Processed) -> None:
        """Add what a plugin found: later fields win, lists grow, nothing appears twice."""
        so_far = self.processed
        if found.body is not None and so_far.embed is not None:
            # What it would take the place of is itself another form; the file stays.
            found = replace(found, embed=found.body, body=None)
        elif found.body is not None and so_far.body is not None:
            found = replace(found, body=replace(found.body, made_of=so_far.body.made_of))
        self.processed = Processed(
            fields=so_far.fields | found.fields,
            sections=so_far.sections + found.sections,
            tags=_once(so_far.tags + found.tags),
            related=_once(so_far.related + found.related),
            files=_once(so_far.files + found.files),
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
    """``fresh``, and of what changed its file also what is known of the file as it is now: there is nothing left to
    be changed in it."""
    for key, found in fresh.items():
        yield key, found
        if found.body is not None:
            yield key._replace(sha256=found.body.sha256), replace(found, body=None)


async def _bring_thumbnails(
    processor: Processor, items: dict[ResultKey, Item], passages: Mapping[ResultKey, _Passage]
) -> dict[ResultKey, PluginFailure]:
    """Fetch what the source shows of ``items``. Those of which it does not come now are taken out, and tried again by
    a later run: a result without it would be kept for good."""
    failures = {}
    at_once = asyncio.Semaphore(_THUMBNAILS_AT_ONCE)

    async def bring(key: ResultKey, fetch: FetchThumbnail) -> None:
        path = items[key].new_file("thumbnail")
        try:
            async with at_once:
                await fetch(path)
        except TransferFailed as error:
            if error.retryable:
                reason = f"the thumbnail could not be fetched: {error.message}"
                failures[key] = PluginFailure(processor.name, items.pop(key).label, reason)
        else:
            items[key] = replace(items[key], thumbnail=path)

    fetches = {key: passages[key].file.thumbnail for key in items}
    await asyncio.gather(*(bring(key, fetch) for key, fetch in fetches.items() if fetch is not None))
    return failures


def _key(processor: Processor, passage: _Passage) -> ResultKey:
    """What a result of ``processor`` depends on: the bytes, and all else that the item shows to it."""
    seen: list[object] = [processor.digest, passage.file.item.kind, passage.mime, passage.suffix]
    if processor.plugin.sees == "message":
        seen += [replace(passage.file.item, remote=None), message_state(passage.file.message), passage.file.chat]
    digest = hashlib.blake2b(_encode(seen), digest_size=16).hexdigest()
    return ResultKey(passage.sha256, processor.name, processor.plugin.version, digest)


_T = TypeVar("_T")


def _once(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def _remove_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


_encode = msgspec.json.Encoder().encode
_decode_stored = msgspec.json.Decoder(Processed).decode


def _encode_stored(processed: Processed) -> bytes:
    """What is stored of a result: everything but where its files are just now."""
    embed = replace(processed.embed, path="") if processed.embed else None
    body = replace(processed.body, path="") if processed.body else None
    files = tuple(replace(file, path="") for file in processed.files)
    return _encode(replace(processed, files=files, embed=embed, body=body))
