"""Changes of the last sync in a chat: new and deleted messages, and word differences of edited ones."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from tobs.render.context import Context
from tobs.render.views import SyncChanges

#: Longest texts (characters, both together) that are compared word by word.
_LONGEST = 2000
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def digest_lines(changed: SyncChanges, chat_id: int, context: Context) -> list[str]:
    """Render a list item for each new, edited or deleted message."""
    translate = context.translate
    lines = [f"- {translate('digest.new')}: {context.message_link(chat_id, one)}" for one in changed.new]
    for message_id, before, after in changed.edited:
        diff = word_diff(before, after, context)
        link = context.message_link(chat_id, message_id)
        lines.append(f"- {translate('digest.edited')}: {link}" + (f" — {diff}" if diff else ""))
    lines += [f"- {translate('digest.deleted')}: {context.message_link(chat_id, one)}" for one in changed.deleted]
    return lines


def word_diff(before: str, after: str, context: Context) -> str:
    """Render ``after`` on one line with removed words struck out and added words highlighted.

    Empty for equal texts and for texts that are too long together.
    """
    if before == after or len(before) + len(after) > _LONGEST:
        return ""
    old, new = _WORD.findall(" ".join(before.split())), _WORD.findall(" ".join(after.split()))
    parts: list[str] = []
    for kind, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(context.plain("".join(old[first:last])))
            continue
        parts += [f"~~{text}~~" for text in [_plain("".join(old[first:last]), context)] if text]
        parts += [f"=={text}==" for text in [_plain("".join(new[begin:end]), context)] if text]
    return " ".join(part for part in (part.strip() for part in parts) if part)


def _plain(text: str, context: Context) -> str:
    return context.plain(text.strip()).strip()
