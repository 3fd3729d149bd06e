"""One exported message as a ``Message``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tobs.model import Button, Contact, Forward, Media, Message, Person, Reaction, Reply, Text, is_channel_id
from tobs.sources.desktop.actions import ABOUT, COMMON, action_of, action_photo
from tobs.sources.desktop.ids import SHIFT, peer_id
from tobs.sources.desktop.media import SizeOf, media_of, no_size
from tobs.sources.desktop.rich import rich_blocks, rich_files
from tobs.sources.desktop.text import text_of
from tobs.sources.desktop.values import Json, moment, objects, whole, words

_BUTTONS = {
    "copy_text": "copy",
    "callback_with_password": "callback",
    "simple_web_view": "web_view",
    "auth": "url_auth",
}
_LINKS = frozenset({"url", "auth", "web_view", "simple_web_view"})

#: Every key of a message that is not an action's own.
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


#: What Telegram calls whoever has no name any more.
NOBODY = "Deleted Account"


class Place(Struct, frozen=True):
    """Where messages of a chat belong: ``chat_id``, and for negative ids the group it grew from, ``old_group``;
    ``me`` is the marked id of who exported (0: not known), ``title`` the chat's."""

    chat_id: int
    old_group: int = 0
    me: int = 0
    title: str = ""


class Piece(Struct, frozen=True):
    """A message and what the export says of it."""

    message: Message
    told: dict[str, Any]


class Reading(Struct, frozen=True):
    """What reading needs to know: the zone of local dates, the ids of people by their names, the sizes of files and
    what is in small ones."""

    zone: tzinfo
    names: Mapping[str, int] = {}
    size_of: SizeOf = no_size
    read_text: Callable[[str], str] = lambda path: ""

    def by_name(self, name: Any) -> int:
        """The marked id of somebody by name; 0 where it is not known."""
        return self.names.get(name, 0) if isinstance(name, str) else 0


def chat_of(told: Json, place: Place) -> tuple[int, int]:
    """The chat (marked) and id of a message: a negative one is of the basic group that was before."""
    return _placed(whole(told.get("id")), place)


def _placed(message_id: int, place: Place) -> tuple[int, int]:
    if message_id < 0 and place.old_group:
        return place.old_group, message_id + SHIFT
    return place.chat_id, message_id


def message_of(told: Json, place: Place, reading: Reading, *, before: int = 0) -> Message:
    """The model of an exported message. ``before`` is the date (Unix seconds) of the message before it, for those
    that come without one."""
    chat_id, message_id = chat_of(told, place)
    date = moment(told, "date", reading.zone) or before
    if told.get("type") == "unsupported":
        return Message(chat_id=chat_id, id=message_id, date=date, kind="unsupported")
    is_service = told.get("type") == "service"
    sender = peer_id(told.get("actor_id" if is_service else "from_id"))
    rich = told.get("rich_message")
    said = _text(told)
    return Message(
        chat_id=chat_id,
        id=message_id,
        date=date,
        kind="service" if is_service else "message",
        sender_id=sender or (chat_id if is_channel_id(chat_id) else 0),
        text="" if is_service else said.text,
        entities=() if is_service else said.entities,
        blocks=rich_blocks(rich),
        media=action_photo(told, reading.size_of) if is_service else _media(told, reading),
        attached=rich_files(rich, reading.size_of),
        action=action_of(told, reading.zone, reading.by_name) if is_service else None,
        edited=moment(told, "edited", reading.zone),
        reply=_reply(told, place, is_service=is_service),
        forward=_forward(told),
        signature=words(told.get("author")) or _unknown_sender(told, place),
        out=bool(place.me) and sender == place.me and chat_id != place.me,
        saved_from=reading.by_name(told.get("saved_from")),
        buttons=_buttons(told.get("inline_bot_buttons")),
        reactions=tuple(map(_reaction, objects(told.get("reactions")))),
    )


def _media(told: Json, reading: Reading) -> Media | None:
    """The media of a message; a contact's card is a file of the export."""
    media = media_of(told, reading.zone, reading.by_name, reading.size_of)
    card = words(told.get("contact_vcard"))
    if isinstance(media, Contact) and card and not card.startswith("("):
        return replace(media, vcard=reading.read_text(card))
    return media


def _unknown_sender(told: Json, place: Place) -> str:
    """The name of a sender without an id, as an export in HTML has them."""
    name = words(told.get("from"))
    return "" if "from_id" in told or name == place.title else name


def _text(told: Json) -> Text:
    """The pieces where there are any (since September 2022), else the text, which may be a list of pieces too."""
    pieces = told.get("text_entities")
    return text_of(pieces) if pieces else text_of(told.get("text"))


def _reply(told: Json, place: Place, *, is_service: bool) -> Reply | None:
    target = whole(told.get(ABOUT.get(words(told.get("action")), ""))) if is_service else 0
    target = target or whole(told.get("reply_to_message_id"))
    if not target:
        return None
    elsewhere = peer_id(told.get("reply_to_peer_id"))
    if elsewhere:
        return Reply(message_id=target, chat_id=elsewhere)
    chat_id, message_id = _placed(target, place)
    own = chat_of(told, place)[0]
    return Reply(message_id=message_id, chat_id=0 if chat_id == own else chat_id)


def _forward(told: Json) -> Forward | None:
    """Where a message comes from. Whoever deleted their account has no name; the date and id of the origin are not
    exported."""
    if "forwarded_from" not in told:
        return None
    origin = peer_id(told.get("forwarded_from_id"))
    name = words(told.get("forwarded_from"))
    return Forward(from_id=origin, from_name="" if origin else name or NOBODY, chat_id=origin if origin < 0 else 0)


def _buttons(value: Any) -> tuple[tuple[Button, ...], ...]:
    rows = value if isinstance(value, list) else []
    return tuple(tuple(_button(button) for button in objects(row)) for row in rows if isinstance(row, list))


def _button(told: Json) -> Button:
    kind, data = words(told.get("type")), words(told.get("data"))
    return Button(
        words(told.get("text")),
        _BUTTONS.get(kind, kind) or "button",
        url=data if kind in _LINKS and "://" in data else "",
        copy=data if kind == "copy_text" else "",
    )


def _reaction(told: Json) -> Reaction:
    kind, count = told.get("type"), whole(told.get("count"))
    if kind == "custom_emoji":
        # Its id is a path in the export; which emoji it was only Telegram knows.
        return Reaction(count, custom_id=whole(told.get("document_id")))
    return Reaction(count, emoji=words(told.get("emoji")), paid=kind == "paid")


def people_of(told: Json) -> Sequence[Person]:
    """Everybody whose id and name a message tells."""
    pairs = (("from_id", "from"), ("actor_id", "actor"), ("forwarded_from_id", "forwarded_from"), ("to_id", "to"))
    found = []
    for id_key, name_key in pairs:
        marked = peer_id(told.get(id_key))
        if marked and name_key in told:
            name = words(told.get(name_key))
            found.append(Person(marked, name or NOBODY, is_deleted=not name and marked > 0))
    return found


def unknown_keys(told: Json) -> list[str]:
    """Keys of a message that tobs has no place for; service messages bring keys of their own."""
    return [] if told.get("type") == "service" else [key for key in told if key not in KNOWN]
