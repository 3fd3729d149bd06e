"""``tobs export``: connect to Telegram, select the chats, export one after the other."""

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
    """An export: its configuration and its Telegram settings."""

    config: RunConfig
    telegram: TelegramSettings

    async def export(self, selection: Selection) -> RunReport:
        """Export the selected chats one after the other. An error that ends the run is raised; the report is stored
        anyway."""
        async with open_run(self.config) as run, open_telegram_session(run, self.telegram) as telegram:
            self.config.events.emit(PhaseStarted("resolving"))
            selected = await select_chats(telegram, selection, self.config.events)

            async def known(text: str) -> Sequence[Person]:
                return await run.archive_thread(run.archive.people.called, text)

            senders = await sender_ids(telegram, selection.filters.senders, [item.chat for item in selected], known)
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
                async with self._takeout(telegram, selected, selection):
                    chat_folders = await exporter.export_all(selected)
                    if selection.left:
                        chat_folders += await exporter.export_all(await self._left_chats(telegram, selection, selected))
                await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
        return run.report

    async def _left_chats(
        self, telegram: Telegram, selection: Selection, selected: Sequence[SelectedChat]
    ) -> list[SelectedChat]:
        """Return the channels that the account has left; without a takeout session there are none, which is a
        problem."""
        if not telegram.in_takeout:
            self.config.events.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            return []
        return await left_channels(telegram, selection, selected)

    def _wants_files(self, selected: Sequence[SelectedChat], selection: Selection) -> bool:
        policy, comments = self.config.policy, selection.comments or self.config.settings.comments
        others = bool(selection.left or comments)
        return any(policy.of(item.chat).kinds for item in selected) or (others and bool(policy.kinds))

    @asynccontextmanager
    async def _takeout(
        self, telegram: Telegram, selected: Sequence[SelectedChat], selection: Selection
    ) -> AsyncIterator[None]:
        """Open a takeout session with only the scopes that these chats need, unless it is switched off."""
        if not self.config.settings.takeout:
            reason = "the normal API was used, as --no-takeout or the settings say"
            self.config.events.emit(TakeoutChanged("off", reason=reason))
            await telegram.finish_stored_takeout()
            yield
            return
        if not (selected or selection.left):
            yield
            return
        # A list of chats does not show whether a supergroup grew from a basic group.
        migrated = any(
            item.chat.migrated_from or (item.chat.kind == "supergroup" and not item.is_full) for item in selected
        )
        extra = {"chats"} if migrated else set()
        extra |= {"channels", "megagroups"} if selection.left else set()
        extra |= {"megagroups"} if selection.comments or self.config.settings.comments else set()
        scopes = takeout_scopes(
            [item.chat for item in selected], media=self._wants_files(selected, selection), more=extra
        )
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
    """Return the scopes that a takeout session for ``chats`` (and ``more``) needs."""
    scopes = {scope for chat in chats for scope in _SCOPES[chat.kind]} | set(more)
    return sorted(scopes | ({"files"} if media else set()))
