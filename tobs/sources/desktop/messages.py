"""Exported messages converted to ``Message``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tobs.model import Button, Contact, Forward, Media, Message, Person, Reaction, Reply, Text, is_channel_id
from tobs.sources.desktop.actions import ABOUT, COMMON, action_of, action_photo
from tobs.sources.desktop.ids import SHIFT, peer_id
from tobs.sources.desktop.media import SizeOf, media_of, unknown_size
from tobs.sources.desktop.rich import rich_blocks, rich_files
from tobs.sources.desktop.text import text_of
from tobs.sources.desktop.values import Json, as_int, as_objects, as_text, unix_time

_BUTTONS = {
    "copy_text": "copy",
    "callback_with_password": "callback",
    "simple_web_view": "web_view",
    "auth": "url_auth",
}
_LINKS = frozenset({"url", "auth", "web_view", "simple_web_view"})

#: Known keys of messages, without the keys of actions.
KNOWN = COMMON | frozenset({
    "from", "from_id", "author", "forwarded_from", "forwarded_from_id", "saved_from", "via_bot",
    "inline_bot_buttons", "rich_message", "text#1", "photo", "photo_file_size", "width", "height",
    "media_spoiler", "self_destruct_period_seconds", "file", "file_name", "file_size", "thumbnail",
    "thumbnail_file_size", "media_type", "sticker_emoji", "performer", "title", "mime_type", "duration_seconds",
    "contact_information", "contact_vcard", "contact_vcard_file_size", "location_information",
    "live_location_period_seconds", "place_name", "address", "game_title", "game_description", "game_link",
    "invoice_information", "poll", "todo_list", "giveaway_information", "giveaway_results", "paid_stars_amount",
    "information_text",
})  # fmt: skip


#: Telegram's name for deleted accounts.
NO_NAME = "Deleted Account"


class ChatIdentity(Struct, frozen=True):
    """Ids and title of an exported chat.

    Messages with positive ids belong to ``chat_id``, those with negative ids to ``old_group``, the basic group that
    became it. ``me`` is the marked id of the exporting user (0: unknown).
    """

    chat_id: int
    old_group: int = 0
    me: int = 0
    title: str = ""


class ExportedMessage(Struct, frozen=True):
    """A message and its object in the export."""

    message: Message
    raw: dict[str, Any]


class ReadContext(Struct, frozen=True):
    """Data needed to convert messages: the zone of local dates, ids of people by name, sizes of files, and small text
    files.
    """

    zone: tzinfo
    names: Mapping[str, int] = {}
    size_of: SizeOf = unknown_size
    read_text: Callable[[str], str] = lambda path: ""

    def id_by_name(self, name: Any) -> int:
        """Return the marked id of a person by name; 0 if unknown."""
        return self.names.get(name, 0) if isinstance(name, str) else 0


def chat_of(raw: Json, identity: ChatIdentity) -> tuple[int, int]:
    """Return the chat (marked) and id of a message; a negative id belongs to the former basic group."""
    return _chat_and_id(as_int(raw.get("id")), identity)


def _chat_and_id(message_id: int, identity: ChatIdentity) -> tuple[int, int]:
    if message_id < 0 and identity.old_group:
        return identity.old_group, message_id + SHIFT
    return identity.chat_id, message_id


def message_of(raw: Json, identity: ChatIdentity, context: ReadContext, *, before: int = 0) -> Message:
    """Convert an exported message.

    ``before`` is the date (Unix seconds) of the previous message, used for messages without a date.
    """
    chat_id, message_id = chat_of(raw, identity)
    date = unix_time(raw, "date", context.zone) or before
    if raw.get("type") == "unsupported":
        return Message(chat_id=chat_id, id=message_id, date=date, kind="unsupported")
    is_service = raw.get("type") == "service"
    sender = peer_id(raw.get("actor_id" if is_service else "from_id"))
    rich = raw.get("rich_message")
    text = _text(raw)
    return Message(
        chat_id=chat_id,
        id=message_id,
        date=date,
        kind="service" if is_service else "message",
        sender_id=sender or (chat_id if is_channel_id(chat_id) else 0),
        text="" if is_service else text.text,
        entities=() if is_service else text.entities,
        blocks=rich_blocks(rich),
        media=action_photo(raw, context.size_of) if is_service else _media(raw, context),
        attached=rich_files(rich, context.size_of),
        action=action_of(raw, context.zone, context.id_by_name) if is_service else None,
        edited=unix_time(raw, "edited", context.zone),
        reply=_reply(raw, identity, is_service=is_service),
        forward=_forward(raw),
        signature=as_text(raw.get("author")) or _unknown_sender(raw, identity),
        out=bool(identity.me) and sender == identity.me and chat_id != identity.me,
        saved_from=context.id_by_name(raw.get("saved_from")),
        buttons=_buttons(raw.get("inline_bot_buttons")),
        reactions=tuple(map(_reaction, as_objects(raw.get("reactions")))),
    )


def _media(raw: Json, context: ReadContext) -> Media | None:
    """Convert the media of a message; the vCard of a contact is read from its file."""
    media = media_of(raw, context.zone, context.id_by_name, context.size_of)
    card = as_text(raw.get("contact_vcard"))
    if isinstance(media, Contact) and card and not card.startswith("("):
        return replace(media, vcard=context.read_text(card))
    return media


def _unknown_sender(raw: Json, identity: ChatIdentity) -> str:
    """Return the name of a sender without an id, as in HTML exports."""
    name = as_text(raw.get("from"))
    return "" if "from_id" in raw or name == identity.title else name


def _text(raw: Json) -> Text:
    """Return the text entities if there are any (since September 2022), else the text, which may be a list of
    pieces.
    """
    pieces = raw.get("text_entities")
    return text_of(pieces) if pieces else text_of(raw.get("text"))


def _reply(raw: Json, identity: ChatIdentity, *, is_service: bool) -> Reply | None:
    target = as_int(raw.get(ABOUT.get(as_text(raw.get("action")), ""))) if is_service else 0
    target = target or as_int(raw.get("reply_to_message_id"))
    if not target:
        return None
    elsewhere = peer_id(raw.get("reply_to_peer_id"))
    if elsewhere:
        return Reply(message_id=target, chat_id=elsewhere)
    chat_id, message_id = _chat_and_id(target, identity)
    own = chat_of(raw, identity)[0]
    return Reply(message_id=message_id, chat_id=0 if chat_id == own else chat_id)


def _forward(raw: Json) -> Forward | None:
    """Return the origin of a forwarded message.

    A deleted account has no name; the date and id of the original message are not exported.
    """
    if "forwarded_from" not in raw:
        return None
    origin = peer_id(raw.get("forwarded_from_id"))
    name = as_text(raw.get("forwarded_from"))
    return Forward(from_id=origin, from_name="" if origin else name or NO_NAME, chat_id=origin if origin < 0 else 0)


def _buttons(value: Any) -> tuple[tuple[Button, ...], ...]:
    rows = value if isinstance(value, list) else []
    return tuple(tuple(_button(button) for button in as_objects(row)) for row in rows if isinstance(row, list))


def _button(raw: Json) -> Button:
    kind, data = as_text(raw.get("type")), as_text(raw.get("data"))
    return Button(
        as_text(raw.get("text")),
        _BUTTONS.get(kind, kind) or "button",
        url=data if kind in _LINKS and "://" in data else "",
        copy=data if kind == "copy_text" else "",
    )


def _reaction(raw: Json) -> Reaction:
    kind, count = raw.get("type"), as_int(raw.get("count"))
    if kind == "custom_emoji":
        # Its id is a path in the export; the emoji is not exported.
        return Reaction(count, custom_id=as_int(raw.get("document_id")))
    return Reaction(count, emoji=as_text(raw.get("emoji")), paid=kind == "paid")


def people_of(raw: Json) -> Sequence[Person]:
    """Return every person with id and name in a message."""
    pairs = (("from_id", "from"), ("actor_id", "actor"), ("forwarded_from_id", "forwarded_from"), ("to_id", "to"))
    found = []
    for id_key, name_key in pairs:
        marked = peer_id(raw.get(id_key))
        if marked and name_key in raw:
            name = as_text(raw.get(name_key))
            found.append(Person(marked, name or NO_NAME, is_deleted=not name and marked > 0))
    return found


def unknown_keys(raw: Json) -> list[str]:
    """Return the keys of a message that tobs does not know; service messages have keys of their own."""
    return [] if raw.get("type") == "service" else [key for key in raw if key not in KNOWN]
