"""Which files of a message are fetched."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from tobs.model import FileItem, FileKind, Message

WantedState = Literal["wanted", "skipped", "unavailable"]

ALL_KINDS: frozenset[FileKind] = frozenset(get_args(FileKind))


class MediaPolicy(Struct, frozen=True):
    """What the owner wants: kinds of media, and files up to ``max_size`` bytes. No kinds: no media at all."""

    kinds: frozenset[FileKind] = ALL_KINDS
    max_size: int = 50_000_000


class Verdict(Struct, frozen=True):
    """What becomes of a file, and why it is not fetched (empty for a wanted one)."""

    state: WantedState
    reason: str = ""


def decide(message: Message, item: FileItem, policy: MediaPolicy) -> Verdict:
    """Whether ``item`` of ``message`` is fetched.

    ``unavailable`` is what nobody can have any more (the source does not hold it), ``skipped`` what the owner
    did not ask for: a later run with another policy fetches it.
    """
    if item.remote is None and not item.path:
        gone = item.ttl or message.ttl
        return Verdict("unavailable", "it has destroyed itself" if gone else "the source does not have the file")
    if item.kind not in policy.kinds:
        return Verdict(
            "skipped", f"{item.kind} is not among the wanted kinds" if policy.kinds else "media are not wanted"
        )
    if item.size > policy.max_size:
        return Verdict("skipped", f"{megabytes(item.size)} is over the limit of {megabytes(policy.max_size)}")
    return Verdict("wanted")


def megabytes(size: int) -> str:
    """``size`` (bytes) in MB of a million bytes, as people and Telegram's clients write it."""
    return f"{size / 1e6:.1f}".removesuffix(".0") + " MB"
