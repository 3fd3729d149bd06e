"""The media of exported messages as TL media. A file that is not in the export is a file without parts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from telethon.tl import types

from tobs.sandbox.worlds.files import FileBlob, RemoteKind, StoredFile
from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.tdesktop.peers import ExportPeers
from tobs.sandbox.worlds.tdesktop.reader import Json, is_missing
from tobs.sandbox.worlds.tdesktop.text import styled
from tobs.sandbox.worlds.tl import Tl

_MIMES = {
    "sticker": "image/webp", "video_message": "video/mp4", "voice_message": "audio/ogg", "animation": "video/mp4",
    "video_file": "video/mp4", "audio_file": "audio/mpeg",
}  # fmt: skip


class ExportFiles:
    """The files of an export by id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._stored: dict[tuple[RemoteKind, int], StoredFile] = {}

    def find(self, kind: RemoteKind, id: int) -> StoredFile | None:
        return self._stored.get((kind, id))

    def path(self, value: object) -> Path | None:
        """Return the path of a file of the export; None if it is missing or outside the folder."""
        if is_missing(value):
            return None
        path = (self._folder / str(value)).resolve()
        return path if path.is_relative_to(self._folder) and path.is_file() else None

    def add(self, kind: RemoteKind, key: str, parts: dict[str, Path | None]) -> int:
        """Add a file and return its id; a part that is None is missing."""
        id = splitmix64(*key.encode()) >> 3
        self._stored[kind, id] = StoredFile({size: FileBlob(path) for size, path in parts.items() if path is not None})
        return id


class Media:
    """Makes TL media of one export's messages."""

    def __init__(self, files: ExportFiles, peers: ExportPeers) -> None:
        self._files = files
        self._peers = peers

    def make(self, message: Json, key: str, date: dt.datetime) -> Tl:
        """Make the media of a message; ``key`` identifies the message in the world. None for a text."""
        media = self._content(message, key, date)
        if "paid_stars_amount" in message:
            preview = types.MessageExtendedMedia(media) if media else types.MessageExtendedMediaPreview()
            return types.MessageMediaPaidMedia(int(message["paid_stars_amount"]), [preview])
        return media

    def _content(self, message: Json, key: str, date: dt.datetime) -> Tl:
        if "photo" in message:
            photo = self.photo(message, key, date)
            return types.MessageMediaPhoto(
                photo=photo,
                spoiler=message.get("media_spoiler") or None,
                ttl_seconds=message.get("self_destruct_period_seconds"),
            )
        if "file" in message:
            return self._document_media(message, key, date)
        for name, make in _OTHERS.items():
            if name in message:
                return make(message, self._peers, date)
        return None

    def photo(self, message: Json, key: str, date: dt.datetime) -> Tl:
        """Make a photo with the one size that the export has."""
        path = self._files.path(message["photo"])
        size = path.stat().st_size if path else int(message.get("photo_file_size") or 0)
        id = self._files.add("photo", f"photo {key} {message['photo']}", {"y": path})
        sizes = [types.PhotoSize("y", message.get("width") or 0, message.get("height") or 0, size)]
        return types.Photo(id, access_hash("photo", id), b"", date, sizes, 0)

    def document(self, message: Json, key: str, date: dt.datetime) -> Tl:
        """Make a document with the attributes of its ``media_type``."""
        path, thumb = self._files.path(message["file"]), self._files.path(message.get("thumbnail"))
        size = path.stat().st_size if path else int(message.get("file_size") or 0)
        # A file that several messages name is one file, as on Telegram.
        id = self._files.add("document", f"file {path or (key, message['file'])}", {"": path, "m": thumb})
        thumbs = None
        if "thumbnail" in message:
            thumb_size = thumb.stat().st_size if thumb else int(message.get("thumbnail_file_size") or 0)
            thumbs = [types.PhotoSize("m", 320, 320, thumb_size)]
        kind = message.get("media_type", "")
        mime = message.get("mime_type") or _MIMES.get(kind, "application/octet-stream")
        hash = access_hash("document", id)
        return types.Document(id, hash, b"", date, mime, size, 0, _attributes(message, path), thumbs=thumbs)

    def _document_media(self, message: Json, key: str, date: dt.datetime) -> Tl:
        kind = message.get("media_type", "")
        return types.MessageMediaDocument(
            document=self.document(message, key, date),
            spoiler=message.get("media_spoiler") or None,
            video=kind in ("video_file", "video_message") or None,
            round=kind == "video_message" or None,
            voice=kind == "voice_message" or None,
            ttl_seconds=message.get("self_destruct_period_seconds"),
        )


