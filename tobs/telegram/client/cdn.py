"""Files that Telegram keeps on a CDN: encrypted copies on data centres that are not trusted.

A part is fetched there, decrypted here, and taken only when Telegram's own hashes prove it.
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
    """A part cannot be had from the CDN: its file is to be asked for anew."""


class CdnCopy:
    """The copy that an upload.fileCdnRedirect leads to. ``dc`` is the data centre of the file itself."""

    def __init__(self, invoker: Invoker, redirect: Any, *, dc: int, extra: float) -> None:
        self._invoker = invoker
        self._redirect = redirect
        self._dc = dc
        self._extra = extra
        self._file_hashes = FileHashes(self._request_hashes, HashAvailability())
        self._file_hashes.add(redirect.file_hashes)
        self._keys_lock = asyncio.Lock()

    async def part(self, offset: int, limit: int, end: int, worker: int) -> bytes:
        """The ``limit`` bytes at ``offset`` (fewer at the end of the file, which is thought to be at or behind
        ``end``), proven. Raises CdnFailed, FloodWait."""
        try:
            await self._load_public_keys()
            encrypted = await self._encrypted_part(offset, limit, worker)
            await self._file_hashes.load(offset, min(end, offset + len(encrypted)))
        except (FloodWait, CdnFailed):
            raise
        except LoginError as lost:  # it has forgotten the key we made with it: another one is made
            await self._invoker.connections.drop_key(self._redirect.dc_id)
            raise CdnFailed("it does not know our key") from lost
        except TobsError as error:  # a wrong key of the CDN, too
            raise CdnFailed(error.message) from error
        data = await asyncio.to_thread(
            aes_ctr, self._redirect.encryption_key, self._redirect.encryption_iv, offset, encrypted
        )
        if not await asyncio.to_thread(self._file_hashes.verifies, offset, data):
            self._file_hashes.discard(offset, offset + limit)
            raise CdnFailed("a part came damaged")
        self._file_hashes.discard(offset, offset + limit)
        return data

    async def _load_public_keys(self) -> None:
        """Learn the public keys of the CDN's data centre."""
        connections, dc = self._invoker.connections, self._redirect.dc_id
        async with self._keys_lock:
            if not connections.is_cdn(dc):
                config = await self._invoker(functions.help.GetCdnConfigRequest())
                connections.trust_cdn(dc, tuple(found.public_key for found in config.public_keys if found.dc_id == dc))

    async def _encrypted_part(self, offset: int, limit: int, worker: int) -> bytes:
        """The part as the CDN has it. What it has not yet, Telegram is asked to bring there."""
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
        raise CdnFailed("Telegram does not bring the file there")

    async def _request_hashes(self, offset: int) -> list[Any]:
        request = functions.upload.GetCdnFileHashesRequest(self._redirect.file_token, offset)
        answer: list[Any] = await self._invoker(request, dc=self._dc)
        return answer


def aes_ctr(key: bytes, iv: bytes, offset: int, data: bytes) -> bytes:
    """AES-256-CTR of the bytes at ``offset`` (divisible by 16) of a CDN file; the same both ways.

    The last four bytes of ``iv`` are the number of the block, big endian. The cipher itself is cryptg's: a single block
    of IGE with a zero IV is the plain block cipher.
    """
    first = int.from_bytes(iv[:-_COUNTER] + (offset // _BLOCK).to_bytes(_COUNTER, "big"), "big")
    encrypt, zero, wrap = cryptg.encrypt_ige, bytes(2 * _BLOCK), (1 << 128) - 1
    blocks = -(-len(data) // _BLOCK)
    stream = b"".join(encrypt(((first + number) & wrap).to_bytes(_BLOCK, "big"), key, zero) for number in range(blocks))
    mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream[: len(data)], "little")
    return mixed.to_bytes(len(data), "little")
