"""Process attached files again: known results come from the archive, the others are made."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.archive import MediaRow
from tobs.media.chain import Chain, Incoming, Processed
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.attach import attach_edited, is_of, store_plugin_fields
from tobs.pipeline.media.download import incoming, report_failures
from tobs.plugin.catalogue import Catalogue
from tobs.sources import FetchFile

#: Files that are processed together.
_BATCH = 100


class Reprocessing:
    """Processes the files of chats at their paths; ``fetch`` downloads thumbnails."""

    def __init__(
        self, context: RunContext, archive_thread: ArchiveThread, chain: Chain, fetch: FetchFile | None
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._chain = chain
        self._fetch = fetch
        self._missing = 0

    async def run(self, chat_folder: ChatFolder) -> None:
        """Process all files of a chat, in the order of their messages."""
        last: MediaRow | None = None
        while True:
            rows, files = await self._archive_thread(self._next, chat_folder, last)
            if not rows:
                return
            last = rows[-1]
            if files:
                results = await self._chain.run([file for _, file in files])
                report_failures(self._context, results)
                await self._archive_thread(self._store_results, [row for row, _ in files], results)

    def report_missing(self) -> None:
        """Report the number of files that were not processed because they are not in the vault."""
        if self._missing:
            reason = "they are not in the vault any more, so no plugin saw them"
            self._context.events.problem("media", f"{self._missing} files", reason, retryable=False)

    def _next(
        self, chat_folder: ChatFolder, last: MediaRow | None
    ) -> tuple[list[MediaRow], list[tuple[MediaRow, Incoming]]]:
        """Return the next rows of a chat, and the files of those that are in the vault."""
        archive = self._context.archive
        rows = archive.media.attached_files(self._context.account, chat_folder.chat.id, _BATCH, after=last)
        known = archive.files.many([row.sha256 for row in rows if row.sha256])
        files = []
        for row in rows:
            file, message = known.get(row.sha256 or ""), archive.messages.get(row.message_key)
            path = self._context.root / file.path if file else None
            if path is None or not path.is_file():
                self._missing += 1
            elif message is not None:
                files.append((row, incoming(chat_folder, row, message, path, file, self._fetch)))
        return rows, files

    def _store_results(self, rows: Sequence[MediaRow], results: Sequence[Processed]) -> None:
        archive = self._context.archive
        for row, processed in zip(rows, results, strict=True):
            file = archive.files.get(row.sha256 or "")
            if file is not None and processed.body is not None:
                file = attach_edited(self._context, row, file, processed.body)
        with archive.transaction():
            for row, processed in zip(rows, results, strict=True):
                file = archive.files.get(row.sha256 or "")
                if file is not None and is_of(file, processed):
                    store_plugin_fields(self._context, row, file, processed)


def forget_plugins(context: RunContext, catalogue: Catalogue) -> None:
    """Forget the results of plugins that were switched off or removed.

    The results of a plugin that only cannot run now (a missing package, untrusted content) stay.
    """
    files, enrichments = context.archive.files, context.archive.enrichments
    off = {info.name for info in catalogue.plugins if info.state == "off"}
    active = {info.name for info in catalogue.plugins} - off
    if any(info.state in ("untrusted", "broken") for info in catalogue.plugins):
        # The name of such a plugin is only known from its code, so that removed ones cannot be told apart.
        active |= (files.plugin_fields_of() | enrichments.plugins()) - off
    enrichments.forget_others(active)
    files.forget_others(active)
