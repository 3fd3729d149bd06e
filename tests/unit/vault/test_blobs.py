"""The blobs of a vault are the files in its folder."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from urllib.request import url2pathname

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tobs.errors import VaultError
from tobs.model.blobs import Blobs, StoredBlob
from tobs.vault.blobs import VaultBlobs

DATA = bytes(range(256)) * 10_000
DIGEST = sha256(DATA).hexdigest()
PATH = "Telegram/A/media/ü photo.jpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "vault").mkdir()
    return tmp_path / "vault"


@pytest.fixture
def blobs(root: Path, tmp_path: Path) -> Blobs:
    """A store with one blob."""
    made = VaultBlobs(root, {DIGEST: StoredBlob(PATH, len(DATA))}.get)
    staged = tmp_path / "staged"
    staged.write_bytes(DATA)
    assert made.put(staged, DIGEST, PATH, mtime=1.0)
    return made


def test_what_was_put_is_there_under_its_path_and_its_content(blobs: Blobs, root: Path) -> None:
    assert blobs.has(PATH) and not blobs.has("Telegram/A/media/other.jpg")
    assert blobs.local_copy(DIGEST) == root / PATH
    assert blobs.local_copy("00" * 32) is None
    assert Path(url2pathname(blobs.url(PATH).removeprefix("file://"))) == root / PATH


def test_a_file_of_another_size_is_no_copy_but_still_takes_the_path(blobs: Blobs, root: Path) -> None:
    (root / PATH).write_bytes(b"the owner's own")
    assert blobs.local_copy(DIGEST) is None
    assert blobs.has(PATH)
    assert list(blobs.free_paths([PATH, "b.jpg"], DIGEST)) == ["b.jpg"]
    (root / PATH).unlink()
    assert not blobs.has(PATH) and blobs.local_copy(DIGEST) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, len(DATA) + 5), length=st.none() | st.integers(0, len(DATA) + 5))
def test_any_range_is_read(blobs: Blobs, start: int, length: int | None) -> None:
    end = None if length is None else start + length
    chunks = list(blobs.open_range(PATH, start, length))
    assert b"".join(chunks) == DATA[start:end]
    assert all(0 < len(chunk) <= 1 << 20 for chunk in chunks)


def test_no_path_leads_out_of_the_vault(blobs: Blobs) -> None:
    for path in ("../vault.jpg", "/etc/passwd", "a//b"):
        with pytest.raises(VaultError):
            blobs.has(path)
        with pytest.raises(VaultError):
            list(blobs.open_range(path))
    with pytest.raises(VaultError, match="cannot be read"):
        list(blobs.open_range("missing.jpg"))
