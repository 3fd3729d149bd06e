"""One export run: opens the way to Telegram, chooses chats, exports one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from tobs.model import Chat, Person
from tobs.model.events import PhaseStarted, TakeoutChanged
from tobs.model.report import RunReport
from tobs.pipeline.select.archived_chats import store_account
from tobs.pipeline.select.selection import SelectedChat, Selection, left_channels, select_chats
from tobs.pipeline.select.senders import sender_ids
from tobs.pipeline.session.chat_export import ChatExporter
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.pipeline.session.telegram_session import open_telegram_session
from tobs.telegram.facade import Telegram
from tobs.telegram.net.settings import TelegramSettings


class ExportRun(Struct, frozen=True):
    """An export: what every run works with, and the way to Telegram."""

    config: RunConfig
    telegram: TelegramSettings

    async def export(self, selection: Selection) -> RunReport:
        """Export chats one after the other. What ends the run is raised; the report is kept all the same."""
        async with open_run(self.config) as run, open_telegram_session(run, self.telegram) as telegram:
            self.config.events.emit(PhaseStarted("resolving"))
            chosen = await select_chats(telegram, selection, self.config.events)

            async def known(text: str) -> Sequence[Person]:
                return await run.archive_thread(run.archive.people.called, text)

            senders = await sender_ids(telegram, selection.filters.senders, [one.chat for one in chosen], known)
            context = run.context(telegram.account.id)
            await run.archive_thread(store_account, run.archive, self.config.settings.account, telegram.account.id)
            async with run.stages(context) as stages:
                exporter = ChatExporter(
                    stages,
                    telegram,
                    selection.filters,
                    senders,
                    selection.comments if selection.comments is not None else self.config.settings.comments or None,
                    selection.stories,
                )
                async with self._takeout(telegram, chosen, selection):
                    chat_folders = await exporter.export_all(chosen)
                    if selection.left:
                        chat_folders += await exporter.export_all(await self._left_chats(telegram, selection, chosen))
                await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
        return run.report

    async def _left_chats(
        self, telegram: Telegram, selection: Selection, chosen: Sequence[SelectedChat]
    ) -> list[SelectedChat]:
        """The chats the account has left; told as a problem where Telegram does not list them."""
        if not telegram.in_takeout:
            self.config.events.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            return []
        return await left_channels(telegram, selection, chosen)

    def _wants_files(self, chosen: Sequence[SelectedChat], selection: Selection) -> bool:
        policy, comments = self.config.policy, selection.comments or self.config.settings.comments
        others = bool(selection.left or comments)
        return any(policy.of(one.chat).kinds for one in chosen) or (others and bool(policy.kinds))

    @asynccontextmanager
    async def _takeout(
        self, telegram: Telegram, chosen: Sequence[SelectedChat], selection: Selection
    ) -> AsyncIterator[None]:
        """A takeout session with just the scopes these chats need, unless the owner wants none."""
        if not self.config.settings.takeout:
            reason = "the normal API was used, as --no-takeout or the settings say"
            self.config.events.emit(TakeoutChanged("off", reason=reason))
            await telegram.finish_stored_takeout()
            yield
            return
        if not (chosen or selection.left):
            yield
            return
        # What a list of chats tells does not say whether a supergroup grew from a basic group.
        grown = any(one.chat.migrated_from or (one.chat.kind == "supergroup" and not one.is_full) for one in chosen)
        more = {"chats"} if grown else set()
        more |= {"channels", "megagroups"} if selection.left else set()
        more |= {"megagroups"} if selection.comments or self.config.settings.comments else set()
        scopes = takeout_scopes([one.chat for one in chosen], media=self._wants_files(chosen, selection), more=more)
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
