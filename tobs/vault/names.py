"""Rules for names of files and folders in the vault, each with its reason.

A name is one path part, without its suffix unless said otherwise. The input is untrusted (a title, a sender, a file
name, the words of a message). The output is legal on Linux, macOS, Windows and Android, can be linked to in Obsidian,
and stays the same when cleaned again. All rules hold on every system, because people sync their vaults. Sources:
Obsidian's own file name check and the official importer's sanitiser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from unicodedata import normalize

from tobs.model import path_key, utf16_length

UNTITLED = "Untitled"

#: Folders tobs keeps below `Telegram/` and below a chat: a chat or person of that name becomes `Name (id)`.
RESERVED = frozenset(path_key(name) for name in ("People", "Audio", "Inbox", "Topics", "Comments", "Pages", "media"))

#: Linux allows 255 bytes a name; 15 are left for what sync tools append (`.sync-conflict…`, ` (1)`).
MAX_BYTES = 240
#: Windows allows 260 UTF-16 units a path; 100 are left for where the vault lies (the importer's budget).
MAX_PATH = 160
#: Chats and people: the folder and the note inside it both carry the name, and must fit ``MAX_PATH``.
MAX_TITLE = 60
#: Topics: their folder and note lie in the folder of a chat.
MAX_TOPIC = 36
#: A file's own name may be longer: no folder in its path repeats it.
MAX_FILE = 100
#: The first words of a message in the name of its note.
MAX_WORDS = 48
#: A path over its budget shortens its last name, but never below this many units.
MIN_NAME = 24

# Bidirectional controls reorder what is shown (`gpj.exe`), the others are simply not there for a reader.
# Joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji are spelled with them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0 and C1 controls that are no white space
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u00ad\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # soft hyphen, zero width space, BOM, annotations
    "\ud800-\udfff\ufffe\uffff]"  # lone surrogates and noncharacters cannot be encoded or synced
)
# Letters that draw nothing: people name themselves with them to have no name.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# `\ /` part a path; `: * ? " < > |` are illegal on Windows and Android; `# ^ [ ] |` end or break a wikilink; `%%`
# starts a comment. Between two words they become a space (`10:30`), at the edge of one they go (`“Hello?”`).
# White space is single spaces by then; a space with none of these beside it is left alone.
_FORBIDDEN = re.compile(rf' ?[:*?"<>|#^\[\]{_BLANK}][:*?"<>|#^\[\] {_BLANK}]*|%%+')
_FORBIDDEN_MARKS = '%:*?"<>|#^[]'
_BEFORE_WORD = "([{“‘«„¿¡"
_AFTER_WORD = ".,;!)]}”’»…،؛؟。、！？"
_SPACES = re.compile(" {2,}")
# Windows opens the device whatever the extension; ¹²³ count as digits there.
_DEVICE = re.compile(r"\A(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE)
# A leading dot hides the file, Windows drops trailing dots and spaces, and a joiner needs something to join.
_EDGES = " .\u200c\u200d"

_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://(?:[^\s/?#@]*@)?([^\s/?#:]*)\S*", re.IGNORECASE)
# Punctuation that marks up a line, or leads to something that was cut off.
_DANGLING = " ,;-–—(«„“‘&+=~_*`"


def clean_name(text: str, *, limit: int = MAX_TITLE, max_bytes: int = MAX_BYTES) -> str:
    """Return ``text`` as a legal name of at most ``limit`` UTF-16 units and ``max_bytes`` UTF-8 bytes (both at least
    16).

    Empty if nothing legible is left; the caller chooses a name then.
    """
    # Nothing behind the first few thousand characters can reach the name: a 70,000-character title costs no more.
    name = text[: 64 * limit]
    if not (name.isascii() and name.isprintable()):
        name = normalize("NFC", _INVISIBLE.sub("", name))
    name = " ".join(name.replace("/", "-").replace("\\", "-").split())
    name = _FORBIDDEN.sub(_gap, name)
    if "  " in name:
        name = _SPACES.sub(" ", name)
    name = name.strip(_EDGES)
    if _DEVICE.match(name):
        name = _DEVICE.sub(r"\1_", name)
    return shorten(name, limit, max_bytes)


def _gap(match: re.Match[str]) -> str:
    """Return the replacement of forbidden characters: a space if they stood between two words."""
    before, after = match.string[max(match.start() - 1, 0) : match.start()], match.string[match.end() : match.end() + 1]
    parts = match[0].strip(_FORBIDDEN_MARKS) != "" or not (before in _BEFORE_WORD or after in _AFTER_WORD)
    return " " if parts else ""


def shorten(name: str, limit: int, max_bytes: int = MAX_BYTES) -> str:
    """Cut ``name`` to ``limit`` UTF-16 units and ``max_bytes`` UTF-8 bytes: at a space if one is near, never inside a
    code point."""
    if utf16_length(name) <= limit and _bytes(name) <= max_bytes:
        return name
    if name.isascii():
        end = min(limit, max_bytes)
    else:
        # "ignore" drops the half of a character that the cut left at the end.
        head = name.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
        end = len(head.encode()[:max_bytes].decode("utf-8", "ignore"))
    space = name.rfind(" ", 0, end + 1)
    return name[: space if space > end // 2 else end].strip(_EDGES)


def candidates(title: str, id: int | str, *, limit: int = MAX_TITLE) -> Iterator[str]:
    """Yield the names for a chat, person or topic, best first: `Name`, `Name (id)`, `Name (id) 2`, …

    A reserved name starts at `Name (id)`; a name without legible characters is `Untitled`. The archive claims the first
    free one.
    """
    name = clean_name(title, limit=limit) or UNTITLED
    if path_key(name) not in RESERVED:
        yield name
    distinct = f"{shorten(name, max(limit - len(str(id)) - 3, MIN_NAME))} ({id})"
    yield from numbered(distinct)


def numbered(name: str, suffix: str = "") -> Iterator[str]:
    """Yield ``name``, then ``name 2``, ``name 3``, … without end, each followed by ``suffix``."""
    yield name + suffix
    for number in count(2):
        yield f"{name} {number}{suffix}"


def fit(folder: str, name: str, suffix: str) -> str:
    """Return ``folder/name.suffix`` with ``name`` shortened to the path budget and the byte limit of a file name.

    ``suffix`` has its dot. In a folder that leaves no room, ``name`` gets ``MIN_NAME`` units all the same: a long path
    is a nuisance on Windows, a name without words is one everywhere.
    """
    room = MAX_PATH - utf16_length(folder) - 1 - len(suffix)
    short = shorten(name, max(room, MIN_NAME), MAX_BYTES - len(suffix.encode()))
    return f"{folder}/{short}{suffix}"


def first_words(text: str, otherwise: str, *, limit: int = MAX_WORDS) -> str:
    """Return the first whole words of a message, for the name of its note; ``otherwise`` (cleaned too) if it has none.

    A URL is shortened to its host. Without spaces (Chinese, one very long word) the cut is at a code point.
    """
    start = text[: 2 * limit]
    if "://" in start:
        start = _URL.sub(r"\1 ", text[: 8 * limit])
    words = clean_name(start, limit=limit).strip(_DANGLING).strip(_EDGES)
    if not (words[:1].isalnum() or any(char.isalnum() or char > "\u2190" for char in words)):
        return clean_name(otherwise, limit=limit) or UNTITLED
    return words


def _bytes(text: str) -> int:
    """Count the bytes of ``text``, as Linux does."""
    return len(text) if text.isascii() else len(text.encode())
