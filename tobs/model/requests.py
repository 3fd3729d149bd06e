"""Requests: everything a person, a job or another program can ask tobs to do, as plain data.

``Request`` is a union of frozen structs. In JSON its field ``request`` names the type. Requests hold ids, names and
options; never secrets, open files or functions. Paths are strings.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from tobs.errors import UsageError

ArchivePlace = Literal["vault", "home"]
"""Places of an archive: in the vault's ``.tobs``, or under TOBS_HOME."""

MediaMode = Literal["copy", "link", "move"]
"""How the files of a Telegram Desktop export get into the vault."""


class ChatSelection(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Chats of the account: ``targets``, or ``all`` of them, with the ``left`` channels, without those that ``exclude``
    names. ``join`` follows invite links. ``comments`` includes the comments under posts (None: as configured or as in
    an earlier run), ``stories`` the stories of the chats."""

    targets: tuple[str, ...] = ()
    all: bool = False
    left: bool = False
    exclude: tuple[str, ...] = ()
    join: bool = False
    comments: bool | None = None
    stories: bool = False


class MessageFilter(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Filters for messages, as text that a person writes: dates such as ``2024-01-31`` or ``7d``, ids, senders, topic
    ids, message types, and an expression (``where``). None or empty: no filter."""

    since: str | None = None
    until: str | None = None
    min_id: int | None = None
    max_id: int | None = None
    limit: int | None = None
    senders: tuple[str, ...] = ()
    topics: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    where: str | None = None


class FetchOptions(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings for this request alone, named as in the configuration (None: as configured there)."""

    profile: str | None = None
    workers: int | None = None
    layout: str | None = None
    media: str | None = None
    max_size: str | None = None
    takeout: bool | None = None
    media_budget: str | None = None
    bandwidth: str | None = None


class _Request(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="request"):
    """Base of the union: settings of msgspec alone."""


class ExportRequest(_Request, frozen=True, tag="export"):
    """Export chats into the vault. ``name`` is the command that the report names."""

    chats: ChatSelection = ChatSelection()
    messages: MessageFilter = MessageFilter()
    fetch: FetchOptions = FetchOptions()
    media_later: bool = False
    strict: bool = False
    accept_missing: bool = False
    name: str = "export"


class PlanRequest(_Request, frozen=True, tag="plan"):
    """Estimate an export; nothing is changed."""

    chats: ChatSelection = ChatSelection()
    messages: MessageFilter = MessageFilter()
    fetch: FetchOptions = FetchOptions()


class SyncRequest(_Request, frozen=True, tag="sync"):
    """Fetch the changes of archived chats (no ``targets``: all). ``counters`` refreshes views, reactions and polls,
    ``fill`` fetches what is missing, ``accept_deletions`` allows the deletion of much of a chat."""

    targets: tuple[str, ...] = ()
    dry_run: bool = False
    counters: bool = False
    fill: bool = False
    accept_deletions: bool = False
    accept_missing: bool = False


class WatchRequest(_Request, frozen=True, tag="watch"):
    """Keep the vault up to date until the run is stopped; ``every`` is the time between two polls, such as ``15m``."""

    targets: tuple[str, ...] = ()
    every: str | None = None


class WatchStatusRequest(_Request, frozen=True, tag="watch-status"):
    """Read the status of the vault's watch."""


class WatchPauseRequest(_Request, frozen=True, tag="watch-pause"):
    """Pause the vault's watch, or let it continue."""

    paused: bool = True


class ImportRequest(_Request, frozen=True, tag="import"):
    """Import the Telegram Desktop export at ``path``. ``timezone`` is that of the exporting computer (empty: the
    vault's), ``chat`` the chat of an export in HTML, which does not name its own."""

    path: str
    media_mode: MediaMode = "copy"
    timezone: str = ""
    chat: str = ""
    fetch: FetchOptions = FetchOptions()
    accept_missing: bool = False


class ImportPlanRequest(_Request, frozen=True, tag="import-plan"):
    """Compare the Telegram Desktop export at ``path`` with the archive; nothing is changed."""

    path: str
    timezone: str = ""
    chat: str = ""


class RenderRequest(_Request, frozen=True, tag="render"):
    """Render notes from the archive (no ``targets``: all chats), in another ``layout`` if one is given. ``dry_run``
    writes nothing, ``diff`` also shows the differences, ``restore`` writes notes that their owner deleted."""

    targets: tuple[str, ...] = ()
    layout: str | None = None
    since: str | None = None
    until: str | None = None
    dry_run: bool = False
    diff: bool = False
    restore: bool = False
    accept_missing: bool = False


class TemplateCheckRequest(_Request, frozen=True, tag="template-check"):
    """Render every template with sample data; nothing is written."""


class ProcessRequest(_Request, frozen=True, tag="process"):
    """Run plugins on archived chats (no ``targets``: all; no ``plugins``: all that are ready) and fetch missing files.
    ``force`` processes again what has a result, ``offline`` sends nothing to Telegram."""

    targets: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    force: bool = False
    offline: bool = False
    fetch: FetchOptions = FetchOptions()
    strict: bool = False
    accept_missing: bool = False


class VerifyRequest(_Request, frozen=True, tag="verify"):
    """Check archive, notes, links and attachments against each other; ``repair`` fixes what needs no Telegram."""

    repair: bool = False


class UndoRequest(_Request, frozen=True, tag="undo"):
    """Undo the changes that a run made to notes: its id, or ``last``."""

    run: str
    accept_missing: bool = False


class UndoListRequest(_Request, frozen=True, tag="undo-list"):
    """List the runs that can be undone, newest first."""


class BackupRequest(_Request, frozen=True, tag="backup"):
    """Copy the archive to the file or folder ``target`` (empty: the vault's backups)."""

    target: str = ""


class BackupListRequest(_Request, frozen=True, tag="backup-list"):
    """List the backups of the vault, newest first."""


class RestoreRequest(_Request, frozen=True, tag="restore"):
    """Replace the archive by the backup ``source`` (empty: the newest of the vault)."""

    source: str = ""


class VaultPathsRequest(_Request, frozen=True, tag="vault-paths"):
    """Read the paths of the vault: where its archive, backups and other files lie."""


class MoveArchiveRequest(_Request, frozen=True, tag="move-archive"):
    """Move the archive with its backups: ``home`` is under TOBS_HOME, ``vault`` in ``.tobs`` of the vault."""

    to: ArchivePlace = "home"


class ChatsRequest(_Request, frozen=True, tag="chats"):
    """List the chats of the account whose title or username contains ``pattern``, the first ``counted`` of them with
    the number of their messages."""

    pattern: str = ""
    counted: int = 0


RunRequest = ExportRequest | SyncRequest | ImportRequest | RenderRequest | ProcessRequest | UndoRequest
"""Requests that are answered with a run report."""

Request = (
    RunRequest
    | PlanRequest
    | WatchRequest
    | WatchStatusRequest
    | WatchPauseRequest
    | ImportPlanRequest
    | TemplateCheckRequest
    | VerifyRequest
    | UndoListRequest
    | BackupRequest
    | BackupListRequest
    | RestoreRequest
    | VaultPathsRequest
    | MoveArchiveRequest
    | ChatsRequest
)


def encode_request(request: Request) -> bytes:
    """``request`` as JSON."""
    return msgspec.json.encode(request)


def decode_request(data: bytes | str) -> Request:
    """Read a request from JSON. Raises UsageError that names the field and what is wrong with it."""
    try:
        return msgspec.json.decode(data, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The request cannot be read: {error}.", "Its fields are those of tobs.model.requests."
        ) from error
