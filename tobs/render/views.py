"""Input of the renderers and the views that templates see.

Strings documented as *Markdown* are ready for the note; all others are plain fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from msgspec import Struct

from tobs.model import Message

AttachmentState = Literal["wanted", "staged", "placed", "failed", "unavailable", "skipped", "gone"]


class Attachment(Struct, frozen=True):
    """State of a message's file in the vault.

    ``path`` is relative to the root of the vault; ``note`` is the path (without ``.md``) of the audio note about it;
    ``fields`` are the plugin fields (title, performer, transcript ...).
    """

    state: AttachmentState | str
    path: str | None = None
    reason: str = ""
    name: str = ""
    note: str | None = None
    fields: dict[str, Any] = {}


class Revisions(Struct, frozen=True):
    """Earlier states of a message: ``versions`` replaced by edits, oldest first; ``is_deleted`` on Telegram."""

    is_deleted: bool = False
    versions: tuple[Message, ...] = ()


class CommentList(Struct, frozen=True):
    """The first comments of a post as (chat id, message id, sender, Unix seconds), and the number of all comments."""

    shown: tuple[tuple[int, int, int, int], ...] = ()
    count: int = 0


class Links(Struct, frozen=True):
    """Lookups of notes and names, without side effects on the vault. None means 'not in this vault'.

    ``message(chat_id, message_id)`` returns a path without ``.md`` (with ``#^m5`` in day layouts); ``person(id)``,
    ``chat(id)`` and ``topic(chat_id, topic_id)`` return (path or "" while there is no note, name); ``post(chat_id,
    message_id)`` returns the (channel, post) that a message comments on, ``comments`` the comments of a post;
    ``tag_title(emoji)`` returns the title of a tag of Saved Messages, or ""; ``peer_by_username(username)`` returns a
    marked id (the name comes lower-cased, without ``@``); ``discussion_group(chat_id)`` returns the group linked to a
    channel, or 0; ``emoji(id)`` returns the emoji that a custom emoji replaces, or ""; ``attachment(message, index)``
    returns the file at an index of ``message_files(message)``; ``plugin_fields(message)`` returns a mapping per plugin
    (see ``plugin_fields``); ``revisions(message)`` returns its earlier states.
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
    """Options of rendering.

    ``line_breaks`` is ``soft`` or ``two-space``; ``counters`` adds views, forwards and reactions to notes; ``phones``
    shows phone numbers of contacts; ``account`` is the id put before private chats in ``tobs_id`` (0: the primary
    account of the vault); ``deleted`` marks messages deleted on Telegram; ``versions`` shows texts replaced by edits;
    ``digest`` lists the changes of the last sync in the note of a chat.
    """

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
    """The text of a note and every message it refers to: (chat id, message id, whether there was a note to link to)."""

    text: str
    links: tuple[tuple[int, int, bool], ...] = ()


class MessageView(Struct, frozen=True):
    """A message as a template sees it: Markdown blocks, empty if there is nothing to show, and plain fields.

    ``forward`` is 'Forwarded from ...'; ``reply`` the link to the answered message and the quoted part; ``media``
    embeds of files, or the reasons why they are missing; ``text`` the message itself; ``details`` preview, poll, place,
    contact ...; ``buttons`` the inline buttons; ``comments`` links to comments; ``notes`` via bot, signature,
    restrictions, fact check; ``service`` the sentence of a service message; ``deleted`` a callout if it was deleted on
    Telegram; ``versions`` earlier versions, folded.
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
    """The note of a message or of the messages of an album. ``chat`` is a link (Markdown)."""

    chat: str
    chat_title: str
    date: datetime
    messages: tuple[MessageView, ...]
    tags: tuple[str, ...] = ()


class BlockView(Struct, frozen=True):
    """A message or album in the note of a day or month.

    ``header`` is its first paragraph, which ends in the block id ``anchor``; ``text`` is its content, rendered by
    `message.md.j2`; ``counters`` are its reactions and views; ``heading`` is the day, before its first block in a note
    of a month.
    """

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
    """Numbers of messages and files of a chat in one year; ``first`` is the first message (chat id, message id)."""

    year: int
    messages: int
    media: int = 0
    first: tuple[int, int] | None = None


class Topic(Struct, frozen=True):
    """A forum topic; ``path`` is that of its note or folder ("" while there is none)."""

    id: int
    title: str
    path: str = ""
    messages: int = 0


class SyncChanges(Struct, frozen=True):
    """Changes of the last sync in a chat: ids of ``new`` and ``deleted`` messages; ``edited`` has ids with the text
    before and after.
    """

    new: tuple[int, ...] = ()
    edited: tuple[tuple[int, str, str], ...] = ()
    deleted: tuple[int, ...] = ()


class ChatStats(Struct, frozen=True):
    """Statistics of a chat from the archive.

    Times are Unix seconds; ``first`` and ``last`` are (chat id, message id, date); ``pinned`` messages are newest
    first; ``saved_from`` is (marked id, messages) of Saved Messages; ``past_titles`` are oldest first; ``picture`` and
    ``base`` are paths from the root of the vault; ``changed`` has the changes of the last sync, if the option is on.
    """

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
    """Statistics of a topic from the archive. ``first`` and ``last`` are (message id, Unix seconds)."""

    messages: int = 0
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None
    past_titles: tuple[str, ...] = ()


class PersonStats(Struct, frozen=True):
    """Statistics of a sender from the archive. ``aliases`` are earlier names; ``chats`` are (chat id, messages)."""

    messages: int = 0
    first: tuple[int, int, int] | None = None
    last: tuple[int, int, int] | None = None
    aliases: tuple[str, ...] = ()
    chats: tuple[tuple[int, int], ...] = ()
    picture: str = ""


class AudioItem(Struct, frozen=True):
    """An audio file and its tags.

    ``duration`` is in seconds, ``bitrate`` in kbit/s, ``size`` in bytes; ``kind`` is ``audio`` or ``voice``; ``name``
    is the file name; ``cover`` and ``waveform`` are paths of pictures; ``shown`` is the path of another form of the
    file, which is embedded instead; ``found`` are all plugin fields (see ``plugin_fields``). ``sha256`` is the hash of
    the file as downloaded, ``changed`` the hash of the file that a plugin put in its place.
    """

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
