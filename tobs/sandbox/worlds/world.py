"""What a sandbox serves: people, chats, their messages and files, and everything that happened since it started.

A world is a seeded, immutable base (demo, synthetic, a Telegram Desktop export) and a mutable overlay: posted, edited
and deleted messages, reactions, a log of changes with Telegram's pts. Chats are named by their marked ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Literal

from msgspec import Struct
from telethon.tl import types

from tobs.model import is_channel_id
from tobs.sandbox.worlds.files import Blob, Bytes, FileFinder, RemoteKind, RpcError, Stamps, Stored, access_hash, mix
from tobs.sandbox.worlds.history import Base, History
from tobs.sandbox.worlds.tl import Raw, Tl, peer, reply_header

ChangeKind = Literal["new", "edit", "delete", "pin", "unpin", "react", "service"]

SERVICE_USER = 777000
"""Telegram's own chat with each account."""

COMMON = 0
"""The box of private chats and basic groups, which share one pts and one sequence of message ids."""


class Change(Struct, frozen=True):
    """One thing that happened. ``pts`` is the state of its box after it; 0 where Telegram counts none (reactions)."""

    kind: ChangeKind
    chat: int
    ids: tuple[int, ...]
    pts: int
    pts_count: int
    date: int


class About(Struct):
    """What only a full chat or user tells."""

    about: str = ""
    members: tuple[int, ...] = ()
    members_count: int = 0
    pinned: tuple[int, ...] = ()
    linked_chat: int = 0
    photo: Tl = None
    bots: tuple[int, ...] = ()
    migrated_from: int = 0  # the basic group a supergroup grew from, and its newest message
    migrated_from_top: int = 0


class Invite(Struct):
    """An invite link: the chat it leads to (0: it has expired)."""

    chat: int


