"""From a story's entries to TL messages. Each key of an entry is a small function here.

by=NAME  reply=#label  quote="words of it"  fwd=#label|hidden:Name|user:NAME  via=NAME  pin  silent
photo=name  album=a+b+c  spoiler  file=name.pdf  voice=name  music=name.mp3  sticker=name,😀  video|gif|round=name
poll="Question | Answer:votes | *right:votes"  (flags quiz, multiple, public, closed, why="…")
    todo="Title | x done | open"
location=lat,lon[,seconds]  venue="title|address|lat,lon"  contact="First|Last|+49…"  dice=🎲:4  game="title|name|text"
preview="url|site|title|text|picture"  buttons="Text > url | Text > copy words // next row"
react="👍12 ❤4"  views=N  edited=MINUTES  do="pin #label" …
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.model import bare_id, is_channel_id
from tobs.sandbox.worlds.demo.actions import action_of
from tobs.sandbox.worlds.demo.assets import Assets
from tobs.sandbox.worlds.demo.media import media_of
from tobs.sandbox.worlds.demo.story import Entry
from tobs.sandbox.worlds.markup import parse, utf16
from tobs.sandbox.worlds.seeds import splitmix64
from tobs.sandbox.worlds.tl import Tl, peer

_REACTION = re.compile(r"(?:custom(?P<custom>\d{6,}):|(?P<emoji>[^\d\s]+?))(?P<count>\d+)")


class Place:
    """A chat of the story: its marked id and, by label, its entries. ``people`` are marked ids by name."""

    def __init__(self, chat: int, entries: list[Entry], *, broadcast: bool, me: int) -> None:
        self.chat = chat
        self.entries = entries
        self.broadcast = broadcast
        self.me = me
        self.labels = {entry.label: entry for entry in entries if entry.label}


def build(place: Place, places: list[Place], people: dict[str, int], assets: Assets) -> list[Tl]:
    """The messages of one chat, ascending by id."""
    messages: list[Tl] = []
    for entry in place.entries:
        common = _common(entry, place, people)
        if "do" in entry.keys:
            action, reply = action_of(entry, place.labels, people, assets)
            messages.append(types.MessageService(action=action, reply_to=reply or _reply(entry, place), **common))
            continue
        text, entities = parse(entry.text)
        common |= {
            "reply_to": _reply(entry, place),
            "fwd_from": _forward(entry, places, people),
            "via_bot_id": people[entry.keys["via"]] if "via" in entry.keys else None,
            "reply_markup": _buttons(entry),
            "edit_date": _edited(entry),
            "post_author": entry.keys.get("by") if place.broadcast else None,
            "reactions": _reactions(entry, place),
            "replies": _comments(entry, place, places),
            "pinned": "pin" in entry.keys or None,
            **_counters(entry, place),
        }
        parts = entry.keys["album"].split("+") if "album" in entry.keys else [""]
        for step, name in enumerate(parts):
            more: dict[str, Any] = {"message": text, "entities": entities or None}
            if step:
                more = {"message": "", "reactions": None, "replies": None, "reply_markup": None}
                more["fwd_from"] = _forward(entry, places, people, step)
            if name:
                photo = types.MessageMediaPhoto(photo=assets.photo(name, entry.date))
                more |= {"media": photo, "grouped_id": (splitmix64(entry.id, 8) >> 2) | 1}
            else:
                more["media"] = media_of(entry, assets, people)
            messages.append(types.Message(**{**common, **more, "id": entry.id + step}))
    return messages


def _common(entry: Entry, place: Place, people: dict[str, int]) -> dict[str, Any]:
    sender = 0 if place.broadcast else people[entry.keys["by"]] if "by" in entry.keys else place.chat
    return {
        "id": entry.id,
        "peer_id": peer(place.chat),
        "date": entry.date,
        "from_id": peer(sender) if (sender and sender != place.chat) or sender == place.me else None,
        "saved_peer_id": peer(place.me) if place.chat == place.me else None,
        "out": sender == place.me,
        "post": place.broadcast or None,
        "silent": "silent" in entry.keys or None,
    }


def _counters(entry: Entry, place: Place) -> dict[str, int]:
    if not place.broadcast:
        return {}
    views = int(entry.keys.get("views", 180 + splitmix64(entry.id, 11) % 240 + entry.id // 2))
    return {"views": views, "forwards": splitmix64(entry.id, 12) % 7}


def _edited(entry: Entry) -> dt.datetime | None:
    return entry.date + dt.timedelta(minutes=int(entry.keys["edited"])) if "edited" in entry.keys else None


def _reply(entry: Entry, place: Place) -> Tl:
    if "reply" not in entry.keys:
        return None
    target = place.labels[entry.keys["reply"].removeprefix("#")]
    root = _root(target, place)
    if "quote" not in entry.keys:
        return types.MessageReplyHeader(
            reply_to_msg_id=target.id, reply_to_top_id=root.id if root and root.id != target.id else None
        )
    text, _ = parse(target.text)
    words, quoted = parse(entry.keys["quote"])
    at = text.find(words)
    if at < 0:
        raise ValueError(f"{words!r} is not in #{target.label}")
    return types.MessageReplyHeader(
        reply_to_msg_id=target.id,
        reply_to_top_id=root.id if root and root.id != target.id else None,
        quote=True,
        quote_text=words,
        quote_entities=quoted or None,
        quote_offset=utf16(text[:at]),
    )


def _root(entry: Entry, place: Place) -> Entry | None:
    """The channel post, as the group got it, under which ``entry`` stands; None outside of comments."""
    while "post" not in entry.keys:
        if "reply" not in entry.keys:
            return None
        entry = place.labels[entry.keys["reply"].removeprefix("#")]
    return entry


def _comments(entry: Entry, place: Place, places: list[Place]) -> Tl:
    """How many comments the discussion group holds under a post."""
    if not place.broadcast or not entry.label:
        return None
    for other in places:
        posted = [item for item in other.entries if "post" in item.keys and item.keys.get("fwd") == f"#{entry.label}"]
        if posted:
            count = sum(1 for item in other.entries if item is not posted[0] and _root(item, other) is posted[0])
            return types.MessageReplies(count, 1, comments=True, channel_id=bare_id(other.chat), max_id=posted[0].id)
    return None


def _forward(entry: Entry, places: list[Place], people: dict[str, int], step: int = 0) -> Tl:
    """Where it comes from; ``step`` is the place of the message in its album."""
    if "fwd" not in entry.keys:
        return None
    kind, _, name = entry.keys["fwd"].partition(":")
    before = entry.date - dt.timedelta(hours=5)
    if kind == "hidden":
        return types.MessageFwdHeader(before, from_name=name)
    if kind == "user":
        return types.MessageFwdHeader(before, from_id=peer(people[name]))
    for place in places:
        target = place.labels.get(kind.removeprefix("#"))
        if target is not None and is_channel_id(place.chat):
            saved = (
                {"saved_from_peer": peer(place.chat), "saved_from_msg_id": target.id + step}
                if "post" in entry.keys
                else {}
            )
            return types.MessageFwdHeader(
                target.date,
                from_id=peer(place.chat),
                channel_post=target.id + step,
                post_author=target.keys.get("by"),
                **saved,
            )
    raise ValueError(f"no post {kind} to forward")


def _buttons(entry: Entry) -> Tl:
    if "buttons" not in entry.keys:
        return None
    rows = []
    for row in entry.keys["buttons"].split(" // "):
        buttons = []
        for cell in row.split("|"):
            text, _, what = (part.strip() for part in cell.partition(">"))
            kind, _, rest = what.partition(" ")
            makers: dict[str, Callable[[], Tl]] = {
                "copy": lambda rest=rest: types.InlineButtonTypeCopy(rest),  # type: ignore[misc]
                "ask": lambda rest=rest: types.InlineButtonTypeCallback(rest.encode()),  # type: ignore[misc]
            }
            make = makers.get(kind)
            buttons.append(types.KeyboardInlineButton(text, make() if make else types.InlineButtonTypeUrl(what)))
        rows.append(types.KeyboardInlineButtonRow(buttons))
    return types.ReplyInlineMarkup(rows)


def _reactions(entry: Entry, place: Place) -> Tl:
    told = entry.keys.get("react")
    if told is None:
        if not place.broadcast or splitmix64(entry.id, 13) % 3:
            return None
        told = f"👍{1 + splitmix64(entry.id, 14) % 9} ❤{1 + splitmix64(entry.id, 15) % 5}"
    results = []
    for found in _REACTION.finditer(told):
        emoji = found["emoji"]
        reaction = types.ReactionCustomEmoji(int(found["custom"])) if found["custom"] else types.ReactionEmoji(emoji)
        results.append(types.ReactionCount(types.ReactionPaid() if emoji == "⭐" else reaction, int(found["count"])))
    return types.MessageReactions(results)
