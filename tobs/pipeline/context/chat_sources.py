"""Parameters for opening the sources of archived chats: Telegram, the source's folder in the vault, the archive."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tobs.archive import Archive
from tobs.model import DroppedFile
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.sources import SourceConfig, SourceType
from tobs.telegram.facade import Telegram
from tobs.vault.inbox import inbox_files, remove_from_inbox
from tobs.vault.layout import source_folder


class SourceFolder:
    """The folder of a source in the vault (``VaultFiles``). ``name`` is the name of the source."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread, account: int, name: str, folder: Path) -> None:
        self._archive = archive
        self._archive_thread = archive_thread
        self._account = account
        self._name = name
        self._folder = folder

    async def waiting(self) -> Sequence[DroppedFile]:
        """Return the files in the folder, by name. Raises VaultUnwritable."""
        return await self._archive_thread(inbox_files, self._folder)

    async def recorded(self, files: Sequence[DroppedFile]) -> Mapping[DroppedFile, bool]:
        """Return those of ``files`` that are recorded as messages; True if the vault has the file as an attachment."""
        return await self._archive_thread(self._recorded, files)

    async def remove(self, files: Sequence[DroppedFile]) -> None:
        """Remove files from the folder, unless they were changed meanwhile. Raises VaultUnwritable."""
        for file in files:
            await self._archive_thread(remove_from_inbox, self._folder, file)

    def _recorded(self, files: Sequence[DroppedFile]) -> dict[DroppedFile, bool]:
        states: dict[tuple[str, int, int], str] = {}
        dates = {int(file.changed) for file in files}
        for chat_id, source in self._archive.chats.sources(self._account).items():
            if source == self._name:
                rows = self._archive.media.dated(self._account, chat_id, dates)
                states |= {(row.item.name, row.item.size, row.date): row.state for row in rows}
        found = {file: states.get((file.name, file.size, int(file.changed))) for file in files}
        return {file: state == "placed" for file, state in found.items() if state is not None}


def source_config(
    context: RunContext, archive_thread: ArchiveThread, kind: SourceType, telegram: Telegram | None = None
) -> SourceConfig:
    """Return the parameters that open a source of ``kind`` for chats of the vault."""
    folder = context.root / source_folder(kind.folder) if kind.folder else None
    files = SourceFolder(context.archive, archive_thread, context.account, kind.name, folder) if folder else None
    return SourceConfig(
        account=context.account, telegram=telegram, path=folder, files=files, zone=context.zone, clock=time.time
    )