class World:
    """One account's view of Telegram, ``me``. Everything a server asks is here; nothing here knows the wire."""

    def __init__(self, name: str, me: Tl, *, stamps: Stamps | None = None, epoch: int = 1_735_689_600) -> None:
        self.name = name
        self.me = me
        self.stamps = stamps or Stamps()
        self.clock: Callable[[], float] = lambda: float(epoch)
        self.phone = "+" + str(me.phone)
        self.targets: list[str] = []
        self.private: list[str] = []  # targets the account may name but not read
        self.entities: dict[int, Tl] = {me.id: me}
        self.about: dict[int, About] = {}
        self.usernames: dict[str, int] = {}
        self.emoji: dict[int, str] = {}  # custom emoji and what stands for each
        self.closed: set[int] = set()
        self.hidden: set[int] = set()
        self.comments_only: set[int] = set()  # groups whose messages are seen only as comments of a channel's posts
        self.topics: dict[int, dict[int, Tl]] = {}  # of each forum, by their ids
        self.strangers: set[int] = set()  # users that histories name as ``min``, without a usable access hash
        self.saved_tags: dict[str, str] = {}  # titles of the tags of Saved Messages, by emoji
        self.stories: dict[int, dict[int, Tl]] = {}  # of each peer, by their ids
        self.archived: set[int] = set()  # chats in the archive folder of the list
        self.folders: list[Tl] = [types.DialogFilterDefault()]
        self.invites: dict[str, Invite] = {}  # by the code of the link
        self.listeners: list[Callable[[Change], None]] = []
        self.common_pts = 1000
        self._histories: dict[int, History] = {}
        self._finders: list[FileFinder] = []
        self._added: dict[tuple[RemoteKind, int], Stored] = {}
        self._log: dict[int, list[Change]] = {COMMON: []}
        self._forgotten: dict[int, int] = {}  # by box: the pts up to which no log is kept any more
        self._pts: dict[int, int] = {}
        self.add_user(types.User(SERVICE_USER, access_hash=access_hash("user", SERVICE_USER), first_name="Telegram"))
        if me.username:
            self.usernames[me.username.lower()] = me.id

    # -- making a world

    def add_user(self, user: Tl, about: About | None = None) -> int:
        """Make a user known; returns the marked id."""
        self.entities[user.id] = user
        if user.username:
            self.usernames[user.username.lower()] = user.id
        if about is not None:
            self.about[user.id] = about
        return int(user.id)

    def add_chat(self, marked: int, entity: Tl, base: Base | None = None, about: About | None = None) -> None:
        """Make a chat known and, with ``base``, its messages. For a private chat ``entity`` is the user."""
        self.entities[marked] = entity
        if getattr(entity, "username", None):
            self.usernames[entity.username.lower()] = marked
        if about is not None:
            self.about[marked] = about
        if base is not None:
            self._histories[marked] = History(base, self.stamps)
            if is_channel_id(marked):
                self._pts[marked] = base.top_id + 1
                self._log[marked] = []

    def add_files(self, finder: FileFinder) -> None:
        """Ask ``finder`` too when a file is wanted."""
        self._finders.append(finder)

    # -- who and where

    def entity(self, marked: int) -> Tl:
        """The TL user, chat or channel of a marked id; raises ``PEER_ID_INVALID``."""
        if marked not in self.entities:
            raise RpcError(400, "CHANNEL_INVALID" if is_channel_id(marked) else "PEER_ID_INVALID")
        return self.entities[marked]

    def resolve(self, username: str) -> int:
        """The marked id behind a username; raises ``USERNAME_NOT_OCCUPIED``."""
        try:
            return self.usernames[username.removeprefix("@").lower()]
        except KeyError:
            raise RpcError(400, "USERNAME_NOT_OCCUPIED") from None

    def history(self, marked: int) -> History:
        """The messages of a chat; raises ``CHANNEL_PRIVATE`` where the account has no access."""
        if marked in self.closed or marked in self.comments_only:
            raise RpcError(400, "CHANNEL_PRIVATE")
        return self.kept(marked)

    def kept(self, marked: int) -> History:
        """The messages of a chat, whoever may see them."""
        self.entity(marked)
        if marked not in self._histories:
            self.add_chat(marked, self.entities[marked], EmptyBase())
        return self._histories[marked]

    def join(self, marked: int) -> None:
        """The account becomes a member of a chat."""
        self.entity(marked).left = None
        for kept in (self.closed, self.hidden):
            kept.discard(marked)

    def leave(self, marked: int) -> None:
        """The account is no member of a chat any more: it may read it, and is pushed nothing."""
        self.entity(marked).left = True
        self.hidden.add(marked)

    def dialogs(self) -> list[int]:
        """Marked ids of the chats in the account's list, the newest message first."""
        listed = [(self._last_date(marked), marked) for marked in self._histories if self._listed(marked)]
        return [marked for _, marked in sorted(listed, key=lambda pair: (-pair[0], pair[1]))]

    def _listed(self, marked: int) -> bool:
        unseen = self.closed | self.hidden | self.comments_only
        return marked not in unseen and self._histories[marked].count > 0

    def _last_date(self, marked: int) -> float:
        history = self._histories[marked]
        return float(history.get(history.top_id).date.timestamp())  # type: ignore[union-attr]

    def people(self, chat: int, ids: Iterable[int]) -> tuple[list[Tl], list[Tl]]:
        """The users and chats that a page of ``ids`` of ``chat`` has to bring along."""
        history = self.kept(chat)
        named = {chat} if chat != self.me.id else {self.me.id}
        for id in ids:
            named.update(history.peers(id))
        known = [self.entities[marked] for marked in sorted(named) if marked in self.entities]
        users = [self._as_known(entity) for entity in known if isinstance(entity, types.User | types.UserEmpty)]
        return users, [entity for entity in known if not isinstance(entity, types.User | types.UserEmpty)]

    def _as_known(self, user: Tl) -> Tl:
        if user.id not in self.strangers:
            return user
        known = copy(user)
        known.min, known.access_hash = True, mix(user.id) >> 1
        return known

    def messages(self, chat: int, ids: Iterable[int]) -> list[Raw]:
        """Messages as serialised TL objects, in the order asked; every id must be there."""
        history = self.kept(chat)
        return [Raw(history.raw(id)) for id in ids]

    # -- files

    def open_file(self, kind: RemoteKind, id: int, size: str = "", reference: bytes | None = None) -> Blob:
        """A part of a file. ``size`` names a photo's size or a document's thumbnail, ``""`` its body.

        Raises ``FILE_REFERENCE_EXPIRED``, ``FILE_REFERENCE_INVALID`` (``reference`` None: not checked),
        ``FILE_ID_INVALID`` for an unknown file and ``LOCATION_INVALID`` for a part that is not there.
        """
        stored = self._find(kind, id)
        if stored is None:
            raise RpcError(400, "FILE_ID_INVALID")
        if reference is not None:
            self.stamps.check(kind, id, reference)
        if size not in stored.parts:
            raise RpcError(400, "LOCATION_INVALID")
        return stored.parts[size]

    def file_dc(self, id: int) -> int:
        """The data centre a file is kept on; others answer ``FILE_MIGRATE_X``."""
        return self.stamps.dc(id)

    def _find(self, kind: RemoteKind, id: int) -> Stored | None:
        if (kind, id) in self._added:
            return self._added[kind, id]
        return next((stored for finder in self._finders if (stored := finder(kind, id)) is not None), None)

    def add_document(self, data: bytes, mime: str, attributes: Sequence[Tl] = (), thumb: bytes = b"") -> Tl:
        """Keep a new document, with a thumbnail if one is given; returns its ``Document`` for a
        ``MessageMediaDocument``."""
        id = mix(len(self._added), 1) >> 2
        parts: dict[str, Blob] = {"": Bytes(data)}
        thumbs = None
        if thumb:
            parts["m"], thumbs = Bytes(thumb), [types.PhotoSize("m", 320, 320, len(thumb))]
        self._added["document", id] = Stored(parts)
        when, hash = _date(self.clock()), access_hash("document", id)
        document = types.Document(id, hash, b"", when, mime, len(data), 0, list(attributes), thumbs=thumbs)
        self.stamps.stamp(document)
        return document

    def add_photo(self, data: bytes, width: int, height: int) -> Tl:
        """Keep a new photo with one size; returns its ``Photo`` for a ``MessageMediaPhoto``."""
        id = mix(len(self._added), 2) >> 2
        self._added["photo", id] = Stored({"x": Bytes(data)})
        sizes = [types.PhotoSize("x", width, height, len(data))]
        photo = types.Photo(id, access_hash("photo", id), b"", _date(self.clock()), sizes, 0)
        self.stamps.stamp(photo)
        return photo

    # -- what happens

    def pts(self, marked: int) -> int:
        """The update state of a channel, or of everything else (``COMMON``)."""
        return self._pts.get(marked, self.common_pts) if is_channel_id(marked) else self.common_pts

    def changes(self, marked: int, since: int) -> list[Change]:
        """What happened in a channel, or in all other chats (``COMMON``), after pts ``since``."""
        return [change for change in self._log.get(_box(marked), []) if change.pts > since]

    def remembers(self, marked: int, since: int) -> bool:
        """Whether the log of a box reaches back to pts ``since``."""
        first = self._forgotten.get(_box(marked))
        return since >= first if first is not None else True

    def forget(self, marked: int) -> None:
        """Keep no log of what happened so far: a difference from before is too long."""
        self._forgotten[_box(marked)] = self.pts(marked)
        self._log[_box(marked)] = []

    def post(
        self,
        chat: int,
        text: str = "",
        *,
        sender: int = 0,
        media: Tl = None,
        entities: Sequence[Tl] = (),
        reply_to: int = 0,
        grouped_id: int | None = None,
        date: float | None = None,
        action: Tl = None,
        id: int = 0,
        thread: int = 0,
        forward: Tl = None,
    ) -> int:
        """A new message; returns its id. ``sender`` is marked (0: the channel itself, or the other side).

        ``action`` makes it a service message, ``id`` leaves a hole up to that id, ``thread`` is the topic, or the copy
        of a channel's post, that it belongs to.
        """
        history = self.kept(chat)
        entity = self.entity(chat)
        broadcast = bool(getattr(entity, "broadcast", False))
        if not sender and not broadcast:
            sender = chat if chat > 0 else self.me.id
        common = {
            "id": max(id, self._next_id(chat)),
            "peer_id": peer(chat),
            "date": _date(self.clock() if date is None else date),
            "from_id": peer(sender) if sender and (sender != chat or chat == self.me.id) else None,
            "out": sender == self.me.id,
            "post": broadcast,
            "reply_to": reply_header(reply_to, thread, forum=bool(getattr(entity, "forum", False))),
        }
        if action is not None:
            message = types.MessageService(action=action, **common)
        else:
            message = types.Message(
                message=text,
                media=media,
                entities=list(entities) or None,
                grouped_id=grouped_id,
                fwd_from=forward,
                views=1 if broadcast else None,
                forwards=0 if broadcast else None,
                **common,
            )
        history.put(message)
        self._tell("new", chat, (message.id,))
        return int(message.id)

    def edit(self, chat: int, id: int, text: str, *, entities: Sequence[Tl] = (), date: float | None = None) -> None:
        """Give message ``id`` another text; raises ``MESSAGE_ID_INVALID``."""
        message = self._message(chat, id)
        message.message, message.entities = text, list(entities) or None
        message.edit_date = _date(self.clock() if date is None else date)
        self.kept(chat).put(message)
        self._tell("edit", chat, (id,))

    def delete(self, chat: int, ids: Sequence[int]) -> list[int]:
        """Delete messages; returns the ids that were there."""
        gone = self.kept(chat).drop(ids)
        if gone:
            self._tell("delete", chat, tuple(gone))
        return gone

    def react(self, chat: int, id: int, emoji: str, count: int | None = None) -> None:
        """Set the count of a reaction (None: one more; 0: none). Telegram counts no pts for it."""
        message = self._message(chat, id)
        results = list(message.reactions.results) if message.reactions else []
        kept = [result for result in results if getattr(result.reaction, "emoticon", None) != emoji]
        before = sum(result.count for result in results if result not in kept)
        after = before + 1 if count is None else count
        if after:
            kept.append(types.ReactionCount(types.ReactionEmoji(emoji), after))
        message.reactions = types.MessageReactions(kept) if kept else None
        self.history(chat).put(message)
        self._tell("react", chat, (id,))

    def tag(self, id: int, emoji: str) -> None:
        """Give a message of Saved Messages a tag, its only one (empty: none)."""
        message = self._message(self.me.id, id)
        count = types.ReactionCount(types.ReactionEmoji(emoji), 1, chosen_order=0)
        message.reactions = types.MessageReactions([count], reactions_as_tags=True) if emoji else None
        self.history(self.me.id).put(message)
        self._tell("react", self.me.id, (id,))

    def pin(self, chat: int, id: int) -> None:
        """Pin a message."""
        self._set_pinned(chat, id, pinned=True)

    def unpin(self, chat: int, id: int) -> None:
        """Take a pin away."""
        self._set_pinned(chat, id, pinned=False)

    def _set_pinned(self, chat: int, id: int, *, pinned: bool) -> None:
        message = self._message(chat, id)
        message.pinned = pinned or None
        self.history(chat).put(message)
        about = self.about.setdefault(chat, About())
        others = tuple(other for other in about.pinned if other != id)
        about.pinned = (id, *others) if pinned else others
        self._tell("pin" if pinned else "unpin", chat, (id,))

    def view(self, chat: int, id: int, views: int, forwards: int | None = None) -> None:
        """Set how often a post was seen and forwarded. Telegram counts no pts for it and pushes nothing here."""
        message = self._message(chat, id)
        message.views = views
        message.forwards = message.forwards if forwards is None else forwards
        self.history(chat).put(message)

    def retitle(self, chat: int, title: str) -> int:
        """Give a group or channel another title; the id of the service message that tells it."""
        self.entity(chat).title = title
        sender = 0 if getattr(self.entity(chat), "broadcast", False) else self.me.id
        return self.post(chat, sender=sender, action=types.MessageActionChatEditTitle(title))

    def rename(self, user: int, first_name: str, last_name: str = "") -> None:
        """Give a person another name. No box counts it: clients see it with the next message."""
        entity = self.entity(user)
        entity.first_name, entity.last_name = first_name, last_name or None

    def _message(self, chat: int, id: int) -> Tl:
        message = self.kept(chat).get(id)
        if message is None or isinstance(message, types.MessageService):
            raise RpcError(400, "MESSAGE_ID_INVALID")
        return message

    def _next_id(self, chat: int) -> int:
        if is_channel_id(chat):
            return self._histories[chat].highest_id + 1
        return 1 + max(history.highest_id for marked, history in self._histories.items() if not is_channel_id(marked))

    def _tell(self, kind: ChangeKind, chat: int, ids: tuple[int, ...]) -> None:
        """Log a change under the next pts of its box and tell the listeners."""
        steps = 0 if kind == "react" else len(ids)
        pts = self.pts(chat) + steps
        change = Change(kind, chat, ids, pts if steps else 0, steps, int(self.clock()))
        if steps:
            if is_channel_id(chat):
                self._pts[chat] = pts
            else:
                self.common_pts = pts
            self._log[_box(chat)].append(change)
        if chat in self.comments_only:
            return
        for listener in list(self.listeners):
            listener(change)


def _box(marked: int) -> int:
    """Whose pts a chat's changes count in."""
    return marked if is_channel_id(marked) else COMMON


class EmptyBase:
    """A chat in which nothing was said yet."""

    count = 0
    top_id = 0

    def rank(self, id: int) -> int:
        return 0

    def at(self, rank: int) -> int:
        raise IndexError(rank)

    def has(self, id: int) -> bool:
        return False

    def rank_of_date(self, date: int) -> int:
        return 0

    def message(self, id: int) -> Tl:
        raise KeyError(id)

    def peek(self, id: int) -> Tl:
        raise KeyError(id)

    def raw(self, id: int) -> bytes:
        raise KeyError(id)

    def peers(self, id: int) -> Iterable[int]:
        return ()


def _date(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
