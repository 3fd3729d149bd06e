"""Mass deletion: much of a chat gone at once is an accident or a stolen account more often than a wish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tobs.errors import VaultError
from tobs.model import MessageKey

#: More deleted messages than this, or a larger share of a chat, have to be accepted; a few never.
MAX_DELETED = 20
MAX_SHARE = 0.05
A_FEW = 5


def is_mass(deleted: int, live: int) -> bool:
    """Whether ``deleted`` of ``live`` messages of a chat are too many to be believed."""
    return deleted > MAX_DELETED or (deleted > A_FEW and deleted > live * MAX_SHARE)


def by_chat(keys: Iterable[MessageKey]) -> Counter[int]:
    """How many of ``keys`` each chat has."""
    return Counter(key.chat_id for key in keys)


def refusal(told: Iterable[str]) -> VaultError:
    """The error for chats (in words) of which too much was deleted."""
    return VaultError(
        f"Much was deleted on Telegram at once: {'; '.join(told)}. These deletions were not taken over.",
        "If they are meant, run the same command with --accept-deletions.",
    )
