"""Changes in a box since a known state, as Telegram sends them for a sync."""

from __future__ import annotations

from msgspec import Struct

from tobs.model.chats import Chat, Person
from tobs.model.pages import Page

#: The box of private chats and basic groups, which share a state and a sequence of message ids.
COMMON = 0


class UpdateState(Struct, frozen=True, omit_defaults=True):
    """The state of a box up to which changes are known. A channel has only ``pts``; ``date`` is Unix seconds."""

    pts: int
    date: int = 0
    qts: int = 0
    seq: int = 0


class Pins(Struct, frozen=True):
    """Messages of a chat that were pinned or unpinned."""

    chat_id: int
    ids: tuple[int, ...]
    pinned: bool


class Changes(Struct, frozen=True, kw_only=True):
    """A part of a difference.

    ``box`` is the marked id of a channel or ``COMMON``, ``state`` the state of the box after it. ``pages`` hold new and
    edited messages in their current form, one page per chat, and settle no ids. ``deleted`` are ids in the channel, or
    of the account if ``box`` is ``COMMON``. ``counter_changes`` are messages (chat, id) with changed counters,
    ``changed_chats`` chats whose own data changed. ``is_last``: there are no further parts. ``too_long``: Telegram does
    not send the changes, and the chats must be scanned. ``timeout`` is the number of seconds after which a channel
    without pushed updates should be asked again (0: not given).
    """

    box: int
    state: UpdateState
    pages: tuple[Page, ...] = ()
    deleted: tuple[int, ...] = ()
    pins: tuple[Pins, ...] = ()
    counter_changes: tuple[tuple[int, int], ...] = ()
    chats: tuple[Chat, ...] = ()
    changed_chats: frozenset[int] = frozenset()
    people: tuple[Person, ...] = ()
    is_last: bool = True
    too_long: bool = False
    timeout: int = 0