def _attributes(message: Json, path: Path | None) -> list[Tl]:
    kind = message.get("media_type", "")
    width, height = message.get("width") or 0, message.get("height") or 0
    seconds = message.get("duration_seconds") or 0
    found: list[Tl] = []
    if kind == "sticker":
        found.append(types.DocumentAttributeSticker(message.get("sticker_emoji") or "", types.InputStickerSetEmpty()))
    if kind in ("video_file", "video_message", "animation"):
        found.append(
            types.DocumentAttributeVideo(seconds, width, height, round_message=kind == "video_message" or None)
        )
    elif width and height:
        found.append(types.DocumentAttributeImageSize(width, height))
    if kind == "animation":
        found.append(types.DocumentAttributeAnimated())
    if kind in ("audio_file", "voice_message"):
        found.append(
            types.DocumentAttributeAudio(
                seconds,
                voice=kind == "voice_message" or None,
                title=message.get("title"),
                performer=message.get("performer"),
            )
        )
    name = message.get("file_name") or (path.name if path else None)
    if name:
        found.append(types.DocumentAttributeFilename(name))
    return found


def _point(place: Json | None) -> Tl:
    if not place:
        return types.GeoPointEmpty()
    return types.GeoPoint(float(place["longitude"]), float(place["latitude"]), 0)


def _location(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    geo = _point(message.get("location_information"))
    if "place_name" in message:
        return types.MessageMediaVenue(geo, message["place_name"] or "", message.get("address") or "", "", "", "")
    if "live_location_period_seconds" in message:
        return types.MessageMediaGeoLive(geo, int(message["live_location_period_seconds"]))
    return types.MessageMediaGeo(geo)


def _contact(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["contact_information"]
    phone, first, last = (data.get(name) or "" for name in ("phone_number", "first_name", "last_name"))
    return types.MessageMediaContact(phone, first, last, "", 0)


def _poll(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["poll"]
    answers, results = [], []
    for index, answer in enumerate(data.get("answers") or []):
        option = bytes([index])
        answers.append(types.PollAnswer(styled(answer.get("text")), option))
        results.append(
            types.PollAnswerVoters(
                option, chosen=answer.get("chosen") or None, voters=int(answer.get("voters") or 0), recent_voters=[]
            )
        )
    id = splitmix64(message["id"], int(date.timestamp())) >> 2
    poll = types.Poll(id, styled(data.get("question")), answers, 0, closed=data.get("closed") or None)
    total = int(data.get("total_voters") or 0)
    return types.MessageMediaPoll(poll, types.PollResults(results=results, total_voters=total))


def todo_items(answers: list[Json]) -> list[Tl]:
    """Make the items of a to-do list."""
    return [types.TodoItem(int(answer.get("id") or 0), styled(answer.get("text"))) for answer in answers]


def _todo(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["todo_list"]
    todo = types.TodoList(
        styled(data.get("title")),
        todo_items(data.get("answers") or []),
        others_can_append=data.get("others_can_append") or None,
        others_can_complete=data.get("others_can_complete") or None,
    )
    return types.MessageMediaToDo(todo)


def _game(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    id = splitmix64(message["id"], 31) >> 2
    name = str(message.get("game_link") or "").rpartition("=")[2]
    game = types.Game(
        id, access_hash("game", id), name, message["game_title"], message.get("game_description") or "",
        types.PhotoEmpty(0),
    )  # fmt: skip
    return types.MessageMediaGame(game)


def _invoice(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["invoice_information"]
    data = json.loads(data) if isinstance(data, str) else data
    return types.MessageMediaInvoice(
        data.get("title") or "", data.get("description") or "", data.get("currency") or "",
        int(data.get("amount") or 0), "", receipt_msg_id=data.get("receipt_message_id"),
    )  # fmt: skip


def _when(value: object, otherwise: dt.datetime) -> dt.datetime:
    """Read a date of the export, local time without a zone, as UTC; ``otherwise`` if it is not a date."""
    try:
        return dt.datetime.fromisoformat(str(value)).replace(tzinfo=dt.UTC)
    except ValueError:
        return otherwise


def _giveaway(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["giveaway_information"]
    return types.MessageMediaGiveaway(
        [-peers.channel_by_name(name) - 10**12 for name in data.get("channels") or []],
        int(data.get("quantity") or 0),
        _when(data.get("until_date"), date),
        only_new_subscribers=data.get("is_only_new_subscribers") or None,
        countries_iso2=data.get("countries") or None,
        prize_description=data.get("additional_prize") or None,
        months=data.get("months"),
        stars=data.get("stars"),
    )


def _giveaway_results(message: Json, peers: ExportPeers, date: dt.datetime) -> Tl:
    data = message["giveaway_results"]
    return types.MessageMediaGiveawayResults(
        -peers.channel_by_name(data.get("channel")) - 10**12,
        int(data.get("launch_message_id") or 0),
        int(data.get("winners_count") or 0),
        int(data.get("unclaimed_count") or 0),
        [peers.by_name(name) for name in data.get("winners") or []],
        _when(data.get("until_date"), date),
        only_new_subscribers=data.get("is_only_new_subscribers") or None,
        refunded=data.get("is_refunded") or None,
        additional_peers_count=data.get("additional_peers_count"),
        months=data.get("months"),
        stars=data.get("stars"),
        prize_description=data.get("additional_prize") or None,
    )


_OTHERS: dict[str, Callable[[Json, ExportPeers, dt.datetime], Tl]] = {
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
}
