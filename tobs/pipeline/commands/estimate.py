"""What an export would do, at the cost of a few requests a chat; nothing is changed.

How many messages of which kind there are is Telegram's own count where it counts them, else reckoned from some pages
(``sampling.py``). Sizes are the mean of each kind in those pages times its number.
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
_AROUND = 3
"""Requests a chat costs beside its pages: who it is, its newest message, its pinned ones."""
_GROUP = 2
_LISTS = 2
"""The same for a discussion group; and for stories those that are shown, beside those of a profile."""
_PART = 512 * 1024


class MediaEstimate(Struct, frozen=True):
    """Files of one kind: how many messages have one, and about how many bytes they are (None: not known)."""

    count: int
    bytes: int | None
    wanted: bool


class CommentsEstimate(Struct, frozen=True):
    """The discussion group of a channel: its messages (None: the account may not ask), of which comments are a part;
    how many comments are ``archived``, and whether the run would bring more of them: then they are an item of the plan.
    """

    messages: int | None
    archived: int
    wanted: bool


class ChatEstimate(Struct, frozen=True):
    """What exporting a chat would do, or its comments or stories (``kind``). ``messages`` are those that the filters
    leave; ``archived`` ones of them are in the vault's archive already. ``exact`` says whether the messages were
    counted, not reckoned; ``bytes`` is None where the size of a kind of files cannot be told. ``notes`` are those of
    new messages."""

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
    """How many messages of a history, or a topic of it, are in the archive with ids from ``low`` up to ``high``."""

    def __call__(self, chat_id: int, low: int, high: int, *, topic: int = 0) -> int: ...


class Known(Struct, frozen=True):
    """What the vault's archive has of a chat: ``count`` tells how many messages there are in an interval of ids; its
    folder ("": none yet), its layout and why (None: not decided)."""

    count: Count
    folder: str = ""
    layout: tuple[str, str] | None = None


class EstimateLimits(Struct, frozen=True):
    """What the run would work with."""

    workers: int
    downloads: int
    policy: MediaPolicy
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
    """Asks for counts and reckons. ``senders`` are the marked ids of those ``filters`` name; ``clock`` (seconds) times
    the requests, which says how fast answers come."""

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
        self._asked = 0
        self._seconds = 0.0

    async def chat(
        self,
        chosen: SelectedChat,
        known: Known,
        *,
        scopes: tuple[str, ...],
        comments: CommentsEstimate | None = None,
        stories: bool = False,
    ) -> list[ChatEstimate]:
        """What exporting a chat (and the group it grew from) would do; what its comments and its ``stories`` would
        where they are wanted."""
        chat, wanted = chosen.chat, self._limits.policy.of(chosen.chat).kinds
        before, started = self._telegram.requests.total(), self._clock()
        parts = await parts_of(self._telegram, chosen, self._filters, self._senders, self._zone)
        looked = [
            await sample_chat(self._telegram, part, self._filters, self._senders, self._zone, wanted) for part in parts
        ]
        self._asked += self._telegram.requests.total() - before
        self._seconds += self._clock() - started
        if known.layout is None:
            layout = choose_layout(self._limits.layout, sum(part.chat.count or 0 for part in parts))
            known = replace(known, layout=layout)
        inside = sum(
            known.count(part.chat.id, *(part.within or (1, part.chat.top)), topic=part.thread) for part in parts
        )
        fetched = max(0, sum(self._fetched(holding) for holding in looked) - inside)
        pages = ceil(fetched / _PAGE)
        own = self._estimate(chat, looked, known, scopes, inside=inside, pages=pages, around=_AROUND * len(parts))
        items = [replace(own, comments=comments)]
        if comments is not None and comments.wanted:
            items.append(
                await self._comments(chat, looked[-1], known, scopes, comments, is_part=parts[-1].within is not None)
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
        """The comments under ``posts``: the whole group is looked through, or each post asked for its own, whatever
        costs less."""
        looked = await sample_comments(self._telegram, chat.id, posts, self._zone)
        pages = ceil(posts.messages / _PAGE) + posts.commented
        if group.messages is not None and not is_part:
            pages = min(pages, ceil(group.messages / _PAGE))
        known = replace(known, folder=comments_folder(known.folder, 0).rpartition("/")[0])
        item = self._estimate(chat, [looked], known, scopes, inside=group.archived, pages=pages, around=_GROUP)
        return replace(item, id=chat.linked_chat, kind="comments", title=f"{chat.title}: comments", username="")

    async def _stories(self, chat: Chat, known: Known, scopes: tuple[str, ...]) -> ChatEstimate:
        """The stories of a peer."""
        looked, stories = await sample_stories(self._telegram, chat.id, self._zone), stories_of(chat.id)
        known = replace(known, folder=stories_folder(known.folder))
        inside, pages = known.count(stories, 1, HIGHEST_STORY), ceil(looked.messages / _PAGE)
        item = self._estimate(chat, [looked], known, scopes, inside=inside, pages=pages, around=_LISTS)
        return replace(item, id=stories, kind="stories", title=f"{chat.title}: stories", username="")

    def _estimate(
        self,
        chat: Chat,
        looked: Sequence[SampledContent],
        known: Known,
        scopes: tuple[str, ...],
        *,
        inside: int,
        pages: int,
        around: int,
    ) -> ChatEstimate:
        """What was ``looked`` at, of which ``inside`` messages are archived; ``pages`` bring what is new of it, beside
        ``around`` requests."""
        messages = sum(holding.messages for holding in looked)
        archived = min(messages, inside)
        new = messages - archived
        share = new / messages if messages else 0.0
        kinds, files = Counter[str](), Counter[str]()
        for holding in looked:
            kinds.update(holding.kinds)
            files.update(holding.kinds if holding.files is None else holding.files)
        media = estimate_media(files, looked, self._limits.policy.of(chat))
        wanted = [one for one in media.values() if one.wanted]
        pages = (pages if new else 0) + around
        parts = ceil(share * sum(max(one.count, ceil((one.bytes or 0) / _PART)) for one in wanted))
        assert known.layout is not None
        layout, reason = known.layout
        return ChatEstimate(
            id=chat.id,
            kind=chat.kind,
            title=chat.title,
            username=chat.username,
            messages=messages,
            exact=all(holding.exact for holding in looked),
            archived=archived,
            new=new,
            kinds=dict(kinds.most_common()),
            media=media,
            requests=pages + parts,
            bytes=round(share * sum(one.bytes or 0 for one in wanted))
            if all(one.bytes is not None for one in wanted)
            else None,
            notes=round(share * sum(holding.notes[layout] for holding in looked)),
            folder=known.folder,
            layout=layout,
            layout_reason=reason,
            takeout=scopes,
            seconds=round(self._time(chat, pages, parts, in_takeout=bool(scopes)), 1),
        )

    def _fetched(self, holding: SampledContent) -> int:
        """Messages that have to be fetched to find those that are wanted: up to a limit, as many as it takes."""
        if not self._filters.limit or not self._filters.by_content:
            return holding.inside
        return min(holding.inside, ceil(self._filters.limit * holding.inside / max(1, holding.found)))

    def _time(self, chat: Chat, pages: int, files: int, *, in_takeout: bool) -> float:
        """Seconds for so many requests: as fast as answers come to all connections, and no faster than flood waits
        taught."""
        answer = self._seconds / self._asked if self._asked else 0.0
        workers = self._limits.workers if is_channel_id(chat.id) else 1

        def pace(method: str) -> float:
            return self._telegram.interval(method, in_takeout=in_takeout)

        history = max(pages * answer / workers, pages * pace("messages.getHistory"))
        parts = max(files * answer / self._limits.downloads, files * pace("upload.getFile"))
        return max(history, parts)


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


def estimate_media(
    kinds: Mapping[str, int], looked: Sequence[SampledContent], policy: MediaPolicy
) -> dict[str, MediaEstimate]:
    """Files of each kind with the bytes a run would fetch, by the sizes of those that were looked at."""
    found: dict[str, MediaEstimate] = {}
    for kind in FILES:
        count = kinds.get(kind, 0)
        if not count:
            continue
        every = [size for holding in looked for size in holding.sizes.get(kind, ())]
        some = sum(size for size in every if size <= policy.max_size)
        found[kind] = MediaEstimate(count, round(some / len(every) * count) if every else None, kind in policy.kinds)
    return found
