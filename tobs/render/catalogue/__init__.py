"""The catalogue of every word tobs itself writes into notes.

A language is a dictionary of sentences with ``{named}`` places; a sentence with ``|`` has a singular and a
plural, chosen by ``n``. English is complete; a word another language lacks is taken from English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from string import Formatter

from tobs.render.catalogue import de, en

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "de": de.WORDS}

Words = Callable[..., str]


@cache
def catalogue(language: str) -> Words:
    """The look-up for a language (``de``, ``de-AT``); English for one tobs does not speak.

    ``words("votes", n=3)`` fills the places of the sentence; what is put in is Markdown already.
    """
    own = LANGUAGES.get(language.replace("_", "-").partition("-")[0].lower(), {})
    sentences = {**en.WORDS, **own}

    def words(key: str, /, **places: object) -> str:
        sentence = sentences[key]
        if "|" in sentence:
            one, _, many = sentence.partition("|")
            sentence = one if places.get("n") == 1 else many
        return sentence.format_map(places) if places else sentence

    words.__name__ = f"words_{language}"
    return words


def has_word(key: str) -> bool:
    """Whether the catalogue has a sentence for ``key``."""
    return key in en.WORDS


@cache
def place_names(key: str) -> tuple[str, ...]:
    """The places of a sentence, as English names them (``n`` where it only chooses the plural too)."""
    text = en.WORDS[key]
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    return tuple(sorted(names | {"n"} if "|" in text else names))
