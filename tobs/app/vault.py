"""The vault of a run: found or created, locked, cleaned up, with its templates and its time zone."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from loguru import logger

from tobs.app.context import AppContext
from tobs.app.logs import log_to_file
from tobs.app.plugins import plugin_functions
from tobs.config import TrustStore
from tobs.config.home import local_timezone
from tobs.config.vault_paths import TOBS
from tobs.errors import ConfigError

if TYPE_CHECKING:
    from tobs.config.vault_paths import VaultPaths
    from tobs.plugin.functions import Functions
    from tobs.render.templates import Templates


@asynccontextmanager
async def open_vault(
    context: AppContext, functions: Functions, *, remark: Callable[[str], None]
) -> AsyncIterator[tuple[VaultPaths, Templates]]:
    """Open the vault for a run: made, locked for writing, without temporary files, its templates checked.

    ``functions`` are those that templates may use; ``remark`` is told where a new archive lies. Raises VaultError,
    TemplateBroken.
    """
    from tobs.render.samples import check_templates
    from tobs.vault.workspace import make_workspace, require_space, sweep

    made = make_workspace(context.vault, context.home, lambda: str(uuid.uuid4()))
    templates = load_templates(context, made.templates, functions)
    for broken in check_templates(templates):
        raise broken
    require_space(made.root)
    async with lock_vault(context, made.root, remark=remark) as paths:
        require_space(paths.data)
        log = log_to_file(paths, context.settings)
        try:
            await asyncio.to_thread(sweep, paths.root)
            yield paths, templates
        finally:
            logger.remove(log)


@asynccontextmanager
async def lock_vault(context: AppContext, root: Path, *, remark: Callable[[str], None]) -> AsyncIterator[VaultPaths]:
    """Hold the write lock of the existing vault at ``root``; decide where its archive lies. Raises VaultError."""
    from tobs.vault.archive_place import settle_archive
    from tobs.vault.lock import write_lock
    from tobs.vault.workspace import make_data_folders

    root = await asyncio.to_thread(root.resolve)
    with logger.contextualize(vault=str(root)):
        async with write_lock(root / TOBS, clock=time.time, sleep=asyncio.sleep):
            # Not before: whoever held the lock may have moved the archive.
            paths, text = settle_archive(root, context.home)
            make_data_folders(paths)
            if text:
                remark(text)
            yield paths


def load_templates(context: AppContext, folder: Path, functions: Functions) -> Templates:
    """Load the templates in ``folder`` of the vault, if it exists, and those of tobs. They may use the ``functions`` of
    plugins."""
    from tobs.render.templates import Templates

    loader = _template_loader(folder, TrustStore(context.home))
    return Templates(loader, functions.by_name, made_by=functions.digest)


def check_vault_templates(context: AppContext, folder: Path) -> None:
    """Raise TemplateBroken, ConfigError for a template in ``folder`` that cannot be used as it is now."""
    from tobs.render.samples import check_templates

    with plugin_functions(context) as functions:
        for broken in check_templates(load_templates(context, folder, functions)):
            raise broken


def _template_loader(folder: Path, trust: TrustStore) -> Callable[[str], tuple[str, bool] | None]:
    """Return a loader: the owner's template if there is one (sandboxed unless trusted), else that of tobs."""
    from tobs.render.builtin import load_builtin

    def load(name: str) -> tuple[str, bool] | None:
        path = folder / name
        if path.parent != folder or not path.is_file():
            return load_builtin(name)
        try:
            return path.read_text(encoding="utf-8"), trust.trusts(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The template {path} cannot be read: {error}.", "Fix or remove it.") from error

    return load


def vault_zone(context: AppContext, paths: VaultPaths) -> ZoneInfo:
    """The vault's time zone. The first run writes it into the vault's configuration, where it stays."""
    from tobs.vault.workspace import record_timezone, recorded_timezone

    name = recorded_timezone(paths)
    if name is None:
        name = context.settings.timezone or local_timezone()
        record_timezone(paths, name)
    elif context.settings.timezone not in ("", name):
        logger.warning("The vault's time zone stays {}; {} is ignored.", name, context.settings.timezone)
    return ZoneInfo(name)
