"""Messages, as sources yield them and as the archive stores them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tobs.model.media import FileItem, Game, Media, PaidMedia, Poll, StoryRef, WebPage
from tobs.model.peers import is_channel_id
from tobs.model.text import Entity, RichBlock

MessageKind = Literal["message", "service", "story", "unsupported"]


class MessageKey(NamedTuple):
    """The archive's key of a message: ``account`` is 0 for channels, which have message ids of their own."""

    account: int
    chat_id: int
    id: int

    @classmethod
    def of(cls, account: int, chat_id: int, message_id: int) -> MessageKey:
        """Return the key of a message that ``account`` sees in ``chat_id``."""
        return cls(0 if is_channel_id(chat_id) else account, chat_id, message_id)


class Reply(Struct, frozen=True, omit_defaults=True):
    """The message that a message answers.

    ``chat_id`` is 0 for the same chat; ``quote`` is the quoted part. ``from_id`` and ``from_name`` are the sender of a
    message in a chat that is not accessible. ``thread_id`` is the first message of the thread, if that is another one
    (in a discussion group: the copy of a channel's post).
    """

    message_id: int = 0
    chat_id: int = 0
    quote: str = ""
    quote_entities: tuple[Entity, ...] = ()
    story_id: int = 0
    todo_item: int = 0
    from_id: int = 0
    from_name: str = ""
    thread_id: int = 0


class Forward(Struct, frozen=True, omit_defaults=True):
    """The origin of a forwarded message. ``from_id`` and ``chat_id`` are marked, 0 if hidden."""

    date: int = 0
    from_id: int = 0
    from_name: str = ""
    chat_id: int = 0
    message_id: int = 0
    signature: str = ""
    imported: bool = False


class Reaction(Struct, frozen=True, omit_defaults=True):
    """A reaction and its count. ``custom_id`` names a custom emoji; ``paid`` a star."""

    count: int
    emoji: str = ""
    custom_id: int = 0
    paid: bool = False


class Button(Struct, frozen=True, omit_defaults=True):
    """A button under a message.

    ``url`` is set only if pressing it opens a link, ``copy`` is the text it puts on the clipboard, ``user_id`` the user
    whose profile it opens.
    """

    text: str
    kind: str = "button"
    url: str = ""
    copy: str = ""
    user_id: int = 0


class SuggestedPost(Struct, frozen=True, omit_defaults=True):
    """A post suggested to a channel.

    ``state`` is ``accepted``, ``rejected`` or empty while it is open; ``price`` is in the smallest unit of ``currency``
    (XTR are stars); ``date`` is the planned time (Unix seconds).
    """

    state: str = ""
    price: int = 0
    currency: str = ""
    date: int = 0


