"""The inbox as a source: files that the owner put into a folder of the vault are messages of a chat."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tobs.errors import TargetNotFound
from tobs.model import Changes, Chat, DroppedFile, FileItem, FileKind, Message, Page, UpdateState
from tobs.model.mime import type_of_name
from tobs.sources.source import Gap, Source, SourceConfig, SourceType, VaultFiles, copied_files

#: The chat id of the inbox. No user of Telegram has it.
INBOX: Final = 1
INBOX_CHAT: Final = Chat(INBOX, "saved", "Inbox")
#: Seconds a file has to lie unchanged before it is recorded: it may still be copied there.
SETTLED: Final = 1

_NAME: Final = "inbox"
_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})


def inbox_source(folder: Path, files: VaultFiles, *, account: int, clock: Callable[[], float]) -> Source:
    """Open the inbox at ``folder``. Files in it that are not recorded yet are its changes."""

    async def resolve(target: str, *, join: bool = False) -> Sequence[Chat]:
        if target.strip().casefold() in ("", str(INBOX), INBOX_CHAT.title.casefold()):
            return [INBOX_CHAT]
        raise TargetNotFound(f"'{target}' is not the inbox.")

    async def describe(chat_id: int) -> Chat:
        return INBOX_CHAT

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        return  # all messages come as changes

    async def changes(box: int, state: UpdateState) -> Changes:
        waiting, now = await files.waiting(), clock()
        settled = [file for file in waiting if now - file.changed >= SETTLED]
        recorded = await files.recorded(settled) if settled else {}
        new = [file for file in settled if file not in recorded]
        messages = tuple(inbox_message(number, file, sender=account) for number, file in enumerate(new, state.pts + 1))
        pages = (Page(INBOX, messages[0].id, messages[-1].id, messages),) if messages else ()
        return Changes(
            box=INBOX,
            state=UpdateState(state.pts + len(messages)),
            pages=pages,
            changed_chats=frozenset({INBOX} if settled else ()),
            timeout=SETTLED if len(settled) < len(waiting) else 0,
        )

    async def release() -> None:
        waiting = await files.waiting()
        recorded = await files.recorded(waiting) if waiting else {}
        await files.remove([file for file in waiting if recorded.get(file)])

    return Source(
        name=_NAME,
        resolve=resolve,
        describe=describe,
        walk=walk,
        fetch_file=copied_files(lambda path, part: _copy(folder / Path(path).name, part)),
        changes=changes,
        release=release,
    )


def inbox_message(message_id: int, file: DroppedFile, *, sender: int) -> Message:
    """Make the message for a dropped file; its date is the file's modification time."""
    mime = type_of_name(file.name) or "application/octet-stream"
    item = FileItem(_kind(mime), mime=mime, size=file.size, name=file.name, path=file.name)
    return Message(chat_id=INBOX, id=message_id, date=int(file.changed), sender_id=sender, media=item, out=True)


@asynccontextmanager
async def _open(config: SourceConfig) -> AsyncIterator[Source]:
    if config.path is None or config.files is None:
        raise ValueError("this source needs the folder of the inbox")
    yield inbox_source(config.path, config.files, account=config.account, clock=config.clock)


def _copy(path: Path, part: Path) -> int:
    shutil.copyfile(path, part)
    return part.stat().st_size


def _kind(mime: str) -> FileKind:
    """Return the kind of file that Telegram would make of a MIME type."""
    if mime in _PHOTOS:
        return "photo"
    if mime in _VOICES:
        return "voice"
    kind = mime.partition("/")[0]
    return "video" if kind == "video" else "audio" if kind == "audio" else "document"


INBOX_SOURCE = SourceType(name=_NAME, open=_open, continued_by=_NAME, folder="Inbox", is_local=True)
