"""Media of a message as Markdown: embeds of files; polls, places and previews as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tobs.model import (
    Contact,
    Dice,
    FileItem,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    Message,
    PaidMedia,
    Poll,
    StoryRef,
    Text,
    TodoList,
    UnknownMedia,
    WebPage,
    message_files,
)
from tobs.render.escape import escape_name
from tobs.render.links import destination, web_url, wikilink
from tobs.render.markdown import quote
from tobs.render.plugin_fields import sections_markdown
from tobs.render.reasons import reason_markdown
from tobs.render.service import money
from tobs.render.views import Attachment

if TYPE_CHECKING:
    from tobs.render.context import Context

# File extensions that Obsidian shows inside a note. Source: Obsidian help, 'Accepted file formats'.
EMBEDDABLE = frozenset(
    [
        "avif",
        "bmp",
        "gif",
        "jpeg",
        "jpg",
        "png",
        "svg",
        "webp",
        "flac",
        "m4a",
        "mp3",
        "ogg",
        "wav",
        "webm",
        "3gp",
        "mkv",
        "mov",
        "mp4",
        "ogv",
        "pdf",
    ]
)


PICTURES = frozenset(["avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "webp"])

# Suffix of equal names: the start of the file's hash.
_HASH_SUFFIX = re.compile(r" \([0-9a-f]{8}\)$")


def is_embeddable(path: str) -> bool:
    """Return whether Obsidian shows the file inside a note."""
    return path.rpartition(".")[2].lower() in EMBEDDABLE


def is_picture(path: str) -> bool:
    """Return whether the file can be the picture of a card."""
    return path.rpartition(".")[2].lower() in PICTURES


def embed(path: str, name: str = "") -> str:
    """Embed a file of the vault if Obsidian can show it, else link to it."""
    if is_embeddable(path):
        return f"![[{path}]]"
    return wikilink(path, name or path.rpartition("/")[2])


def file_label(item: FileItem, context: Context) -> str:
    """Return the kind of a file with its title or name: ``Photo``, ``File report.pdf``."""
    translate = context.translate
    what = translate(f"kind.{item.kind}")
    title = " - ".join(part for part in (item.performer, item.title) if part) or item.name
    if item.kind == "sticker" and item.emoji:
        title = item.emoji
    return f"{what} {escape_name(title)}" if title else what


def _audio_title(item: FileItem, note: str, context: Context) -> str:
    """Return the label of the link to an audio note. A voice message has no title of its own."""
    if item.kind == "voice":
        return context.translate("kind.voice")
    return _HASH_SUFFIX.sub("", note.rpartition("/")[2])


def file_markdown(item: FileItem, attachment: Attachment, context: Context) -> str:
    """Render a file: its embed, or a line with the reason why it is not in the vault."""
    translate = context.translate
    if attachment.path is not None:
        shown = embed(str(attachment.fields.get("embed") or attachment.path), attachment.name or item.name)
        if item.spoiler:
            shown = quote(shown, folded=True, title=translate("file.spoiler"))
        lines = [shown]
        if attachment.note:
            lines.append(wikilink(attachment.note, _audio_title(item, attachment.note, context)))
        transcript = attachment.fields.get("transcript")
        if isinstance(transcript, str) and transcript.strip() and not attachment.note:
            lines.append(quote(context.plain(transcript), folded=True, title=translate("transcript")))
        return "\n\n".join(lines)
    what = file_label(item, context)
    if item.ttl and attachment.state in ("unavailable", "gone"):
        return f"*{translate('file.ttl', what=what)}*"
    state = {"staged": "wanted", "placed": "wanted"}.get(attachment.state, attachment.state)
    if state not in ("wanted", "skipped", "failed", "unavailable", "gone"):
        state = "unavailable"
    sentence = translate(f"file.{state}", what=what)
    if attachment.reason and state in ("skipped", "failed", "unavailable"):
        sentence = translate("file.because", sentence=sentence, reason=reason_markdown(attachment.reason, translate))
    return f"*{sentence}*"


def media_markdown(message: Message, context: Context) -> tuple[str, str]:
    """Return (files, details) of a message: embeds placed before its text, and Markdown placed after it."""
    media = message.media
    files, details = _media_parts(media, message, context) if media is not None else ("", "")
    if not message.attached:
        return files, details
    beside = [file_markdown(item, attachment, context) for item, attachment in attached_files(message, context)]
    if isinstance(media, FileItem):
        return "\n\n".join((files, *beside)), details
    return files, "\n\n".join(part for part in (details, *beside) if part)


def _media_parts(media: Media, message: Message, context: Context) -> tuple[str, str]:
    if isinstance(media, FileItem):
        attachment = context.attachment(message, 0)
        return file_markdown(media, attachment, context), _file_sections(media, attachment, context)
    make = _DETAILS.get(type(media))
    details = make(media, message, context) if make else ""
    if isinstance(media, PaidMedia | StoryRef):
        own = list(_media_files(message, context))
        found = [_file_sections(item, attachment, context) for item, attachment in own]
        shown = [file_markdown(item, attachment, context) for item, attachment in own]
        return "\n\n".join(shown), "\n\n".join(part for part in (details, *found) if part)
    return "", details


def attached_files(message: Message, context: Context) -> list[tuple[FileItem, Attachment]]:
    """Return the files beside a message's media that no block shows, each with its state in the vault."""
    first = len(message_files(message)) - len(message.attached)
    found = [(item, context.attachment(message, first + n)) for n, item in enumerate(message.attached)]
    return [(item, file) for item, file in found if item.remote is None or item.remote.id not in context.shown]


