"""The messages of an exported chat as TL messages."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from telethon.tl import types

from tobs.model import is_channel_id
from tobs.sandbox.worlds.tdesktop.actions import ABOUT_A_MESSAGE, Actions
from tobs.sandbox.worlds.tdesktop.media import Media
from tobs.sandbox.worlds.tdesktop.peers import ExportPeers, marked_id
from tobs.sandbox.worlds.tdesktop.reader import Json
from tobs.sandbox.worlds.tdesktop.rich import RichMessages
from tobs.sandbox.worlds.tdesktop.text import custom_emoji_id, read_text
from tobs.sandbox.worlds.tl import Tl, peer

SHIFT = 1_000_000_000
"""The exporter subtracts this from the ids of messages that a supergroup had as a basic group: they are negative."""


class Messages:
    """Makes the messages of the chat with marked id ``chat``; ``old_group`` is the group it grew from, 0 for none."""

    def __init__(self, chat: int, old_group: int, peers: ExportPeers, media: Media, *, broadcast: bool) -> None:
        self._chat = chat
        self._old_group = old_group
        self._peers = peers
        self._media = media
        self._actions = Actions(peers, media)
        self._broadcast = broadcast
        self._before = dt.datetime(2013, 8, 14, tzinfo=dt.UTC)

    def make(self, data: Json) -> tuple[int, Tl]:
        """Make a message; return the marked id of its chat (the old group's for a negative id) and the message."""
        chat, id = self._place(int(data["id"]))
        date = self._date(data, "date") or self._before  # `unsupported` has none
        self._before = date
        if data.get("type") == "unsupported":
            empty = types.MessageMediaUnsupported()
            return chat, types.Message(
                id=id, peer_id=peer(chat), date=date, message="", media=empty, **self._post(chat)
            )
        if data.get("type") == "service":
            return chat, self._service(data, chat, id, date)
        return chat, self._message(data, chat, id, date)

    def _place(self, id: int) -> tuple[int, int]:
        return (self._chat, id) if id > 0 else (self._old_group, id + SHIFT)

    def _date(self, data: Json, key: str) -> dt.datetime | None:
        if f"{key}_unixtime" in data:
            return dt.datetime.fromtimestamp(int(data[f"{key}_unixtime"]), dt.UTC)
        if key in data:  # before June 2022: local time without a zone, read as UTC
            return dt.datetime.fromisoformat(data[key]).replace(tzinfo=dt.UTC)
        return None

    def _post(self, chat: int) -> dict[str, Any]:
        posted = self._broadcast and is_channel_id(chat)
        return {"post": posted or None}

    def _sender(self, data: Json, chat: int, key: str) -> dict[str, Any]:
        id = self._peers.by_id(data.get(f"{key}_id"), data.get(key))
        if not id and key in data and not self._broadcast:
            id = self._peers.by_name(data[key])
        itself = id == chat and (self._broadcast or chat > 0) and chat != self._peers.me
        return {"from_id": peer(id) if id and not itself else None, "out": id == self._peers.me}

    def _service(self, data: Json, chat: int, id: int, date: dt.datetime) -> Tl:
        reply = None
        about = data.get(ABOUT_A_MESSAGE.get(data.get("action", ""), ""))
        if about:
            reply = self._header(int(about), data, chat)
        action = self._actions.make(data, f"{chat}/{id}", date)
        if isinstance(action, types.MessageActionChatMigrateTo):
            action = types.MessageActionChatMigrateTo(-self._chat - 10**12)
        elif isinstance(action, types.MessageActionChannelMigrateFrom):
            action = types.MessageActionChannelMigrateFrom(action.title, -self._old_group or 1)
        common = {"id": id, "peer_id": peer(chat), "date": date, "action": action, "reply_to": reply}
        return types.MessageService(**common, **self._post(chat), **self._sender(data, chat, "actor"))

    def _message(self, data: Json, chat: int, id: int, date: dt.datetime) -> Tl:
        words, entities = read_text(data.get("text_entities") or data.get("text") or "")
        key = f"{chat}/{id}"
        rich = RichMessages(self._media, key, date).make(data["rich_message"]) if "rich_message" in data else None
        reply = None
        if "reply_to_message_id" in data:
            reply = self._header(int(data["reply_to_message_id"]), data, chat)
        return types.Message(
            id=id,
            peer_id=peer(chat),
            date=date,
            message=words,
            entities=entities or None,
            media=self._media.make(data, key, date),
            fwd_from=self._forward(data, date),
            reply_to=reply,
            via_bot_id=self._peers.bot(data["via_bot"]) if data.get("via_bot") else None,
            reply_markup=_buttons(data.get("inline_bot_buttons")),
            edit_date=self._date(data, "edited"),
            post_author=data.get("author"),
            reactions=self._reactions(data.get("reactions")),
            rich_message=rich,
            saved_peer_id=peer(chat) if chat == self._peers.me else None,
            **self._post(chat),
            **self._sender(data, chat, "from"),
        )

    def _header(self, target: int, data: Json, chat: int) -> Tl:
        other = marked_id(data.get("reply_to_peer_id"))
        if other:
            self._peers.by_id(data["reply_to_peer_id"], None)
            return types.MessageReplyHeader(reply_to_msg_id=target, reply_to_peer_id=peer(other))
        place, id = self._place(target)
        elsewhere = peer(place) if place != chat else None
        return types.MessageReplyHeader(reply_to_msg_id=id, reply_to_peer_id=elsewhere)

    def _forward(self, data: Json, date: dt.datetime) -> Tl:
        if "forwarded_from" not in data and "saved_from" not in data:
            return None
        source = self._peers.by_id(data.get("forwarded_from_id"), data.get("forwarded_from"))
        name = None if source or "forwarded_from" not in data else data["forwarded_from"] or "Deleted Account"
        return types.MessageFwdHeader(
            date, from_id=peer(source) if source else None, from_name=name, saved_from_name=data.get("saved_from")
        )

    def _reactions(self, data: list[Json] | None) -> Tl:
        if not data:
            return None
        recent = []
        results = []
        for item in data:
            reaction = _reaction(item)
            results.append(types.ReactionCount(reaction, int(item.get("count") or 0)))
            for one in item.get("recent") or []:
                who = self._peers.by_id(one.get("from_id"), one.get("from"))
                when = self._date(one, "date")
                if who and when:
                    recent.append(types.MessagePeerReaction(peer(who), when, reaction))
        return types.MessageReactions(results, recent_reactions=recent or None)


def _reaction(data: Json) -> Tl:
    match data.get("type"):
        case "custom_emoji":
            return types.ReactionCustomEmoji(custom_emoji_id(data.get("document_id")))
        case "paid":
            return types.ReactionPaid()
        case "emoji":
            return types.ReactionEmoji(data.get("emoji") or "")
    return types.ReactionEmpty()


def _buttons(rows: list[list[Json]] | None) -> Tl:
    if not rows:
        return None
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([_button(button) for button in row]) for row in rows])


