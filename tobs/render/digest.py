"""What the last sync brought into a chat: new and deleted messages, and what was edited word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from tobs.render.context import Context
from tobs.render.views import SyncChanges

#: A text longer than this is not told word by word.
_LONGEST = 2000
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def digest_lines(changed: SyncChanges, chat_id: int, context: Context) -> list[str]:
    """A list item for each message that is new, edited or deleted."""
    words = context.words
    lines = [f"- {words('digest.new')}: {context.message_link(chat_id, one)}" for one in changed.new]
    for message_id, before, after in changed.edited:
        told = word_diff(before, after, context)
        link = context.message_link(chat_id, message_id)
        lines.append(f"- {words('digest.edited')}: {link}" + (f" — {told}" if told else ""))
    lines += [f"- {words('digest.deleted')}: {context.message_link(chat_id, one)}" for one in changed.deleted]
    return lines


def word_diff(before: str, after: str, context: Context) -> str:
    """``after`` on one line, what it says no more struck out, what it says now marked; empty for the same text."""
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