def _file_sections(item: FileItem, attachment: Attachment, context: Context) -> str:
    """Render the sections that processors wrote about a file.

    Music has a note of its own for them; those of a voice message belong to the message.
    """
    if attachment.path is None or (attachment.note and item.kind != "voice"):
        return ""
    return sections_markdown(
        attachment.fields, context.translate, str(attachment.fields.get("embed") or attachment.path)
    )


def _media_files(message: Message, context: Context) -> Iterator[tuple[FileItem, Attachment]]:
    files = message_files(message)
    for index, item in enumerate(files[: len(files) - len(message.attached)]):
        yield item, context.attachment(message, index)


def _attached_embeds(message: Message, context: Context) -> list[str]:
    """Embed the files of a preview that are in the vault; missing ones are not mentioned."""
    return [embed(file.path) for _, file in _media_files(message, context) if file.path is not None]


def _text(text: Text, context: Context) -> str:
    """Render a short text on one line."""
    return context.inline(text)


def _poll(poll: Poll, message: Message, context: Context) -> str:
    translate = context.translate
    facts = [translate("poll.quiz" if poll.quiz else "poll")]
    facts += [translate(f"poll.{name}") for name in ("multiple", "closed", "public") if getattr(poll, name)]
    if poll.close_date and not poll.closed:
        facts.append(translate("poll.until", date=context.when(poll.close_date)))
    head = f"**{_text(poll.question, context)}**" if not poll.question.entities else _text(poll.question, context)
    lines = [head]
    for answer in poll.answers:
        line = f"- {_text(answer.text, context)}"
        if answer.voters is not None:
            line += f" — {translate('votes', n=answer.voters)}"
        marks = [translate(f"poll.{name}") for name in ("correct", "chosen") if getattr(answer, name)]
        lines.append(f"{line} ({', '.join(marks)})" if marks else line)
    if poll.total_voters is not None:
        facts.append(translate("poll.total", n=poll.total_voters))
    body = f"{lines[0]}\n\n" + "\n".join(lines[1:]) if len(lines) > 1 else lines[0]
    parts = [body, f"*{', '.join(facts)}*"]
    if poll.solution:
        parts.append(quote(context.text(poll.solution)))
    return "\n\n".join(parts)


def _todo(todo: TodoList, message: Message, context: Context) -> str:
    title = _text(todo.title, context)
    lines = []
    for item in todo.items:
        line = f"- [{'x' if item.done else ' '}] {_text(item.title, context)}"
        done = [context.name(item.done_by)] if item.done_by else []
        done += [context.when(item.done_at)] if item.done_at else []
        lines.append(f"{line} ({', '.join(done)})" if item.done and done else line)
    head = f"**{title}**" if title and not todo.title.entities else title or context.translate("todo")
    return f"{head}\n\n" + "\n".join(lines) if lines else head


def _location(place: Location, message: Message, context: Context) -> str:
    translate = context.translate
    point = f"{place.latitude:.6f},{place.longitude:.6f}"
    url = f"https://www.openstreetmap.org/?mlat={place.latitude:.6f}&mlon={place.longitude:.6f}"
    where = f"[{point}]({url}#map=16/{place.latitude:.6f}/{place.longitude:.6f})"
    if place.title or place.address:
        name = ", ".join(escape_name(part) for part in (place.title, place.address) if part)
        return f"{translate('venue')}: {name} ({where})"
    if place.live:
        return f"{translate('location.live', period=context.period(place.live))}: {where}"
    return f"{translate('location')}: {where}"


