"""The session of a run: the open archive, plugins and report, and from these the stages of chats.

async with open_run(config) as run:                # the archive, the run's row, the plugins, the report
    context = run.context(account)
    async with run.stages(context) as stages:      # the note writer, the chain of processors, the enrichers
        ...
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import msgspec
from loguru import logger
from msgspec import Struct

from tobs.archive import Archive, open_archive
from tobs.config import Machine, Profile, Settings
from tobs.config.vault_paths import VaultPaths
from tobs.errors import TobsError
from tobs.media import Chain, DownloadLimits, MediaPolicy
from tobs.model.events import PluginIdled, ProcessorCounted
from tobs.model.report import RunReport
from tobs.pipeline.context.adapters import ArchiveFiles, ArchiveResults, open_blobs
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.post_render import PostRender, stopped_with
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RenderContext, RunContext, TransferMeter
from tobs.pipeline.media.attach import finish_edits
from tobs.pipeline.media.wanted import media_policy
from tobs.pipeline.notes.adoption import adopt_notes
from tobs.pipeline.notes.enrich import Enrichers
from tobs.pipeline.notes.note_writer import NoteWriter, mark_changed_templates
from tobs.pipeline.notes.relayout import finish_relayouts, resume_relayouts
from tobs.pipeline.notes.render_pool import RenderPool
from tobs.pipeline.notes.vault_scan import scan_vault
from tobs.pipeline.session.chat_stages import ChatStages, Limits
from tobs.pipeline.session.exporters import Exporters, exporting
from tobs.pipeline.session.run_hooks import announce_end, announce_start
from tobs.plugin.catalogue import Catalogue
from tobs.plugin.functions import Functions
from tobs.plugin.host import Host, HostLimits
from tobs.plugin.processor import Processor
from tobs.render.plugin_fields import NO_PROPERTY
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions
from tobs.vault.obsidian import update_settings
from tobs.vault.person_notes import person_notes


class RunConfig(Struct, frozen=True):
    """The configuration of any run. ``strict``: the first failure of a plugin ends the run; ``media_later``: leave
    files to a later run. ``post_render_plugins`` change notes after they are rendered, in a dry run too."""

    settings: Settings
    profile: Profile
    machine: Machine
    paths: VaultPaths
    templates: Templates
    functions: Functions
    post_render_plugins: tuple[Processor, ...]
    zone: ZoneInfo
    catalogue: Catalogue
    environment: Mapping[str, str]
    report: ReportBuilder
    accept_missing: bool
    strict: bool = False
    media_later: bool = False

    @property
    def events(self) -> RunEvents:
        """The events of the run."""
        return self.report.events

    @property
    def policy(self) -> MediaPolicy:
        """The policy for wanted media."""
        return media_policy(self.settings)

    @property
    def limits(self) -> Limits:
        """The limits of pages and files."""
        settings = self.settings
        download_limits = DownloadLimits(settings.media_budget, settings.disk_floor, later=self.media_later)
        return Limits(self.profile.queue_pages, self.profile.downloads, download_limits)


class RunSession(Struct, frozen=True):
    """A run with its archive and its plugins. Use ``archive`` in ``archive_thread`` only; ``host`` calls plugins,
    ``exporters`` export new messages, ``post_render`` changes notes after they are rendered."""

    config: RunConfig
    archive_thread: ArchiveThread
    archive: Archive
    host: Host
    exporters: Exporters
    post_render: PostRender | None

    @property
    def report(self) -> RunReport:
        """The report so far."""
        return self.config.report.report

    def context(self, account: int) -> RunContext:
        """Return the context of the run for ``account`` (user id)."""
        config, settings = self.config, self.config.settings
        options = RenderOptions(
            timezone=config.zone,
            language=settings.language,
            property_prefix=settings.property_prefix,
            tag_prefix=settings.tag_prefix,
            line_breaks=settings.line_breaks,
            deleted=settings.deleted != "keep",
            versions=settings.keep_versions,
            digest=settings.digest,
        )
        render_context = RenderContext(
            archive=self.archive,
            account=account,
            root=config.paths.root,
            zone=config.zone,
            options=options,
            templates=config.templates,
            functions=config.functions.openings,
            post_render=self.post_render,
        )
        return RunContext(
            render_context=render_context,
            staging=config.paths.staging,
            blobs=open_blobs(self.archive, config.paths.root),
            layout=settings.layout,
            events=config.events,
            meter=TransferMeter(),
            batch=config.profile.batch,
        )

    @asynccontextmanager
    async def stages(self, context: RunContext, policy: MediaPolicy | None = None) -> AsyncIterator[ChatStages]:
        """The stages of chats, with all they need; ``policy``: which files are wanted, if not those of the settings."""
        config = self.config
        async with self.chain() as chain, self.writer(context) as writer:
            enrichers = self.enrichers(context)
            yield ChatStages(
                context, self.archive_thread, writer, chain, enrichers, policy or config.policy, config.limits
            )

    @asynccontextmanager
    async def writer(self, context: RunContext) -> AsyncIterator[NoteWriter]:
        """Open the note writer with its render processes; notes of changed templates become stale. At the end the
        properties of the notes are added to Obsidian's settings."""
        await self.archive_thread(adopt_notes, context)
        await self.archive_thread(mark_changed_templates, context)
        await self.archive_thread(resume_relayouts, context)
        processes = _processes(self.config.machine, self.config.profile)
        async with RenderPool(context.render_context, self.archive_thread, processes=processes) as renderer:
            yield NoteWriter(context, self.archive_thread, renderer)
        await self.archive_thread(finish_relayouts, context)
        await self.archive_thread(_update_property_types, self.config, self.archive)

    @asynccontextmanager
    async def chain(self, *, force: bool = False, only: Collection[str] = ()) -> AsyncIterator[Chain]:
        """Open the chain of file processors and report its counts at the end. ``force`` and ``only``: see ``Chain``."""
        config = self.config
        await self.archive_thread(finish_edits, self.archive, config.paths.root, config.paths.staging)
        chain = Chain(
            config.catalogue.processors,
            self.host,
            ArchiveResults(self.archive, self.archive_thread),
            staging=config.paths.staging,
            locate=ArchiveFiles(open_blobs(self.archive, config.paths.root), self.archive_thread),
            force=force,
            only=only,
        )
        try:
            yield chain
        finally:
            for name, counts in chain.counts.items():
                config.events.emit(ProcessorCounted(name, **msgspec.structs.asdict(counts)))

    def enrichers(self, context: RunContext, *, force: bool = False, only: Collection[str] = ()) -> Enrichers:
        """Return the plugins that enrich messages, restricted to the names in ``only`` if there are any. With ``force``
        they are called again for messages that they have enriched."""
        plugins = [plugin for plugin in self.config.catalogue.having("enrich") if not only or plugin.name in only]
        return Enrichers(context, self.archive_thread, self.host, plugins, force=force)


