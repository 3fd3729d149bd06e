"""Files of stored results are found again in the vault."""

from __future__ import annotations

from pathlib import Path

from tobs.archive import open_archive
from tobs.model import MessageKey
from tobs.pipeline.context.adapters import ArchiveFiles, open_blobs
from tobs.pipeline.context.archive_thread import ArchiveThread

DIGEST = "ab" * 32


async def test_a_placed_file_is_found_until_it_is_gone_or_another(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    place = tmp_path / "vault" / "cover.jpg"
    async with ArchiveThread() as archive_thread:
        archive = await archive_thread(open_archive, tmp_path / "archive.db", clock=lambda: 0.0)
        locate = ArchiveFiles(open_blobs(archive, tmp_path / "vault"), archive_thread)
        assert await locate(DIGEST) is None
        await archive_thread(archive.files.claim, DIGEST, MessageKey(1, -5, 7), ["cover.jpg"], size=4)
        assert await locate(DIGEST) is None
        place.write_bytes(b"jpeg")
        assert await locate(DIGEST) == place
        place.write_bytes(b"the owner's own picture")
        assert await locate(DIGEST) is None
        await archive_thread(archive.close)
