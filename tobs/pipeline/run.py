"""One export run: opens the way to Telegram, chooses chats, exports one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from loguru import logger
from msgspec import Struct

from tobs.model import Chat
from tobs.pipeline.chat_run import ChatExporter
from tobs.pipeline.export import finish_notes
from tobs.pipeline.opened import Means, OpenRun, open_run
from tobs.pipeline.report import Reporter, RunReport
from tobs.pipeline.selection import Chosen, Selection, choose_chats, left_chats
from tobs.pipeline.stores import ArchivePeers, ArchiveTakeouts
from tobs.telegram.client import Telegram, open_telegram
from tobs.telegram.events import (
    Event,
    FloodWaited,
    MessageUnreadable,
    Reconnected,
    ReferenceRenewed,
    Retried,
    TakeoutDelayed,
    TakeoutEnded,
    TakeoutEvent,
    TakeoutRefused,
    TakeoutStarted,
)
from tobs.telegram.settings import TelegramSettings
from tobs.telegram.takeout import delay_told, end_told


class ExportRun(Struct, frozen=True):
    """An export: what every run works with, and the way to Telegram."""

    means: Means
    telegram: TelegramSettings

    async def export(self, selection: Selection) -> RunReport:
        """Export chats one after the other. What ends the run is raised; the report is kept all the same."""
        async with open_run(self.means) as run, self._telegram(run) as telegram:
            self.means.reporter.phase = "resolving"
            chosen = await choose_chats(telegram, selection, self.means.reporter)
            senders = [(await telegram.resolve(sender)).id for sender in selection.filters.senders]
            desk = run.desk(telegram.account.id)
            enrichers = run.enrichers(desk)
            async with run.chain() as chain, run.writer(desk) as writer:
                exporter = ChatExporter(
                    desk,
                    run.keeper,
                    writer,
                    chain,
                    enrichers,
                    telegram,
                    selection.filters,
                    senders,
                    self.means.policy,
                    self.means.limits,
                )
                async with self._takeout(telegram, chosen, selection):
                    places = await exporter.export_all(chosen)
                    if selection.left:
                        places += await exporter.export_all(await self._left_chats(telegram, selection, chosen))
                await finish_notes(desk, run.keeper, writer, places)
        return run.report

    @asynccontextmanager
    async def _telegram(self, run: OpenRun) -> AsyncIterator[Telegram]:
        """Telegram, with what the archive knows of peers and takeouts; what happens on the way is told."""
        peers, takeouts = ArchivePeers(run.archive, run.keeper), ArchiveTakeouts(run.archive, run.keeper)
        on_event = partial(tell, self.means.reporter)
        async with open_telegram(self.telegram, peers=peers, takeouts=takeouts, on_event=on_event) as telegram:
            try:
                yield telegram
            finally:
                run.report.requests = telegram.requests.total()
                await peers.flush()

    async def _left_chats(self, telegram: Telegram, selection: Selection, chosen: Sequence[Chosen]) -> list[Chosen]:
        """The chats the account has left; told as a problem where Telegram does not list them."""
        if not telegram.in_takeout:
            self.means.reporter.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            return []
        return await left_chats(telegram, selection, chosen)

    @asynccontextmanager
    async def _takeout(self, telegram: Telegram, chosen: Sequence[Chosen], selection: Selection) -> AsyncIterator[None]:
        """A takeout session with just the scopes these chats need, unless the owner wants none."""
        if not self.means.settings.takeout:
            self.means.reporter.takeout("off", reason="the normal API was used, as --no-takeout or the settings say")
            await telegram.without_takeout()
            yield
            return
        if not (chosen or selection.left):
            yield
            return
        # What a list of chats tells does not say whether a supergroup grew from a basic group.
        grown = any(one.chat.migrated_from or (one.chat.kind == "supergroup" and not one.is_full) for one in chosen)
        more = {"chats"} if grown else set()
        more |= {"channels", "megagroups"} if selection.left else set()
        scopes = takeout_scopes([one.chat for one in chosen], media=bool(self.means.settings.media), more=more)
        async with telegram.takeout(scopes):
            yield


_SCOPES = {
    "channel": ("channels",),
    "supergroup": ("megagroups",),
    # Telegram wants both for basic groups.
    "group": ("chats", "megagroups"),
    "private": ("users",),
    "bot": ("users",),
    "saved": ("users",),
}


def takeout_scopes(chats: Sequence[Chat], *, media: bool, more: Collection[str] = ()) -> list[str]:
    """What a takeout session for ``chats`` (and ``more``) has to be allowed to see, and nothing else."""
    scopes = {scope for chat in chats for scope in _SCOPES[chat.kind]} | set(more)
    return sorted(scopes | ({"files"} if media else set()))


def tell(reporter: Reporter, event: Event) -> None:
    """What happened on the way to Telegram, as the report tells it."""
    match event:
        case FloodWaited(method=method, seconds=seconds):
            reporter.waited(method, seconds)
        case Retried(method=method, reason=reason):
            reporter.recovered(f"{method} again after {reason}")
        case Reconnected():
            reporter.recovered("connection lost and restored")
        case TakeoutStarted() | TakeoutDelayed() | TakeoutRefused() | TakeoutEnded():
            tell_takeout(reporter, event)
        case ReferenceRenewed():
            reporter.recovered("file reference expired and was renewed")
        case MessageUnreadable(chat_id=chat_id, message_id=message_id, reason=reason):
            # The page it belongs to tells it as a problem.
            logger.info("message {} of {} cannot be read: {}", message_id, chat_id, reason)


def tell_takeout(reporter: Reporter, event: TakeoutEvent) -> None:
    """What became of the takeout session: told at once, and in the report."""
    match event:
        case TakeoutStarted(scopes=scopes, late=False):
            reporter.takeout("used", scopes)
            return
        case TakeoutStarted(scopes=scopes):
            told = "The takeout session was allowed: it is used from there on"
            reporter.takeout("late", scopes, told)
        case TakeoutDelayed():
            told = delay_told(event)
            reporter.takeout("delayed", reason=told)
        case TakeoutRefused(reason=reason):
            told = f"Telegram gave no takeout session, the normal API was used: {reason}"
            reporter.takeout("refused", reason=told)
        case TakeoutEnded():
            told = end_told(event)
            reporter.takeout("ended", reporter.report.takeout.scopes, told)
    logger.warning(told)
    reporter.notice(told)
    reporter.recovered(told)
