"""Reasons why a file is missing, translated into the language of the vault.

The archive stores the English sentence of the module that gave up the file. Sentences of tobs are matched here by
pattern; sentences of others (an operating system, a plugin) stay unchanged.
"""

from __future__ import annotations

import re

from tobs.render.catalogue import Translate
from tobs.render.escape import escape_name

_KNOWN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(form))
    for key, form in (
        ("reason.gone", r"Telegram (?:no longer has|does not have) this file\.?"),
        ("reason.message_gone", r"The message of this file is gone\.?"),
        ("reason.not_exported", r"The export does not have the file\.?"),
        ("reason.left_out", r"the export left it out; a run with Telegram fetches it"),
        ("reason.destroyed", r"it has destroyed itself"),
        ("reason.no_source", r"the source does not have the file"),
        ("reason.kind", r"(?P<kind>\w+) is not among the wanted kinds"),
        ("reason.no_media", r"media are not wanted"),
        ("reason.size", r"(?P<size>[\d.]+ MB) is over the limit of (?P<limit>[\d.]+ MB)"),
        ("reason.not_archived", r"it is not in the archive"),
        ("reason.deleted", r"it was deleted from the vault"),
        ("reason.empty", r"An empty file came\.?"),
        ("reason.short", r"(?P<size>\d+) bytes came instead of (?P<limit>\d+)\.?"),
    )
)


def reason_markdown(reason: str, translate: Translate) -> str:
    """Render ``reason`` as Markdown, translated if it is known."""
    for key, form in _KNOWN:
        if match := form.fullmatch(reason):
            places = match.groupdict()
            if kind := places.get("kind"):
                places["kind"] = translate(f"kind.{kind}")
            return translate(key, **places)
    return escape_name(reason)
