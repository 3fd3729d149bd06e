"""Estimate the content of a part of a chat from Telegram's counts and some pages.

A part of up to 300 messages is read completely, so that its numbers are exact. Of a larger one the newest, the middle
and the oldest page are read, for the shares of types, albums and days, and the mean sizes of files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from math import ceil, floor
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.model import FileKind, Message, message_files
from tobs.pipeline.notes.planning import albums
from tobs.pipeline.select.expression import message_type
from tobs.pipeline.select.filters import Filters, message_test
from tobs.pipeline.select.selection import Part
from tobs.telegram.client.counters import SEARCHED_KINDS
from tobs.telegram.client.history import LIMIT, matching_indexes
from tobs.telegram.facade import Telegram
from tobs.vault.layout import LAYOUTS

_PAGES = 3
_MOST_THREADS = 3
_HIGHEST = (1 << 31) - 2
"""Of ids, so that what is asked for below it fits 32 bits."""
FILES: tuple[FileKind, ...] = ("photo", "video", "round", "gif", "audio", "voice", "document")


class SampledContent(Struct, frozen=True):
    """The content of a part of a chat that the filters select: messages by type (``kinds``), ``notes`` by layout,
    sizes in bytes of some files by kind.

    ``in_range`` is the number of all messages of the part, ``matching`` that of those that match the filters without
    a limit. ``exact``: counted, not estimated. ``files`` are files by kind, if the types of messages do not show
    them. ``comments`` is the number of comments under its posts, ``commented`` the number of these posts, ``busiest``
    the ids of those with the most comments.
    """

    messages: int
    matching: int
    in_range: int
    kinds: Mapping[str, int]
    notes: Mapping[str, int]
    sizes: Mapping[str, Sequence[int]]
    exact: bool
    files: Mapping[str, int] | None = None
    comments: int = 0
    commented: int = 0
    busiest: Sequence[int] = ()


async def sample_chat(
    telegram: Telegram, part: Part, filters: Filters, senders: Sequence[int], zone: ZoneInfo, wanted: Collection[str]
) -> SampledContent:
    """Estimate ``part`` with a few requests.

    Files of the ``wanted`` kinds that are on none of the pages are searched for, to get their size.
    """
    in_range = await _count_in_range(telegram, part)
    high = part.within[1] if part.within else part.chat.top
    pages = [await telegram.sample(part.chat.id, high, skip, thread=part.thread) for skip in _starts(in_range)]
    pages = _without_repeats([[message for message in page if _is_in(part, message)] for page in pages])
    keep = message_test(filters, senders, zone)
    selected = [_matching(page, keep) for page in pages]
    sampled, fitting_batch = sum(map(len, pages)), sum(map(len, selected))
    kinds = Counter(message_type(message) for page in selected for message in page)
    exact, messages = sampled >= in_range, fitting_batch
    if not exact:
        counted = await _count_by_kind(telegram, part, filters, senders)
        exact = keep is None or counted is not None
        messages = in_range if keep is None else round(in_range * fitting_batch / max(1, sampled))
        if keep is not None and counted is not None:
            messages = min(in_range, sum(counted.values()))
        kinds = _with_counted(kinds, counted or {}, messages)
    matching = messages
    messages = min(matching, filters.limit or matching)
    posts = sorted(
        (message for page in selected for message in page if message.comments),
        key=lambda message: -(message.comments or 0),
    )
    share = messages / max(1, fitting_batch)
    return SampledContent(
        messages=messages,
        matching=matching,
        in_range=in_range,
        kinds=scaled(kinds, messages),
        notes=_notes(selected, messages, zone),
        sizes=await _sizes(telegram, part, pages, kinds, wanted),
        exact=exact,
        comments=round(share * sum(message.comments or 0 for message in posts)),
        commented=round(share * len(posts)),
        busiest=[message.id for message in posts[:_MOST_THREADS]],
    )


async def sample_comments(telegram: Telegram, channel: int, posts: SampledContent, zone: ZoneInfo) -> SampledContent:
    """Estimate the comments under ``posts`` from those under the busiest posts, one request each."""
    threads = [await telegram.sample(channel, _HIGHEST, 0, thread=post) for post in posts.busiest]
    return _content_of_pages([thread[::-1] for thread in threads], posts.comments, zone, exact=posts.exact)


async def sample_stories(telegram: Telegram, peer: int, zone: ZoneInfo) -> SampledContent:
    """Estimate the stories of a peer from the first page of each list."""
    number, stories, exact = await telegram.chat_extras.sample_stories(peer)
    return _content_of_pages([sorted(stories, key=lambda story: story.id)], number, zone, exact=exact)


def _content_of_pages(
    pages: Sequence[Sequence[Message]], messages: int, zone: ZoneInfo, *, exact: bool
) -> SampledContent:
    """Return the content of ``messages`` messages, of which ``pages`` were read; each page is filed by itself."""
    sampled = Counter(message_type(one) for page in pages for one in page)
    items = [item for page in pages for one in page for item in message_files(one)]
    files = Counter(item.kind for item in items)
    share = messages / max(1, sampled.total())
    sizes: dict[str, list[int]] = {}
    for item in items:
        sizes.setdefault(item.kind, []).append(item.size)
    notes = [_notes([page], len(page), zone) for page in pages]
    return SampledContent(
        messages=messages,
        matching=messages,
        in_range=messages,
        kinds=scaled(sampled or Counter(text=1), messages),
        notes={layout: ceil(share * sum(one[layout] for one in notes)) or messages for layout in LAYOUTS},
        sizes=sizes,
        exact=exact and sampled.total() >= messages,
        files={kind: round(share * count) for kind, count in files.items()},
    )


async def _count_in_range(telegram: Telegram, part: Part) -> int:
    """Return the number of messages in the part, by their positions in the history; at most two requests."""
    if part.within is None:
        return part.chat.count or 0
    low, high = part.within
    if low > high:
        return 0
    newer = (await telegram.position(part.chat.id, high, thread=part.thread))[1] if high < part.chat.top else 0
    upto = (await telegram.position(part.chat.id, low - 1, thread=part.thread))[1] if low > 1 else part.chat.count or 0
    return max(0, upto - newer)


def _starts(in_range: int) -> list[int]:
    """Return the offset of each page from the newest message; pages do not overlap."""
    if in_range <= LIMIT * _PAGES:
        return list(range(0, in_range, LIMIT))
    return [0, (in_range - LIMIT) // 2, in_range - LIMIT]


def _is_in(part: Part, message: Message) -> bool:
    return part.within is None or part.within[0] <= message.id <= part.within[1]


def _without_repeats(pages: Iterable[Sequence[Message]]) -> list[list[Message]]:
    """Return pages oldest first with each message once: new messages may have shifted the pages."""
    seen: set[int] = set()
    unique = []
    for page in pages:
        unique.append([message for message in reversed(page) if message.id not in seen])
        seen |= {message.id for message in page}
    return unique[::-1]


def _matching(page: list[Message], keep: Callable[[Message], bool] | None) -> list[Message]:
    return page if keep is None else [page[chat_folder] for chat_folder in matching_indexes(page, keep)]


async def _count_by_kind(
    telegram: Telegram, part: Part, filters: Filters, senders: Sequence[int]
) -> Mapping[str, int] | None:
    """Return Telegram's count by kind ("": any kind); None if it cannot count such messages."""
    if not filters.by_content:
        whole = part.within is None and not part.thread
        return await telegram.counters(part.chat.id) if whole else None
    if filters.where or filters.min_id or filters.max_id or filters.types - SEARCHED_KINDS:
        return None
    count = partial(telegram.search, part.chat.id, since=filters.since, until=filters.until, thread=part.thread)
    counts: Counter[str] = Counter()
    for sender in senders or (0,):
        for kind in sorted(filters.types) or ("",):
            counts[kind] += (await count(kind=kind, sender=sender))[0]
    return counts


