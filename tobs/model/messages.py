"""Messages, as sources yield them and as the archive keeps them."""

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
    """The archive's key of a message: ``account`` is 0 for channels, whose ids are their own."""

    account: int
    chat_id: int
    id: int

    @classmethod
    def of(cls, account: int, chat_id: int, message_id: int) -> MessageKey:
        """The key of a message that ``account`` sees in ``chat_id``."""
        return cls(0 if is_channel_id(chat_id) else account, chat_id, message_id)


class Reply(Struct, frozen=True, omit_defaults=True):
    """What a message answers. ``chat_id`` is 0 for its own chat; ``quote`` is the quoted part; ``from_id`` and
    ``from_name`` say whose message it was where it is in a chat that cannot be seen. ``thread_id`` is the message that
    began the thread, where that is another one (in a discussion group: the copy of a channel's post)."""

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
    """Where a message comes from. ``from_id`` and ``chat_id`` are marked, 0 when hidden."""

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
    """A button under a message; ``url`` only where pressing it opens a link, ``copy`` what it puts on the clipboard,
    ``user_id`` whose profile it opens."""

    text: str
    kind: str = "button"
    url: str = ""
    copy: str = ""
    user_id: int = 0


class SuggestedPost(Struct, frozen=True, omit_defaults=True):
    """A post that somebody suggests to a channel. ``state`` is ``accepted``, ``rejected`` or empty while it is open;
    ``price`` in the smallest unit of ``currency`` (XTR are stars); ``date`` is when it is to be posted."""

    state: str = ""
    price: int = 0
    currency: str = ""
    date: int = 0


class Action(Struct, frozen=True, omit_defaults=True):
    """What a service message tells. ``kind`` is the TL name in snake case without its prefix
    (``chat_add_user``, ``pin_message``), ``values`` its plain fields, peers as marked ids."""

    kind: str
    values: dict[str, Any] = {}


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One message. Times are Unix seconds (UTC), ids marked; counters are as last seen.

    ``album_id`` joins the messages of an album, ``topic_id`` is the forum topic's (0: none),
    ``comments`` the number of comments under a channel post, ``attached`` files beside ``media``: those that
    ``blocks`` name, a poll's pictures, a live photo's video. ``paid_stars`` is what sending it cost. ``saved_from`` is
    whom or what a saved message came from, ``saved_tags`` the emoji (``custom 5``: a custom one) its owner tagged it
    with.
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
    """The message that began the thread ``message`` is in; 0 for what answers nothing in its chat."""
    reply = message.reply
    return 0 if reply is None or reply.chat_id else reply.thread_id or reply.message_id


def copied_post(message: Message) -> tuple[int, int] | None:
    """(channel, post) of which ``message`` is the copy that Telegram put into the discussion group by itself: comments
    answer it. Source: https://core.telegram.org/api/discussion"""
    forward = message.forward
    if forward is None or not forward.message_id or forward.chat_id >= 0:
        return None
    # What a person forwards into a group does not say where it was kept.
    return (forward.chat_id, forward.message_id) if message.saved_from == forward.chat_id else None


def message_files(message: Message) -> tuple[FileItem, ...]:
    """Every file a message carries, in reading order: its own, a preview's picture, paid media; then what is attached
    beside them."""
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
    """What changes by itself: views, forwards, comments, reactions, votes."""
    media = message.media
    votes = (media.total_voters, media.answers) if isinstance(media, Poll) else ()
    return (message.views, message.forwards, message.comments, message.reactions, votes)


_encode = msgspec.json.Encoder().encode


def message_state(message: Message) -> bytes:
    """A digest of what makes a new version of a message: everything but counters and file references.

    Views, forwards, comment counts, reactions and poll results change without an edit (invariant 4), so does a pin,
    and a file reference is renewed each time a message is fetched.
    """
    still = replace(
        message,
        views=None,
        forwards=None,
        comments=None,
        reactions=(),
        pinned=False,
        media=_still(message.media),
        attached=tuple(map(_still_file, message.attached)),
    )
    return blake2b(_encode(still), digest_size=16).digest()


def _still(media: Media | None) -> Media | None:
    """``media`` without what changes by itself."""
    match media:
        case FileItem():
            return _still_file(media)
        case Poll(answers=answers):
            calm = tuple(replace(answer, voters=None, chosen=False) for answer in answers)
            return replace(media, answers=calm, total_voters=None)
        case WebPage(photo=photo, document=document):
            return replace(media, photo=photo and _still_file(photo), document=document and _still_file(document))
        case Game(photo=FileItem() as item):
            return replace(media, photo=_still_file(item))
        case StoryRef(file=FileItem() as item):
            return replace(media, file=_still_file(item))
        case PaidMedia(files=files):
            return replace(media, files=tuple(_still_file(item) for item in files))
    return media


def _still_file(item: FileItem) -> FileItem:
    if item.remote is None:
        # Where a file lies differs from export to export.
        told = item.path or item.thumb or item.elsewhere
        return replace(item, path="", thumb="", elsewhere=False) if told else item
    return replace(item, remote=replace(item.remote, reference=b"", access_hash=0), thumb="")
