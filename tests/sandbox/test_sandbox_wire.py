"""Transports and the key exchange in both forms, and the answers to broken clients."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from hashlib import sha1, sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.tl import functions, types

from tobs.sandbox import Sandbox
from tobs.sandbox.crypto.envelope import BadEnvelope, Inner, seal, unseal
from tobs.sandbox.crypto.handshake import DH_PRIME, Handshake, HandshakeFailed
from tobs.sandbox.crypto.keys import ServerKey, process_key
from tobs.sandbox.rpc import gzipped

CONNECTIONS = (ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated)


@pytest.mark.parametrize("connection", CONNECTIONS, ids=lambda connection: connection.__name__)
async def test_stock_telethon_talks_over_each_of_its_transports(sandbox: Sandbox, connect, connection: type) -> None:
    async with connect(connection=connection) as client:
        assert len(await client.get_messages(sandbox.ready.targets[0], 30)) == 30


def plain(body: bytes) -> bytes:
    return struct.pack("<qqi", 0, int(time.time()) << 32, len(body)) + body


def rsa_pad(data: bytes, key: ServerKey) -> bytes:
    """Encrypt with RSA_PAD as a client does (core.telegram.org/mtproto/auth_key)."""
    padded = data + os.urandom(192 - len(data))
    while True:
        temp_key = os.urandom(32)
        hashed = padded[::-1] + sha256(temp_key + padded).digest()
        cipher = bytes(AES.encrypt_ige(hashed, temp_key, bytes(32)))
        block = bytes(a ^ b for a, b in zip(temp_key, sha256(cipher).digest(), strict=True)) + cipher
        if int.from_bytes(block, "big") < key.public.n:
            return pow(int.from_bytes(block, "big"), key.public.e, key.public.n).to_bytes(256, "big")


def open_exchange(handshake: Handshake, key: ServerKey, *, dc: int = 2) -> tuple[Any, int, bytes]:
    """Run the first two steps with RSA_PAD; return the server's DH data, the new nonce and the inner data."""
    nonce = int.from_bytes(os.urandom(16), "little", signed=True)
    new_nonce = int.from_bytes(os.urandom(32), "little", signed=True)
    answer, _ = handshake.answer(plain(bytes(functions.ReqPqMultiRequest(nonce))))
    offer = BinaryReader(answer).tgread_object()
    p, q = (number.to_bytes(4, "big") for number in (1229739323, 1402015859))
    assert int.from_bytes(offer.pq, "big") == 1229739323 * 1402015859
    inner = bytes(types.PQInnerDataDc(offer.pq, p, q, nonce, offer.server_nonce, new_nonce, dc))
    fingerprint = offer.server_public_key_fingerprints[0]
    request = functions.ReqDHParamsRequest(nonce, offer.server_nonce, p, q, fingerprint, rsa_pad(inner, key))
    answer, _ = handshake.answer(plain(bytes(request)))
    return BinaryReader(answer).tgread_object(), new_nonce, inner


def test_the_modern_handshake_agrees_on_a_key() -> None:
    key = process_key()
    handshake = Handshake(key, 2)
    offer, new_nonce, _ = open_exchange(handshake, key)
    aes = generate_key_data_from_nonce(offer.server_nonce, new_nonce)
    opened = bytes(AES.decrypt_ige(offer.encrypted_answer, *aes))
    server = BinaryReader(opened[20:]).tgread_object()
    assert opened[:20] == sha1(bytes(server)).digest()
    secret = int.from_bytes(os.urandom(256), "big")
    g_b = pow(server.g, secret, DH_PRIME).to_bytes(256, "big")
    data = bytes(types.ClientDHInnerData(offer.nonce, offer.server_nonce, 0, g_b))
    data = sha1(data).digest() + data
    data += os.urandom(-len(data) % 16)
    request = functions.SetClientDHParamsRequest(offer.nonce, offer.server_nonce, bytes(AES.encrypt_ige(data, *aes)))
    answer, agreed = handshake.answer(plain(bytes(request)))
    mine = pow(int.from_bytes(server.g_a, "big"), secret, DH_PRIME).to_bytes(256, "big")
    assert agreed is not None and agreed.key == mine
    done = BinaryReader(answer).tgread_object()
    assert done.new_nonce_hash1 == AuthKey(mine).calc_new_nonce_hash(new_nonce, 1)


def test_a_client_that_means_another_data_centre_is_told() -> None:
    with pytest.raises(HandshakeFailed) as caught:
        open_exchange(Handshake(process_key(), 2), process_key(), dc=4)
    assert caught.value.code == -444


async def test_an_unknown_auth_key_gets_transport_error_404(sandbox: Sandbox) -> None:
    host, _, port = sandbox.ready.server.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    packet = os.urandom(8 + 16 + 64)
    writer.write(b"\xee" * 4 + struct.pack("<I", len(packet)) + packet)
    assert struct.unpack("<ii", await reader.readexactly(8)) == (4, -404)
    writer.close()


async def test_garbage_ends_the_connection_and_not_the_server(sandbox: Sandbox, connect) -> None:
    host, _, port = sandbox.ready.server.partition(":")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n" + b"x" * 64, b"\xef\x02" + b"\x00" * 8, os.urandom(200)):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(garbage)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
    async with connect() as client:
        assert await client.is_user_authorized()


@given(body=st.binary(max_size=500).map(lambda data: data + bytes(-len(data) % 4)), seq=st.integers(0, 2**31 - 1))
@settings(max_examples=50, deadline=None)
def test_an_envelope_of_a_client_opens_and_a_changed_one_does_not(body: bytes, seq: int) -> None:
    key = bytes(range(256))
    inner = Inner(7, -5, 1 << 40, seq, body)
    packet = bytearray(client_seal(key, 99, inner))
    assert unseal(key, bytes(packet)) == inner
    packet[-1] ^= 1
    with pytest.raises(BadEnvelope):
        unseal(key, bytes(packet))
    assert seal(key, 99, inner)[:8] == struct.pack("<Q", 99)


def client_seal(key: bytes, key_id: int, inner: Inner) -> bytes:
    from telethon.network.mtprotostate import MTProtoState

    data = struct.pack("<qqqii", inner.salt, inner.session_id, inner.msg_id, inner.seq_no, len(inner.body)) + inner.body
    data += os.urandom(-(len(data) + 12) % 16 + 12)
    msg_key = sha256(key[88:120] + data).digest()[8:24]
    sealed = bytes(AES.encrypt_ige(data, *MTProtoState._calc_key(key, msg_key, True)))
    return struct.pack("<Q", key_id) + msg_key + sealed


def test_gzip_is_used_only_where_it_helps() -> None:
    noise = os.urandom(600)
    assert gzipped(noise) == noise
    assert len(gzipped(b"a" * 600)) < 100
