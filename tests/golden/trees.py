"""Snapshots that are folders: every file of a tree lies in the repository as it is, so that a diff can be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from syrupy.data import Snapshot, SnapshotCollection, SnapshotCollections
from syrupy.extensions.base import AbstractSyrupyExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

#: Lines of a file's diff that are shown.
_SHOWN = 200

Tree = Mapping[str, bytes]


class TreeExtension(AbstractSyrupyExtension):
    """Keeps a mapping of paths to bytes as a folder beside the test, which is called as the snapshot is."""

    write_immediately = True

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """The folder of a snapshot."""
        return str(Path(test_location.filepath).parent / str(index))

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Whether a folder belongs to a test: each beside it may, by the name that the test gives."""
        return Path(snapshot_location).parent == Path(test_location.filepath).parent

    def serialize(self, data: Any, **filters: Any) -> Any:
        """The tree as it is compared: a dictionary, by path."""
        return {str(path): bytes(content) for path, content in sorted(data.items())}

    def discover_snapshots(self, **where: Any) -> SnapshotCollections:
        """No snapshot that might be unused: what lies beside the test and is not asked for is none of ours."""
        return SnapshotCollections()

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """A folder as the one snapshot of its collection."""
        collection = SnapshotCollection(location=snapshot_location)
        if Path(snapshot_location).is_dir():
            collection.add(Snapshot(name=Path(snapshot_location).name))
        return collection

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> Any | None:
        """The files of a folder; None where there is no folder."""
        folder = Path(snapshot_location)
        if not folder.is_dir():
            return None
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    @classmethod
    def write_snapshot_collection(
        cls, *, snapshot_collection: SnapshotCollection, name_order: dict[str, int] | None = None
    ) -> None:
        """Put a tree in the place of the folder that is there."""
        (snapshot,) = snapshot_collection
        folder = Path(snapshot_collection.location)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tree: Any = snapshot.data
        for name, content in tree.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def delete_snapshots(self, *, snapshot_location: str, snapshot_names: set[str]) -> None:
        """Remove a folder."""
        shutil.rmtree(snapshot_location)

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """What came and went, which files changed, and the diff of the first of these."""
        found: Tree = serialized_data or {}
        agreed: Tree = snapshot_data or {}
        yield from (f"came: {name}" for name in sorted(found.keys() - agreed.keys()))
        yield from (f"went: {name}" for name in sorted(agreed.keys() - found.keys()))
        changed = [name for name in sorted(found.keys() & agreed.keys()) if found[name] != agreed[name]]
        yield from (f"changed: {name}" for name in changed)
        for name in changed[:1]:
            before, now = (tree[name].decode(errors="replace").splitlines() for tree in (agreed, found))
            yield from list(unified_diff(before, now, "agreed", "found", lineterm=""))[:_SHOWN]