def _with_counted(sampled: Counter[str], counted: Mapping[str, int], messages: int) -> Counter[str]:
    """Return the types of ``messages`` messages: counted types as they are, the others in the proportion of the
    sample."""
    known = Counter({kind: count for kind, count in counted.items() if kind and count})
    others = Counter({kind: count for kind, count in sampled.items() if kind not in counted})
    return known + Counter(scaled(others or Counter(text=1), messages - known.total()))


def scaled(counts: Counter[str], total: int) -> dict[str, int]:
    """Scale ``counts`` to the sum ``total``; the largest remainders are rounded up."""
    sum_before = counts.total()
    if not sum_before or total <= 0:
        return {}
    shares = {kind: count * total / sum_before for kind, count in counts.items()}
    result = {kind: floor(share) for kind, share in shares.items()}
    missing = total - sum(result.values())
    for kind in sorted(shares, key=lambda kind: (result[kind] - shares[kind], kind))[:missing]:
        result[kind] += 1
    return {kind: count for kind, count in result.items() if count}


def _notes(pages: Sequence[Sequence[Message]], messages: int, zone: ZoneInfo) -> dict[str, int]:
    """Return the number of notes by layout: an album is one note, and so is a day or month."""
    sampled = sum(map(len, pages))
    whole = sampled == messages
    spans = [[message for page in pages for message in page]] if whole else pages
    notes = {"message": 0, "day": 0, "month": 0}
    for page in spans:
        days = [datetime.fromtimestamp(message.date, zone).date() for message in page]
        notes["message"] += len(albums(page))
        notes["day"] += len(set(days))
        notes["month"] += len({(day.year, day.month) for day in days})
    if whole or not sampled:
        return notes if whole else dict.fromkeys(notes, messages)
    return {layout: max(1, round(messages * number / sampled)) for layout, number in notes.items()}


async def _sizes(
    telegram: Telegram,
    part: Part,
    pages: Iterable[Sequence[Message]],
    kinds: Mapping[str, int],
    wanted: Collection[str],
) -> dict[str, list[int]]:
    """Return sizes of files by kind. A search fetches the newest files of a kind that is not on the pages."""
    sizes: dict[str, list[int]] = {}
    _add_sizes(sizes, (message for page in pages for message in page))
    for kind in FILES:
        if kind in wanted and kinds.get(kind) and kind not in sizes:
            _, messages = await telegram.search(part.chat.id, kind=kind, thread=part.thread, limit=LIMIT)
            _add_sizes(sizes, messages)
    return sizes


def _add_sizes(sizes: dict[str, list[int]], messages: Iterable[Message]) -> None:
    for message in messages:
        for item in message_files(message):
            sizes.setdefault(item.kind, []).append(item.size)
