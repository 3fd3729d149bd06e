"""Enrich messages: plugins are asked about messages before the messages get their notes.

An answer is stored by message, version of the message, and version and configuration of the plugin: a message is
asked about once, however often its note is rendered. Without such plugins nothing here runs.
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

#: Messages that are read, asked about and committed together.
_BATCH = 200


class Enrichers:
    """Ask plugins about messages, in the order of the plugins; with ``force`` also about messages with an answer."""

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
        self._plugins = [_EnrichPlugin(plugin, _asked_plugin(plugin, number)) for number, plugin in enumerate(plugins)]
        for entry in self._plugins:
            context.events.emit(ProcessorCounted(entry.plugin.name))
        self._force = force
        # The highest id asked about in this run, by chat and plugin.
        self._seen: dict[tuple[int, str], int] = {}

    async def ask(self, chat_folder: ChatFolder, upto: int) -> None:
        """Ask about the messages of a chat up to id ``upto`` that have no answer yet."""
        for entry in self._plugins:
            key = (chat_folder.chat.id, entry.plugin.name)
            while self._seen.get(key, 0) < upto and entry.plugin.name not in self._host.off:
                after = self._seen.get(key, 0)
                batch = await self._archive_thread(
                    _next_messages, self._context, chat_folder, entry, after, upto, again=self._force
                )
                if not batch:
                    self._seen[key] = upto
                    break
                replies = await self._host.enrich(entry.plugin, [item for _, item in batch])
                await self._archive_thread(self._commit_results, entry, batch, replies)
                self._seen[key] = batch[-1][0].message.id

    def _commit_results(
        self,
        entry: _EnrichPlugin,
        batch: Sequence[tuple[PendingMessage, MessageItem]],
        replies: Sequence[Reply[Enrichment]],
    ) -> None:
        """Store the answers (on the archive thread)."""
        context, name, results = self._context, entry.plugin.name, []
        with context.archive.transaction():
            for (pending, item), reply in zip(batch, replies, strict=True):
                match reply:
                    case Done(result=result):
                        context.events.emit(ProcessorCounted(name, done=1))
                        stored = {} if result is None else _stored_fields(context, name, result)
                        results.append(
                            StoredEnrichment(
                                pending.row, pending.state, stored, hides=result is not None and result.hide
                            )
                        )
                    case PluginFailure(reason=reason):
                        context.events.emit(ProcessorCounted(name, failed=1))
                        context.events.problem(f"plugin {name}", item.label, reason)
                        results.append(StoredEnrichment(pending.row, pending.state, {"failures": [name]}, failed=True))
                    case _:
                        context.events.emit(ProcessorCounted(name, skipped=1))
            context.archive.enrichments.put(entry.asked_plugin, results)


class _EnrichPlugin(Struct, frozen=True):
    """A plugin, and its key in the archive."""

    plugin: Processor
    asked_plugin: AskedPlugin


def _asked_plugin(plugin: Processor, position: int) -> AskedPlugin:
    digest = hashlib.blake2b(f"{plugin.plugin.version}\0{plugin.digest}".encode(), digest_size=16).hexdigest()
    return AskedPlugin(plugin.name, digest, position)


def _next_messages(
    context: RunContext, chat_folder: ChatFolder, entry: _EnrichPlugin, after: int, upto: int, *, again: bool
) -> list[tuple[PendingMessage, MessageItem]]:
    archive, chat = context.archive, chat_folder.chat
    rows = archive.enrichments.pending(
        context.account, chat.id, entry.asked_plugin, after=after, upto=upto, limit=_BATCH, every=again
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


def _stored_fields(context: RunContext, plugin: str, enrichment: Enrichment) -> dict[str, Any]:
    """Return an enrichment as the archive stores it: see ``tobs.render.plugin_fields``."""
    stored: dict[str, Any] = dict(enrichment.fields)
    if enrichment.sections:
        stored["sections"] = list(msgspec.to_builtins(enrichment.sections))
    for name in ("tags", "related"):
        if values := getattr(enrichment, name):
            stored[name] = list(values)
    if enrichment.notes:
        stored["notes"] = [_claim_page(context, plugin, note) for note in enrichment.notes]
    return stored


def _claim_page(context: RunContext, plugin: str, note: NewNote) -> str:
    """Store a note that a plugin made and claim its path; return its tobs_id."""
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
