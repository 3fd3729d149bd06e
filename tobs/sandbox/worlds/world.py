"""A world: the users, chats, messages and files that a sandbox serves, and all changes since it started.

A world is a seeded, immutable base (demo, synthetic, a Telegram Desktop export) and a mutable overlay: posted, edited
and deleted messages, reactions, a log of changes with Telegram's pts. Chats are named by their marked ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict, Unpack

from telethon.tl import types

from tobs.model import bare_id, is_channel_id, marked_channel
from tobs.sandbox.worlds.changes import ChangeKind, ChangeLog
from tobs.sandbox.worlds.files import FileStore
from tobs.sandbox.worlds.history import Base, History, MemoryBase
from tobs.sandbox.worlds.peers import ChatList, FullInfo, PeerStore
from tobs.sandbox.worlds.sample_files import JPEG_HEIGHT, JPEG_WIDTH
from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tl import Raw, RpcError, Tl, peer, reply_header, to_date

SERVICE_USER = 777000
"""Telegram's own chat with each account."""

_EPOCH = 1_735_689_600  # 2025-01-01
_STORY_LIFE = 86_400  # seconds


class PostOptions(TypedDict, total=False):
    """The optional parts of a new message.

    ``sender`` is marked (0: the channel itself, or the other side of a private chat). ``date``: Unix seconds, now by
    default. ``action`` makes it a service message. ``id`` leaves a hole up to that id. ``thread`` is the topic, or
    the copy of a channel's post, that it belongs to. ``forward`` is a ``MessageFwdHeader``.
    """

    sender: int
    media: Tl
    entities: Sequence[Tl]
    reply_to: int
    grouped_id: int | None
    date: float
    action: Tl
    id: int
    thread: int
    forward: Tl