class Action(Struct, frozen=True, omit_defaults=True):
    """The action of a service message.

    ``kind`` is the TL name in snake case without its prefix (``chat_add_user``, ``pin_message``), ``values`` its plain
    fields, with peers as marked ids.
    """

    kind: str
    values: dict[str, Any] = {}


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message. Times are Unix seconds (UTC), ids are marked; counters are as last seen.

    ``album_id`` joins the messages of an album, ``topic_id`` is the id of the forum topic (0: none), ``comments`` the
    number of comments under a channel post. ``attached`` are files beside ``media``: those named by ``blocks``,
    pictures of a poll, the video of a live photo. ``paid_stars`` is the price of sending it. ``saved_from`` is the peer
    a saved message came from, ``saved_tags`` are the emoji (``custom 5``: a custom emoji) of its tags.
    """

    chat_id: int
    id: int
    date: int
    kind: MessageKind = "message"
    sender_id: int = 0
    text: str = ""
    entities: tuple[Entity, ...] = ()
    blocks: tuple[RichBlock, ...] = ()
    media: Media | None = None
    attached: tuple[FileItem, ...] = ()
    action: Action | None = None
    edited: int = 0
    album_id: int = 0
    topic_id: int = 0
    reply: Reply | None = None
    forward: Forward | None = None
    via_bot: int = 0
    signature: str = ""
    out: bool = False
    pinned: bool = False
    silent: bool = False
    no_forwards: bool = False
    ttl: int = 0
    restriction: str = ""
    effect: int = 0
    saved_from: int = 0
    buttons: tuple[tuple[Button, ...], ...] = ()
    views: int | None = None
    forwards: int | None = None
    comments: int | None = None
    reactions: tuple[Reaction, ...] = ()
    saved_tags: tuple[str, ...] = ()
    fact_check: str = ""
    suggested: SuggestedPost | None = None
    paid_stars: int = 0
    business_bot: int = 0


def thread_root(message: Message) -> int:
    """Return the first message of the thread of ``message``; 0 if it answers nothing in its chat."""
    reply = message.reply
    return 0 if reply is None or reply.chat_id else reply.thread_id or reply.message_id


def copied_post(message: Message) -> tuple[int, int] | None:
    """Return (channel, post) if ``message`` is the copy that Telegram put into the discussion group; else None.

    Comments answer this copy. Source: https://core.telegram.org/api/discussion
    """
    forward = message.forward
    if forward is None or not forward.message_id or forward.chat_id >= 0:
        return None
    # A message that a person forwards into a group has no such origin.
    return (forward.chat_id, forward.message_id) if message.saved_from == forward.chat_id else None


def message_files(message: Message) -> tuple[FileItem, ...]:
    """Return every file of a message in reading order: its own, the picture of a preview, paid media; then
    attached ones.
    """
    own = _media_files(message.media)
    return own + message.attached if message.attached else own


def _media_files(media: Media | None) -> tuple[FileItem, ...]:
    match media:
        case FileItem() as item:
            return (item,)
        case WebPage(photo=photo, document=document):
            return tuple(item for item in (photo, document) if item is not None)
        case Game(photo=FileItem() as photo):
            return (photo,)
        case PaidMedia(files=files):
            return files
        case StoryRef(file=FileItem() as item):
            return (item,)
    return ()


def message_counters(message: Message) -> tuple[object, ...]:
    """Return the values that change without an edit: views, forwards, comments, reactions, votes."""
    media = message.media
    votes = (media.total_voters, media.answers) if isinstance(media, Poll) else ()
    return (message.views, message.forwards, message.comments, message.reactions, votes)


_encode = msgspec.json.Encoder().encode


def message_state(message: Message) -> bytes:
    """Return a digest of everything that makes a new version of a message, without counters and file references.

    Views, forwards, comment counts, reactions and poll results change without an edit (invariant 4), so does a pin, and
    a file reference is renewed each time a message is fetched.
    """
    stable = replace(
        message,
        views=None,
        forwards=None,
        comments=None,
        reactions=(),
        pinned=False,
        media=_without_counters(message.media),
        attached=tuple(map(_without_reference, message.attached)),
    )
    return blake2b(_encode(stable), digest_size=16).digest()


def _without_counters(media: Media | None) -> Media | None:
    """Return ``media`` without values that change without an edit."""
    match media:
        case FileItem():
            return _without_reference(media)
        case Poll(answers=answers):
            answers_only = tuple(replace(answer, voters=None, chosen=False) for answer in answers)
            return replace(media, answers=answers_only, total_voters=None)
        case WebPage(photo=photo, document=document):
            return replace(
                media, photo=photo and _without_reference(photo), document=document and _without_reference(document)
            )
        case Game(photo=FileItem() as item):
            return replace(media, photo=_without_reference(item))
        case StoryRef(file=FileItem() as item):
            return replace(media, file=_without_reference(item))
        case PaidMedia(files=files):
            return replace(media, files=tuple(_without_reference(item) for item in files))
    return media


def _without_reference(item: FileItem) -> FileItem:
    if item.remote is None:
        # The path of a file differs between exports.
        is_local = item.path or item.thumb or item.elsewhere
        return replace(item, path="", thumb="", elsewhere=False) if is_local else item
    return replace(item, remote=replace(item.remote, reference=b"", access_hash=0), thumb="")
