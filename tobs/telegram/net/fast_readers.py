"""Fast readers for the TL constructors that are frequent in a history.

Telethon's generated readers fetch each field by itself, and its ``Message`` prepares an interface that tobs does not
use. A constructor's number is the checksum of its line of the schema, so a constructor with changed fields gets another
number and is read by Telethon again. Source: https://core.telegram.org/mtproto/TL#formal-description-of-tl-combinators
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from telethon.tl import types
from telethon.tl.alltlobjects import tlobjects


class Stream(Protocol):
    """Input of a reader: bytes and the position of the next one."""

    stream: bytes
    position: int

    def read_int(self) -> int: ...
    def read_long(self) -> int: ...
    def tgread_date(self) -> int: ...
    def tgread_string(self) -> str: ...
    def tgread_object(self) -> Any: ...


Read = Callable[[Any], Any]
"""Function that reads the fields behind a constructor's number."""

_unpack_int, _unpack_3_ints, _unpack_long, _unpack_entity = (
    struct.Struct(f"<{codes}").unpack_from for codes in ("i", "iii", "q", "Iii")
)

# message#7600b9d3: the bits of its first flags that are booleans, and those of the fields that are read here.
_MESSAGE = 0x7600B9D3
_BOOLEAN_FLAGS = {
    "out": 1 << 1,
    "mentioned": 1 << 4,
    "media_unread": 1 << 5,
    "silent": 1 << 13,
    "post": 1 << 14,
    "from_scheduled": 1 << 18,
    "legacy": 1 << 19,
    "edit_hide": 1 << 21,
    "pinned": 1 << 24,
    "noforwards": 1 << 26,
    "invert_media": 1 << 27,
}
_SECOND_FLAGS = ("offline", "video_processing_pending", "paid_suggested_post_stars", "paid_suggested_post_ton")
_FROM, _FORWARD, _REPLY, _MEDIA, _MARKUP, _ENTITIES = 1 << 8, 1 << 2, 1 << 3, 1 << 9, 1 << 6, 1 << 7
_VIEWS, _REPLIES, _EDITED, _AUTHOR, _GROUP, _REACTIONS = 1 << 10, 1 << 23, 1 << 15, 1 << 16, 1 << 17, 1 << 20
_BOOLEAN_BITS = sum(_BOOLEAN_FLAGS.values())
_FIELD_BITS = (
    _FROM | _FORWARD | _REPLY | _MEDIA | _MARKUP | _ENTITIES | _VIEWS | _REPLIES | _EDITED | _AUTHOR | _GROUP
) | _REACTIONS
_RARE = ~(_BOOLEAN_BITS | _FIELD_BITS)
_NO_FIELDS = {name: None for name in vars(types.Message(0, None)) if not name.startswith("_")}


class PlainMessage(types.Message):  # type: ignore[misc]  # telethon is untyped
    """A message with its fields alone, without Telethon's client, sender and chat."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__ = _NO_FIELDS | fields
        _drop_empty_media(self)


def _drop_empty_media(message: Any) -> None:
    # As Telethon does: empty media is None.
    if type(message.media) is types.MessageMediaEmpty:
        message.media = None


@cache
def _blank(boolean_flags: int) -> dict[str, Any]:
    """Return the fields of a message with nothing set but ``boolean_flags``; cached."""
    named = {name: bool(boolean_flags & bit) for name, bit in _BOOLEAN_FLAGS.items()}
    return _NO_FIELDS | named | dict.fromkeys(_SECOND_FLAGS, False)


def _read_message(reader: Stream) -> Any:
    """Read a message with the usual fields; Telethon reads the others."""
    flags, more, number = _unpack_3_ints(reader.stream, reader.position)
    if more or flags & _RARE:
        return PlainMessage.from_reader(reader)
    reader.position += 12
    fields = _blank(flags & _BOOLEAN_BITS).copy()
    fields["id"] = number
    if flags & _FROM:
        fields["from_id"] = reader.tgread_object()
    fields["peer_id"] = reader.tgread_object()
    if flags & _FORWARD:
        fields["fwd_from"] = reader.tgread_object()
    if flags & _REPLY:
        fields["reply_to"] = reader.tgread_object()
    fields["date"] = reader.tgread_date()
    fields["message"] = reader.tgread_string()
    if flags & _MEDIA:
        fields["media"] = reader.tgread_object()
    if flags & _MARKUP:
        fields["reply_markup"] = reader.tgread_object()
    if flags & _ENTITIES:
        fields["entities"] = _read_entities(reader)
    if flags & _VIEWS:
        fields["views"], fields["forwards"] = reader.read_int(), reader.read_int()
    if flags & _REPLIES:
        fields["replies"] = reader.tgread_object()
    if flags & _EDITED:
        fields["edit_date"] = reader.tgread_date()
    if flags & _AUTHOR:
        fields["post_author"] = reader.tgread_string()
    if flags & _GROUP:
        fields["grouped_id"] = reader.read_long()
    if flags & _REACTIONS:
        fields["reactions"] = reader.tgread_object()
    message = PlainMessage.__new__(PlainMessage)
    message.__dict__ = fields
    if flags & _MEDIA:
        _drop_empty_media(message)
    return message


def _is_plain_entity(kind: Any) -> bool:
    """Return whether a constructor is an entity with nothing but offset and length."""
    is_entity = kind.SUBCLASS_OF_ID == types.MessageEntityBold.SUBCLASS_OF_ID
    return bool(is_entity and kind.__init__.__code__.co_varnames == ("self", "offset", "length"))


_PLAIN_ENTITIES = {kind.CONSTRUCTOR_ID: kind for kind in tlobjects.values() if _is_plain_entity(kind)}


def _read_entities(reader: Stream) -> list[Any]:
    """Read a vector of entities, most of which are a number, an offset and a length."""
    stream, position = reader.stream, reader.position
    entities: list[Any] = []
    (count,) = _unpack_int(stream, position + 4)
    position += 8
    for _ in range(count):
        code, offset, length = _unpack_entity(stream, position)
        kind = _PLAIN_ENTITIES.get(code)
        if kind is not None:
            entities.append(kind(offset, length))
            position += 12
        else:
            reader.position = position
            entities.append(reader.tgread_object())
            position = reader.position
    reader.position = position
    return entities


def _read_id(kind: Any) -> Read:
    def read(reader: Stream) -> Any:
        position = reader.position
        reader.position = position + 8
        return kind(_unpack_long(reader.stream, position)[0])

    return read


def readers() -> dict[int, Read]:
    """Return the reader of each constructor of the layer: constructor number -> function."""
    found: dict[int, Read] = {code: kind.from_reader for code, kind in tlobjects.items()}
    found |= {kind.CONSTRUCTOR_ID: _read_id(kind) for kind in (types.PeerUser, types.PeerChat, types.PeerChannel)}
    if types.Message.CONSTRUCTOR_ID == _MESSAGE:
        found[_MESSAGE] = _read_message
    return found