class World:
    """Telegram as the account ``me`` sees it; the transport and the protocol are not known here.

    ``targets``: chats to export, as a user names them. ``unreadable_targets``: chats that can be named but not read.
    ``topics``: of each forum, by id. ``stories``: of each peer, by id. ``saved_tags``: titles of the tags of Saved
    Messages, by emoji. ``emoji``: the plain emoji of each custom emoji's document id.
    """

    def __init__(self, name: str, me: Tl, *, epoch: int = _EPOCH) -> None:
        self.name = name
        self.me = me
        self.clock: Callable[[], float] = lambda: float(epoch)
        self.peers = PeerStore()
        self.chat_list = ChatList()
        self.files = FileStore(self._now)
        self.changes = ChangeLog()
        self.targets: list[str] = []
        self.unreadable_targets: list[str] = []
        self.emoji: dict[int, str] = {}
        self.topics: dict[int, dict[int, Tl]] = {}
        self.stories: dict[int, dict[int, Tl]] = {}
        self.saved_tags: dict[str, str] = {}
        self._histories: dict[int, History] = {}
        self.add_user(me)
        self.add_user(types.User(SERVICE_USER, access_hash=access_hash("user", SERVICE_USER), first_name="Telegram"))

    def _now(self) -> float:
        return self.clock()  # a server replaces the clock

    @property
    def phone(self) -> str:
        """The account's phone number with ``+``."""
        return f"+{self.me.phone}"

    # -- people and chats

    def add_user(self, user: Tl, full_info: FullInfo | None = None) -> int:
        """Add a user; return the marked id."""
        self.peers.add(int(user.id), user, full_info)
        return int(user.id)

    def add_chat(self, marked: int, entity: Tl, base: Base | None = None, full_info: FullInfo | None = None) -> None:
        """Add a chat and, with ``base``, its messages. For a private chat ``entity`` is the user."""
        self.peers.add(marked, entity, full_info)
        if base is not None:
            self._histories[marked] = History(base, self.files.locations)
            if is_channel_id(marked):
                self.changes.start_box(marked, base.top_id + 1)

    def entity(self, marked: int) -> Tl:
        """Return the TL user, chat or channel of a marked id; raise CHANNEL_INVALID or PEER_ID_INVALID."""
        return self.peers.entity(marked)

    def resolve(self, username: str) -> int:
        """Return the marked id of a username; raise USERNAME_NOT_OCCUPIED."""
        return self.peers.resolve(username)

    def join(self, marked: int) -> None:
        """Make the account a member of a chat."""
        self.entity(marked).left = None
        self.chat_list.closed.discard(marked)
        self.chat_list.unlisted.discard(marked)

    def leave(self, marked: int) -> None:
        """End the account's membership of a channel: it may still read it, but gets no updates pushed."""
        self.entity(marked).left = True
        self.chat_list.unlisted.add(marked)

    def retitle(self, chat: int, title: str) -> int:
        """Give a group or channel another title; return the id of the service message about it."""
        self.entity(chat).title = title
        sender = 0 if self._is_broadcast(chat) else self.me.id
        return self.post(chat, sender=sender, action=types.MessageActionChatEditTitle(title))

    def rename(self, user: int, first_name: str, last_name: str = "") -> None:
        """Give a user another name. No box counts it: clients see it with the next message."""
        entity = self.entity(user)
        entity.first_name, entity.last_name = first_name, last_name or None

    def migrate(self, group: int, *, username: str = "") -> int:
        """Turn a basic group into a new supergroup and return its marked id; the group keeps its messages.

        Raise CHAT_ID_INVALID. Source: https://core.telegram.org/api/channel#migration
        """
        old = self.entity(group)
        if group > 0 or is_channel_id(group) or old.migrated_to is not None:
            raise RpcError(400, "CHAT_ID_INVALID")
        id = 2_000_000_000 + bare_id(group) % 1_000_000
        supergroup, date, members = marked_channel(id), to_date(self.clock()), self.peers.info(group).members
        self.post(group, sender=self.me.id, action=types.MessageActionChatMigrateTo(id))
        old.migrated_to, old.deactivated = types.InputChannel(id, access_hash("channel", id)), True
        channel = types.Channel(
            id, old.title, types.ChatPhotoEmpty(), date, access_hash=access_hash("channel", id), megagroup=True,
            username=username or None, participants_count=len(members),
        )  # fmt: skip
        info = FullInfo(self.peers.info(group).about, members, len(members), migrated_from=group)
        info.migrated_from_top = self.history(group).top_id
        self.add_chat(supergroup, channel, MemoryBase((), self.files.locations), info)
        action = types.MessageActionChannelMigrateFrom(old.title, bare_id(group))
        self.post(supergroup, sender=self.me.id, action=action)
        return supergroup

    def _is_broadcast(self, chat: int) -> bool:
        return bool(getattr(self.entity(chat), "broadcast", False))

    # -- reading messages

    def history(self, marked: int) -> History:
        """Return the messages of a chat; raise CHANNEL_PRIVATE if the account has no access."""
        if not self.chat_list.can_read(marked):
            raise RpcError(400, "CHANNEL_PRIVATE")
        return self.unchecked_history(marked)

    def unchecked_history(self, marked: int) -> History:
        """Return the messages of a chat without checking the account's access."""
        entity = self.entity(marked)
        if marked not in self._histories:
            self.add_chat(marked, entity, MemoryBase((), self.files.locations))
        return self._histories[marked]

    def dialogs(self) -> list[int]:
        """Return the marked ids of the account's list of chats, the chat with the newest message first."""
        listed = [
            (self._last_date(marked), marked)
            for marked, history in self._histories.items()
            if self.chat_list.is_listed(marked) and history.count > 0
        ]
        return [marked for _, marked in sorted(listed, key=lambda pair: (-pair[0], pair[1]))]

    def _last_date(self, marked: int) -> float:
        history = self._histories[marked]
        return float(history.get(history.top_id).date.timestamp())  # type: ignore[union-attr]

    def page_entities(self, chat: int, ids: Iterable[int]) -> tuple[list[Tl], list[Tl]]:
        """Return the users and chats that a page with messages ``ids`` of ``chat`` must contain."""
        history = self.unchecked_history(chat)
        named = {chat}
        for id in ids:
            named.update(history.peers(id))
        users, chats = self.peers.split(sorted(named))
        return [self.peers.as_min(user) for user in users], chats

    def messages(self, chat: int, ids: Iterable[int]) -> list[Raw]:
        """Return messages as serialised TL objects, in the order of ``ids``; every id must exist."""
        history = self.unchecked_history(chat)
        return [Raw(history.raw(id)) for id in ids]

    def pts(self, marked: int) -> int:
        """Return the update state of a channel, or of all other chats together (``COMMON``)."""
        return self.changes.pts(marked)

    # -- changing messages

    def post(self, chat: int, text: str = "", **options: Unpack[PostOptions]) -> int:
        """Add a new message and return its id."""
        history, sender = self.unchecked_history(chat), options.get("sender", 0)
        broadcast, action = self._is_broadcast(chat), options.get("action")
        if not sender and not broadcast:
            sender = chat if chat > 0 else self.me.id
        forum = bool(getattr(self.entity(chat), "forum", False))
        common = {
            "id": max(options.get("id", 0), self._next_id(chat)),
            "peer_id": peer(chat),
            "date": to_date(options.get("date", self.clock())),
            "from_id": peer(sender) if sender and (sender != chat or chat == self.me.id) else None,
            "out": sender == self.me.id,
            "post": broadcast,
            "reply_to": reply_header(options.get("reply_to", 0), options.get("thread", 0), forum=forum),
        }
        if action is not None:
            message = types.MessageService(action=action, **common)
        else:
            message = types.Message(
                message=text,
                media=options.get("media"),
                entities=list(options.get("entities", ())) or None,
                grouped_id=options.get("grouped_id"),
                fwd_from=options.get("forward"),
                views=1 if broadcast else None,
                forwards=0 if broadcast else None,
                **common,
            )
        history.put(message)
        self._record("new", chat, (message.id,))
        return int(message.id)

    def edit(self, chat: int, id: int, text: str, *, entities: Sequence[Tl] = (), date: float | None = None) -> None:
        """Give message ``id`` another text; raise MESSAGE_ID_INVALID."""
        message = self._message(chat, id)
        message.message, message.entities = text, list(entities) or None
        message.edit_date = to_date(self.clock() if date is None else date)
        self.unchecked_history(chat).put(message)
        self._record("edit", chat, (id,))

    def delete(self, chat: int, ids: Sequence[int]) -> list[int]:
        """Delete messages; return the ids that existed."""
        deleted = self.unchecked_history(chat).delete(ids)
        if deleted:
            self._record("delete", chat, tuple(deleted))
        return deleted

    def react(self, chat: int, id: int, emoji: str, count: int | None = None) -> None:
        """Set the count of a reaction (None: one more; 0: remove it). Telegram counts no pts for it."""
        message = self._message(chat, id)
        results = list(message.reactions.results) if message.reactions else []
        others = [result for result in results if getattr(result.reaction, "emoticon", None) != emoji]
        before = sum(result.count for result in results if result not in others)
        after = before + 1 if count is None else count
        if after:
            others.append(types.ReactionCount(types.ReactionEmoji(emoji), after))
        message.reactions = types.MessageReactions(others) if others else None
        self.history(chat).put(message)
        self._record("react", chat, (id,))

    def tag(self, id: int, emoji: str) -> None:
        """Give a message of Saved Messages a tag, its only one (empty: remove it)."""
        message = self._message(self.me.id, id)
        count = types.ReactionCount(types.ReactionEmoji(emoji), 1, chosen_order=0)
        message.reactions = types.MessageReactions([count], reactions_as_tags=True) if emoji else None
        self.history(self.me.id).put(message)
        self._record("react", self.me.id, (id,))

    def pin(self, chat: int, id: int) -> None:
        """Pin a message."""
        self._set_pinned(chat, id, pinned=True)

    def unpin(self, chat: int, id: int) -> None:
        """Unpin a message."""
        self._set_pinned(chat, id, pinned=False)

    def _set_pinned(self, chat: int, id: int, *, pinned: bool) -> None:
        message = self._message(chat, id)
        message.pinned = pinned or None
        self.history(chat).put(message)
        info = self.peers.full_info.setdefault(chat, FullInfo())
        others = tuple(other for other in info.pinned if other != id)
        info.pinned = (id, *others) if pinned else others
        self._record("pin" if pinned else "unpin", chat, (id,))

    def view(self, chat: int, id: int, views: int, forwards: int | None = None) -> None:
        """Set the counts of views and forwards of a post. Telegram counts no pts for it; nothing is pushed."""
        message = self._message(chat, id)
        message.views = views
        message.forwards = message.forwards if forwards is None else forwards
        self.history(chat).put(message)

    def add_story(self, owner: int, caption: str, picture: bytes, *, date: float, pinned: bool = False) -> int:
        """Add a story with a JPEG, visible for a day; ``pinned`` puts it on the profile. Return its id."""
        stories = self.stories.setdefault(owner, {})
        id = max(stories, default=0) + 1
        photo = self.files.add_photo(picture, JPEG_WIDTH, JPEG_HEIGHT)
        stories[id] = types.StoryItem(
            id, to_date(date), to_date(date + _STORY_LIFE), types.MessageMediaPhoto(photo=photo),
            pinned=pinned or None, public=True, caption=caption or None, views=types.StoryViews(id * 3),
        )  # fmt: skip
        return id

    def _message(self, chat: int, id: int) -> Tl:
        message = self.unchecked_history(chat).get(id)
        if message is None or isinstance(message, types.MessageService):
            raise RpcError(400, "MESSAGE_ID_INVALID")
        return message

    def _next_id(self, chat: int) -> int:
        if is_channel_id(chat):
            return self._histories[chat].highest_id + 1
        return 1 + max(history.highest_id for marked, history in self._histories.items() if not is_channel_id(marked))

    def _record(self, kind: ChangeKind, chat: int, ids: tuple[int, ...]) -> None:
        """Log a change and, if the account sees the chat's updates, notify the listeners."""
        change = self.changes.record(kind, chat, ids, int(self.clock()))
        if chat not in self.chat_list.comments_only:
            self.changes.notify(change)
