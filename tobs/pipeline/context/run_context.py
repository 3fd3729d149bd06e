"""What making notes needs, handed from the run to the stages that work with the archive and the vault."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.archive import Archive
from tobs.model import Chat
from tobs.pipeline.context.report import Reporter
from tobs.pipeline.notes.post_render import PostRender
from tobs.plugin.protocol import Opening
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions
from tobs.vault.layout import AskedLayout, LayoutName


class RenderContext(Struct, frozen=True):
    """What turns archived messages into files. ``account`` is the user id of who is logged in. The archive is only
    read, so that another process may have a studio too. In a rehearsal no file is written: what would be is told."""

    archive: Archive
    account: int
    root: Path
    zone: ZoneInfo
    options: RenderOptions
    templates: Templates
    is_dry_run: bool = False
    #: How another process comes by the functions that plugins give to templates.
    functions: tuple[Opening, ...] = ()
    #: Plugins with the last word on notes, where there are any.
    post_render: PostRender | None = None


class RunContext(Struct, frozen=True):
    """The archive and the vault of a run, for the one thread that writes into the archive. ``layout`` is that of chats
    that come for the first time."""

    render_context: RenderContext
    staging: Path
    layout: AskedLayout
    reporter: Reporter
    batch: int

    @property
    def archive(self) -> Archive:
        """The archive."""
        return self.render_context.archive

    @property
    def account(self) -> int:
        """The user id of who is logged in; the archive's account."""
        return self.render_context.account

    @property
    def root(self) -> Path:
        """The vault's folder."""
        return self.render_context.root

    @property
    def zone(self) -> ZoneInfo:
        """The vault's time zone."""
        return self.render_context.zone


class ChatFolder(Struct, frozen=True):
    """A chat, the note about it, and its folder in the vault. A basic group that became a supergroup is filed in the
    note and folder of that, which is its ``home`` (a chat's own id as a rule). ``is_part``: the run brings only a part
    of the chat, so what there is at its end is planned and placed though older messages are missing. A guest is
    filed in the folder of another chat, with ids of its own: stories, and groups of which only comments are here."""

    chat: Chat
    note_id: int
    folder: str
    home: int
    layout: LayoutName
    is_part: bool = False
    is_guest: bool = False
