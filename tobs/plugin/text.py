"""Text helpers for plugins: foreign text as Markdown, and exceptions as the reason of a failure."""

from __future__ import annotations

import re

# Adjacent characters are separated, not only prefixed (``\[\[``, ``:\:``, ``\<\%``), so that Obsidian plugins that scan
# raw text find nothing either.
_SPECIAL = re.compile(r"[\\`*_\[\]<>#~|$^&]|(?<=[<%])%|(?<==)=|(?<=:):|(?<!http)(?<!https):(?=//)", re.IGNORECASE)
_START = re.compile(r"^(?:[-+=:]|[0-9]{1,9}(?=[.)]))", re.MULTILINE)
_INDENT = re.compile(r"^[^\S\n]+", re.MULTILINE)
_UNFIT = re.compile("[\0\ud800-\udfff]")
_MAX_REASON = 200
_PATH = re.compile(r""":?\s*(['"])(?:/|[A-Za-z]:[\\/])[^'"]*\1""")


def escaped(text: str) -> str:
    """Escape ``text`` so that Markdown shows it literally, with its line ends.

    Nothing in it becomes a heading, list, link, tag, formula or HTML. Indentation is lost.
    """
    text = _INDENT.sub("", _UNFIT.sub("\ufffd", text))
    return _START.sub(_at_start, _SPECIAL.sub(_backslashed, text))


def _backslashed(match: re.Match[str]) -> str:
    # A colon before slashes stays unchanged, because an escaped one looks different: the slash gets the backslash.
    return ":\\" if match[0] == ":" and match.string[match.end() : match.end() + 2] == "//" else "\\" + match[0]


def _at_start(match: re.Match[str]) -> str:
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]


def reason_of(error: Exception) -> str:
    """Return ``error`` as one line of at most 200 characters, without file paths.

    The paths are those of a temporary work folder, which is gone when the report is read.
    """
    name = type(error).__name__
    text = getattr(error, "strerror", None) or str(error) or (name if name.lower() != "error" else "it is damaged")
    return " ".join(_PATH.sub("", str(text)).split())[:_MAX_REASON]
