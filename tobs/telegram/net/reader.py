"""Readers of TL answers: a faster reader, and history answers split into messages with their raw bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import types
from telethon.tl.core import core_objects

from tobs.telegram.net.fast_readers import readers

LAYER_ERRORS = (TypeNotFoundError, BufferError, struct.error, RuntimeError, IndexError)
"""Errors of Telethon's generated readers for bytes that this layer does not know."""

# Called about thirty times for each message.
_int, _uint, _long, _ulong, _double = (struct.Struct(f"<{code}").unpack_from for code in "iIqQd")
_reader_of = readers().get
_VECTOR, _TRUE, _FALSE = 0x1CB5C415, 0x997275B5, 0xBC799737
_EMPTY_VECTOR = struct.pack("<Ii", _VECTOR, 0)


class Reader(BinaryReader):  # type: ignore[misc]  # telethon is untyped
    """Telethon's reader with compiled formats; dates stay Unix seconds (ints), which its objects serialise alike."""

    stream: bytes
    position: int

    def read_byte(self) -> int:
        value = self.stream[self.position]
        self.position += 1
        return value

    def read_int(self, signed: bool = True) -> int:
        position = self.position
        self.position = position + 4
        value: int = (_int if signed else _uint)(self.stream, position)[0]
        return value

    def read_long(self, signed: bool = True) -> int:
        position = self.position
        self.position = position + 8
        value: int = (_long if signed else _ulong)(self.stream, position)[0]
        return value

    def read_double(self) -> float:
        position = self.position
        self.position = position + 8
        value: float = _double(self.stream, position)[0]
        return value

    def tgread_date(self) -> int:
        return self.read_int()

    def tgread_bytes(self) -> bytes:
        stream, begin = self.stream, self.position
        length = stream[begin]
        start = begin + 1
        if length == 254:
            length = stream[start] | stream[start + 1] << 8 | stream[start + 2] << 16
            start += 3
        end = start + length
        if end > len(stream):
            raise BufferError(f"{length} bytes announced, {len(stream) - start} left")
        self.position = end + (begin - end) % 4
        return stream[start:end]

    def tgread_string(self) -> str:
        return str(self.tgread_bytes(), "utf-8", "replace")

    def tgread_object(self) -> Any:
        position = self.position
        self.position = position + 4
        read = _reader_of(code := _uint(self.stream, position)[0])
        if read is not None:
            return read(self)
        if code == _TRUE:
            return True
        if code == _FALSE:
            return False
        if code == _VECTOR:
            return [self.tgread_object() for _ in range(self.read_int())]
        core = core_objects.get(code)
        if core is None:
            raise TypeNotFoundError(code, b"")
        return core.from_reader(self)


def parse(body: bytes) -> Any:
    """Read the TL object in ``body``. Raises one of LAYER_ERRORS."""
    return Reader(body).tgread_object()


@dataclass(slots=True)
class HistoryAnswer:
    """A ``messages.Messages`` split into its parts, newest message first as sent.

    ``newer`` is the number of messages of the chat newer than the first one here, 0 when not given. ``total`` is the
    number of messages in the answer, ``messages`` are the readable ones, each with its bytes; there are fewer than
    ``total`` when one has a constructor that this layer does not know (``reason`` names it).
    """

    count: int = 0
    pts: int = 0
    newer: int = 0
    total: int = 0
    messages: list[tuple[Any, bytes]] = field(default_factory=list)
    chats: list[Any] = field(default_factory=list)
    users: list[Any] = field(default_factory=list)
    tail: bytes = b""
    reason: str = ""

    @property
    def complete(self) -> bool:
        """True when every message could be read."""
        return len(self.messages) == self.total


def read_history(body: bytes) -> HistoryAnswer:
    """Split a history answer. Unknown constructors inside raise nothing: see ``HistoryAnswer.reason``."""
    reader = Reader(body)
    code = reader.read_int(signed=False)
    answer = HistoryAnswer()
    if code == types.messages.MessagesNotModified.CONSTRUCTOR_ID:
        answer.count = reader.read_int()
        return answer
    if code == types.messages.ChannelMessages.CONSTRUCTOR_ID:
        flags, answer.pts, answer.count = reader.read_int(), reader.read_int(), reader.read_int()
        if flags & 4:
            answer.newer = reader.read_int()
    elif code == types.messages.MessagesSlice.CONSTRUCTOR_ID:
        flags, answer.count = reader.read_int(), reader.read_int()
        if flags & 1:
            reader.read_int()  # next_rate
        if flags & 4:
            answer.newer = reader.read_int()
        if flags & 8:
            reader.tgread_object()
    elif code != types.messages.Messages.CONSTRUCTOR_ID:
        raise TypeNotFoundError(code, b"")
    reader.read_int()
    answer.total = reader.read_int()
    try:
        for _ in range(answer.total):
            start = reader.position
            message = reader.tgread_object()
            answer.messages.append((message, body[start : reader.position]))
        start = reader.position
        reader.tgread_object()
        answer.chats = reader.tgread_object()
        answer.users = reader.tgread_object()
        answer.tail = body[start : reader.position]
    except LAYER_ERRORS as error:
        answer.reason = _reason(error)
    if code == types.messages.Messages.CONSTRUCTOR_ID:
        answer.count = answer.total
    return answer


def pack_messages(raws: list[bytes], tail: bytes) -> bytes:
    """Build a ``messages.messages`` with the messages ``raws``; ``tail`` holds topics, chats and users as sent."""
    head = struct.pack("<IIi", types.messages.Messages.CONSTRUCTOR_ID, _VECTOR, len(raws))
    return b"".join((head, *raws, tail or _EMPTY_VECTOR * 3))


def pack_tail(chats: list[Any], users: list[Any]) -> bytes:
    """Build the tail of ``pack_messages`` from objects: no topics, ``chats`` and ``users``."""
    return _EMPTY_VECTOR + _vector(chats) + _vector(users)


def _vector(items: list[Any]) -> bytes:
    return struct.pack("<Ii", _VECTOR, len(items)) + b"".join(bytes(item) for item in items)


def _reason(error: BaseException) -> str:
    if isinstance(error, TypeNotFoundError):
        return f"constructor {error.invalid_constructor_id:08x} is newer than this tobs"
    return f"unreadable bytes ({type(error).__name__})"
