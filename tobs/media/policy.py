"""Which files of a message are fetched."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from tobs.model import Chat, FileItem, FileKind, Message, story_peer

#: Bytes above which a file waits for the smaller ones.
_LARGE = 10_000_000

WantedState = Literal["wanted", "skipped", "unavailable"]

ALL_KINDS: frozenset[FileKind] = frozenset(get_args(FileKind))


class ChatMediaPolicy(Struct, frozen=True):
    """What the owner wants of one chat; None: the same as of all. ``which`` is its id, its @username, its whole title,
    or ``me``."""

    which: str
    kinds: frozenset[FileKind] | None = None
    max_size: int | None = None

    def applies_to(self, chat: Chat) -> bool:
        """Whether it speaks of ``chat``; of its stories, too."""
        which = self.which.strip()
        if which.lstrip("-").isdigit():
            return int(which) in (chat.id, story_peer(chat.id), chat.migrated_to)
        if which.startswith("@"):
            return which[1:].casefold() == chat.username.casefold()
        return which.casefold() == chat.title.casefold() or (which.casefold() == "me" and chat.kind == "saved")


class MediaPolicy(Struct, frozen=True):
    """What the owner wants: kinds of media, and files up to ``max_size`` bytes. No kinds: no media at all. ``chats``
    has what is wanted otherwise of some."""

    kinds: frozenset[FileKind] = ALL_KINDS
    max_size: int = 50_000_000
    chats: tuple[ChatMediaPolicy, ...] = ()

    def of(self, chat: Chat) -> MediaPolicy:
        """What is wanted of ``chat``: the first wish about it counts."""
        chat_policy = next((one for one in self.chats if one.applies_to(chat)), None)
        if chat_policy is None:
            return self if not self.chats else MediaPolicy(self.kinds, self.max_size)
        kinds = self.kinds if chat_policy.kinds is None else chat_policy.kinds
        return MediaPolicy(kinds, self.max_size if chat_policy.max_size is None else chat_policy.max_size)

    def has_policy_for(self, chat: Chat) -> bool:
        """Whether there is a wish about ``chat``."""
        return any(one.applies_to(chat) for one in self.chats)


class DownloadLimits(Struct, frozen=True):
    """What a run may fetch: ``budget`` bytes of files (None: all), leaving ``floor`` bytes of the disk free; nothing
    with ``later``."""

    budget: int | None = None
    floor: int = 0
    later: bool = False

    def limit_reached(self, size: int, spent: int, free: int) -> LimitReached | None:
        """Why a file of ``size`` bytes is not fetched when ``spent`` bytes were and ``free`` are left on the disk;
        None when it is."""
        if self.budget is not None and spent + size > self.budget:
            return LimitReached(f"one run may fetch {megabytes(self.budget)}")
        if free - size < self.floor:
            kept = f"{megabytes(free)} are free on the disk, of which {megabytes(self.floor)} are to stay so"
            return LimitReached(kept, is_fault=True)
        return None


class LimitReached(Struct, frozen=True):
    """Why files are left to a later run; ``is_fault``: nobody asked for that."""

    reason: str
    is_fault: bool = False


class FetchDecision(Struct, frozen=True):
    """What becomes of a file, why it is not fetched (empty for a wanted one), and its ``rank`` among those that are."""

    state: WantedState
    reason: str = ""
    rank: int = 0


def decide_fetch(message: Message, item: FileItem, policy: MediaPolicy) -> FetchDecision:
    """Whether ``item`` of ``message`` is fetched, and when.

    ``unavailable`` is what nobody can have any more (the source does not hold it), ``skipped`` what the owner
    did not ask for: a later run with another policy fetches it.
    """
    if item.elsewhere:
        return FetchDecision("skipped", "the export left it out; a run with Telegram fetches it")
    if item.remote is None and not item.path:
        gone = item.ttl or message.ttl
        return FetchDecision("unavailable", "it has destroyed itself" if gone else "the source does not have the file")
    if item.kind not in policy.kinds:
        return FetchDecision(
            "skipped", f"{item.kind} is not among the wanted kinds" if policy.kinds else "media are not wanted"
        )
    if item.size > policy.max_size:
        return FetchDecision("skipped", f"{megabytes(item.size)} is over the limit of {megabytes(policy.max_size)}")
    return FetchDecision("wanted", rank=rank(item))


def rank(item: FileItem) -> int:
    """When a file is fetched: 0 first (what people say and show, if it is not large), 2 last (large files)."""
    if item.size > _LARGE:
        return 2
    return 0 if item.kind in ("voice", "round", "photo", "sticker") else 1


def megabytes(size: int) -> str:
    """``size`` (bytes) in MB of a million bytes, as people and Telegram's clients write it."""
    return f"{size / 1e6:.1f}".removesuffix(".0") + " MB"
