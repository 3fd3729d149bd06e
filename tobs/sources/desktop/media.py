"""Media of exported messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from tobs.model import (
    Contact,
    FileItem,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    PaidMedia,
    Poll,
    PollAnswer,
    TodoItem,
    TodoList,
    UnknownMedia,
)
from tobs.model.media import FileKind
from tobs.sources.desktop.text import text_of
from tobs.sources.desktop.values import Json, as_int, as_objects, as_text, local_unix_time

_KINDS: dict[str, FileKind] = {
    "sticker": "sticker",
    "video_message": "round",
    "voice_message": "voice",
    "animation": "gif",
    "video_file": "video",
    "audio_file": "audio",
}
_MIMES: dict[FileKind, str] = {"round": "video/mp4", "voice": "audio/ogg", "gif": "video/mp4"}
#: Texts in place of a file that was not exported although Telegram has it.
_LEFT_OUT = ("(File not included", "(File exceeds", "(Photo not included", "(Photo exceeds")

#: Function that returns the marked id of a person by name; 0 if unknown.
IdByName = Callable[[Any], int]

#: Function that returns the size of a file of the export in bytes; 0 if it does not exist.
SizeOf = Callable[[str], int]


def unknown_size(path: str) -> int:
    """Return 0: the files of the export are not checked."""
    return 0


def media_of(message: Json, zone: tzinfo, id_by_name: IdByName, size_of: SizeOf = unknown_size) -> Media | None:
    """Convert the media of a message; None if it has only text."""
    media = _media_without_price(message, zone, id_by_name, size_of)
    if "paid_stars_amount" in message:
        files = (media,) if isinstance(media, FileItem) else ()
        return PaidMedia(as_int(message["paid_stars_amount"]), count=1, files=files)
    return media


def _media_without_price(message: Json, zone: tzinfo, id_by_name: IdByName, size_of: SizeOf) -> Media | None:
    if "photo" in message:
        return photo_of(message, size_of)
    if "file" in message:
        return file_of(message, size_of)
    for key, make in _MAKERS.items():
        if key in message:
            return make(message, zone, id_by_name)
    return None


def photo_of(raw: Json, size_of: SizeOf = unknown_size) -> FileItem:
    """Convert the picture in ``raw``."""
    path = _path(raw.get("photo"))
    return FileItem(
        "photo",
        mime="image/jpeg",
        size=_size(raw.get("photo_file_size"), path, size_of),
        width=as_int(raw.get("width")),
        height=as_int(raw.get("height")),
        spoiler=raw.get("media_spoiler") is True,
        ttl=as_int(raw.get("self_destruct_period_seconds")),
        path=path,
        elsewhere=_is_left_out(raw.get("photo", raw.get("photo_skip_reason"))),
    )


def file_of(raw: Json, size_of: SizeOf = unknown_size) -> FileItem:
    """Convert the document in ``raw``. A file without `media_type` is a plain document."""
    path = _path(raw.get("file"))
    kind = _KINDS.get(as_text(raw.get("media_type")), "document")
    name = as_text(raw.get("file_name"))
    return FileItem(
        kind,
        mime=as_text(raw.get("mime_type")) or _MIMES.get(kind, ""),
        size=_size(raw.get("file_size"), path, size_of),
        name=name,
        width=as_int(raw.get("width")),
        height=as_int(raw.get("height")),
        duration=float(as_int(raw.get("duration_seconds"))),
        title=as_text(raw.get("title")) if kind == "audio" else "",
        performer=_performer(raw) if kind == "audio" else "",
        emoji=as_text(raw.get("sticker_emoji")),
        spoiler=raw.get("media_spoiler") is True,
        ttl=as_int(raw.get("self_destruct_period_seconds")),
        path=path,
        elsewhere=_is_left_out(raw.get("file", raw.get("file_skip_reason"))),
        thumb=_path(raw.get("thumbnail")) if kind == "audio" else "",
    )


def _performer(raw: Json) -> str:
    """Return the performer; the exporter writes `<unknown>` if there is none."""
    name = as_text(raw.get("performer"))
    return "" if name == "<unknown>" else name


def _size(raw: Any, path: str, size_of: SizeOf) -> int:
    """Return the size in the export, or the actual size if that is larger; a smaller file is incomplete."""
    return max(as_int(raw), size_of(path) if path else 0)


def _path(value: Any) -> str:
    """Return the path of a file in the export; empty if it is missing (a sentence in brackets gives the reason)."""
    return "" if as_text(value).startswith("(") else as_text(value).replace("\\", "/")


def _is_left_out(value: Any) -> bool:
    """Return whether the exporting user excluded a file: Telegram still has it."""
    return as_text(value).startswith(_LEFT_OUT) or value in ("file_type", "file_size", "date_limits")


def _contact(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message.get("contact_information"))
    return Contact(as_text(raw.get("first_name")), as_text(raw.get("last_name")), as_text(raw.get("phone_number")))


def _location(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message.get("location_information"))
    if not raw and "place_name" not in message:
        return UnknownMedia("location")
    return Location(
        _degrees(raw.get("latitude")),
        _degrees(raw.get("longitude")),
        live=as_int(message.get("live_location_period_seconds")),
        title=as_text(message.get("place_name")),
        address=as_text(message.get("address")),
    )


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _poll(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message["poll"])
    answers = tuple(
        PollAnswer(text_of(answer.get("text")), as_int(answer.get("voters")), answer.get("chosen") is True)
        for answer in as_objects(raw.get("answers"))
    )
    return Poll(
        text_of(raw.get("question")),
        answers,
        total_voters=as_int(raw.get("total_voters")),
        closed=raw.get("closed") is True,
    )


def todo_items(value: Any) -> tuple[TodoItem, ...]:
    """Convert the items of a to-do list. The export does not contain which are done."""
    return tuple(TodoItem(as_int(item.get("id")), text_of(item.get("text"))) for item in as_objects(value))


def _todo(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message["todo_list"])
    return TodoList(
        text_of(raw.get("title")),
        todo_items(raw.get("answers")),
        others_can_append=raw.get("others_can_append") is True,
        others_can_complete=raw.get("others_can_complete") is True,
    )


def _game(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    link = as_text(message.get("game_link"))
    return Game(as_text(message["game_title"]), as_text(message.get("game_description")), link.rpartition("=")[2])


def _invoice(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message["invoice_information"])
    return Invoice(
        as_text(raw.get("title")),
        as_text(raw.get("description")),
        as_text(raw.get("currency")),
        as_int(raw.get("amount")),
        as_int(raw.get("receipt_message_id")),
    )


def _giveaway(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message["giveaway_information"])
    countries = raw.get("countries")
    return Giveaway(
        as_int(raw.get("quantity")),
        local_unix_time(raw.get("until_date"), zone),
        months=as_int(raw.get("months")),
        stars=as_int(raw.get("stars")),
        channels=_named(raw.get("channels"), id_by_name),
        countries=tuple(map(as_text, countries)) if isinstance(countries, list) else (),
        prize=as_text(raw.get("additional_prize")),
    )


def _giveaway_results(message: Json, zone: tzinfo, id_by_name: IdByName) -> Media:
    raw = _object(message["giveaway_results"])
    return GiveawayResults(
        as_int(raw.get("winners_count")),
        winners=_named(raw.get("winners"), id_by_name),
        unclaimed=as_int(raw.get("unclaimed_count")),
        months=as_int(raw.get("months")),
        stars=as_int(raw.get("stars")),
        prize=as_text(raw.get("additional_prize")),
        launch_id=as_int(raw.get("launch_message_id")),
        channel=id_by_name(raw.get("channel")),
        refunded=raw.get("is_refunded") is True,
    )


def _named(value: Any, id_by_name: IdByName) -> tuple[int, ...]:
    ids = [id_by_name(name) for name in value] if isinstance(value, list) else []
    return tuple(one for one in ids if one)


def _object(value: Any) -> Mapping[str, Any]:
    """Return an object, also one written as JSON inside a text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


_MAKERS: dict[str, Callable[[Json, tzinfo, IdByName], Media]] = {
    "contact_information": _contact,
    "place_name": _location,
    "location_information": _location,
    "live_location_period_seconds": _location,
    "game_title": _game,
    "invoice_information": _invoice,
    "poll": _poll,
    "todo_list": _todo,
    "giveaway_information": _giveaway,
    "giveaway_results": _giveaway_results,
    "contact_vcard": _contact,
}

__all__ = ["IdByName", "SizeOf", "file_of", "media_of", "photo_of", "todo_items", "unknown_size"]
