"""Render the notes about chats, topics, people and audio files, and those that plugins made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from tobs.archive import FileRow, NoteRow
from tobs.archive.summaries import ChatSummary
from tobs.model import Chat, FileItem, MessageKey, Person, stories_of
from tobs.pipeline.context.run_context import RenderContext
from tobs.render.bases import chat_base, vault_base
from tobs.render.index import IndexedChat, render_index
from tobs.render.overview import render_audio, render_chat, render_page, render_person
from tobs.render.plugin_fields import produced_file
from tobs.render.topics import render_topic
from tobs.render.views import AudioItem, ChatStats, Links, PersonStats, SyncChanges, Topic, TopicStats, Year
from tobs.vault.layout import AUDIO, PEOPLE, TELEGRAM

#: Fields of the chain that have a property of their own; the others are shown under their own names.
_AUDIO_FIELDS = (
    *("title", "performer", "album", "genre", "year", "track", "duration", "bitrate", "format"),
    *("transcript", "transcript_language"),
)


def summary_text(render_context: RenderContext, row: NoteRow, links: Links) -> str:
    """Return the current text of the note ``row``."""
    match row.kind:
        case "base":
            return _base_text(render_context, row)
        case "index":
            return _index_text(render_context, links)
        case "chat":
            return _chat_text(render_context, row, links)
        case "topic":
            return _topic_text(render_context, row, links)
        case "person":
            return _person_text(render_context, int(row.tobs_id.removeprefix("person/")), links)
        case "audio":
            return _audio_text(render_context, row.tobs_id.removeprefix("audio/"), links)
        case "page":
            return _page_text(render_context, row.tobs_id)
    raise AssertionError(f"no summary is of kind {row.kind}")


def _base_text(render_context: RenderContext, row: NoteRow) -> str:
    if not row.chat_id:
        return vault_base(TELEGRAM, PEOPLE, AUDIO, render_context.options)
    return chat_base(row.path.rpartition("/")[0], row.path.removesuffix(".base"), AUDIO, render_context.options)


def _index_text(render_context: RenderContext, links: Links) -> str:
    """Render the list of the vault's chats; those with the newest messages come first."""
    archive, chats = render_context.archive, []
    for chat in archive.chats.all(render_context.account):
        note = archive.notes.by_tobs_id(str(chat.id))
        if note is None or note.state == "deleted":
            continue
        briefs = [archive.summaries.brief(render_context.account, one) for one in (chat.migrated_from, chat.id) if one]
        chats.append(
            IndexedChat(
                path=note.path.removesuffix(".md"),
                title=chat.title,
                kind=chat.kind,
                messages=sum(brief.messages for brief in briefs),
                first=min((brief.first for brief in briefs if brief.messages), default=0),
                last=max((brief.last for brief in briefs), default=0),
            )
        )
    chats.sort(key=lambda one: (-one.last, one.path))
    return render_index(
        chats, _path(render_context, "base"), links, render_context.options, render_context.templates
    ).text


def _chat_text(render_context: RenderContext, row: NoteRow, links: Links) -> str:
    archive = render_context.archive
    chat = archive.chats.get(render_context.account, row.chat_id)
    assert chat is not None, "a chat has its note from its row"
    summary = archive.summaries.of_chat(render_context.account, chat.id, render_context.zone)
    before = (
        archive.summaries.of_chat(render_context.account, chat.migrated_from, render_context.zone)
        if chat.migrated_from
        else None
    )
    stats = ChatStats(
        messages=summary.messages + (before.messages if before else 0),
        media=summary.media + (before.media if before else 0),
        first=_end(chat.migrated_from, before.first if before else None) or _end(chat.id, summary.first),
        last=_end(chat.id, summary.last) or _end(chat.migrated_from, before.last if before else None),
        pinned=tuple(dict.fromkeys((*chat.pinned, *archive.summaries.pinned(render_context.account, chat.id)))),
        years=_years(*([(chat.migrated_from, before)] if before else []), (chat.id, summary)),
        past_titles=_past_titles(render_context, chat),
        topics=_topics(render_context, chat, links),
        stories=archive.messages.count(render_context.account, stories_of(chat.id)),
        saved_from=tuple(archive.saved.dialogs(render_context.account)) if chat.kind == "saved" else (),
        picture=_picture(render_context, chat),
        base=_path(render_context, f"{chat.id}/base"),
        changed=_changed(render_context, chat) if render_context.options.digest else SyncChanges(),
    )
    return render_chat(chat, stats, links, render_context.options, render_context.templates).text


def _changed(render_context: RenderContext, chat: Chat) -> SyncChanges:
    """Return the changes of a chat in the last sync."""
    digest = render_context.archive.digests.of(render_context.account, chat.id)
    edited = tuple((after.id, before.text, after.text) for before, after in digest.edited)
    return SyncChanges(digest.new, edited, digest.deleted)


def _topics(render_context: RenderContext, chat: Chat, links: Links) -> tuple[Topic, ...]:
    """Return the topics of a forum that have messages, by id."""
    if not chat.is_forum:
        return ()
    topics = render_context.archive.topics
    rows = []
    for topic_id, count in sorted(topics.counts(render_context.account, chat.id).items()):
        path, title = links.topic(chat.id, topic_id) or ("", str(topic_id))
        rows.append(Topic(topic_id, title, path, count))
    return tuple(rows)


