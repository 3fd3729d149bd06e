"""Select the chats of a run and the part of each, from targets, folders, exclusions and filters."""

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
    """The selection of a run: ``targets``, or ``all`` chats, with ``left`` channels, without those that ``exclude``
    names (ids, usernames, parts of titles, folders).

    Invite links are joined only with ``join``. ``comments`` says whether comments under posts are fetched (None: by
    the settings or an earlier run), ``stories`` whether stories are.
    """

    targets: tuple[str, ...] = ()
    all: bool = False
    left: bool = False
    exclude: tuple[str, ...] = ()
    join: bool = False
    comments: bool | None = None
    stories: bool = False
    filters: Filters = Filters()


class SelectedChat(Struct, frozen=True):
    """A chat of the run; ``is_full`` means that its full information is fetched. ``topics`` are those that links name
    (none: all)."""

    chat: Chat
    is_full: bool
    topics: tuple[int, ...] = ()


class Part(Struct, frozen=True):
    """A part of a history to fetch: the chat with its newest id and count, its source, and the interval of ids (None:
    all).

    ``thread`` is the only topic that is fetched (0: all).
    """

    chat: Chat
    source: Source
    within: Gap | None
    thread: int = 0


async def select_chats(telegram: Telegram, selection: Selection, events: RunEvents) -> list[SelectedChat]:
    """Return the chats of a run, each once. With several targets, one that fails is reported and left out."""
    selected: dict[int, SelectedChat] = {}
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
                selected[chat.id] = _with_more(selected.get(chat.id), SelectedChat(chat, is_full, topics))
    if selection.all:
        for chat in await telegram.dialogs():
            selected[chat.id] = _with_more(selected.get(chat.id), SelectedChat(chat, is_full=False))
    without = await _excluded(telegram, selection.exclude, [item.chat for item in selected.values()])
    return [item for item in selected.values() if item.chat.id not in without]


async def _linked_topic(telegram: Telegram, target: str, chats: Sequence[Chat]) -> tuple[int, ...]:
    """Return the topic that a link names in a forum.

    A link to a message of the general topic looks the same and names the chat.
    """
    number = linked_topic(target)
    if not number or len(chats) != 1 or not chats[0].is_forum:
        return ()
    return tuple(topic.id for topic in await telegram.chat_extras.topics(chats[0].id, [number]))


def _with_more(known: SelectedChat | None, also: SelectedChat) -> SelectedChat:
    """Join two selections of a chat: all of it, or the topics of both."""
    if known is None:
        return also
    topics = (*known.topics, *also.topics) if known.topics and also.topics else ()
    return replace(known, topics=tuple(dict.fromkeys(topics)))


async def left_channels(
    telegram: Telegram, selection: Selection, selected: Sequence[SelectedChat]
) -> list[SelectedChat]:
    """Return the channels that the account has left, without ``selected`` ones; only in a takeout session."""
    known = {item.chat.id for item in selected}
    chats = [chat for chat in await telegram.left_channels() if chat.id not in known]
    without = [chat for chat in chats if any(fits(pattern, chat) for pattern in selection.exclude)]
    return [SelectedChat(chat, is_full=False) for chat in chats if chat not in without]


async def _excluded(telegram: Telegram, patterns: Sequence[str], chats: Sequence[Chat]) -> set[int]:
    """Return the ids that ``patterns`` exclude.

    Raises UsageError for a pattern that fits nothing: a typing error must not include a chat.
    """
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
    """Report whether ``pattern`` is the id or username of ``chat``, or a part of its title."""
    text = pattern.strip()
    if text.lstrip("-").isdigit():
        return int(text) == chat.id
    if text.startswith("@"):
        return text[1:].casefold() == chat.username.casefold()
    if text.lower() == "me":
        return chat.kind == "saved"
    return bool(text) and text.casefold() in chat.title.casefold()


async def parts_of(
    telegram: Telegram, selected: SelectedChat, filters: Filters, senders: Sequence[int], zone: ZoneInfo
) -> list[Part]:
    """Return the histories of a chat, oldest first: that of its old basic group and its own; or those of topics.

    The whole history has all topics and needs the fewest requests; topics are fetched alone only if not all are
    wanted. ``--min-id`` and ``--max-id`` are ids of the chat itself: with them the old group is left out. A limit
    counts from the newest message.
    """
    chat, topics = selected.chat, filters.topics or selected.topics
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
    # The first message of a topic is not among its messages.
    chat = replace(chat, count=top.count + bool(topic > GENERAL_TOPIC), top=max(top.top, topic))
    if filters.is_empty and not topic:
        return Part(chat, telegram_source(telegram), None)
    keep = message_test(filters, senders, zone)
    return Part(chat, _source(telegram, filters, keep, topic), await _within(telegram, chat, filters, topic), topic)


def _source(telegram: Telegram, filters: Filters, keep: Callable[[Message], bool] | None, topic: int) -> Source:
    """Return Telegram as a source of only those messages that the filters select."""
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
    """Fetch the messages of a topic, in pages that settle ids of the topic.

    Its first message is not among them and is fetched by its id.
    """

    async def settle(page: Page) -> None:
        await on_page(replace(page, topic=topic))

    if topic > GENERAL_TOPIC and any(low <= topic <= high for low, high in gaps):
        await on_page(await telegram.message_page(chat_id, topic, keep=keep))
    await telegram.walk(chat_id, gaps, settle, count=count, keep=keep, thread=topic)


async def _within(telegram: Telegram, chat: Chat, filters: Filters, topic: int) -> Gap:
    """Return the interval of ids that ids, dates and a plain limit select; dates rise with ids."""
    low, high = max(1, filters.min_id), min(chat.top, filters.max_id or chat.top)
    if filters.since:
        low = max(low, await telegram.id_before(chat.id, filters.since, thread=topic) + 1)
    if filters.until:
        high = min(high, await telegram.id_before(chat.id, filters.until, thread=topic))
    if filters.limit and not filters.by_content and low <= high:
        low = max(low, await telegram.id_from_top(chat.id, high, filters.limit, thread=topic))
    return low, high
