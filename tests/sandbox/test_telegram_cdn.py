"""Files on a CDN: encrypted copies on a data centre of its own, verified by Telegram's hashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AESModeCTR
from telethon.crypto import rsa as server_keys
from telethon.tl import functions, types

from tests.sandbox.conftest import Connect
from tests.sandbox.telegram_room import Room, room
from tests.sandbox.test_telegram_files import MIB, WORLD, file_message, read
from tobs.errors import TransferFailed
from tobs.model import FileItem, MessageKey
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.crypto.keys import process_key
from tobs.sandbox.options import CDN_DC
from tobs.sandbox.services.cdn import encrypt_at
from tobs.telegram.client.cdn import aes_ctr
from tobs.telegram.net.events import Retried

GET, FROM_CDN, BRING = "upload.getFile", "upload.getCdnFile", "upload.reuploadCdnFile"
CDN = SandboxOptions(dcs=2, cdn=True)


@given(
    data=st.binary(max_size=100),
    block=st.integers(0, 1 << 31),
    key=st.binary(min_size=32, max_size=32),
    iv=st.binary(min_size=16, max_size=16),
)
def test_the_aes_ctr_is_telethon_s(data: bytes, block: int, key: bytes, iv: bytes) -> None:
    theirs = AESModeCTR(key, iv[:12] + block.to_bytes(4, "big")).encrypt(data)
    assert aes_ctr(key, iv, block * 16, data) == theirs == encrypt_at(key, iv, block * 16, data)


@pytest.mark.parametrize("size", [64 * 1024, 11 * MIB + 777])
async def test_a_file_on_a_cdn_comes_whole(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    async with serve(open_world(WORLD), CDN) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, data)
        async with opened.telegram.takeout(["channels", "files"]):
            assert await opened.telegram.fetch_file(item, key, tmp_path / "a.part") == size
        assert read(tmp_path / "a.part") == data
        got = sandbox.log.calls(FROM_CDN)
        assert {entry.dc for entry in got} == {CDN_DC}
        assert not [entry for entry in got if "invokeWithTakeout" in entry.wrappers], "a CDN knows no takeout"
        assert len(sandbox.log.calls(BRING)) >= -(-size // MIB), "each MiB is brought there when it is first asked for"
        answered = [entry for entry in sandbox.log.calls(GET) if entry.error is None]
        assert len(answered) <= 4, "as many as are under way at first"
        assert len(sandbox.log.calls("help.getCdnConfig")) == 1


async def test_keys_of_a_cdn_are_trusted_for_its_own_key_exchange_only(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), CDN) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, os.urandom(100_000))
        await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert sandbox.log.calls(FROM_CDN)
        assert process_key("cdn").fingerprint not in server_keys._server_keys
        assert not [one for one in sandbox.log.calls("auth.importAuthorization") if one.dc == CDN_DC]


async def fetched(opened: Room, item: FileItem, key: MessageKey, part: Path) -> bytes:
    await opened.telegram.fetch_file(item, key, part)
    return read(part)


@pytest.mark.parametrize(
    "fault",
    [
        f"{FROM_CDN}#3=corrupt",
        f"{FROM_CDN}#3=short",
        f"{FROM_CDN}#2=drop",
        f"{FROM_CDN}#3=flood:1",
        f"{FROM_CDN}#4=error:400:FILE_TOKEN_INVALID",
        f"{BRING}#2=error:400:REQUEST_TOKEN_INVALID",
        f"{FROM_CDN}*=error:500:CDN_UPLOAD_TIMEOUT",
        f"{FROM_CDN}*=corrupt",
        "upload.getCdnFileHashes*=error:400:CDN_METHOD_INVALID",
        "help.getCdnConfig=error:400:METHOD_INVALID",
    ],
)
async def test_whatever_a_cdn_does_the_file_comes_whole(fault: str, tmp_path: Path) -> None:
    data = os.urandom(2 * MIB + 5)
    async with serve(open_world(WORLD), CDN) as sandbox, room(sandbox, tmp_path, attempts=3) as opened:
        item, key = await file_message(sandbox, opened, data)
        sandbox.faults.add(fault)
        assert await fetched(opened, item, key, tmp_path / "a.part") == data
        assert sandbox.log.calls(FROM_CDN) or "getCdnConfig" in fault
        assert len(sandbox.log.calls(FROM_CDN)) < 40


async def test_a_cdn_that_lost_our_key_gets_another_one(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), CDN) as sandbox, room(sandbox, tmp_path) as opened:
        first, second = os.urandom(100_000), os.urandom(200_000)
        item, key = await file_message(sandbox, opened, first)
        assert await fetched(opened, item, key, tmp_path / "a.part") == first
        for number in [number for number, kept in sandbox.server.state.keys.items() if kept.dc == CDN_DC]:
            del sandbox.server.state.keys[number]
        sandbox.server.drop_connections()
        item, key = await file_message(sandbox, opened, second)
        assert await fetched(opened, item, key, tmp_path / "b.part") == second
        assert [entry.error for entry in sandbox.log.calls(FROM_CDN)].count(None) >= 4


async def test_a_cdn_with_another_key_than_telegram_says_gives_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(open_world(WORLD), SandboxOptions(cdn=True)) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, b"data" * 50_000)
        monkeypatch.setitem(sandbox.server.context.keys, CDN_DC, process_key("other"))
        told = types.CdnConfig([types.CdnPublicKey(CDN_DC, process_key("cdn").pem)])
        monkeypatch.setattr(types, "CdnConfig", lambda keys: told)
        assert await fetched(opened, item, key, tmp_path / "a.part") == b"data" * 50_000
        assert not sandbox.log.calls(FROM_CDN)
        assert [event for event in opened.events_of(Retried) if "RSA key" in event.reason]


async def test_a_file_that_only_a_cdn_gives_and_gives_wrong_is_not_accepted(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), CDN) as sandbox, room(sandbox, tmp_path) as opened:
        item, key = await file_message(sandbox, opened, os.urandom(300_000))
        sandbox.faults.add(f"{FROM_CDN}*=corrupt")
        sandbox.faults.add(f"{GET}#3=error:400:LOCATION_INVALID")
        with pytest.raises(TransferFailed):
            await opened.telegram.fetch_file(item, key, tmp_path / "a.part")
        assert read(tmp_path / "a.part") == b""


@pytest.mark.parametrize("sandbox", [SandboxOptions(cdn=True)], indirect=True)
async def test_clients_that_say_nothing_of_cdns_get_files_as_ever(sandbox: Sandbox, connect: Connect) -> None:
    async with connect() as client:
        document = sandbox.world.files.add_document(
            b"x" * 100_000, "application/x", [types.DocumentAttributeFilename("a.bin")]
        )
        number = sandbox.world.post(
            sandbox.world.resolve(sandbox.world.targets[0]), "a", media=types.MessageMediaDocument(document=document)
        )
        message = await client.get_messages(sandbox.world.targets[0], ids=number)
        assert await client.download_media(message, bytes) == b"x" * 100_000
        config = await client(functions.help.GetConfigRequest())
        assert [option.id for option in config.dc_options if option.cdn] == [CDN_DC]
