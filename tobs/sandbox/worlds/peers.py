"""The users, chats and channels of a world, and the account's list of chats."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

from msgspec import Struct
from telethon.tl import types

from tobs.model import is_channel_id
from tobs.sandbox.worlds.seeds import splitmix64
from tobs.sandbox.worlds.tl import RpcError, Tl


class FullInfo(Struct):
    """The fields that only a full user or chat has (``userFull``, ``chatFull``, ``channelFull``).

    ``migrated_from``: the basic group that a supergroup grew from. ``migrated_from_top``: its newest message.
    """

    about: str = ""
    members: tuple[int, ...] = ()
    members_count: int = 0
    pinned: tuple[int, ...] = ()
    linked_chat: int = 0
    photo: Tl = None
    bots: tuple[int, ...] = ()
    migrated_from: int = 0
    migrated_from_top: int = 0


class PeerStore:
    """Users, chats and channels by marked id. ``min_users``: users that messages name as ``min``, without a usable
    access hash."""

    def __init__(self) -> None:
        self.entities: dict[int, Tl] = {}
        self.full_info: dict[int, FullInfo] = {}
        self.usernames: dict[str, int] = {}  # in lower case
        self.min_users: set[int] = set()

    def add(self, marked: int, entity: Tl, full_info: FullInfo | None = None) -> None:
        """Add a user, chat or channel, findable by its username."""
        self.entities[marked] = entity
        username = getattr(entity, "username", None)
        if username:
            self.usernames[username.lower()] = marked
        if full_info is not None:
            self.full_info[marked] = full_info

    def entity(self, marked: int) -> Tl:
        """Return the TL user, chat or channel of a marked id; raise CHANNEL_INVALID or PEER_ID_INVALID."""
        if marked not in self.entities:
            raise RpcError(400, "CHANNEL_INVALID" if is_channel_id(marked) else "PEER_ID_INVALID")
        return self.entities[marked]

    def info(self, marked: int) -> FullInfo:
        """Return the full info of a peer, empty if the world has none."""
        return self.full_info.get(marked) or FullInfo()

    def resolve(self, username: str) -> int:
        """Return the marked id of a username; raise USERNAME_NOT_OCCUPIED."""
        try:
            return self.usernames[username.removeprefix("@").lower()]
        except KeyError:
            raise RpcError(400, "USERNAME_NOT_OCCUPIED") from None

    def split(self, ids: Iterable[int]) -> tuple[list[Tl], list[Tl]]:
        """Return the users and the chats of some marked ids, each once; unknown ids are left out."""
        known = [self.entities[marked] for marked in dict.fromkeys(ids) if marked in self.entities]
        users = [entity for entity in known if isinstance(entity, types.User | types.UserEmpty)]
        return users, [entity for entity in known if not isinstance(entity, types.User | types.UserEmpty)]

    def as_min(self, user: Tl) -> Tl:
        """Return a ``min`` copy of a user in ``min_users``, any other user unchanged."""
        if user.id not in self.min_users:
            return user
        known = copy(user)
        known.min, known.access_hash = True, splitmix64(user.id) >> 1
        return known


class Invite(Struct):
    """An invite link to ``chat``; 0 for a link that has expired."""

    chat: int


class ChatList:
    """The account's access to chats, and their order in folders. All sets hold marked ids.

    ``closed``: no access. ``unlisted``: readable, but not in the list of chats. ``comments_only``: groups whose
    messages are visible only as comments of a channel's posts. ``archived``: in the archive folder. ``invites``: by
    the code of the link.
    """

    def __init__(self) -> None:
        self.closed: set[int] = set()
        self.unlisted: set[int] = set()
        self.comments_only: set[int] = set()
        self.archived: set[int] = set()
        self.folders: list[Tl] = [types.DialogFilterDefault()]
        self.invites: dict[str, Invite] = {}

    def can_read(self, marked: int) -> bool:
        """Return True if the account may read a chat's history."""
        return marked not in self.closed and marked not in self.comments_only

    def is_listed(self, marked: int) -> bool:
        """Return True if a chat is in the list of chats, provided that it has messages."""
        return self.can_read(marked) and marked not in self.unlisted
