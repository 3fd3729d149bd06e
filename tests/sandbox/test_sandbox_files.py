"""Files: alignment, references, data centres, hashes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors
from telethon.tl import functions, types

from tobs.sandbox import Sandbox, SandboxOptions
from tobs.sandbox.services.files import check_alignment
from tobs.sandbox.worlds import RpcError

MIB = 1 << 20


@given(offset=st.integers(-4096, 3 * MIB), limit=st.integers(-1, 2 * MIB))
def test_only_parts_inside_one_mebibyte_are_served(offset: int, limit: int) -> None:
    allowed = (
        offset >= 0
        and offset % 4096 == 0
        and limit > 0
        and limit % 4096 == 0
        and MIB % limit == 0
        and offset // MIB == (offset + limit - 1) // MIB
    )
    if allowed:
        check_alignment(offset, limit, precise=False)
    else:
        with pytest.raises(RpcError, match=r"OFFSET_INVALID|LIMIT_INVALID"):
            check_alignment(offset, limit, precise=False)


@pytest.mark.parametrize(("offset", "limit"), [(0, 4096), (4096, 4096), (MIB - 4096, 4096), (MIB, MIB), (0, 524288)])
def test_aligned_parts_are_served(offset: int, limit: int) -> None:
    check_alignment(offset, limit, precise=False)


def posted(sandbox: Sandbox, size: int = 300_000) -> int:
    """Post a message with a document; the world chooses the data centre of its file."""
    world = sandbox.world
    document = world.files.add_document(
        bytes(range(251)) * (size // 251), "application/x-test", [types.DocumentAttributeFilename("test.bin")]
    )
    return world.post(world.resolve(world.targets[0]), "a file", media=types.MessageMediaDocument(document=document))


async def message(sandbox: Sandbox, client: Any, id: int) -> Any:
    return await client.get_messages(sandbox.ready.targets[0], ids=id)


async def test_telethon_downloads_documents_and_photos_whole(sandbox: Sandbox, client) -> None:
    world = sandbox.world
    done: set[str] = set()
    async for found in client.iter_messages(sandbox.ready.targets[0], wait_time=0):
        kind = "photo" if found.photo else "document" if found.document else ""
        if not kind or kind in done:
            continue
        done.add(kind)
        item = getattr(found, kind)
        blob = world.files.open(kind, item.id, item.sizes[-1].type if kind == "photo" else "")
        assert await client.download_media(found, file=bytes) == blob.read(0, blob.size)
    assert done == {"photo", "document"}


async def test_an_expired_reference_is_refused_and_a_new_message_cures_it(sandbox: Sandbox, client) -> None:
    id = posted(sandbox)
    old = await message(sandbox, client, id)
    sandbox.world.files.locations.expire()
    location = types.InputDocumentFileLocation(
        old.document.id, old.document.access_hash, old.document.file_reference, ""
    )
    with pytest.raises(errors.FileReferenceExpiredError):
        await client(functions.upload.GetFileRequest(location, 0, 4096))
    fresh = await message(sandbox, client, id)
    location.file_reference = fresh.document.file_reference
    assert len((await client(functions.upload.GetFileRequest(location, 0, 4096))).bytes) == 4096
    location.file_reference = b"nonsense"
    with pytest.raises(errors.FileReferenceInvalidError):
        await client(functions.upload.GetFileRequest(location, 0, 4096))


async def test_the_expire_fault_strikes_in_the_middle_of_a_file(sandbox: Sandbox, client) -> None:
    found = await message(sandbox, client, posted(sandbox))
    sandbox.faults.add("upload.getFile#2=expire")
    # Telethon fetches the message anew by itself: for documents it can.
    data = await client.download_media(found, file=bytes)
    assert data == sandbox.world.files.open("document", found.document.id).read(0, 1 << 30)
    assert [entry.error for entry in sandbox.log.calls("upload.getFile")].count("FILE_REFERENCE_EXPIRED") == 1


async def test_the_corrupt_fault_changes_bytes_and_not_their_number(sandbox: Sandbox, client) -> None:
    found = await message(sandbox, client, posted(sandbox))
    sandbox.faults.add("upload.getFile=corrupt")
    data = await client.download_media(found, file=bytes)
    true = sandbox.world.files.open("document", found.document.id).read(0, 1 << 30)
    assert len(data) == len(true) and data != true


async def test_hashes_cover_the_mebibyte_of_the_offset(sandbox: Sandbox, client) -> None:
    found = await message(sandbox, client, posted(sandbox, 1_500_000))
    document = found.document
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    first = await client(functions.upload.GetFileHashesRequest(location, 0))
    rest = await client(functions.upload.GetFileHashesRequest(location, MIB))
    assert [item.offset for item in first] == list(range(0, MIB, 131072))
    assert sum(item.limit for item in [*first, *rest]) == document.size


@pytest.mark.parametrize("sandbox", [SandboxOptions(dcs=3)], indirect=True)
async def test_files_of_other_data_centres_are_fetched_there(sandbox: Sandbox, client) -> None:
    world = sandbox.world
    home, *others = world.files.locations.dcs
    found = []
    for _ in range(40):
        message_ = await message(sandbox, client, posted(sandbox, 10_000))
        if message_.document.dc_id not in [other.document.dc_id for other in found]:
            found.append(message_)
        if len(found) == 3:
            break
    assert {item.document.dc_id for item in found} == {home, *others}
    for item in found:
        buffer = io.BytesIO()
        await client.download_media(item, file=buffer)
        assert buffer.getvalue() == world.files.open("document", item.document.id).read(0, 1 << 30)
    served = [entry for entry in sandbox.log.calls("upload.getFile") if entry.error is None]
    assert {entry.dc for entry in served} == {home, *others}


@pytest.mark.parametrize("sandbox", [SandboxOptions(dcs=3)], indirect=True)
async def test_a_file_asked_for_at_the_wrong_data_centre_names_the_right_one(sandbox: Sandbox, client) -> None:
    while True:
        found = await message(sandbox, client, posted(sandbox, 10_000))
        if found.document.dc_id != sandbox.ready.dc:
            break
    document = found.document
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    with pytest.raises(errors.FileMigrateError) as caught:
        await client._sender.send(functions.upload.GetFileRequest(location, 0, 4096))
    assert caught.value.new_dc == document.dc_id


async def test_a_false_ticket_logs_no_one_in(client) -> None:
    with pytest.raises(errors.AuthBytesInvalidError):
        await client(functions.auth.ImportAuthorizationRequest(1, b"x" * 64))
    with pytest.raises(errors.DcIdInvalidError):
        await client(functions.auth.ExportAuthorizationRequest(9))
