"""Messages that a run brought, handed to a plugin in a file of frames: they may be more than memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

from tobs.model import Message

#: What happened to a message: it is new, was edited or deleted on Telegram, or only files of it came.
Came = Literal["new", "edited", "deleted", "files"]


class NewMessage(Struct, frozen=True, omit_defaults=True):
    """A message that a run brought, as it is now, and what happened to it (``came``).

    ``chat`` is the title of its chat, ``sender`` the name of who sent it; ``note`` is its note and ``files`` are its
    files, as paths in the vault. Each is empty where there is none.
    """

    came: Came
    message: Message
    chat: str = ""
    sender: str = ""
    note: str = ""
    files: tuple[str, ...] = ()


def write_messages(file: BinaryIO, messages: Iterable[NewMessage]) -> int:
    """Write frames to ``file``; how many."""
    count = 0
    for one in messages:
        body = _encode(one)
        file.write(len(body).to_bytes(4, "big") + body)
        count += 1
    return count


def read_messages(path: Path) -> Iterator[NewMessage]:
    """The messages in a file of frames."""
    with path.open("rb") as file:
        while head := file.read(4):
            yield _decode(file.read(int.from_bytes(head, "big")))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(NewMessage).decode
