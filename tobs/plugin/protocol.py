"""Protocol between the host and a worker process: msgpack frames with a length of four bytes before each.

The host sends one ``Opening``, then several ``Batch`` frames. The worker answers ``Opened``, then one ``Answer`` per
call, in order and without delay, so that the host knows which call hangs. The type of a call determines its hook.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from tobs.plugin.api import Command, Export, FinishedRun, Item, MessageItem, RenderedNote, Run

#: Longest frame in bytes; a longer one is an error.
MAX_FRAME = 16 * 2**20


class PluginRef(Struct, frozen=True):
    """Reference to a plugin class: an importable module, or a file or package (``path``) loaded under its name."""

    module: str
    attribute: str
    path: str = ""


class Opening(Struct, frozen=True):
    """The plugin of a worker process, its configuration (msgpack) and its memory limit in bytes."""

    ref: PluginRef
    config: bytes
    memory_limit: int


class Opened(Struct, frozen=True):
    """The answer to ``Opening``; ``failure`` is empty if the plugin was created."""

    failure: str = ""


#: Input of a hook: a file (``process``), a message (``enrich``), a note (``post_render``), a run, an export, a command.
Call = Item | MessageItem | RenderedNote | Run | FinishedRun | Export | Command


class Batch(Struct, frozen=True):
    """Calls to be answered one after the other."""

    calls: tuple[Call, ...]


class Answer(Struct, frozen=True, omit_defaults=True):
    """The answer to a call: ``result`` is the value returned by the plugin (msgpack), empty for None.

    ``unreadable``: the file is at fault, not the plugin.
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
    """Encode ``value`` as msgpack; paths become bytes. Raises TypeError or OverflowError for values without a msgpack
    form.
    """
    return _encoder.encode(value)


def decoder(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder of ``kind`` that checks every type and converts bytes back to paths."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_as_path)


def frame(value: Any) -> bytes:
    """Encode ``value`` as a frame."""
    body = encode(value)
    return len(body).to_bytes(4, "big") + body


def read_frame(file: BinaryIO) -> bytes | None:
    """Read the body of the next frame from a blocking pipe; None if the other side is gone."""
    head = file.read(4)
    if len(head) < 4:
        return None
    body = file.read(int.from_bytes(head, "big"))
    return body if len(body) == int.from_bytes(head, "big") else None
