r"""The note of a message or an album: front matter and body, with every message it refers to.

The front matter is made here, the body by the template ``message.md.j2`` from a ``NoteView``. The same input gives the
same bytes; lines end with ``\n``, and the file ends with one line end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tobs.model import (
    Button,
    Chat,
    Forward,
    Message,
    Reaction,
    StoryRef,
    SuggestedPost,
    Text,
    is_channel_id,
    message_files,
    message_name,
    story_peer,
    topic_in,
)
from tobs.render.blocks import rich_markdown
from tobs.render.context import Context
from tobs.render.escape import code_span, escape_name, legal_tag, one_line
from tobs.render.frontmatter import Link, Value, front_matter, with_hash
from tobs.render.links import destination, message_link, web_url, wikilink
from tobs.render.markdown import hashtags, quote, to_markdown
from tobs.render.media import attached_files, file_markdown, is_embeddable, is_picture, media_markdown
from tobs.render.plugin_fields import field_properties, field_tags, produced_paths, sections_markdown
from tobs.render.revisions import deleted_callout, earlier_versions
from tobs.render.richtext import rich_texts
from tobs.render.service import SentenceContext, money, service_sentence
from tobs.render.templates import Templates, blocks
from tobs.render.views import Links, MessageView, NoteView, Rendered, RenderOptions

MESSAGE_TEMPLATE = "message.md.j2"


def render_message(
    messages: Sequence[Message], chat: Chat, links: Links, options: RenderOptions, templates: Templates
) -> Rendered:
    """Render the note of a message, or of the messages of an album (ascending ids; the note belongs to the first)."""
    context = Context(links, options, chat.id, chat.username)
    views = tuple([message_view(message, chat, context) for message in messages])
    files = attached_fields(messages, context)
    tags = note_tags(messages, options.tag_prefix, files, links)
    note = NoteView(context.name(chat.id), chat.title, views[0].date, views, tags)
    body = templates.render(MESSAGE_TEMPLATE, {"note": note, "messages": views, "words": context.translate})
    properties = _properties(messages, chat, context, tags, views[0])
    if files:
        taken = {name for name, _ in properties}
        properties += [(name, value) for name, value in field_properties(files) if name not in taken]
    return finish(properties, body or f"*{context.translate('empty')}*", context)


def finish(properties: Iterable[tuple[str, Value]], body: str, context: Context) -> Rendered:
    """Join front matter and body to a complete note, with its hash and the messages it refers to."""
    head = front_matter(properties, context.options.property_prefix)
    text = with_hash(f"{head}\n{body}\n" if body else head)
    references = tuple((chat, message, found) for (chat, message), found in context.references.items())
    return Rendered(text, references)


def tobs_id(chat_id: int, options: RenderOptions, rest: str = "") -> str:
    """Return the id of a chat's note or of a note in it; ids of another account's private chats include the account."""
    account = f"{options.account}:" if options.account and not is_channel_id(chat_id) else ""
    return f"{account}{chat_id}{rest}"


def link_to(found: tuple[str, str] | None) -> str | None:
    """Return a property value: a link to the note of a person or chat, else the name."""
    if found is None:
        return None
    path, name = found
    return Link(wikilink(path, name or path.rpartition("/")[2])) if path else one_line(name) or None


def note_tags(
    messages: Sequence[Message], prefix: str, files: Sequence[Mapping[str, Any]], links: Links
) -> tuple[str, ...]:
    """Collect the tags of all messages of a note and of the plugin fields of their ``files``, without duplicates."""
    tags: dict[str, str] = {}
    for message in messages:
        for emoji in message.saved_tags:
            tag = prefix + saved_tag(emoji, links.tag_title(emoji))
            tags.setdefault(tag.casefold(), tag)
        texts = [Text(message.text, message.entities)] if message.entities else []
        if isinstance(message.media, StoryRef):
            texts.append(message.media.caption)
        for text in (*texts, *rich_texts(message.blocks)):
            for tag in hashtags(text.text, text.entities, prefix):
                tags.setdefault(tag.casefold(), tag)
    for fields in files:
        for tag in field_tags(fields, prefix):
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())


def saved_tag(emoji: str, title: str) -> str:
    """Return a tag of Saved Messages as a valid Obsidian tag: from its title, else from its emoji."""
    slug = re.sub(r"[^\w/-]+", "-", one_line(title)).strip("-/")
    return next((tag for tag in (slug, emoji) if tag and legal_tag(tag)), re.sub(r"\W+", "-", f"emoji {emoji}"))


def attached_fields(messages: Sequence[Message], context: Context) -> list[Mapping[str, Any]]:
    """Collect the plugin fields of the messages and of their files, without files that have a note of their own."""
    found: list[Mapping[str, Any]] = []
    for message in messages:
        if message.media is not None or message.attached:
            attached = [context.attachment(message, index) for index in range(len(message_files(message)))]
            found += [one.fields for one in attached if one.fields and not one.note]
        found += context.links.plugin_fields(message)
    return found


def _properties(
    messages: Sequence[Message], chat: Chat, context: Context, tags: tuple[str, ...], view: MessageView
) -> list[tuple[str, Value]]:
    message = messages[0]
    options = context.options
    post = commented_post(message, context)
    peer = story_peer(chat.id)
    properties: list[tuple[str, Value]] = [
        ("tobs_id", message_name(chat.id, message.id) if peer else tobs_id(chat.id, options, f"/{message.id}")),
        ("date", view.date),
        ("date_unix", message.date),
        ("chat", chat_property(chat, post, context)),
        ("sender", link_to(context.peer(message.sender_id))),
        ("story_id" if peer else "message_id", message.id),
        ("link", view.link or None),
    ]
    if topic_id := topic_in(chat, message.topic_id):
        properties.append(("topic", link_to(context.links.topic(chat.id, topic_id))))
    if post:
        properties.append(("post", _message_link(context, *post)))
    if chat.kind == "saved" and message.saved_from not in (0, chat.id):
        properties.append(("saved_from", link_to(context.peer(message.saved_from))))
    if message.reply is not None and message.reply.message_id:
        target_chat = message.reply.chat_id or chat.id
        properties.append(("reply_to", _message_link(context, target_chat, message.reply.message_id)))
    if message.forward is not None:
        properties.append(("forwarded_from", _origin_property(message.forward, context)))
    edited = max(each.edited for each in messages)
    if edited:
        properties.append(("edited", context.local(edited)))
    if options.deleted and all(context.links.revisions(each).is_deleted for each in messages):
        properties.append(("deleted", True))
    if options.counters:
        properties += [("views", message.views), ("forwards", message.forwards)]
        properties.append(("reactions", [reaction_text(each, context) for each in message.reactions]))
    properties.append(("tags", tags))
    media = media_links(messages, context)
    properties.append(("media", media))
    if media:
        properties.append(("cover", cover_link(media, messages, context)))
    return properties


def commented_post(message: Message, context: Context) -> tuple[int, int] | None:
    """Return (channel, post) if the message is a comment in a discussion group, else None."""
    return context.links.post(message.chat_id, message.id) if message.reply is not None else None


def chat_property(chat: Chat, post: tuple[int, int] | None, context: Context) -> str | None:
    """Return the chat of a note: for a comment the channel of its ``post``."""
    return (link_to(context.links.chat(post[0])) if post else None) or (
        link_to(context.links.chat(chat.id)) or one_line(chat.title)
    )


def _message_link(context: Context, chat_id: int, message_id: int) -> str | None:
    """Return a message as a property: a link to its note, else its t.me link."""
    path = context.message_path(chat_id, message_id)
    if path:
        return Link(wikilink(path))
    return message_link(chat_id, context.username if chat_id == context.chat_id else "", message_id) or None


def _origin_property(forward: Forward, context: Context) -> str | None:
    if forward.chat_id and forward.message_id:
        path = context.message_path(forward.chat_id, forward.message_id)
        if path:
            return Link(wikilink(path))
    found = link_to(context.peer(forward.from_id or forward.chat_id))
    return found or one_line(forward.from_name) or None


def media_links(messages: Sequence[Message], context: Context) -> list[str]:
    """Return links to all files of the messages that are in the vault, without duplicates."""
    found: dict[str, None] = {}
    for message in messages:
        for index in range(len(message_files(message))):
            attached = context.attachment(message, index)
            if attached.path is not None:
                found[Link(f"[[{attached.path}]]")] = None
                # Files made from a file with its own note are listed in that note.
                made = () if attached.note else produced_paths(attached.fields)
                found.update(dict.fromkeys(Link(f"[[{path}]]") for path in made))
    return list(found)


def cover_link(media: Sequence[str], messages: Sequence[Message], context: Context) -> str | None:
    """Return the picture for a note whose first file is not a picture; None if there is no picture or none is
    needed.
    """
    if not media or is_picture(media[0].rstrip("]")):
        return None
    for message in messages:
        for index in range(len(message_files(message))):
            attached = context.attachment(message, index)
            if attached.path is not None and (path := picture_among((attached.path, *produced_paths(attached.fields)))):
                return Link(f"[[{path}]]")
    return None


def picture_among(paths: Iterable[str]) -> str:
    """Return the first path that a card can show; empty if there is none."""
    return next((path for path in paths if is_picture(path)), "")


def reaction_text(reaction: Reaction, context: Context) -> str:
    """Format a reaction for the property: ``👍 12``."""
    return f"{reaction_emoji(reaction, context)} {reaction.count}"


def reaction_emoji(reaction: Reaction, context: Context) -> str:
    """Return the emoji of a reaction; for a custom emoji the emoji it replaces."""
    if reaction.paid:
        return "⭐"
    return reaction.emoji or context.links.emoji(reaction.custom_id) or f"custom {reaction.custom_id}"


def message_view(message: Message, chat: Chat, context: Context) -> MessageView:
    """Build the view of a message for templates. Layout ``day`` uses the same view."""
    view = {}
    if message.blocks:
        view["text"] = _rich_text(message, context)
    elif message.text and not message.text.isspace():
        view["text"] = to_markdown(message.text, message.entities, context.markdown, context.targets)
    if message.media is not None or message.attached:
        view["media"], view["details"] = media_markdown(message, context)
    for fields in context.links.plugin_fields(message):
        view["details"] = blocks(view.get("details", ""), sections_markdown(fields, context.translate))
    if message.action is not None:
        view["service"] = _service(message, context)
    if message.forward is not None:
        view["forward"] = _forward(message.forward, context)
    if message.reply is not None and message.action is None:
        view["reply"] = _reply(message, context)
    if message.buttons:
        view["buttons"] = _buttons(message.buttons, context)
    if notes := _notes(message, context):
        view["notes"] = notes
    if message.comments is not None:
        view["comments"] = _comments(message, context)
    view["deleted"] = deleted_callout(message, context)
    view["versions"] = earlier_versions(message, context)
    if message.kind == "unsupported" and not view.get("text"):
        view["text"] = f"*{context.translate('unsupported')}*"
    sender = context.peer(message.sender_id)
    return MessageView(
        id=message.id,
        date=context.local(message.date),
        sender=context.name(message.sender_id) if message.sender_id else "",
        sender_name=sender[1] if sender else "",
        link=message_link(chat.id, chat.username, message.id),
        message=message,
        **view,
    )


def _rich_text(message: Message, context: Context) -> str:
    """Render the blocks of a rich message with their files in place."""
    context.shown = set()
    known = [(item.remote.id, item, file) for item, file in attached_files(message, context) if item.remote is not None]
    context.files = {remote: file_markdown(item, file, context) for remote, item, file in known}
    context.pictures = {remote: file.path for remote, _, file in known if file.path and is_embeddable(file.path)}
    return rich_markdown(message.blocks, context)


def _service(message: Message, context: Context) -> str:
    reply = message.reply
    assert message.action is not None

    def target() -> str:
        if reply is None or not reply.message_id:
            return context.translate("reply.earlier")
        return context.message_link(reply.chat_id or message.chat_id, reply.message_id)

    sentence = SentenceContext(context.translate, context.name, target, context.when)
    return service_sentence(message.action, message, sentence)


def _forward(forward: Forward, context: Context) -> str:
    translate = context.translate
    name = ""
    if forward.from_id or forward.chat_id:
        found = context.peer(forward.from_id or forward.chat_id)
        if found is not None:
            name = context.name(forward.from_id or forward.chat_id)
    name = name or escape_name(forward.from_name) or translate("forwarded.hidden")
    if forward.signature:
        name += f" ({escape_name(forward.signature)})"
    if forward.chat_id and forward.message_id:
        label = translate("reply.message", id=forward.message_id)
        name += f", {context.message_link(forward.chat_id, forward.message_id, label)}"
    if not forward.date:
        return f"*{translate('forwarded', origin=name)}*"
    key = "forwarded.imported" if forward.imported else "forwarded.on"
    return f"*{translate(key, origin=name, date=context.when(forward.date))}*"


def _reply(message: Message, context: Context) -> str:
    reply, translate = message.reply, context.translate
    assert reply is not None
    if reply.message_id == message.topic_id and not reply.quote and not reply.chat_id:
        return ""  # Every message of a topic answers the first message of the topic.
    if reply.story_id:
        owner = context.name(reply.chat_id) if context.peer(reply.chat_id) else ""
        target = translate("reply.story.of", who=owner) if owner else translate("reply.story")
    elif reply.message_id:
        target = context.message_link(reply.chat_id or message.chat_id, reply.message_id)
    elif reply.from_name or context.peer(reply.from_id):
        who = context.name(reply.from_id) if context.peer(reply.from_id) else escape_name(reply.from_name)
        target = translate("reply.elsewhere", who=who)
    else:
        target = translate("reply.earlier")
    if reply.todo_item:
        target = translate("reply.todo", target=target)
    line = translate("reply", target=target)
    if not reply.quote:
        return line
    return f"{line}\n\n{quote(to_markdown(reply.quote, reply.quote_entities, context.markdown, context.targets))}"


def _buttons(rows: tuple[tuple[Button, ...], ...], context: Context) -> str:
    shown = [_button(button, context) for row in rows for button in row]
    return context.translate("buttons", names=" · ".join(shown)) if shown else ""


def _button(button: Button, context: Context) -> str:
    """Render a button: a link to its target, else its name with the text it copies."""
    name = escape_name(button.text) or context.translate("button")
    if button.copy:
        return f"{name} ({code_span(one_line(button.copy))})"
    url = web_url(button.url) if button.url else None
    path = context.targets.url(url) if url else context.targets.user(button.user_id) if button.user_id else None
    if path:
        return wikilink(path, button.text)
    return f"[{name}]({destination(url)})" if url else name


def _comments(message: Message, context: Context) -> str:
    """Render links to the comments of a post that are in the vault."""
    translate, found = context.translate, context.links.comments(message.chat_id, message.id)
    if not found.count:
        return ""
    lines = [f"**{translate('comments', n=found.count)}**", ""]
    for chat_id, message_id, sender_id, date in found.shown:
        sender = context.peer(sender_id)
        label = f"{sender[1] if sender else translate('someone')}, {context.when(date)}"
        lines.append(f"- {context.message_link(chat_id, message_id, label)}")
    if found.count > len(found.shown):
        lines.append(f"- {translate('comments.more', n=found.count - len(found.shown))}")
    return "\n".join(lines)


def _notes(message: Message, context: Context) -> str:
    translate = context.translate
    facts = []
    if message.via_bot:
        facts.append(translate("via", bot=context.name(message.via_bot)))
    if message.business_bot:
        facts.append(translate("business", bot=context.name(message.business_bot)))
    if message.signature:
        facts.append(translate("signed", name=escape_name(message.signature)))
    if message.paid_stars:
        facts.append(translate("paid.sent", n=message.paid_stars))
    if message.suggested is not None:
        facts.append(_suggested(message.suggested, context))
    parts = [f"*{', '.join(facts)}*"] if facts else []
    if message.restriction:
        parts.append(f"*{translate('restricted', reason=escape_name(message.restriction))}*")
    if message.fact_check:
        parts.append(quote(context.plain(message.fact_check), callout="note", title=translate("fact_check")))
    return blocks(*parts)


def _suggested(post: SuggestedPost, context: Context) -> str:
    """Describe a suggested post: its state, its price and the date it is planned for."""
    translate = context.translate
    facts = [translate(f"suggested.{post.state}" if post.state else "suggested")]
    if post.price:
        stars = post.currency == "XTR"
        facts.append(translate("stars", n=post.price) if stars else money(post.price, post.currency))
    if post.date:
        facts.append(context.when(post.date))
    return ", ".join(facts)


__all__ = ["finish", "message_view", "render_message", "tobs_id"]
