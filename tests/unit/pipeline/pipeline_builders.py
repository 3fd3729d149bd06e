"""Chats, messages and files for tests of the pipeline: recorded, planned and written by the real stages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tobs.archive import FileRow, MediaDecision, NoteRow, Recorded, open_archive, record_page
from tobs.model import Chat, FileItem, Message, MessageKey, Page, Person, RemoteFile
from tobs.pipeline.context.adapters import open_blobs
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder, start_report
from tobs.pipeline.context.run_context import ChatFolder, RenderContext, RunContext, TransferMeter
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.note_writer import NoteWriter
from tobs.pipeline.notes.planning import plan_messages
from tobs.pipeline.notes.render_pool import RenderPool
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.render.builtin import load_builtin
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions

ACCOUNT = 1
CHANNEL = Chat(-1000000000001, "channel", "Observatory", "observatory", top=1000)
#: 2023-11-14 22:13:20 UTC.
START = 1_700_000_000
HOUR, DAY = 3_600, 86_400


def started(run_id: str = "1") -> ReportBuilder:
    """The report of a run in which time stands still."""
    return start_report(run_id, "export", (), lambda: 0.0)


@contextmanager
def workbench(folder: Path, report: ReportBuilder | None = None) -> Iterator[RunContext]:
    """An archive, an empty vault and a staging folder, for one run in which time stands still."""
    events = (report or started()).events
    root, staging = folder / "vault", folder / "staging"
    root.mkdir()
    staging.mkdir()
    zone = ZoneInfo("UTC")
    with open_archive(folder / "archive.db", clock=lambda: 0.0) as archive:
        render_context = RenderContext(
            archive, ACCOUNT, root, zone, RenderOptions(timezone=zone), Templates(load_builtin)
        )
        blobs = open_blobs(archive, root)
        yield RunContext(render_context, staging, blobs, "message", events, TransferMeter(), 100)


def message(number: int, text: str = "", *, chat: Chat = CHANNEL, **fields: Any) -> Message:
    """A message, an hour after the one before it."""
    fields.setdefault("date", START + HOUR * number)
    return Message(chat_id=chat.id, id=number, text=text or f"words of {number}", **fields)


def key(number: int, chat: Chat = CHANNEL) -> MessageKey:
    """The key of a message in the archive."""
    return MessageKey.of(ACCOUNT, chat.id, number)


def photo(file_id: int = 5) -> FileItem:
    """A photo on Telegram."""
    return FileItem("photo", mime="image/jpeg", size=4, remote=RemoteFile("photo", file_id, 99, b"ref", 2, "y"))


def document(file_id: int, name: str, *, mime: str = "", kind: str = "document", **fields: Any) -> FileItem:
    """A file with a name on Telegram."""
    remote = RemoteFile("document", file_id, 99, b"ref", 2, "")
    return FileItem(kind, mime=mime, size=4, name=name, remote=remote, **fields)  # type: ignore[arg-type]


def record(
    context: RunContext,
    *messages: Message,
    chat: Chat = CHANNEL,
    low: int = 1,
    high: int | None = None,
    people: tuple[Person, ...] = (),
    wanted: bool = True,
) -> Recorded:
    """Record a page of ``chat`` that settles the ids from ``low`` to ``high`` (the newest id, if not given)."""
    high = max((one.id for one in messages), default=low) if high is None else high
    page = Page(chat.id, low, high, tuple(messages), people=people, raw=b"", layer=229)
    decision = MediaDecision("wanted") if wanted else MediaDecision("skipped", "not asked for")
    return record_page(context.archive, ACCOUNT, page, lambda message, item: decision)


def plan(context: RunContext, place: ChatFolder, *, upto: int = 1000, final: bool = True) -> None:
    """Plan everything up to id ``upto``."""
    while not plan_messages(context, place, upto=upto, final=final).is_all:
        pass


async def write(context: RunContext, *places: ChatFolder) -> None:
    """Write every stale note: those of chats, people and files too."""
    async with (
        ArchiveThread() as archive_thread,
        RenderPool(context.render_context, archive_thread, processes=0) as render_pool,
    ):
        await finish_notes(
            context, archive_thread, NoteWriter(context, archive_thread, render_pool), places, with_waiting=True
        )


async def exported(context: RunContext, *messages: Message, chat: Chat = CHANNEL, **page: Any) -> ChatFolder:
    """A chat whose messages are recorded, planned and written."""
    place = open_chat(context, chat)
    record(context, *messages, chat=chat, **page)
    plan(context, place)
    await write(context, place)
    return place


def note(context: RunContext, number: int, chat: Chat = CHANNEL) -> NoteRow:
    """The note of a message."""
    row = context.archive.notes.by_tobs_id(f"{chat.id}/{number}")
    assert row is not None, f"message {number} has no note"
    return row


def named(context: RunContext, tobs_id: str) -> NoteRow:
    """A note by its ``tobs_id``."""
    row = context.archive.notes.by_tobs_id(tobs_id)
    assert row is not None, f"there is no note {tobs_id}"
    return row


def file_of(context: RunContext, row: NoteRow) -> Path:
    """The file of a note in the vault."""
    return context.root / row.path


def stale(context: RunContext) -> set[str]:
    """The ``tobs_id`` of every stale note."""
    return {row.tobs_id for row in context.archive.notes.stale(ACCOUNT, None, limit=10_000)}


def settled(context: RunContext) -> None:
    """No note is stale any more, as after a run."""
    context.archive.notes.settle(
        [(row.id, row.revision) for row in context.archive.notes.stale(ACCOUNT, None, limit=10_000)]
    )


def attached(context: RunContext, path: str, data: bytes, number: int = 1) -> FileRow:
    """A file of message ``number`` that lies in the vault at ``path``."""
    place = context.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return context.archive.files.claim(hashlib.sha256(data).hexdigest(), key(number), [path], size=len(data))
