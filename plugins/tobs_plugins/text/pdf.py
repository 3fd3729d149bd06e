"""The text of a PDF, by pypdf."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

from msgspec import Struct

from tobs.plugin import reason_of

#: Exceptions of pypdf for damaged files, besides its own.
_DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, NotImplementedError),
    *(OverflowError, RecursionError, ZeroDivisionError, OSError, EOFError, struct.error, zlib.error),
)

_SPACES = re.compile(r"[^\S\n]+")
_BLANK = re.compile(r"\n{3,}")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")


class NotPdf(Exception):
    """The file is no PDF that can be read."""


class Pdf(Struct, frozen=True):
    """Number of ``pages`` in all, and the ``text`` of the first ones; ``is_whole`` if nothing was left out."""

    pages: int
    text: str
    is_whole: bool


def read_pdf(path: Path, *, pages: int, length: int) -> Pdf | None:
    """Read the text of the first ``pages`` pages of the PDF at ``path``, at most ``length`` characters.

    Return None for a PDF with a password. A damaged page has no text. Raises NotPdf.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            return None
        count = len(reader.pages)
    except DependencyError:  # a cipher that needs another package
        return None
    except (PyPdfError, *_DAMAGE) as error:
        raise NotPdf(f"not readable as a PDF: {reason_of(error)}") from error
    parts, so_far = [], 0
    for number in range(min(pages, count)):
        try:
            text = _tidy(reader.pages[number].extract_text())
        except (PyPdfError, *_DAMAGE):
            continue
        if text:
            parts.append(text)
            so_far += len(text) + 2
        if so_far > length:
            break
    text = "\n\n".join(parts)
    return Pdf(count, _cut(text, length), count <= pages and len(text) <= length)


def _tidy(text: str) -> str:
    """Remove spaces of the page layout and invisible characters."""
    lines = [line.strip() for line in _SPACES.sub(" ", _UNSEEN.sub(" ", text)).split("\n")]
    return _BLANK.sub("\n\n", "\n".join(lines)).strip()


def _cut(text: str, length: int) -> str:
    """Cut ``text`` after a word, to at most ``length`` characters."""
    if len(text) <= length:
        return text
    kept = text[: length - 1]
    return (kept.rsplit(None, 1)[0] if len(kept.split(None, 1)) > 1 else kept).rstrip() + "…"
