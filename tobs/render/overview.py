"""The notes of chats, people and audio files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from tobs.model import Chat, Person
from tobs.render.context import Context
from tobs.render.digest import digest_lines
from tobs.render.escape import escape_name, one_line
from tobs.render.frontmatter import Link, Value
from tobs.render.links import wikilink
from tobs.render.markdown import quote
from tobs.render.media import embed
from tobs.render.notes import finish, picture_among, tobs_id
from tobs.render.plugin_fields import field_properties, field_tags, produced_paths, sections_markdown
from tobs.render.templates import Templates
from tobs.render.views import AudioItem, ChatStats, Links, PersonStats, Rendered, RenderOptions, Year

CHAT_TEMPLATE = "chat.md.j2"
PERSON_TEMPLATE = "person.md.j2"
AUDIO_TEMPLATE = "audio.md.j2"


class ChatView(Struct, frozen=True):
    """A chat as its template sees it: Markdown blocks (empty if there is nothing to show) and the plain struct."""

    title: str
    picture: str = ""
    facts: str = ""
    about: str = ""
    ends: str = ""
    pinned: str = ""
    topics: str = ""
    saved_from: str = ""
    years: str = ""
    changed: str = ""
    base: str = ""
    chat: Chat | None = None
    stats: ChatStats = ChatStats()


class PersonView(Struct, frozen=True):
    """A person as the template sees them."""

    name: str
    picture: str = ""
    facts: str = ""
    about: str = ""
    ends: str = ""
    chats: str = ""
    person: Person | None = None
    stats: PersonStats = PersonStats()


class AudioView(Struct, frozen=True):
    """An audio file as its template sees it."""

    title: str
    player: str = ""
    facts: str = ""
    transcript: str = ""
    sections: str = ""
    messages: str = ""
    item: AudioItem | None = None


def _heading(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines) if lines else ""


def render_chat(chat: Chat, stats: ChatStats, links: Links, options: RenderOptions, templates: Templates) -> Rendered:
    """Render the note of a chat."""
    context = Context(links, options, chat.id, chat.username)
    translate = context.translate
    facts = [translate(f"kind.{chat.kind}"), translate("messages", n=stats.messages)]
    facts += [translate("members", n=chat.members)] if chat.members else []
    facts += [translate("files", n=stats.media)] if stats.media else []
    facts += [translate("stories", n=stats.stories)] if stats.stories else []
    topics = [
        f"- {wikilink(topic.path, topic.title) if topic.path else escape_name(topic.title)}"
        + (f" ({translate('messages', n=topic.messages)})" if topic.messages else "")
        for topic in stats.topics
    ]
    saved = [f"- {context.name(source)} ({translate('messages', n=count)})" for source, count in stats.saved_from]
    past = [escape_name(title) for title in stats.past_titles]
    view = ChatView(
        title=one_line(chat.title),
        picture=embed(stats.picture) if stats.picture else "",
        facts=", ".join(facts) + (f"\n\n{translate('past_titles')}: {', '.join(past)}" if past else ""),
        about=context.description(chat.about),
        ends=_ends(stats, context),
        pinned=_heading(translate("pinned"), [f"- {context.message_link(chat.id, each)}" for each in stats.pinned]),
        topics=_heading(translate("topics"), topics),
        saved_from=_heading(translate("saved_from"), saved),
        years=_years(stats, context),
        changed=_heading(translate("digest"), digest_lines(stats.changed, chat.id, context)),
        base=f"![[{stats.base}]]" if stats.base else "",
        chat=chat,
        stats=stats,
    )
    properties: list[tuple[str, Value]] = [
        ("tobs_id", tobs_id(chat.id, options)),
        ("aliases", _aliases(chat.title, stats.past_titles)),
        ("chat_kind", chat.kind),
        ("chat_username", chat.username),
        ("link", _chat_link(chat)),
        ("messages", stats.messages),
        ("members", chat.members),
        ("first_message", context.local(stats.first[2]) if stats.first else None),
        ("last_message", context.local(stats.last[2]) if stats.last else None),
        ("media", [Link(f"[[{stats.picture}]]")] if stats.picture else None),
    ]
    body = templates.render(CHAT_TEMPLATE, {"chat": view, "words": translate})
    return finish(properties, body, context)


def _ends(stats: ChatStats | PersonStats, context: Context) -> str:
    """Render links to the first and the last message."""
    lines = []
    for key, end in (("first_message", stats.first), ("last_message", stats.last)):
        if end is not None:
            chat_id, message_id, date = end
            lines.append(f"- {context.translate(key)}: {context.message_link(chat_id, message_id, context.when(date))}")
    return "\n".join(lines)


def _chat_link(chat: Chat) -> str:
    return f"https://t.me/{chat.username}" if chat.username else ""


def _aliases(name: str, earlier: Sequence[str]) -> tuple[str, ...]:
    """Return the name and earlier names, without duplicates."""
    names = dict.fromkeys(one_line(each) for each in (name, *earlier))
    return tuple(each for each in names if each)


def _years(stats: ChatStats, context: Context) -> str:
    """Render a table with a row per year; the year links to its first message."""
    if not stats.years:
        return ""
    translate = context.translate
    rows = [
        f"| {translate('year')} | {translate('messages.column')} | {translate('files.column')} |",
        "| --- | ---: | ---: |",
    ]
    rows += [f"| {_year(year, context)} | {year.messages} | {year.media} |" for year in stats.years]
    return f"## {translate('years')}\n\n" + "\n".join(rows)


def _year(year: Year, context: Context) -> str:
    path = context.message_path(*year.first) if year.first else None
    # In a table the `|` of a link's alias would end the cell.
    return wikilink(path, str(year.year)).replace("|", "\\|") if path else str(year.year)


def render_person(
    person: Person, stats: PersonStats, links: Links, options: RenderOptions, templates: Templates
) -> Rendered:
    """Render the note of a user, or of a channel or group that posts in its own name."""
    context = Context(links, options)
    translate = context.translate
    facts = [translate("kind.bot")] if person.is_bot else []
    facts += [translate("deleted_account")] if person.is_deleted else []
    facts += [f"@{escape_name(person.username)}"] if person.username else []
    facts.append(translate("messages", n=stats.messages))
    chats = [f"- {context.name(chat)} ({translate('messages', n=count)})" for chat, count in stats.chats]
    name = person.name or translate("deleted_account")
    view = PersonView(
        name=one_line(name),
        picture=embed(stats.picture) if stats.picture else "",
        facts=", ".join(facts),
        about=context.description(person.about),
        ends=_ends(stats, context),
        chats=_heading(translate("chats"), chats),
        person=person,
        stats=stats,
    )
    properties: list[tuple[str, Value]] = [
        ("tobs_id", f"person/{person.id}"),
        ("aliases", _aliases(name, stats.aliases)),
        ("username", person.username),
        ("link", f"https://t.me/{person.username}" if person.username else ""),
        ("messages", stats.messages),
    ]
    body = templates.render(PERSON_TEMPLATE, {"person": view, "words": translate})
    return finish(properties, body, context)


def render_audio(
    item: AudioItem,
    messages: Sequence[tuple[int, int]],
    links: Links,
    options: RenderOptions,
    templates: Templates,
) -> Rendered:
    """Render the note of an audio file (music, voice, podcast).

    ``messages`` are (chat id, message id) of the messages that carry it.
    """
    context = Context(links, options)
    translate = context.translate
    facts = [escape_name(part) for part in (item.performer, item.title) if part]
    lines = [f"**{' - '.join(facts)}**"] if facts else []
    album = [escape_name(item.album)] if item.album else []
    album += [str(item.year)] if item.year else []
    album += [escape_name(item.genre)] if item.genre else []
    album += [context.period(round(item.duration))] if item.duration else []
    lines += [", ".join(album)] if album else []
    carried = [f"- {context.message_link(chat, message)}, {context.name(chat)}" for chat, message in messages]
    player = [embed(item.cover)] if item.cover else []
    player += [embed(item.shown or item.path, item.name)] if item.path else []
    player += [embed(item.waveform)] if item.waveform else []
    view = AudioView(
        title=one_line(item.title or item.name),
        player="\n\n".join(player),
        facts="\n\n".join(lines),
        transcript=_transcript(item, context),
        sections=sections_markdown(item.found, translate, item.shown or item.path or ""),
        messages=_heading(translate("in_messages"), carried),
        item=item,
    )
    properties: list[tuple[str, Value]] = [
        ("tobs_id", f"audio/{item.sha256}"),
        ("date", context.local(item.date) if item.date else None),
        ("date_unix", item.date or None),
        ("title", one_line(item.title)),
        ("performer", one_line(item.performer)),
        ("album", one_line(item.album)),
        ("genre", one_line(item.genre)),
        ("year", item.year),
        ("track", item.track),
        ("duration", item.duration),
        ("bitrate", item.bitrate),
        ("size", item.size),
        ("format", one_line(item.format)),
        ("sha256", item.changed or item.sha256),
        ("transcript_language", item.transcript_language),
        ("tags", field_tags(item.found, options.tag_prefix)),
        ("media", [Link(f"[[{path}]]") for path in (item.path, *produced_paths(item.found)) if path]),
        ("cover", Link(f"[[{cover}]]") if (cover := item.cover or picture_among(produced_paths(item.found))) else None),
    ]
    taken = {name for name, _ in properties}
    properties += [(name, value) for name, value in field_properties([item.found]) if name not in taken]
    body = templates.render(AUDIO_TEMPLATE, {"audio": view, "words": translate})
    return finish(properties, body, context)


def render_page(
    tobs_id: str, text: str, fields: Mapping[str, Any], tags: Sequence[str], options: RenderOptions
) -> Rendered:
    """Render a note made by a plugin: its Markdown unchanged, its fields and tags as properties."""
    found = {"tags": list(tags)}
    properties: list[tuple[str, Value]] = [("tobs_id", tobs_id), ("tags", field_tags(found, options.tag_prefix))]
    properties += field_properties([fields])
    return finish(properties, text.strip(), Context(Links(), options))


def _transcript(item: AudioItem, context: Context) -> str:
    if not item.transcript.strip():
        return ""
    return quote(context.plain(item.transcript.strip()), callout="quote", title=context.translate("transcript"))
