"""What happens on the way to Telegram and should be told: plain structs, passed to an ``OnEvent`` callback."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class FloodWaited(Struct, frozen=True, tag="flood"):
    """Telegram asked to wait ``seconds`` before ``method`` is called again; ``name`` is the error's name."""

    method: str
    seconds: float
    name: str = "FLOOD_WAIT"
    dc: int = 0


class Paused(Struct, frozen=True, tag="paused"):
    """The flood wait before ``method`` is so long that nothing is sent at all ``until`` then (Unix time)."""

    method: str
    until: float
    dc: int = 0


class Retried(Struct, frozen=True, tag="retry"):
    """``method`` failed with ``reason`` and is sent again after ``seconds``; ``attempt`` counts from 1."""

    method: str
    reason: str
    attempt: int
    seconds: float


class Reconnected(Struct, frozen=True, tag="reconnect"):
    """A connection that was lost is there again."""

    worker: int
    dc: int


class TakeoutStarted(Struct, frozen=True, tag="takeout"):
    """A takeout session is open; ``resumed`` when an earlier run had asked for it, ``late`` when it had to be allowed
    first and this run began without."""

    id: int
    scopes: tuple[str, ...] = ()
    resumed: bool = False
    late: bool = False


class TakeoutDelayed(Struct, frozen=True, tag="takeout_delayed"):
    """Telegram wants the takeout allowed first, or ``seconds`` to pass; it is asked for again by itself."""

    seconds: int


class TakeoutRefused(Struct, frozen=True, tag="takeout_refused"):
    """Telegram grants no takeout session; the normal API is used instead. ``reason`` is a sentence."""

    name: str
    reason: str


class TakeoutEnded(Struct, frozen=True, tag="takeout_ended"):
    """Telegram ended the takeout session in the middle; the normal API is used from there on."""

    name: str


class MessageUnreadable(Struct, frozen=True, tag="unreadable"):
    """A message exists but this layer cannot read it."""

    chat_id: int
    message_id: int
    reason: str


class ReferenceRenewed(Struct, frozen=True, tag="reference"):
    """A file reference had expired and was renewed by fetching its message again."""

    chat_id: int
    message_id: int


TakeoutEvent = TakeoutStarted | TakeoutDelayed | TakeoutRefused | TakeoutEnded
Event = FloodWaited | Paused | Retried | Reconnected | TakeoutEvent | MessageUnreadable | ReferenceRenewed
OnEvent = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """The callback of those who want to hear nothing."""
