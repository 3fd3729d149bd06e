"""Objects of an export as written, chat by chat and message by message, from JSON or HTML."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from tobs.sources.desktop.files import ExportFiles
from tobs.sources.desktop.html import read_html
from tobs.sources.desktop.stream import JsonStream
from tobs.sources.desktop.values import as_int

_LISTS = frozenset({"chats", "left_chats"})


class RawChat(Struct):
    """A chat that is being read: its header is complete once all ``messages`` are read."""

    header: dict[str, Any]
    messages: Iterator[dict[str, Any]]


class RawExport(Struct):
    """An export that is being read: everything except chats is collected in ``rest``."""

    chats: Iterator[RawChat]
    rest: dict[str, Any]


def read_export(stream: JsonStream) -> RawExport:
    """Yield the chats of an export one after the other; the messages of each must be read before the next chat.

    Raises Truncated and NotJson during reading.
    """
    rest: dict[str, Any] = {}
    return RawExport(_chats(stream, rest), rest)


def _chats(stream: JsonStream, rest: dict[str, Any]) -> Iterator[RawChat]:
    for key in stream.members():
        if key in _LISTS and stream.peek() == "{":
            for inner in stream.members():
                if inner == "list" and stream.peek() == "[":
                    for _ in stream.elements():
                        yield from _chat(stream)
                else:
                    stream.value()
        elif key == "messages" and stream.peek() == "[":
            yield RawChat(rest, _messages(stream))
        else:
            rest[key] = stream.value()


def _chat(stream: JsonStream) -> Iterator[RawChat]:
    header: dict[str, Any] = {}
    for key in stream.members():
        if key == "messages" and stream.peek() == "[":
            yield RawChat(header, _messages(stream))
        else:
            header[key] = stream.value()


def _messages(stream: JsonStream) -> Iterator[dict[str, Any]]:
    for value in stream.items():
        if isinstance(value, dict) and as_int(value.get("id")):
            yield value


@contextmanager
def open_raw(files: ExportFiles) -> Iterator[RawExport]:
    """Open the objects of an export. Raises UsageError; Truncated and NotJson during reading."""
    if files.is_html:
        header: dict[str, Any] = dict(files.chat)
        yield RawExport(iter([RawChat(header, read_html(files.open_pages(), header))]), {})
        return
    with files.open_result() as file:
        yield read_export(JsonStream(file))
