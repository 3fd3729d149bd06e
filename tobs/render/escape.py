r"""Escaping rules: message text that stays text in CommonMark, in Obsidian and in its common plugins.

Adjacent characters are separated, not only prefixed (``\[\[``, ``:\:``, ``<\%``), so that plugins that scan the raw
text (Dataview, Templater) find nothing either. Three contexts need three kinds of escaping: Markdown text
(backslashes), the inside of an HTML element (character references, correct whether or not Markdown is parsed there) and
code (a zero-width space where a plugin would react).
"""

from __future__ import annotations

import re
from html.entities import html5

ZERO_WIDTH = "\u200b"
# Characters of an Obsidian tag: U+2000-206F, U+2E00-2E7F and most ASCII punctuation are excluded.
TAG_CHAR = r"0-9A-Za-z_/\-\xa1-\u167f\u1681-\u1fff\u2070-\u2dff\u2e80-\u2fff\u3001-\U0010ffff"
#: Longest tag (characters). Longer ones would only flood the list of tags.
LONGEST_TAG = 256
_TAG = re.compile(rf"[{TAG_CHAR}]+")
_ALNUM = r"[^\W_]"
_REFERENCE = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"

# Every alternative begins with a literal, so that re finds candidates quickly by a character set.
SPECIAL = re.compile(
    rf"\\|`|\*|\[|\]|<%*|\$|~|==+|%%+|::+|{_REFERENCE}"
    rf"|_(?:(?<!{_ALNUM}_)|(?!{_ALNUM}))"
    rf"|#(?<!\S#)(?=[{TAG_CHAR}])"
    r"|\^(?<!\S\^)(?=[A-Za-z0-9-]+[^\S\n]*$)"
    r"|:(?=//)(?<=[A-Za-z0-9+.-]:)(?<!(?i:http):)(?<!(?i:https):)(?<!ftp:)(?<!tg:)(?<!ton:)",
    re.MULTILINE,
)
_HTML_SPECIAL = re.compile(rf"[\\`*_\[\]<>&$~]|:(?=//)|(?<=www)\.|#(?=[{TAG_CHAR}])|==+|%%+|::+|\^(?=[A-Za-z0-9-]+$)")

_ESCAPED = {char: "\\" + char for char in "\\`*[]$~_#^<"}
_ESCAPED |= {"<%": "<\\%", "==": "\\=\\=", "%%": "\\%\\%", "::": ":\\:", ":": ":\\"}

# Starts of lines that would begin a block; the match ends at the position of the backslash.
_STARTS = frozenset("#>-+=|:0123456789 \t")
_NEXT_START = re.compile(r"\n[#>\-+=|:0-9 \t]")
_BLOCK_START = re.compile(
    r" {0,3}(?:(?=\#{1,6}(?:[ \t]|$))|(?=>)|(?=\|)"
    r"|(?=[-+](?:[ \t]|$))|(?=-[- \t]*$)|(?==[ \t]*$)|(?=[:-][-:| \t]*$)"
    r"|[0-9]{1,9}(?=[.)](?:[ \t]|$)))"
)
_INDENT = re.compile(r" {4}| {0,3}\t")
_SPACES = re.compile(r"\s+")
_UNFIT = re.compile("[\0\ud800-\udfff]")


def escaped_token(token: str) -> str:
    """Escape a match of ``SPECIAL`` so that Markdown shows it literally."""
    known = _ESCAPED.get(token)
    if known is not None:
        return known
    first = token[0]
    if first == "&":
        return "\\" + token if token[1] == "#" or token[1:] in html5 else token
    if first == "<":
        return "<" + "\\%" * (len(token) - 1)
    if first == ":":
        return ":" + "\\:" * (len(token) - 1)
    return "".join("\\" + char for char in token)


def replace_special(match: re.Match[str]) -> str:
    """Escape a match, for ``SPECIAL.sub``."""
    return escaped_token(match[0])


def escape_text(text: str) -> str:
    """Escape text of one or more complete lines so that Markdown shows it literally."""
    return start_lines(escape_piece(text, is_last=True))


def escape_piece(text: str, *, is_last: bool = False) -> str:
    """Escape text inside a line so that Markdown shows it literally; the start of a line is not handled.

    Markup follows the text unless it ``is_last`` in its line.
    """
    escaped = SPECIAL.sub(replace_special, text)
    if "://" not in text and "www." not in text:
        return escaped
    return (_LINE_LINK if is_last else _PIECE_LINK).sub(_unlinked, escaped)


