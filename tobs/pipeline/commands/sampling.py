"""What a part of a chat holds, learned from Telegram's counts and from some pages of it.

A part of up to 300 messages is looked at whole, so what is told of it is exact. Of a larger one the newest, the
middle and the oldest page are: shares of kinds, albums and days, and mean sizes of files, are taken from them.
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
from tobs.pipeline.select.filters import Filters, message_test
from tobs.pipeline.select.kinds import message_type
from tobs.pipeline.select.selection import Part
from tobs.telegram.client.counters import SEARCHED_KINDS
from tobs.telegram.client.history import LIMIT, matching_indexes
from tobs.telegram.facade import Telegram
from tobs.vault.layout import LAYOUTS

_PAGES = 3
_THREADS = 3
_HIGHEST = (1 << 31) - 2
"""Of ids, so that what is asked for below it fits 32 bits."""
FILES: tuple[FileKind, ...] = ("photo", "video", "round", "gif", "audio", "voice", "document")


class SampledContent(Struct, frozen=True):
    """What the filters leave of a part of a chat: how many messages of each type (``kinds``), how many ``notes`` a
    layout makes of them, the sizes of some files of each kind. ``inside`` are all messages of the part, ``found`` those
    that fit the filters whatever their limit. ``exact``: counted, not reckoned. ``files`` are the kinds of files where
    the types of messages do not tell them. ``comments`` are those under its posts, which are ``commented`` posts, the
    ``busiest`` of those looked at by their ids."""

    messages: int
    found: int
    inside: int
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
    """What ``part`` holds, by a few requests. Files of the ``wanted`` kinds that are in none of the pages looked at are
    searched for, to learn their size."""
    inside = await _inside(telegram, part)
    high = part.within[1] if part.within else part.chat.top
    pages = [await telegram.sample(part.chat.id, high, skip, thread=part.thread) for skip in _starts(inside)]
    pages = _without_repeats([[one for one in page if _is_in(part, one)] for page in pages])
    keep = message_test(filters, senders, zone)
    chosen = [_chosen(page, keep) for page in pages]
    looked, fitting_batch = sum(map(len, pages)), sum(map(len, chosen))
    kinds = Counter(message_type(one) for page in chosen for one in page)
    exact, messages = looked >= inside, fitting_batch
    if not exact:
        counted = await _counted(telegram, part, filters, senders)
        exact = keep is None or counted is not None
        messages = inside if keep is None else round(inside * fitting_batch / max(1, looked))
        if keep is not None and counted is not None:
            messages = min(inside, sum(counted.values()))
        kinds = _with_counted(kinds, counted or {}, messages)
    found = messages
    messages = min(found, filters.limit or found)
    posts = sorted((one for page in chosen for one in page if one.comments), key=lambda one: -(one.comments or 0))
    share = messages / max(1, fitting_batch)
    return SampledContent(
        messages=messages,
        found=found,
        inside=inside,
        kinds=scaled(kinds, messages),
        notes=_notes(chosen, messages, zone),
        sizes=await _sizes(telegram, part, pages, kinds, wanted),
        exact=exact,
        comments=round(share * sum(one.comments or 0 for one in posts)),
        commented=round(share * len(posts)),
        busiest=[one.id for one in posts[:_THREADS]],
    )


async def sample_comments(telegram: Telegram, channel: int, posts: SampledContent, zone: ZoneInfo) -> SampledContent:
    """What the comments under ``posts`` are, by those under the busiest; a request each."""
    threads = [await telegram.sample(channel, _HIGHEST, 0, thread=post) for post in posts.busiest]
    return _reckoned([thread[::-1] for thread in threads], posts.comments, zone, exact=posts.exact)


async def sample_stories(telegram: Telegram, peer: int, zone: ZoneInfo) -> SampledContent:
    """What the stories of a peer are, by the first page of each list."""
    number, stories, exact = await telegram.chat_extras.sample_stories(peer)
    return _reckoned([sorted(stories, key=lambda story: story.id)], number, zone, exact=exact)


def _reckoned(pages: Sequence[Sequence[Message]], messages: int, zone: ZoneInfo, *, exact: bool) -> SampledContent:
    """So many ``messages``, of which ``pages`` were looked at; each page is filed by itself."""
    looked = Counter(message_type(one) for page in pages for one in page)
    every = [item for page in pages for one in page for item in message_files(one)]
    files = Counter(item.kind for item in every)
    share = messages / max(1, looked.total())
    sizes: dict[str, list[int]] = {}
    for item in every:
        sizes.setdefault(item.kind, []).append(item.size)
    notes = [_notes([page], len(page), zone) for page in pages]
    return SampledContent(
        messages=messages,
        found=messages,
        inside=messages,
        kinds=scaled(looked or Counter(text=1), messages),
        notes={layout: ceil(share * sum(one[layout] for one in notes)) or messages for layout in LAYOUTS},
        sizes=sizes,
        exact=exact and looked.total() >= messages,
        files={kind: round(share * count) for kind, count in files.items()},
    )


async def _inside(telegram: Telegram, part: Part) -> int:
    """How many messages are in the part, by their places in the history: two requests at most."""
    if part.within is None:
        return part.chat.count or 0
    low, high = part.within
    if low > high:
        return 0
    newer = (await telegram.position(part.chat.id, high, thread=part.thread))[1] if high < part.chat.top else 0
    upto = (await telegram.position(part.chat.id, low - 1, thread=part.thread))[1] if low > 1 else part.chat.count or 0
    return max(0, upto - newer)


def _starts(inside: int) -> list[int]:
    """Behind how many of the newest messages each page begins; pages do not overlap."""
    if inside <= LIMIT * _PAGES:
        return list(range(0, inside, LIMIT))
    return [0, (inside - LIMIT) // 2, inside - LIMIT]


def _is_in(part: Part, message: Message) -> bool:
    return part.within is None or part.within[0] <= message.id <= part.within[1]


def _without_repeats(pages: Iterable[Sequence[Message]]) -> list[list[Message]]:
    """Pages oldest first, each message once: what came meanwhile may have moved them."""
    seen: set[int] = set()
    found = []
    for page in pages:
        found.append([one for one in reversed(page) if one.id not in seen])
        seen |= {one.id for one in page}
    return found[::-1]


def _chosen(page: list[Message], keep: Callable[[Message], bool] | None) -> list[Message]:
    return page if keep is None else [page[chat_folder] for chat_folder in matching_indexes(page, keep)]


async def _counted(
    telegram: Telegram, part: Part, filters: Filters, senders: Sequence[int]
) -> Mapping[str, int] | None:
    """How many messages Telegram counts of each kind ("": of any); None where it cannot count what is asked."""
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


def _with_counted(looked: Counter[str], counted: Mapping[str, int], messages: int) -> Counter[str]:
    """The kinds of ``messages``: those that were counted as they are, the others in the proportion of what was looked
    at."""
    known = Counter({kind: count for kind, count in counted.items() if kind and count})
    others = Counter({kind: count for kind, count in looked.items() if kind not in counted})
    return known + Counter(scaled(others or Counter(text=1), messages - known.total()))


def scaled(counts: Counter[str], total: int) -> dict[str, int]:
    """``counts`` in proportion, with the sum ``total``; the largest remainders are rounded up."""
    every = counts.total()
    if not every or total <= 0:
        return {}
    shares = {kind: count * total / every for kind, count in counts.items()}
    found = {kind: floor(share) for kind, share in shares.items()}
    missing = total - sum(found.values())
    for kind in sorted(shares, key=lambda kind: (found[kind] - shares[kind], kind))[:missing]:
        found[kind] += 1
    return {kind: count for kind, count in found.items() if count}


def _notes(pages: Sequence[Sequence[Message]], messages: int, zone: ZoneInfo) -> dict[str, int]:
    """How many notes each layout makes of so many messages: albums are one, and so is what a day or month holds."""
    looked = sum(map(len, pages))
    whole = looked == messages
    spans = [[one for page in pages for one in page]] if whole else pages
    found = {"message": 0, "day": 0, "month": 0}
    for page in spans:
        days = [datetime.fromtimestamp(one.date, zone).date() for one in page]
        found["message"] += len(albums(page))
        found["day"] += len(set(days))
        found["month"] += len({(day.year, day.month) for day in days})
    if whole or not looked:
        return found if whole else dict.fromkeys(found, messages)
    return {layout: max(1, round(messages * number / looked)) for layout, number in found.items()}


async def _sizes(
    telegram: Telegram,
    part: Part,
    pages: Iterable[Sequence[Message]],
    kinds: Mapping[str, int],
    wanted: Collection[str],
) -> dict[str, list[int]]:
    """Sizes of files by kind. A search brings the newest of a kind that the pages hold none of."""
    sizes: dict[str, list[int]] = {}
    _add_sizes(sizes, (one for page in pages for one in page))
    for kind in FILES:
        if kind in wanted and kinds.get(kind) and kind not in sizes:
            _, found = await telegram.search(part.chat.id, kind=kind, thread=part.thread, limit=LIMIT)
            _add_sizes(sizes, found)
    return sizes


def _add_sizes(sizes: dict[str, list[int]], messages: Iterable[Message]) -> None:
    for message in messages:
        for item in message_files(message):
            sizes.setdefault(item.kind, []).append(item.size)
