from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from telethon.tl import types

from tests.sandbox.telegram_room import Room, fetch_all, room
from tobs.errors import TransferFailed
from tobs.model import FileItem, MessageKey, message_files
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.telegram.events import ReferenceRenewed

WORLD = "synthetic:messages=60,chats=1,media=0.5,seed=3"
MIB = 1 << 20
GET = "upload.getFile"


async def file_message(sandbox: Sandbox, opened: Room, data: bytes) -> tuple[FileItem, MessageKey]:
    """Post a document and read it back as the room converts it."""
    chat = await opened.telegram.resolve("@synthetic")
    document = sandbox.world.add_document(data, "application/x-test", [types.DocumentAttributeFilename("a.bin")])
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
        assert opened.told(ReferenceRenewed) == [ReferenceRenewed(key.chat_id, key.id)]


async def test_photos_are_renewed_alike(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        photo = sandbox.world.add_photo(b"\xff\xd8\xff" + os.urandom(5000), 30, 20)
        number = sandbox.world.post(chat.id, media=types.MessageMediaPhoto(photo=photo))
        message = await opened.telegram.message(chat.id, number)
        assert message is not None and isinstance(message.media, FileItem)
        sandbox.world.stamps.expire()
        part = tmp_path / "p.part"
        key = MessageKey.of(opened.telegram.account.id, chat.id, number)
        assert await opened.telegram.fetch_file(message.media, key, part) == 5003
        assert opened.told(ReferenceRenewed)


async def test_a_file_whose_message_is_gone_is_no_longer_to_be_had(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"x" * 5000)
        sandbox.world.stamps.expire()
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
