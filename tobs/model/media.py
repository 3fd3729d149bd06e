"""Media of messages. ``Media`` is the union of all kinds; a tag in the JSON distinguishes them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from tobs.model.text import Text

FileKind = Literal["photo", "video", "round", "gif", "sticker", "audio", "voice", "document"]


class RemoteFile(Struct, frozen=True, omit_defaults=True):
    """Location of a file at Telegram. ``thumb`` names the size of a photo (``y``) or the thumbnail of a document.

    ``reference`` expires; fetching the message again renews it. Source: https://core.telegram.org/api/files
    """

    type: Literal["photo", "document"]
    id: int
    access_hash: int
    reference: bytes
    dc: int
    thumb: str = ""

    @property
    def key(self) -> str:
        """Return the natural key of the bytes: two messages with the same key carry the same file."""
        return f"{self.type}/{self.id}/{self.thumb}" if self.thumb else f"{self.type}/{self.id}"


class FileItem(Struct, frozen=True, omit_defaults=True, tag="file"):
    """A file of a message. ``size`` in bytes, ``duration`` in seconds, ``waveform`` 0..31 per step.

    ``remote`` is None if the source does not have the file (it is then unavailable). ``path`` is its path in an
    imported export; ``elsewhere`` means that the export left it out and Telegram still has it. ``ttl`` is the lifetime
    in seconds of self-destructing media. ``thumb`` names the thumbnail of music: a size of Telegram, or a path in an
    export.
    """

    kind: FileKind
    mime: str = ""
    size: int = 0
    name: str = ""
    width: int = 0
    height: int = 0
    duration: float = 0.0
    title: str = ""
    performer: str = ""
    emoji: str = ""
    spoiler: bool = False
    ttl: int = 0
    waveform: bytes = b""
    remote: RemoteFile | None = None
    path: str = ""
    elsewhere: bool = False
    thumb: str = ""


def thumbnail_of(item: FileItem) -> FileItem | None:
    """Return the thumbnail of a file as a file to fetch; None if the source has none."""
    if not item.thumb:
        return None
    if item.remote is None:
        return FileItem("photo", path=item.thumb)
    return FileItem("photo", remote=replace(item.remote, thumb=item.thumb))


class PollAnswer(Struct, frozen=True, omit_defaults=True):
    """An answer of a poll; ``voters`` is None while results are hidden."""

    text: Text
    voters: int | None = None
    chosen: bool = False
    correct: bool = False


class Poll(Struct, frozen=True, omit_defaults=True, tag="poll"):
    """A poll or quiz with its last known results."""

    question: Text
    answers: tuple[PollAnswer, ...] = ()
    total_voters: int | None = None
    closed: bool = False
    quiz: bool = False
    multiple: bool = False
    public: bool = False
    solution: Text = Text()
    close_date: int = 0


class TodoItem(Struct, frozen=True, omit_defaults=True):
    """An item of a to-do list; ``done_by`` is a marked id, ``done_at`` is Unix seconds."""

    id: int
    title: Text
    done: bool = False
    done_by: int = 0
    done_at: int = 0


class TodoList(Struct, frozen=True, omit_defaults=True, tag="todo"):
    """A to-do list."""

    title: Text
    items: tuple[TodoItem, ...] = ()
    others_can_append: bool = False
    others_can_complete: bool = False


class Location(Struct, frozen=True, omit_defaults=True, tag="location"):
    """A point, a live location (``live`` seconds) or a venue (``title``, ``address``)."""

    latitude: float
    longitude: float
    live: int = 0
    title: str = ""
    address: str = ""
    provider: str = ""


class Contact(Struct, frozen=True, omit_defaults=True, tag="contact"):
    """A shared contact. The phone number is private: notes show it only when asked for."""

    first_name: str
    last_name: str = ""
    phone: str = ""
    user_id: int = 0
    vcard: str = ""


class WebPage(Struct, frozen=True, omit_defaults=True, tag="webpage"):
    """The preview of a link; ``form`` is Telegram's page type (article, photo, video ...)."""

    url: str
    site: str = ""
    title: str = ""
    description: str = ""
    author: str = ""
    form: str = ""
    photo: FileItem | None = None
    document: FileItem | None = None


class Game(Struct, frozen=True, omit_defaults=True, tag="game"):
    """An HTML5 game."""

    title: str
    description: str = ""
    short_name: str = ""
    photo: FileItem | None = None


class Invoice(Struct, frozen=True, omit_defaults=True, tag="invoice"):
    """An invoice; ``amount`` in the smallest unit of ``currency``."""

    title: str
    description: str = ""
    currency: str = ""
    amount: int = 0
    receipt_id: int = 0


class PaidMedia(Struct, frozen=True, omit_defaults=True, tag="paid"):
    """Media with a price in Telegram Stars; ``files`` are those that were paid for."""

    stars: int
    count: int = 0
    files: tuple[FileItem, ...] = ()


class Giveaway(Struct, frozen=True, omit_defaults=True, tag="giveaway"):
    """A running giveaway."""

    quantity: int
    until: int
    months: int = 0
    stars: int = 0
    channels: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()
    prize: str = ""


class GiveawayResults(Struct, frozen=True, omit_defaults=True, tag="giveaway_results"):
    """The results of a giveaway."""

    winners_count: int
    winners: tuple[int, ...] = ()
    unclaimed: int = 0
    months: int = 0
    stars: int = 0
    prize: str = ""
    launch_id: int = 0
    channel: int = 0
    refunded: bool = False


class Dice(Struct, frozen=True, omit_defaults=True, tag="dice"):
    """An animated emoji with a random value."""

    emoji: str
    value: int = 0


class StoryRef(Struct, frozen=True, omit_defaults=True, tag="story"):
    """A story shared into a chat; ``file`` and ``caption`` are set if it was still visible."""

    peer: int
    id: int
    caption: Text = Text()
    file: FileItem | None = None


class UnknownMedia(Struct, frozen=True, omit_defaults=True, tag="unknown"):
    """Media of a kind that tobs does not know: the TL name and its plain fields. The raw object is in the archive."""

    name: str
    values: dict[str, Any] = {}


Media = (
    FileItem
    | Poll
    | TodoList
    | Location
    | Contact
    | WebPage
    | Game
    | Invoice
    | PaidMedia
    | Giveaway
    | GiveawayResults
    | Dice
    | StoryRef
    | UnknownMedia
)


class DroppedFile(Struct, frozen=True):
    """A file that its owner put into a folder of the vault: its name, size in bytes, and when it was changed (Unix
    seconds)."""

    name: str
    size: int
    changed: float
