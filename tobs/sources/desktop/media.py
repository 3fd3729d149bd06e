"""What an exported message carries beside its text."""

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
from tobs.sources.desktop.values import Json, local_moment, objects, whole, words

_KINDS: dict[str, FileKind] = {
    "sticker": "sticker",
    "video_message": "round",
    "voice_message": "voice",
    "animation": "gif",
    "video_file": "video",
    "audio_file": "audio",
}
_MIMES: dict[FileKind, str] = {"round": "video/mp4", "voice": "audio/ogg", "gif": "video/mp4"}
#: What stands for a file that was not exported although Telegram has it.
_LEFT_OUT = ("(File not included", "(File exceeds", "(Photo not included", "(Photo exceeds")

#: Gives the marked id of somebody of whom only the name is known; 0 for nobody.
ByName = Callable[[Any], int]

#: Gives the size in bytes of a file of the export; 0 where it is not there.
SizeOf = Callable[[str], int]


def no_size(path: str) -> int:
    """Nobody has looked."""
    return 0


def media_of(message: Json, zone: tzinfo, by_name: ByName, size_of: SizeOf = no_size) -> Media | None:
    """The media of a message; None when it is only text."""
    media = _one(message, zone, by_name, size_of)
    if "paid_stars_amount" in message:
        files = (media,) if isinstance(media, FileItem) else ()
        return PaidMedia(whole(message["paid_stars_amount"]), count=1, files=files)
    return media


def _one(message: Json, zone: tzinfo, by_name: ByName, size_of: SizeOf) -> Media | None:
    if "photo" in message:
        return photo_of(message, size_of)
    if "file" in message:
        return file_of(message, size_of)
    for key, make in _MAKERS.items():
        if key in message:
            return make(message, zone, by_name)
    return None


def photo_of(told: Json, size_of: SizeOf = no_size) -> FileItem:
    """The picture that ``told`` names."""
    path = _path(told.get("photo"))
    return FileItem(
        "photo",
        mime="image/jpeg",
        size=_size(told.get("photo_file_size"), path, size_of),
        width=whole(told.get("width")),
        height=whole(told.get("height")),
        spoiler=told.get("media_spoiler") is True,
        ttl=whole(told.get("self_destruct_period_seconds")),
        path=path,
        elsewhere=_is_left_out(told.get("photo", told.get("photo_skip_reason"))),
    )


def file_of(told: Json, size_of: SizeOf = no_size) -> FileItem:
    """The document that ``told`` describes. A file without `media_type` is a plain one."""
    path = _path(told.get("file"))
    kind = _KINDS.get(words(told.get("media_type")), "document")
    name = words(told.get("file_name"))
    return FileItem(
        kind,
        mime=words(told.get("mime_type")) or _MIMES.get(kind, ""),
        size=_size(told.get("file_size"), path, size_of),
        name=name,
        width=whole(told.get("width")),
        height=whole(told.get("height")),
        duration=float(whole(told.get("duration_seconds"))),
        title=words(told.get("title")) if kind == "audio" else "",
        performer=_performer(told) if kind == "audio" else "",
        emoji=words(told.get("sticker_emoji")),
        spoiler=told.get("media_spoiler") is True,
        ttl=whole(told.get("self_destruct_period_seconds")),
        path=path,
        elsewhere=_is_left_out(told.get("file", told.get("file_skip_reason"))),
        thumb=_path(told.get("thumbnail")) if kind == "audio" else "",
    )


def _performer(told: Json) -> str:
    """Who performs; the exporter's word for nobody is none."""
    name = words(told.get("performer"))
    return "" if name == "<unknown>" else name


def _size(told: Any, path: str, size_of: SizeOf) -> int:
    """What the export says, or more where the file has more: only one that is short is not whole."""
    return max(whole(told), size_of(path) if path else 0)


def _path(value: Any) -> str:
    """The place of a file in the export; empty for one that is not there (a sentence in brackets says why)."""
    return "" if words(value).startswith("(") else words(value).replace("\\", "/")


def _is_left_out(value: Any) -> bool:
    """Whether a file was left out by the choice of who exported: Telegram has it still."""
    return words(value).startswith(_LEFT_OUT) or value in ("file_type", "file_size", "date_limits")


def _contact(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message.get("contact_information"))
    return Contact(words(told.get("first_name")), words(told.get("last_name")), words(told.get("phone_number")))


def _location(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message.get("location_information"))
    if not told and "place_name" not in message:
        return UnknownMedia("location")
    return Location(
        _degrees(told.get("latitude")),
        _degrees(told.get("longitude")),
        live=whole(message.get("live_location_period_seconds")),
        title=words(message.get("place_name")),
        address=words(message.get("address")),
    )


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _poll(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message["poll"])
    answers = tuple(
        PollAnswer(text_of(answer.get("text")), whole(answer.get("voters")), answer.get("chosen") is True)
        for answer in objects(told.get("answers"))
    )
    return Poll(
        text_of(told.get("question")),
        answers,
        total_voters=whole(told.get("total_voters")),
        closed=told.get("closed") is True,
    )


def todo_items(value: Any) -> tuple[TodoItem, ...]:
    """The items of a to-do list. The exporter does not say which are done."""
    return tuple(TodoItem(whole(item.get("id")), text_of(item.get("text"))) for item in objects(value))


def _todo(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message["todo_list"])
    return TodoList(
        text_of(told.get("title")),
        todo_items(told.get("answers")),
        others_can_append=told.get("others_can_append") is True,
        others_can_complete=told.get("others_can_complete") is True,
    )


def _game(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    link = words(message.get("game_link"))
    return Game(words(message["game_title"]), words(message.get("game_description")), link.rpartition("=")[2])


def _invoice(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message["invoice_information"])
    return Invoice(
        words(told.get("title")),
        words(told.get("description")),
        words(told.get("currency")),
        whole(told.get("amount")),
        whole(told.get("receipt_message_id")),
    )


def _giveaway(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message["giveaway_information"])
    countries = told.get("countries")
    return Giveaway(
        whole(told.get("quantity")),
        local_moment(told.get("until_date"), zone),
        months=whole(told.get("months")),
        stars=whole(told.get("stars")),
        channels=_named(told.get("channels"), by_name),
        countries=tuple(map(words, countries)) if isinstance(countries, list) else (),
        prize=words(told.get("additional_prize")),
    )


def _giveaway_results(message: Json, zone: tzinfo, by_name: ByName) -> Media:
    told = _object(message["giveaway_results"])
    return GiveawayResults(
        whole(told.get("winners_count")),
        winners=_named(told.get("winners"), by_name),
        unclaimed=whole(told.get("unclaimed_count")),
        months=whole(told.get("months")),
        stars=whole(told.get("stars")),
        prize=words(told.get("additional_prize")),
        launch_id=whole(told.get("launch_message_id")),
        channel=by_name(told.get("channel")),
        refunded=told.get("is_refunded") is True,
    )


def _named(value: Any, by_name: ByName) -> tuple[int, ...]:
    ids = [by_name(name) for name in value] if isinstance(value, list) else []
    return tuple(one for one in ids if one)


def _object(value: Any) -> Mapping[str, Any]:
    """An object, also one that is written as JSON inside a text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


_MAKERS: dict[str, Callable[[Json, tzinfo, ByName], Media]] = {
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

__all__ = ["ByName", "SizeOf", "file_of", "media_of", "no_size", "photo_of", "todo_items"]
