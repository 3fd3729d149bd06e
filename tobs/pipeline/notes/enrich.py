"""Enriching: before messages get their notes, plugins are asked what they have to say about them.

What a plugin said is kept by message, its version, the plugin's version and configuration: a message is asked about
once, however often its note is rendered. Where no plugin wants to be asked, none of this runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tobs.archive import AskedPlugin, PendingMessage, PluginPage, StoredEnrichment
from tobs.model.events import ProcessorCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.plugin.api import Enrichment, MessageItem, NewNote
from tobs.plugin.host import Done, Host, PluginFailure, Reply
from tobs.plugin.processor import Processor
from tobs.vault.layout import page_candidates

#: Messages that are read, asked about and taken down together.
_BATCH = 200


class Enrichers:
    """The plugins that are asked about messages, in their order. ``force`` asks again about what is known."""

    def __init__(
        self,
        context: RunContext,
        archive_thread: ArchiveThread,
        host: Host,
        plugins: Sequence[Processor],
        *,
        force: bool = False,
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._host = host
        self._plugins = [_EnrichBatch(one, _asked_plugin(one, number)) for number, one in enumerate(plugins)]
        for one in self._plugins:
            context.events.emit(ProcessorCounted(one.plugin.name))
        self._force = force
        # Up to which id each chat was seen through in this run, by chat and plugin.
        self._seen: dict[tuple[int, str], int] = {}

    async def ask(self, chat_folder: ChatFolder, upto: int) -> None:
        """Ask about the messages of a chat up to id ``upto`` that were not asked about yet."""
        for one in self._plugins:
            key = (chat_folder.chat.id, one.plugin.name)
            while self._seen.get(key, 0) < upto and one.plugin.name not in self._host.off:
                after = self._seen.get(key, 0)
                batch = await self._archive_thread(
                    _next, self._context, chat_folder, one, after, upto, every=self._force
                )
                if not batch:
                    self._seen[key] = upto
                    break
                replies = await self._host.enrich(one.plugin, [item for _, item in batch])
                await self._archive_thread(self._commit_results, one, batch, replies)
                self._seen[key] = batch[-1][0].message.id

    def _commit_results(
        self,
        one: _EnrichBatch,
        batch: Sequence[tuple[PendingMessage, MessageItem]],
        replies: Sequence[Reply[Enrichment]],
    ) -> None:
        """Keep what was answered, in the keeper's thread."""
        context, name, said = self._context, one.plugin.name, []
        with context.archive.transaction():
            for (asked, item), reply in zip(batch, replies, strict=True):
                match reply:
                    case Done(result=result):
                        context.events.emit(ProcessorCounted(name, done=1))
                        found = {} if result is None else _found(context, name, result)
                        said.append(
                            StoredEnrichment(asked.row, asked.state, found, hides=result is not None and result.hide)
                        )
                    case PluginFailure(reason=reason):
                        context.events.emit(ProcessorCounted(name, failed=1))
                        context.events.problem(f"plugin {name}", item.label, reason)
                        said.append(StoredEnrichment(asked.row, asked.state, {"failures": [name]}, failed=True))
                    case _:
                        context.events.emit(ProcessorCounted(name, skipped=1))
            context.archive.enrichments.put(one.asked_plugin, said)


class _EnrichBatch(Struct, frozen=True):
    """A plugin, and what the archive knows it by."""

    plugin: Processor
    asked_plugin: AskedPlugin


def _asked_plugin(plugin: Processor, position: int) -> AskedPlugin:
    digest = hashlib.blake2b(f"{plugin.plugin.version}\0{plugin.digest}".encode(), digest_size=16).hexdigest()
    return AskedPlugin(plugin.name, digest, position)


def _next(
    context: RunContext, chat_folder: ChatFolder, one: _EnrichBatch, after: int, upto: int, *, every: bool
) -> list[tuple[PendingMessage, MessageItem]]:
    archive, chat = context.archive, chat_folder.chat
    rows = archive.enrichments.pending(
        context.account, chat.id, one.asked_plugin, after=after, upto=upto, limit=_BATCH, every=every
    )
    people = archive.people.many([row.message.sender_id for row in rows])
    return [
        (
            row,
            MessageItem(
                message=row.message,
                chat=chat.title,
                sender=person.name if (person := people.get(row.message.sender_id)) else "",
                label=f"message {row.message.id} in {chat.title}",
            ),
        )
        for row in rows
    ]


def _found(context: RunContext, plugin: str, said: Enrichment) -> dict[str, Any]:
    """What was said, as the archive keeps it: see ``tobs.render.plugin_fields``."""
    found: dict[str, Any] = dict(said.fields)
    if said.sections:
        found["sections"] = list(msgspec.to_builtins(said.sections))
    for name in ("tags", "related"):
        if values := getattr(said, name):
            found[name] = list(values)
    if said.notes:
        found["notes"] = [_claim_page(context, plugin, note) for note in said.notes]
    return found


def _claim_page(context: RunContext, plugin: str, note: NewNote) -> str:
    """Give a note that a plugin made its path; its tobs_id."""
    digest = hashlib.sha256(note.key.encode()).hexdigest()
    tobs_id = f"page/{plugin}/{digest[:16]}"
    context.archive.enrichments.put_page(tobs_id, PluginPage(note.title, note.text, note.fields, note.tags))
    context.archive.notes.claim(
        tobs_id,
        "page",
        account=context.account,
        chat_id=0,
        message_id=0,
        candidates=page_candidates(note.title, digest),
    )
    return tobs_id
