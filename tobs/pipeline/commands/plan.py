"""One ``tobs plan``: the chats are chosen as an export would choose them, and asked for their counts."""

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
            chosen = await select_chats(telegram, selection, report.events)

            async def called(text: str) -> Sequence[Person]:
                return archive.people.called(text) if archive is not None else ()

            senders = await sender_ids(telegram, selection.filters.senders, [one.chat for one in chosen], called)
            estimator = Estimator(telegram, limits, selection.filters, senders, config.zone, time.monotonic)
            items, scopes = list[ChatEstimate](), set[str]()
            async with _left(telegram, settings, selection, chosen, report.events) as left:
                for one in (*chosen, *left):
                    if not one.is_full:
                        one = replace(one, chat=await telegram.full(one.chat.id))
                    chat = one.chat
                    more = {"chats"} if chat.migrated_from else set()
                    more |= {"megagroups"} if selection.comments or settings.comments else set()
                    needed = []
                    if settings.takeout:
                        needed = takeout_scopes([chat], media=bool(policy.of(chat).kinds), more=more)
                    scopes |= set(needed)
                    known = _known(archive, telegram.account.id, chat)
                    try:
                        comments = await _comments(telegram, archive, chat, selection.comments, settings)
                        items += await estimator.chat(
                            one, known, scopes=tuple(needed), comments=comments, stories=selection.stories
                        )
                    except RequestRefused as error:
                        if len(chosen) + len(left) == 1:
                            raise
                        report.events.failed(error, chat.title)
            asked = telegram.requests.total()
    return sum_up(items, scopes=sorted(scopes), asked=asked, problems=report.report.problems)


async def _comments(
    telegram: Telegram, archive: Archive | None, chat: Chat, asked: bool | None, settings: Settings
) -> CommentsEstimate | None:
    """What a channel's discussion group has; None where there is none. One request."""
    if chat.kind != "channel" or not chat.linked_chat:
        return None
    try:
        messages = (await telegram.history_top(chat.linked_chat)).count
    except FloodWait:
        raise
    except RequestRefused:
        messages = None
    kept = archive is not None and archive.comments.are_wanted(chat.id)
    archived = archive.comments.count(chat.id) if archive is not None else 0
    return CommentsEstimate(messages, archived, settings.comments or kept if asked is None else asked)


@asynccontextmanager
async def _left(
    telegram: Telegram, settings: Settings, selection: Selection, chosen: Sequence[SelectedChat], events: RunEvents
) -> AsyncIterator[list[SelectedChat]]:
    """The chats the account has left. Telegram lists and shows them only in a takeout session: one is asked for."""
    if not selection.left:
        yield []
        return
    async with telegram.takeout(("channels", "megagroups")) if settings.takeout else nullcontext():
        if telegram.in_takeout:
            yield await left_channels(telegram, selection, chosen)
        else:
            events.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            yield []


@contextmanager
def _open_archive(path: Path) -> Iterator[Archive | None]:
    """The archive at ``path``, None where there is none yet."""
    if not path.exists():
        yield None
        return
    with open_archive(path, clock=time.time, read_only=True) as archive:
        yield archive


def _known(archive: Archive | None, account: int, chat: Chat) -> Known:
    """What the vault has of ``chat``, and where it would go if it has nothing."""
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
