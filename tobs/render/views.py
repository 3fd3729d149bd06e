"""What the renderers take and what templates see. Strings named *Markdown* are ready; the rest are plain fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from msgspec import Struct

from tobs.model import Message

AttachmentState = Literal["wanted", "staged", "placed", "failed", "unavailable", "skipped", "gone"]


class Attachment(Struct, frozen=True):
    """A file of a message as the vault has it. ``path`` is from the vault's root; ``note`` the path (without
    ``.md``) of the audio note about it; ``fields`` what processors found (title, performer, transcript ...)."""

    state: AttachmentState | str
    path: str | None = None
    reason: str = ""
    name: str = ""
    note: str | None = None
    fields: dict[str, Any] = {}


class Revisions(Struct, frozen=True):
    """What a message was before: ``versions`` that edits replaced, oldest first; ``is_deleted`` on Telegram."""

    is_deleted: bool = False
    versions: tuple[Message, ...] = ()


class CommentList(Struct, frozen=True):
    """The first comments of a post as (chat id, message id, sender, Unix seconds), and how many it has in all."""

    shown: tuple[tuple[int, int, int, int], ...] = ()
    count: int = 0


class Links(Struct, frozen=True):
    """How a note finds others. All of them are pure look-ups; None is 'not in this vault'.

    ``message(chat_id, message_id)`` -> path without ``.md`` (with ``#^m5`` in day layouts);
    ``person(id)``, ``chat(id)`` and ``topic(chat_id, topic_id)`` -> (path or "" while there is no note, name);
    ``post(chat_id, message_id)`` -> (channel, post) that a message is a comment of, ``comments`` those of a post;
    ``tag_title(emoji)`` -> what the owner calls a tag of Saved Messages, or "";
    ``named(username)`` -> marked id (the name comes lower-cased, without ``@``); ``linked(chat_id)`` -> a channel's
    discussion group, or 0; ``emoji(id)`` -> the emoji that stands for a custom one, or "";
    ``attachment(message, index)`` -> the file, by its place in ``message_files(message)``;
    ``found(message)`` -> what plugins said about it, a mapping each (see ``found``);
    ``past(message)`` -> what it was before.
    """

    message: Callable[[int, int], str | None] = lambda _chat, _message: None
    topic: Callable[[int, int], tuple[str, str] | None] = lambda _chat, _topic: None
    post: Callable[[int, int], tuple[int, int] | None] = lambda _chat, _message: None
    comments: Callable[[int, int], CommentList] = lambda _chat, _message: CommentList()
    tag_title: Callable[[str], str] = lambda _emoji: ""
    person: Callable[[int], tuple[str, str] | None] = lambda _id: None
    chat: Callable[[int], tuple[str, str] | None] = lambda _id: None
    attachment: Callable[[Message, int], Attachment] = lambda _message, _index: Attachment("wanted")
    peer_by_username: Callable[[str], int | None] = lambda _name: None
    discussion_group: Callable[[int], int] = lambda _chat: 0
    emoji: Callable[[int], str] = lambda _id: ""
    plugin_fields: Callable[[Message], Sequence[Mapping[str, Any]]] = lambda _message: ()
    revisions: Callable[[Message], Revisions] = lambda _message: Revisions()


class RenderOptions(Struct, frozen=True):
    """``line_breaks`` is ``soft`` or ``two-space``; ``counters`` puts views, forwards and reactions into notes;
    ``phones`` shows phone numbers of contacts; ``account`` is the id put before private chats in ``tobs_id``
    (0: the vault's primary account); ``deleted`` marks messages that were deleted on Telegram, ``versions`` shows what
    edits replaced, ``digest`` in a chat's note what the last sync brought."""

    timezone: tzinfo = UTC
    language: str = "en"
    property_prefix: str = ""
    tag_prefix: str = ""
    line_breaks: str = "soft"
    counters: bool = True
    phones: bool = False
    account: int = 0
    deleted: bool = True
    versions: bool = False
    digest: bool = False


class Rendered(Struct, frozen=True):
    """A note's text and every message it refers to: (chat id, message id, whether it had a note to link to)."""

    text: str
    links: tuple[tuple[int, int, bool], ...] = ()


class MessageView(Struct, frozen=True):
    """One message as a template sees it: Markdown blocks, empty where there is nothing, and plain fields.

    ``forward`` 'Forwarded from ...'; ``reply`` the link to what it answers and the quoted part; ``media`` embeds or
    what became of the files; ``text`` the message itself; ``details`` preview, poll, place, contact ...;
    ``buttons``; ``comments`` links to them; ``notes`` via bot, signature, restrictions, fact check; ``service`` the
    sentence of a service message; ``deleted`` says that it was deleted on Telegram; ``versions`` earlier versions,
    folded.
    """

    id: int
    date: datetime
    sender: str = ""
    sender_name: str = ""
    forward: str = ""
    reply: str = ""
    media: str = ""
    text: str = ""
    details: str = ""
    buttons: str = ""
    notes: str = ""
    comments: str = ""
    service: str = ""
    deleted: str = ""
    versions: str = ""
    link: str = ""
    message: Message | None = None


class NoteView(Struct, frozen=True):
    """A message note: one message, or the messages of an album. ``chat`` is a link (Markdown)."""

    chat: str
    chat_title: str
    date: datetime
    messages: tuple[MessageView, ...]
    tags: tuple[str, ...] = ()


class BlockView(Struct, frozen=True):
    """A message or album in the note of a day or month. ``header`` is its first paragraph, which ends in the block id
    ``anchor``; ``text`` what it says, as `message.md.j2` lays it out; ``counters`` its reactions and views; ``heading``
    the day, before the first block of it in a note of a month."""

    anchor: str
    header: str
    text: str
    counters: str = ""
    heading: str = ""
    messages: tuple[MessageView, ...] = ()


class PeriodView(Struct, frozen=True):
    """The note of a day or month as its template sees it. ``period`` is `2024-01-02` or `2024-01`."""

    chat: str
    chat_title: str
    period: str
    facts: str
    blocks: tuple[BlockView, ...]
    tags: tuple[str, ...] = ()


class Year(Struct, frozen=True):
    """How much a chat has of one year; ``first`` is the year's first message (chat id, message id)."""

    year: int
    messages: int
    media: int = 0
    first: tuple[int, int] | None = None


class Topic(Struct, frozen=True):
    """A forum topic: its note's or folder's path ("" while there is none)."""

    id: int
    title: str
    path: str = ""
    messages: int = 0


class SyncChanges(Struct, frozen=True):
    """What the last sync brought into a chat: ids of ``new`` and ``deleted`` messages, and of ``edited`` ones each with
    its text before and after."""

    new: tuple[int, ...] = ()
    edited: tuple[tuple[int, str, str], ...] = ()
    deleted: tuple[int, ...] = ()


class ChatStats(Struct, frozen=True):
    """What the archive knows of a chat. Times are Unix seconds; ``first``/``last`` (chat id, message id, date);
    ``pinned`` messages, newest first; ``saved_from`` (marked id, messages) of Saved Messages; ``past_titles`` oldest
    first; ``picture`` and ``base`` paths from the vault's root; ``changed`` with the last sync, where that is shown."""

    messages: int = 0
    media: int = 0
    first: tuple[int, int, int] | None = None
    last: tuple[int, int, int] | None = None
    pinned: tuple[int, ...] = ()
    years: tuple[Year, ...] = ()
    past_titles: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    saved_from: tuple[tuple[int, int], ...] = ()
    stories: int = 0
    picture: str = ""
    base: str = ""
    changed: SyncChanges = SyncChanges()


class TopicStats(Struct, frozen=True):
    """What the archive knows of a topic. ``first``/``last`` (message id, Unix seconds)."""

    messages: int = 0
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None
    past_titles: tuple[str, ...] = ()


class PersonStats(Struct, frozen=True):
    """What the archive knows of a sender. ``aliases`` are earlier names; ``chats`` (chat id, messages)."""

    messages: int = 0
    first: tuple[int, int, int] | None = None
    last: tuple[int, int, int] | None = None
    aliases: tuple[str, ...] = ()
    chats: tuple[tuple[int, int], ...] = ()
    picture: str = ""


class AudioItem(Struct, frozen=True):
    """An audio file and what its tags say. ``duration`` seconds, ``bitrate`` kbit/s, ``size`` bytes; ``kind`` is
    ``audio`` or ``voice``; ``name`` the file name; ``cover`` and ``waveform`` paths of pictures; ``shown`` the path of
    another form of the file, which is embedded instead; ``found`` all that processors found (see ``found``). The
    ``sha256`` is that of the file as it came, ``changed`` that of what a plugin made of it in its place."""

    sha256: str
    path: str | None = None
    kind: str = "audio"
    name: str = ""
    title: str = ""
    performer: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    track: int | None = None
    duration: float | None = None
    bitrate: float | None = None
    size: int | None = None
    format: str = ""
    date: int = 0
    transcript: str = ""
    transcript_language: str = ""
    cover: str = ""
    waveform: str = ""
    shown: str = ""
    found: dict[str, Any] = {}
    changed: str = ""
