"""Download of files from a CDN: encrypted copies on data centres that Telegram does not trust.

A part is fetched from the CDN, decrypted here, and accepted only when Telegram's own hashes match.
Source: https://core.telegram.org/cdn
"""

from __future__ import annotations

import asyncio
from typing import Any

import cryptg
from telethon.tl import functions, types

from tobs.errors import FloodWait, LoginError, TobsError
from tobs.telegram.client.file_hashes import FileHashes, HashAvailability
from tobs.telegram.net.invoker import Invoker

_BLOCK = 16
_REUPLOADS = 3
_COUNTER = 4


class CdnFailed(Exception):
    """The CDN cannot give a part; the file has to be requested again from its own data centre."""


class CdnCopy:
    """The copy of a file that an upload.fileCdnRedirect leads to. ``dc`` is the data centre of the file itself."""

    def __init__(self, invoker: Invoker, redirect: Any, *, dc: int, extra: float) -> None:
        self._invoker = invoker
        self._redirect = redirect
        self._dc = dc
        self._extra = extra
        self._file_hashes = FileHashes(self._request_hashes, HashAvailability())
        self._file_hashes.add(redirect.file_hashes)
        self._keys_lock = asyncio.Lock()

    async def part(self, offset: int, limit: int, end: int, worker: int) -> bytes:
        """Return up to ``limit`` decrypted and verified bytes at ``offset``; fewer at the end of the file.

        ``end`` is the expected end of the part. Raises CdnFailed, FloodWait.
        """
        try:
            await self._load_public_keys()
            encrypted = await self._encrypted_part(offset, limit, worker)
            await self._file_hashes.load(offset, min(end, offset + len(encrypted)))
        except (FloodWait, CdnFailed):
            raise
        except LoginError as lost:  # the CDN lost our auth key: a new one is made
            await self._invoker.connections.drop_key(self._redirect.dc_id)
            raise CdnFailed("the auth key is unknown there") from lost
        except TobsError as error:  # includes a wrong public key of the CDN
            raise CdnFailed(error.message) from error
        data = await asyncio.to_thread(
            aes_ctr, self._redirect.encryption_key, self._redirect.encryption_iv, offset, encrypted
        )
        if not await asyncio.to_thread(self._file_hashes.verifies, offset, data):
            self._file_hashes.discard(offset, offset + limit)
            raise CdnFailed("a part was damaged")
        self._file_hashes.discard(offset, offset + limit)
        return data

    async def _load_public_keys(self) -> None:
        """Load the public keys of the CDN's data centre, once."""
        connections, dc = self._invoker.connections, self._redirect.dc_id
        async with self._keys_lock:
            if not connections.is_cdn(dc):
                config = await self._invoker(functions.help.GetCdnConfigRequest())
                connections.trust_cdn(dc, tuple(found.public_key for found in config.public_keys if found.dc_id == dc))

    async def _encrypted_part(self, offset: int, limit: int, worker: int) -> bytes:
        """Return the part as the CDN stores it; where the CDN does not have it yet, ask Telegram to upload it there."""
        redirect = self._redirect
        for _ in range(_REUPLOADS):
            answer = await self._invoker(
                functions.upload.GetCdnFileRequest(redirect.file_token, offset, limit),
                worker=worker,
                dc=redirect.dc_id,
                extra=self._extra,
            )
            if isinstance(answer, types.upload.CdnFile):
                return bytes(answer.bytes)
            hashes = await self._invoker(
                functions.upload.ReuploadCdnFileRequest(redirect.file_token, answer.request_token),
                worker=worker,
                dc=self._dc,
            )
            self._file_hashes.add(hashes)
        raise CdnFailed("Telegram does not upload the file there")

    async def _request_hashes(self, offset: int) -> list[Any]:
        request = functions.upload.GetCdnFileHashesRequest(self._redirect.file_token, offset)
        answer: list[Any] = await self._invoker(request, dc=self._dc)
        return answer


def aes_ctr(key: bytes, iv: bytes, offset: int, data: bytes) -> bytes:
    """Apply AES-256-CTR to the bytes at ``offset`` (divisible by 16) of a CDN file; the same encrypts and decrypts.

    The last four bytes of ``iv`` are the number of the block, big endian. The cipher is cryptg's: a single block of IGE
    with a zero IV equals the plain block cipher. Source: https://core.telegram.org/cdn
    """
    first = int.from_bytes(iv[:-_COUNTER] + (offset // _BLOCK).to_bytes(_COUNTER, "big"), "big")
    encrypt, zero, wrap = cryptg.encrypt_ige, bytes(2 * _BLOCK), (1 << 128) - 1
    blocks = -(-len(data) // _BLOCK)
    stream = b"".join(encrypt(((first + number) & wrap).to_bytes(_BLOCK, "big"), key, zero) for number in range(blocks))
    mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream[: len(data)], "little")
    return mixed.to_bytes(len(data), "little")