def _contact(contact: Contact, message: Message, context: Context) -> str:
    name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    known = context.person(contact.user_id) if contact.user_id else None
    shown = wikilink(known[0], name or known[1]) if known and known[0] else escape_name(name)
    line = f"{context.translate('contact')}: {shown or context.translate('someone')}"
    if context.options.phones and contact.phone:
        line += f", {escape_name(contact.phone)}"
    return line


def _callout(title: str, body: list[str], message: Message, context: Context, kind: str = "info") -> str:
    parts = [part for part in body if part] + _attached_embeds(message, context)
    return quote("\n\n".join(parts), callout=kind, title=title)


def _preview(page: WebPage, message: Message, context: Context) -> str:
    title = escape_name(page.title or page.site or page.url)
    url = web_url(page.url)
    path = context.targets.url(url) if url else None
    if path:
        title = wikilink(path, page.title or page.url)
    elif url:
        title = f"[{title}]({destination(url)})"
    facts = [escape_name(fact) for fact in (page.site if page.title else "", page.author) if fact]
    return _callout(title, [", ".join(facts), context.plain(page.description)], message, context)


def _game(game: Game, message: Message, context: Context) -> str:
    title = f"{context.translate('game')}: {escape_name(game.title)}"
    return _callout(title, [context.plain(game.description)], message, context)


def _invoice(invoice: Invoice, message: Message, context: Context) -> str:
    translate = context.translate
    title = f"{translate('invoice')}: {escape_name(invoice.title)}"
    price = money(invoice.amount, invoice.currency) if invoice.currency else ""
    if invoice.receipt_id:
        price = f"{price}, {translate('invoice.paid')}" if price else translate("invoice.paid")
    return _callout(title, [context.plain(invoice.description), price], message, context)


def _paid(paid: PaidMedia, message: Message, context: Context) -> str:
    line = context.translate("paid", n=paid.stars)
    locked = paid.count - len(paid.files)
    if locked > 0:
        line += f" ({context.translate('paid.locked', n=locked)})"
    return f"*{line}*"


def _prize(months: int, stars: int, prize: str, context: Context) -> list[str]:
    translate = context.translate
    parts = [translate("giveaway.months", n=months)] if months else []
    parts += [translate("stars", n=stars)] if stars else []
    return parts + ([escape_name(prize)] if prize else [])


def _giveaway(giveaway: Giveaway, message: Message, context: Context) -> str:
    translate = context.translate
    facts = [translate("giveaway.prizes", n=giveaway.quantity)]
    facts += _prize(giveaway.months, giveaway.stars, giveaway.prize, context)
    if giveaway.channels:
        facts.append(translate("giveaway.channels", chats=context.names(giveaway.channels)))
    if giveaway.countries:
        facts.append(translate("giveaway.countries", countries=escape_name(", ".join(giveaway.countries))))
    if giveaway.until:
        facts.append(translate("giveaway.until", date=context.when(giveaway.until)))
    return f"{translate('giveaway')}: {', '.join(facts)}"


def _giveaway_results(results: GiveawayResults, message: Message, context: Context) -> str:
    translate = context.translate
    facts = [translate("giveaway.winners", n=results.winners_count)]
    facts += _prize(results.months, results.stars, results.prize, context)
    if results.unclaimed:
        facts.append(translate("giveaway.unclaimed", n=results.unclaimed))
    if results.refunded:
        facts.append(translate("giveaway.refunded"))
    line = f"{translate('giveaway_results')}: {', '.join(facts)}"
    if results.winners:
        line += "\n\n" + "\n".join(f"- {context.name(winner)}" for winner in results.winners)
    if results.launch_id:
        line += "\n\n" + context.message_link(results.channel or message.chat_id, results.launch_id)
    return line


def _dice(dice: Dice, message: Message, context: Context) -> str:
    emoji = escape_name(dice.emoji)
    return context.translate("dice", emoji=emoji, value=dice.value) if dice.value else emoji


def _story(story: StoryRef, message: Message, context: Context) -> str:
    head = context.translate("story", who=context.name(story.peer))
    return f"{head}\n\n{context.text(story.caption)}" if story.caption else head


def _unknown(media: UnknownMedia, message: Message, context: Context) -> str:
    if message.kind == "unsupported" and not message.text:
        return ""  # the note has a sentence in place of the text
    return f"*{context.translate('unknown', name=escape_name(media.name))}*"


_DETAILS: dict[type[Media], Callable[..., str]] = {
    Poll: _poll,
    TodoList: _todo,
    Location: _location,
    Contact: _contact,
    WebPage: _preview,
    Game: _game,
    Invoice: _invoice,
    PaidMedia: _paid,
    Giveaway: _giveaway,
    GiveawayResults: _giveaway_results,
    Dice: _dice,
    StoryRef: _story,
    UnknownMedia: _unknown,
}
