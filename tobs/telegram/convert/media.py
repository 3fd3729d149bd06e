"""Message media: one function for each constructor, found by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.model import (
    Contact,
    Dice,
    FileItem,
    FileKind,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    PaidMedia,
    Poll,
    PollAnswer,
    StoryRef,
    Text,
    TodoItem,
    TodoList,
    UnknownMedia,
    WebPage,
    marked_channel,
)
from tobs.telegram.convert.basics import marked, plain_fields, unix_time
from tobs.telegram.convert.entities import entities_of, text_of
from tobs.telegram.convert.files import document_of, photo_of


def media_of(media: Any) -> Media | None:
    """Convert a TL ``MessageMedia``; None for none, ``UnknownMedia`` for a constructor without a type in the model."""
    if media is None:
        return None
    convert = CONVERTERS.get(type(media))
    return convert(media) if convert is not None else unknown_of(media)


def unknown_of(media: Any) -> UnknownMedia:
    """Convert any TL object to its name and plain fields."""
    return UnknownMedia(type(media).__name__, plain_fields(media))


def _no_media(media: Any) -> None:
    return None


def _photo(media: Any) -> FileItem:
    return photo_of(media.photo, spoiler=bool(media.spoiler), ttl=media.ttl_seconds or 0)


def _document(media: Any) -> FileItem:
    hint: FileKind = "voice" if media.voice else "round" if media.round else "video" if media.video else "document"
    return document_of(media.document, spoiler=bool(media.spoiler), ttl=media.ttl_seconds or 0, hint=hint)


def _file_of(media: Any) -> FileItem | None:
    """Return the file of a nested media object (paid media, stories); None when it holds none."""
    found = media_of(media)
    return found if isinstance(found, FileItem) else None


def _webpage(media: Any) -> WebPage | None:
    page = media.webpage
    if not isinstance(page, types.WebPage):
        url = getattr(page, "url", None)
        return WebPage(url) if url else None
    return WebPage(
        page.url,
        site=page.site_name or "",
        title=page.title or "",
        description=page.description or "",
        author=page.author or "",
        form=page.type or "",
        photo=photo_of(page.photo) if isinstance(page.photo, types.Photo) else None,
        document=document_of(page.document) if isinstance(page.document, types.Document) else None,
    )


def _poll(media: Any) -> Poll:
    poll, results = media.poll, media.results
    votes = {item.option: item for item in results.results or ()}
    return Poll(
        question=text_of(poll.question),
        answers=tuple(_answer(answer, votes.get(getattr(answer, "option", None))) for answer in poll.answers),
        total_voters=results.total_voters,
        closed=bool(poll.closed),
        quiz=bool(poll.quiz),
        multiple=bool(poll.multiple_choice),
        public=bool(poll.public_voters),
        solution=Text(results.solution or "", entities_of(results.solution_entities)),
        close_date=unix_time(poll.close_date),
    )


def _answer(answer: Any, votes: Any) -> PollAnswer:
    if votes is None:
        return PollAnswer(text_of(answer.text))
    return PollAnswer(text_of(answer.text), votes.voters, bool(votes.chosen), bool(votes.correct))


def _todo(media: Any) -> TodoList:
    todo = media.todo
    done = {item.id: item for item in media.completions or ()}
    return TodoList(
        title=text_of(todo.title),
        items=tuple(_todo_item(item, done.get(item.id)) for item in todo.list),
        others_can_append=bool(todo.others_can_append),
        others_can_complete=bool(todo.others_can_complete),
    )


def _todo_item(item: Any, done: Any) -> TodoItem:
    if done is None:
        return TodoItem(item.id, text_of(item.title))
    return TodoItem(item.id, text_of(item.title), True, marked(done.completed_by), unix_time(done.date))


def _located(media: Any, **more: Any) -> Media:
    geo = media.geo
    if not isinstance(geo, types.GeoPoint):
        return unknown_of(media)
    return Location(geo.lat, geo.long, **more)


def _geo(media: Any) -> Media:
    return _located(media)


def _live(media: Any) -> Media:
    return _located(media, live=media.period)


def _venue(media: Any) -> Media:
    return _located(media, title=media.title, address=media.address, provider=media.provider)


def _contact(media: Any) -> Contact:
    return Contact(media.first_name, media.last_name, media.phone_number, media.user_id, media.vcard)


def _game(media: Any) -> Game:
    game = media.game
    photo = photo_of(game.photo) if isinstance(game.photo, types.Photo) else None
    return Game(game.title, game.description, game.short_name, photo)


def _invoice(media: Any) -> Invoice:
    return Invoice(media.title, media.description, media.currency, media.total_amount, media.receipt_msg_id or 0)


def _paid(media: Any) -> PaidMedia:
    shown = (item.media for item in media.extended_media if isinstance(item, types.MessageExtendedMedia))
    files = tuple(found for found in map(_file_of, shown) if found is not None)
    return PaidMedia(media.stars_amount, len(media.extended_media), files)


def _giveaway(media: Any) -> Giveaway:
    return Giveaway(
        quantity=media.quantity,
        until=unix_time(media.until_date),
        months=media.months or 0,
        stars=media.stars or 0,
        channels=tuple(marked_channel(channel) for channel in media.channels),
        countries=tuple(media.countries_iso2 or ()),
        prize=media.prize_description or "",
    )


def _giveaway_results(media: Any) -> GiveawayResults:
    return GiveawayResults(
        winners_count=media.winners_count,
        winners=tuple(media.winners),
        unclaimed=media.unclaimed_count,
        months=media.months or 0,
        stars=media.stars or 0,
        prize=media.prize_description or "",
        launch_id=media.launch_msg_id,
        channel=marked_channel(media.channel_id),
        refunded=bool(media.refunded),
    )


def _dice(media: Any) -> Dice:
    return Dice(media.emoticon, media.value)


def _story(media: Any) -> StoryRef:
    story = media.story
    if not isinstance(story, types.StoryItem):
        return StoryRef(marked(media.peer), media.id)
    caption = Text(story.caption or "", entities_of(story.entities))
    return StoryRef(marked(media.peer), media.id, caption, _file_of(story.media))


CONVERTERS: dict[type, Callable[[Any], Media | None]] = {
    types.MessageMediaEmpty: _no_media,
    types.MessageMediaPhoto: _photo,
    types.MessageMediaDocument: _document,
    types.MessageMediaWebPage: _webpage,
    types.MessageMediaPoll: _poll,
    types.MessageMediaToDo: _todo,
    types.MessageMediaGeo: _geo,
    types.MessageMediaGeoLive: _live,
    types.MessageMediaVenue: _venue,
    types.MessageMediaContact: _contact,
    types.MessageMediaGame: _game,
    types.MessageMediaInvoice: _invoice,
    types.MessageMediaPaidMedia: _paid,
    types.MessageMediaGiveaway: _giveaway,
    types.MessageMediaGiveawayResults: _giveaway_results,
    types.MessageMediaDice: _dice,
    types.MessageMediaStory: _story,
    types.MessageMediaUnsupported: unknown_of,
    types.MessageMediaVideoStream: unknown_of,
}
"""Every constructor of ``MessageMedia`` in this layer; a test fails when a new layer has another one."""