def _button(button: Json) -> Tl:
    data = str(button.get("data") or "")
    raw = base64.b64decode(button["dataBase64"]) if button.get("dataBase64") else data.encode()
    kind: Tl
    match button.get("type"):
        case "url":
            kind = types.InlineButtonTypeUrl(data)
        case "callback" | "callback_with_password":
            kind = types.InlineButtonTypeCallback(raw, requires_password="password" in button["type"] or None)
        case "switch_inline" | "switch_inline_same":
            kind = types.InlineButtonTypeSwitchInline(data, same_peer=button["type"].endswith("same") or None)
        case "game":
            kind = types.InlineButtonTypeGame()
        case "buy":
            kind = types.InlineButtonTypeBuy()
        case "auth":
            id = int(button.get("button_id") or 0)
            kind = types.InlineButtonTypeUrlAuth(data, id, fwd_text=button.get("forward_text"))
        case "user_profile":
            kind = types.InlineButtonTypeUserProfile(int(data) if data.isdigit() else 0)
        case "web_view" | "simple_web_view":
            kind = types.InlineButtonTypeWebView(data)
        case "copy_text":
            kind = types.InlineButtonTypeCopy(data)
        case _:  # request_phone and the like belong to keyboards, which the exporter mixes in
            kind = types.InlineButtonTypeDisabled()
    return types.KeyboardInlineButton(str(button.get("text") or ""), kind)
