"""One file: resumed, checked, staged; nothing short or empty gets past."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tobs.errors import TransferFailed, VaultUnwritable
from tobs.media import StagedFile, transfer
from tobs.model import FileItem
from tobs.model.mime import suffix_of

CONTENT = bytes(range(256)) * 40
ITEM = FileItem("audio", mime="audio/mpeg", size=len(CONTENT), name="song.mp3")


class Server:
    """Has the bytes of one file and writes them on from where it is asked to; ``upto`` of them if told so."""

    def __init__(self, content: bytes = CONTENT, *, upto: int | None = None) -> None:
        self.content = content
        self.upto = upto
        self.asked: list[int] = []

    async def __call__(self, part: Path, *, offset: int, on_progress: Callable[[int], None]) -> int:
        self.asked.append(offset)
        data = self.content[offset : self.upto]
        with part.open("ab") as file:
            assert file.tell() == offset
            for start in range(0, len(data), 1000):
                file.write(data[start : start + 1000])
                on_progress(file.tell())
            return file.tell()


async def fetch(tmp_path: Path, server: Server, item: FileItem = ITEM, *, offset: int = 0) -> StagedFile:
    return await transfer(item, server, part=tmp_path / "parts" / "1.part", staging=tmp_path / "staged", offset=offset)


async def test_a_file_is_staged_under_its_hash(tmp_path: Path) -> None:
    got = await fetch(tmp_path, Server())
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert got == StagedFile(tmp_path / "staged" / f"{digest}.mp3", digest, len(CONTENT))
    assert got.path.read_bytes() == CONTENT
    assert not list((tmp_path / "parts").iterdir())


async def test_a_transfer_goes_on_from_the_verified_offset(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    # Beyond the verified bytes lies what a crash left half-written.
    (tmp_path / "parts" / "1.part").write_bytes(CONTENT[:5000] + b"\0" * 700)
    server = Server()
    got = await fetch(tmp_path, server, offset=5000)
    assert server.asked == [5000]
    assert got.path.read_bytes() == CONTENT


async def test_a_part_shorter_than_verified_is_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.part").write_bytes(b"x" * 100)
    server = Server()
    got = await fetch(tmp_path, server, offset=5000)
    assert server.asked == [0]
    assert got.path.read_bytes() == CONTENT


async def test_a_lost_part_is_fetched_anew(tmp_path: Path) -> None:
    server = Server()
    await fetch(tmp_path, server, offset=5000)
    assert server.asked == [0]


async def test_a_short_file_is_refused_and_its_part_kept(tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match=r"3000 bytes came instead of 10240\.") as caught:
        await fetch(tmp_path, Server(upto=3000))
    assert caught.value.retryable
    assert not (tmp_path / "staged").exists()
    server = Server()
    assert (await fetch(tmp_path, server, offset=3000)).path.read_bytes() == CONTENT
    assert server.asked == [3000]


async def test_a_file_that_is_too_long_is_refused_and_forgotten(tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match="10241 bytes came instead of 10240"):
        await fetch(tmp_path, Server(CONTENT + b"x"))
    assert not list((tmp_path / "parts").iterdir())


@pytest.mark.parametrize("announced", [0, 10240])
async def test_an_empty_file_is_refused(tmp_path: Path, announced: int) -> None:
    with pytest.raises(TransferFailed, match="An empty file came"):
        await fetch(tmp_path, Server(b""), FileItem("photo", size=announced))
    assert not (tmp_path / "staged").exists()


async def test_a_file_of_unknown_size_is_taken_as_it_comes(tmp_path: Path) -> None:
    got = await fetch(tmp_path, Server(), FileItem("photo", mime="image/jpeg"))
    assert (got.size, got.path.suffix) == (len(CONTENT), ".jpg")


async def test_progress_is_told_as_bytes_that_are_there(tmp_path: Path) -> None:
    seen: list[int] = []
    part = tmp_path / "1.part"
    await transfer(ITEM, Server(), part=part, staging=tmp_path / "staged", on_progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == len(CONTENT)


async def test_the_failure_of_the_source_goes_through_and_the_part_stays(tmp_path: Path) -> None:
    async def breaks_off(part: Path, *, offset: int, on_progress: Callable[[int], None]) -> int:
        await Server(upto=2048)(part, offset=offset, on_progress=on_progress)
        raise TransferFailed("The file is gone.", retryable=False)

    with pytest.raises(TransferFailed, match="gone"):
        await transfer(ITEM, breaks_off, part=tmp_path / "1.part", staging=tmp_path / "staged")
    assert (tmp_path / "1.part").stat().st_size == 2048


async def test_a_disk_that_refuses_is_told_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file where a folder should be")
    with pytest.raises(VaultUnwritable, match="Files cannot be stored in"):
        await fetch(tmp_path, Server())


@pytest.mark.parametrize(
    ("name", "mime", "suffix"),
    [
        ("song.MP3", "audio/mpeg", ".mp3"),
        ("a/b\\..\\c.tar.gz", "", ".gz"),
        ("no ending", "image/jpeg", ".jpg"),
        ("", "audio/ogg; codecs=opus", ".oga"),
        ("x.", "application/x-tgsticker", ".tgs"),
        ("what.is this?", "application/pdf", ".pdf"),
        ("x.verylongending", "", ""),
        ("", "nonsense", ""),
    ],
)
def test_the_ending_comes_from_the_name_or_the_type(name: str, mime: str, suffix: str) -> None:
    assert suffix_of(name, mime) == suffix
