"""The context of a run, passed to the stages that work with the archive and the vault."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.archive import Archive
from tobs.model import Chat
from tobs.model.blobs import Blobs
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.post_render import PostRender
from tobs.plugin.protocol import Opening
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions
from tobs.vault.layout import AskedLayout, LayoutName


class RenderContext(Struct, frozen=True):
    """The parts that render archived messages into notes. ``account`` is the user id of the logged-in account.
    The archive is only read, so that other processes may have a context of their own. In a dry run no file is
    written; changes are only reported."""

    archive: Archive
    account: int
    root: Path
    zone: ZoneInfo
    options: RenderOptions
    templates: Templates
    is_dry_run: bool = False
    #: References by which another process opens the template functions of plugins.
    functions: tuple[Opening, ...] = ()
    #: Plugins that change notes after they are rendered; None where there are none.
    post_render: PostRender | None = None


class TransferMeter:
    """Counts the bytes of media that a run has transferred, against the run's media budget."""

    def __init__(self) -> None:
        self.bytes = 0

    def add(self, count: int) -> None:
        """Count ``count`` more bytes."""
        self.bytes += count


class RunContext(Struct, frozen=True):
    """The archive and the vault of a run, for the one thread that writes into the archive. ``layout`` is the layout of
    chats that are new to the vault, ``batch`` the number of notes written together."""

    render_context: RenderContext
    staging: Path
    blobs: Blobs
    layout: AskedLayout
    events: RunEvents
    meter: TransferMeter
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
    """A chat, its note and its folder in the vault. ``filed_under`` is the id of the chat whose note and folder these
    are: the chat itself as a rule, the supergroup for a basic group that became one. ``is_part``: the run fetches
    only a part of the chat, so the end of that part is planned and attached though older messages are missing.
    ``is_filed_elsewhere``: messages with ids of their own in the folder of another chat (stories, and groups of which
    only comments are archived)."""

    chat: Chat
    note_id: int
    folder: str
    filed_under: int
    layout: LayoutName
    is_part: bool = False
    is_filed_elsewhere: bool = False
