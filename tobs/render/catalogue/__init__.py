"""The catalogue of every text that tobs itself writes into notes.

A language is a dictionary of sentences with ``{named}`` placeholders. A sentence with ``|`` has a singular and a plural
form, chosen by ``n``. English is complete; missing texts of other languages are taken from English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from string import Formatter

from tobs.render.catalogue import de, en

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "de": de.WORDS}

Translate = Callable[..., str]


@cache
def catalogue(language: str) -> Translate:
    """Return the lookup function for a language (``de``, ``de-AT``); English for an unknown language.

    ``translate("votes", n=3)`` fills the placeholders of the sentence. The values must be Markdown already.
    """
    own = LANGUAGES.get(language.replace("_", "-").partition("-")[0].lower(), {})
    sentences = {**en.WORDS, **own}

    def translate(key: str, /, **places: object) -> str:
        sentence = sentences[key]
        if "|" in sentence:
            one, _, many = sentence.partition("|")
            sentence = one if places.get("n") == 1 else many
        return sentence.format_map(places) if places else sentence

    translate.__name__ = f"translate_{language}"
    return translate


def has_text(key: str) -> bool:
    """Return whether the catalogue has a sentence for ``key``."""
    return key in en.WORDS


@cache
def placeholder_names(key: str) -> tuple[str, ...]:
    """Return the placeholders of the English sentence, with ``n`` if it selects a plural form."""
    text = en.WORDS[key]
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    return tuple(sorted(names | {"n"} if "|" in text else names))
