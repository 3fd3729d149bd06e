"""Files that are in the vault go through the chain again: what is known comes from the archive, the rest is done."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.archive import MediaRow
from tobs.media.chain import Chain, Incoming, Processed
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.attach import store_plugin_fields
from tobs.pipeline.media.download import incoming, report_failures
from tobs.pipeline.media.edited_files import attach_edited, is_of
from tobs.plugin.catalogue import Catalogue
from tobs.sources import FetchFile

#: Files that go through the chain together.
_BATCH = 100


class Reprocessing:
    """Sends the files of chats through the chain where they are; ``fetch`` brings what plugins want beside them."""

    def __init__(
        self, context: RunContext, archive_thread: ArchiveThread, chain: Chain, fetch: FetchFile | None
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._chain = chain
        self._fetch = fetch
        self._missing = 0

    async def run(self, chat_folder: ChatFolder) -> None:
        """All files of a chat, in the order of their messages."""
        last: MediaRow | None = None
        while True:
            rows, files = await self._archive_thread(self._next, chat_folder, last)
            if not rows:
                return
            last = rows[-1]
            if files:
                found = await self._chain.run([file for _, file in files])
                report_failures(self._context, found)
                await self._archive_thread(self._keep, [row for row, _ in files], found)

    def report_missing(self) -> None:
        """Say how many files no plugin saw, because they are not in the vault any more."""
        if self._missing:
            reason = "they are not in the vault any more, so no plugin saw them"
            self._context.events.problem("media", f"{self._missing} files", reason, retryable=False)

    def _next(
        self, chat_folder: ChatFolder, last: MediaRow | None
    ) -> tuple[list[MediaRow], list[tuple[MediaRow, Incoming]]]:
        """The next files of a chat, and those of them that are there."""
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

    def _keep(self, rows: Sequence[MediaRow], found: Sequence[Processed]) -> None:
        archive = self._context.archive
        for row, processed in zip(rows, found, strict=True):
            file = archive.files.get(row.sha256 or "")
            if file is not None and processed.body is not None:
                file = attach_edited(self._context, row, file, processed.body)
        with archive.transaction():
            for row, processed in zip(rows, found, strict=True):
                file = archive.files.get(row.sha256 or "")
                if file is not None and is_of(file, processed):
                    store_plugin_fields(self._context, row, file, processed)


def forget_plugins(context: RunContext, catalogue: Catalogue) -> None:
    """Forget what plugins found that were switched off or are gone. One that only cannot run here and now (a package is
    missing, its content is not trusted) keeps what it found."""
    files, enrichments = context.archive.files, context.archive.enrichments
    off = {info.name for info in catalogue.plugins if info.state == "off"}
    kept = {info.name for info in catalogue.plugins} - off
    if any(info.state in ("untrusted", "broken") for info in catalogue.plugins):
        # What such a one is called stands in its code: nobody knows which are gone.
        kept |= (files.plugin_fields_of() | enrichments.plugins()) - off
    enrichments.forget_others(kept)
    files.forget_others(kept)
