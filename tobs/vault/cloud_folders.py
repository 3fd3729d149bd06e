"""Detection of cloud-synced folders: by the names and marker files that sync clients give to their folders.

SQLite and a sync client damage each other's work on one file, so a vault in such a folder keeps its archive elsewhere.
Nothing but the file system is asked: no environment, no registry, no running process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

#: Folder names that only a sync client makes. macOS mounts many services in ``~/Library/CloudStorage``.
_NAMES = (
    (re.compile(r"OneDrive(?:[ -].*)?"), "OneDrive"),
    (re.compile(r"Mobile Documents|com~apple~CloudDocs|iCloudDrive|iCloud Drive"), "iCloud Drive"),
    (re.compile(r"Google ?Drive(?:-.*)?"), "Google Drive"),
    (re.compile(r"pCloud ?Drive"), "pCloud"),
)
_CLOUD_STORAGE = "CloudStorage"

#: Bytes of a desktop.ini that are read.
_INI_BYTES = 4_096


def sync_service(folder: Path) -> str:
    """Name the service that syncs ``folder``, which need not exist; empty where none is detected."""
    given = folder.absolute()
    for path in dict.fromkeys((given, given.resolve())):
        for here in (path, *path.parents):
            if service := _service_by_name(here) or _service_by_marker(here):
                return service
    return ""


def _service_by_name(folder: Path) -> str:
    """The service that gives its folders the name of ``folder``."""
    for pattern, service in _NAMES:
        if pattern.fullmatch(folder.name):
            return service
    if folder.parent.name == _CLOUD_STORAGE and folder.parent.parent.name == "Library":
        return folder.name.partition("-")[0]
    return ""


def _service_by_marker(folder: Path) -> str:
    """The service whose marker lies in ``folder``, the top of what it syncs."""
    for service, is_marked in _MARKERS:
        try:
            if is_marked(folder):
                return service
        except OSError:
            continue  # a folder above the vault that may not be read
    return ""


def _is_dropbox(folder: Path) -> bool:
    # In a home folder `.dropbox` is a folder: the client's own data. In a synced one it is a file.
    return (folder / ".dropbox").is_file() or (folder / ".dropbox.cache").is_dir()


def _is_onedrive(folder: Path) -> bool:
    path = folder / "desktop.ini"
    if not path.is_file():
        return False
    with path.open("rb") as file:
        text = file.read(_INI_BYTES)
    # Windows writes it in UTF-16.
    return b"onedrive" in text.replace(b"\0", b"").lower()


def _is_google_drive(folder: Path) -> bool:
    names = (".tmp.drivedownload", ".tmp.driveupload", ".driveupload", ".drivedownload")
    return any((folder / name).is_dir() for name in names)


def _is_nextcloud(folder: Path) -> bool:
    if any((folder / name).is_file() for name in (".nextcloudsync.log", ".owncloudsync.log")):
        return True
    return any(any(file.is_file() for file in folder.glob(pattern)) for pattern in (".sync_*.db", "._sync_*.db"))


def _is_syncthing(folder: Path) -> bool:
    return (folder / ".stfolder").exists()


_MARKERS: tuple[tuple[str, Callable[[Path], bool]], ...] = (
    ("Dropbox", _is_dropbox),
    ("OneDrive", _is_onedrive),
    ("Google Drive", _is_google_drive),
    ("Nextcloud", _is_nextcloud),
    ("Syncthing", _is_syncthing),
)
