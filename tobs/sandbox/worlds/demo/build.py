"""TL messages made of a story's entries. Most keys of an entry have a function here.

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


class StoryChat:
    """A chat of the story: its marked id and, by label, its entries. ``people`` are marked ids by name."""

    def __init__(self, marked: int, entries: list[Entry], *, broadcast: bool, me: int) -> None:
        self.marked = marked
        self.entries = entries
        self.broadcast = broadcast
        self.me = me
        self.labels = {entry.label: entry for entry in entries if entry.label}


def build(chat: StoryChat, chats: list[StoryChat], people: dict[str, int], assets: Assets) -> list[Tl]:
    """Make the messages of one chat, ascending by id."""
    messages: list[Tl] = []
    for entry in chat.entries:
        common = _common(entry, chat, people)
        if "do" in entry.keys:
            action, reply = action_of(entry, chat.labels, people, assets)
            messages.append(types.MessageService(action=action, reply_to=reply or _reply(entry, chat), **common))
            continue
        text, entities = parse(entry.text)
        common |= {
            "reply_to": _reply(entry, chat),
            "fwd_from": _forward(entry, chats, people),
            "via_bot_id": people[entry.keys["via"]] if "via" in entry.keys else None,
            "reply_markup": _buttons(entry),
            "edit_date": _edited(entry),
            "post_author": entry.keys.get("by") if chat.broadcast else None,
            "reactions": _reactions(entry, chat),
            "replies": _comments(entry, chat, chats),
            "pinned": "pin" in entry.keys or None,
            **_counters(entry, chat),
        }
        parts = entry.keys["album"].split("+") if "album" in entry.keys else [""]
        for step, name in enumerate(parts):
            more: dict[str, Any] = {"message": text, "entities": entities or None}
            if step:
                more = {"message": "", "reactions": None, "replies": None, "reply_markup": None}
                more["fwd_from"] = _forward(entry, chats, people, step)
            if name:
                photo = types.MessageMediaPhoto(photo=assets.photo(name, entry.date))
                more |= {"media": photo, "grouped_id": (splitmix64(entry.id, 8) >> 2) | 1}
            else:
                more["media"] = media_of(entry, assets, people)
            messages.append(types.Message(**{**common, **more, "id": entry.id + step}))
    return messages


def _common(entry: Entry, chat: StoryChat, people: dict[str, int]) -> dict[str, Any]:
    sender = 0 if chat.broadcast else people[entry.keys["by"]] if "by" in entry.keys else chat.marked
    return {
        "id": entry.id,
        "peer_id": peer(chat.marked),
        "date": entry.date,
        "from_id": peer(sender) if (sender and sender != chat.marked) or sender == chat.me else None,
        "saved_peer_id": peer(chat.me) if chat.marked == chat.me else None,
        "out": sender == chat.me,
        "post": chat.broadcast or None,
        "silent": "silent" in entry.keys or None,
    }


def _counters(entry: Entry, chat: StoryChat) -> dict[str, int]:
    if not chat.broadcast:
        return {}
    views = int(entry.keys.get("views", 180 + splitmix64(entry.id, 11) % 240 + entry.id // 2))
    return {"views": views, "forwards": splitmix64(entry.id, 12) % 7}


def _edited(entry: Entry) -> dt.datetime | None:
    return entry.date + dt.timedelta(minutes=int(entry.keys["edited"])) if "edited" in entry.keys else None


def _reply(entry: Entry, chat: StoryChat) -> Tl:
    if "reply" not in entry.keys:
        return None
    target = chat.labels[entry.keys["reply"].removeprefix("#")]
    root = _root(target, chat)
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


def _root(entry: Entry, chat: StoryChat) -> Entry | None:
    """Return the group's copy of the channel post that ``entry`` comments on; None for other entries."""
    while "post" not in entry.keys:
        if "reply" not in entry.keys:
            return None
        entry = chat.labels[entry.keys["reply"].removeprefix("#")]
    return entry


def _comments(entry: Entry, chat: StoryChat, chats: list[StoryChat]) -> Tl:
    """Return the count of a post's comments in the discussion group; None for other entries."""
    if not chat.broadcast or not entry.label:
        return None
    for other in chats:
        posted = [item for item in other.entries if "post" in item.keys and item.keys.get("fwd") == f"#{entry.label}"]
        if posted:
            count = sum(1 for item in other.entries if item is not posted[0] and _root(item, other) is posted[0])
            return types.MessageReplies(count, 1, comments=True, channel_id=bare_id(other.marked), max_id=posted[0].id)
    return None


def _forward(entry: Entry, chats: list[StoryChat], people: dict[str, int], step: int = 0) -> Tl:
    """Return the forward header; ``step`` is the index of the message in its album."""
    if "fwd" not in entry.keys:
        return None
    kind, _, name = entry.keys["fwd"].partition(":")
    before = entry.date - dt.timedelta(hours=5)
    if kind == "hidden":
        return types.MessageFwdHeader(before, from_name=name)
    if kind == "user":
        return types.MessageFwdHeader(before, from_id=peer(people[name]))
    for chat in chats:
        target = chat.labels.get(kind.removeprefix("#"))
        if target is not None and is_channel_id(chat.marked):
            saved = (
                {"saved_from_peer": peer(chat.marked), "saved_from_msg_id": target.id + step}
                if "post" in entry.keys
                else {}
            )
            return types.MessageFwdHeader(
                target.date,
                from_id=peer(chat.marked),
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


def _reactions(entry: Entry, chat: StoryChat) -> Tl:
    spec = entry.keys.get("react")
    if spec is None:
        if not chat.broadcast or splitmix64(entry.id, 13) % 3:
            return None
        spec = f"👍{1 + splitmix64(entry.id, 14) % 9} ❤{1 + splitmix64(entry.id, 15) % 5}"
    results = []
    for found in _REACTION.finditer(spec):
        emoji = found["emoji"]
        reaction = types.ReactionCustomEmoji(int(found["custom"])) if found["custom"] else types.ReactionEmoji(emoji)
        results.append(types.ReactionCount(types.ReactionPaid() if emoji == "⭐" else reaction, int(found["count"])))
    return types.MessageReactions(results)
