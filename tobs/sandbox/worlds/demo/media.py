"""The media of the demo story's messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from telethon.tl import types

from tobs.sandbox.worlds.demo.assets import Assets
from tobs.sandbox.worlds.demo.story import Entry
from tobs.sandbox.worlds.markup import parse
from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.tl import Tl, peer


def media_of(entry: Entry, assets: Assets, people: dict[str, int]) -> Tl:
    """Make the media of one message; None for a text."""
    for key, make in _MAKERS.items():
        if key in entry.keys:
            return make(entry, entry.keys[key], assets, people)
    return None


def _photo(entry: Entry, name: str, assets: Assets, people: dict[str, int]) -> Tl:
    return types.MessageMediaPhoto(photo=assets.photo(name, entry.date), spoiler="spoiler" in entry.keys or None)


def _document(document: Tl, **flags: bool) -> Tl:
    return types.MessageMediaDocument(document=document, **flags)


def _file(entry: Entry, name: str, assets: Assets, people: dict[str, int]) -> Tl:
    return _document(assets.plain_file(name, entry.date))


def _voice(entry: Entry, name: str, assets: Assets, people: dict[str, int]) -> Tl:
    return _document(assets.voice(name, entry.date), voice=True)


def _music(entry: Entry, name: str, assets: Assets, people: dict[str, int]) -> Tl:
    return _document(assets.music(name, entry.date))


def _sticker(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    name, _, emoji = value.partition(",")
    return _document(assets.sticker(name, emoji, entry.date))


def _video(kind: str) -> Callable[[Entry, str, Assets, dict[str, int]], Tl]:
    def make(entry: Entry, name: str, assets: Assets, people: dict[str, int]) -> Tl:
        flags = {} if kind == "gif" else {kind: True} if kind == "video" else {"video": True, "round": True}
        return _document(assets.video(name, kind, entry.date), **flags)

    return make


def _styled(source: str) -> Tl:
    return types.TextWithEntities(*parse(source))


def _poll(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    question, *tasks = (part.strip() for part in value.split("|"))
    answers, results = [], []
    for index, part in enumerate(tasks):
        words, _, votes = part.removeprefix("*").rpartition(":")
        option = bytes([48 + index])
        answers.append(types.PollAnswer(_styled(words), option))
        results.append(
            types.PollAnswerVoters(
                option,
                voters=int(votes),
                recent_voters=[],
                correct=part.startswith("*") or None,
                chosen=index == 0 or None,
            )
        )
    why, entities = parse(entry.keys.get("why", ""))
    flags = {
        "quiz": "quiz" in entry.keys or None, "multiple_choice": "multiple" in entry.keys or None,
        "public_voters": "public" in entry.keys or None, "closed": "closed" in entry.keys or None,
    }  # fmt: skip
    total = sum(result.voters for result in results)
    return types.MessageMediaPoll(
        types.Poll(splitmix64(entry.id, 21) >> 2, _styled(question), answers, 0, **flags),
        types.PollResults(
            results=results, total_voters=total, solution=why or None, solution_entities=entities if why else None
        ),
    )


def _todo(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    title, *tasks = (part.strip() for part in value.split("|"))
    items = [types.TodoItem(index + 1, _styled(part.removeprefix("x "))) for index, part in enumerate(tasks)]
    done = [
        types.TodoCompletion(index + 1, peer(people["Ines"]), entry.date + dt.timedelta(hours=3 + index))
        for index, part in enumerate(tasks)
        if part.startswith("x ")
    ]
    return types.MessageMediaToDo(types.TodoList(_styled(title), items, others_can_complete=True), done or None)


def _point(value: str) -> Tl:
    latitude, longitude = (float(part) for part in value.split(",")[:2])
    return types.GeoPoint(longitude, latitude, 0)


def _location(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    if value.count(",") == 2:
        return types.MessageMediaGeoLive(_point(value), int(value.split(",")[2]))
    return types.MessageMediaGeo(_point(value))


def _venue(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    title, address, point = value.split("|")
    return types.MessageMediaVenue(_point(point), title, address, "foursquare", f"v{entry.id}", "")


def _contact(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    first, last, phone = value.split("|")
    card = f"BEGIN:VCARD\nVERSION:3.0\nFN:{first} {last}\nTEL;MOBILE:{phone}\nEND:VCARD"
    return types.MessageMediaContact(phone, first, last, card, people.get(first, 0))


def _dice(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    emoji, _, rolled = value.partition(":")
    return types.MessageMediaDice(int(rolled), emoji)


def _game(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    title, name, words = value.split("|")
    id = splitmix64(entry.id, 22) >> 2
    photo = assets.photo("panel-cords", entry.date)
    return types.MessageMediaGame(types.Game(id, access_hash("game", id), name, title, words, photo))


def _preview(entry: Entry, value: str, assets: Assets, people: dict[str, int]) -> Tl:
    url, site, title, words, picture = value.split("|")
    page = types.WebPage(
        splitmix64(entry.id, 23) >> 2, url, url.removeprefix("https://"), 0, type="photo" if not title else "article",
        site_name=site or None, title=title or None, description=words or None, author="M. Brandt" if title else None,
        photo=assets.photo(picture, entry.date) if picture else None,
    )  # fmt: skip
    return types.MessageMediaWebPage(page)


_MAKERS: dict[str, Callable[[Entry, str, Assets, dict[str, int]], Tl]] = {
    "photo": _photo, "file": _file, "voice": _voice, "music": _music, "sticker": _sticker, "video": _video("video"),
    "gif": _video("gif"), "round": _video("round"), "poll": _poll, "todo": _todo, "location": _location,
    "venue": _venue, "contact": _contact, "dice": _dice, "game": _game, "preview": _preview,
}  # fmt: skip
