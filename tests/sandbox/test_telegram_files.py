from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from telethon.tl import types

from tests.sandbox.telegram_room import Room, fetch_all, room
from tobs.errors import FloodWait, TransferFailed
from tobs.model import FileItem, MessageKey, message_files, thumbnail_of
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.telegram.client.files import extra_seconds, parallel_parts, part_size
from tobs.telegram.net.events import ReferenceRenewed, Retried

WORLD = "synthetic:messages=60,chats=1,media=0.5,seed=3"
MIB = 1 << 20
GET, HASHES = "upload.getFile", "upload.getFileHashes"


async def file_message(sandbox: Sandbox, opened: Room, data: bytes) -> tuple[FileItem, MessageKey]:
    """Post a document and read it back as the room converts it."""
    chat = await opened.telegram.resolve("@synthetic")
    document = sandbox.world.files.add_document(data, "application/x-test", [types.DocumentAttributeFilename("a.bin")])
    number = sandbox.world.post(chat.id, "a file", media=types.MessageMediaDocument(document=document))
    message = await opened.telegram.message(chat.id, number)
    assert message is not None and isinstance(message.media, FileItem)
    return message.media, MessageKey.of(opened.telegram.account.id, chat.id, number)


def read(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.parametrize("size", [1, 4096, 128 * 1024, 128 * 1024 + 1, 512 * 1024, 3 * MIB, 11 * MIB + 777])
async def test_a_file_comes_whole(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        heard: list[int] = []
        part = tmp_path / "a.part"
        assert await opened.telegram.fetch_file(item, key, part, on_progress=heard.append) == size
        assert read(part) == data
        assert heard == sorted(heard) and heard[-1] == size
        assert len(sandbox.log.calls(GET)) == len(heard)


async def test_every_file_of_a_world_comes_whole(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=3)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        found = await fetch_all(opened, chat.id)
        files = [(message.id, item) for message in found.messages.values() for item in message_files(message)]
        assert len(files) > 10
        for number, item in files:
            part = tmp_path / f"{number}.part"
            key = MessageKey.of(opened.telegram.account.id, chat.id, number)
            assert await opened.telegram.fetch_file(item, key, part) == item.size == len(read(part))
        assert len({entry.dc for entry in sandbox.log.calls(GET)}) > 1
        exports = [entry.request.dc_id for entry in sandbox.log.calls("auth.exportAuthorization")]
        assert len(exports) == len(set(exports))


@pytest.mark.parametrize("there", [0, 1, 4096, 600_000, 2 * MIB, 3 * MIB - 1])
async def test_a_download_goes_on_where_it_stopped(there: int, tmp_path: Path) -> None:
    data = os.urandom(3 * MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        part = tmp_path / "a.part"
        part.write_bytes(data[:there] + b"torn write")
        assert await opened.telegram.fetch_file(item, key, part, offset=there) == len(data)
        assert read(part) == data
        first = min(entry.request.offset for entry in sandbox.log.calls(GET))
        assert there - 512 * 1024 < first <= there


async def test_an_expired_reference_is_renewed_from_its_message(tmp_path: Path) -> None:
    data = os.urandom(3 * MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#3=expire")
        part = tmp_path / "a.part"
        assert await opened.telegram.fetch_file(item, key, part) == len(data)
        assert read(part) == data
        assert opened.events_of(ReferenceRenewed) == [ReferenceRenewed(key.chat_id, key.id)]


async def test_the_thumbnail_of_music_is_fetched_by_the_reference_of_its_message(tmp_path: Path) -> None:
    thumb, attributes = os.urandom(9_000), [types.DocumentAttributeAudio(3, title="Mill Lane")]
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        document = sandbox.world.files.add_document(b"song", "audio/mpeg", attributes, thumb)
        number = sandbox.world.post(chat.id, "", media=types.MessageMediaDocument(document=document))
        message = await opened.telegram.message(chat.id, number)
        assert message is not None and isinstance(message.media, FileItem)
        item, key = thumbnail_of(message.media), MessageKey.of(opened.telegram.account.id, chat.id, number)
        assert item is not None
        sandbox.world.files.locations.expire()
        assert await opened.telegram.fetch_file(item, key, tmp_path / "thumb") == len(thumb)
        assert read(tmp_path / "thumb") == thumb and len(opened.events_of(ReferenceRenewed)) == 1


@pytest.mark.parametrize(
    "name",
    ["FILE_REFERENCE_EXPIRED", "FILE_REFERENCE_0_EXPIRED", "FILE_REFERENCE_INVALID", "FILE_REFERENCE_EMPTY",
     "FILEREF_UPGRADE_NEEDED"],
)  # fmt: skip
async def test_whatever_a_stale_reference_is_called_it_is_renewed(name: str, tmp_path: Path) -> None:
    data = os.urandom(MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#2=error:400:{name}")
        assert await opened.telegram.fetch_file(item, key, tmp_path / "a.part") == len(data)
        assert read(tmp_path / "a.part") == data and opened.events_of(ReferenceRenewed)


async def test_a_login_that_another_data_centre_does_not_take_is_carried_over_again(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=3)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add("auth.importAuthorization#1=error:400:AUTH_BYTES_INVALID")
        dcs = set()
        while not any(entry.error for entry in sandbox.log.calls("auth.importAuthorization")):
            item, key = await file_message(sandbox, opened, os.urandom(5000))
            assert await opened.telegram.fetch_file(item, key, tmp_path / f"{key.id}.part") == 5000
            assert item.remote is not None
            dcs.add(item.remote.dc)
        assert len(sandbox.log.calls("auth.importAuthorization")) == len(dcs - {2}) + 1


async def test_a_data_centre_that_nobody_knows_fails_the_file_and_not_the_run(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        sandbox.faults.add(f"{GET}#1=error:303:FILE_MIGRATE_9")
        with pytest.raises(TransferFailed, match="data centre 9"):
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert await opened.telegram.fetch_file(item, key, tmp_path / "a.part") == 5000


async def test_photos_are_renewed_alike(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        photo = sandbox.world.files.add_photo(b"\xff\xd8\xff" + os.urandom(5000), 30, 20)
        number = sandbox.world.post(chat.id, media=types.MessageMediaPhoto(photo=photo))
        message = await opened.telegram.message(chat.id, number)
        assert message is not None and isinstance(message.media, FileItem)
        sandbox.world.files.locations.expire()
        part = tmp_path / "p.part"
        key = MessageKey.of(opened.telegram.account.id, chat.id, number)
        assert await opened.telegram.fetch_file(message.media, key, part) == 5003
        assert opened.events_of(ReferenceRenewed)


async def test_a_file_whose_message_is_gone_is_no_longer_to_be_had(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        sandbox.world.files.locations.expire()
        sandbox.world.delete(key.chat_id, [key.id])
        with pytest.raises(TransferFailed, match="gone") as caught:
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert not caught.value.retryable


async def test_a_file_telegram_does_not_have_is_told(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        assert item.remote is not None
        lost = replace(item, remote=replace(item.remote, thumb="zz"))
        with pytest.raises(TransferFailed) as caught:
            await opened.telegram.fetch_file(lost, key, tmp_path / "a.part")
        assert not caught.value.retryable
        with pytest.raises(TransferFailed):
            await opened.telegram.fetch_file(replace(item, remote=None), key, tmp_path / "a.part")


async def test_a_file_that_is_shorter_than_announced_is_not_accepted(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        with pytest.raises(TransferFailed, match="5000 of 6000") as caught:
            await opened.telegram.fetch_file(replace(item, size=6000), key, tmp_path / "a.part")
        assert caught.value.retryable


@pytest.mark.parametrize("fault", ["drop", "error:500:INTERNAL", "flood:0", "error:-503:TIMEOUT"])
async def test_trouble_between_two_parts_leaves_the_file_whole(fault: str, tmp_path: Path) -> None:
    data = os.urandom(2 * MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#2={fault}")
        part = tmp_path / "a.part"
        await opened.telegram.fetch_file(item, key, part)
        assert read(part) == data


async def test_parts_of_a_takeout_are_wrapped(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        async with opened.telegram.takeout(["files"]):
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert all("invokeWithTakeout" in entry.wrappers for entry in sandbox.log.calls(GET))


async def test_a_damaged_part_of_the_right_size_is_fetched_again(tmp_path: Path) -> None:
    data = os.urandom(3 * MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#3=corrupt")
        part = tmp_path / "a.part"
        assert await opened.telegram.fetch_file(item, key, part) == len(data)
        assert read(part) == data
        assert [event.reason for event in opened.events_of(Retried)] == ["a part was damaged"]


async def test_a_part_that_stays_damaged_is_never_accepted(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, os.urandom(300_000))
        sandbox.faults.add(f"{GET}*=corrupt")
        with pytest.raises(TransferFailed, match="damaged") as caught:
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert caught.value.retryable and read(tmp_path / "a.part") == b""


@pytest.mark.parametrize("size", [3 * MIB, 11 * MIB])
async def test_a_short_part_in_the_middle_is_fetched_again(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#2=short")
        part = tmp_path / "a.part"
        assert await opened.telegram.fetch_file(item, key, part) == size
        assert read(part) == data


@pytest.mark.parametrize("damaged", [0, 700_000, 2 * MIB - 1])
async def test_what_is_there_already_is_checked_before_a_download_goes_on(damaged: int, tmp_path: Path) -> None:
    data = os.urandom(3 * MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        part = tmp_path / "a.part"
        torn = bytearray(data[: 2 * MIB])
        torn[damaged] ^= 1
        part.write_bytes(torn)
        assert await opened.telegram.fetch_file(item, key, part, offset=2 * MIB) == len(data)
        assert read(part) == data
        first = min(entry.request.offset for entry in sandbox.log.calls(GET))
        assert first <= damaged < first + 512 * 1024


async def test_where_no_hashes_are_offered_files_come_all_the_same(tmp_path: Path) -> None:
    data = os.urandom(MIB)
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add(f"{HASHES}*=error:400:LOCATION_INVALID")
        for number in range(5):
            item, key = await file_message(sandbox, opened, data)
            part = tmp_path / f"{number}.part"
            await opened.telegram.fetch_file(item, key, part)
            assert read(part) == data
        assert len(sandbox.log.calls(HASHES)) == 3, "who refuses three times is not asked any more"


async def test_parts_of_a_large_file_are_under_way_at_the_same_time(tmp_path: Path) -> None:
    data = os.urandom(13 * MIB + 5)
    options = SandboxOptions(latency=0.05)
    async with serve(open_world(WORLD), options) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(f"{GET}#5=expire")
        sandbox.faults.add(f"{GET}#8=drop")
        heard: list[int] = []
        part = tmp_path / "a.part"
        assert await opened.telegram.fetch_file(item, key, part, on_progress=heard.append) == len(data)
        assert read(part) == data
        assert heard == sorted(heard), "what counts as done is whole from the beginning"
        times = [entry.time for entry in sandbox.log.calls(GET)]
        assert times[3] - times[0] < 0.05, "four parts were asked for before the first was answered"
        assert len({entry.connection for entry in sandbox.log.calls(GET)}) >= 2
        assert len(opened.events_of(ReferenceRenewed)) == 1, "all parts share the new reference"


async def test_a_file_is_not_given_up_for_what_telegram_says_about_something_else(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        sandbox.faults.add(f"{GET}=error:400:SOMETHING_NEW")
        with pytest.raises(TransferFailed) as caught:
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert caught.value.retryable


async def test_a_long_flood_wait_on_files_ends_the_run(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, flood_patience=10.0) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        sandbox.faults.add(f"{GET}=error:420:FLOOD_PREMIUM_WAIT_4000")
        with pytest.raises(FloodWait) as caught:
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert (caught.value.seconds, caught.value.exit_code) == (4000, 4)


def test_the_size_of_a_part_and_how_long_it_is_waited_for_follow_the_size_of_the_file() -> None:
    sizes = [1, 128 * 1024, 128 * 1024 + 1, 10 * MIB, 10 * MIB + 1, 4096 * MIB]
    assert [part_size(size) // 1024 for size in sizes] == [128, 128, 512, 512, 1024, 1024]
    assert [parallel_parts(size) for size in sizes] == [1, 1, 1, 1, 4, 4]
    assert [extra_seconds(size) for size in sizes] == [4, 4, 16, 16, 128, 128]
    assert all(MIB % part_size(size) == 0 for size in sizes)


async def test_all_of_what_is_there_is_proven_before_it_is_gone_on_with(tmp_path: Path) -> None:
    """A long file: damage at its beginning since the last run is found before a part is requested."""
    data = os.urandom(MIB) * 67
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        part = tmp_path / "a.part"
        part.write_bytes(bytes([data[0] ^ 1]) + data[1 : 66 * MIB])
        sandbox.faults.add(f"{GET}*=error:400:LOCATION_INVALID")
        with pytest.raises(TransferFailed):
            await opened.telegram.fetch_file(item, key, part, offset=66 * MIB)
        assert min(entry.request.offset for entry in sandbox.log.calls(GET)) == 0
        assert read(part) == b""
        part.write_bytes(data[: 66 * MIB])
        sandbox.faults.clear()
        assert await opened.telegram.fetch_file(item, key, part, offset=66 * MIB) == len(data)
        assert read(part) == data
        assert len(sandbox.log.calls(HASHES)) <= 2 * 67 + 4
