"""Deleted and edited messages: a callout on deleted ones, earlier versions folded below the current text.

Only the archive knows when a version was replaced (the time of a run); a version is labelled with the time it was
written.
"""

from __future__ import annotations

from tobs.model import Message
from tobs.render.blocks import rich_markdown
from tobs.render.context import Context
from tobs.render.markdown import quote, to_markdown


def deleted_callout(message: Message, context: Context) -> str:
    """Render a callout for a message that was deleted on Telegram; empty for others."""
    if not context.options.deleted or not context.links.revisions(message).is_deleted:
        return ""
    return quote("", callout="warning", title=context.translate("deleted"))


def earlier_versions(message: Message, context: Context) -> str:
    """Render the texts replaced by edits, oldest first, in a folded callout.

    Empty if no version is stored or only other parts than the text changed.
    """
    if not context.options.versions:
        return ""
    parts: list[str] = []
    after = [*context.links.revisions(message).versions[1:], message]
    for version, following in zip(context.links.revisions(message).versions, after, strict=False):
        if (version.text, version.entities, version.blocks) == (following.text, following.entities, following.blocks):
            continue
        when = context.when(version.edited or version.date)
        parts.append(f"**{when}**\n\n{_text(version, context)}".rstrip())
    if not parts:
        return ""
    return quote("\n\n".join(parts), callout="note", folded=True, title=context.translate("versions"))


def _text(message: Message, context: Context) -> str:
    if message.blocks:
        return rich_markdown(message.blocks, context)
    return to_markdown(message.text, message.entities, context.markdown, context.targets)
