"""Text from elsewhere as Markdown, for plugins that write Markdown."""

from __future__ import annotations

import re

# Adjacency is broken, not just prefixed (``\[\[``, ``:\:``, ``\<\%``), so that plugins of Obsidian that scan raw text
# see nothing either.
_SPECIAL = re.compile(r"[\\`*_\[\]<>#~|$^&]|(?<=[<%])%|(?<==)=|(?<=:):|(?<!http)(?<!https):(?=//)", re.IGNORECASE)
_START = re.compile(r"^(?:[-+=:]|[0-9]{1,9}(?=[.)]))", re.MULTILINE)
_INDENT = re.compile(r"^[^\S\n]+", re.MULTILINE)
_UNFIT = re.compile("[\0\ud800-\udfff]")


def escaped(text: str) -> str:
    """``text`` as Markdown that shows it as it stands, with its line ends; what would be a heading, list, link, tag,
    formula or HTML is none. Indentation is lost."""
    text = _INDENT.sub("", _UNFIT.sub("\ufffd", text))
    return _START.sub(_at_start, _SPECIAL.sub(_backslashed, text))


def _backslashed(match: re.Match[str]) -> str:
    # Before slashes a colon stays as it is, or it would not be shown alike: the slash gets the backslash.
    return ":\\" if match[0] == ":" and match.string[match.end() : match.end() + 2] == "//" else "\\" + match[0]


def _at_start(match: re.Match[str]) -> str:
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]
