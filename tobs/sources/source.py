"""What a source gives: chats, the pages of a chat, the files of its messages; and what only some sources can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal, Protocol, TypedDict, Unpack

from msgspec import Struct

from tobs.errors import TransferFailed
from tobs.model import Changes, Chat, DroppedFile, FileItem, MessageKey, Page, Topic, UpdateState
from tobs.telegram.facade import Telegram

#: An interval of message ids, both ends included.
Gap = tuple[int, int]

#: What becomes of files that lie on this computer already.
MediaMode = Literal["copy", "link", "move"]


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
    """How a file is fetched: from byte ``offset`` on (0: from the beginning), with ``on_progress`` called with the
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
        """How many there are."""

    @property
    def newest(self) -> int:
        """The id of the newest one."""


class CountComments(Protocol):
    """Give the state of the comments of at most 100 posts of a channel, those that can be commented."""

    async def __call__(self, chat_id: int, ids: Sequence[int]) -> Mapping[int, CommentState]: ...


class Source(Struct, frozen=True, kw_only=True):
    """An open source. ``name`` is the one the registry and the archive know it by.

    Not every source can do the rest; None says that it cannot. ``changes`` gives what happened since, ``topics`` and
    ``comments`` what belongs to a forum and to a channel. ``next_chat`` is of a source that is read once and in its own
    order: the id of the chat whose messages come next (0: none). ``settled`` names the ids of which the source has
    every message, once a chat was walked. ``release`` is called when everything that was fetched is in the vault: files
    that were to be moved leave the source.
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
    """A folder of the vault that a source reads from, and the archive's knowledge of the files in it."""

    async def waiting(self) -> Sequence[DroppedFile]:
        """The files that lie in the folder, by name."""

    async def recorded(self, files: Sequence[DroppedFile]) -> Mapping[DroppedFile, bool]:
        """Those of ``files`` that are a message already; True where the vault has the file as an attachment."""

    async def remove(self, files: Sequence[DroppedFile]) -> None:
        """Remove files from the folder, unless they were changed meanwhile."""


class SourceConfig(Struct, frozen=True, kw_only=True):
    """What a source may need to be opened; each takes its part of it.

    ``account`` is the user id of who is logged in, ``telegram`` the way there, ``path`` the file or folder that the
    user named, or a source's own folder in the vault with ``files`` in it. Dates without a Unix time are local ones of
    ``zone``; ``mode`` says what becomes of the files; ``chat`` is the one that an export does not name itself.
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
    """A kind of source, as the registry lists it: its name, and how it is opened.

    ``continued_by`` is the name of the source that has what comes later in its chats and files that are still wanted
    (empty: none). ``reads`` says whether a path is something to import with it. ``folder`` is the folder of the vault
    that belongs to its chats alone. Of a source that ``is_local`` every file is wanted, whatever its kind and size, for
    nothing is transferred.
    """

    name: str
    open: Callable[[SourceConfig], AbstractAsyncContextManager[Source]]
    continued_by: str = ""
    reads: Callable[[Path], bool] | None = None
    folder: str = ""
    is_local: bool = False


def copied_files(copy: Callable[[str, Path], int]) -> FetchFile:
    """``FetchFile`` of a source on this computer. ``copy`` writes the file that an item names by its ``path`` to a
    part file and gives its size; it runs in a thread. A file is copied whole, whatever was there of it. It raises
    FileNotFoundError where the source does not have it any more."""

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
