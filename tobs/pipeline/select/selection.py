"""Which chats a run is about, and which part of each: targets, folders, exclusions and filters put to use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import NetworkError, RequestRefused, TobsError, UsageError
from tobs.model import GENERAL_TOPIC, Chat, Message, Page
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.select.filters import Filters, message_test
from tobs.sources import Gap, Source
from tobs.sources.telegram import telegram_source
from tobs.telegram.client.targets import linked_topic
from tobs.telegram.facade import Telegram

_FOLDER = "folder:"


class Selection(Struct, frozen=True):
    """What the owner asked for: ``targets``, or ``all`` chats, ``left`` ones too, without those ``exclude`` names
    (ids, usernames, parts of titles, folders). Only with ``join`` are invite links joined. ``comments``: whether
    those under channels' posts are kept (None: as the settings say, or an earlier run was told); ``stories``: those of
    the chats, too."""

    targets: tuple[str, ...] = ()
    all: bool = False
    left: bool = False
    exclude: tuple[str, ...] = ()
    join: bool = False
    comments: bool | None = None
    stories: bool = False
    filters: Filters = Filters()


class SelectedChat(Struct, frozen=True):
    """A chat of the run; ``is_full`` says whether what only a full request tells is known of it. ``topics`` of a
    forum are those that links name (none: all of it)."""

    chat: Chat
    is_full: bool
    topics: tuple[int, ...] = ()


class Part(Struct, frozen=True):
    """What a run brings of one history: the chat with its newest id and count, where it comes from, and the ids that
    are wanted (None: all). ``thread`` is the topic whose messages alone are asked for (0: all)."""

    chat: Chat
    source: Source
    within: Gap | None
    thread: int = 0


async def select_chats(telegram: Telegram, selection: Selection, events: RunEvents) -> list[SelectedChat]:
    """The chats of a run, each once. With several targets, one that cannot be had is told and left out."""
    found: dict[int, SelectedChat] = {}
    for target in selection.targets:
        try:
            chats = await telegram.expand(target, join=selection.join)
        except NetworkError:
            raise
        except TobsError as error:
            if isinstance(error, RequestRefused):
                error.message = f"{target.strip()}: {error.message}"  # Telegram's answer does not name it
            if len(selection.targets) == 1 and not selection.all:
                raise
            events.failed(error, target)
        else:
            is_full = not target.strip().lower().startswith(_FOLDER)
            topics = await _linked_topic(telegram, target, chats)
            for chat in chats:
                found[chat.id] = _with_more(found.get(chat.id), SelectedChat(chat, is_full, topics))
    if selection.all:
        for chat in await telegram.dialogs():
            found[chat.id] = _with_more(found.get(chat.id), SelectedChat(chat, is_full=False))
    without = await _excluded(telegram, selection.exclude, [chosen.chat for chosen in found.values()])
    return [chosen for chosen in found.values() if chosen.chat.id not in without]


async def _linked_topic(telegram: Telegram, target: str, chats: Sequence[Chat]) -> tuple[int, ...]:
    """The topic that a link names, in a forum. A link to a message of the general topic looks the same: it names its
    chat, as every link to a message does."""
    number = linked_topic(target)
    if not number or len(chats) != 1 or not chats[0].is_forum:
        return ()
    return tuple(topic.id for topic in await telegram.chat_extras.topics(chats[0].id, [number]))


def _with_more(known: SelectedChat | None, also: SelectedChat) -> SelectedChat:
    """A chat that two targets name: all of it, or the topics of both."""
    if known is None:
        return also
    topics = (*known.topics, *also.topics) if known.topics and also.topics else ()
    return replace(known, topics=tuple(dict.fromkeys(topics)))


async def left_channels(telegram: Telegram, selection: Selection, chosen: Sequence[SelectedChat]) -> list[SelectedChat]:
    """The chats the account has left, without those chosen already; only inside a takeout session."""
    known = {one.chat.id for one in chosen}
    chats = [chat for chat in await telegram.left_channels() if chat.id not in known]
    without = [chat for chat in chats if any(fits(pattern, chat) for pattern in selection.exclude)]
    return [SelectedChat(chat, is_full=False) for chat in chats if chat not in without]


async def _excluded(telegram: Telegram, patterns: Sequence[str], chats: Sequence[Chat]) -> set[int]:
    """The ids that ``patterns`` leave out. Raises UsageError for one that fits nothing: what was meant to stay out
    must not come in by a slip of the pen."""
    ids: set[int] = set()
    for pattern in patterns:
        if pattern.strip().lower().startswith(_FOLDER):
            ids |= {chat.id for chat in await telegram.expand(pattern)}
            continue
        fitting_batch = {chat.id for chat in chats if fits(pattern, chat)}
        if not fitting_batch:
            raise UsageError(f"--exclude '{pattern}' fits none of the chats.", "See `tobs chats`.")
        ids |= fitting_batch
    return ids


def fits(pattern: str, chat: Chat) -> bool:
    """Whether ``pattern`` is the id or username of ``chat``, or a part of its title."""
    text = pattern.strip()
    if text.lstrip("-").isdigit():
        return int(text) == chat.id
    if text.startswith("@"):
        return text[1:].casefold() == chat.username.casefold()
    if text.lower() == "me":
        return chat.kind == "saved"
    return bool(text) and text.casefold() in chat.title.casefold()


async def parts_of(
    telegram: Telegram, chosen: SelectedChat, filters: Filters, senders: Sequence[int], zone: ZoneInfo
) -> list[Part]:
    """The histories of a chat, oldest first: that of the basic group it grew from, and its own; or those of topics.

    The whole history holds every topic and costs the fewest requests; topics are asked for by themselves only when
    not all are wanted. ``--min-id`` and ``--max-id`` speak of the chat's own ids: with one of them the old group is
    left out. A limit is used up by the newest messages first.
    """
    chat, topics = chosen.chat, filters.topics or chosen.topics
    if topics:
        return [await _part(telegram, chat, filters, senders, zone, topic=topic) for topic in topics]
    own = await _part(telegram, chat, filters, senders, zone)
    if not chat.migrated_from or filters.min_id or filters.max_id:
        return [own]
    left = filters.limit - (own.chat.count or 0) if filters.limit else 0
    if filters.limit and left <= 0:
        return [own]
    group = await telegram.full(chat.migrated_from)
    before = await _part(telegram, group, replace(filters, limit=left), senders, zone)
    return [before, own]


async def _part(
    telegram: Telegram, chat: Chat, filters: Filters, senders: Sequence[int], zone: ZoneInfo, *, topic: int = 0
) -> Part:
    top = await telegram.history_top(chat.id, thread=topic)
    # What a topic began with is not among its messages.
    chat = replace(chat, count=top.count + bool(topic > GENERAL_TOPIC), top=max(top.top, topic))
    if filters.is_empty and not topic:
        return Part(chat, telegram_source(telegram), None)
    keep = message_test(filters, senders, zone)
    return Part(chat, _source(telegram, filters, keep, topic), await _within(telegram, chat, filters, topic), topic)


def _source(telegram: Telegram, filters: Filters, keep: Callable[[Message], bool] | None, topic: int) -> Source:
    """Telegram, asked only for what the filters want."""
    source = telegram_source(telegram)
    if keep is not None and filters.limit:
        return replace(source, walk=partial(telegram.walk_newest, keep=keep, limit=filters.limit, thread=topic))
    return replace(
        source, walk=partial(_walk_topic, telegram, topic, keep) if topic else partial(telegram.walk, keep=keep)
    )


async def _walk_topic(
    telegram: Telegram,
    topic: int,
    keep: Callable[[Message], bool] | None,
    chat_id: int,
    gaps: Sequence[Gap],
    on_page: Callable[[Page], Awaitable[None]],
    *,
    count: int = 0,
) -> None:
    """The messages of a topic, in pages that settle ids for it. The one it began with is not among them and is asked
    for by its id."""

    async def settle(page: Page) -> None:
        await on_page(replace(page, topic=topic))

    if topic > GENERAL_TOPIC and any(low <= topic <= high for low, high in gaps):
        await on_page(await telegram.message_page(chat_id, topic, keep=keep))
    await telegram.walk(chat_id, gaps, settle, count=count, keep=keep, thread=topic)


async def _within(telegram: Telegram, chat: Chat, filters: Filters, topic: int) -> Gap:
    """The ids that ids, dates and a plain limit leave; dates rise with ids."""
    low, high = max(1, filters.min_id), min(chat.top, filters.max_id or chat.top)
    if filters.since:
        low = max(low, await telegram.id_before(chat.id, filters.since, thread=topic) + 1)
    if filters.until:
        high = min(high, await telegram.id_before(chat.id, filters.until, thread=topic))
    if filters.limit and not filters.by_content and low <= high:
        low = max(low, await telegram.id_from_top(chat.id, high, filters.limit, thread=topic))
    return low, high
