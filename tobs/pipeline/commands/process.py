"""``tobs process``: run plugins on the files and messages of the vault, and fetch files that failed or are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from tobs.errors import ConfigError, LoginError, TelegramError
from tobs.media import Chain, MediaPolicy
from tobs.model.events import ChatStarted, MediaCounted, PhaseStarted
from tobs.model.report import RunReport
from tobs.model.requests import ProcessRequest
from tobs.pipeline.context.chat_sources import source_config
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.download import MediaStage
from tobs.pipeline.media.reprocess import Reprocessing, forget_plugins
from tobs.pipeline.media.wanted import reconsider
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.select.archived_chats import archived_folders, stored_account
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, RunSession, open_run
from tobs.pipeline.session.telegram_session import LazyTelegram
from tobs.sources import FetchFile
from tobs.sources.registry import continuing
from tobs.sources.telegram import TELEGRAM
from tobs.telegram.net.settings import TelegramSettings


class ProcessRun(Struct, frozen=True):
    """A run over the archived chats.

    ``telegram_settings`` returns the settings when something has to be fetched; it may raise ConfigError.
    """

    config: RunConfig
    telegram_settings: Callable[[], TelegramSettings]

    async def process(self, request: ProcessRequest) -> RunReport:
        """Process all that is in the vault, then fetch files. An error that ends the run is raised."""
        events = self.config.events
        async with open_run(self.config) as run:
            context = run.context(await run.archive_thread(stored_account, run.archive, self.config.settings.account))
            chat_folders = await run.archive_thread(archived_folders, context, request.targets)
            if not request.plugins:
                await run.archive_thread(forget_plugins, context, self.config.catalogue)
            enrichers = run.enrichers(context, force=request.force, only=request.plugins)
            async with (
                LazyTelegram(run, self.telegram_settings) as telegram,
                run.chain(force=request.force, only=request.plugins) as chain,
                run.writer(context) as writer,
            ):
                reprocessing = Reprocessing(
                    context, run.archive_thread, chain, None if request.offline else telegram.fetch_file
                )
                for chat_folder in chat_folders:
                    events.emit(ChatStarted(chat_folder.chat.title))
                    events.emit(PhaseStarted("processing"))
                    await reprocessing.run(chat_folder)
                    upto = await run.archive_thread(settled_to, context, chat_folder, final=True)
                    await enrichers.ask(chat_folder, upto)
                    # Messages that no plugin hides any more.
                    while not (
                        await run.archive_thread(plan_messages, context, chat_folder, upto=upto, final=True)
                    ).is_all:
                        pass
                reprocessing.report_missing()
                await self._fetch(run, context, chat_folders, chain, None if request.offline else telegram)
                for chat_folder in chat_folders:
                    await writer.write_messages(chat_folder, final=True)
                await finish_notes(context, run.archive_thread, writer, chat_folders)
        return run.report

    async def _fetch(
        self,
        run: RunSession,
        context: RunContext,
        chat_folders: Sequence[ChatFolder],
        chain: Chain,
        telegram: LazyTelegram | None,
    ) -> None:
        """Attach staged files, and fetch those that failed or are wanted.

        If the source cannot be reached, this is a problem; the run goes on.
        """
        staged, wanted = [], []
        for chat_folder in chat_folders:
            states = await run.archive_thread(_due, context, chat_folder, self.config.policy)
            staged += [chat_folder] if "staged" in states else []
            wanted += [chat_folder] if {"wanted", "failed"} & states else []
        for chat_folder in staged:
            await self._fetch_media(run, context, chat_folder, chain, None)
        if wanted:
            context.events.emit(PhaseStarted("media"))
        sources = await run.archive_thread(context.archive.chats.sources, context.account)
        try:
            # Sources that need no connection come first.
            for chat_folder in sorted(wanted, key=lambda one: continuing(sources[one.chat.id]).name == TELEGRAM):
                kind, opened = continuing(sources[chat_folder.chat.id]), None
                if kind.name == TELEGRAM:
                    if telegram is None:
                        return
                    opened = await telegram.open()
                async with kind.open(source_config(context, run.archive_thread, kind, opened)) as source:
                    await self._retry_media(run, context, chat_folder, chain, source.fetch_file)
        except (TelegramError, LoginError, ConfigError) as error:
            context.events.problem("media", "files that are still wanted", str(error))

    async def _retry_media(
        self, run: RunSession, context: RunContext, chat_folder: ChatFolder, chain: Chain, fetch: FetchFile
    ) -> None:
        context.events.emit(ChatStarted(chat_folder.chat.title))
        await run.archive_thread(context.archive.media.retry_failed, context.account, chat_folder.chat.id)
        await self._fetch_media(run, context, chat_folder, chain, fetch)

    async def _fetch_media(
        self, run: RunSession, context: RunContext, chat_folder: ChatFolder, chain: Chain, fetch: FetchFile | None
    ) -> None:
        counts = await run.archive_thread(context.archive.media.counts, context.account, chat_folder.chat.id)
        wanted = counts.get("staged", 0) + (counts.get("wanted", 0) if fetch else 0)
        context.events.emit(MediaCounted(wanted=wanted))
        limits = self.config.limits
        stage = MediaStage(
            context,
            chat_folder,
            run.archive_thread,
            fetch,
            chain,
            downloads=limits.downloads,
            download_limits=limits.download_limits,
        )
        await stage.run(asyncio.Event(), lambda: True, lambda: None)


def _due(context: RunContext, chat_folder: ChatFolder, policy: MediaPolicy) -> set[str]:
    """Return the states of files of a chat that need work.

    If the configuration has a policy for the chat, it is applied to the files first.
    """
    if policy.has_policy_for(chat_folder.chat):
        reconsider(context, chat_folder.chat, policy)
    counts = context.archive.media.counts(context.account, chat_folder.chat.id)
    retryable = context.archive.media.retryable(context.account, chat_folder.chat.id)
    return {state for state in ("staged", "wanted") if counts.get(state)} | ({"failed"} if retryable else set())
