"""Adapters from the archive to protocols of other packages: peers and takeouts for telegram, results for plugins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tobs.archive import Archive
from tobs.model import MessageKey, PeerRecord, thread_root
from tobs.model.blobs import Blobs, StoredBlob
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.plugin.results import ResultKey
from tobs.telegram.stores import StoredTakeout
from tobs.vault.blobs import VaultBlobs


class ArchivePeers:
    """Store of access hashes. New records wait for ``flush``: a page that names people must not wait for the disk."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread) -> None:
        self._archive = archive
        self._archive_thread = archive_thread
        self._unsaved: dict[tuple[int, int], PeerRecord] = {}

    async def get(self, account: int, id: int) -> PeerRecord | None:
        """Return the record of a marked id, None for an unknown one."""
        new = self._unsaved.get((account, id))
        return new or await self._archive_thread(self._archive.peers.get, account, id)

    async def find(self, account: int, username: str) -> PeerRecord | None:
        """Return the record of a username (lower case, without @), None for an unknown one."""
        for (owner, _), record in self._unsaved.items():
            if owner == account and record.username.lower() == username:
                return record
        return await self._archive_thread(self._archive.peers.find, account, username)

    def put(self, account: int, records: Iterable[PeerRecord]) -> None:
        """Take ``records`` in place of older ones with the same id; ``flush`` stores them."""
        self._unsaved.update({(account, record.id): record for record in records})

    async def flush(self) -> None:
        """Store the new records."""
        unsaved, self._unsaved = self._unsaved, {}
        for account in {account for account, _ in unsaved}:
            peers = [record for (owner, _), record in unsaved.items() if owner == account]
            await self._archive_thread(self._archive.peers.put, account, peers)


class ArchiveTakeouts:
    """Store of the open takeout session of an account; stored at once, so that the run after a crash resumes it."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread) -> None:
        self._takeouts = archive.takeouts
        self._archive_thread = archive_thread

    async def get(self, account: int) -> StoredTakeout:
        """Return the open takeout of an account; an empty one when there is none."""
        return StoredTakeout(*await self._archive_thread(self._takeouts.get, account))

    async def put(self, account: int, takeout: StoredTakeout) -> None:
        """Store ``takeout``; the empty one removes it."""
        await self._archive_thread(self._takeouts.put, account, takeout.id, takeout.scopes)


class ArchivePosts:
    """The posts under which messages of discussion groups are comments."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread) -> None:
        self._archive = archive
        self._archive_thread = archive_thread

    async def __call__(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        """The post (channel, id) of a message; None for one that is no comment."""
        return await self._archive_thread(self._find, chat_id, message_id)

    def _find(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        message = self._archive.messages.get(MessageKey.of(0, chat_id, message_id))
        if message is None:
            return None
        return self._archive.comments.post_of(chat_id, message_id, thread_root(message))


class ArchiveResults:
    """Results of plugins across runs."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread) -> None:
        self._results = archive.results
        self._archive_thread = archive_thread

    async def get(self, keys: Sequence[ResultKey]) -> Sequence[bytes | None]:
        """The stored result of each key."""
        return await self._archive_thread(self._results.get, keys)

    async def put(self, rows: Sequence[tuple[ResultKey, bytes]]) -> None:
        """Store results."""
        await self._archive_thread(self._results.put, rows)


class ArchiveFiles:
    """Files of the vault by the SHA-256 of their content: the chain asks for files of stored results."""

    def __init__(self, blobs: Blobs, archive_thread: ArchiveThread) -> None:
        self._blobs = blobs
        self._archive_thread = archive_thread

    async def __call__(self, sha256: str) -> Path | None:
        """Return the file; None if it is missing, or does not have the size it was attached with."""
        return await self._archive_thread(self._blobs.local_copy, sha256)


def open_blobs(archive: Archive, root: Path) -> Blobs:
    """Return the attachments of the vault at ``root``, which ``archive`` knows by their content."""

    def find(sha256: str) -> StoredBlob | None:
        row = archive.files.with_content([sha256]).get(sha256)
        return None if row is None else StoredBlob(row.path, row.size)

    return VaultBlobs(root, find)
