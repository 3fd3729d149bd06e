"""The protocol of a source: chats, the pages of a chat, the files of its messages, and optional capabilities."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

from msgspec import Struct

from tobs.errors import TransferFailed
from tobs.model import Changes, Chat, DroppedFile, FileItem, MessageKey, Page, Topic, UpdateState
from tobs.model.requests import MediaMode
from tobs.telegram.facade import Telegram

#: An interval of message ids, both ends included.
Gap = tuple[int, int]


class Resolve(Protocol):
    """Give the chats that ``target`` names (an empty one: every chat of the source). Only with ``join`` may it join
    one. Raises TargetNotFound, RequestRefused."""

    async def __call__(self, target: str, *, join: bool = False) -> Sequence[Chat]: ...


class Describe(Protocol):
    """Give a chat by its id, with all that the source knows of it. Raises TargetNotFound, RequestRefused."""

    async def __call__(self, chat_id: int) -> Chat: ...


class Walk(Protocol):
    """Give the messages of id intervals page by page, lowest first. ``on_page`` may be awaited for several pages
    at once; a slow one slows the source (backpressure). ``count`` is about how many messages the chat has."""

    async def __call__(
        self, chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None: ...


class FetchOptions(TypedDict, total=False):
    """Options of fetching a file: the byte ``offset`` to begin at (0 as a rule), and ``on_progress``, called with the
    number of bytes in place."""

    offset: int
    on_progress: Callable[[int], None] | None


class FetchFile(Protocol):
    """Write a file of message ``key`` to ``part``; the whole size in bytes. ``options``: see ``FetchOptions``.

    Raises TransferFailed: not retryable for a file the
    source does not have.
    """

    async def __call__(self, item: FileItem, key: MessageKey, part: Path, **options: Unpack[FetchOptions]) -> int: ...


class FetchChanges(Protocol):
    """Give one part of what happened in ``box`` after ``state``. A box is a chat, or for Telegram all private chats and
    groups."""

    async def __call__(self, box: int, state: UpdateState) -> Changes: ...


class FetchTopics(Protocol):
    """Give the topics of a forum by id: all of them, or those of ``ids``."""

    async def __call__(self, chat_id: int, ids: Sequence[int] = ()) -> Sequence[Topic]: ...


class CommentState(Protocol):
    """The comments of a post: their number, and the id of the newest one (0: none)."""

    @property
    def number(self) -> int:
        """The number of comments."""

    @property
    def newest(self) -> int:
        """The id of the newest comment."""


class CountComments(Protocol):
    """Give the state of the comments of at most 100 posts of a channel, those that can be commented."""

    async def __call__(self, chat_id: int, ids: Sequence[int]) -> Mapping[int, CommentState]: ...


class Source(Struct, frozen=True, kw_only=True):
    """An open source. ``name`` is its name in the registry and in the archive.

    The fields after ``fetch_file`` are capabilities: None where the source does not have one. ``changes`` gives what
    happened since a state, ``topics`` and ``comments`` the topics of a forum and the comments of a channel.
    ``next_chat`` is for a source that is read once and in its own order: it gives the id of the chat whose messages
    come next (0: the end). ``settled`` gives the id intervals in which the source has every message of a chat.
    ``release`` is called when everything that was fetched is in the vault: files that were to be moved are removed from
    the source.
    """

    name: str
    resolve: Resolve
    describe: Describe
    walk: Walk
    fetch_file: FetchFile
    changes: FetchChanges | None = None
    topics: FetchTopics | None = None
    comments: CountComments | None = None
    next_chat: Callable[[], Awaitable[int]] | None = None
    settled: Callable[[int], Sequence[Gap]] | None = None
    release: Callable[[], Awaitable[None]] | None = None


class VaultFiles(Protocol):
    """A folder of the vault that a source reads from, with what the archive knows of the files in it."""

    async def waiting(self) -> Sequence[DroppedFile]:
        """Return the files in the folder, by name."""

    async def recorded(self, files: Sequence[DroppedFile]) -> Mapping[DroppedFile, bool]:
        """Return those of ``files`` that are recorded as messages; True if the vault has the file as an attachment."""

    async def remove(self, files: Sequence[DroppedFile]) -> None:
        """Remove files from the folder, unless they were changed meanwhile."""


class SourceConfig(Struct, frozen=True, kw_only=True):
    """Parameters for opening a source; each source uses some of them.

    ``account`` is the user id of the logged-in account, ``telegram`` its connection. ``path`` is the file or folder
    that the user named, or the source's own folder in the vault; then ``files`` are the files in it. Dates without a
    Unix time are local dates in ``zone``. ``mode`` says if files are copied, linked or moved; ``chat`` is the chat of
    an export that does not contain it. ``clock`` gives Unix seconds.
    """

    account: int = 0
    telegram: Telegram | None = None
    path: Path | None = None
    files: VaultFiles | None = None
    zone: tzinfo = UTC
    mode: MediaMode = "copy"
    chat: Chat | None = None
    clock: Callable[[], float] = lambda: 0.0


class SourceType(Struct, frozen=True, kw_only=True):
    """An entry of the registry: the name of a source, and the function that opens it.

    ``continued_by`` is the name of the source that has later messages of its chats, and files that are still wanted
    (empty: none). ``reads`` tells if the source imports a path. ``unknown_group`` gives the id that the source uses for
    the basic group that a supergroup was, if it cannot know the group's id. ``folder`` is the name of the vault folder
    that belongs to its chat alone (empty: none); a watch polls such a source. If the source ``is_local``, its files are
    on this computer: all are wanted, of any kind and size.
    """

    name: str
    open: Callable[[SourceConfig], AbstractAsyncContextManager[Source]]
    continued_by: str = ""
    reads: Callable[[Path], bool] | None = None
    unknown_group: Callable[[int], int] | None = None
    folder: str = ""
    is_local: bool = False


def copied_files(copy: Callable[[str, Path], int]) -> FetchFile:
    """Make the ``FetchFile`` of a source on this computer. ``copy`` writes the file with an item's ``path`` to a part
    file and returns its size in bytes; it runs in a thread, and raises FileNotFoundError if there is no such file.
    Files are copied as a whole: ``offset`` is ignored."""

    async def fetch_file(item: FileItem, key: MessageKey, part: Path, **options: Unpack[FetchOptions]) -> int:
        try:
            size = await asyncio.to_thread(copy, item.path, part)
        except FileNotFoundError as error:
            raise TransferFailed(f"{item.path} is not there any more.", retryable=False) from error
        except OSError as error:
            raise TransferFailed(
                f"{item.path} cannot be copied: {error.strerror}.", "A later run tries again."
            ) from error
        if (on_progress := options.get("on_progress")) is not None:
            on_progress(size)
        return size

    return fetch_file
