"""What the host and a worker process say to each other: msgpack frames behind a four-byte length.

The host sends one ``Opening``, then ``Batch`` after ``Batch``; the worker answers ``Opened``, then one
``Answer`` a call, in order and as soon as it has it, so that the host knows which one hangs. The type of a call says
which hook it is for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from tobs.plugin.api import Command, Export, FinishedRun, Item, MessageItem, RenderedNote, Run

#: A longer frame is a fault: no result of a plugin is that large.
MAX_FRAME = 16 * 2**20


class PluginRef(Struct, frozen=True):
    """Where a plugin's class is: a module that can be imported, or (``path``) a file or package loaded as it."""

    module: str
    attribute: str
    path: str = ""


class Opening(Struct, frozen=True):
    """The plugin a worker process is for, its configuration (msgpack) and its memory limit in bytes."""

    ref: PluginRef
    config: bytes
    memory_limit: int


class Opened(Struct, frozen=True):
    """The plugin was made; or, with a ``failure``, why it could not be."""

    failure: str = ""


#: What a plugin is called with: a file (``process``), a message (``enrich``), a note (``post_render``), a run, what it
#: brought, a command.
Call = Item | MessageItem | RenderedNote | Run | FinishedRun | Export | Command


class Batch(Struct, frozen=True):
    """Calls to be answered, one after the other."""

    calls: tuple[Call, ...]


class Answer(Struct, frozen=True, omit_defaults=True):
    """What became of a call: ``result`` is what the plugin returned (msgpack), empty for None.

    ``unreadable``: the fault is the file's, not the plugin's.
    """

    result: bytes = b""
    failure: str = ""
    unreadable: bool = False


def _as_bytes(value: Any) -> Any:
    if isinstance(value, Path):
        return os.fsencode(value)  # a path need not be UTF-8
    raise TypeError(f"a value of type {type(value).__name__}")


def _as_path(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise TypeError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")


_encoder = msgspec.msgpack.Encoder(enc_hook=_as_bytes)


def encode(value: Any) -> bytes:
    """``value`` as msgpack; paths become bytes. Raises TypeError or OverflowError for what msgpack cannot say."""
    return _encoder.encode(value)


def decoder(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    """A decoder of ``kind`` that checks every type and makes paths of bytes again."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_as_path)


def frame(value: Any) -> bytes:
    """``value`` as one frame."""
    body = encode(value)
    return len(body).to_bytes(4, "big") + body


def read_frame(file: BinaryIO) -> bytes | None:
    """The next frame's body from a blocking pipe; None when the other side is gone."""
    head = file.read(4)
    if len(head) < 4:
        return None
    body = file.read(int.from_bytes(head, "big"))
    return body if len(body) == int.from_bytes(head, "big") else None
