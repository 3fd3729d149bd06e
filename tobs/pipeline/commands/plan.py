"""``tobs plan``: select chats as an export does, and estimate each."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive, open_archive
from tobs.config import Profile, Settings
from tobs.errors import FloodWait, RequestRefused
from tobs.model import Chat, Person
from tobs.pipeline.commands.estimate import (
    ChatEstimate,
    CommentsEstimate,
    EstimateLimits,
    Estimator,
    Known,
    Plan,
    sum_up,
)
from tobs.pipeline.commands.export import takeout_scopes
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.media.wanted import media_policy
from tobs.pipeline.select.selection import SelectedChat, Selection, left_channels, select_chats
from tobs.pipeline.select.senders import sender_ids
from tobs.telegram.facade import Telegram
from tobs.telegram.net.events import OnEvent
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.vault.layout import chat_candidates, folder_of_note


class PlanConfig(Struct, frozen=True):
    """The settings of a plan: ``archive`` is the path of the archive, which need not exist; ``zone`` that of dates."""

    settings: Settings
    profile: Profile
    telegram: TelegramSettings
    archive: Path
    zone: ZoneInfo


async def make_plan(config: PlanConfig, selection: Selection, *, report: ReportBuilder, on_event: OnEvent) -> Plan:
    """Estimate an export of ``selection``; the archive, if there is one, is only read.

    A chat that Telegram refuses is reported as a problem; if it is the only one, RequestRefused is raised.
    """
    settings = config.settings
    policy = media_policy(settings)
    limits = EstimateLimits(
        workers=config.profile.workers,
        downloads=config.profile.downloads,
        policy=policy,
        layout=settings.layout,
    )
    with _open_archive(config.archive) as archive:
        async with open_telegram(config.telegram, on_event=on_event) as telegram:
            selected = await select_chats(telegram, selection, report.events)

            async def called(text: str) -> Sequence[Person]:
                return archive.people.called(text) if archive is not None else ()

            senders = await sender_ids(telegram, selection.filters.senders, [item.chat for item in selected], called)
            estimator = Estimator(telegram, limits, selection.filters, senders, config.zone, time.monotonic)
            items, scopes = list[ChatEstimate](), set[str]()
            async with _left(telegram, settings, selection, selected, report.events) as left:
                for item in (*selected, *left):
                    if not item.is_full:
                        item = replace(item, chat=await telegram.full(item.chat.id))
                    chat = item.chat
                    extra = {"chats"} if chat.migrated_from else set()
                    extra |= {"megagroups"} if selection.comments or settings.comments else set()
                    needed = []
                    if settings.takeout:
                        needed = takeout_scopes([chat], media=bool(policy.of(chat).kinds), more=extra)
                    scopes |= set(needed)
                    known = _known(archive, telegram.account.id, chat)
                    try:
                        comments = await _comments(telegram, archive, chat, selection.comments, settings)
                        items += await estimator.chat(
                            item, known, scopes=tuple(needed), comments=comments, stories=selection.stories
                        )
                    except RequestRefused as error:
                        if len(selected) + len(left) == 1:
                            raise
                        report.events.failed(error, chat.title)
            requests = telegram.requests.total()
    return sum_up(items, scopes=sorted(scopes), asked=requests, problems=report.report.problems)


async def _comments(
    telegram: Telegram, archive: Archive | None, chat: Chat, requested: bool | None, settings: Settings
) -> CommentsEstimate | None:
    """Return the estimate of a channel's discussion group; None if there is none. It takes one request."""
    if chat.kind != "channel" or not chat.linked_chat:
        return None
    try:
        messages = (await telegram.history_top(chat.linked_chat)).count
    except FloodWait:
        raise
    except RequestRefused:
        messages = None
    recorded = archive is not None and archive.comments.are_wanted(chat.id)
    archived = archive.comments.count(chat.id) if archive is not None else 0
    return CommentsEstimate(messages, archived, settings.comments or recorded if requested is None else requested)


@asynccontextmanager
async def _left(
    telegram: Telegram, settings: Settings, selection: Selection, selected: Sequence[SelectedChat], events: RunEvents
) -> AsyncIterator[list[SelectedChat]]:
    """Yield the channels that the account has left. Telegram lists them only in a takeout session, which is
    opened."""
    if not selection.left:
        yield []
        return
    async with telegram.takeout(("channels", "megagroups")) if settings.takeout else nullcontext():
        if telegram.in_takeout:
            yield await left_channels(telegram, selection, selected)
        else:
            events.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            yield []


@contextmanager
def _open_archive(path: Path) -> Iterator[Archive | None]:
    """Open the archive at ``path`` read-only; None if there is none yet."""
    if not path.exists():
        yield None
        return
    with open_archive(path, clock=time.time, read_only=True) as archive:
        yield archive


def _known(archive: Archive | None, account: int, chat: Chat) -> Known:
    """Return the archived state of ``chat``, and its future folder if it is not archived."""
    folder = folder_of_note(next(chat_candidates(chat.title, chat.id)))
    if archive is None:
        return Known(count=lambda *_, topic=0: 0, folder=folder)
    note = archive.notes.by_tobs_id(str(chat.id))
    return Known(
        count=partial(archive.messages.count_between, account),
        folder=folder_of_note(note.path) if note is not None else folder,
        layout=_recorded(archive.chats.layout(account, chat.id)),
    )


def _recorded(layout: tuple[str, str] | None) -> tuple[str, str] | None:
    return layout and (layout[0], f"decided when it came first: {layout[1]}")
