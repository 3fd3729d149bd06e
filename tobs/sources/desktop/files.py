"""Files of an export: in its folder, or in a .zip of it. Nothing outside of it is ever read."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, TextIO

from tobs.errors import TransferFailed, UsageError, VaultUnwritable
from tobs.model import Chat, ChatKind, bare_id
from tobs.model.requests import MediaMode
from tobs.sources.desktop.values import Json

RESULT = "result.json"
PAGES = "messages.html"
_PAGE = re.compile(r"messages\d*\.html\Z")
_TYPES: dict[ChatKind, str] = {
    "saved": "saved_messages",
    "private": "personal_chat",
    "bot": "bot_chat",
    "group": "private_group",
    "supergroup": "private_supergroup",
    "channel": "private_channel",
}
# Compression ratio and size (bytes) above which a member is refused as a zip bomb.
_MOST_PACKED = 200
_LARGE = 100_000_000
#: Bytes read of a text file (the vCard of a contact).
_SMALL = 64_000
_NO_EXPORT = (
    "Give result.json of a Telegram Desktop export (format: machine-readable JSON), its folder, or a .zip of it."
)


class ExportFolder:
    """An unpacked export: ``result.json``, or pages of HTML with the messages of ``chat``."""

    def __init__(self, result: Path, chat: Json | None = None) -> None:
        self._result = result
        self._root = result.parent.resolve()
        self.chat = chat or {}
        self.is_html = result.suffix == ".html"

    def open_pages(self) -> Iterator[TextIO]:
        """Open the pages of an HTML export one after the other."""
        for page in sorted(self._root.glob("messages*.html"), key=lambda page: _number(page.name)):
            with page.open(encoding="utf-8-sig", errors="replace") as file:
                yield file

    def open_result(self) -> TextIO:
        """Open the JSON file as text. Raises UsageError."""
        try:
            return self._result.open(encoding="utf-8-sig", errors="replace", newline="")
        except OSError as error:
            raise UsageError(f"{self._result} cannot be read: {error.strerror}.", _NO_EXPORT) from error

    def size_of(self, path: str) -> int:
        """Return the size of a file in bytes; 0 if it does not exist."""
        found = self._find(path)
        return found.stat().st_size if found else 0

    def fetch(self, path: str, part: Path, mode: MediaMode) -> int:
        """Copy, link or move a file to ``part``; returns its size in bytes. Raises TransferFailed, VaultUnwritable."""
        found = self._find(path)
        if found is None:
            raise TransferFailed("The export does not have the file.", retryable=False)
        try:
            part.unlink(missing_ok=True)
            if mode != "copy":
                # Files on another file system cannot be linked and are copied.
                with suppress(OSError):
                    os.link(found, part)
                    return part.stat().st_size
            with found.open("rb") as source, part.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            return part.stat().st_size
        except OSError as error:
            raise VaultUnwritable(f"{found} cannot be copied: {error.strerror}.", "Free some space.") from error

    def read_text(self, path: str) -> str:
        """Return the beginning of a small text file; empty if it does not exist."""
        found = self._find(path)
        if found is None:
            return ""
        with suppress(OSError), found.open("rb") as file:
            return file.read(_SMALL).decode("utf-8", "replace")
        return ""

    def remove(self, path: str) -> None:
        """Remove a file that was moved."""
        found = self._find(path)
        if found is not None:
            with suppress(OSError):
                found.unlink()

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _find(self, path: str) -> Path | None:
        if not path or PurePosixPath(path).is_absolute():
            return None
        found = (self._root / path).resolve()
        return found if found.is_relative_to(self._root) and found.is_file() else None


class ExportZip:
    """A .zip of an export."""

    def __init__(self, path: Path, chat: Json | None = None) -> None:
        self.chat = chat or {}
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path} is not a readable .zip file: {error}.", _NO_EXPORT) from error
        self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        try:
            _require_safe(path, self._members)
            self._prefix, self.is_html = _folder_of_result(path, self._members)
        except UsageError:
            self._zip.close()
            raise

    def open_pages(self) -> Iterator[TextIO]:
        """Open the pages of an HTML export one after the other."""
        pages = [name for name in self._members if _PAGE.match(name.removeprefix(self._prefix))]
        for name in sorted(pages, key=_number):
            with io.TextIOWrapper(self._open(name), encoding="utf-8-sig", errors="replace") as file:
                yield file

    def open_result(self) -> TextIO:
        """Open the JSON file as text. Raises UsageError."""
        member = self._open(self._prefix + RESULT)
        return io.TextIOWrapper(member, encoding="utf-8-sig", errors="replace", newline="")

    def size_of(self, path: str) -> int:
        """Return the size of a file in bytes; 0 if it does not exist."""
        found = self._members.get(self._prefix + path) if path else None
        return found.file_size if found else 0

    def fetch(self, path: str, part: Path, mode: MediaMode) -> int:
        """Unpack a file to ``part``; returns its size in bytes. Raises TransferFailed, VaultUnwritable."""
        info = self._members.get(self._prefix + path) if path else None
        if info is None:
            raise TransferFailed("The export does not have the file.", retryable=False)
        try:
            part.unlink(missing_ok=True)
            with self._open(info.filename) as source, part.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except (zipfile.BadZipFile, EOFError) as error:
            raise TransferFailed(f"The .zip is damaged here: {error}.", retryable=False) from error
        except OSError as error:
            raise VaultUnwritable(f"{path} cannot be unpacked: {error.strerror}.", "Free some space.") from error
        return info.file_size

    def read_text(self, path: str) -> str:
        """Return the beginning of a small text file; empty if it does not exist."""
        info = self._members.get(self._prefix + path) if path else None
        if info is None:
            return ""
        with suppress(OSError, zipfile.BadZipFile, EOFError), self._open(info.filename) as file:
            return file.read(_SMALL).decode("utf-8", "replace")
        return ""

    def remove(self, path: str) -> None:
        """Do nothing: a .zip is not changed."""

    def close(self) -> None:
        """Close the .zip file."""
        self._zip.close()

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self._zip.open(name)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise UsageError(f"{name} in the .zip cannot be read: {error}.", _NO_EXPORT) from error


ExportFiles = ExportFolder | ExportZip


def open_files(path: Path, chat: Chat | None = None) -> ExportFiles:
    """Open the export at ``path``: result.json, its folder, or a .zip.

    Also messages.html, with the messages of ``chat``, which the file does not contain. Raises UsageError for anything
    else.
    """
    if path.is_dir():
        found = [path / name for name in (RESULT, PAGES) if (path / name).is_file()]
        path = found[0] if found else path / RESULT
    if not path.is_file():
        raise UsageError(f"{path} does not exist.", _NO_EXPORT)
    header = {"id": bare_id(chat.id), "type": _TYPES[chat.kind], "name": chat.title} if chat else {}
    if zipfile.is_zipfile(path):
        return ExportZip(path, header)
    return ExportFolder(path, header)


def _number(name: str) -> int:
    """Return the number of a page: `messages.html` is page 1, `messages2.html` page 2."""
    match = re.search(r"(\d+)\.html\Z", name)
    return int(match[1]) if match else 1


def _require_safe(path: Path, members: dict[str, zipfile.ZipInfo]) -> None:
    for name, info in members.items():
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts or ":" in name[:3]:
            raise UsageError(f"{path} is refused: it has a file that leads out of it ({name!r}).", _NO_EXPORT)
        if info.file_size > _LARGE and info.file_size > _MOST_PACKED * max(info.compress_size, 1):
            raise UsageError(f"{path} is refused: {name!r} in it would unpack to {info.file_size:,} bytes.", _NO_EXPORT)


def _folder_of_result(path: Path, members: dict[str, zipfile.ZipInfo]) -> tuple[str, bool]:
    """Return the folder of the export in the .zip, the outermost of several, and whether it is HTML."""
    for name in (RESULT, PAGES):
        found = [member for member in members if PurePosixPath(member).name == name]
        if found:
            return min(found, key=lambda member: member.count("/")).removesuffix(name), name == PAGES
    raise UsageError(f"There is no {RESULT} in {path}.", _NO_EXPORT)
