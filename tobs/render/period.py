"""The note of a day or a month: all its messages, each in a block of its own.

A block starts with a *header* paragraph of one line that ends in ` ^m<id>` (for an album the id of its first message; `
^g<id>` for a message of the basic group that became the supergroup). The content of the message follows, separated by
blank lines. A note of a month has a heading ``## 2024-01-02`` before the first block of each day. The merge splits the
note at its headers (``vault/merge/blocks.py``). The content of a message cannot look like a header, because the
converter escapes ` ^id` at the end of a line and the merge skips code fences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from tobs.model import Chat, Message, topic_in
from tobs.render.context import Context
from tobs.render.escape import escape_name
from tobs.render.frontmatter import Value
from tobs.render.links import destination, message_link
from tobs.render.notes import (
    MESSAGE_TEMPLATE,
    attached_fields,
    chat_property,
    commented_post,
    cover_link,
    finish,
    link_to,
    media_links,
    message_view,
    note_tags,
    reaction_emoji,
    reaction_text,
)
from tobs.render.plugin_fields import field_properties
from tobs.render.templates import Templates
from tobs.render.views import BlockView, Links, MessageView, NoteView, PeriodView, Rendered, RenderOptions

PERIOD_TEMPLATE = "day.md.j2"
_MONTH = len("2024-01")


class PeriodNote(Struct, frozen=True):
    """The content of a note of a day or month.

    ``period`` is `2024-01-02` or `2024-01`; ``units`` are the messages in the order of the note, those of an album
    together; ``before`` is the basic group that became the chat, if messages of it are included.
    """

    tobs_id: str
    period: str
    chat: Chat
    units: Sequence[Sequence[Message]]
    before: Chat | None = None


def block_anchor(message_id: int, *, is_foreign: bool) -> str:
    """Return the block id of a message: `m5`; `g5` if it belongs to the basic group that became the chat."""
    return f"{'g' if is_foreign else 'm'}{message_id}"


def render_period(note: PeriodNote, links: Links, options: RenderOptions, templates: Templates) -> Rendered:
    """Render the note of a day or month."""
    chat, messages = note.chat, [message for unit in note.units for message in unit]
    context = Context(links, options, chat.id, chat.username)
    files = attached_fields(messages, context)
    tags = note_tags(messages, options.tag_prefix, files, links)
    view = PeriodView(
        chat=context.name(chat.id),
        chat_title=chat.title,
        period=note.period,
        facts=context.translate("messages", n=len(messages)),
        blocks=tuple(_blocks(note, context, templates)),
        tags=tags,
    )
    body = templates.render(PERIOD_TEMPLATE, {"note": view, "words": context.translate})
    return finish([*_properties(note, messages, tags, context), *_shared_properties(files)], body, context)


def _blocks(note: PeriodNote, context: Context, templates: Templates) -> Iterator[BlockView]:
    heading = ""
    for unit in note.units:
        is_foreign = unit[0].chat_id != note.chat.id
        chat = (note.before or note.chat) if is_foreign else note.chat
        views = tuple(message_view(message, chat, context) for message in unit)
        day = views[0].date.date().isoformat()
        is_new_day, heading = len(note.period) == _MONTH and day != heading, day
        yield BlockView(
            anchor=block_anchor(unit[0].id, is_foreign=is_foreign),
            header=_header(views, chat, context, block_anchor(unit[0].id, is_foreign=is_foreign)),
            text=_text(views, chat, context, templates),
            counters=_counters(unit[0], context),
            heading=day if is_new_day else "",
            messages=views,
        )


def _header(views: Sequence[MessageView], chat: Chat, context: Context, anchor: str) -> str:
    """Render sender and time; the time links to the message on Telegram if it has an address."""
    first = views[0]
    message = first.message
    assert message is not None
    time = first.date.isoformat(" ", "minutes")[11:]
    parts = [f"[{time}]({destination(first.link)})" if first.link else time]
    edited = max(view.message.edited for view in views if view.message is not None)
    if edited:
        parts.append(f"*{context.translate('edited', date=context.when(edited))}*")
    # The sentence of a service message names the sender; posts of a channel have no other sender.
    is_named = bool(first.service) or message.sender_id in (0, chat.id)
    who = "" if is_named else f"**{first.sender}** "
    return f"{who}{', '.join(parts)} ^{anchor}"


def _text(views: tuple[MessageView, ...], chat: Chat, context: Context, templates: Templates) -> str:
    """Render the messages of a block with the template of a message note."""
    note = NoteView(context.name(chat.id), chat.title, views[0].date, views)
    text = templates.render(MESSAGE_TEMPLATE, {"note": note, "messages": views, "words": context.translate})
    return text or f"*{context.translate('empty')}*"


def _counters(message: Message, context: Context) -> str:
    """Render reactions, views and forwards, which a message note has as properties."""
    if not context.options.counters:
        return ""
    parts = [escape_name(reaction_text(reaction, context)) for reaction in message.reactions]
    parts += [context.translate("views", n=message.views)] if message.views else []
    parts += [context.translate("forwards", n=message.forwards)] if message.forwards else []
    return f"*{', '.join(parts)}*" if parts else ""


def _properties(
    note: PeriodNote, messages: Sequence[Message], tags: tuple[str, ...], context: Context
) -> list[tuple[str, Value]]:
    chat, first, last = note.chat, messages[0], messages[-1]
    begin = datetime.fromisoformat(note.period if len(note.period) > _MONTH else f"{note.period}-01")
    senders = dict.fromkeys(message.sender_id for message in messages if message.sender_id not in (0, chat.id))
    topics = {topic_in(chat, message.topic_id) for message in messages}
    (topic,) = topics if len(topics) == 1 else (0,)
    media = media_links(messages, context)
    link = message_link(chat.id, chat.username, first.id) if first.chat_id == chat.id else ""
    return [
        ("tobs_id", note.tobs_id),
        ("date", begin),
        ("date_unix", int(begin.replace(tzinfo=context.options.timezone).timestamp())),
        ("chat", chat_property(chat, commented_post(first, context), context)),
        ("topic", link_to(context.links.topic(chat.id, topic)) if topic else None),
        ("link", link),
        ("messages", len(messages)),
        ("first_message", context.local(first.date)),
        ("last_message", context.local(last.date)),
        ("senders", [who for sender in senders if (who := link_to(context.peer(sender)))]),
        ("reactions", _reactions(messages, context)),
        ("tags", tags),
        ("media", media),
        ("cover", cover_link(media, messages, context)),
    ]


def _reactions(messages: Sequence[Message], context: Context) -> list[str]:
    """Sum the reactions to all messages, in the order of their first appearance."""
    counts: dict[str, int] = {}
    for message in messages if context.options.counters else ():
        for reaction in message.reactions:
            emoji = reaction_emoji(reaction, context)
            counts[emoji] = counts.get(emoji, 0) + reaction.count
    return [f"{emoji} {count}" for emoji, count in counts.items()]


def _shared_properties(files: Sequence[Mapping[str, Any]]) -> list[tuple[str, Value]]:
    """Return the plugin fields that apply to several messages; a title or duration belongs to a single file."""
    return [(name, value) for name, value in field_properties(files) if name in ("related", "plugins_failed")]
