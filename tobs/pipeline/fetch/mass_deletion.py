"""Mass deletion: if much of a chat is deleted at once, it is more often an accident or a stolen account than
intended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tobs.errors import VaultError
from tobs.model import MessageKey

#: More deleted messages than this, or a larger share of a chat, need the consent of the owner; ``A_FEW`` never do.
MAX_DELETED = 20
MAX_SHARE = 0.05
A_FEW = 5


def is_mass(deleted: int, live: int) -> bool:
    """Report whether ``deleted`` of ``live`` messages of a chat are too many to accept without the owner."""
    return deleted > MAX_DELETED or (deleted > A_FEW and deleted > live * MAX_SHARE)


def by_chat(keys: Iterable[MessageKey]) -> Counter[int]:
    """Count ``keys`` by chat."""
    return Counter(key.chat_id for key in keys)


def refusal(chats: Iterable[str]) -> VaultError:
    """Return the error for chats (in words) with too many deletions."""
    return VaultError(
        f"Much was deleted on Telegram at once: {'; '.join(chats)}. These deletions were not applied.",
        "If they are meant, run the same command with --accept-deletions.",
    )
