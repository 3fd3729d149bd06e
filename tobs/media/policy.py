"""Policy of downloads: which files of a message are fetched, in which order, and up to which limits."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from tobs.model import Chat, FileItem, FileKind, Message, story_peer

#: Bytes above which a file is fetched after the smaller ones.
_LARGE = 10_000_000

WantedState = Literal["wanted", "skipped", "unavailable"]

ALL_KINDS: frozenset[FileKind] = frozenset(get_args(FileKind))


class ChatMediaPolicy(Struct, frozen=True):
    """Policy for one chat; None means the same as for all chats.

    ``which`` is the id, @username or complete title of the chat, or ``me``.
    """

    which: str
    kinds: frozenset[FileKind] | None = None
    max_size: int | None = None

    def applies_to(self, chat: Chat) -> bool:
        """Return whether the policy applies to ``chat``; the stories of a chat are included."""
        which = self.which.strip()
        if which.lstrip("-").isdigit():
            return int(which) in (chat.id, story_peer(chat.id), chat.migrated_to)
        if which.startswith("@"):
            return which[1:].casefold() == chat.username.casefold()
        return which.casefold() == chat.title.casefold() or (which.casefold() == "me" and chat.kind == "saved")


class MediaPolicy(Struct, frozen=True):
    """Kinds of media to fetch, up to ``max_size`` bytes per file.

    No kinds means no media at all. ``chats`` has policies for single chats.
    """

    kinds: frozenset[FileKind] = ALL_KINDS
    max_size: int = 50_000_000
    chats: tuple[ChatMediaPolicy, ...] = ()

    def of(self, chat: Chat) -> MediaPolicy:
        """Return the policy for ``chat``: the first chat policy that applies to it wins."""
        chat_policy = next((one for one in self.chats if one.applies_to(chat)), None)
        if chat_policy is None:
            return self if not self.chats else MediaPolicy(self.kinds, self.max_size)
        kinds = self.kinds if chat_policy.kinds is None else chat_policy.kinds
        return MediaPolicy(kinds, self.max_size if chat_policy.max_size is None else chat_policy.max_size)

    def has_policy_for(self, chat: Chat) -> bool:
        """Return whether there is a chat policy for ``chat``."""
        return any(one.applies_to(chat) for one in self.chats)


class DownloadLimits(Struct, frozen=True):
    """Limits of a run: ``budget`` bytes of files (None: no limit) and ``floor`` bytes of free disk space.

    With ``later`` nothing is fetched.
    """

    budget: int | None = None
    floor: int = 0
    later: bool = False

    def limit_reached(self, size: int, spent: int, free: int) -> LimitReached | None:
        """Return the limit that a file of ``size`` bytes would exceed; None if it can be fetched.

        ``spent`` are the bytes fetched in this run, ``free`` those left on the disk.
        """
        if self.budget is not None and spent + size > self.budget:
            return LimitReached(f"one run may fetch {megabytes(self.budget)}")
        if free - size < self.floor:
            reason = f"{megabytes(free)} are free on the disk, of which {megabytes(self.floor)} are to stay so"
            return LimitReached(reason, is_fault=True)
        return None


class LimitReached(Struct, frozen=True):
    """A limit that leaves files to a later run; ``is_fault`` if the user did not set it."""

    reason: str
    is_fault: bool = False


class FetchDecision(Struct, frozen=True):
    """State of a file, the reason if it is not fetched, and its ``rank`` in the order of downloads."""

    state: WantedState
    reason: str = ""
    rank: int = 0


def decide_fetch(message: Message, item: FileItem, policy: MediaPolicy) -> FetchDecision:
    """Decide whether and in which order ``item`` of ``message`` is fetched.

    ``unavailable`` files cannot be fetched any more, because the source does not have them. ``skipped`` files are
    excluded by the policy; a later run with another policy fetches them.
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
    """Return the rank of a file in the order of downloads: 0 first (voice, photos, if not large), 2 last (large
    files).
    """
    if item.size > _LARGE:
        return 2
    return 0 if item.kind in ("voice", "round", "photo", "sticker") else 1


def megabytes(size: int) -> str:
    """Format ``size`` (bytes) in MB of a million bytes, as Telegram's clients do."""
    return f"{size / 1e6:.1f}".removesuffix(".0") + " MB"