def escape_label(text: str) -> str:
    """Escape the label of a link, in which parsers do not look for links."""
    return SPECIAL.sub(replace_special, text)


# Some parsers make a link of a bare address up to the next space, including escapes and markup. An address without an
# entity in the message is written so that no parser finds it.
_LINE_LINK = re.compile(r"(?i:https?|ftp):(?=//[^\s<]*\\)|www(?=\.[^\s<]*\\)")
_PIECE_LINK = re.compile(r"(?i:https?|ftp):(?=//[^\s<]*(?:\\|\Z))|www(?=\.[^\s<]*(?:\\|\Z))")


def _unlinked(match: re.Match[str]) -> str:
    return f"{match[0]}\\"


def start_lines(escaped: str) -> str:
    """Apply ``start_line`` to every line."""
    if escaped[:1] not in _STARTS and not _NEXT_START.search(escaped):
        return escaped
    return "\n".join([start_line(line) if line[:1] in _STARTS else line for line in escaped.split("\n")])


def start_line(line: str) -> str:
    """Escape the start of a line that would begin a heading, quote, list, rule, table or code block."""
    if line[:1] not in _STARTS:
        return line
    if _INDENT.match(line):
        return "&nbsp;" + line[1:] if line.strip(" \t") else line
    match = _BLOCK_START.match(line)
    if match is None:
        return line
    at = match.end()
    return f"{line[:at]}\\{line[at:]}"


def one_line(text: str) -> str:
    """Replace every run of whitespace by one space, and characters that UTF-8 files cannot contain by U+FFFD."""
    return _SPACES.sub(" ", _UNFIT.sub("\ufffd", text)).strip()


def escape_name(text: str) -> str:
    """Escape a name, title or file name as Markdown on one line, valid at the start of a line and inside it."""
    return escape_text(one_line(text))


def escape_html(text: str) -> str:
    """Escape text inside an HTML element: character references for everything Markdown or a plugin could read."""
    return _HTML_SPECIAL.sub(_references, text)


def _references(match: re.Match[str]) -> str:
    return "".join([f"&#{ord(char)};" for char in match[0]])


_TICKS = re.compile("`+")


def code_span(code: str) -> str:
    """Render a single line of code as a code span."""
    code = code.replace("<%", f"<{ZERO_WIDTH}%")
    bare = code.lstrip()
    if bare.startswith(("=", "$=")):
        # Dataview runs inline code with this beginning.
        code = code[: len(code) - len(bare)] + ZERO_WIDTH + bare
    fence = "`"
    if "`" in code:
        runs = {len(run) for run in _TICKS.findall(code)}
        while len(fence) in runs:
            fence += "`"
        fence = "`" * (max(runs) + 1)
    if (code[0] in "` " or code[-1] in "` ") and code.strip(" "):
        code = f" {code} "
    return f"{fence}{code}{fence}"


_LANGUAGE = re.compile(r"[^A-Za-z0-9_+#.\-]")
_LIVE_LANGUAGES = frozenset(
    [
        "base",
        "button",
        "cardlink",
        "col",
        "columns",
        "custom-frames",
        "customjs",
        "datacorejs",
        "datacorejsx",
        "datacorets",
        "datacoretsx",
        "dataview",
        "dataviewjs",
        "embed",
        "gallery",
        "img-gallery",
        "js-engine",
        "leaflet",
        "query",
        "runjs",
        "sqlseal",
        "tabs",
        "tasks",
        "templater",
        "tracker",
    ]
)


def fence(code: str, language: str = "") -> str:
    """Render code as a fenced block; languages that plugins run, query or read as Markdown get the prefix ``tg-``."""
    word = language.split()[0] if language.split() else ""
    word = _LANGUAGE.sub("", word)
    if word.lower() in _LIVE_LANGUAGES or word.lower().startswith(("meta-bind", "ad-")):
        word = "tg-" + word
    runs = [len(run) for run in _TICKS.findall(code)]
    ticks = "`" * max(3, *(length + 1 for length in runs)) if runs else "```"
    body = code.replace("<%", f"<{ZERO_WIDTH}%").strip("\n")
    return f"{ticks}{word}\n{body}\n{ticks}"


def legal_tag(name: str) -> bool:
    """Return whether ``name`` (without ``#``) is a valid Obsidian tag.

    It has only legal characters, at least one of them not a digit, and at most ``LONGEST_TAG`` characters.
    """
    return len(name) <= LONGEST_TAG and _TAG.fullmatch(name) is not None and not name.isdigit() and "//" not in name
