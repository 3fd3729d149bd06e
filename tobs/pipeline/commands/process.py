"""``tobs process``: plugins at work on what the vault has, and what failed or is still wanted fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from tobs.errors import ConfigError, LoginError, TelegramError
from tobs.media import Chain, MediaPolicy
from tobs.pipeline.context.report import RunReport
from tobs.pipeline.context.run_context import ChatPlace, RunContext
from tobs.pipeline.media.download import MediaStage
from tobs.pipeline.media.reprocess import Reprocessing, drop_plugins
from tobs.pipeline.media.wanted import reconsider
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.select.archived_chats import kept_account, kept_places
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import OpenRun, RunConfig, open_run
from tobs.pipeline.session.telegram_session import LateTelegram
from tobs.sources import FetchFile
from tobs.telegram.net.settings import TelegramSettings


class Work(Struct, frozen=True):
    """What is to be done: for which chats (none: all), by which plugins (none: all that run), whether what is known is
    found out again, and whether Telegram is left alone."""

    targets: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    force: bool = False
    offline: bool = False


class ProcessRun(Struct, frozen=True):
    """A run over what is there. ``way`` gives the way to Telegram when something has to be fetched; it may raise."""

    config: RunConfig
    way: Callable[[], TelegramSettings]

    async def process(self, work: Work) -> RunReport:
        """Everything that can be done here, then what has to be fetched. What ends the run is raised."""
        reporter = self.config.reporter
        async with open_run(self.config) as run:
            context = run.context(await run.keeper(kept_account, run.archive, self.config.settings.account))
            places = await run.keeper(kept_places, context, work.targets)
            if not work.plugins:
                await run.keeper(drop_plugins, context, self.config.catalogue)
            enrichers = run.enrichers(context, force=work.force, only=work.plugins)
            async with (
                LateTelegram(run, self.way) as telegram,
                run.chain(force=work.force, only=work.plugins) as chain,
                run.writer(context) as writer,
            ):
                again = Reprocessing(context, run.keeper, chain, None if work.offline else telegram.fetch_file)
                for place in places:
                    reporter.chat, reporter.phase = place.chat.title, "processing"
                    await again.run(place)
                    upto = await run.keeper(settled_to, context, place, final=True)
                    await enrichers.ask(place, upto)
                    # What a plugin hid, and none hides any more.
                    while not (await run.keeper(plan_messages, context, place, upto=upto, final=True)).is_all:
                        pass
                again.tell_missing()
                await self._fetch(run, context, places, chain, None if work.offline else telegram)
                for place in places:
                    await writer.write_messages(place, final=True)
                await finish_notes(context, run.keeper, writer, places)
        return run.report

    async def _fetch(
        self,
        run: OpenRun,
        context: RunContext,
        places: Sequence[ChatPlace],
        chain: Chain,
        telegram: LateTelegram | None,
    ) -> None:
        """Bring what failed before or is still wanted, and place what was fetched. That Telegram cannot be reached is
        told; it ends nothing."""
        staged, wanted = [], []
        for place in places:
            states = await run.keeper(_due, context, place, self.config.policy)
            staged += [place] if "staged" in states else []
            wanted += [place] if {"wanted", "failed"} & states else []
        for place in staged:
            await self._bring(run, context, place, chain, None)
        if telegram is None or not wanted:
            return
        reporter = context.reporter
        reporter.phase = "media"
        try:
            fetch = (await telegram.open()).fetch_file
            for place in wanted:
                reporter.chat = place.chat.title
                await run.keeper(context.archive.media.retry_failed, context.account, place.chat.id)
                await self._bring(run, context, place, chain, fetch)
        except (TelegramError, LoginError, ConfigError) as error:
            reporter.problem("media", "files that are still wanted", str(error))

    async def _bring(
        self, run: OpenRun, context: RunContext, place: ChatPlace, chain: Chain, fetch: FetchFile | None
    ) -> None:
        counts = await run.keeper(context.archive.media.counts, context.account, place.chat.id)
        run.report.media.wanted += counts.get("staged", 0) + (counts.get("wanted", 0) if fetch else 0)
        limits = self.config.limits
        stage = MediaStage(
            context, place, run.keeper, fetch, chain, downloads=limits.downloads, allowance=limits.allowance
        )
        await stage.run(asyncio.Event(), lambda: True, lambda: None)


def _due(context: RunContext, place: ChatPlace, policy: MediaPolicy) -> set[str]:
    """In which states files of a chat are that still has something to be done about them. Of a chat that the
    configuration singles out they are judged again by it."""
    if policy.singles_out(place.chat):
        reconsider(context, place.chat, policy)
    counts = context.archive.media.counts(context.account, place.chat.id)
    retryable = context.archive.media.retryable(context.account, place.chat.id)
    return {state for state in ("staged", "wanted") if counts.get(state)} | ({"failed"} if retryable else set())
