"""Messages of a run, passed to a plugin in a file of frames, because they may be larger than the memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

from tobs.model import Message

#: Kinds of changes: a message is new, was edited or deleted on Telegram, or only its files were fetched.
ChangeKind = Literal["new", "edited", "deleted", "files"]


class NewMessage(Struct, frozen=True, omit_defaults=True):
    """A message that a run fetched, in its current form, and what happened to it (``came``).

    ``chat`` is the title of its chat, ``sender`` the name of the sender; ``note`` is its note and ``files`` are its
    files, as paths in the vault. Each is empty if there is none.
    """

    came: ChangeKind
    message: Message
    chat: str = ""
    sender: str = ""
    note: str = ""
    files: tuple[str, ...] = ()


def write_messages(file: BinaryIO, messages: Iterable[NewMessage]) -> int:
    """Write messages as frames to ``file`` and return their number."""
    count = 0
    for one in messages:
        body = _encode(one)
        file.write(len(body).to_bytes(4, "big") + body)
        count += 1
    return count


def read_messages(path: Path) -> Iterator[NewMessage]:
    """Read the messages from a file of frames."""
    with path.open("rb") as file:
        while head := file.read(4):
            yield _decode(file.read(int.from_bytes(head, "big")))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(NewMessage).decode
