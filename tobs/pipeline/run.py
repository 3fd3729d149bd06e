"""One export run: opens what it needs in the right order, exports target by target, closes all, reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from loguru import logger
from msgspec import Struct

from tobs.archive import Archive, open_archive
from tobs.config import Machine, Profile, Settings
from tobs.errors import TobsError
from tobs.media import Chain, MediaPolicy
from tobs.model import Chat
from tobs.pipeline.chat_run import ChatExporter
from tobs.pipeline.desk import Desk, Studio
from tobs.pipeline.export import Limits, finish_notes
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.notes import NoteWriter
from tobs.pipeline.presses import Presses
from tobs.pipeline.report import IdlePlugin, ProcessorCounts, Reporter, RunReport
from tobs.pipeline.selection import Chosen, Selection, choose_chats, left_chats
from tobs.pipeline.stores import ArchiveFiles, ArchivePeers, ArchiveResults, ArchiveTakeouts
from tobs.plugin.catalogue import Catalogue
from tobs.plugin.host import Host, HostLimits
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions
from tobs.telegram.client import Telegram, open_telegram
from tobs.telegram.events import (
    Event,
    FloodWaited,
    MessageUnreadable,
    Reconnected,
    ReferenceRenewed,
    Retried,
    TakeoutRefused,
    TakeoutStarted,
)
from tobs.telegram.settings import TelegramSettings
from tobs.telegram.takeout import refusal_told
from tobs.vault.missing import missing_notes, require_presence
from tobs.vault.obsidian import update_settings
from tobs.vault.workspace import Workspace


class ExportRun(Struct, frozen=True):
    """Everything an export works with; ``export`` does it."""

    settings: Settings
    profile: Profile
    machine: Machine
    telegram: TelegramSettings
    workspace: Workspace
    templates: Templates
    zone: ZoneInfo
    catalogue: Catalogue
    environment: Mapping[str, str]
    reporter: Reporter
    accept_missing: bool

    async def export(self, selection: Selection) -> RunReport:
        """Export chats one after the other. What ends the run is raised; the report is kept all the same."""
        targets = self.reporter.report.targets
        async with Keeper() as keeper:
            archive = await keeper(open_archive, self.workspace.archive, clock=time.time)
            try:
                await keeper(archive.runs.start, self.reporter.report.run_id, self.reporter.report.command, targets)
                await keeper(self._require_notes, archive)
                try:
                    await self._export_all(keeper, archive, selection)
                except TobsError as error:
                    self.reporter.failed(error, ", ".join(targets))
                    raise
                except asyncio.CancelledError:
                    self.reporter.problem("interrupted", ", ".join(targets), "stopped by the user; state is kept")
                    raise
                finally:
                    await asyncio.shield(keeper(self._keep_report, archive))
            finally:
                await asyncio.shield(keeper(archive.close))
        return self.reporter.report

    async def _export_all(self, keeper: Keeper, archive: Archive, selection: Selection) -> None:
        peers, takeouts = ArchivePeers(archive, keeper), ArchiveTakeouts(archive, keeper)
        on_event = partial(tell, self.reporter)
        async with (
            open_telegram(self.telegram, peers=peers, takeouts=takeouts, on_event=on_event) as telegram,
            Host(env=self.environment, limits=self._host_limits()) as host,
        ):
            try:
                self.reporter.phase = "resolving"
                chosen = await choose_chats(telegram, selection, self.reporter)
                senders = [(await telegram.resolve(sender)).id for sender in selection.filters.senders]
                desk = self._desk(archive, telegram.account.id)
                chain = Chain(
                    self.catalogue.processors,
                    host,
                    ArchiveResults(archive, keeper),
                    staging=self.workspace.staging,
                    locate=ArchiveFiles(archive, keeper, self.workspace.root),
                )
                async with Presses(desk.studio, keeper, processes=_processes(self.machine, self.profile)) as press:
                    writer = NoteWriter(desk, keeper, press)
                    exporter = ChatExporter(
                        desk,
                        keeper,
                        writer,
                        chain,
                        telegram,
                        selection.filters,
                        senders,
                        self._policy(),
                        self._limits(),
                    )
                    async with self._takeout(telegram, chosen, selection) as granted:
                        if selection.left:
                            chosen += await self._left_chats(telegram, selection, chosen, granted=granted)
                        places = await exporter.export_all(chosen)
                    await finish_notes(desk, keeper, writer, places)
                self._count_processors(chain)
            finally:
                tell_plugins(self.reporter, self.catalogue, host.off)
                self.reporter.report.requests = telegram.requests.total()
                await peers.flush()
        await keeper(update_settings, self.workspace.root, prefix=self.settings.property_prefix)

    async def _left_chats(
        self, telegram: Telegram, selection: Selection, chosen: Sequence[Chosen], *, granted: bool
    ) -> list[Chosen]:
        """The chats the account has left; told as a problem where Telegram does not list them."""
        if not granted:
            self.reporter.problem("left chats", "--left", "Telegram lists left chats only in a takeout session")
            return []
        return await left_chats(telegram, selection, chosen)

    @asynccontextmanager
    async def _takeout(self, telegram: Telegram, chosen: Sequence[Chosen], selection: Selection) -> AsyncIterator[bool]:
        """A takeout session with just the scopes these chats need, unless the owner wants none; is there one?"""
        if not self.settings.takeout or not (chosen or selection.left):
            yield False
            return
        # What a list of chats tells does not say whether a supergroup grew from a basic group.
        grown = any(one.chat.migrated_from or (one.chat.kind == "supergroup" and not one.is_full) for one in chosen)
        more = {"chats"} if grown else set()
        more |= {"channels", "megagroups"} if selection.left else set()
        scopes = takeout_scopes([one.chat for one in chosen], media=bool(self.settings.media), more=more)
        async with telegram.takeout(scopes) as granted:
            yield granted

    def _desk(self, archive: Archive, account: int) -> Desk:
        settings = self.settings
        options = RenderOptions(
            timezone=self.zone,
            language=settings.language,
            property_prefix=settings.property_prefix,
            tag_prefix=settings.tag_prefix,
            line_breaks=settings.line_breaks,
        )
        studio = Studio(
            archive=archive,
            account=account,
            root=self.workspace.root,
            zone=self.zone,
            options=options,
            templates=self.templates,
        )
        return Desk(
            studio=studio,
            staging=self.workspace.staging,
            layout=settings.layout,
            reporter=self.reporter,
            batch=self.profile.batch,
        )

    def _policy(self) -> MediaPolicy:
        return MediaPolicy(kinds=frozenset(self.settings.media), max_size=self.settings.max_size)

    def _limits(self) -> Limits:
        return Limits(self.profile.queue_pages, self.profile.downloads)

    def _host_limits(self) -> HostLimits:
        return HostLimits(cpu=max(1, self.profile.workers // 2), io=self.profile.downloads)

    def _require_notes(self, archive: Archive) -> None:
        """Refuse to go on with a vault of which much is missing (it may not be mounted)."""
        written = missing = 0
        for paths in _batched((note.path for note in archive.notes.written_notes()), _PATHS):
            written += len(paths)
            missing += len(missing_notes(self.workspace.root, paths))
        require_presence(written, missing, accept=self.accept_missing)

    def _count_processors(self, chain: Chain) -> None:
        for name, counts in chain.counts.items():
            self.reporter.report.processors[name] = ProcessorCounts(
                done=counts.done, cached=counts.cached, skipped=counts.skipped, failed=counts.failed
            )

    def _keep_report(self, archive: Archive) -> None:
        """The report goes into the archive and under ``.tobs/reports``."""
        report = self.reporter.finish()
        archive.runs.finish(report.run_id, report.to_json())
        path = self.workspace.reports / f"{report.run_id}.json"
        try:
            path.write_bytes(report.to_json())
        except OSError as error:
            logger.warning("The report {} cannot be written: {}", path, error)


def _batched(paths: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(paths)
    while batch := list(islice(rest, size)):
        yield batch


def _processes(machine: Machine, profile: Profile) -> int:
    """Processes that press notes: none on one CPU, else as many as the profile has use for."""
    return 0 if machine.cpus < 2 else min(machine.cpus, max(1, profile.workers // 2))


#: Paths looked at together when the vault is counted.
_PATHS = 20_000

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


def tell_plugins(reporter: Reporter, catalogue: Catalogue, off: Mapping[str, str]) -> None:
    """Name the plugins that did not run, and those that were switched ``off`` while they did, each with the reason."""
    for info in catalogue.plugins:
        if info.state not in ("ready", "off"):
            reporter.report.plugins.append(IdlePlugin(info.name, info.state, info.reason))
        if info.state == "broken":
            reporter.problem("plugin", info.name, info.reason, retryable=False)
    for name, reason in off.items():
        reporter.report.plugins.append(IdlePlugin(name, "switched off", reason))
        reporter.problem("plugin", name, f"off for the rest of the run: {reason}")


def tell(reporter: Reporter, event: Event) -> None:
    """What happened on the way to Telegram, as the report tells it."""
    match event:
        case FloodWaited(method=method, seconds=seconds):
            reporter.waited(method, seconds)
        case Retried(method=method, reason=reason):
            reporter.recovered(f"{method} again after {reason}")
        case Reconnected():
            reporter.recovered("connection lost and restored")
        case TakeoutRefused():
            logger.warning(refusal_told(event))
            reporter.recovered(refusal_told(event))
        case ReferenceRenewed():
            reporter.recovered("file reference expired and was renewed")
        case TakeoutStarted(id=takeout_id, resumed=resumed):
            logger.info("takeout session {} {}", takeout_id, "resumed" if resumed else "started")
        case MessageUnreadable(chat_id=chat_id, message_id=message_id, reason=reason):
            # The page it belongs to tells it as a problem.
            logger.info("message {} of {} cannot be read: {}", message_id, chat_id, reason)
