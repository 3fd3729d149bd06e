"""Turn the first mention of each title in a text into a link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: Text that gets no links: code, formulas, links and embeds, HTML and its comments, comments of Obsidian, tags,
#: addresses, headings, titles of callouts, tables, the header of a message in a note of many (it ends with a block id).
_KEPT = re.compile(
    r"""
    ^(?P<fence>[ >]*(?:```+|~~~+))[^\n]*\n.*?(?:^[ >]*(?:```+|~~~+)[ ]*$|\Z)
    | ^[ >]*\#{1,6}[ ][^\n]*$
    | ^[ >]*\[![^\]\n]+\][^\n]*$
    | ^[^\n]*[ ]\^[\w-]+$
    | ^[ >]*\|[^\n]*$
    | (?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)
    | \$\$.*?\$\$ | \$[^\s$](?:[^$\n]*[^\s$])?\$
    | !?\[\[[^\]\n]*\]\]
    | !?\[[^\]\n]*\]\((?:<[^>\n]*>|[^)\n]*)\)
    | %%.*?%% | <!--.*?--> | <[a-zA-Z/][^>\n]*>
    | [a-z][a-z0-9+.-]*://[^\s<>]+ | [\w.+-]+@[\w-]+\.[\w.-]+
    | \#[\w/-]+ | @\w+ | \\.
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"\w+")

#: The target of a link.
_LINK = re.compile(r"\[\[([^\]|#\n]+)")

#: Characters that end the target or the text of a link.
_NO_LINK = re.compile(r"[\[\]|#^\\]")


class Titles:
    """Titles of notes, each with its path in the vault (without ``.md``), found by their first word."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._by_word: dict[str, list[tuple[str, str]]] = {}
        for title in sorted(paths, key=lambda title: (-len(title), title)):
            if (word := _WORD.match(title)) and not _NO_LINK.search(paths[title]):
                self._by_word.setdefault(word.group(), []).append((title, paths[title]))

    def starting(self, word: str) -> list[tuple[str, str]]:
        """Return the titles that start with ``word``, the longest first, each with its path."""
        return self._by_word.get(word, [])


def add_links(text: str, titles: Titles) -> str:
    """Return ``text`` (Markdown) with a link at the first mention of each title. Mentions are whole words and match
    upper and lower case."""
    done = set(_LINK.findall(text))
    parts, at = [], 0
    for start, end in _free(text):
        parts += [text[at:start], _with_links(text[start:end], titles, done)]
        at = end
    return "".join([*parts, text[at:]])


def _free(text: str) -> Iterator[tuple[int, int]]:
    """Return the spans of ``text`` that may get links: plain words without code, links, headings and the like."""
    at = 0
    for kept in _KEPT.finditer(text):
        if kept.start() > at:
            yield at, kept.start()
        at = kept.end()
    if at < len(text):
        yield at, len(text)


def _with_links(words: str, titles: Titles, done: set[str]) -> str:
    """Add links to ``words``. ``done`` holds the paths that are already linked; new ones are added."""
    parts, at = [], 0
    for word in _WORD.finditer(words):
        if word.start() < at:
            continue
        for title, path in titles.starting(word.group()):
            end = word.start() + len(title)
            if path not in done and words.startswith(title, word.start()) and not _WORD.match(words, end):
                parts += [words[at : word.start()], f"[[{path}]]" if path == title else f"[[{path}|{title}]]"]
                done.add(path)
                at = end
                break
    return "".join([*parts, words[at:]])
