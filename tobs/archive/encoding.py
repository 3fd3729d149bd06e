"""Encoding of values in the archive: models as JSON, bulk data as zlib, lists of ids as JSON for ``json_each``."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec

from tobs.errors import VaultError
from tobs.model import Chat, Message, MessageKey, Person, Topic, is_channel_id

try:
    # Four times as fast as zlib on a page; either reads what the other wrote.
    from isal.isal_zlib import compress as _compress

    # Of a text of a kilobyte, level 1 is three times as slow as level 0 and a fifth smaller.
    _SMALL, _LEVEL = 0, 1
except ImportError:
    from zlib import compress as _compress

    # Level 0 of zlib itself does not compress at all.
    _SMALL, _LEVEL = 1, 1

encode = msgspec.json.Encoder().encode
_decode_message = msgspec.json.Decoder(Message).decode
_decode_chat = msgspec.json.Decoder(Chat).decode
_decode_person = msgspec.json.Decoder(Person).decode
_decode_topic = msgspec.json.Decoder(Topic).decode


def decode_message(data: bytes) -> Message:
    """Decode the message in ``data``."""
    try:
        return _decode_message(data)
    except msgspec.DecodeError as error:
        raise _unreadable("message", error) from error


def decode_chat(data: bytes) -> Chat:
    """Decode the chat in ``data``."""
    try:
        return _decode_chat(data)
    except msgspec.DecodeError as error:
        raise _unreadable("chat", error) from error


def decode_person(data: bytes) -> Person:
    """Decode the person in ``data``."""
    try:
        return _decode_person(data)
    except msgspec.DecodeError as error:
        raise _unreadable("person", error) from error


def decode_topic(data: bytes) -> Topic:
    """Decode the topic in ``data``."""
    try:
        return _decode_topic(data)
    except msgspec.DecodeError as error:
        raise _unreadable("topic", error) from error


def pack(data: bytes, *, small: bool = False) -> bytes:
    """Compress ``data`` with zlib; ``small`` data are compressed for speed."""
    packed: bytes = _compress(data, _SMALL if small else _LEVEL)
    return packed


def unpack(data: bytes) -> bytes:
    """Decompress the bytes that ``pack`` returned."""
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise _unreadable("compressed value", error) from error


def id_list(ids: Iterable[int | str]) -> str:
    """Encode ``ids`` as one parameter: ``... IN (SELECT value FROM json_each(?))`` is the same statement for any
    number."""
    return encode(list(ids)).decode()


# ``{KEYS} SELECT ... FROM keys JOIN ...`` with ``key_list(...)`` as its first parameter.
KEYS = (
    "WITH keys (account, chat_id, id) AS ("
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))"
)


def key_list(keys: Iterable[MessageKey]) -> str:
    """Encode message keys as one parameter, for ``KEYS``."""
    return encode(list(keys)).decode()


def owner_of(account: int, chat_id: int) -> int:
    """Return the owner of a chat's message ids: 0 for channels and supergroups, which have ids of their own, else
    ``account``."""
    return 0 if is_channel_id(chat_id) else account


def _unreadable(what: str, error: Exception) -> VaultError:
    return VaultError(f"The archive holds a {what} that cannot be read ({error}).", "Put a backup of it back.")
