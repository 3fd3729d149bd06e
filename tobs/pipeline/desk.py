"""What making notes needs, handed from the composition root to the stages that run in the keeper's thread."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.archive import Archive
from tobs.model import Chat
from tobs.pipeline.report import Reporter
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions
from tobs.vault.layout import LayoutName


class Desk(Struct, frozen=True):
    """The archive and the vault of a run. ``account`` is the user id of who is logged in."""

    archive: Archive
    account: int
    root: Path
    staging: Path
    zone: ZoneInfo
    layout: LayoutName
    options: RenderOptions
    templates: Templates
    reporter: Reporter
    batch: int


class ChatPlace(Struct, frozen=True):
    """A chat, its own note, and its folder in the vault."""

    chat: Chat
    note_id: int
    folder: str
