"""What an export would do, at the cost of a few requests a chat; nothing is changed.

Counts are Telegram's own (messages.getSearchCounters). Sizes are not told by it: they are taken from the newest
messages, as the mean of each kind times its number; a kind that is not among them has no estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil

from msgspec import Struct

from tobs.model import Chat, FileKind, Message, is_channel_id, message_files
from tobs.pipeline.report import Problem
from tobs.telegram.client import Telegram
from tobs.vault.layout import AskedLayout, choose_layout

_PAGE = 100
_AROUND = 3
"""Requests a chat costs beside its pages: who it is, its newest message, its pinned ones."""
_PART = 512 * 1024


class MediaEstimate(Struct, frozen=True):
    """Files of one kind: how many messages have one, and about how many bytes they are (None: not known)."""

    count: int
    bytes: int | None
    wanted: bool


class ChatEstimate(Struct, frozen=True):
    """What exporting a chat would do. ``archived`` messages are in the vault's archive already; ``bytes`` is None
    where the newest messages do not tell. ``notes`` counts one a message (an album has fewer), or a
    note for so many as came on a day or in a month of late."""

    id: int
    kind: str
    title: str
    username: str
    messages: int
    archived: int
    new: int
    kinds: Mapping[str, int]
    media: Mapping[str, MediaEstimate]
    requests: int
    bytes: int | None
    notes: int
    folder: str
    layout: str
    layout_reason: str
    takeout: tuple[str, ...]
    seconds: float


class Known(Struct, frozen=True):
    """What the vault's archive has of a chat: messages, its folder ("": none yet), its layout and why (None: not
    decided)."""

    messages: int = 0
    folder: str = ""
    layout: tuple[str, str] | None = None


class Means(Struct, frozen=True):
    """What the run would work with."""

    workers: int
    downloads: int
    kinds: Collection[str]
    max_size: int
    layout: AskedLayout


class Plan(Struct, frozen=True):
    """What an export would do: chat by chat, and in all (None: not known for one of them)."""

    items: tuple[ChatEstimate, ...]
    messages: int
    new: int
    notes: int
    requests: int
    bytes: int | None
    seconds: float
    takeout: tuple[str, ...]
    asked: int
    problems: tuple[Problem, ...] = ()


class Estimator:
    """Asks for counts and reckons. ``clock`` (seconds) times the requests, which says how fast answers come."""

    def __init__(self, telegram: Telegram, means: Means, clock: Callable[[], float]) -> None:
        self._telegram = telegram
        self._means = means
        self._clock = clock
        self._asked = 0
        self._seconds = 0.0

    async def chat(self, chat: Chat, known: Known, *, scopes: tuple[str, ...]) -> ChatEstimate:
        """What exporting ``chat`` (and the group it grew from) would do."""
        histories = [chat.id, *([chat.migrated_from] if chat.migrated_from else [])]
        messages, kinds, sample = 0, dict[str, int](), list[Message]()
        before, started = self._telegram.requests.total(), self._clock()
        for chat_id in histories:
            top = await self._telegram.history_top(chat_id)
            messages += top.count
            if not top.count:
                continue
            for kind, count in (await self._telegram.counters(chat_id)).items():
                kinds[kind] = kinds.get(kind, 0) + count
            low = max(1, await self._telegram.id_from_top(chat_id, top.top, _PAGE))
            sample += (await self._telegram.page(chat_id, low, top.top)).messages
        self._asked += self._telegram.requests.total() - before
        self._seconds += self._clock() - started
        new = max(0, messages - known.messages)
        share = new / messages if messages else 0.0
        media = estimate_media(kinds, sample, self._means)
        wanted = [one for one in media.values() if one.wanted and one.count]
        pages = ceil(new / _PAGE) + _AROUND * len(histories)
        parts = ceil(share * sum(max(one.count, ceil((one.bytes or 0) / _PART)) for one in wanted))
        size = sum(one.bytes or 0 for one in wanted)
        layout, reason = known.layout or choose_layout(self._means.layout, messages)
        return ChatEstimate(
            id=chat.id,
            kind=chat.kind,
            title=chat.title,
            username=chat.username,
            messages=messages,
            archived=known.messages,
            new=new,
            kinds={kind: count for kind, count in kinds.items() if count},
            media={kind: one for kind, one in media.items() if one.count},
            requests=pages + parts,
            bytes=round(size * share) if all(one.bytes is not None for one in wanted) else None,
            notes=estimate_notes(new, layout, [message.date for message in sample]),
            folder=known.folder,
            layout=layout,
            layout_reason=reason,
            takeout=scopes,
            seconds=round(self._time(chat, pages, parts), 1),
        )

    def _time(self, chat: Chat, pages: int, parts: int) -> float:
        """Seconds for so many requests: as fast as answers come to all connections, and no faster than flood waits
        taught."""
        answer = self._seconds / self._asked if self._asked else 0.0
        workers = self._means.workers if is_channel_id(chat.id) else 1
        history = max(pages * answer / workers, pages * self._telegram.interval("messages.getHistory"))
        files = max(parts * answer / self._means.downloads, parts * self._telegram.interval("upload.getFile"))
        return max(history, files)


def sum_up(items: Sequence[ChatEstimate], *, scopes: Collection[str], asked: int, problems: Sequence[Problem]) -> Plan:
    """The plan of all chats."""
    sizes = [item.bytes for item in items]
    return Plan(
        items=tuple(items),
        messages=sum(item.messages for item in items),
        new=sum(item.new for item in items),
        notes=sum(item.notes for item in items),
        requests=sum(item.requests for item in items),
        bytes=None if None in sizes else sum(size or 0 for size in sizes),
        seconds=round(sum(item.seconds for item in items), 1),
        takeout=tuple(scopes),
        asked=asked,
        problems=tuple(problems),
    )


def estimate_notes(messages: int, layout: str, dates: Collection[int]) -> int:
    """Notes for so many ``messages``, from the ``dates`` (Unix seconds) of some: at least one a note."""
    if layout == "message" or not dates:
        return messages
    period = 86_400 * (1 if layout == "day" else 30)
    together = len(dates) * period / max(period, max(dates) - min(dates))
    return min(messages, ceil(messages / max(1.0, together)))


def estimate_media(kinds: Mapping[str, int], sample: Collection[Message], means: Means) -> dict[str, MediaEstimate]:
    """Files of each kind with the bytes a run would fetch, by what the ``sample`` of messages has of it."""
    sizes: dict[FileKind, list[int]] = {}
    for message in sample:
        for item in message_files(message):
            sizes.setdefault(item.kind, []).append(item.size)
    found = {}
    for kind, sampled in _KINDS.items():
        count = kinds.get(kind, 0)
        some = [size for size in sizes.get(sampled, []) if size <= means.max_size]
        every = len(sizes.get(sampled, []))
        wanted = sampled in means.kinds
        mean = sum(some) / every if every else None
        found[kind] = MediaEstimate(count, None if mean is None else round(mean * count), wanted)
    return found


_KINDS: dict[str, FileKind] = {
    "photo": "photo",
    "video": "video",
    "round": "round",
    "gif": "gif",
    "audio": "audio",
    "voice": "voice",
    "document": "document",
}
