"""Trust in content of a vault that may do more than lay out notes: hashes stored in TOBS_HOME, never in the vault."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tobs.config.home import write_private


def content_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, or of all files of a folder with their relative names."""
    digest = hashlib.sha256()
    if path.is_file():
        digest.update(path.read_bytes())
        return digest.hexdigest()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        name = file.relative_to(path).as_posix().encode()
        digest.update(len(name).to_bytes(4, "big") + name)
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


class TrustStore:
    """The hashes trusted by the user, one per line with the path of the content."""

    def __init__(self, home: Path) -> None:
        self._file = home / "trust"

    def trusts(self, path: Path) -> bool:
        """Return whether the current content of ``path`` was trusted."""
        return path.exists() and content_hash(path) in self._hashes()

    def add(self, path: Path) -> str:
        """Trust the current content of ``path``; returns its hash."""
        digest = content_hash(path)
        if digest not in self._hashes():
            lines = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
            write_private(self._file, f"{lines}{digest}  {path.resolve()}\n")
        return digest

    def _hashes(self) -> set[str]:
        if not self._file.exists():
            return set()
        return {line.split(maxsplit=1)[0] for line in self._file.read_text(encoding="utf-8").splitlines() if line}
