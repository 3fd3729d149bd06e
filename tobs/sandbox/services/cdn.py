"""A CDN: a data centre with a key of its own and no logins, which stores encrypted copies of files.

Source: https://core.telegram.org/cdn
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any, Final

import cryptg
from telethon.tl import functions, types

from tobs.sandbox.options import CDN_DC
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.state import CdnFile
from tobs.sandbox.worlds import Blob, RpcError

METHOD: Final = "upload.getCdnFile"
_KIB: Final = 1024
_MIB: Final = 1 << 20
_HASHED: Final = 128 * _KIB


def redirect(call: Call, blob: Blob, name: str, offset: int) -> Any:
    """Return the redirect to the CDN's copy of ``blob``; ``name`` identifies the file."""
    token = sha256(f"{call.world.name} {name}".encode()).digest()
    key, iv = sha256(b"key" + token).digest(), sha256(b"iv" + token).digest()[:16]
    call.state.cdn.setdefault(token, CdnFile(blob, key, iv, set()))
    return types.upload.FileCdnRedirect(CDN_DC, token, key, iv, hashes_at(blob, offset))


@serves(functions.upload.GetCdnFileRequest, login=False, any_dc=True)
def get_cdn_file(call: Call, request: Any) -> Any:
    """Return a part of a file; cdnFileReuploadNeeded for a MiB that is not on the CDN yet."""
    if request.offset % (4 * _KIB) or request.limit % (4 * _KIB) or not 0 < request.limit <= _MIB:
        raise RpcError(400, "OFFSET_INVALID")
    file = _file(call, request.file_token)
    window = request.offset // _MIB
    if window not in file.uploaded:
        return types.upload.CdnFileReuploadNeeded(bytes(request.file_token) + window.to_bytes(4, "little"))
    data = file.blob.read(request.offset, request.limit) if request.offset < file.blob.size else b""
    return types.upload.CdnFile(encrypt_at(file.key, file.iv, request.offset, data))


@serves(functions.upload.ReuploadCdnFileRequest, any_dc=True)
def reupload_cdn_file(call: Call, request: Any) -> Any:
    file, token = _file(call, request.file_token), bytes(request.request_token)
    if token[:-4] != bytes(request.file_token):
        raise RpcError(400, "REQUEST_TOKEN_INVALID")
    window = int.from_bytes(token[-4:], "little")
    file.uploaded.add(window)
    return hashes_at(file.blob, window * _MIB)


@serves(functions.upload.GetCdnFileHashesRequest, any_dc=True)
def get_cdn_file_hashes(call: Call, request: Any) -> Any:
    return hashes_at(_file(call, request.file_token).blob, request.offset)


def _file(call: Call, token: Any) -> CdnFile:
    file: CdnFile | None = call.state.cdn.get(bytes(token))
    if file is None:
        raise RpcError(400, "FILE_TOKEN_INVALID")
    return file


def hashes_at(blob: Blob, offset: int) -> list[Any]:
    """Return the SHA-256 of each 128 KiB in the MiB around ``offset``."""
    start = max(0, offset) // _MIB * _MIB
    parts = ((at, blob.read(at, _HASHED)) for at in range(start, min(start + _MIB, blob.size), _HASHED))
    return [types.FileHash(at, len(part), sha256(part).digest()) for at, part in parts]


def encrypt_at(key: bytes, iv: bytes, offset: int, data: bytes) -> bytes:
    """Encrypt the bytes at ``offset`` of a file with AES-256-CTR; the counter's last 32 bits are the block's number."""
    fixed, zero = iv[:12], bytes(32)
    numbers = range(offset // 16, offset // 16 + (len(data) + 15) // 16)
    stream = b"".join(cryptg.encrypt_ige(fixed + struct.pack(">I", number), key, zero) for number in numbers)
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
    return mixed.to_bytes(len(data), "big")