def _topic_text(render_context: RenderContext, row: NoteRow, links: Links) -> str:
    archive, topic_id = render_context.archive, row.message_id
    chat = archive.chats.get(render_context.account, row.chat_id)
    known = archive.topics.get(render_context.account, row.chat_id, topic_id)
    assert chat is not None and known is not None, "a topic has its note from its row"
    summary = archive.topics.summary(render_context.account, chat.id, topic_id)
    began = archive.messages.get(MessageKey.of(render_context.account, chat.id, topic_id))
    first_title = str(began.action.values.get("title") or "") if began is not None and began.action is not None else ""
    past = [title for title in dict.fromkeys((first_title, *known.former)) if title not in ("", known.topic.title)]
    stats = TopicStats(summary.messages, summary.first, summary.last, tuple(past))
    return render_topic(chat, known.topic, stats, links, render_context.options, render_context.templates).text


def _past_titles(render_context: RenderContext, chat: Chat) -> tuple[str, ...]:
    """Return the earlier titles of a chat, from its service messages and from earlier runs."""
    archive = render_context.archive
    titles = [*archive.summaries.titles(render_context.account, chat.id), *archive.chats.former_titles(chat.id)]
    return tuple(title for title in dict.fromkeys(titles) if title != chat.title)


def _picture(render_context: RenderContext, chat: Chat) -> str:
    """Return the path of the chat's current picture; empty if it is not in the vault."""
    files, remote = render_context.archive.files, chat.photo.remote if chat.photo is not None else None
    stored = files.picture(chat.id)
    if remote is None or stored is None or stored[0] != remote.key:
        return ""
    file = files.get(stored[1])
    return file.path if file is not None and not file.is_lost else ""


def _end(chat_id: int, end: tuple[int, int] | None) -> tuple[int, int, int] | None:
    """Return the first or last message of a chat, with its chat id."""
    return (chat_id, *end) if end else None


def _path(render_context: RenderContext, tobs_id: str) -> str:
    """Return the path of a note; empty if there is none, or if the owner deleted it."""
    row = render_context.archive.notes.by_tobs_id(tobs_id)
    return row.path if row is not None and row.state != "deleted" else ""


def _years(*histories: tuple[int, ChatSummary]) -> tuple[Year, ...]:
    """Return messages and files by year, for all histories (chat id, summary) together; the oldest year first."""
    years: dict[int, Year] = {}
    for chat_id, summary in histories:
        for year, messages, media, first in summary.years:
            before = years.get(year, Year(year, 0, 0, (chat_id, first)))
            years[year] = Year(year, before.messages + messages, before.media + media, before.first)
    return tuple(years[year] for year in sorted(years))


def _person_text(render_context: RenderContext, person_id: int, links: Links) -> str:
    people = render_context.archive.people
    person = people.get(person_id) or Person(person_id, str(person_id))
    if not person.about and (dialog := render_context.archive.chats.get(render_context.account, person_id)) is not None:
        person = replace(person, about=dialog.about)  # the bio of a dialog
    summary = render_context.archive.summaries.of_person(person_id)
    stats = PersonStats(
        messages=summary.messages,
        first=summary.first,
        last=summary.last,
        aliases=tuple(people.former_names(person_id)),
        chats=summary.chats,
    )
    return render_person(person, stats, links, render_context.options, render_context.templates).text


def _audio_text(render_context: RenderContext, sha256: str, links: Links) -> str:
    archive = render_context.archive
    file = archive.files.get(sha256)
    rows = archive.media.with_hash(sha256)
    keys = archive.summaries.messages_with_file(sha256)
    path = file.path if file and not file.is_lost else None
    item = _audio_item(sha256, rows[0].item, file, path, rows[0].date)
    messages_with_file = [(key.chat_id, key.id) for key in keys]
    return render_audio(item, messages_with_file, links, render_context.options, render_context.templates).text


def _page_text(render_context: RenderContext, tobs_id: str) -> str:
    page = render_context.archive.enrichments.page(tobs_id)
    assert page is not None, "a page is kept before it gets its note"
    return render_page(tobs_id, page.text, page.fields, page.tags, render_context.options).text


def _audio_item(sha256: str, item: FileItem, file: FileRow | None, path: str | None, date: int) -> AudioItem:
    """Return the item for an audio note: tags of the file, else the attributes of Telegram."""
    fields: Mapping[str, Any] = file.fields if file else {}
    tags = {name: fields[name] for name in _AUDIO_FIELDS if fields.get(name)}
    attributes = {"title": item.title, "performer": item.performer, "duration": item.duration or None}
    return AudioItem(
        sha256=sha256,
        path=path,
        kind=item.kind,
        name=item.name,
        changed=file.changed if file else "",
        size=(file.size if file and file.changed else item.size) or None,
        date=date,
        cover=produced_file(fields, "cover"),
        waveform=produced_file(fields, "waveform"),
        shown=str(fields.get("embed") or ""),
        found={name: value for name, value in fields.items() if name not in _AUDIO_FIELDS},
        **(attributes | tags),
    )
