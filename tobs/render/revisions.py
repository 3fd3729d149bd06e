"""What a message was before: a mark on what was deleted, earlier versions folded below what is there now.

When a version was replaced only the archive knows (it is the time of a run); a version is told by when it was written.
"""

from __future__ import annotations

from tobs.model import Message
from tobs.render.blocks import rich_markdown
from tobs.render.context import Context
from tobs.render.markdown import quote, to_markdown


def deleted_callout(message: Message, context: Context) -> str:
    """A callout on a message that Telegram has no more; empty for others."""
    if not context.options.deleted or not context.links.revisions(message).is_deleted:
        return ""
    return quote("", callout="warning", title=context.words("deleted"))


def earlier_versions(message: Message, context: Context) -> str:
    """The texts that edits replaced, oldest first, in a folded callout; empty where none is kept or only other things
    than the text changed."""
    if not context.options.versions:
        return ""
    told: list[str] = []
    after = [*context.links.revisions(message).versions[1:], message]
    for version, following in zip(context.links.revisions(message).versions, after, strict=False):
        if (version.text, version.entities, version.blocks) == (following.text, following.entities, following.blocks):
            continue
        when = context.when(version.edited or version.date)
        told.append(f"**{when}**\n\n{_text(version, context)}".rstrip())
    if not told:
        return ""
    return quote("\n\n".join(told), callout="note", folded=True, title=context.words("versions"))


def _text(message: Message, context: Context) -> str:
    if message.blocks:
        return rich_markdown(message.blocks, context)
    return to_markdown(message.text, message.entities, context.markdown, context.targets)
