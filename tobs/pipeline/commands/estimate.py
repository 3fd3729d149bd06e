"""Estimate an export with a few requests for each chat; nothing is changed.

The number of messages of each type is Telegram's count if there is one, else an estimate from some pages
(``sampling.py``). The size of files is the mean size of each kind in these pages times their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from tobs.media import MediaPolicy
from tobs.model import Chat, is_channel_id, stories_of
from tobs.model.report import Problem
from tobs.pipeline.commands.sampling import FILES, SampledContent, sample_chat, sample_comments, sample_stories
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.select.selection import SelectedChat, parts_of
from tobs.sources.telegram import HIGHEST_STORY
from tobs.telegram.facade import Telegram
from tobs.vault.layout import AskedLayout, choose_layout, comments_folder, stories_folder

_PAGE = 100
_CHAT_REQUESTS = 3
"""Requests a chat costs beside its pages: who it is, its newest message, its pinned ones."""
_GROUP_REQUESTS = 2
_STORY_REQUESTS = 2
"""The same for a discussion group; and for stories those that are shown, beside those of a profile."""
_PART = 512 * 1024


class MediaEstimate(Struct, frozen=True):
    """Files of one kind: their number, and their estimated size in bytes (None: not known)."""

    count: int
    bytes: int | None
    wanted: bool


class CommentsEstimate(Struct, frozen=True):
    """The discussion group of a channel: its number of messages (None: not accessible), of which comments are a part;
    the number of ``archived`` comments, and whether the run would fetch more: then they are an item of the plan."""

    messages: int | None
    archived: int
    wanted: bool


class ChatEstimate(Struct, frozen=True):
    """The estimate for a chat, or for its comments or stories (``kind``).

    ``messages`` is the number of messages that the filters select, ``archived`` of them are in the archive, ``new``
    are not; ``notes`` are those of new messages. ``exact`` means that the messages were counted, not estimated.
    ``bytes`` is None if the size of a kind of files is not known; ``seconds`` is the time of the requests.
    """

    id: int
    kind: str
    title: str
    username: str
    messages: int
    exact: bool
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
    comments: CommentsEstimate | None = None


class Count(Protocol):
    """Counts the archived messages of a history, or of a topic, with ids from ``low`` to ``high``."""

    def __call__(self, chat_id: int, low: int, high: int, *, topic: int = 0) -> int: ...


class Known(Struct, frozen=True):
    """The archived state of a chat: ``count`` counts messages in an interval of ids; its folder ("": none yet); its
    layout and the reason (None: not decided)."""

    count: Count
    folder: str = ""
    layout: tuple[str, str] | None = None


class EstimateLimits(Struct, frozen=True):
    """The limits and settings of the export that is estimated."""

    workers: int
    downloads: int
    policy: MediaPolicy
    layout: AskedLayout


class Plan(Struct, frozen=True):
    """The estimate for each chat and the sums (None: not known for one chat). ``asked`` is the number of requests
    sent."""

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
    """Counts and estimates. ``senders`` are the marked ids of the senders in ``filters``; ``clock`` (seconds)
    measures the requests, for the time of an answer."""

    def __init__(
        self,
        telegram: Telegram,
        limits: EstimateLimits,
        filters: Filters,
        senders: Sequence[int],
        zone: ZoneInfo,
        clock: Callable[[], float],
    ) -> None:
        self._telegram = telegram
        self._limits = limits
        self._filters = filters
        self._senders = senders
        self._zone = zone
        self._clock = clock
        self._requests = 0
        self._seconds = 0.0

    async def chat(
        self,
        selected: SelectedChat,
        known: Known,
        *,
        scopes: tuple[str, ...],
        comments: CommentsEstimate | None = None,
        stories: bool = False,
    ) -> list[ChatEstimate]:
        """Estimate the export of a chat (and of the group it grew from), of its comments and of its ``stories``, if
        wanted."""
        chat, wanted = selected.chat, self._limits.policy.of(selected.chat).kinds
        before, started = self._telegram.requests.total(), self._clock()
        parts = await parts_of(self._telegram, selected, self._filters, self._senders, self._zone)
        samples = [
            await sample_chat(self._telegram, part, self._filters, self._senders, self._zone, wanted) for part in parts
        ]
        self._requests += self._telegram.requests.total() - before
        self._seconds += self._clock() - started
        if known.layout is None:
            layout = choose_layout(self._limits.layout, sum(part.chat.count or 0 for part in parts))
            known = replace(known, layout=layout)
        archived = sum(
            known.count(part.chat.id, *(part.within or (1, part.chat.top)), topic=part.thread) for part in parts
        )
        fetched = max(0, sum(self._fetched(sample) for sample in samples) - archived)
        pages = ceil(fetched / _PAGE)
        own = self._estimate(
            chat,
            samples,
            known,
            scopes,
            archived_in_range=archived,
            pages=pages,
            extra_requests=_CHAT_REQUESTS * len(parts),
        )
        items = [replace(own, comments=comments)]
        if comments is not None and comments.wanted:
            items.append(
                await self._comments(chat, samples[-1], known, scopes, comments, is_part=parts[-1].within is not None)
            )
        if stories and chat.kind != "group":
            items.append(await self._stories(chat, known, scopes))
        return items

    async def _comments(
        self,
        chat: Chat,
        posts: SampledContent,
        known: Known,
        scopes: tuple[str, ...],
        group: CommentsEstimate,
        *,
        is_part: bool,
    ) -> ChatEstimate:
        """Estimate the comments under ``posts``: reading the whole group or each post, whichever needs fewer
        requests."""
        sample = await sample_comments(self._telegram, chat.id, posts, self._zone)
        pages = ceil(posts.messages / _PAGE) + posts.commented
        if group.messages is not None and not is_part:
            pages = min(pages, ceil(group.messages / _PAGE))
        known = replace(known, folder=comments_folder(known.folder, 0).rpartition("/")[0])
        item = self._estimate(
            chat, [sample], known, scopes, archived_in_range=group.archived, pages=pages, extra_requests=_GROUP_REQUESTS
        )
        return replace(item, id=chat.linked_chat, kind="comments", title=f"{chat.title}: comments", username="")

    async def _stories(self, chat: Chat, known: Known, scopes: tuple[str, ...]) -> ChatEstimate:
        """Estimate the stories of a peer."""
        sample, stories = await sample_stories(self._telegram, chat.id, self._zone), stories_of(chat.id)
        known = replace(known, folder=stories_folder(known.folder))
        archived, pages = known.count(stories, 1, HIGHEST_STORY), ceil(sample.messages / _PAGE)
        item = self._estimate(
            chat, [sample], known, scopes, archived_in_range=archived, pages=pages, extra_requests=_STORY_REQUESTS
        )
        return replace(item, id=stories, kind="stories", title=f"{chat.title}: stories", username="")

    def _estimate(
        self,
        chat: Chat,
        samples: Sequence[SampledContent],
        known: Known,
        scopes: tuple[str, ...],
        *,
        archived_in_range: int,
        pages: int,
        extra_requests: int,
    ) -> ChatEstimate:
        """Return the estimate for ``samples``, of which ``archived_in_range`` messages are archived.

        ``pages`` requests fetch the new messages, ``extra_requests`` come in addition.
        """
        messages = sum(sample.messages for sample in samples)
        archived = min(messages, archived_in_range)
        new = messages - archived
        share = new / messages if messages else 0.0
        kinds, files = Counter[str](), Counter[str]()
        for sample in samples:
            kinds.update(sample.kinds)
            files.update(sample.kinds if sample.files is None else sample.files)
        media = estimate_media(files, samples, self._limits.policy.of(chat))
        wanted = [files_of_kind for files_of_kind in media.values() if files_of_kind.wanted]
        pages = (pages if new else 0) + extra_requests
        parts = ceil(
            share * sum(max(files_of_kind.count, ceil((files_of_kind.bytes or 0) / _PART)) for files_of_kind in wanted)
        )
        assert known.layout is not None
        layout, reason = known.layout
        return ChatEstimate(
            id=chat.id,
            kind=chat.kind,
            title=chat.title,
            username=chat.username,
            messages=messages,
            exact=all(sample.exact for sample in samples),
            archived=archived,
            new=new,
            kinds=dict(kinds.most_common()),
            media=media,
            requests=pages + parts,
            bytes=round(share * sum(files_of_kind.bytes or 0 for files_of_kind in wanted))
            if all(files_of_kind.bytes is not None for files_of_kind in wanted)
            else None,
            notes=round(share * sum(sample.notes[layout] for sample in samples)),
            folder=known.folder,
            layout=layout,
            layout_reason=reason,
            takeout=scopes,
            seconds=round(self._time(chat, pages, parts, in_takeout=bool(scopes)), 1),
        )

    def _fetched(self, sample: SampledContent) -> int:
        """Return the number of messages to fetch: with a limit, as many as it takes to find that many matches."""
        if not self._filters.limit or not self._filters.by_content:
            return sample.in_range
        return min(sample.in_range, ceil(self._filters.limit * sample.in_range / max(1, sample.matching)))

    def _time(self, chat: Chat, pages: int, files: int, *, in_takeout: bool) -> float:
        """Return the seconds for so many requests, by the time of an answer, the number of connections and the
        learned pace."""
        answer = self._seconds / self._requests if self._requests else 0.0
        workers = self._limits.workers if is_channel_id(chat.id) else 1

        def pace(method: str) -> float:
            return self._telegram.interval(method, in_takeout=in_takeout)

        history = max(pages * answer / workers, pages * pace("messages.getHistory"))
        parts = max(files * answer / self._limits.downloads, files * pace("upload.getFile"))
        return max(history, parts)


def sum_up(items: Sequence[ChatEstimate], *, scopes: Collection[str], asked: int, problems: Sequence[Problem]) -> Plan:
    """Return the plan of all chats."""
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


def estimate_media(
    kinds: Mapping[str, int], samples: Sequence[SampledContent], policy: MediaPolicy
) -> dict[str, MediaEstimate]:
    """Estimate number and size of files by kind, from the sizes in ``samples``."""
    estimates: dict[str, MediaEstimate] = {}
    for kind in FILES:
        count = kinds.get(kind, 0)
        if not count:
            continue
        sizes = [size for sample in samples for size in sample.sizes.get(kind, ())]
        wanted_bytes = sum(size for size in sizes if size <= policy.max_size)
        estimates[kind] = MediaEstimate(
            count, round(wanted_bytes / len(sizes) * count) if sizes else None, kind in policy.kinds
        )
    return estimates
