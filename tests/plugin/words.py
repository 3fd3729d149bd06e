"""Word error rate: how many words of a hundred were heard wrongly, left out or made up."""

from __future__ import annotations

import re

_NUMBERS = {"0": "zero", "1": "one", "2": "two", "3": "three"}


def words(text: str) -> list[str]:
    """The words of ``text``: small letters, digits as words, no marks; what is written in two ways is one."""
    plain = re.sub(r"[^\w' ]", " ", text.lower().replace("i'm", "i am").replace("voice mail", "voicemail"))
    return [_NUMBERS.get(word, word) for word in plain.split()]


def word_errors(said: str, heard: str) -> int:
    """The fewest words to be replaced, added or removed to get from one to the other (Levenshtein)."""
    wanted, found = words(said), words(heard)
    row = list(range(len(found) + 1))
    for i, word in enumerate(wanted, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]
