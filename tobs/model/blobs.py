"""Storage of attachments, as the stages use it: the vault's folder today, an object store later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class StoredBlob(NamedTuple):
    """A blob that was put: its path and its size in bytes."""

    path: str
    size: int


class Blobs(Protocol):
    """Attachments by path (relative, with `/`), and by the SHA-256 (hex) of their content.

    Every method blocks, and raises VaultError or VaultUnwritable.
    """

    def put(self, staged: Path, sha256: str, path: str, *, mtime: float, replace: bool = False) -> bool:
        """Move the finished file ``staged`` to ``path``, dated ``mtime`` (Unix seconds).

        A blob with that content that is there already counts as put, and ``staged`` may be missing: a crash came
        between. Returns False and changes nothing if other content is there, unless ``replace`` is set.
        """

    def free_paths(self, paths: Iterable[str], sha256: str) -> Iterator[str]:
        """Yield the ``paths`` at which nothing is, or the content ``sha256``."""

    def has(self, path: str) -> bool:
        """Tell if something is at ``path``, also if its owner changed it."""

    def open_range(self, path: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield ``length`` bytes (None: all) from byte ``start`` of the blob at ``path``, in chunks up to 1 MiB."""

    def local_copy(self, sha256: str) -> Path | None:
        """Return a file with the content ``sha256``, to be read only; None if there is none, or its size differs."""

    def url(self, path: str) -> str:
        """Return the URL of the blob at ``path``."""
