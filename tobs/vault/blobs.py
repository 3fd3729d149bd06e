"""Attachments in the folder of a vault: the blobs of a vault that has no object store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tobs.errors import VaultError
from tobs.model.blobs import StoredBlob
from tobs.vault.attach import attach_file, free_paths
from tobs.vault.folders import absolute

_CHUNK = 1 << 20

#: Finds the path and size under which a SHA-256 was put; None if it never was.
FindBlob = Callable[[str], StoredBlob | None]


class VaultBlobs:
    """Blobs as files below ``root``. ``find`` looks a SHA-256 up in the archive: call ``local_copy`` in its thread."""

    def __init__(self, root: Path, find: FindBlob) -> None:
        self._root = root
        self._find = find

    def put(self, staged: Path, sha256: str, path: str, *, mtime: float, replace: bool = False) -> bool:
        """See ``Blobs.put``. The file and its name are on the disk when this returns."""
        return attach_file(staged, self._root, path, sha256=sha256, mtime=mtime, replace=replace) is not None

    def free_paths(self, paths: Iterable[str], sha256: str) -> Iterator[str]:
        """See ``Blobs.free_paths``."""
        return free_paths(self._root, paths, sha256)

    def has(self, path: str) -> bool:
        """See ``Blobs.has``."""
        return self._path(path).exists()

    def open_range(self, path: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ``Blobs.open_range``."""
        try:
            with self._path(path).open("rb") as file:
                file.seek(start)
                left = length
                while chunk := file.read(_CHUNK if left is None else min(left, _CHUNK)):
                    left = None if left is None else left - len(chunk)
                    yield chunk
        except OSError as error:
            raise VaultError(
                f"The attachment {path} cannot be read: {error.strerror}.", "Run `tobs verify --repair`."
            ) from error

    def local_copy(self, sha256: str) -> Path | None:
        """See ``Blobs.local_copy``. The copy is the attachment itself."""
        blob = self._find(sha256)
        if blob is None:
            return None
        path = self._path(blob.path)
        return path if path.is_file() and path.stat().st_size == blob.size else None

    def url(self, path: str) -> str:
        """See ``Blobs.url``: a ``file:`` URL."""
        return self._path(path).absolute().as_uri()

    def _path(self, path: str) -> Path:
        return Path(absolute(self._root, path))
