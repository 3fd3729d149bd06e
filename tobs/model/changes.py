"""What happened in a box since a known state: the unit of keeping a vault in step."""

from __future__ import annotations

from msgspec import Struct

from tobs.model.chats import Chat, Person
from tobs.model.pages import Page

#: The box of private chats and basic groups: they share one state and one sequence of message ids.
COMMON = 0


class UpdateState(Struct, frozen=True, omit_defaults=True):
    """Up to where the changes of a box are known. A channel has only ``pts``; ``date`` is Unix seconds."""

    pts: int
    date: int = 0
    qts: int = 0
    seq: int = 0


class Pins(Struct, frozen=True):
    """Messages of a chat that were pinned, or are no more."""

    chat_id: int
    ids: tuple[int, ...]
    pinned: bool


class Changes(Struct, frozen=True, kw_only=True):
    """One part of a difference. ``box`` is a channel's marked id or ``COMMON``, ``state`` that of the box after it.

    ``pages`` hold new and edited messages as they are now, one page a chat, and settle no ids. ``deleted`` are ids of
    the channel, or of the account where ``box`` is ``COMMON``. ``counted`` names messages (chat, id) whose counters
    changed, ``about`` chats of which more changed than their messages. ``is_last``: nothing more is to be asked for;
    ``too_long``: Telegram does not tell what happened, the chats have to be looked through. ``timeout`` is in how many
    seconds a channel that pushes nothing should be asked again (0: not told).
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