@asynccontextmanager
async def open_run(config: RunConfig) -> AsyncIterator[RunSession]:
    """Open the archive and record the run in it. An error that ends the run is raised after the report is stored.

    Raises VaultError for an archive that cannot be used and for a vault in which many notes are missing.
    """
    events = config.events
    targets = ", ".join(events.targets)
    async with ArchiveThread() as archive_thread:
        archive = await archive_thread(open_archive, config.paths.archive, clock=time.time)
        try:
            await archive_thread(archive.runs.start, events.run_id, events.command, events.targets)
            await archive_thread(scan_vault, archive, config.paths.root, events, accept_missing=config.accept_missing)
            await archive_thread(_scan_person_notes, config, archive)
            try:
                async with (
                    _plugins(config) as host,
                    exporting(_exporters(config, host, archive, archive_thread), config.report) as exporters,
                    _open_post_render(config, archive_thread) as post_render,
                ):
                    yield RunSession(config, archive_thread, archive, host, exporters, post_render)
            except TobsError as error:
                events.failed(error, targets)
                raise
            except asyncio.CancelledError:
                events.problem("interrupted", targets, "stopped by the user; the next run continues")
                raise
            finally:
                await asyncio.shield(archive_thread(store_report, config, archive))
        finally:
            await asyncio.shield(archive_thread(archive.close))


