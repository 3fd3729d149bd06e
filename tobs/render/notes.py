"""The note of a message or an album: front matter and body, with every message it refers to.

    render_message(messages, chat, links, options, templates) -> Rendered

The front matter is made here, the body by the template ``message.md.j2`` from a ``NoteView``. The same input gives
the same bytes; lines end with ``\\n``, the file with one of them.
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
    """The note of one message, or of an album's messages (ascending ids; the note is the first one's)."""
    context = Context(links, options, chat.id, chat.username)
    views = tuple([message_view(message, chat, context) for message in messages])
    files = attached_fields(messages, context)
    tags = note_tags(messages, options.tag_prefix, files, links)
    note = NoteView(context.name(chat.id), chat.title, views[0].date, views, tags)
    body = templates.render(MESSAGE_TEMPLATE, {"note": note, "messages": views, "words": context.words})
    properties = _properties(messages, chat, context, tags, views[0])
    if files:
        taken = {name for name, _ in properties}
        properties += [(name, value) for name, value in field_properties(files) if name not in taken]
    return finish(properties, body or f"*{context.words('empty')}*", context)


def finish(properties: Iterable[tuple[str, Value]], body: str, context: Context) -> Rendered:
    """Front matter and body as a whole note, with its hash and the messages it refers to."""
    head = front_matter(properties, context.options.property_prefix)
    text = with_hash(f"{head}\n{body}\n" if body else head)
    references = tuple((chat, message, found) for (chat, message), found in context.references.items())
    return Rendered(text, references)


def tobs_id(chat_id: int, options: RenderOptions, rest: str = "") -> str:
    """The id of a chat's note or of one in it; another account's private chats carry the account."""
    account = f"{options.account}:" if options.account and not is_channel_id(chat_id) else ""
    return f"{account}{chat_id}{rest}"


def link_to(found: tuple[str, str] | None) -> str | None:
    """A property value: a link to a person's or chat's note, else the name."""
    if found is None:
        return None
    path, name = found
    return Link(wikilink(path, name or path.rpartition("/")[2])) if path else one_line(name) or None


def note_tags(
    messages: Sequence[Message], prefix: str, files: Sequence[Mapping[str, Any]], links: Links
) -> tuple[str, ...]:
    """The tags of all messages of a note and of what processors found in their ``files``, each once."""
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
    """A tag of Saved Messages as Obsidian has it: its title, else its emoji."""
    words = re.sub(r"[^\w/-]+", "-", one_line(title)).strip("-/")
    return next((tag for tag in (words, emoji) if tag and legal_tag(tag)), re.sub(r"\W+", "-", f"emoji {emoji}"))


def attached_fields(messages: Sequence[Message], context: Context) -> list[Mapping[str, Any]]:
    """What plugins found about the files of messages, without those that have a note of their own, and said about
    the messages themselves."""
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
        ("sender", link_to(context.known(message.sender_id))),
        ("story_id" if peer else "message_id", message.id),
        ("link", view.link or None),
    ]
    if topic_id := topic_in(chat, message.topic_id):
        properties.append(("topic", link_to(context.links.topic(chat.id, topic_id))))
    if post:
        properties.append(("post", _message_link(context, *post)))
    if chat.kind == "saved" and message.saved_from not in (0, chat.id):
        properties.append(("saved_from", link_to(context.known(message.saved_from))))
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
    """(channel, post) that a message of a discussion group is a comment of."""
    return context.links.post(message.chat_id, message.id) if message.reply is not None else None


def chat_property(chat: Chat, post: tuple[int, int] | None, context: Context) -> str | None:
    """The chat that a note belongs to: that of a comment is the channel whose ``post`` it is under."""
    return (link_to(context.links.chat(post[0])) if post else None) or (
        link_to(context.links.chat(chat.id)) or one_line(chat.title)
    )


def _message_link(context: Context, chat_id: int, message_id: int) -> str | None:
    """A message as a property: a link to its note, else its t.me link."""
    path = context.message_path(chat_id, message_id)
    if path:
        return Link(wikilink(path))
    return message_link(chat_id, context.username if chat_id == context.chat_id else "", message_id) or None


def _origin_property(forward: Forward, context: Context) -> str | None:
    if forward.chat_id and forward.message_id:
        path = context.message_path(forward.chat_id, forward.message_id)
        if path:
            return Link(wikilink(path))
    found = link_to(context.known(forward.from_id or forward.chat_id))
    return found or one_line(forward.from_name) or None


def media_links(messages: Sequence[Message], context: Context) -> list[str]:
    found: dict[str, None] = {}
    for message in messages:
        for index in range(len(message_files(message))):
            attached = context.attachment(message, index)
            if attached.path is not None:
                found[Link(f"[[{attached.path}]]")] = None
                # What was made of a file with a note of its own is told there.
                made = () if attached.note else produced_paths(attached.fields)
                found.update(dict.fromkeys(Link(f"[[{path}]]") for path in made))
    return list(found)


def cover_link(media: Sequence[str], messages: Sequence[Message], context: Context) -> str | None:
    """The picture that stands for a note whose first file is none: another one, or one that was made of a file."""
    if not media or is_picture(media[0].rstrip("]")):
        return None
    for message in messages:
        for index in range(len(message_files(message))):
            attached = context.attachment(message, index)
            if attached.path is not None and (path := picture_among((attached.path, *produced_paths(attached.fields)))):
                return Link(f"[[{path}]]")
    return None


def picture_among(paths: Iterable[str]) -> str:
    """The first of ``paths`` that a card can show; empty where there is none."""
    return next((path for path in paths if is_picture(path)), "")


def reaction_text(reaction: Reaction, context: Context) -> str:
    """A reaction as the property lists it: ``👍 12``."""
    return f"{reaction_emoji(reaction, context)} {reaction.count}"


def reaction_emoji(reaction: Reaction, context: Context) -> str:
    """A reaction without its count; a custom emoji is told by the emoji that stands for it."""
    if reaction.paid:
        return "⭐"
    return reaction.emoji or context.links.emoji(reaction.custom_id) or f"custom {reaction.custom_id}"


def message_view(message: Message, chat: Chat, context: Context) -> MessageView:
    """Everything a template may show of one message. Layout ``day`` uses the same view."""
    view = {}
    if message.blocks:
        view["text"] = _rich_text(message, context)
    elif message.text and not message.text.isspace():
        view["text"] = to_markdown(message.text, message.entities, context.markdown, context.targets)
    if message.media is not None or message.attached:
        view["media"], view["details"] = media_markdown(message, context)
    for said in context.links.plugin_fields(message):
        view["details"] = blocks(view.get("details", ""), sections_markdown(said, context.words))
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
        view["text"] = f"*{context.words('unsupported')}*"
    sender = context.known(message.sender_id)
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
    """The blocks of a rich message, with the files they name in their places."""
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
            return context.words("reply.earlier")
        return context.message_link(reply.chat_id or message.chat_id, reply.message_id)

    sentence = SentenceContext(context.words, context.name, target, context.when)
    return service_sentence(message.action, message, sentence)


def _forward(forward: Forward, context: Context) -> str:
    words = context.words
    name = ""
    if forward.from_id or forward.chat_id:
        found = context.known(forward.from_id or forward.chat_id)
        if found is not None:
            name = context.name(forward.from_id or forward.chat_id)
    name = name or escape_name(forward.from_name) or words("forwarded.hidden")
    if forward.signature:
        name += f" ({escape_name(forward.signature)})"
    if forward.chat_id and forward.message_id:
        label = words("reply.message", id=forward.message_id)
        name += f", {context.message_link(forward.chat_id, forward.message_id, label)}"
    if not forward.date:
        return f"*{words('forwarded', origin=name)}*"
    key = "forwarded.imported" if forward.imported else "forwarded.on"
    return f"*{words(key, origin=name, date=context.when(forward.date))}*"


def _reply(message: Message, context: Context) -> str:
    reply, words = message.reply, context.words
    assert reply is not None
    if reply.message_id == message.topic_id and not reply.quote and not reply.chat_id:
        return ""  # Every message of a topic answers its first one.
    if reply.story_id:
        owner = context.name(reply.chat_id) if context.known(reply.chat_id) else ""
        target = words("reply.story.of", who=owner) if owner else words("reply.story")
    elif reply.message_id:
        target = context.message_link(reply.chat_id or message.chat_id, reply.message_id)
    elif reply.from_name or context.known(reply.from_id):
        who = context.name(reply.from_id) if context.known(reply.from_id) else escape_name(reply.from_name)
        target = words("reply.elsewhere", who=who)
    else:
        target = words("reply.earlier")
    if reply.todo_item:
        target = words("reply.todo", target=target)
    line = words("reply", target=target)
    if not reply.quote:
        return line
    return f"{line}\n\n{quote(to_markdown(reply.quote, reply.quote_entities, context.markdown, context.targets))}"


def _buttons(rows: tuple[tuple[Button, ...], ...], context: Context) -> str:
    shown = [_button(button, context) for row in rows for button in row]
    return context.words("buttons", names=" · ".join(shown)) if shown else ""


def _button(button: Button, context: Context) -> str:
    """A button: a link to where it leads, else its name (and what it copies)."""
    name = escape_name(button.text) or context.words("button")
    if button.copy:
        return f"{name} ({code_span(one_line(button.copy))})"
    url = web_url(button.url) if button.url else None
    path = context.targets.url(url) if url else context.targets.user(button.user_id) if button.user_id else None
    if path:
        return wikilink(path, button.text)
    return f"[{name}]({destination(url)})" if url else name


def _comments(message: Message, context: Context) -> str:
    """Links to the comments of a post that are in the vault."""
    words, found = context.words, context.links.comments(message.chat_id, message.id)
    if not found.count:
        return ""
    lines = [f"**{words('comments', n=found.count)}**", ""]
    for chat_id, message_id, sender_id, date in found.shown:
        sender = context.known(sender_id)
        label = f"{sender[1] if sender else words('someone')}, {context.when(date)}"
        lines.append(f"- {context.message_link(chat_id, message_id, label)}")
    if found.count > len(found.shown):
        lines.append(f"- {words('comments.more', n=found.count - len(found.shown))}")
    return "\n".join(lines)


def _notes(message: Message, context: Context) -> str:
    words = context.words
    facts = []
    if message.via_bot:
        facts.append(words("via", bot=context.name(message.via_bot)))
    if message.business_bot:
        facts.append(words("business", bot=context.name(message.business_bot)))
    if message.signature:
        facts.append(words("signed", name=escape_name(message.signature)))
    if message.paid_stars:
        facts.append(words("paid.sent", n=message.paid_stars))
    if message.suggested is not None:
        facts.append(_suggested(message.suggested, context))
    parts = [f"*{', '.join(facts)}*"] if facts else []
    if message.restriction:
        parts.append(f"*{words('restricted', reason=escape_name(message.restriction))}*")
    if message.fact_check:
        parts.append(quote(context.plain(message.fact_check), callout="note", title=words("fact_check")))
    return blocks(*parts)


def _suggested(post: SuggestedPost, context: Context) -> str:
    """A suggested post: what became of it, what is paid for it, when it is to be posted."""
    words = context.words
    facts = [words(f"suggested.{post.state}" if post.state else "suggested")]
    if post.price:
        stars = post.currency == "XTR"
        facts.append(words("stars", n=post.price) if stars else money(post.price, post.currency))
    if post.date:
        facts.append(context.when(post.date))
    return ", ".join(facts)


__all__ = ["finish", "message_view", "render_message", "tobs_id"]
