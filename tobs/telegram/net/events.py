"""Events of the network layer to report: plain structs, passed to an ``OnEvent`` callback."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class FloodWaited(Struct, frozen=True, tag="flood"):
    """Telegram requires a wait of ``seconds`` before ``method`` is called again; ``name`` is the error's name."""

    method: str
    seconds: float
    name: str = "FLOOD_WAIT"
    dc: int = 0


class Paused(Struct, frozen=True, tag="paused"):
    """The flood wait of ``method`` is so long that no request is sent ``until`` then (Unix time in seconds)."""

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
    """A lost connection is open again."""

    worker: int
    dc: int


class TakeoutStarted(Struct, frozen=True, tag="takeout"):
    """A takeout session is open.

    ``resumed``: an earlier run had requested it; ``late``: it had to be allowed first, so this run began without it.
    """

    id: int
    scopes: tuple[str, ...] = ()
    resumed: bool = False
    late: bool = False


class TakeoutDelayed(Struct, frozen=True, tag="takeout_delayed"):
    """Telegram requires the takeout to be allowed, or ``seconds`` to pass; tobs requests it again by itself."""

    seconds: int


class TakeoutRefused(Struct, frozen=True, tag="takeout_refused"):
    """Telegram grants no takeout session, and the normal API is used. ``reason`` is a sentence."""

    name: str
    reason: str


class TakeoutEnded(Struct, frozen=True, tag="takeout_ended"):
    """Telegram ended the takeout session early, and the normal API is used from there on."""

    name: str


class MessageUnreadable(Struct, frozen=True, tag="unreadable"):
    """A message exists, but this TL layer cannot read it."""

    chat_id: int
    message_id: int
    reason: str


class ReferenceRenewed(Struct, frozen=True, tag="reference"):
    """An expired file reference was renewed by fetching its message again."""

    chat_id: int
    message_id: int


TakeoutEvent = TakeoutStarted | TakeoutDelayed | TakeoutRefused | TakeoutEnded
Event = FloodWaited | Paused | Retried | Reconnected | TakeoutEvent | MessageUnreadable | ReferenceRenewed
OnEvent = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """Ignore an event: the default callback."""