@asynccontextmanager
async def _plugins(config: RunConfig) -> AsyncIterator[Host]:
    """Open the plugins in processes of their own and call their hooks at the start and end of the run. Plugins that did
    not run are reported."""
    limits = HostLimits(cpu=max(1, config.profile.workers // 2), io=config.profile.downloads)
    events, catalogue = config.events, config.catalogue
    async with Host(env=config.environment, limits=limits, strict=config.strict) as host:
        for name, reason in config.functions.faults:
            events.problem(f"plugin {name}", "its functions for templates", reason)
        await announce_start(host, catalogue, config.report)
        error = ""
        try:
            yield host
        except TobsError as raised:
            error = str(raised)
            # The report for plugins has to contain it; ``open_run`` reports the same item, which counts once.
            events.failed(raised, ", ".join(events.targets))
            raise
        finally:
            report_plugins(events, catalogue, host.off)
            if not isinstance(sys.exception(), asyncio.CancelledError):
                await announce_end(host, catalogue, config.report, error)


@asynccontextmanager
async def _open_post_render(config: RunConfig, archive_thread: ArchiveThread) -> AsyncIterator[PostRender | None]:
    """Open the plugins that change rendered notes; they are called in the archive's thread."""
    if not config.post_render_plugins:
        yield None
        return
    post_render = PostRender(config.post_render_plugins, config.environment, strict=config.strict)
    try:
        with stopped_with(post_render):
            yield post_render
    finally:
        await asyncio.shield(archive_thread(post_render.close))


def _exporters(config: RunConfig, host: Host, archive: Archive, archive_thread: ArchiveThread) -> Exporters:
    paths = config.paths
    return Exporters(
        config.catalogue.having("export"), host, archive, archive_thread, root=paths.root, staging=paths.staging
    )


def _update_property_types(config: RunConfig, archive: Archive) -> None:
    """Write the types of all properties of notes, those of plugins too, to Obsidian's settings."""
    found = {name: kind for name, kind in archive.files.plugin_field_types().items() if name not in NO_PROPERTY}
    update_settings(config.paths.root, prefix=config.settings.property_prefix, more=found)


def _scan_person_notes(config: RunConfig, archive: Archive) -> None:
    """Store the people about whom the owner has own notes."""
    archive.people.set_own_notes(person_notes(config.paths.root))


def store_report(config: RunConfig, archive: Archive) -> None:
    """Store the report in the archive and under ``.tobs/reports``."""
    report = config.report.finish()
    archive.runs.finish(report.run_id, report.to_json())
    archive.replaced.prune()
    path = config.paths.reports / f"{report.run_id}.json"
    try:
        path.write_bytes(report.to_json())
    except OSError as error:
        logger.warning("The report {} cannot be written: {}", path, error)


def report_plugins(events: RunEvents, catalogue: Catalogue, off: Mapping[str, str]) -> None:
    """Report the plugins that did not run, and those switched ``off`` during the run, each with its reason."""
    for info in catalogue.plugins:
        if info.state not in ("ready", "off"):
            events.emit(PluginIdled(info.name, info.state, info.reason))
        if info.state == "broken":
            events.problem("plugin", info.name, info.reason, retryable=False)
    for name, reason in off.items():
        events.emit(PluginIdled(name, "switched off", reason))
        events.problem("plugin", name, f"off for the rest of the run: {reason}")


def _processes(machine: Machine, profile: Profile) -> int:
    """Return the number of render processes: 0 on one CPU, else half the workers of the profile. It is at least two
    (conservative profile: one), because rendering a note takes longer than fetching, recording and planning it."""
    least = 1 if profile.name == "conservative" else 2
    return 0 if machine.cpus < 2 else min(machine.cpus, max(least, profile.workers // 2))
