r"""Streaming reader of JSON files of any size: only the requested value is held in memory.

Example: ``stream = JsonStream(file)``, then ``for key in stream.members()``, and for each key ``stream.items()`` or
``stream.value()``.

Values are parsed by the scanner of the standard library (written in C) as soon as they are complete in the buffer.
Invalid JSON of the exporter is repaired: control characters such as ``\x1F``. For a repeated key the last value
counts; an earlier one is stored as ``key#1``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

#: Characters read at a time; a value may be longer.
CHUNK = 1 << 18
#: Longest value of an export in characters; a longer one is not from an export.
LARGEST = 1 << 26

#: Text after the digits of an incomplete number: `1.`, `1e-`.
_OF_NUMBER = re.compile(r"[.eE]?[+-]?")
_SPACE = re.compile(r"[ \t\n\r]*")
# An escaped backslash is a pair of backslashes.
_BAD_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")


class Truncated(Exception):
    """Raised if the file ends inside a value; ``at`` is the number of complete characters."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the file ends after {at} characters")
        self.at = at


class NotJson(Exception):
    """Raised for text that is not JSON; ``at`` is its position (characters), ``found`` the text there."""

    def __init__(self, at: int, found: str) -> None:
        super().__init__(f"no JSON at character {at}: {found!r}")
        self.at = at


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                made[f"{key}#1"] = seen[key]
            seen[key] = value
    return made


_scan = json.JSONDecoder(object_pairs_hook=_object, strict=False).raw_decode


class JsonStream:
    """Forward-only reader. Raises Truncated and NotJson."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer = ""
        self._at = 0
        self._before = 0
        self._is_end = False

    @property
    def position(self) -> int:
        """Return the number of characters read."""
        return self._before + self._at

    def members(self) -> Iterator[str]:
        """Yield the keys of the next object; the value of each must be read before the next key."""
        self._expect("{")
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise self._wrong()
            self._expect(":")
            yield key
            if not self._goes_on("}"):
                return

    def items(self) -> Iterator[Any]:
        """Yield the values of the next array."""
        for _ in self.elements():
            yield self.value()

    def elements(self) -> Iterator[None]:
        """Stop before each value of the next array; the value must be read before continuing."""
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if not self._goes_on("]"):
                return

    def value(self) -> Any:
        """Read the complete next value."""
        self._peek()
        while True:
            try:
                value, end = _scan(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._repair():
                    continue
                if not self._is_cut(error):
                    raise self._wrong() from error
                if not self._more():
                    raise Truncated(self.position) from error
                continue
            # A number may continue in text that is not read yet.
            if not self._is_end and _OF_NUMBER.fullmatch(self._buffer, end):
                self._more()
                continue
            self._at = end
            return value

    def peek(self) -> str:
        """Return the first character of the next value."""
        return self._peek()

    def _goes_on(self, closing: str) -> bool:
        sign = self._peek()
        self._at += 1
        if sign not in (",", closing):
            raise self._wrong()
        return sign == ","

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._wrong()
        self._at += 1

    def _peek(self) -> str:
        while True:
            match = _SPACE.match(self._buffer, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                raise Truncated(self.position)

    def _more(self) -> bool:
        """Read more text; False at the end of the file. A long value is read in growing steps."""
        if self._is_end:
            return False
        rest = self._buffer[self._at :]
        text = self._file.read(max(CHUNK, len(rest)))
        if not text:
            self._is_end = True
            return False
        self._before += self._at
        self._buffer, self._at = rest + text, 0
        return True

    def _repair(self) -> bool:
        """Replace the exporter's own escapes by those of JSON; returns whether there were any."""
        mended, count = _BAD_ESCAPE.subn(r"\1\\u00\2", self._buffer[self._at :])
        if count:
            self._buffer, self._at, self._before = mended, 0, self._before + self._at
        return count > 0

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether a value may be incomplete only because the buffer ends."""
        at_end = error.msg.startswith("Unterminated") or error.pos >= len(self._buffer) - _TAIL
        return at_end and len(self._buffer) - self._at < LARGEST

    def _wrong(self) -> NotJson:
        return NotJson(self.position, self._buffer[self._at : self._at + 40])


#: Longest incomplete number, literal or escape in characters.
_TAIL = 12
