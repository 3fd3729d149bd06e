"""Marked peer ids: one integer that distinguishes users, basic groups and channels.

Telegram's bot API calls them chat ids: a user has its id (5), a basic group its negated id (-5), a channel or
supergroup ``-10**12 - id`` (-1000000000005). Source: https://core.telegram.org/api/bots/ids
"""

from __future__ import annotations

from msgspec import Struct

_CHANNEL_BASE = 10**12


class PeerRecord(Struct, frozen=True, omit_defaults=True):
    """An address of a peer, valid for one account: ``id`` is marked, ``access_hash`` belongs to the account.

    A ``min`` hash works only in the context in which the peer was seen. Source: https://core.telegram.org/api/min
    """

    id: int
    access_hash: int = 0
    username: str = ""
    title: str = ""
    min: bool = False


def marked_user(bare: int) -> int:
    """Return the marked id of user ``bare``."""
    return bare


def marked_group(bare: int) -> int:
    """Return the marked id of basic group ``bare``."""
    return -bare


def marked_channel(bare: int) -> int:
    """Return the marked id of channel or supergroup ``bare``."""
    return -_CHANNEL_BASE - bare


def is_channel_id(marked: int) -> bool:
    """Return whether ``marked`` is a channel or supergroup, which has message ids of its own."""
    return marked < -_CHANNEL_BASE


_STORIES = 10**15


def stories_of(marked: int) -> int:
    """Return the chat id under which the stories of a peer are stored.

    Stories have ids of their own, which must not collide with message ids. No chat has such an id; like a channel's,
    its messages belong to no account.
    """
    return marked - _STORIES


def story_peer(chat_id: int) -> int:
    """Return the peer whose stories are stored under ``chat_id``; 0 for the id of a chat."""
    return chat_id + _STORIES if chat_id < -_STORIES // 2 else 0


def message_name(chat_id: int, message_id: int) -> str:
    """Return the ``tobs_id`` of a message: `<chat id>/<message id>`; of a story `<peer id>/story/<id>`."""
    peer = story_peer(chat_id)
    return f"{peer}/story/{message_id}" if peer else f"{chat_id}/{message_id}"


def bare_id(marked: int) -> int:
    """Return the id that Telegram's TL objects have for ``marked``."""
    if is_channel_id(marked):
        return -marked - _CHANNEL_BASE
    return abs(marked)
